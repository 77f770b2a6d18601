"""Seeing by itself that a database was put back to an earlier moment, and reading back what it had published since then.

Every restore, single database or whole server, gives a database another *life* (:data:`LIFE`): another start of the server, another
database or another file of the outbox. Each life is looked at once, by the first relay that comes to it and before it publishes anything:
what the log holds behind our own last published event and our outbox does not know was published by a future that is gone.
A server that only started again finds nothing. Until the look is done, :func:`known` is False.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Gauge

from common import audit, clock
from common.actor import SYSTEM
from common.db import Database, Tx
from common.incoming import Incoming, read
from common.locks import Lock
from common.telemetry import get_logger
from common.topics import ALL_TOPICS, PARTITIONS

__all__ = ["LIFE", "RESTORED", "Look", "OnRestore", "known"]

LIFE: Final = (
    "(extract(epoch FROM pg_postmaster_start_time())::text || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())::text"
    " || ' ' || pg_relation_filenode('outbox')::text)"
)
"""SQL: what names the life of this database."""

RESTORED: Final = Gauge("ansinh_lost_events", "Events of ours in the log that our database does not know: it was put back to the past")
_LOCK: Final = int(Lock.RESTORE_LOOK)
_SILENT_SECONDS: Final = 15.0
_log = get_logger(__name__)

OnRestore = Callable[[Tx, UUID], Awaitable[None]]


async def known(tx: Tx) -> bool:
    """Whether this life of the database was looked at; also where none ever was (no relay has run yet)."""
    return bool(await tx.value(f"SELECT NOT EXISTS (SELECT FROM database_life WHERE life <> {LIFE})"))


@dataclass
class Look:
    """The look of a service's relay. `on_restore` runs in the transaction that first notes a restore: what must stop, stops with it."""

    db: Database
    source: str
    bootstrap: str
    window_days: int
    on_restore: OnRestore | None = None
    log_is_kept: bool = True
    """Whether a broker keeps its log (production). There, a log that is younger than our positions may hide a restore: it counts as one."""
    _restore_id: UUID | None = field(default=None, init=False)

    async def __call__(self) -> None:
        """Look at this life once. Raises what the database or the broker raise: then nothing is published, and it is looked at again."""
        actor = SYSTEM(f"{self.source}-relay")
        async with self.db.read(actor) as tx:
            row = await tx.row(f"SELECT {LIFE} AS life, (SELECT life FROM database_life) AS before")
            assert row is not None
            if row["life"] == row["before"]:
                return
            rows = await tx.rows("SELECT topic, partition, position FROM relay_position")
        positions = {(each["topic"], each["partition"]): int(each["position"]) for each in rows}
        found = self._nothing_yet()
        ends: dict[tuple[str, int], int] = {}
        if row["before"] is not None and positions:
            async for piece in _behind(self._topics(), positions, self.bootstrap):
                found += await self._note(piece, row["life"])
                ends.update(piece.reached)
        async with self.db.transaction(actor) as tx:
            await tx.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await tx.execute(
                "INSERT INTO database_life (life) VALUES (:life) ON CONFLICT (single)"
                " DO UPDATE SET life = excluded.life, since = clock_timestamp() WHERE database_life.life <> excluded.life",
                life=row["life"],
            )
            await _keep(tx, ends)
            if self._restore_id is not None:
                await tx.execute(
                    "UPDATE database_restore SET read_at = clock_timestamp(), lost_events ="
                    " (SELECT count(*) FROM lost_event e WHERE e.restore_id = database_restore.restore_id) WHERE restore_id = :id",
                    id=self._restore_id,
                )
        if self._restore_id is not None:
            RESTORED.set(max(found, 1))
            _log.error("database.restored", service=self.source, lost_events=found, restore=str(self._restore_id))

    def _nothing_yet(self) -> int:
        self._restore_id = None
        return 0

    def _topics(self) -> list[str]:
        return [topic for topic in ALL_TOPICS if topic.startswith(f"{self.source}.")]

    async def _note(self, piece: _Piece, life: str) -> int:
        """Keep what our outbox does not know of these; how many.

        Behind a position of ours lies what was published after it, whatever its age. In a log read from its beginning what is older than
        the outbox is kept cannot be judged.
        """
        oldest = clock.now() - timedelta(days=self.window_days)
        recent = {
            event.event_id: event
            for event in piece.events
            if (event.topic, event.partition) not in piece.from_the_beginning or datetime.fromisoformat(event.headers["ce_time"]) > oldest
        }
        unseen = piece.gaps or (piece.anew and self.log_is_kept)
        if not recent and not unseen:
            return 0
        async with self.db.transaction(SYSTEM(f"{self.source}-relay")) as tx:
            rows = await tx.rows("SELECT event_id FROM outbox WHERE event_id = ANY(:ids)", ids=list(recent))
            for event in rows:
                recent.pop(event["event_id"], None)
            if not recent and not unseen:
                return 0
            if self._restore_id is None:
                self._restore_id = await self._begin(tx, life)
            columns = ("event_id", "restore_id", "topic", "partition", '"offset"', "key", "type", "body")
            await tx.execute("CREATE TEMP TABLE found_event (LIKE lost_event) ON COMMIT DROP")
            values = (
                (e.event_id, self._restore_id, e.topic, e.partition, e.offset, e.key, e.type, e.raw.decode()) for e in recent.values()
            )
            await tx.copy("found_event", [name.strip('"') for name in columns], values)
            names = ", ".join(columns)
            await tx.execute(f"INSERT INTO lost_event ({names}) SELECT {names} FROM found_event ON CONFLICT (event_id) DO NOTHING")
        return len(recent)

    async def _begin(self, tx: Tx, life: str) -> UUID:
        """The restore of this life; the first relay to see it makes it, and stops what must not go on."""
        await tx.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        restore_id: UUID | None = await tx.value(
            "SELECT restore_id FROM database_restore WHERE life = :life OR read_at IS NULL ORDER BY found_at LIMIT 1", life=life
        )
        if restore_id is None:
            restore_id = await tx.value("INSERT INTO database_restore (life) VALUES (:life) RETURNING restore_id", life=life)
            await audit.record(tx, "database.restored", "restore", restore_id, audit.Created({"service": self.source}))
            if self.on_restore is not None:
                await self.on_restore(tx, restore_id)
        return restore_id


async def _keep(tx: Tx, ends: Mapping[tuple[str, int], int]) -> None:
    await tx.execute(
        "INSERT INTO relay_position (topic, partition, position)"
        " SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS smallint[]), CAST(:positions AS bigint[]))"
        " ON CONFLICT (topic, partition) DO UPDATE SET position = excluded.position",
        topics=[topic for topic, _ in ends],
        partitions=[partition for _, partition in ends],
        positions=list(ends.values()),
    )


Place = tuple[str, int]
"""A topic and a partition."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the log behind our positions; with the last, the positions `reached`."""

    events: Sequence[Incoming]
    from_the_beginning: frozenset[Place]
    """Of which nothing was known, or whose log is another one: their events are not all behind a position of ours."""
    reached: Mapping[Place, int] = field(default_factory=dict)
    anew: bool = False
    """Some log is shorter than the one we knew."""
    gaps: bool = False
    """Of some log the part behind our position is no longer kept."""


async def _behind(topics: Sequence[str], positions: Mapping[Place, int], bootstrap: str) -> AsyncIterator[_Piece]:
    """What lies in the log behind our positions, in pieces, and the positions reached. Raises TimeoutError when the broker is silent."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=200,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        consumer.assign(parts)
        first, last = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        known = {part: positions[part] for part in parts if part in positions and positions[part] <= last[part]}
        begins = frozenset(parts) - frozenset(known)  # a log that is shorter than the one we knew is a new one: all of it is behind us
        for part in parts:
            consumer.seek(part, max(known.get(part, 0), first[part]))
        heard = asyncio.get_running_loop().time()
        while any([await consumer.position(part) < last[part] for part in parts]):
            polled = await consumer.getmany(timeout_ms=250, max_records=5_000)
            if polled:
                heard = asyncio.get_running_loop().time()
                yield _Piece([read(record) for records in polled.values() for record in records], begins)
            elif asyncio.get_running_loop().time() - heard > _SILENT_SECONDS:
                raise TimeoutError("the broker does not give what its log holds")
        reached = {part: int(await consumer.position(part)) for part in parts}
        yield _Piece(
            [], begins, reached,
            anew=any(part in positions for part in begins), gaps=any(first[part] > position for part, position in known.items()),
        )  # fmt: skip
    finally:
        await consumer.stop()
