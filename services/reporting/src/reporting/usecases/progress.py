"""A month's progress, once or as it happens.

Each message is the whole picture, so a reader who was away needs only the latest: its id is a mark of the content, and whoever comes
back with the id of the present picture is told nothing until it changes. One look at the database serves all readers of a process
who follow the same unit and month.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from common.actor import Actor
from common.clock import now
from common.db import Database
from common.problems import ServiceUnavailable, TooManyRequests
from reporting.domain.months import first_of
from reporting.storage import progress, reports
from reporting.usecases.reports import unit_for

__all__ = ["Feed", "Picture", "snapshot"]

_AGAIN: Final = {"Retry-After": "10"}
_ALIVE_SECONDS: Final = 15.0
"""A reader who hears nothing for three times as long takes the line for broken."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A month's progress and the mark of its content."""

    id: str
    body: dict[str, Any]


async def snapshot(db: Database, month: str, unit: str) -> Picture:
    """The cycles and everybody due by state, in one read."""
    first = first_of(month)
    async with db.read() as tx:
        cycles = [dict(row) for row in await progress.cycles(tx, first, unit)]
        states = [dict(row) for row in await reports.states(tx, first, unit)]
    body = {"month": month, "unit_path": unit, "cycles": cycles, "states": states}
    mark = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:20]
    return Picture(mark, body | {"as_of": now()})


class _Shared:
    """The latest picture of one (month, unit), looked at again only when something was heard since."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.picture: Picture | None = None
        self.heard = -1
        self.looked = 0.0


class Feed:
    """The readers of one process. Bounded: in all, and for one caller; each reader is let go after a while and comes back."""

    def __init__(
        self, db: Database, *, readers: int = 100, per_caller: int = 4, every_seconds: float = 2.0, life_seconds: float = 120.0
    ) -> None:
        """`life_seconds` is also how long a session that ended may go on reading."""
        self._db = db
        self._readers, self._per_caller = readers, per_caller
        self._every, self._life = every_seconds, life_seconds
        self._open: Counter[str] = Counter()
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._users: Counter[tuple[str, str]] = Counter()
        self._closing = False

    @property
    def readers(self) -> int:
        """How many follow now."""
        return self._open.total()

    def close(self) -> None:
        """Let everybody go: the process ends. May be called by a signal handler."""
        self._closing = True

    def follow(self, actor: Actor, month: str, unit_path: str | None, last_id: str | None) -> AsyncGenerator[Picture | None]:
        """Follow from the picture after `last_id`; None says that the line lives.

        Refusals (unit, month, too many readers) are raised here, before anything is sent. Nothing is counted before the first item is
        asked for: a caller who has gone by then leaves nothing behind.
        """
        unit = unit_for(actor, unit_path)
        first_of(month)
        if self.readers >= self._readers:
            raise ServiceUnavailable("Too many people follow the progress now", headers=_AGAIN)
        if self._open[actor.subject] >= self._per_caller:
            raise TooManyRequests("You follow the progress in too many windows", headers=_AGAIN)
        return self._pictures(actor.subject, (month, unit), last_id)

    async def _pictures(self, subject: str, key: tuple[str, str], last_id: str | None) -> AsyncGenerator[Picture | None]:
        if self.readers >= self._readers or self._open[subject] >= self._per_caller:
            return  # others came in between; this one comes back
        self._open[subject] += 1
        self._users[key] += 1
        shared = self._shared.setdefault(key, _Shared())
        started = said = time.monotonic()
        try:
            while not self._closing and time.monotonic() - started < self._life:
                picture = await self._look(key, shared)
                if picture.id != last_id or time.monotonic() - said > _ALIVE_SECONDS:
                    said = time.monotonic()
                    yield None if picture.id == last_id else picture
                    last_id = picture.id
                await asyncio.sleep(self._every)
        finally:
            self._leave(subject, key)

    def _leave(self, subject: str, key: tuple[str, str]) -> None:
        self._open[subject] -= 1
        self._users[key] -= 1
        if not self._open[subject]:
            del self._open[subject]
        if not self._users[key]:
            del self._users[key], self._shared[key]

    async def _look(self, key: tuple[str, str], shared: _Shared) -> Picture:
        async with shared.lock:
            if shared.picture is None or time.monotonic() - shared.looked >= self._every:
                async with self._db.read() as tx:
                    heard = await progress.heard(tx)
                if shared.picture is None or heard != shared.heard:
                    shared.picture = await snapshot(self._db, *key)
                    shared.heard = heard
                shared.looked = time.monotonic()
            return shared.picture
