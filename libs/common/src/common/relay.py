"""The relay publishes outbox rows. One relay owns a partition at a time, by a session advisory lock.

Read, send and mark are separate steps on the session that holds the locks: a relay whose session died can neither read
nor mark. A crash between send and mark publishes again; consumers deduplicate by event id.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
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
_RETRY_SECONDS: Final = 1.0
_CLAIM_SECONDS: Final = 5.0
_TRACE: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_log = get_logger(__name__)


def _traceparent(correlation_id: str, event_id: UUID) -> bytes:
    """W3C trace context made of the ids: one trace per correlation, one span per event; a request's own trace id is kept."""
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
        headers.append(("traceparent", _traceparent(row["correlation_id"], row["event_id"])))
    if row["causation_id"]:
        headers.append(("ce_causationid", row["causation_id"].encode()))
    return headers


class Relay:
    """Publishes the outbox of one database as CloudEvents from `source`."""

    def __init__(self, db: Database, producer: AIOKafkaProducer, source: str) -> None:
        self._db = db
        self._producer = producer
        self._source = source
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
        loop = asyncio.get_running_loop()
        async with self._db.engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            self.owned, claimed_at = [], 0.0
            try:
                while not stop.is_set():
                    if len(self.owned) < PARTITIONS and loop.time() - claimed_at > _CLAIM_SECONDS:
                        await self._claim(conn)
                        claimed_at = loop.time()
                    if await self._publish_once(conn) < _FEW:
                        await _wait(stop, _IDLE_SECONDS)
            finally:
                await conn.invalidate()  # a pooled session would keep its locks

    async def _claim(self, conn: AsyncConnection) -> None:
        for partition in range(PARTITIONS):
            if partition not in self.owned:
                got = await conn.execute(text("SELECT pg_try_advisory_lock(:space, :lane)"), {"space": _LOCK_SPACE, "lane": partition})
                if got.scalar():
                    self.owned.append(partition)

    async def _publish_once(self, conn: AsyncConnection) -> int:
        if not self.owned:
            return 0
        result = await conn.execute(
            text(
                "SELECT id, event_id, topic, partition, key, type, body, correlation_id, causation_id, created_at FROM outbox"
                " WHERE published_at IS NULL AND partition = ANY(:owned) ORDER BY id LIMIT :limit"
            ),
            {"owned": self.owned, "limit": _BATCH},
        )
        rows = result.mappings().all()
        if not rows:
            return 0
        hit("relay.before_send")
        await self._send(rows)
        hit("relay.after_send_before_mark")
        await conn.execute(
            text("UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(CAST(string_to_array(:ids, ',') AS bigint[]))"),
            {"ids": ",".join(str(row["id"]) for row in rows)},
        )
        RELAYED.inc(len(rows))
        return len(rows)

    async def _send(self, rows: Sequence[RowMapping]) -> None:
        lanes: dict[tuple[str, int], list[RowMapping]] = defaultdict(list)
        for row in rows:
            lanes[(row["topic"], row["partition"])].append(row)
        await asyncio.gather(*(self._send_lane(topic, partition, lane) for (topic, partition), lane in lanes.items()))

    async def _send_lane(self, topic: str, partition: int, rows: Sequence[RowMapping]) -> None:
        """One partition's rows in order, in as few batches as fit; a batch is acknowledged before the next is sent."""
        batch = self._producer.create_batch()
        for row in rows:
            record: dict[str, Any] = {
                "key": str(row["key"]).encode(),
                "value": row["body"].encode(),
                "timestamp": None,
                "headers": _headers(row, self._source),
            }
            if batch.append(**record) is None:
                await (await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                if batch.append(**record) is None:
                    raise ValueError(f"event {row['event_id']} is larger than a batch may be")
        await (await self._producer.send_batch(batch, topic, partition=partition))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
