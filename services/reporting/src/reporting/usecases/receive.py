"""Receive events: log them and bring the read models up, in the consumer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from common.consumer import Incoming
from common.contracts.catalogue import publications
from common.db import Tx
from reporting.storage import event_log, projections

__all__ = ["receive"]

_CLASSES: Final = {publication.event.type_name(): publication.event for publication in publications()}
# What a later release may send: new words in a list of words, new fields. Read models keep words as text.
_TOLERATED: Final = frozenset({"enum", "literal_error", "extra_forbidden"})


async def receive(tx: Tx, events: Sequence[Incoming]) -> None:
    """Append a batch to the log and project what is new. Any order and any repeats end in the same tables.

    An event that breaks its contract raises, so that it is parked now instead of stopping a rebuild later.
    """
    for event in events:
        _check(event)
    await event_log.lock_shared(tx)
    span = await event_log.append(tx, [_logged(event) for event in events])
    if span is not None:
        await projections.project(tx, span, frozenset(event.type for event in events))


def _check(event: Incoming) -> None:
    try:
        event.parse(_CLASSES[event.type])
    except ValidationError as error:
        if any(item["type"] not in _TOLERATED for item in error.errors(include_url=False, include_input=False)):
            raise


def _logged(event: Incoming) -> event_log.LoggedEvent:
    return event_log.LoggedEvent(
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
