"""Consuming events: a poll batch is deduplicated, applied set-based and committed in one transaction; the offset follows.

A batch that fails is bisected until the poison event is alone; that event is parked, and so is every later event of its
key, until two people replay them. A database that is away is waited for and parks nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)  # fmt: skip

from common import parked, tracing
from common.actor import SYSTEM
from common.contracts.envelope import Event
from common.db import Database, Tx
from common.failpoints import hit
from common.failures import describe, is_transient
from common.incoming import Incoming, kind_of, latest, read, unreadable
from common.places import Places, Polled, give_back, position_of
from common.telemetry import CONSUMED, LAG, PARKED, get_logger

__all__ = ["Consumer", "Incoming", "Subscription", "asked_to_end", "is_transient", "latest"]

_POLL_RECORDS: Final = 5_000
_POLL_MS: Final = 250
_RETRY_SECONDS: Final = 1.0
_FEW: Final = 1_000  # a smaller batch costs as much as a larger one: let more arrive before the next
_GATHER_SECONDS: Final = 0.1
_POSITION_SECONDS: Final = 0.5
_JOIN_SESSIONS, _JOIN_SECONDS = 3, 15.0  # a group that has not taken us in by then never will: we leave it and ask again
_CLOSE_SECONDS: Final = 5.0
#: Milliseconds are usual. A client that lost its group's coordinator with a broker's death may look for it for ever.
_COMMIT_SECONDS: Final = 15.0
_UNHEARD_SECONDS: Final = 45.0  # the same of its question how far the group has read
#: The partitions have moved meanwhile.
_NOT_OURS: Final = (CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError, UnknownMemberIdError)
_log = get_logger(__name__)


Apply = Callable[[Tx, list[Incoming]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events of a topic go to which function. `barrier`: applied alone, after everything before it."""

    topic: str
    event_types: tuple[type[Event], ...]
    apply: Apply
    barrier: bool = False


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
        self._join_seconds = _JOIN_SESSIONS * session_ms / 1_000 + _JOIN_SECONDS
        self._positions: dict[tuple[str, int], tuple[int, int]] = {}
        self._positions_at = 0.0
        self._settled_at = 0.0
        self._heard_at = 0.0
        self._places = Places(db, self._actor, name)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; a broker that is away is waited for."""
        while not stop.is_set():
            consumer = AIOKafkaConsumer(**self._options)
            consumer.subscribe(self.topics, listener=self._places)
            try:
                async with asyncio.timeout(self._join_seconds):
                    await consumer.start()
                self._settled_at = self._heard_at = asyncio.get_running_loop().time()
                while not stop.is_set():
                    await self._poll(consumer, stop)
                    self._see_group(consumer)
            except (Exception, asyncio.CancelledError) as error:  # a broker that is away is waited for, whatever it says
                if asked_to_end():
                    raise
                _log.warning("consumer.retry", consumer=self.name, error=describe(error))
                await _pause(stop)
            finally:
                await _close(consumer)

    def _see_group(self, consumer: AIOKafkaConsumer) -> None:
        """Raise when the group has been shared out anew for so long that it will not come to an end with us in it.

        Or when the client has not known its places for so long: after a broker's death it may ask for them for ever.
        """
        now = asyncio.get_running_loop().time()
        if self._places.database_away or not consumer.assignment():
            self._heard_at = now  # it is not the broker we wait for; or more members than partitions: we stand by
        elif now - self._heard_at > _UNHEARD_SECONDS:
            raise TimeoutError("the broker does not say where we are")
        if not consumer._subscription.reassignment_in_progress:  # noqa: SLF001 - the only place that says so
            self._settled_at = now
        elif now - self._settled_at > self._join_seconds:
            raise TimeoutError("the group does not settle")

    async def _poll(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        if self._places.wanted and not await self._places.find(consumer):
            await _pause(stop)
            return
        polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
        if self._places.wanted:  # partitions came to us meanwhile
            give_back(consumer, polled)
            return
        events, strange = self._read(polled)
        if polled:
            while not await self._try_apply(events, strange):
                if self._places.stale:  # another life of the database: what it has not read comes again
                    give_back(consumer, polled)
                    return
                if stop.is_set():
                    return  # offsets stay: the batch comes again
                await _pause(stop)
            hit("consumer.after_db_before_offset")
            offsets = {partition: records[-1].offset + 1 for partition, records in polled.items() if records}
            try:
                async with asyncio.timeout(_COMMIT_SECONDS):  # then a new member reads from the old offsets, and the inbox knows the rest
                    await consumer.commit(offsets)
            except _NOT_OURS:
                _log.info("consumer.offsets_left_to_inbox", consumer=self.name)
        await self._note_positions(consumer)
        if polled and sum(len(records) for records in polled.values()) < _FEW:
            await _pause(stop, _GATHER_SECONDS)

    def _read(self, polled: Polled) -> tuple[list[Incoming], list[tuple[Incoming, Exception]]]:
        """The events we subscribe to, and what is no event of ours, with why."""
        events: list[Incoming] = []
        strange: list[tuple[Incoming, Exception]] = []
        for record in (record for records in polled.values() for record in records):
            kind = kind_of(record)
            if kind is not None and (record.topic, kind) not in self._table:
                continue  # of a type we do not subscribe to: not even read
            try:
                events.append(read(record))
            except (KeyError, ValueError, AttributeError) as error:
                strange.append((unreadable(record), error))
        return events, strange

    async def _try_apply(self, events: list[Incoming], strange: Sequence[tuple[Incoming, Exception]]) -> bool:
        try:
            for event, why in strange:  # first: what else came under such a key waits behind it
                await self._park(event, why)
            await self.apply(events)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("consumer.waits", consumer=self.name, error=describe(error))
            return False
        return True

    async def apply(self, events: list[Incoming]) -> None:
        """Apply a batch in one transaction; on a defect, bisect and park. Transient errors are raised."""
        wanted = [event for event in events if (event.topic, event.type) in self._table]
        if not wanted:
            return
        try:
            with tracing.applying(self.name, wanted) as traces:
                async with self._db.transaction(self._actor) as tx:
                    await self._apply_in(tx, wanted, traces)
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

    async def _apply_in(self, tx: Tx, events: list[Incoming], traces: Mapping[UUID, str], *, replay: bool = False) -> None:
        await self._places.check(tx)
        fresh = await self._first_time(tx, events)
        if not replay:
            fresh = await self._without_parked_keys(tx, fresh)
        tx.causes = {event.key: (event.headers.get("ce_correlationid"), str(event.event_id)) for event in fresh}
        segment: list[Incoming] = []
        for event in fresh:
            if self._table[(event.topic, event.type)].barrier:
                await self._apply_segment(tx, segment, traces)
                segment = []
                await self._apply_segment(tx, [event], traces)
            else:
                segment.append(event)
        await self._apply_segment(tx, segment, traces)

    async def _apply_segment(self, tx: Tx, events: list[Incoming], traces: Mapping[UUID, str]) -> None:
        groups: dict[int, tuple[Subscription, list[Incoming]]] = {}
        for event in events:
            subscription = self._table[(event.topic, event.type)]
            groups.setdefault(id(subscription), (subscription, []))[1].append(event)
        for subscription, group in groups.values():
            tx.traces = {event.key: traces[event.event_id] for event in group if event.event_id in traces} if traces else {}
            await subscription.apply(tx, group)

    async def _first_time(self, tx: Tx, events: list[Incoming]) -> list[Incoming]:
        ids = {event.event_id for event in events}
        text = ",".join(map(str, ids))  # one text instead of an array: a fraction of the work on a batch of thousands
        added = await tx.execute(
            "INSERT INTO inbox (consumer, event_id) SELECT :consumer, CAST(id AS uuid) FROM unnest(string_to_array(:ids, ',')) AS id"
            " ON CONFLICT DO NOTHING",
            consumer=self.name,
            ids=text,
        )
        if added == len(events):
            return events
        new = ids if added == len(ids) else await self._added_now(tx, text)
        fresh = []
        for event in events:
            if event.event_id in new:
                new.discard(event.event_id)
                fresh.append(event)
        return fresh

    async def _added_now(self, tx: Tx, ids: str) -> set[UUID]:
        """Which of these ids this very transaction put into the inbox: the others came before."""
        rows = await tx.rows(
            "SELECT event_id FROM inbox WHERE consumer = :consumer AND event_id = ANY(CAST(string_to_array(:ids, ',') AS uuid[]))"
            " AND xmin = CAST(pg_current_xact_id() AS xid)",
            consumer=self.name,
            ids=ids,
        )
        return {row["event_id"] for row in rows}

    async def _without_parked_keys(self, tx: Tx, events: list[Incoming]) -> list[Incoming]:
        """Park the later events of a key that has a parked one, so that nothing is applied over a gap."""
        blocked = await parked.blocked_keys(tx, self.name, {event.key for event in events})
        if not blocked:
            return events
        for event in events:
            if event.key in blocked:
                await parked.insert(tx, self.name, event, "an earlier event of this key is parked")
        return [event for event in events if event.key not in blocked]

    async def _park(self, event: Incoming, error: BaseException) -> None:
        async with self._db.transaction(self._actor) as tx:
            await self._first_time(tx, [event])
            await parked.insert(tx, self.name, event, describe(error))
        PARKED.labels(self.name).inc()
        _log.error("consumer.parked", consumer=self.name, event_id=str(event.event_id), type=event.type, error=type(error).__name__)

    async def replay_approved(self) -> bool:
        """Apply the parked events of one key that one person asked for and another approved; False when there are none.

        A key that breaks again is taken back: it must be asked for again, and the other keys go on.
        """
        async with self._db.read(self._actor) as tx:
            key = await parked.approved_key(tx, self.name)
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
        found = await parked.lock_key(tx, self.name, key)
        known = [event for event in found.events if (event.topic, event.type) in self._table]
        await self._first_time(tx, [event for event in found.events if (event.topic, event.type) not in self._table])
        await self._apply_in(tx, known, {}, replay=True)
        await parked.mark_replayed(tx, found)

    async def _take_back(self, key: UUID, error: BaseException) -> None:
        async with self._db.transaction(self._actor) as tx:
            await parked.take_back(tx, self.name, key, describe(error), type(error).__name__)
        _log.error("consumer.replay_failed", consumer=self.name, key=str(key), error=type(error).__name__)

    async def _note_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Write positions and high-water marks, so that lag can be read by anyone (`end_offsets` is wrong on the embedded broker)."""
        now = asyncio.get_running_loop().time()
        if now - self._positions_at < _POSITION_SECONDS:
            return
        found: dict[tuple[str, int], tuple[int, int]] = {}
        for partition in consumer.assignment():
            position, highwater = await position_of(consumer, partition)
            if position is not None and highwater is not None:  # before its first answer nobody knows how far behind it is
                found[(partition.topic, partition.partition)] = (position, highwater)
        if found:
            self._heard_at = now
        stale = now - self._positions_at > 4 * _POSITION_SECONDS
        if not found or (found == self._positions and not stale):
            return
        try:
            await self._write_positions(found)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("consumer.positions_not_noted", consumer=self.name, error=describe(error))  # no reason to leave the group
            return
        for (topic, partition_number), (position, highwater) in found.items():
            LAG.labels(self.name, topic, str(partition_number)).set(max(highwater - position, 0))
        self._positions, self._positions_at = found, now

    async def _write_positions(self, found: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        async with self._db.transaction(self._actor) as tx:
            await self._places.check(tx)
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


def asked_to_end() -> bool:
    """Whether somebody cancelled this task; otherwise a cancellation in it is the client library's own, and no reason to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _close(consumer: AIOKafkaConsumer) -> None:
    """Leave the group, within a bound: a client that waits for its group while it leaves would wait for what never comes."""
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=_CLOSE_SECONDS)
    if stopping.done() and not stopping.cancelled():  # after a lost connection it may end by a task it has cancelled itself
        stopping.result()
        return
    _log.warning("consumer.left_unasked")
    stopping.cancel()  # with it what it waits for
    coordinator = consumer._coordinator  # noqa: SLF001 - its public stop() is what does not end
    leaving = [stopping, asyncio.create_task(consumer._client.close())]  # noqa: SLF001
    if coordinator is not None:  # a heart that beats keeps a dead member in the group
        leaving.append(asyncio.create_task(coordinator._stop_heartbeat_task()))  # noqa: SLF001
    await asyncio.wait(leaving, timeout=_CLOSE_SECONDS)


async def _pause(stop: asyncio.Event, seconds: float = _RETRY_SECONDS) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
