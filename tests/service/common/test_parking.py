"""Parked events: what broke says nothing of the people in it, and one key that stays broken holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from common.actor import SYSTEM, Role
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import PreferenceRecorded
from common.db import Tx
from common.ids import new_id
from common.parking import parked_router
from common.settings import MechanismSettings
from common.topics import Topic
from common.web import create_app

NAME = "Nguyễn Thị Bí Mật"


async def _apply(tx: Tx, events: list[Incoming]) -> None:
    for event in events:
        if "BAD" in event.raw.decode():
            await tx.execute("SELECT CAST(:text AS date)", text=event.raw.decode())
        await tx.execute(
            "INSERT INTO idempotency_key (client, key, route, fingerprint) VALUES ('seen', :key, 'x', 'x')", key=str(event.key)
        )


def _event(body: str) -> Incoming:
    return Incoming(Topic.BENEFICIARY, 0, 0, new_id(), new_id(), "PreferenceRecorded", {}, body.encode())


@pytest.fixture
def consumer(database: Callable[[str], Any]) -> Consumer:
    """A consumer of a service's mechanism tables."""
    subscriptions = (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), _apply),)
    return Consumer(database("reporting").db, "t", subscriptions, bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1_000)


async def _rows(consumer: Consumer, sql: str) -> list[dict[str, Any]]:
    async with consumer._db.transaction(SYSTEM("test")) as tx:
        return [dict(row) for row in await tx.rows(sql)]


async def test_why_an_event_was_parked_repeats_nothing_of_its_body(consumer: Consumer) -> None:
    await consumer.apply([_event(f"BAD {NAME}")])
    (row,) = await _rows(consumer, "SELECT * FROM parked_event")
    assert "InvalidDatetimeFormat" in row["error"]
    assert NAME not in row["error"]
    assert NAME.encode() not in bytes(row["body"])


async def test_a_key_that_is_still_broken_holds_up_no_other_replay(consumer: Consumer) -> None:
    broken, mended = _event("BAD"), _event("BAD")
    await consumer.apply([broken])
    await consumer.apply([mended])
    keyring = consumer._db.keyring
    assert keyring is not None
    async with consumer._db.transaction(SYSTEM("test")) as tx:
        await tx.execute(
            "UPDATE parked_event SET body = :body WHERE key = :key", body=keyring.encrypt("parked_event", b"fine"), key=mended.key
        )
        await tx.execute("UPDATE parked_event SET requested_by = 'a', approved_by = 'b'")
    for _ in range(3):
        await consumer.replay_approved()
    rows = {row["key"]: row for row in await _rows(consumer, "SELECT * FROM parked_event")}
    assert rows[mended.key]["replayed_at"] is not None
    assert rows[broken.key]["replayed_at"] is None
    assert (rows[broken.key]["requested_by"], rows[broken.key]["approved_by"]) == (None, None), "it must be asked for again"
    assert not await consumer.replay_approved()


class _Broker:
    """A consumer's view of a log: one poll, then the offsets it commits."""

    def __init__(self, records: list[Any]) -> None:
        self.records, self.committed = records, {}

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        return {TopicPartition(Topic.BENEFICIARY, 3): self.records}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed = offsets

    def assignment(self) -> set[TopicPartition]:
        return set()


async def test_a_record_that_is_no_event_of_ours_is_parked_and_the_rest_goes_on(consumer: Consumer) -> None:
    def record(offset: int, key: bytes | None, headers: list[tuple[str, bytes]]) -> Any:
        return SimpleNamespace(topic=Topic.BENEFICIARY, partition=3, offset=offset, key=key, headers=headers, value=b"fine")

    person, other = new_id(), new_id()
    head = [("ce_id", str(new_id()).encode()), ("ce_type", b"PreferenceRecorded")]
    broker = _Broker([record(7, b"nobody", head), record(8, str(person).encode(), []), record(9, str(other).encode(), head)])
    await consumer._poll(broker, asyncio.Event())  # type: ignore[arg-type]
    assert broker.committed == {TopicPartition(Topic.BENEFICIARY, 3): 10}
    parked = await _rows(consumer, 'SELECT "offset", key, type FROM parked_event ORDER BY "offset"')
    assert [row["offset"] for row in parked] == [7, 8]
    assert parked[1]["key"] == person, "whoever it names is held"
    assert [row["key"] for row in await _rows(consumer, "SELECT key FROM idempotency_key")] == [str(other)]
    async with consumer._db.transaction(SYSTEM("test")) as tx:  # two people looked at them: they are left aside
        await tx.execute("UPDATE parked_event SET requested_by = 'a', approved_by = 'b'")
    assert await consumer.replay_approved()
    assert await consumer.replay_approved()
    assert not await consumer.replay_approved()


async def test_parked_events_are_paged_like_every_list(
    consumer: Consumer, client_as: Callable[..., Any], keys_file: Callable[[str], Path]
) -> None:
    for number in range(5):
        await consumer.apply([_event(f"BAD {number}")])
    settings = MechanismSettings(database_url=consumer._db.url, keys_file=keys_file("reporting"), environment="development")
    app = create_app(title="t", description="t", settings=settings, db=consumer._db, routers=[parked_router(consumer._db)])
    client = client_as(app, Role.OPERATOR)
    seen, cursor = [], None
    while True:
        page = (await client.get("/v1/parked-events", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 5
    assert seen == sorted(set(seen))
    answer = await client.get("/v1/parked-events", params={"cursor": "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"
