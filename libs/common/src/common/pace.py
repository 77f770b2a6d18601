"""How often one person may ask: a bucket of calls per signed-in person, which fills again at a steady pace (token bucket).

Kept in the process that answers: what it protects is that process, from a script left running under an officer's name, and it costs no
statement. Systems of other organisations have quotas in the database (:mod:`common.clients`), whatever number of processes answers.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

__all__ = ["Pace"]

_PEOPLE: Final = 10_000
"""Persons remembered; who has not asked for longest is forgotten first, with a full bucket. A province has some thousand officers."""


class Pace:
    """Buckets of `burst` calls, `per_second` new ones a second."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` (seconds, never backwards) is replaced in tests."""
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, person: str) -> int:
        """Take one call of this person's; 0, or the whole seconds until there is one. A refused call takes nothing."""
        now = self._clock()
        left, since = self._left.pop(person, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._left[person] = (left - 1 if allowed else left, now)
        if len(self._left) > _PEOPLE:
            self._left.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) / self._per_second)
