"""Data sets for a ministry and the change feed: complete, resumable, masked, and one goes on where the other ended."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from registry_test_helpers import row

from common import outbox
from common.actor import SYSTEM, Role
from registry.storage import publishing

PURPOSE = "Báo cáo Bộ quý III/2024"


@pytest.fixture
async def people(world: Any) -> Any:
    await world.take([row("A-1", "060190000001"), row("A-2", "060190000002"), row("A-3", "")])
    world.feed = world.client_as(world.app, Role.INTEGRATOR, units=("60",), subject="ministry")
    return world


async def _build(world: Any, client: Any = None, key: str = "data-set-1", **more: Any) -> dict[str, Any]:
    body = {"unit_code": "60", "business_date": "2024-08-20", "purpose": PURPOSE} | more
    sent = await (client or world.feed).post("/v1/data-sets", json=body, headers={"Idempotency-Key": key})
    assert sent.status_code == 202, sent.text
    path = f"/v1/data-sets/{sent.json()['data_set_id']}"
    assert (await world.feed.get(path + "/file")).status_code == 409
    await world.work()
    found = (await world.feed.get(path)).json()
    assert found["state"] == "READY", found
    return dict(found)


async def _records(world: Any, found: dict[str, Any], client: Any = None) -> list[dict[str, Any]]:
    content = (await (client or world.feed).get(f"/v1/data-sets/{found['data_set_id']}/file")).content
    assert hashlib.sha256(content).hexdigest() == found["manifest"]["sha256"]
    return [orjson.loads(line) for line in content.splitlines()]


async def test_full_then_delta(people: Any) -> None:
    full = await _build(people)
    records = await _records(people, full)
    assert sorted(record["file_code"] for record in records) == ["A-1", "A-2", "A-3"]
    assert full["manifest"]["counts"] == {"programme.SOCIAL_ASSISTANCE": 3, "records": 3, "status.ACTIVE": 3}
    assert full["schema_version"] == "registry.person/1"
    assert all("national_number" not in record for record in records)
    assert "SA6_S" not in str(records)
    assert records[0]["dues"][-1]["to_month"] is None
    part = (await people.feed.get(f"/v1/data-sets/{full['data_set_id']}/parts/1")).content
    assert hashlib.sha256(part).hexdigest() == full["parts"][0]["sha256"]
    await people.change_identity(await people.id_of("A-2"), full_name="Nguyễn Thị Ba")
    await people.take([row("A-4", "060190000004")])
    delta = await _build(people, key="data-set-2", since=full["data_set_id"])
    assert sorted(record["file_code"] for record in await _records(people, delta)) == ["A-2", "A-4"]
    assert delta["manifest"]["position"] > full["manifest"]["position"]
    nothing = await _build(people, key="data-set-3", since=delta["data_set_id"])
    assert (nothing["manifest"]["counts"], nothing["parts"]) == ({}, [])
    assert await _records(people, nothing) == []


async def test_whole_numbers_are_for_the_department_and_audited(people: Any) -> None:
    refused = await people.feed.post(
        "/v1/data-sets", json={"unit_code": "60", "business_date": "2024-08-20", "purpose": PURPOSE, "whole_numbers": True},
        headers={"Idempotency-Key": "data-set-9"},
    )  # fmt: skip
    assert refused.status_code == 403
    found = await _build(people, people.checker, whole_numbers=True)
    assert (await people.feed.get(f"/v1/data-sets/{found['data_set_id']}/parts/1")).status_code == 403
    records = await _records(people, found, people.checker)
    assert {record.get("national_number") for record in records} == {"060190000001", "060190000002", None}
    async with people.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'data-set.read' AND purpose = :p", p=PURPOSE) == 1
        assert await tx.value("SELECT count(*) FROM data_set_part WHERE CAST(content AS text) LIKE '%060190000001%'") == 0


async def test_data_sets_of_another_area_do_not_exist(people: Any) -> None:
    found = await _build(people)
    stranger = people.client_as(people.app, Role.INTEGRATOR, units=("60/594",), subject="stranger")
    for path in ("", "/file", "/parts/1"):
        assert (await stranger.get(f"/v1/data-sets/{found['data_set_id']}{path}")).status_code == 404
    assert (await stranger.get("/v1/data-sets")).json()["items"] == []


async def _changes(world: Any, cursor: str, **params: Any) -> dict[str, Any]:
    answer = await world.feed.get("/v1/changes", params={"cursor": cursor} | params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_feed_goes_on_where_the_data_set_ended(people: Any) -> None:
    position = str((await _build(people))["manifest"]["position"])
    assert (await _changes(people, position))["items"] == []
    await people.change_identity(await people.id_of("A-2"), full_name="Nguyễn Thị Ba")
    page = await _changes(people, position)
    (item,) = page["items"]
    assert (item["full_name"], item["types"], item["masked_number"]) == ("Nguyễn Thị Ba", ["BeneficiaryUpdated"], "060*****0002")
    assert await _changes(people, page["next_cursor"]) == {"items": [], "next_cursor": page["next_cursor"], "more": False}
    assert (await people.feed.get("/v1/changes", params={"cursor": "999999999"})).json()["type"] == "/problems/cursor-too-far"


async def test_small_pages_tell_everything_once_and_other_areas_nothing(people: Any) -> None:
    cursor, seen, more = "0", {}, True
    while more:
        page = await _changes(people, cursor, limit=1)
        assert int(page["next_cursor"]) > int(cursor) or not page["more"]
        cursor, more = page["next_cursor"], page["more"]
        for item in page["items"]:
            seen.setdefault(item["file_code"], set()).update(item["types"])
    assert set(seen) == {"A-1", "A-2", "A-3"}
    assert all({"BeneficiaryRegistered", "EntitlementGranted", "PreferenceRecorded", "DuesChanged"} <= types for types in seen.values())
    stranger = people.client_as(people.app, Role.INTEGRATOR, units=("60/594",), subject="stranger")
    other = (await stranger.get("/v1/changes")).json()
    assert (other["items"], other["next_cursor"]) == ([], cursor)


async def test_nothing_appears_below_a_position_that_was_read(people: Any) -> None:
    """A writer that began first and commits last must not slip in below what a reader has passed."""
    keyring, day = people.db.keyring, date(2024, 8, 20)
    one, two = [await people.id_of(code) for code in ("A-1", "A-2")]
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with people.db.transaction(SYSTEM("slow")) as tx:
            await publishing.take_people_lock(tx)
            await publishing.publish_people(tx, keyring, [(one, "BeneficiaryUpdated")], day)
            started.set()
            await go_on.wait()

    async def quick() -> None:
        async with people.db.transaction(SYSTEM("quick")) as tx:  # publishes without having asked for the lock first
            await outbox.add_rows(tx, "registry.beneficiary.v1", [(uuid4(), UUID(two), "BeneficiaryUpdated", "{}")])

    cursor = (await _changes(people, "0", limit=1_000))["next_cursor"]
    first = asyncio.create_task(slow())
    await started.wait()
    second = asyncio.create_task(quick())
    before = await _changes(people, cursor)
    assert before["items"] == [], "uncommitted changes are not shown"
    go_on.set()
    await asyncio.gather(first, second)
    after = await _changes(people, before["next_cursor"])
    assert [item["file_code"] for item in after["items"]] == ["A-1", "A-2"], "in the order of the commits"
