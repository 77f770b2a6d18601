"""Name, number, birth date and death: asked for by one, seen side by side and approved by another."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role

DAY = "2024-08-20"


@pytest.fixture
async def person(world: Any) -> str:
    await world.take([row("A-1", "060190000001"), row("A-2", "", birth_date="1990")])
    return str(await world.id_of("A-2"))


async def _ask(world: Any, person: str, client: Any = None, key: str = "ask-00000001", **fields: Any) -> Any:
    body = {"business_date": DAY, "ground": "bản chụp CCCD"} | fields
    return await (client or world.maker).post(f"/v1/beneficiaries/{person}/change-requests", json=body, headers={"Idempotency-Key": key})


async def _decide(client: Any, request: str, approve: bool = True, **more: Any) -> Any:
    return await client.post(f"/v1/change-requests/{request}/decision", json={"approve": approve, "business_date": DAY} | more)


async def test_police_asks_and_another_person_approves_what_stands_side_by_side(world: Any, person: str) -> None:
    police = world.client_as(world.app, Role.COMMUNE_POLICE, units=("60/593/22924",), subject="police")
    asked = await _ask(world, person, police, full_name="Nguyễn Thị Hoa", birth_date="02/03/1990", national_number="060190000002")
    assert asked.status_code == 201, asked.text
    assert (
        await _ask(world, person, police, full_name="Nguyễn Thị Hoa", birth_date="02/03/1990", national_number="060190000002")
    ).json() == asked.json()
    request = asked.json()["request_id"]
    shown = (await world.checker.get(f"/v1/change-requests/{request}")).json()
    assert {item["field"]: (item["before"], item["now"], item["wanted"]) for item in shown["fields"]} == {
        "full_name": ("Nguyễn Thị Hoà", "Nguyễn Thị Hoà", "Nguyễn Thị Hoa"),
        "birth_date": ("1990", "1990", "1990-03-02"),
        "national_number": (None, None, "060*****0002"),
    }
    assert await world.events("BeneficiaryUpdated") == []
    done = await _decide(world.checker, request)
    assert (done.status_code, done.json()["state"]) == (200, "APPROVED"), done.text
    after = (await world.checker.get(f"/v1/beneficiaries/{person}")).json()
    assert (after["full_name"], after["birth_date"], after["masked_number"]) == ("Nguyễn Thị Hoa", "1990-03-02", "060*****0002")
    assert len(await world.events("BeneficiaryUpdated")) == 1
    assert (await _decide(world.checker, request)).json()["type"] == "/problems/not-possible-in-state"


async def test_one_person_alone_changes_nothing(world: Any, person: str) -> None:
    request = (await _ask(world, person, world.checker, full_name="Nguyễn Thị Hoa")).json()["request_id"]
    assert (await _decide(world.checker, request)).json()["type"] == "/problems/same-person"
    again = await _ask(world, person, key="ask-00000002", full_name="Nguyễn Thị Ba")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/request-pending")
    unreasoned = await _decide(world.maker, request, approve=False)
    assert unreasoned.status_code == 422
    refused = await _decide(world.maker, request, approve=False, answer="bản chụp không rõ")
    assert (refused.json()["state"], refused.json()["answer"]) == ("REFUSED", "bản chụp không rõ")
    assert (await world.checker.get(f"/v1/beneficiaries/{person}")).json()["full_name"] == "Nguyễn Thị Hoà"
    mine = (await _ask(world, person, key="ask-00000003", full_name="Nguyễn Thị Ba")).json()["request_id"]
    assert (await world.checker.post(f"/v1/change-requests/{mine}/withdraw")).status_code == 403
    assert (await world.maker.post(f"/v1/change-requests/{mine}/withdraw")).json()["state"] == "WITHDRAWN"
    assert (await world.checker.get("/v1/change-requests", params={"state": "PENDING"})).json()["items"] == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"national_number": "060190000001"}, "/problems/duplicate-number"),
        ({"national_number": "60190000001"}, "/problems/registration-refused"),
        ({"birth_date": "32/01/1990"}, "/problems/invalid-input"),
        ({"full_name": "Nguyễn Thị Hoà"}, "/problems/invalid-input"),
        ({"death_date": "2024-09-01"}, "/problems/invalid-input"),
        ({"death_date": "2024-08-01", "full_name": "X"}, "/problems/invalid-input"),
    ],
)
async def test_what_cannot_become_true_is_refused_when_asked(world: Any, person: str, fields: dict[str, str], problem: str) -> None:
    assert (await _ask(world, person, **fields)).json()["type"] == problem


async def test_a_file_changed_meanwhile_is_asked_for_anew(world: Any, person: str) -> None:
    request = (await _ask(world, person, national_number="060190000002")).json()["request_id"]
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE person SET masked_number = '060*****0009' WHERE person_id = CAST(:id AS uuid)", id=person)
    stale = await _decide(world.checker, request)
    assert (stale.json()["type"], stale.json()["errors"][0]["field"]) == ("/problems/changed-since-request", "masked_number")


async def test_a_corrected_birth_date_changes_what_is_due_by_age(world: Any) -> None:
    await world.take(
        [row("B-1", "060221000001", category="SA1_LT4", from_month="03/2024", full_name="Trần Văn Bé", birth_date="02/03/2021")]
    )
    assert (await world.due("B-1", "2025-02"))["total"] == 1_250_000
    await world.change_identity(await world.id_of("B-1"), birth_date="02/12/2020")
    assert [(await world.due("B-1", month))["total"] for month in ("2024-11", "2025-02")] == [1_250_000, 750_000], "four in December"
    (line,) = (await world.events("DuesChanged"))[-1]["body"]["lines"]
    assert [item["from_month"] for item in line["intervals"] if item["amount"] == 750_000] == ["2024-12"]


async def test_a_death_asked_for_ends_the_dues_when_approved(world: Any, person: str) -> None:
    request = (await _ask(world, person, death_date="2024-08-11")).json()["request_id"]
    assert (await world.due("A-2", "2024-09"))["total"] == 750_000
    assert (await _decide(world.checker, request)).json()["state"] == "APPROVED"
    assert [(await world.due("A-2", month))["total"] for month in ("2024-08", "2024-09")] == [750_000, 0]


async def test_a_patch_of_these_fields_says_where_to_go(world: Any, person: str) -> None:
    answer = await world.maker.patch(
        f"/v1/beneficiaries/{person}", json={"business_date": DAY, "full_name": "X"}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 422
    assert "change-requests" in answer.text


async def test_requests_of_another_area_do_not_exist(world: Any, person: str) -> None:
    request = (await _ask(world, person, full_name="Nguyễn Thị Hoa")).json()["request_id"]
    stranger = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/594",), subject="stranger")
    assert (await stranger.get(f"/v1/change-requests/{request}")).status_code == 404
    assert (await _decide(stranger, request)).status_code == 404
    assert (await stranger.get("/v1/change-requests")).json()["items"] == []
