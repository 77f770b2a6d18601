"""Consuming events: a poll batch is deduplicated, applied set-based and committed in one transaction; the offset follows.

A batch that fails is bisected until the poison event is alone; that event is parked, and so is every later event of its
key, until two people replay them. A database that is away is waited for and parks nothing.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalGenerationError, KafkaError, RebalanceInProgressError, UnknownMemberIdError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

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
        events = [_incoming(record) for records in polled.values() for record in records]
        if events:
            while not await self._try_apply(events):
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

    async def _try_apply(self, events: list[Incoming]) -> bool:
        try:
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
            await self._insert_parked(tx, event, f"{type(error).__name__}: {error}"[:2_000])
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
        """Apply parked events that one person asked for and another approved, in order, one transaction per key."""
        async with self._db.transaction(self._actor) as tx:
            rows = await tx.rows(
                "SELECT * FROM parked_event p WHERE consumer = :consumer AND replayed_at IS NULL AND key = ("
                "   SELECT key FROM parked_event WHERE consumer = :consumer AND replayed_at IS NULL AND approved_by IS NOT NULL"
                "   ORDER BY id LIMIT 1)"
                " ORDER BY id FOR UPDATE",
                consumer=self.name,
            )
            if not rows:
                return False
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
            await self._apply_in(tx, events, replay=True)
            await tx.execute(
                "UPDATE parked_event SET replayed_at = now() WHERE id = ANY(CAST(:ids AS bigint[]))", ids=[r["id"] for r in rows]
            )
        return True

    async def _note_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Write positions and high-water marks, so that lag can be read by anyone (`end_offsets` is wrong on the embedded broker)."""
        now = asyncio.get_running_loop().time()
        if now - self._positions_at < _POSITION_SECONDS:
            return
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for partition in consumer.assignment():
            highwater = consumer.highwater(partition)
            position = await _position(consumer, partition)
            if position is not None:
                found[(partition.topic, partition.partition)] = (position, highwater if highwater is not None else position)
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
