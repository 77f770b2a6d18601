"""Receive events: log them and bring the read models up, in the consumer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from common.consumer import Incoming
from common.db import Tx
from reporting.storage import event_log, projections

__all__ = ["receive"]


async def receive(tx: Tx, events: Sequence[Incoming]) -> None:
    """Append a batch to the log and project what is new. Any order and any repeats end in the same tables."""
    await event_log.lock_shared(tx)
    logged = [
        event_log.LoggedEvent(
            event_id=event.event_id,
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            key=event.key,
            type=event.type,
            source=event.headers.get("ce_source", ""),
            occurred_at=datetime.fromisoformat(event.headers["ce_time"]),
            body=event.raw.decode(),
        )
        for event in events
    ]
    span = await event_log.append(tx, logged)
    if span is not None:
        await projections.project(tx, span, frozenset(event.type for event in events))
