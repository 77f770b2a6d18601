"""The log of all received events: append, ranges for projection, the lock between consumers and a rebuild."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from common.db import Tx

__all__ = [
    "LoggedEvent",
    "SeqRange",
    "append",
    "bounds",
    "consumers_kept_out",
    "extend_partitions",
    "hold_models",
    "lock_exclusive",
    "lock_shared",
]

# Consumers hold it shared while they append and project; a rebuild takes it exclusively to know that no number below its
# mark is still uncommitted, and to swap.
_LOCK: Final = 7_203_511

_APPEND: Final = """
WITH appended AS (
    INSERT INTO event_log (event_id, topic, partition, "offset", key, type, source, occurred_at, body)
    SELECT e.event_id, e.topic, e.partition, e."offset", e.key, e.type, e.source, e.occurred_at, e.body
    FROM ROWS FROM (
        unnest(
            CAST(:event_ids AS uuid[]), CAST(:topics AS text[]), CAST(:partitions AS smallint[]), CAST(:offsets AS bigint[]),
            CAST(:keys AS uuid[]), CAST(:types AS text[]), CAST(:sources AS text[]), CAST(:times AS timestamptz[])
        ),
        jsonb_array_elements(CAST(:bodies AS jsonb))
    ) AS e (event_id, topic, partition, "offset", key, type, source, occurred_at, body)
    ON CONFLICT DO NOTHING
    RETURNING seq
)
SELECT min(seq) AS low, max(seq) AS high, count(*) AS added FROM appended
"""


@dataclass(frozen=True)
class LoggedEvent:
    """One received event as the log keeps it. `body` is the text of one JSON object (checked by the caller)."""

    event_id: UUID
    topic: str
    partition: int
    offset: int
    key: UUID
    type: str
    source: str
    occurred_at: datetime
    body: str


@dataclass(frozen=True)
class SeqRange:
    """Numbers of the log from `low` to `high`, both included; may hold other transactions' events (harmless)."""

    low: int
    high: int


async def append(tx: Tx, events: Sequence[LoggedEvent]) -> SeqRange | None:
    """Append events; those already logged this month are left aside. None when nothing was new."""
    row = await tx.row(
        _APPEND,
        event_ids=[e.event_id for e in events],
        topics=[e.topic for e in events],
        partitions=[e.partition for e in events],
        offsets=[e.offset for e in events],
        keys=[e.key for e in events],
        types=[e.type for e in events],
        sources=[e.source for e in events],
        times=[e.occurred_at for e in events],
        # One JSON array instead of an SQL array of texts: nothing to quote, which is most of the time otherwise.
        bodies="[" + ",".join(e.body for e in events) + "]",
    )
    if row is None or row["added"] == 0:
        return None
    return SeqRange(row["low"], row["high"])


async def bounds(tx: Tx) -> SeqRange:
    """First and last number of the log; (1, 0) when it is empty."""
    row = await tx.row("SELECT coalesce(min(seq), 1) AS low, coalesce(max(seq), 0) AS high FROM event_log")
    if row is None:
        raise AssertionError("an aggregate has a row")
    return SeqRange(row["low"], row["high"])


async def lock_shared(tx: Tx) -> None:
    """What every consumer transaction takes before it appends."""
    await tx.execute("SELECT pg_advisory_xact_lock_shared(:lock)", lock=_LOCK)


async def lock_exclusive(tx: Tx) -> None:
    """What a rebuild takes: waits for consumers in flight, keeps new ones out until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(:lock)", lock=_LOCK)


@asynccontextmanager
async def consumers_kept_out(tx: Tx) -> AsyncIterator[None]:
    """The same for the time of the block only: going back to a savepoint gives up the locks taken after it."""
    await tx.execute("SAVEPOINT consumers_kept_out")
    await lock_exclusive(tx)
    yield  # not undone on an exception: the whole transaction goes then
    await tx.execute("ROLLBACK TO SAVEPOINT consumers_kept_out")


async def extend_partitions(tx: Tx, months: int = 3) -> int:
    """Make sure the partitions of this and the next `months` months exist; the number of new ones."""
    return int(await tx.value("SELECT event_log_extend(:months)", months=months))


async def hold_models(tx: Tx) -> None:
    """Keep the read models from being swapped until this transaction ends. The log is locked meanwhile, so no swap is on its way."""
    names = await tx.value("SELECT string_agg(name, ', ' ORDER BY lock_order) FROM read_model")
    await tx.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
