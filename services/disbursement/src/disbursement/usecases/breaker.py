"""A circuit breaker of one worker (the SMS gateway's): after several failures in a row, pauses that grow until something answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Breaker"]


@dataclass
class Breaker:
    """Counts failures in a row. From `threshold` on, nothing is tried for 5, 10, 20, then `longest_pause_seconds`."""

    threshold: int = 3
    first_pause_seconds: float = 5.0
    longest_pause_seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    open_until: float = 0.0

    def allows(self) -> bool:
        """Whether the partner may be called now. After a pause callers should try one thing, not many (see `failures`)."""
        return self.failures < self.threshold or self.clock() >= self.open_until

    def succeeded(self) -> None:
        """The partner answered sensibly: closed."""
        self.failures = 0

    def failed(self) -> None:
        """No sensible answer."""
        self.failures += 1
        if self.failures >= self.threshold:
            pause = self.first_pause_seconds * 2.0 ** min(self.failures - self.threshold, 10)
            self.open_until = self.clock() + min(pause, self.longest_pause_seconds)
