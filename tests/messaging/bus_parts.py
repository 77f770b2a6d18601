"""What tests of the bus share: an event, the smallest projection of it, and relay with consumer as tasks of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

from aiokafka import AIOKafkaProducer

from common import outbox
from common.actor import SYSTEM
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import CutOffReached, PreferenceRecorded
from common.db import Database, Tx
from common.ids import new_id
from common.relay import Relay
from common.topics import Topic, partition_sql


def preference(beneficiary: UUID, version: int, answer: str = "DECLINES") -> PreferenceRecorded:
    return PreferenceRecorded(
        version=version, business_date=date(2024, 8, 20), beneficiary_id=beneficiary, preference=answer,
        recorded_on=date(2024, 8, 1), evidence=None, unit_code="22924", unit_path="60/593/22924",
    )  # fmt: skip


async def record(db: Database, people: Sequence[UUID], version: int = 1) -> None:
    """Put one event per person into the outbox."""
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add(tx, [preference(person, version) for person in people])


async def apply_preferences(tx: Tx, events: list[Incoming]) -> None:
    """A projection as the services write them: set-based, only higher versions; `applied` counts every application."""
    for event in events:
        if event.body["preference"] == "POISON":
            raise ValueError("poison")
    parsed = [event.parse(PreferenceRecorded) for event in events]
    best = {p.beneficiary_id: p for p in sorted(parsed, key=lambda p: p.version)}
    await tx.execute(
        "INSERT INTO preference SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS bigint[]), CAST(:answers AS text[]))"
        " ON CONFLICT (beneficiary_id) DO UPDATE SET version = excluded.version, answer = excluded.answer"
        " WHERE excluded.version > preference.version",
        ids=list(best), versions=[p.version for p in best.values()], answers=[p.preference for p in best.values()],
    )  # fmt: skip
    await tx.execute("INSERT INTO applied SELECT unnest(CAST(:ids AS uuid[]))", ids=[event.event_id for event in events])


async def apply_marker(tx: Tx, events: list[Incoming]) -> None:
    (event,) = events
    count = await tx.value(f"SELECT count(*) FROM preference WHERE {partition_sql('beneficiary_id')} = :p", p=event.partition)
    await tx.execute("INSERT INTO marker VALUES (:p, :n)", p=event.partition, n=count)


SUBSCRIPTIONS = (
    Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply_preferences),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply_marker, barrier=True),
)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


async def applied(db: Database) -> tuple[int, int]:
    """(people known, applications of events): equal numbers mean that nothing was lost and nothing applied twice."""
    async with db.read() as tx:
        return int(await tx.value("SELECT count(*) FROM preference")), int(await tx.value("SELECT count(*) FROM applied"))


async def everyone(db: Database, count: int, seconds: float = 90) -> None:
    """Wait until so many people are known; then nobody's event was applied twice."""

    async def there() -> bool:
        return (await applied(db))[0] == count

    try:
        await until(there, seconds)
    except TimeoutError:
        raise AssertionError(f"{(await applied(db))[0]} of {count} people are known after {seconds:g} s") from None
    assert await applied(db) == (count, count)


def relay_of(
    db: Database,
    bootstrap: str,
    *,
    idempotent: bool,
    send_seconds: float = 20.0,
    request_ms: int = 20_000,
    look: Callable[[], Awaitable[None]] | None = None,
) -> Relay:
    """A relay as the worker makes it."""

    def producer() -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", linger_ms=0, enable_idempotence=idempotent, request_timeout_ms=request_ms
        )

    return Relay(db, producer, "registry", send_seconds=send_seconds, look=look)


def consumer_of(
    db: Database, bootstrap: str, group: str, subscriptions: Sequence[Subscription] = SUBSCRIPTIONS, name: str = "bus"
) -> Consumer:
    """A consumer whose group notices a death soon."""
    return Consumer(db, name, subscriptions, bootstrap=bootstrap, group=group, session_ms=1_500, heartbeat_ms=300)


@asynccontextmanager
async def running(*parts: Relay | Consumer) -> AsyncIterator[None]:
    """Relays and consumers run inside this block and end with it."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(part.run(stop)) for part in parts]
    try:
        yield
        assert not any(task.done() for task in tasks), "a part ended by itself"
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def group_name() -> str:
    """A group of this test's own."""
    return f"bus-{new_id()}"
