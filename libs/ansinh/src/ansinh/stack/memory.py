"""How much memory the stack takes: our processes together; the broker and PostgreSQL (with its cache) apart."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ansinh.stack.control import read_state
from ansinh.stack.layout import Layout

__all__ = ["MemoryWatch", "measure"]

_MIB = 2**20


def _share(pid: int) -> int:
    """Bytes of a process, shared pages counted by share (PSS); where the system does not say, what is resident."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _family(pid: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def measure(layout: Layout) -> dict[str, float]:
    """MiB now: one entry per process of the stack, and `ansinh` for the command itself."""
    found = {"ansinh": _share(os.getpid()) / _MIB}
    for process in read_state(layout).get("processes", []):
        if process["pid"]:
            found[process["name"]] = sum(_share(pid) for pid in _family(process["pid"])) / _MIB
    return found


@dataclass
class MemoryWatch:
    """The highest sums seen while it watched, in MiB."""

    layout: Layout
    every_seconds: float = 3.0
    peak: dict[str, float] = field(default_factory=lambda: {"ours_mib": 0.0, "broker_mib": 0.0, "postgres_mib": 0.0})
    by_process: dict[str, float] = field(default_factory=dict)

    def note(self, now: Mapping[str, float]) -> None:
        """Take one measurement into account."""
        sums = {
            "broker_mib": now.get("broker", 0.0),
            "postgres_mib": now.get("postgres", 0.0),
            "ours_mib": sum(value for name, value in now.items() if name not in ("broker", "postgres")),
        }
        self.peak = {name: max(self.peak[name], value) for name, value in sums.items()}
        self.by_process = {name: max(self.by_process.get(name, 0.0), value) for name, value in {**self.by_process, **now}.items()}

    async def run(self) -> None:
        """Watch until cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                self.note(await asyncio.to_thread(measure, self.layout))
                await asyncio.sleep(self.every_seconds)

    def rounded(self) -> dict[str, float]:
        """The peaks, to a tenth."""
        return {name: round(value, 1) for name, value in self.peak.items()}
