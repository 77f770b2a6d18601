"""One received event, and how it is read from a record of the broker."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson
from aiokafka import ConsumerRecord

from common.contracts.envelope import Event

__all__ = ["Incoming", "kind_of", "latest", "read", "unreadable"]

_UNREADABLE: Final = "unreadable"
E_ = TypeVar("E_", bound=Event)


@dataclass(slots=True)  # not frozen: half a million are made in a province's month, and frozen ones take twice the time
class Incoming:
    """One received event."""

    topic: str
    partition: int
    offset: int
    key: UUID
    event_id: UUID
    type: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        value = orjson.loads(self.raw)
        if not isinstance(value, dict):
            raise ValueError("an event's body is an object")
        return value

    def parse(self, event_class: builtins.type[E_]) -> E_:
        """The event as a contract instance; unknown fields are left aside."""
        return event_class.parse_tolerant(self.body)


def latest(events: Iterable[E_], part: Callable[[E_], Hashable]) -> list[E_]:
    """The highest version of each part, in order of first appearance."""
    best: dict[Hashable, E_] = {}
    for event in events:
        name = part(event)
        if name not in best or event.version > best[name].version:
            best[name] = event
    return list(best.values())


def kind_of(record: ConsumerRecord[bytes, bytes]) -> str | None:
    """The event type a record names, without reading the rest; None when it names none."""
    for name, value in record.headers:
        if name == "ce_type":
            return value.decode(errors="replace") if value is not None else None
    return None


def read(record: ConsumerRecord[bytes, bytes]) -> Incoming:
    """The event in a record. Raises KeyError, ValueError or AttributeError for a record that is no event of ours."""
    headers = {name: value.decode() for name, value in record.headers}
    return Incoming(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=UUID((record.key or b"").decode()),
        event_id=UUID(headers["ce_id"]),
        type=headers["ce_type"],
        headers=headers,
        raw=record.value or b"",
    )


def unreadable(record: ConsumerRecord[bytes, bytes]) -> Incoming:
    """A record that is no event of ours, as it is parked: under its key if that names somebody, else under one made of the key's bytes."""
    raw, key = record.value or b"", record.key or b""
    try:
        who = UUID(key.decode())
    except ValueError:
        who = uuid5(NAMESPACE_OID, key.hex())
    headers = {name: (value or b"").decode(errors="replace").replace("\x00", "") for name, value in record.headers}
    event_id = uuid5(NAMESPACE_OID, f"{record.topic}|{record.partition}|{record.offset}|{raw.hex()}")
    return Incoming(record.topic, record.partition, record.offset, who, event_id, _UNREADABLE, headers, raw)
