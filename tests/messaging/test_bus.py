"""Outbox → relay → broker → consumer → inbox, on a real PostgreSQL and a real Kafka-protocol broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from uuid import UUID

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from common import outbox
from common.actor import SYSTEM
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import CutOffReached, PreferenceRecorded, Programme
from common.db import Database, Tx
from common.ids import new_id
from common.relay import Relay
from common.schema import mechanism_ddl
from common.topics import PARTITIONS, Topic, partition_of, partition_sql


def preference(beneficiary: UUID, version: int, answer: str = "DECLINES") -> PreferenceRecorded:
    return PreferenceRecorded(
        version=version, business_date=date(2024, 8, 20), beneficiary_id=beneficiary, preference=answer,
        recorded_on=date(2024, 8, 1), evidence=None, unit_code="22924", unit_path="60/593/22924",
    )  # fmt: skip


@pytest.fixture
async def db(pg_url: str) -> AsyncIterator[Database]:
    """A database with the mechanism tables and one projection."""
    name = f"bus_{new_id().hex}"
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    url = pg_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(mechanism_ddl())
        conn.execute("CREATE TABLE preference (beneficiary_id uuid PRIMARY KEY, version bigint NOT NULL, answer text NOT NULL)")
        conn.execute("CREATE TABLE marker (partition int PRIMARY KEY, seen int NOT NULL)")
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    yield database
    await database.close()
    with psycopg.connect(pg_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def topics(broker: str) -> str:
    """All our topics on the broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    existing = await admin.list_topics()
    if Topic.BENEFICIARY not in existing:
        await admin.create_topics([NewTopic(Topic.BENEFICIARY, PARTITIONS, 1)])
    await admin.close()
    return broker


async def apply_preferences(tx: Tx, events: list[Incoming]) -> None:
    """A projection as the services write them: set-based, only higher versions."""
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


async def apply_marker(tx: Tx, events: list[Incoming]) -> None:
    (event,) = events
    count = await tx.value(f"SELECT count(*) FROM preference WHERE {partition_sql('beneficiary_id')} = :p", p=event.partition)
    await tx.execute("INSERT INTO marker VALUES (:p, :n)", p=event.partition, n=count)


SUBSCRIPTIONS = (
    Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply_preferences),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply_marker, barrier=True),
)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0)


async def running(
    db: Database, broker: str, name: str, *, idempotent: bool
) -> tuple[asyncio.Event, list[asyncio.Task[None]], AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=0, enable_idempotence=idempotent)
    await producer.start()
    consumer = Consumer(db, name, SUBSCRIPTIONS, bootstrap=broker, group=f"{name}-{new_id()}", session_ms=1_500, heartbeat_ms=300)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Relay(db, producer, "registry").run(stop)), asyncio.create_task(consumer.run(stop))]
    return stop, tasks, producer


async def test_marker_stands_behind_everything_committed_before_it(db: Database, topics: str, idempotent: bool) -> None:
    people = [new_id() for _ in range(400)]
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add(tx, [preference(person, 1) for person in people])
    cut_off = new_id()
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.barrier(tx)
        await outbox.add_to_every_partition(
            tx, Topic.BENEFICIARY,
            lambda p: CutOffReached(
                version=1, business_date=date(2024, 8, 20), cut_off_id=cut_off, cycle_id=new_id(), producer="registry",
                topic=Topic.BENEFICIARY, partition=p, month="2024-09", programme=Programme.MERIT, counts={},
            ),
        )  # fmt: skip
    stop, tasks, producer = await running(db, topics, "marker", idempotent=idempotent)

    async def all_markers() -> bool:
        async with db.read() as tx:
            return bool(await tx.value("SELECT count(*) = :n FROM marker", n=PARTITIONS))

    try:
        await until(all_markers)
        async with db.read() as tx:
            seen = {row["partition"]: row["seen"] for row in await tx.rows("SELECT * FROM marker")}
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await producer.stop()
    assert seen == {p: sum(partition_of(person) == p for person in people) for p in range(PARTITIONS)}


async def test_poison_is_parked_with_its_followers_and_replayed_by_two_people(db: Database, topics: str, idempotent: bool) -> None:
    bad, good = new_id(), [new_id() for _ in range(50)]
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add(tx, [*(preference(p, 1) for p in good[:25]), preference(bad, 1, "POISON"), *(preference(p, 1) for p in good[25:])])
        await outbox.add(tx, [preference(bad, 2, "WANTS_ACCOUNT")])
    stop, tasks, producer = await running(db, topics, "poison", idempotent=idempotent)

    async def done() -> bool:
        async with db.read() as tx:
            return bool(
                await tx.value(
                    "SELECT (SELECT count(*) FROM preference WHERE beneficiary_id = ANY(:good)) = 50"
                    " AND (SELECT count(*) FROM parked_event) = 2",
                    good=good,
                )
            )

    try:
        await until(done)
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await producer.stop()
    async with db.transaction(SYSTEM("test")) as tx:
        rows = await tx.rows("SELECT * FROM parked_event ORDER BY id")
        assert [row["key"] for row in rows] == [bad, bad]
        assert "poison" in rows[0]["error"]
        assert await tx.value("SELECT count(*) FROM preference WHERE beneficiary_id = :bad", bad=bad) == 0
        # the cause is mended (here: the first body), one person asks, another approves
        await tx.execute(
            "UPDATE parked_event SET body = :body WHERE id = :id", body=preference(bad, 1).model_dump_json().encode(), id=rows[0]["id"]
        )
        await tx.execute("UPDATE parked_event SET requested_by = 'a', approved_by = 'b'")
    consumer = Consumer(db, "poison", SUBSCRIPTIONS, bootstrap="", group="x", session_ms=1_500, heartbeat_ms=300)
    assert await consumer.replay_approved()
    assert not await consumer.replay_approved()
    async with db.read() as tx:
        assert await tx.value("SELECT answer FROM preference WHERE beneficiary_id = :bad", bad=bad) == "WANTS_ACCOUNT"


async def test_the_same_event_twice_is_applied_once(db: Database) -> None:
    person = new_id()
    consumer = Consumer(db, "twice", SUBSCRIPTIONS, bootstrap="", group="x", session_ms=1_500, heartbeat_ms=300)
    first = Incoming(Topic.BENEFICIARY, 0, 0, person, new_id(), "PreferenceRecorded", {}, preference(person, 1).model_dump_json().encode())
    later = Incoming(
        Topic.BENEFICIARY,
        0,
        1,
        person,
        new_id(),
        "PreferenceRecorded",
        {},
        preference(person, 3, "WANTS_ACCOUNT").model_dump_json().encode(),
    )
    older = Incoming(Topic.BENEFICIARY, 0, 2, person, new_id(), "PreferenceRecorded", {}, preference(person, 2).model_dump_json().encode())
    await consumer.apply([first, later, first])
    await consumer.apply([later, older])
    async with db.read() as tx:
        row = await tx.row("SELECT version, answer FROM preference WHERE beneficiary_id = :p", p=person)
        assert row is not None
        assert (row["version"], row["answer"]) == (3, "WANTS_ACCOUNT")
        assert await tx.value("SELECT count(*) FROM inbox") == 3
