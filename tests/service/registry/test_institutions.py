"""Institutions are units with residents; coming and going is dated and computes the person's dues anew in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role

DAY = "2024-08-20"
NEW = {"code": "BTXH-01", "name": "Trung tâm Bảo trợ xã hội", "unit_code": "22924", "valid_from": "2015-01-01", "business_date": DAY}


@pytest.fixture
async def home(world: Any) -> str:
    """An institution, and A-1 and A-2 registered."""
    await world.take([row("A-1", "060190000001"), row("A-2", "")])
    made = await world.checker.post("/v1/institutions", json=NEW, headers={"Idempotency-Key": "institution-1"})
    assert made.status_code == 201, made.text
    return str(made.json()["institution_id"])


async def _enter(world: Any, home: str, code: str, key: str, from_date: str = "2024-03-10", client: Any = None) -> Any:
    body = {"business_date": DAY, "beneficiary_id": await world.id_of(code), "from_date": from_date, "decision_number": "7/QĐ"}
    return await (client or world.maker).post(
        f"/v1/institutions/{home}/residents", json=body, headers={"Idempotency-Key": f"enter-{key:>03}"}
    )


async def _leave(world: Any, home: str, code: str, key: str, last_day: str) -> Any:
    body = {"business_date": DAY, "beneficiary_id": await world.id_of(code), "last_day": last_day}
    return await world.maker.post(f"/v1/institutions/{home}/leave", json=body, headers={"Idempotency-Key": f"leave-{key:>03}"})


async def test_an_institution_is_a_unit_below_its_commune_that_can_be_somebodys_area(world: Any, home: str) -> None:
    await _enter(world, home, "A-1", "1")
    inside = world.client_as(world.app, Role.AUDITOR, units=("60/593/22924/BTXH-01",))
    (found,) = (await inside.get("/v1/institutions")).json()["items"]
    assert (found["path"], found["residents"]) == ("60/593/22924/BTXH-01", 1)
    listed = (await inside.get(f"/v1/institutions/{home}/residents", params={"on": DAY})).json()["items"]
    assert [(item["masked_number"], item["decision_number"]) for item in listed] == [("060*****0001", "7/QĐ")]
    elsewhere = world.client_as(world.app, Role.AUDITOR, units=("60/594", "60/593/22924/BTXH-02"))
    assert (await elsewhere.get("/v1/institutions")).json()["items"] == []
    assert (await elsewhere.get(f"/v1/institutions/{home}")).status_code == 404


async def test_stays_are_dated_and_never_overlap(world: Any, home: str) -> None:
    assert (await _enter(world, home, "A-2", "1")).status_code == 201
    assert (await _enter(world, home, "A-2", "2", "2024-06-01")).json()["type"] == "/problems/already-resident"
    assert (await _leave(world, home, "A-2", "1", "2024-03-09")).status_code == 422
    assert (await _leave(world, home, "A-2", "2", "2024-06-30")).status_code == 200
    assert (await _leave(world, home, "A-2", "3", "2024-07-30")).status_code == 404
    assert (await _enter(world, home, "A-2", "3", "2024-06-30")).status_code == 409
    assert (await _enter(world, home, "A-2", "4", "2024-07-01")).status_code == 201
    for on, count in (("2024-03-09", 0), ("2024-03-10", 1), ("2024-06-30", 1)):
        assert len((await world.maker.get(f"/v1/institutions/{home}/residents", params={"on": on})).json()["items"]) == count
    assert (await _enter(world, home, "A-1", "5", "2014-01-01")).json()["errors"][0]["field"] == "from_date"


async def test_an_institution_with_residents_is_not_closed(world: Any, home: str) -> None:
    await _enter(world, home, "A-1", "1")
    body = {"business_date": DAY, "valid_to": "2024-08-01"}

    async def close() -> int:
        return int((await world.checker.patch(f"/v1/institutions/{home}", json=body, headers={"If-Match": '"1"'})).status_code)

    assert await close() == 409
    await _leave(world, home, "A-1", "1", "2024-07-31")
    assert await close() == 200
    assert await close() == 412
    assert (await _enter(world, home, "A-2", "9", "2024-08-05")).status_code == 422
    again = await world.checker.post("/v1/institutions", json=NEW, headers={"Idempotency-Key": "institution-2"})
    assert again.status_code == 409
    assert (await world.maker.post("/v1/institutions", json=NEW, headers={"Idempotency-Key": "institution-3"})).status_code == 403


async def test_community_allowances_stop_while_somebody_lives_there(world: Any, home: str) -> None:
    before = [(await world.due("A-1", month))["total"] for month in ("2024-03", "2024-05", "2024-08")]
    assert min(before) > 0
    await _enter(world, home, "A-1", "1")
    assert (await world.due("A-1", "2024-05"))["total"] == 0
    await _leave(world, home, "A-1", "1", "2024-06-30")
    assert (await world.due("A-1", "2024-05"))["total"] == 0
    assert (await world.due("A-1", "2024-08"))["total"] == before[2]
    assert (await world.due("A-1", "2024-02"))["total"] == before[0]


async def test_a_leaving_is_entered_ahead_and_may_still_be_moved(world: Any, home: str) -> None:
    before = (await world.due("A-1", "2024-11"))["total"]
    await _enter(world, home, "A-1", "1")
    assert (await _leave(world, home, "A-1", "1", "2024-12-31")).json()["errors"][0]["field"] == "last_day"
    assert (await _leave(world, home, "A-1", "2", "2024-09-30")).status_code == 200
    assert [(await world.due("A-1", month))["total"] for month in ("2024-09", "2024-10", "2024-11")] == [0, before, before]
    assert (await _leave(world, home, "A-1", "3", "2024-10-31")).status_code == 200
    assert [(await world.due("A-1", month))["total"] for month in ("2024-10", "2024-11")] == [0, before]
    body = {"business_date": DAY, "valid_to": "2024-10-30"}
    closed = await world.checker.patch(f"/v1/institutions/{home}", json=body, headers={"If-Match": '"1"'})
    assert closed.status_code == 409
    closed = await world.checker.patch(f"/v1/institutions/{home}", json=body | {"valid_to": "2024-10-31"}, headers={"If-Match": '"1"'})
    assert closed.status_code == 200, closed.text


async def test_a_refusal_says_why_in_vietnamese_too(world: Any, home: str) -> None:
    missing = (await world.maker.get("/v1/institutions/00000000-0000-7000-8000-000000000000")).json()
    assert (missing["detail"], missing["detail_vi"]) == ("No such institution", "Không có cơ sở này trong phạm vi của bạn")
    taken = (await world.checker.post("/v1/institutions", json=NEW, headers={"Idempotency-Key": "institution-4"})).json()
    assert (taken["status"], taken["detail_vi"]) == (409, "Mã này đã có cơ sở khác dùng")
