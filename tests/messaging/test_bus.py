"""Outbox → relay → broker → consumer → inbox, on a real PostgreSQL and a real Kafka-protocol broker."""

from __future__ import annotations

from datetime import date

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from bus_parts import consumer_of, group_name, preference, relay_of, running, until

from common import outbox
from common.actor import SYSTEM
from common.consumer import Incoming
from common.contracts.registry_v1 import CutOffReached, Programme
from common.db import Database
from common.ids import new_id
from common.topics import PARTITIONS, Topic, partition_of


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

    async def all_markers() -> bool:
        async with db.read() as tx:
            return bool(await tx.value("SELECT count(*) = :n FROM marker", n=PARTITIONS))

    async with running(relay_of(db, topics, idempotent=idempotent), consumer_of(db, topics, group_name())):
        await until(all_markers)
    async with db.read() as tx:
        seen = {row["partition"]: row["seen"] for row in await tx.rows("SELECT * FROM marker")}
    assert seen == {p: sum(partition_of(person) == p for person in people) for p in range(PARTITIONS)}


async def test_poison_is_parked_with_its_followers_and_replayed_by_two_people(db: Database, topics: str, idempotent: bool) -> None:
    bad, good = new_id(), [new_id() for _ in range(50)]
    async with db.transaction(SYSTEM("test")) as tx:
        await outbox.add(tx, [*(preference(p, 1) for p in good[:25]), preference(bad, 1, "POISON"), *(preference(p, 1) for p in good[25:])])
        await outbox.add(tx, [preference(bad, 2, "WANTS_ACCOUNT")])

    async def done() -> bool:
        async with db.read() as tx:
            return bool(
                await tx.value(
                    "SELECT (SELECT count(*) FROM preference WHERE beneficiary_id = ANY(:good)) = 50"
                    " AND (SELECT count(*) FROM parked_event) = 2",
                    good=good,
                )
            )

    async with running(relay_of(db, topics, idempotent=idempotent), consumer_of(db, topics, group_name())):
        await until(done)
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
    consumer = consumer_of(db, "", "x")
    assert await consumer.replay_approved()
    assert not await consumer.replay_approved()
    async with db.read() as tx:
        assert await tx.value("SELECT answer FROM preference WHERE beneficiary_id = :bad", bad=bad) == "WANTS_ACCOUNT"


async def test_the_same_event_twice_is_applied_once(db: Database) -> None:
    person = new_id()
    consumer = consumer_of(db, "", "x")
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
