"""What a stage took beside time: processor seconds of every process of the stack, and its peak of memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil

from ansinh.stack.control import read_state
from ansinh.stack.layout import Layout
from ansinh.stack.memory import MemoryWatch, measure

__all__ = ["Gauge", "Reading", "processor_seconds"]

_EVERY_SECONDS: Final = 5.0  # a look at every page of the database's memory costs a tenth of a second: it must not become the load


@dataclass
class Reading:
    """Filled when the stage has ended: MiB and processor seconds by process of the stack."""

    peaks: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)


def processor_seconds(layout: Layout) -> dict[str, float]:
    """User and system time so far by process of the stack, with its children, also those that have ended."""
    found = {}
    for process in read_state(layout).get("processes", []):
        if not process["pid"]:
            continue
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(process["pid"])
            own = parent.cpu_times()
            total = own.user + own.system + getattr(own, "children_user", 0.0) + getattr(own, "children_system", 0.0)
            for child in parent.children():
                with contextlib.suppress(psutil.Error):
                    times = child.cpu_times()
                    total += times.user + times.system
            found[process["name"]] = total
    return found


class Gauge:
    """Watches one stage after another."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """What happens inside the block."""
        taken = Reading()
        watch = MemoryWatch(self._layout, every_seconds=_EVERY_SECONDS)
        before = processor_seconds(self._layout)
        watching = asyncio.create_task(watch.run())
        try:
            yield taken
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            after = processor_seconds(self._layout)
            watch.note(await asyncio.to_thread(measure, self._layout))
            taken.peaks = dict(watch.by_process)
            taken.processor = {name: round(seconds - before.get(name, 0.0), 2) for name, seconds in after.items()}

    @staticmethod
    def load() -> float:
        """How busy the machine is: processes that run or want to, over a minute."""
        return round(os.getloadavg()[0], 1)
