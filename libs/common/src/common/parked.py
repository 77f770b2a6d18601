"""Storage of parked events: kept with their bodies encrypted, read back in order for replay, taken back when they break again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from common import audit
from common.db import Tx
from common.incoming import Incoming

__all__ = ["ParkedKey", "approved_key", "blocked_keys", "insert", "lock_key", "mark_replayed", "take_back"]


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """The parked events of one key, in order, and the ids of their rows."""

    row_ids: list[int]
    events: list[Incoming]


async def blocked_keys(tx: Tx, consumer: str, keys: Iterable[UUID]) -> set[UUID]:
    """Those of `keys` that have a parked event."""
    if not await tx.value("SELECT EXISTS (SELECT FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL)", consumer=consumer):
        return set()
    rows = await tx.rows(
        "SELECT DISTINCT key FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL AND key = ANY(CAST(:keys AS uuid[]))",
        consumer=consumer,
        keys=list(keys),
    )
    return {row["key"] for row in rows}


async def insert(tx: Tx, consumer: str, event: Incoming, error: str) -> None:
    """Park an event; one that is parked already stays as it is."""
    keyring = tx.db.keyring
    await tx.execute(
        'INSERT INTO parked_event (consumer, topic, partition, "offset", key, event_id, type, headers, body, error)'
        " VALUES (:consumer, :topic, :partition, :offset, :key, :event_id, :type, :headers, :body, :error) ON CONFLICT DO NOTHING",
        consumer=consumer,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        key=event.key,
        event_id=event.event_id,
        type=event.type,
        headers=event.headers,
        body=keyring.encrypt("parked_event", event.raw) if keyring else event.raw,
        error=error,
    )


async def approved_key(tx: Tx, consumer: str) -> UUID | None:
    """The key longest parked among those whose replay is approved."""
    key: UUID | None = await tx.value(
        "SELECT key FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL AND approved_by IS NOT NULL ORDER BY id LIMIT 1",
        consumer=consumer,
    )
    return key


async def lock_key(tx: Tx, consumer: str, key: UUID) -> ParkedKey:
    """The parked events of a key, in order, locked; their inbox rows are taken out so that they can be applied."""
    keyring = tx.db.keyring
    rows = await tx.rows(
        "SELECT * FROM parked_event p WHERE consumer = :consumer AND replayed_at IS NULL AND key = :key ORDER BY id FOR UPDATE",
        consumer=consumer,
        key=key,
    )
    events = []
    for row in rows:
        raw = keyring.decrypt_bytes("parked_event", row["body"]) if keyring else bytes(row["body"])
        events.append(
            Incoming(row["topic"], row["partition"], row["offset"], row["key"], row["event_id"], row["type"], row["headers"], raw)
        )
    await tx.execute(
        "DELETE FROM inbox WHERE consumer = :consumer AND event_id = ANY(CAST(:ids AS uuid[]))",
        consumer=consumer,
        ids=[event.event_id for event in events],
    )
    return ParkedKey([row["id"] for row in rows], events)


async def mark_replayed(tx: Tx, parked: ParkedKey) -> None:
    """Record that the events of a key are applied."""
    await tx.execute("UPDATE parked_event SET replayed_at = now() WHERE id = ANY(CAST(:ids AS bigint[]))", ids=parked.row_ids)


async def take_back(tx: Tx, consumer: str, key: UUID, error: str, kind: str) -> None:
    """A key whose replay broke must be asked for again. `error` says why, `kind` is the failure's type, for the audit log."""
    rows = await tx.rows(
        "UPDATE parked_event p SET requested_by = NULL, approved_by = NULL, error = :error"
        " FROM (SELECT id, requested_by, approved_by FROM parked_event"
        "   WHERE consumer = :consumer AND key = :key AND replayed_at IS NULL ORDER BY id FOR UPDATE) o"
        " WHERE p.id = o.id RETURNING o.id, o.requested_by, o.approved_by",
        consumer=consumer,
        key=key,
        error=error,
    )
    asked = {name: rows[0][name] if rows else None for name in ("requested_by", "approved_by")}
    what = audit.Bulk.of([row["id"] for row in rows], before=asked, after=dict.fromkeys(asked), error=kind)
    await audit.record(tx, "parked.replay_failed", "parked_event", key, what)
