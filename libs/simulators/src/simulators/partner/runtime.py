"""The running partner: its lane, its settler and one courier per partner."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import httpx

from simulators.partner.config import SimulatorConfig
from simulators.partner.delivery import Courier
from simulators.partner.schema import DDL
from simulators.partner.scripts import Scripts
from simulators.partner.settlement import next_due, settle_due
from simulators.sqlite_lane import Lane, WorldLink

__all__ = ["Runtime"]

_LOG = logging.getLogger("simulators.partner")
_LONGEST_WAIT = 1.0
_AFTER_ERROR = 1.0


class Runtime:
    """State of one partner process. `clock` gives seconds since 1970; tests give their own and call settle and deliver themselves."""

    def __init__(
        self,
        config: SimulatorConfig,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.scripts = Scripts()
        self.held = False
        """While True nothing is settled: what is accepted waits for its result, as at a bank that books at night."""
        self.world = WorldLink(config.world)
        self.lane = Lane(config.books, DDL, config.synchronous)
        self._client = httpx.AsyncClient(
            timeout=config.notice_timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )
        self._couriers = {partner: Courier(config, partner, self.lane, self._client) for partner in config.partners}
        self._settle_now = asyncio.Event()
        self._deliver_now = {partner: asyncio.Event() for partner in config.partners}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to settle and to deliver; what a killed process left behind is taken up first."""
        self._tasks.append(asyncio.create_task(self._loop("settle", self.settle, self._next_settlement, self._settle_now)))
        for partner, courier in self._couriers.items():

            async def deliver(courier: Courier = courier) -> int:
                return await courier.deliver_due(self.clock())

            self._tasks.append(asyncio.create_task(self._loop(f"deliver {partner}", deliver, courier.next_due, self._deliver_now[partner])))

    def wake(self) -> None:
        """There is something new to settle."""
        self._settle_now.set()

    async def settle(self) -> int:
        """Decide what is due now; answers how many payments changed."""
        if self.held:
            return 0
        count = await self.lane.run(lambda connection: settle_due(connection, self.config, self.world, self.clock()))
        if count:
            for event in self._deliver_now.values():
                event.set()
        return count

    async def deliver(self) -> int:
        """Try what is due now, each notice once; answers how many were tried."""
        return sum([await courier.deliver_due(self.clock()) for courier in self._couriers.values()])

    async def close(self) -> None:
        """Stop; an attempt under way is made again after the next start, under the same webhook-id."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._client.aclose()
        self.lane.close()

    async def _next_settlement(self) -> float | None:
        return None if self.held else await self.lane.run(next_due)

    async def _loop(
        self,
        name: str,
        work: Callable[[], Awaitable[int]],
        due: Callable[[], Awaitable[float | None]],
        woken: asyncio.Event,
    ) -> None:
        while True:
            woken.clear()
            try:
                if await work():
                    continue
                next_at = await due()
            except Exception:  # noqa: BLE001 - a full disk or a locked file must not end the partner's books: say so and try again
                _LOG.exception("%s", name)
                await asyncio.sleep(_AFTER_ERROR)
                continue
            # Never longer than a second: a world that appears, or a clock that was set, is then seen by itself.
            wait = _LONGEST_WAIT if next_at is None else min(max(next_at - self.clock(), 0.02), _LONGEST_WAIT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await woken.wait()
