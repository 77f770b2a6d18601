"""Finding our reference in what a bank repeats of it."""

from __future__ import annotations

import re
from typing import Final

from common.letters import plain

__all__ = ["our_reference"]

_PAYMENT: Final = re.compile(r"(?<![0-9A-Z])[0-9A-F]{32}[0-9]{3}(?![0-9A-Z])")
_ALONE: Final = re.compile(r"[0-9A-Z]{20,35}")


def our_reference(text: str) -> str | None:
    """Our reference alone in its field, or anywhere in a text; batch references stand alone in their field."""
    said = plain(text).upper()
    found = _PAYMENT.search(said)
    if found:
        return found[0]
    alone = said.strip()
    return alone if _ALONE.fullmatch(alone) else None
