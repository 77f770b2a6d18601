"""I did not get it: a case with a deadline, looked into, ended by two people; every other move is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from common.auth import Role
from common.ids import new_id

SAYS = {"kind": "NOT_RECEIVED", "told_by": "SELF", "note": "Tôi chưa nhận được tiền tháng 9", "business_date": "2024-09-12"}
FOUND = {"outcome": "KEPT_BY_PAYEE", "note": "Người nhận thay thừa nhận", "evidence": "Biên bản 12/BB-UBND"}
WORD = {"note": "Đã xem biên bản", "business_date": "2024-09-20"}


@pytest.fixture
def people(world: Any, client_as: Callable[..., httpx.AsyncClient]) -> tuple[httpx.AsyncClient, httpx.AsyncClient, httpx.AsyncClient]:
    """A commune officer, a district officer who decides, and an officer of another commune."""
    return (
        client_as(world.app, Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, units=("60/593/22924",), subject="commune"),
        client_as(world.app, Role.DISTRICT_OFFICER, subject="district"),
        client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22927",), subject="stranger"),
    )


async def _paid(world: Any, word: str = "SETTLED") -> str:
    line = world.line()
    await world.approve([line])
    await world.send()
    await world.notice(await world.result(word, line, code="ACCOUNT_CLOSED" if word == "FAILED" else None))
    return f"/v1/payments/{await world.value('SELECT payment_id FROM payment')}"


async def _open(client: httpx.AsyncClient, payment: str) -> httpx.Response:
    return await client.post(f"{payment}/complaints", json=SAYS, headers={"Idempotency-Key": f"open-{new_id()}"})


async def test_a_complaint_is_looked_into_and_ended_by_two_people(world: Any, people: Any) -> None:
    one, two, stranger = people
    payment = await _paid(world)
    assert (await _open(stranger, payment)).status_code == 404
    made = await _open(one, payment)
    assert (made.status_code, made.json()["state"], made.json()["due_on"]) == (201, "OPEN", "2024-09-22")
    assert (await _open(one, payment)).json()["type"] == "/problems/complaint-exists"
    case = f"/v1/complaints/{made.json()['complaint_id']}"
    assert (await one.post(f"{case}/outcome", json=FOUND)).json()["type"] == "/problems/illegal-complaint-move"
    looked = await one.post(f"{case}/investigation", json={"note": "Đã hỏi ngân hàng", "investigation": "TS-2024-0031"})
    assert (looked.json()["state"], looked.json()["investigation"]) == ("INVESTIGATING", "TS-2024-0031")
    assert (await one.post(f"{case}/outcome", json=FOUND)).json()["state"] == "OUTCOME_PROPOSED"
    assert (await one.post(f"{case}/outcome/decision", json={**WORD, "confirm": True})).json()["type"] == "/problems/four-eyes"
    assert (await two.post(f"{case}/outcome/decision", json={**WORD, "confirm": False})).json()["state"] == "INVESTIGATING"
    await one.post(f"{case}/outcome", json=FOUND)
    ended = (await two.post(f"{case}/outcome/decision", json={**WORD, "confirm": True})).json()
    assert (ended["state"], ended["decided_by"], ended["closed_on"]) == ("CLOSED", "district", "2024-09-20")
    assert "yêu cầu giao lại" in ended["outcome_vi"]
    assert [step["action"] for step in ended["steps"]] == ["OPENED", "INVESTIGATE", "PROPOSE", "REFUSE", "PROPOSE", "CONFIRM"]
    assert (await one.post(f"{case}/withdrawal", json=WORD)).status_code == 409
    assert (await _open(one, payment)).status_code == 201  # ended; the person may come again
    story = (await two.get(f"{payment}/timeline")).json()["story"]
    told = [step["en"] for step in story if step["kind"].startswith("COMPLAINT")]
    assert told[0] == "The beneficiary complained: did not get it"
    assert told[5].startswith("The outcome was confirmed: The payee has not handed it over")
    assert (await world.statuses()) == {"SETTLED": 1}  # an outcome moves no money


async def test_what_is_late_is_listed(world: Any, people: Any) -> None:
    one, _, stranger = people
    await _open(one, await _paid(world))
    late = await one.get("/v1/complaints?business_date=2024-09-23&overdue=true")
    assert [item["overdue"] for item in late.json()["items"]] == [True]
    assert (await one.get("/v1/complaints?business_date=2024-09-22&overdue=true")).json()["items"] == []
    assert (await stranger.get("/v1/complaints?business_date=2024-09-23")).json()["items"] == []


async def test_a_payment_that_failed_has_its_own_way_on(world: Any, people: Any) -> None:
    assert (await _open(people[0], await _paid(world, "FAILED"))).json()["type"] == "/problems/nothing-paid-yet"


async def test_the_schema_itself_wants_two_people(world: Any, people: Any) -> None:
    one, _, _ = people
    made = await _open(one, await _paid(world))
    with pytest.raises(Exception, match="two_people"):
        async with world.owner() as tx:
            await tx.execute(
                "UPDATE complaint SET state = 'CLOSED', outcome = 'RECEIVED', evidence = 'x', proposed_by = 'a', decided_by = 'a',"
                " closed_on = '2024-10-01' WHERE complaint_id = :id",
                id=made.json()["complaint_id"],
            )
