"""The outbox: events are rows of the transaction that made them; the relay publishes them afterwards, in id order.

The barrier: every transaction that adds events holds a shared lock until it commits. A transaction that takes the lock
exclusively therefore knows that all events with lower ids are committed, and that later ones get higher ids: what it
adds then stands, in every partition, behind exactly what it can count.

Each event says what led to it: the request (its id is the correlation id), or the event under the same key that is being applied,
whose correlation id it takes on. Where traces are made, the row also keeps the trace context of its transaction (`common.tracing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from common import tracing
from common.contracts.envelope import Event
from common.db import Tx
from common.ids import new_id
from common.locks import Lock
from common.topics import PARTITIONS, partition_of, partition_sql

__all__ = ["add", "add_rows", "add_to_every_partition", "barrier", "insert_select", "pending"]

_BARRIER: Final = int(Lock.EVENTS)
_COLUMNS: Final = ("event_id", "topic", "partition", "key", "type", "body", "correlation_id", "causation_id")
_KEY: Final = _COLUMNS.index("key")
_COPY_FROM: Final = 20  # rows from which COPY beats single inserts


async def _enter(tx: Tx) -> None:
    await tx.execute(f"SELECT pg_advisory_xact_lock_shared({_BARRIER})")


async def barrier(tx: Tx) -> None:
    """Wait until all transactions that added events ended, and keep others from adding any until this one commits."""
    await tx.execute(f"SELECT pg_advisory_xact_lock({_BARRIER})")


def _led_here(tx: Tx, key: UUID) -> tuple[str | None, str | None]:
    """(correlation id, causation id) of an event under this key."""
    cause = tx.causes.get(key)
    return cause if cause is not None else (tx.actor.request_id if tx.actor else None, None)


def _columns(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
    """Events of several traces stand in one transaction while events are applied: then each row says whose it is."""
    if not tx.traces:
        return _COLUMNS, rows
    own = tracing.current()
    return (*_COLUMNS, "traceparent"), [(*row, tx.traces.get(row[_KEY], own)) for row in rows]


async def add(tx: Tx, events: Sequence[Event], *, event_ids: Sequence[UUID] | None = None) -> None:
    """Add events in order. `event_ids` gives ids chosen beforehand (sealed fields are bound to them)."""
    if not events:
        return
    await _enter(tx)
    ids = event_ids if event_ids is not None else [new_id() for _ in events]
    rows = []
    for event_id, event in zip(ids, events, strict=True):
        key: UUID = getattr(event, event.KEY)
        rows.append((event_id, event.TOPIC, partition_of(key), key, event.type_name(), event.model_dump_json(), *_led_here(tx, key)))
    await _write(tx, rows)


async def _write(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    columns, rows = _columns(tx, rows)
    if len(rows) >= _COPY_FROM:
        await tx.copy("outbox", columns, rows)
        return
    for row in rows:
        await tx.execute(
            f"INSERT INTO outbox ({', '.join(columns)}) VALUES (:{', :'.join(columns)})", **dict(zip(columns, row, strict=True))
        )


async def add_rows(tx: Tx, topic: str, rows: Sequence[tuple[UUID, UUID, str, str]]) -> None:
    """Add many events already serialised: rows are (event id, key, type, JSON body). For bulk paths; COPY."""
    if not rows:
        return
    await _enter(tx)
    await _write(tx, [(event_id, topic, partition_of(key), key, kind, body, *_led_here(tx, key)) for event_id, key, kind, body in rows])


async def add_to_every_partition(tx: Tx, topic: str, make: Callable[[int], Event]) -> None:
    """Add one event per partition of a topic (cut-off markers). `make(partition)` builds it."""
    for partition in range(PARTITIONS):
        event = make(partition)
        key: UUID = getattr(event, event.KEY)
        await _write(tx, [(new_id(), topic, partition, key, event.type_name(), event.model_dump_json(), *_led_here(tx, key))])


_BY_KEY: Final = f"coalesce(CAST(:traces AS jsonb) ->> CAST(s.key AS text), {tracing.HERE_SQL})"


def _insert_select_sql(event_class: type[Event], select_sql: str, *, typed: bool = False, traced: str | None = None) -> str:
    """SQL that adds one event per row of `select_sql`, which yields `key uuid, event_id uuid, body json|text`.

    With `typed`, the select yields `type text` as well, and `event_class` only names the topic. Rows are added in the
    order of the select; `:led_by` is the request's id. `traced`: an expression of the rows' trace context.
    The barrier's shared lock is taken before the first id is drawn.
    """
    kind = "s.type" if typed else f"'{event_class.type_name()}'"
    return f"""
        WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({_BARRIER})),
             s AS MATERIALIZED ({select_sql})
        INSERT INTO outbox (event_id, topic, partition, key, type, body, correlation_id{", traceparent" if traced else ""})
        SELECT s.event_id, '{event_class.TOPIC}', {partition_sql("s.key")}, s.key, {kind}, CAST(s.body AS text), CAST(:led_by AS text)
        {f", {traced}" if traced else ""} FROM gate, s
    """


async def insert_select(
    tx: Tx, event_class: type[Event], select_sql: str, *, typed: bool = False, traced: bool = False, **params: Any
) -> int:
    """Add one event per row of `select_sql`; the number of events added. See :func:`_insert_select_sql`.

    With `traced`, the select yields `traceparent` as well.
    """
    by_key = bool(tx.traces) and not traced
    sql = _insert_select_sql(event_class, select_sql, typed=typed, traced=_BY_KEY if by_key else "s.traceparent" if traced else None)
    if by_key:
        params["traces"] = tx.traces_json()
    return await tx.execute(sql, led_by=tx.actor.request_id if tx.actor else None, **params)


async def pending(tx: Tx) -> int:
    """Number of events not yet published."""
    count = await tx.value("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return int(count)
