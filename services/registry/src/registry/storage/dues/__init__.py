"""What the law says is due: computed set-based (`recompute`), read (`intervals_of`), explained (`explain`)."""

from __future__ import annotations

from registry.storage.dues.compute import derive, intervals_of, recompute, say_again
from registry.storage.dues.explain import candidates

__all__ = ["candidates", "derive", "intervals_of", "recompute", "say_again"]
