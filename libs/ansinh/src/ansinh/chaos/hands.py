"""Does the deeds of a plan to a running stack, one after the other, until enough have died or the month is over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from ansinh.chaos.plan import Deed
from ansinh.chaos.stack import TargetStack

__all__ = ["Hands"]

_READY_SECONDS = 45.0
_HEARD_SECONDS = 10.0
_POPULATION_ILL_SECONDS = 8.0


class Hands:
    """`done` counts the deeds by kind, `skipped` those whose victim did not come back in time to be one."""

    def __init__(self, stack: TargetStack, plan: Iterator[Deed], kills: int, say: Callable[[str], None]) -> None:
        """`kills`: after so many deaths by SIGKILL nothing more is done."""
        self.done: Counter[str] = Counter()
        self.skipped = 0
        self._stack, self._plan, self._kills, self._say = stack, plan, kills, say
        self._over = asyncio.Event()
        self._frozen: dict[str, int] = {}
        self._later: set[asyncio.Task[None]] = set()

    @property
    def kills(self) -> int:
        """How many processes have died by SIGKILL."""
        return len(self._stack.ends)

    def enough(self) -> None:
        """Nothing more is begun; what is frozen thaws, and clocks, partners and population database are right again."""
        self._over.set()

    async def run(self) -> None:
        """Until enough have died, or :meth:`enough`; then everything is made well again."""
        try:
            while self.kills < self._kills and not self._over.is_set():
                deed = next(self._plan)
                await self._pause(deed.pause)
                if self._over.is_set():
                    return
                await self._do(deed)
            await asyncio.gather(*self._later)
        finally:
            await self._well_again()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _do(self, deed: Deed) -> None:
        if deed.kind in ("population", "partner"):
            await self._script(deed)
        elif not await self._ready(deed.victim):
            self.skipped += 1
            self._say(f"[{self.kills}] skipped: {deed} ({deed.victim} is not up)")
            return
        else:
            self._say(f"[{self.kills}] {deed}")
            await self._to_process(deed)
        self.done[deed.kind] += 1

    async def _to_process(self, deed: Deed) -> None:
        if deed.kind == "freeze":
            self._start(self._freeze(deed.victim, float(deed.detail["seconds"])))
        elif deed.kind == "database-restart":
            self._signal(deed.victim, signal.SIGINT)
        else:
            if deed.kind == "failpoint":
                self._stack.once[deed.victim].append({"ANSINH_FAILPOINTS": str(deed.detail["at"])})
            elif deed.kind == "clock":
                self._stack.once[deed.victim].append({"ANSINH_CLOCK_OFFSET_SECONDS": str(deed.detail["seconds"])})
                self._start(self._clock_right(deed.victim, float(deed.detail["for"])))
            await self._kill(deed.victim)

    async def _kill(self, victim: str) -> None:
        """SIGKILL, and wait until the supervisor has seen it."""
        before = self.kills
        self._signal(victim, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_SECONDS):
                while self.kills == before:
                    await asyncio.sleep(0.02)

    def _signal(self, victim: str, number: int) -> int | None:
        pid = self._stack.supervisor.children[victim].pid
        if pid is not None:
            # A database dies with all its processes: one that lived on would keep the next from starting until its statement ends.
            family = _children(pid) if (victim, number) == ("postgres", signal.SIGKILL) else []
            for each in (pid, *family):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, number)
        return pid

    async def _ready(self, victim: str) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS):
                while not self._over.is_set():
                    child = self._stack.supervisor.children[victim]
                    if child.state == "READY" and child.pid is not None and victim not in self._frozen:
                        return True
                    await asyncio.sleep(0.05)
        return False

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _freeze(self, victim: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after longer than its leases last, while others go on."""
        pid = self._signal(victim, signal.SIGSTOP)
        if pid is None:
            return
        self._frozen[victim] = pid
        try:
            await self._pause(seconds)
        finally:
            self._frozen.pop(victim, None)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _clock_right(self, victim: str, seconds: float) -> None:
        """A clock that jumped jumps back with the next life of the process."""
        await self._pause(seconds)
        if not self._over.is_set() and self.kills < self._kills and await self._ready(victim):
            self._say(f"[{self.kills}] clock of {victim} right again")
            await self._kill(victim)

    async def _script(self, deed: Deed) -> None:
        """Tell a simulator what to do wrong; one that is away just now is away already."""
        body = dict(deed.detail) if deed.kind == "population" else {"partner": "*", **deed.detail}
        told = await self._tell(deed.victim, "POST", body)
        self._say(f"[{self.kills}] {deed}" + ("" if told else " (not heard)"))
        if deed.kind == "population" and "error_rate" in body:
            self._start(self._population_well())

    async def _population_well(self) -> None:
        await self._pause(_POPULATION_ILL_SECONDS)
        await self._tell("population", "POST", {"error_rate": 0})

    async def _tell(self, whom: str, method: str, body: dict[str, Any] | None = None) -> bool:
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                answer = await client.request(method, f"{self._stack.layout.url(whom)}/control/script", json=body)
                answer.raise_for_status()
        except httpx.TransportError:
            return False
        return True

    async def _well_again(self) -> None:
        self._over.set()
        await asyncio.gather(*self._later, return_exceptions=True)
        for victim in self._stack.once:
            self._stack.once[victim].clear()
        for attempt in range(20):
            if await self._tell("partner", "DELETE") and await self._tell("population", "POST", {"reset": True}):
                return
            await asyncio.sleep(0.5 + attempt / 10)


def _children(pid: int) -> list[int]:
    """Processes that `pid` has started and that live; none when it is gone."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []
