"""Starts children stage by stage, restarts what crashes (and says so), stops everything in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansinh.stack.process import Child, PortBusy, ProcessFailed, Spec, ports_free, rotate

__all__ = ["Stage", "Supervisor"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """Children that start together, once the stages before are ready; `after` runs when all of them are."""

    name: str
    specs: Sequence[Spec]
    after: Callable[[], Awaitable[None]] | None = None


@dataclass
class Supervisor:
    """Holds the children. `on_death` may take over the restart of a child whose death concerns others too."""

    logs: Path
    say: Say
    on_change: Callable[[], None] = lambda: None
    on_death: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    first_delay: float = 0.5
    longest_delay: float = 30.0
    steady_seconds: float = 60.0
    children: dict[str, Child] = field(default_factory=dict)
    _order: list[list[str]] = field(default_factory=list)
    _watchers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _stopping: bool = False

    async def start(self, stages: Sequence[Stage]) -> None:
        """Start all stages in order. On failure everything started is stopped again, and the failure raised."""
        for spec in (spec for stage in stages for spec in stage.specs):  # said at once, not when the last stage comes
            ports_free(spec)
        try:
            for stage in stages:
                await self.start_stage(stage)
        except BaseException:
            await self.stop()
            raise

    async def start_stage(self, stage: Stage) -> None:
        """Start the children of one stage together and wait until all are ready."""
        if stage.specs:
            started = time.monotonic()
            self._order.append([spec.name for spec in stage.specs])
            for spec in stage.specs:
                self.children[spec.name] = Child(spec, self.logs / f"{spec.name}.log")
            results = await asyncio.gather(*(self.children[spec.name].start() for spec in stage.specs), return_exceptions=True)
            failures = [result for result in results if isinstance(result, BaseException)]
            if failures:
                raise failures[0]
            for spec in stage.specs:
                self._watch(spec.name)
            self.on_change()
            self.say(f"{stage.name}: ready in {time.monotonic() - started:.1f} s")
        if stage.after:
            await stage.after()

    def _watch(self, name: str) -> None:
        self._watchers[name] = asyncio.create_task(self._keep(name), name=f"watch {name}")

    async def _keep(self, name: str) -> None:
        child = self.children[name]
        delay = self.first_delay
        while True:
            code = await child.wait()
            if self._stopping:
                return
            child.restarts += 1
            if time.monotonic() - child.started_at > self.steady_seconds:
                delay = self.first_delay
            child.state = "RESTARTING"
            self.say(f"{name} ended ({_meaning(code)}); starting it again in {delay:.1f} s")
            self.on_change()
            await asyncio.sleep(delay)
            delay = min(delay * 2, self.longest_delay)
            take_over = self.on_death.get(name)
            try:
                await (take_over() if take_over else child.start())
            except (ProcessFailed, PortBusy, OSError) as error:
                self.say(f"{name} does not start: {error}")
                await child.stop()
                continue
            self.say(f"{name} is back (restart {child.restarts})")
            self.on_change()

    async def pause(self, names: Sequence[str], seconds: float | None = None) -> None:
        """Stop children without restarting them, until :meth:`resume`; those that take longer than `seconds` are killed."""
        for name in names:
            if watcher := self._watchers.pop(name, None):
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
        await asyncio.gather(*(self.children[name].stop(seconds=seconds) for name in names))
        self.on_change()

    async def resume(self, names: Sequence[str]) -> None:
        """Start paused children again and watch them; what does not start now is tried again like any crashed child."""
        results = await asyncio.gather(*(self.children[name].start() for name in names), return_exceptions=True)
        for name, result in zip(names, results, strict=True):
            if isinstance(result, BaseException):
                self.say(f"{name} does not start: {result}")
                await self.children[name].stop()
            self._watch(name)
        self.on_change()

    async def stop(self) -> None:
        """Stop all children, last started stage first."""
        self._stopping = True
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        self._watchers.clear()
        for names in reversed(self._order):
            await asyncio.gather(*(self.children[name].stop() for name in names))
            self.on_change()
        self._order.clear()

    async def keep_logs_short(self, every_seconds: float = 10.0) -> None:
        """Rotate the logs of long-lived children, for as long as the task lives."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(every_seconds)
                for child in self.children.values():
                    rotate(child.log)


def _meaning(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
