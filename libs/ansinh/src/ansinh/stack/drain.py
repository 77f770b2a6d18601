"""Draining before a clean stop, and publishing again after a broker lost its log. The databases are the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

__all__ = ["Backlog", "backlog", "drain", "replay"]


@dataclass(frozen=True)
class Backlog:
    """What is still on its way, over all services."""

    unpublished: int
    unread: int
    published: int

    @property
    def empty(self) -> bool:
        """Nothing on its way."""
        return self.unpublished == 0 and self.unread == 0


def backlog(dsns: Mapping[str, str]) -> Backlog:
    """Outbox rows not yet published and messages not yet consumed, as the databases know them."""
    unpublished = unread = published = 0
    for dsn in dsns.values():
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL),"
                " (SELECT coalesce(sum(greatest(highwater - position, 0)), 0) FROM consumer_position),"
                " (SELECT coalesce(max(id), 0) FROM outbox)"
            ).fetchone()
        assert row is not None
        unpublished, unread, published = unpublished + row[0], unread + int(row[1]), published + row[2]
    return Backlog(unpublished, unread, published)


async def drain(dsns: Mapping[str, str], say: Callable[[str], None], seconds: float, settle: float = 2.5) -> bool:
    """Wait until nothing is on its way, seen twice `settle` seconds apart with nothing new between; False when time is up."""
    deadline = time.monotonic() + seconds
    before: Backlog | None = None
    told = 0.0
    while time.monotonic() < deadline:
        now = await asyncio.to_thread(backlog, dsns)
        if now.empty and before == now:
            return True
        if not now.empty and time.monotonic() - told > 2:
            say(f"draining: {now.unpublished} events to publish, {now.unread} to apply")
            told = time.monotonic()
        before = now if now.empty else None
        await asyncio.sleep(settle if now.empty else 0.3)
    return False


def replay(dsns: Mapping[str, str], since: datetime | None) -> dict[str, int]:
    """Mark published outbox rows (of the whole window, or since a time) as not published; how many per service.

    The relays publish them again in their order; consumers know each event they have applied by its id.
    Also forgets consumers' and relays' positions, which belong to the log that is gone.
    """
    marked: dict[str, int] = {}
    for name, dsn in dsns.items():
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            done = connection.execute(
                "UPDATE outbox SET published_at = NULL"
                " WHERE published_at IS NOT NULL AND published_at >= coalesce(CAST(%s AS timestamptz), '-infinity')",
                (since,),
            )
            connection.execute("DELETE FROM consumer_position")
            connection.execute("DELETE FROM relay_position")
            marked[name] = done.rowcount
    return marked
