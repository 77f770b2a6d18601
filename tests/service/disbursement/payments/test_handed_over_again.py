"""What may lie with a partner twice, or lies there after it was declared dead here: nobody is paid by the second copy.

The judge is the partner simulator's books.
"""

from __future__ import annotations

from typing import Any

import pytest

from common.auth import Role
from disbursement.channels.protocol import BatchAnswer, Refusal

pytestmark = pytest.mark.promise("promises.paid-once")
WITNESS = {"happened_on": "2024-09-05", "note": "the bank says so", "evidence": "CV 214/NHNo 10/9/2024"}


async def two_people_say(world: Any, maker: Any, checker: Any, line: Any, **said: Any) -> None:
    payment_id = await world.value("SELECT payment_id FROM payment WHERE line_id = :id", id=line.line_id)
    proposed = await maker.post(f"/v1/payments/{payment_id}/manual-results", json={**WITNESS, **said})
    assert proposed.status_code == 201, proposed.text
    done = await checker.post(
        f"/v1/manual-results/{proposed.json()['manual_id']}/decision", json={"confirm": True, "note": "seen the letter"}
    )
    assert done.status_code == 200, done.text


async def of_line(world: Any, line: Any) -> dict[str, Any]:
    [row] = await world.rows("SELECT reference, status, reason FROM payment WHERE line_id = :id", id=line.line_id)
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize("when", ["asked before", "asked after"])
async def test_what_two_people_declared_failed_is_not_in_a_second_sending(world: Any, maker: Any, checker: Any, when: str) -> None:
    """The partner never had the batch. Its months are payable again: the stored bytes, with it among them, must not go after that."""
    dead, other = world.line(), world.line()
    await world.approve([dead, other])
    await world.script("error_500", seconds=0)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 2}
    if when == "asked before":
        await world.inquire()
        assert await world.value("SELECT state FROM payment_batch") == "RESEND"
    await two_people_say(world, maker, checker, dead, result="FAILED", reason="ACCOUNT_CLOSED")
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 500_000, "payable again"
    for _ in range(3):
        await world.inquire()
        await world.send()
    await world.partner_works()
    await world.apply()
    assert (await of_line(world, dead))["reference"] not in {row["reference"] for row in await world.books()}
    # The other one is not forgotten: it waits for people, who see why.
    assert (await of_line(world, other))["status"] == "UNKNOWN"
    [waits] = (await maker.get("/v1/unknown-payments?for_person=false")).json()["items"]
    assert (waits["batch_state"], "declared dead" in waits["last_error"]) == ("UNCERTAIN", True)
    await two_people_say(world, maker, checker, other, result="FAILED", reason="PARTNER_REFUSED")
    await world.inquire()
    assert await world.value("SELECT state FROM payment_cycle") == "SETTLING"


async def test_nobody_declares_dead_what_is_being_sent_this_moment(world: Any, maker: Any, checker: Any) -> None:
    line = world.line()
    await world.approve([line])
    channel = world.context.lanes["agribank"].channel
    send = channel.send
    said: list[Any] = []

    async def send_while_they_decide(*args: Any) -> Any:
        payment_id = await world.value("SELECT payment_id FROM payment")
        word = {**WITNESS, "result": "FAILED", "reason": "ACCOUNT_CLOSED"}
        proposed = (await maker.post(f"/v1/payments/{payment_id}/manual-results", json=word)).json()
        path = f"/v1/manual-results/{proposed['manual_id']}/decision"
        said.append((path, await checker.post(path, json={"confirm": True, "note": "seen the letter"})))
        return await send(*args)

    channel.send = send_while_they_decide
    await world.send()
    [(path, refused)] = said
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/result-not-possible"), refused.text
    assert await world.statuses() == {"SUBMITTED": 1}
    assert (await checker.post(path, json={"confirm": True, "note": "seen the letter"})).status_code == 200


@pytest.mark.parametrize(
    ("bank", "delivery"),
    [({"channel": "bank_file", "delivery": "MANUAL", "url": ""}, "MANUAL"), ({}, "UPLOAD")],
    indirect=["bank"],
)
async def test_a_file_with_a_payment_that_was_declared_dead_does_not_leave_again(
    bank: Any, operator: Any, client_as: Any, delivery: str
) -> None:
    dead = bank.line()
    await bank.approve([dead, bank.line()])
    await bank.script("no_notices")
    await bank.send()
    batch_id = await bank.value("SELECT batch_id FROM payment_batch")
    people = [client_as(bank.app, Role.DEPARTMENT_OFFICER, subject="maker"), client_as(bank.app, Role.APPROVER, subject="checker")]
    await two_people_say(bank, *people, dead, result="FAILED", reason="ACCOUNT_CLOSED")
    taken = await operator.get(f"/v1/batches/{batch_id}/file", params={"purpose": "giao ngân hàng"})
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/file-holds-dead")
    if delivery == "UPLOAD":
        reason, key = {"reason": "Ngân hàng báo chưa nhận"}, {"Idempotency-Key": "again-number-1"}
        asked = await operator.post(f"/v1/batches/{batch_id}/upload", json=reason, headers=key)
        assert (asked.status_code, asked.json()["type"]) == (409, "/problems/file-holds-dead")
        assert await bank.value("SELECT state FROM payment_batch") == "UNCERTAIN"


async def test_a_partner_that_refuses_the_second_sending_of_what_it_took_is_not_believed(world: Any) -> None:
    """It answered the inquiry before the first request had ended, and then calls the same batch refused: the first copy is being paid."""
    lines = [world.line(), world.line()]
    await world.approve(lines)
    await world.script("not_found_then_accepted", seconds=3_600)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 2}
    await world.inquire()
    channel = world.context.lanes["agribank"].channel

    async def refuse(reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        return BatchAnswer(tuple(Refusal(one, "R-17", "PARTNER_REFUSED") for one in sorted(references)))

    channel.send = refuse
    await world.send()
    assert await world.value("SELECT sends FROM payment_batch") == 2
    assert await world.statuses() == {"UNKNOWN": 2}
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 1_000_000
    aside = await world.rows("SELECT reason, source, payment_id IS NOT NULL AS ours FROM quarantine")
    assert [tuple(row.values()) for row in aside] == [("REJECTED_AFTER_RESEND", "ANSWER", True)] * 2
