"""Registration lists on their way: submitted, received, returned with reasons, submitted again, accepted; seen by both offices."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from registry_test_helpers import as_csv, row

from common.actor import Role
from registry.domain.travel import TRANSITIONS, allowed, working_days_after


async def checked(world: Any, code: str = "A-1", **fields: Any) -> str:
    import_id = (await world.send(as_csv([row(code, "060190000001")]), **fields)).json()["import_id"]
    await world.work()
    return str(import_id)


async def step(client: Any, listed: dict[str, Any], name: str, **body: Any) -> Any:
    headers = {"If-Match": f'"{listed["version"]}"'}
    return await client.post(f"/v1/submitted-lists/{listed['list_id']}/{name}", json=body or None, headers=headers)


async def submit(world: Any, import_id: str) -> dict[str, Any]:
    body = {"import_id": import_id, "number": "15/DS-UBND", "business_date": "2024-08-22"}
    answer = await world.maker.post("/v1/submitted-lists", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_list_goes_up_comes_back_with_reasons_and_is_accepted(world: Any) -> None:
    district = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="district")
    import_id = await checked(world)
    listed = await submit(world, import_id)
    assert (listed["state"], listed["to_unit_path"], listed["due_on"]) == ("SUBMITTED", "60/593", "2024-09-04")
    early = await district.post(f"/v1/imports/{import_id}/approve")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/import-not-approvable")
    assert (await step(world.maker, listed, "receive")).status_code == 403
    received = (await step(district, listed, "receive")).json()
    assert (received["state"], received["received_by"]) == ("RECEIVED", "district")
    assert (await step(district, listed, "receive")).status_code == 412
    returned = await step(district, received, "return", reasons=[{"row": 4, "reason": "Thiếu giấy xác nhận, số 060190000001"}])
    assert returned.json()["return_reasons"] == [{"row": 4, "reason": "Thiếu giấy xác nhận, số ***"}]
    assert (await district.post(f"/v1/imports/{import_id}/approve")).status_code == 409
    corrected = await checked(world, "A-2")
    again = (await step(world.maker, returned.json(), "submit", import_id=corrected, business_date="2024-08-26")).json()
    assert (again["state"], again["round"], again["import_id"], again["received_by"]) == ("SUBMITTED", 2, corrected, None)
    received = (await step(district, again, "receive")).json()
    assert (await district.post(f"/v1/imports/{corrected}/approve")).status_code == 202
    await world.work()
    end = (await world.maker.get(f"/v1/submitted-lists/{received['list_id']}")).json()
    assert (end["state"], end["accepted_by"], end["import_state"]) == ("ACCEPTED", "district", "APPLIED")
    assert (await step(district, end, "return", reasons=[{"reason": "quá muộn"}])).status_code == 409
    async with world.db.transaction() as tx:  # as if the application had stopped on a defect
        await tx.execute("UPDATE import_file SET state = 'APPROVED'")
    assert (await district.post(f"/v1/imports/{corrected}/approve")).status_code == 202
    async with world.db.read() as tx:
        actions = await tx.rows("SELECT action, subject FROM audit_log WHERE object_type = 'submitted-list' ORDER BY id")
    assert [tuple(item.values()) for item in actions] == [
        ("list.submit", "maker"), ("list.receive", "district"), ("list.return", "district"), ("list.submit-again", "maker"),
        ("list.receive", "district"), ("list.accept", "district"),
    ]  # fmt: skip


async def test_who_submitted_neither_receives_nor_returns_nor_accepts(world: Any) -> None:
    both = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="maker")
    district = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="district")
    listed = await submit(world, await checked(world))
    assert (await step(both, listed, "receive")).json()["type"] == "/problems/same-person"
    assert (await step(both, listed, "return", reasons=[{"reason": "tự trả"}])).json()["type"] == "/problems/same-person"
    await step(district, listed, "receive")
    assert (await both.post(f"/v1/imports/{listed['import_id']}/approve")).json()["type"] == "/problems/same-person"


async def test_lists_are_seen_by_sender_and_receiver_only_with_what_is_late(world: Any) -> None:
    listed = await submit(world, await checked(world))
    district = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="district")
    stranger = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/594",), subject="stranger")
    for client, number in ((world.maker, 1), (district, 1), (stranger, 0)):
        assert len((await client.get("/v1/submitted-lists")).json()["items"]) == number
        assert len((await client.get("/v1/submitted-lists", params={"overdue_on": "2024-09-05"})).json()["items"]) == number
        assert (await client.get("/v1/submitted-lists", params={"overdue_on": "2024-09-04"})).json()["items"] == []
    assert (await stranger.get(f"/v1/submitted-lists/{listed['list_id']}")).status_code == 404
    assert (await step(stranger, listed, "receive")).status_code == 404
    body = {"import_id": listed["import_id"], "number": "16", "business_date": "2024-08-22"}
    assert (await world.maker.post("/v1/submitted-lists", json=body)).status_code == 409
    withdrawn = await step(world.maker, listed, "withdraw")
    assert withdrawn.json()["state"] == "WITHDRAWN"
    assert (await world.maker.post("/v1/submitted-lists", json=body)).status_code == 201


async def test_only_a_checked_list_travels(world: Any) -> None:
    dry = await checked(world, dry_run="true")
    body = {"import_id": dry, "number": "15", "business_date": "2024-08-22"}
    assert (await world.maker.post("/v1/submitted-lists", json=body)).status_code == 409
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.post("/v1/submitted-lists", json=body)).status_code == 404


@pytest.mark.parametrize(
    ("start", "days", "end"), [("2024-08-22", 7, "2024-09-02"), ("2024-08-23", 1, "2024-08-26"), ("2024-08-24", 1, "2024-08-26")]
)
def test_deadlines_count_working_days(start: str, days: int, end: str) -> None:
    assert working_days_after(date.fromisoformat(start), days, {}) == date.fromisoformat(end)


def test_deadlines_skip_days_off_and_count_saturdays_worked_for_them() -> None:
    swapped = {date(2024, 4, 29): False, date(2024, 4, 30): False, date(2024, 5, 1): False, date(2024, 5, 4): True}
    assert working_days_after(date(2024, 4, 26), 2, swapped) == date(2024, 5, 3)
    assert working_days_after(date(2024, 4, 26), 3, swapped) == date(2024, 5, 4)


@pytest.mark.parametrize(("days", "end"), [("7", "2024-09-04"), ("5", "2024-08-29")])
async def test_the_time_to_answer_is_a_setting_and_the_calendar_is_loaded(world: Any, days: str, end: str) -> None:
    world.settle("LIST_ANSWER_WORKING_DAYS", days)
    assert (await submit(world, await checked(world)))["due_on"] == end


def test_every_state_is_reached_and_no_step_leads_nowhere() -> None:
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {"SUBMITTED"}
    assert reached == set(TRANSITIONS)
    assert allowed("ACCEPTED", "return") is None
