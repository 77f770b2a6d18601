"""What a piece of work cost, for tests that hold a limit of time.

The clock tells about the work only where nothing else runs. Beside others the processor time of the work itself is what the limit is held
against: of this process and of the connections to one database. So the limit is judged on every machine, and load alone breaks none.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final

import psutil

__all__ = ["Effort", "connections_seconds"]

#: Processors that others may take before the clock is not believed any more; PostgreSQL's own helpers are among the others.
_OTHERS: Final = 0.3


def connections_seconds(database_url: str) -> dict[int, float]:
    """Processor seconds so far of each connection to a database; its server names it in their titles. Empty where they cannot be seen."""
    name, found = database_url.rsplit("/", 1)[1].partition("?")[0], dict[int, float]()
    for process in psutil.process_iter():
        try:
            title = " ".join(process.cmdline())
            if title.startswith("postgres:") and f" {name} " in title:
                found[process.pid] = sum(process.cpu_times()[:2])
        except psutil.Error:
            continue  # it has ended meanwhile
    return found


def _machine() -> float:
    """Processor seconds of everybody so far."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))


class Effort:
    """A block of work: `with Effort(url) as effort: …`, then `effort.seconds`."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self.wall = self.worked = self.others = 0.0

    def __enter__(self) -> Effort:
        self._connections = connections_seconds(self._url)
        self._machine, self._own, self._wall = _machine(), time.process_time(), time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.wall, own, machine = time.perf_counter() - self._wall, time.process_time() - self._own, _machine() - self._machine
        theirs = sum(seconds - self._connections.get(pid, 0.0) for pid, seconds in connections_seconds(self._url).items())
        self.worked = own + theirs
        self.others = max(0.0, machine - self.worked)

    @property
    def seconds(self) -> float:
        """What a limit is held against: by the clock where the work was alone, else its processor time."""
        return self.wall if self.others <= _OTHERS * self.wall else min(self.wall, self.worked)

    def __str__(self) -> str:
        return f"{self.wall:.1f} s by the clock, {self.worked:.1f} s of processors (others took {self.others:.1f} s meanwhile)"
