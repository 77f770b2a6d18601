"""Who got no answer asks again, word by word: what the first request made is answered, and no second thing is there."""

from __future__ import annotations

import asyncio
from typing import Any

from common.actor import Role

STOP = {"partner": "agribank", "reason": "sự cố lõi"}
FEE = {"partner": "agribank", "programme": "MERIT", "basis_points": 75, "from_date": "2024-01-01", "contract_number": "12/HĐ"}


async def test_one_stop_is_one_stop(world: Any, maker: Any, client_as: Any) -> None:
    """Two would be resumed one after the other by two people each; until somebody sees the second, nobody is paid."""
    answers = await asyncio.gather(*(maker.post("/v1/pauses", json=STOP) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["pause_id"] for answer in answers}) == 1
    assert await world.value("SELECT count(*) FROM audit_log WHERE action = 'pause.set'") == 1
    other = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="another")
    for who, body in ((maker, {**STOP, "reason": "mất điện"}), (maker, {"everything": True, "reason": "sự cố lõi"}), (other, STOP)):
        assert (await who.post("/v1/pauses", json=body)).status_code == 201
    assert await world.value("SELECT count(*) FROM lane_pause") == 4, "another reason, another reach, another person: a stop of its own"


async def test_a_stop_that_is_being_lifted_can_be_set_again(world: Any, maker: Any, client_as: Any) -> None:
    first = (await maker.post("/v1/pauses", json=STOP)).json()["pause_id"]
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    path = f"/v1/pauses/{first}/resume"
    assert (await maker.post(path, json={"note": "xin gửi tiếp"})).status_code == 200
    again = (await maker.post("/v1/pauses", json=STOP)).json()["pause_id"]
    assert again != first, "who stops while another stop is about to be lifted means that it goes on"
    assert (await checker.post(f"{path}/decision", json={"note": "đã có CV 315", "confirm": True})).json()["state"] == "RESUMED"
    assert await world.value("SELECT state FROM lane_pause WHERE pause_id = :id", id=again) == "ACTIVE"
    assert (await maker.post("/v1/pauses", json=STOP)).json()["pause_id"] == again


async def test_a_fee_is_proposed_once(world: Any, maker: Any, client_as: Any) -> None:
    first, second = [(await maker.post("/v1/fees", json=FEE)).json()["fee_id"] for _ in range(2)]
    assert first == second
    assert (await maker.post("/v1/fees", json={**FEE, "basis_points": 80})).json()["fee_id"] != first
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    decided = await checker.post(f"/v1/fees/{first}/decision", json={"approve": False, "business_date": "2024-08-23"})
    assert decided.json()["state"] == "REJECTED"
    assert (await maker.post("/v1/fees", json=FEE)).json()["fee_id"] != first, "what was refused may be proposed again"


async def test_one_reminder_is_counted_once(world: Any, maker: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.script("error_500_after_accept", seconds=0)
    await world.send()
    payment_id = await world.value("SELECT payment_id FROM payment")
    asked = {"kind": "INVESTIGATION", "reason": "the person did not get it", "business_date": "2024-09-09"}
    path = f"/v1/payment-cases/{(await maker.post(f'/v1/payments/{payment_id}/cases', json=asked)).json()['case_id']}"
    letter = {"number": "214/SLĐTBXH", "dated": "2024-09-10", "due_on": "2024-09-17"}
    assert (await maker.post(f"{path}/letter", json=letter)).status_code == 200
    reminder = {"due_on": "2024-09-24", "note": "called the branch"}
    counts = [(await maker.post(f"{path}/reminders", json=reminder)).json()["reminders"] for _ in range(2)]
    assert counts == [1, 1]
    assert (await maker.post(f"{path}/reminders", json={**reminder, "due_on": "2024-10-01"})).json()["reminders"] == 2
