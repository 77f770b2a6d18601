"""How full a service is: connections in use, and work that waits. Shown as metrics beside latency, traffic and errors."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge
from sqlalchemy.pool import QueuePool

from common.db import Database

__all__ = ["note", "watch"]

IN_USE: Final = Gauge("ansinh_database_connections_in_use", "Connections to the database that are in use")
POOL: Final = Gauge("ansinh_database_connections_allowed", "Connections to the database this process may hold")
WAITING: Final = Gauge("ansinh_waiting", "Work that waits now", ["what"])
OLDEST: Final = Gauge("ansinh_outbox_oldest_seconds", "Age of the oldest event that is not published")

_WAITING: Final = """
SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox,
       (SELECT count(*) FROM parked_event WHERE replayed_at IS NULL) AS parked_events,
       (SELECT count(*) FROM job WHERE state IN ('QUEUED', 'RUNNING')) AS jobs,
       (SELECT extract(epoch FROM now() - min(created_at)) FROM outbox WHERE published_at IS NULL) AS oldest
"""


def watch(db: Database) -> None:
    """Show this process's connections, read whenever somebody looks."""
    pool = db.engine.pool
    if isinstance(pool, QueuePool):
        IN_USE.set_function(pool.checkedout)
        POOL.set_function(pool.size)


async def note(db: Database) -> bool:
    """Look at what waits in the database; a worker's loop."""
    async with db.read() as tx:
        row = await tx.row(_WAITING)
    assert row is not None
    for what in ("outbox", "parked_events", "jobs"):
        WAITING.labels(what).set(row[what])
    OLDEST.set(float(row["oldest"] or 0))
    return False
