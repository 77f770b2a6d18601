"""The relay publishes outbox rows. One relay owns a partition at a time, by a session advisory lock.

Read, send and mark are separate steps on the session that holds the locks: a relay whose session died can neither read
nor mark. A crash between send and mark publishes again; consumers deduplicate by event id.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import text

from common.db import Database
from common.failpoints import hit
from common.failures import describe
from common.telemetry import RELAYED, get_logger
from common.topics import PARTITIONS

__all__ = ["Relay"]

_LOCK_SPACE: Final = 72_034
_BATCH: Final = 4_000
_FEW: Final = 500  # after fewer, more are let to gather
_IDLE_SECONDS: Final = 0.05
_LONGEST_IDLE_SECONDS: Final = 1.0
_LOOKING: Final = 8
_RETRY_SECONDS: Final = 1.0
_CLAIM_SECONDS: Final = 5.0
_SEND_SECONDS: Final = 20.0
_PROBE_SECONDS: Final = 2.0  # for a topic that took nothing last time
_LEFT_OUT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0
_MARK: Final = """
WITH marked AS (
    UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(CAST(string_to_array(:ids, ',') AS bigint[]))
)
INSERT INTO relay_position (topic, partition, position)
SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS smallint[]), CAST(:positions AS bigint[]))
ON CONFLICT (topic, partition) DO UPDATE SET position = excluded.position
"""
_TRACE: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_log = get_logger(__name__)


def _traceparent(correlation_id: str, event_id: UUID) -> bytes:
    """Where no traces are made: one made of the ids, one trace per correlation, one span per event; a request's own trace id is kept."""
    plain = correlation_id.replace("-", "").lower()
    trace = plain if _TRACE.fullmatch(plain) else hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
    return f"00-{trace}-{event_id.hex[-16:]}-01".encode()


def _headers(row: RowMapping, source: str) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0, Kafka binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row["event_id"]).encode()),
        ("ce_type", row["type"].encode()),
        ("ce_source", source.encode()),
        ("ce_subject", str(row["key"]).encode()),
        ("ce_time", row["created_at"].isoformat().encode()),
        ("ce_dataschema", f"{row['type']}.v1".encode()),
        ("content-type", b"application/json"),
    ]
    if row["correlation_id"]:
        headers.append(("ce_correlationid", row["correlation_id"].encode()))
    if row["traceparent"] or row["correlation_id"]:
        made = row["traceparent"].encode() if row["traceparent"] else _traceparent(row["correlation_id"], row["event_id"])
        headers.append(("traceparent", made))
    if row["causation_id"]:
        headers.append(("ce_causationid", row["causation_id"].encode()))
    return headers


class Relay:
    """Publishes the outbox of one database as CloudEvents from `source`."""

    def __init__(
        self,
        db: Database,
        make_producer: Callable[[], AIOKafkaProducer],
        source: str,
        *,
        send_seconds: float = _SEND_SECONDS,
        look: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`make_producer` gives one not yet started; what it does not bring to the broker within `send_seconds` has failed.

        `look` (`common.restored`) comes before anything is published in a session.
        """
        self._db = db
        self._make_producer = make_producer
        self._source = source
        self._send_seconds = send_seconds
        self._look = look
        self._failing: dict[str, float] = {}
        self._looked = 0.0
        self.owned: list[int] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; a lost database or broker is waited for."""
        while not stop.is_set():
            try:
                await self._session(stop)
            except Exception as error:  # noqa: BLE001 - database or broker away: wait and start the session again
                self.owned = []
                _log.warning("relay.retry", error=describe(error))
                await _wait(stop, _RETRY_SECONDS)

    async def _session(self, stop: asyncio.Event) -> None:
        if self._look is not None:
            await self._look()
        producer = self._make_producer()
        try:
            await producer.start()
            await self._publish(producer, stop)
        finally:
            await _close(producer)

    async def _publish(self, producer: AIOKafkaProducer, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        async with self._db.engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            await conn.execute(text(f"SET idle_session_timeout = {int(self._send_seconds * 3_000)}"))
            self.owned, claimed_at = [], 0.0
            try:
                while not stop.is_set():
                    if len(self.owned) < PARTITIONS and loop.time() - claimed_at > _CLAIM_SECONDS:
                        await self._claim(conn)
                        claimed_at = loop.time()
                    if await self._publish_once(conn, producer) < _FEW:
                        await _wait(stop, _idle_seconds(self._looked))
            finally:
                await conn.invalidate()  # a pooled session would keep its locks

    async def _claim(self, conn: AsyncConnection) -> None:
        for partition in range(PARTITIONS):
            if partition not in self.owned:
                got = await conn.execute(text("SELECT pg_try_advisory_lock(:space, :lane)"), {"space": _LOCK_SPACE, "lane": partition})
                if got.scalar():
                    self.owned.append(partition)

    async def _publish_once(self, conn: AsyncConnection, producer: AIOKafkaProducer) -> int:
        if not self.owned:
            return 0
        now = asyncio.get_running_loop().time()
        result = await conn.execute(
            text(
                "SELECT id, event_id, topic, partition, key, type, body, correlation_id, causation_id, traceparent, created_at"
                " FROM outbox"
                " WHERE published_at IS NULL AND partition = ANY(:owned) AND topic <> ALL(CAST(:left_out AS text[]))"
                " ORDER BY id LIMIT :limit"
            ),
            {"owned": self.owned, "left_out": [topic for topic, until in self._failing.items() if until > now], "limit": _BATCH},
        )
        rows = result.mappings().all()
        self._looked = asyncio.get_running_loop().time() - now
        if not rows:
            return 0
        hit("relay.before_send")
        sent: list[int] = []
        ends: dict[tuple[str, int], int] = {}
        failures = await self._send(producer, rows, sent, ends)
        hit("relay.after_send_before_mark")
        await conn.execute(
            text(_MARK),
            {
                "ids": ",".join(map(str, sent)),
                "topics": [topic for topic, _ in ends],
                "partitions": [partition for _, partition in ends],
                "positions": list(ends.values()),
            },
        )
        RELAYED.inc(len(sent))
        if failures:
            raise failures[0]
        return len(rows)

    async def _send(
        self, producer: AIOKafkaProducer, rows: Sequence[RowMapping], sent: list[int], ends: dict[tuple[str, int], int]
    ) -> list[BaseException]:
        """Send every lane; ids of what the broker has go to `sent`, and what failed is answered: one topic's trouble is not another's.

        `ends`: per topic and partition the offset behind our last.
        """
        lanes: dict[tuple[str, int], list[RowMapping]] = defaultdict(list)
        for row in rows:
            lanes[(row["topic"], row["partition"])].append(row)
        loop = asyncio.get_running_loop()

        async def lane(topic: str, partition: int, of_lane: list[RowMapping]) -> None:
            async with asyncio.timeout(_PROBE_SECONDS if topic in self._failing else self._send_seconds):
                await self._send_lane(producer, (topic, partition), of_lane, sent, ends)

        done = await asyncio.gather(*(lane(*where, of_lane) for where, of_lane in lanes.items()), return_exceptions=True)
        failures = []
        for (topic, partition), outcome in zip(lanes, done, strict=True):
            if isinstance(outcome, BaseException):
                failures.append(outcome)
                self._failing[topic] = loop.time() + _LEFT_OUT_SECONDS
                _log.warning("relay.lane_failed", topic=topic, partition=partition, error=describe(outcome))
        for topic in {topic for topic, _ in lanes} - {
            topic for (topic, _), outcome in zip(lanes, done, strict=True) if isinstance(outcome, BaseException)
        }:
            self._failing.pop(topic, None)
        return failures

    async def _send_lane(
        self,
        producer: AIOKafkaProducer,
        where: tuple[str, int],
        rows: Sequence[RowMapping],
        sent: list[int],
        ends: dict[tuple[str, int], int],
    ) -> None:
        """One partition's rows in order, in as few batches as fit; a batch is acknowledged before the next is sent."""
        batch, ids = producer.create_batch(), list[int]()

        async def bring() -> None:
            told = await (await producer.send_batch(batch, where[0], partition=where[1]))
            sent.extend(ids)
            if told is not None and told.offset >= 0:
                ends[where] = told.offset + len(ids)

        for row in rows:
            record: dict[str, Any] = {
                "key": str(row["key"]).encode(),
                "value": row["body"].encode(),
                "timestamp": None,
                "headers": _headers(row, self._source),
            }
            if batch.append(**record) is None:
                await bring()
                batch, ids = producer.create_batch(), []
                if batch.append(**record) is None:
                    raise ValueError(f"event {row['event_id']} is larger than a batch may be")
            ids.append(row["id"])
        await bring()


def _idle_seconds(looked: float) -> float:
    """How long to wait after a look of so many seconds that found little.

    While a long transaction lasts, the index keeps every row published meanwhile, and a look that finds nothing reads them all: a hundred
    thousand rows, twenty times a second. So looking takes a small part of the time at most, until a look is as quick as usual again.
    """
    return max(_IDLE_SECONDS, min(_LOOKING * looked, _LONGEST_IDLE_SECONDS))


async def _close(producer: AIOKafkaProducer) -> None:
    """Close a producer also when it still holds what it cannot bring away: an idempotent one would try for ever."""
    stopping = asyncio.create_task(producer.stop())
    _, late = await asyncio.wait({stopping}, timeout=_CLOSE_SECONDS)
    if late and producer._sender is not None:  # noqa: SLF001 - its public stop() waits for what cannot be sent
        await asyncio.wait({stopping, asyncio.create_task(producer._sender.close())}, timeout=_CLOSE_SECONDS)  # noqa: SLF001
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait({stopping, asyncio.create_task(producer.client.close())}, timeout=_CLOSE_SECONDS)
    await asyncio.gather(stopping, return_exceptions=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
