"""A reporting service on a real socket, fed by its own consumer code, and what pages are looked at with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
import uvicorn
from playwright.async_api import Page
from reporting_builders import Reporting, incoming

from common.contracts.envelope import Event

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = (1280, 900), (360, 740)


def browser_path() -> str:
    """A Chromium of this machine, or the test is skipped with the reason."""
    path = os.environ.get("ANSINH_BROWSER") or next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is on the PATH, and ANSINH_BROWSER names none")
    return path


class Site:
    """The service at an address."""

    def __init__(self, reporting: Reporting, port: int) -> None:
        self.reporting = reporting
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.heard = 0
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def hear(self, events: list[Event]) -> None:
        """Events arrive, as after a poll: read models and position."""
        await self.reporting.hear(incoming(events))
        self.heard += len(events)
        async with self.reporting.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO consumer_position (consumer, topic, partition, position, highwater) VALUES ('reporting', 't', 0, :at, :at)"
                " ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = excluded.position",
                at=self.heard,
            )

    def streams(self) -> int:
        """Requests still being answered."""
        return len(self._server.server_state.tasks) if self._server else 0

    async def up(self) -> None:
        """Serve."""
        config = uvicorn.Config(self.reporting.app, host="127.0.0.1", port=self.port, log_config=None, lifespan="off")
        server = _Quiet(config)
        self._server, self._task = server, asyncio.create_task(server.serve())
        await until(lambda: server.started, "the service listens")

    async def down(self) -> None:
        """Break every connection and stop listening, as a killed process does."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = self._server.force_exit = True
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # type: ignore[union-attr]
        await self._task
        self._server = self._task = None


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The test's own handlers stay."""
        yield


async def until(check: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.02)


SignedIn = Callable[..., Awaitable[Page]]
