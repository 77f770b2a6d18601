"""Consuming events: a poll batch is deduplicated, applied set-based and committed in one transaction; the offset follows.

A batch that fails is bisected until the poison event is alone; that event is parked, and so is every later event of its
key, until two people replay them. A database that is away is waited for and parks nothing.
"""

from __future__ import annotations

import asyncio
import builtins
import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson
import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalGenerationError, KafkaError, RebalanceInProgressError, UnknownMemberIdError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from common import audit
from common.actor import SYSTEM
from common.contracts.envelope import Event
from common.db import Database, Tx
from common.failpoints import hit
from common.telemetry import CONSUMED, LAG, PARKED, get_logger

__all__ = ["Consumer", "Incoming", "Subscription", "is_transient", "latest"]

_POLL_RECORDS: Final = 5_000
_POLL_MS: Final = 250
_RETRY_SECONDS: Final = 1.0
_POSITION_SECONDS: Final = 0.5
_UNREADABLE: Final = "unreadable"
_DIGITS: Final = re.compile(r"\d{9,}")
_log = get_logger(__name__)
E_ = TypeVar("E_", bound=Event)


@dataclass(frozen=True, slots=True)
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


Apply = Callable[[Tx, list[Incoming]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events of a topic go to which function. `barrier`: applied alone, after everything before it."""

    topic: str
    event_types: tuple[builtins.type[Event], ...]
    apply: Apply
    barrier: bool = False


def latest(events: Iterable[E_], part: Callable[[E_], Hashable]) -> list[E_]:
    """The highest version of each part, in order of first appearance."""
    best: dict[Hashable, E_] = {}
    for event in events:
        name = part(event)
        if name not in best or event.version > best[name].version:
            best[name] = event
    return list(best.values())


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again later can succeed (connection, lock, serialisation, resources)."""
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, ConnectionError, TimeoutError, asyncio.TimeoutError)):
        return True
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated) or isinstance(error.orig, psycopg.OperationalError)
    return isinstance(error, psycopg.OperationalError)


def _incoming(record: ConsumerRecord[bytes, bytes]) -> Incoming:
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


def _unreadable(record: ConsumerRecord[bytes, bytes]) -> Incoming:
    """A record that is no event of ours, as it is parked: under its key if that names somebody, else under one made of the key's bytes."""
    raw, key = record.value or b"", record.key or b""
    try:
        who = UUID(key.decode())
    except ValueError:
        who = uuid5(NAMESPACE_OID, key.hex())
    headers = {name: (value or b"").decode(errors="replace").replace("\x00", "") for name, value in record.headers}
    event_id = uuid5(NAMESPACE_OID, f"{record.topic}|{record.partition}|{record.offset}|{raw.hex()}")
    return Incoming(record.topic, record.partition, record.offset, who, event_id, _UNREADABLE, headers, raw)


def _reason(error: BaseException) -> str:
    """What broke and where, without the values it broke on: an event's body is personal, the reason is read by operators."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, psycopg.Error):
        places = (cause.sqlstate, cause.diag.table_name, cause.diag.column_name, cause.diag.constraint_name)
        return f"{type(cause).__name__}: {' '.join(place for place in places if place)}"
    if isinstance(cause, ValidationError):
        found = cause.errors(include_url=False, include_context=False, include_input=False)
        return f"ValidationError: {'; '.join('.'.join(map(str, item['loc'])) + ' ' + item['type'] for item in found)}"[:500]
    return _DIGITS.sub("*", f"{type(cause).__name__}: {cause}")[:500]


class Consumer:
    """Applies the subscribed topics of one service to its database."""

    def __init__(
        self,
        db: Database,
        name: str,
        subscriptions: Sequence[Subscription],
        *,
        bootstrap: str,
        group: str,
        session_ms: int,
        heartbeat_ms: int,
    ) -> None:
        self._db = db
        self.name = name
        self._table = {(s.topic, kind.type_name()): s for s in subscriptions for kind in s.event_types}
        self.topics = sorted({s.topic for s in subscriptions})
        self._actor = SYSTEM(f"{name}-consumer")
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": session_ms,
            "heartbeat_interval_ms": heartbeat_ms,
            "max_poll_interval_ms": 600_000,
            "fetch_max_wait_ms": 200,
            "max_partition_fetch_bytes": 4 * 1024 * 1024,
        }
        self._positions: dict[tuple[str, int], tuple[int, int]] = {}
        self._positions_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; a broker that is away is waited for."""
        while not stop.is_set():
            consumer = AIOKafkaConsumer(*self.topics, **self._options)
            try:
                await consumer.start()
                while not stop.is_set():
                    await self._poll(consumer, stop)
            except Exception as error:  # noqa: BLE001 - a broker that is away is waited for, whatever it says
                _log.warning("consumer.retry", consumer=self.name, error=repr(error))
                await _pause(stop)
            finally:
                await consumer.stop()

    async def _poll(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
        events: list[Incoming] = []
        unreadable: list[tuple[Incoming, Exception]] = []
        for record in (record for records in polled.values() for record in records):
            try:
                events.append(_incoming(record))
            except (KeyError, ValueError, AttributeError) as error:
                unreadable.append((_unreadable(record), error))
        if events or unreadable:
            while not await self._try_apply(events, unreadable):
                if stop.is_set():
                    return  # offsets stay: the batch comes again
                await _pause(stop)
            hit("consumer.after_db_before_offset")
            offsets = {partition: records[-1].offset + 1 for partition, records in polled.items() if records}
            try:
                await consumer.commit(offsets)
            except (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError):
                _log.info("consumer.offsets_left_to_inbox", consumer=self.name)
        await self._note_positions(consumer)

    async def _try_apply(self, events: list[Incoming], unreadable: Sequence[tuple[Incoming, Exception]]) -> bool:
        try:
            for strange, why in unreadable:  # first: what else came under such a key waits behind it
                await self._park(strange, why)
            await self.apply(events)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("consumer.waits", consumer=self.name, error=repr(error))
            return False
        return True

    async def apply(self, events: list[Incoming]) -> None:
        """Apply a batch in one transaction; on a defect, bisect and park. Transient errors are raised."""
        wanted = [event for event in events if (event.topic, event.type) in self._table]
        if not wanted:
            return
        try:
            async with self._db.transaction(self._actor) as tx:
                await self._apply_in(tx, wanted)
            CONSUMED.labels(self.name).inc(len(wanted))
        except Exception as error:
            if is_transient(error):
                raise
            if len(wanted) == 1:
                await self._park(wanted[0], error)
                return
            middle = len(wanted) // 2
            await self.apply(wanted[:middle])
            await self.apply(wanted[middle:])

    async def _apply_in(self, tx: Tx, events: list[Incoming], *, replay: bool = False) -> None:
        fresh = await self._first_time(tx, events)
        if not replay:
            fresh = await self._without_parked_keys(tx, fresh)
        segment: list[Incoming] = []
        for event in fresh:
            if self._table[(event.topic, event.type)].barrier:
                await self._apply_segment(tx, segment)
                segment = []
                await self._table[(event.topic, event.type)].apply(tx, [event])
            else:
                segment.append(event)
        await self._apply_segment(tx, segment)

    async def _apply_segment(self, tx: Tx, events: list[Incoming]) -> None:
        groups: dict[int, tuple[Subscription, list[Incoming]]] = {}
        for event in events:
            subscription = self._table[(event.topic, event.type)]
            groups.setdefault(id(subscription), (subscription, []))[1].append(event)
        for subscription, group in groups.values():
            await subscription.apply(tx, group)

    async def _first_time(self, tx: Tx, events: list[Incoming]) -> list[Incoming]:
        rows = await tx.rows(
            "INSERT INTO inbox (consumer, event_id) SELECT :consumer, id FROM unnest(CAST(:ids AS uuid[])) AS id"
            " ON CONFLICT DO NOTHING RETURNING event_id",
            consumer=self.name,
            ids=list({event.event_id for event in events}),
        )
        new = {row["event_id"] for row in rows}
        fresh = []
        for event in events:
            if event.event_id in new:
                new.discard(event.event_id)
                fresh.append(event)
        return fresh

    async def _without_parked_keys(self, tx: Tx, events: list[Incoming]) -> list[Incoming]:
        """Park the later events of a key that has a parked one, so that nothing is applied over a gap."""
        rows = await tx.rows(
            "SELECT DISTINCT key FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL AND key = ANY(CAST(:keys AS uuid[]))",
            consumer=self.name,
            keys=list({event.key for event in events}),
        )
        blocked = {row["key"] for row in rows}
        if not blocked:
            return events
        for event in events:
            if event.key in blocked:
                await self._insert_parked(tx, event, "an earlier event of this key is parked")
        return [event for event in events if event.key not in blocked]

    async def _park(self, event: Incoming, error: BaseException) -> None:
        async with self._db.transaction(self._actor) as tx:
            await self._first_time(tx, [event])
            await self._insert_parked(tx, event, _reason(error))
        PARKED.labels(self.name).inc()
        _log.error("consumer.parked", consumer=self.name, event_id=str(event.event_id), type=event.type, error=type(error).__name__)

    async def _insert_parked(self, tx: Tx, event: Incoming, error: str) -> None:
        body = self._db.keyring.encrypt("parked_event", event.raw) if self._db.keyring else event.raw
        await tx.execute(
            'INSERT INTO parked_event (consumer, topic, partition, "offset", key, event_id, type, headers, body, error)'
            " VALUES (:consumer, :topic, :partition, :offset, :key, :event_id, :type, :headers, :body, :error) ON CONFLICT DO NOTHING",
            consumer=self.name,
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            key=event.key,
            event_id=event.event_id,
            type=event.type,
            headers=event.headers,
            body=body,
            error=error,
        )

    async def replay_approved(self) -> bool:
        """Apply the parked events of one key that one person asked for and another approved; False when there are none.

        A key that breaks again is taken back: it must be asked for again, and the other keys go on.
        """
        async with self._db.read(self._actor) as tx:
            key = await tx.value(
                "SELECT key FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL AND approved_by IS NOT NULL"
                " ORDER BY id LIMIT 1",
                consumer=self.name,
            )
        if key is None:
            return False
        try:
            async with self._db.transaction(self._actor) as tx:
                await self._replay(tx, key)
        except Exception as error:
            if is_transient(error):
                raise
            await self._take_back(key, error)
        return True

    async def _replay(self, tx: Tx, key: UUID) -> None:
        """In order. What nothing here can read any more is left aside: two people have seen it."""
        rows = await tx.rows(
            "SELECT * FROM parked_event p WHERE consumer = :consumer AND replayed_at IS NULL AND key = :key ORDER BY id FOR UPDATE",
            consumer=self.name,
            key=key,
        )
        events = []
        for row in rows:
            raw = self._db.keyring.decrypt_bytes("parked_event", row["body"]) if self._db.keyring else bytes(row["body"])
            events.append(
                Incoming(row["topic"], row["partition"], row["offset"], row["key"], row["event_id"], row["type"], row["headers"], raw)
            )
        await tx.execute(
            "DELETE FROM inbox WHERE consumer = :consumer AND event_id = ANY(CAST(:ids AS uuid[]))",
            consumer=self.name,
            ids=[event.event_id for event in events],
        )
        await self._first_time(tx, [event for event in events if (event.topic, event.type) not in self._table])
        await self._apply_in(tx, [event for event in events if (event.topic, event.type) in self._table], replay=True)
        await tx.execute("UPDATE parked_event SET replayed_at = now() WHERE id = ANY(CAST(:ids AS bigint[]))", ids=[r["id"] for r in rows])

    async def _take_back(self, key: UUID, error: BaseException) -> None:
        async with self._db.transaction(self._actor) as tx:
            await tx.execute(
                "UPDATE parked_event SET requested_by = NULL, approved_by = NULL, error = :error"
                " WHERE consumer = :consumer AND key = :key AND replayed_at IS NULL",
                consumer=self.name,
                key=key,
                error=_reason(error),
            )
            await audit.record(tx, "parked.replay_failed", "parked_event", key, {"error": type(error).__name__})
        _log.error("consumer.replay_failed", consumer=self.name, key=str(key), error=type(error).__name__)

    async def _note_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Write positions and high-water marks, so that lag can be read by anyone (`end_offsets` is wrong on the embedded broker)."""
        now = asyncio.get_running_loop().time()
        if now - self._positions_at < _POSITION_SECONDS:
            return
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for partition in consumer.assignment():
            highwater = consumer.highwater(partition)
            position = await _position(consumer, partition)
            if position is not None and highwater is not None:  # before its first answer nobody knows how far behind it is
                found[(partition.topic, partition.partition)] = (position, highwater)
        stale = now - self._positions_at > 4 * _POSITION_SECONDS
        if not found or (found == self._positions and not stale):
            return
        async with self._db.transaction(self._actor) as tx:
            await tx.execute(
                "INSERT INTO consumer_position (consumer, topic, partition, position, highwater)"
                " SELECT :consumer, * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]),"
                "   CAST(:highwaters AS bigint[]))"
                " ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = excluded.position, highwater = excluded.highwater,"
                " updated_at = now()",
                consumer=self.name,
                topics=[topic for topic, _ in found],
                partitions=[partition for _, partition in found],
                positions=[position for position, _ in found.values()],
                highwaters=[highwater for _, highwater in found.values()],
            )
        for (topic, partition_number), (position, highwater) in found.items():
            LAG.labels(self.name, topic, str(partition_number)).set(max(highwater - position, 0))
        self._positions, self._positions_at = found, now


async def _position(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    try:
        async with asyncio.timeout(1.0):
            return int(await consumer.position(partition))
    except (TimeoutError, KafkaError):
        return None  # not assigned any more, or the broker is away: lag is shown at the next round


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_RETRY_SECONDS):
            await stop.wait()
    except TimeoutError:
        return
