"""Each kind of audit row has what belongs to it: before and after of a change, count and digest of bulk work, the request behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from common import audit, jobs
from common.actor import SYSTEM
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import PreferenceRecorded
from common.db import Tx
from common.ids import new_id
from common.problems import InvalidInput
from common.topics import Topic


async def _rows(db: Any) -> list[dict[str, Any]]:
    async with db.read() as tx:
        return [dict(row) for row in await tx.rows("SELECT * FROM audit_log ORDER BY id")]


def test_a_change_tells_the_same_fields_before_and_after() -> None:
    row = {"state": "OPEN", "level": "COMMUNE", "note": "x"}
    what = audit.Changed.of(row, {"state": "CLOSED"}, "state", "level", why="y")
    assert what.detail() == {
        "before": {"state": "OPEN", "level": "COMMUNE"}, "after": {"state": "CLOSED", "level": "COMMUNE"}, "why": "y",
    }  # fmt: skip
    for before, after in (({}, {}), ({"state": 1}, {}), ({"state": 1}, {"level": 1})):
        with pytest.raises(ValueError, match="the same fields"):
            audit.Changed(before, after)


def test_bulk_work_has_a_digest_and_a_full_read_a_purpose() -> None:
    assert audit.Bulk.of(["b", "a"], after={"state": "SENT"}).detail() == {
        "count": 2, "digest": audit.Bulk.of(["a", "b"]).digest, "after": {"state": "SENT"},
    }  # fmt: skip
    assert audit.digest(["a", "b"]) != audit.digest(["a"]) != audit.digest([])
    with pytest.raises(ValueError, match="SHA-256"):
        audit.Bulk(2, "many")
    with pytest.raises(InvalidInput):
        audit.Read("   ")


async def test_the_database_makes_the_same_digest(database: Callable[[str], Any]) -> None:
    keys = [new_id() for _ in range(20)]
    async with database("reporting").db.read() as tx:
        sql = f"SELECT {audit.digest_sql('x')} FROM unnest(CAST(:keys AS uuid[])) AS x"
        assert await tx.value(sql, keys=keys) == audit.digest(keys)
        assert await tx.value(sql, keys=[]) == audit.digest([])


async def test_a_jobs_rows_name_the_request_that_asked_for_it(database: Callable[[str], Any]) -> None:
    db = database("reporting").db
    async with db.transaction(replace(SYSTEM("officer"), request_id="asked-1")) as tx:
        await jobs.create(tx, "first", {}, date(2024, 8, 20))

    async def first(job: jobs.Job) -> dict[str, Any]:
        async with db.transaction(SYSTEM("worker")) as tx:
            await audit.record(tx, "thing.made", "thing", job.id, audit.Created({}))
            await jobs.create(tx, "second", {}, job.business_date)
        return {}

    async def second(job: jobs.Job) -> dict[str, Any]:
        async with db.transaction(SYSTEM("worker")) as tx:
            await audit.record(tx, "thing.made", "thing", job.id, audit.Created({}))
        return {}

    runner = jobs.JobRunner(db, {"first": first, "second": second}, owner="t")
    assert await runner.run_one()
    assert await runner.run_one()
    async with db.transaction(SYSTEM("worker")) as tx:
        await audit.record(tx, "thing.made", "thing", "later", audit.Created({}))
    told = [(row["request_id"], row["roles"], row["units"]) for row in await _rows(db)]
    assert told == [("asked-1", ["SYSTEM"], ["*"]), ("asked-1", ["SYSTEM"], ["*"]), (None, ["SYSTEM"], ["*"])]


async def test_what_an_event_leads_to_names_the_request_it_came_of(database: Callable[[str], Any]) -> None:
    db = database("reporting").db

    async def apply(tx: Tx, heard: list[Incoming]) -> None:
        for event in heard:
            await audit.record(tx, "thing.heard", "thing", event.key, audit.Created({}))
        await audit.record(tx, "things.heard", "thing", "many", audit.Bulk.of(event.key for event in heard))

    subscriptions = (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply),)
    consumer = Consumer(db, "t", subscriptions, bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1_000)
    heard = [
        Incoming(Topic.BENEFICIARY, 0, number, new_id(), new_id(), "PreferenceRecorded", {"ce_correlationid": f"r-{number}"}, b"{}")
        for number in range(3)
    ]
    await consumer.apply(heard[:2])
    await consumer.apply(heard[2:])
    assert [row["request_id"] for row in await _rows(db)] == ["r-0", "r-1", None, "r-2", "r-2"]
