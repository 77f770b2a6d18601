"""A list on which everybody is held can be ended, and everybody hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.actor import Role
from common.contracts.disbursement_v1 import PaymentCycleClosed, PaymentHeld, PaymentListApproved
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id

Due = Callable[..., Any]


async def all_held(province: Any, due: Due) -> tuple[list[Any], dict[str, Any]]:
    people = [new_id() for _ in range(3)]
    for who in people:
        await province.hear(*province.by_account(who, due(500_000)), province.verified(who, Verdict.SUSPECTED_IDENTITY))
    return people, await province.compute(await province.open())


async def test_it_is_submitted_approved_by_another_and_closed_and_all_holds_are_told(province: Any, due: Due) -> None:
    people, cycle = await all_held(province, due)
    assert (cycle["lines"], cycle["held"]) == (0, 3)
    assert (await province.submit(cycle)).json()["state"] == "SUBMITTED"
    same = province.client_as(province.app, Role.APPROVER, Role.DEPARTMENT_OFFICER, subject="maker")
    assert (await province.approve(cycle, same)).json()["type"] == "/problems/four-eyes"
    answer = await province.approve(cycle)
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED"), answer.text
    rows = await province.rows("SELECT type, body FROM outbox ORDER BY id")
    held = [PaymentHeld.model_validate_json(row["body"]) for row in rows if row["type"] == "PaymentHeld"]
    assert {event.beneficiary_id for event in held} == set(people)
    assert {(event.reason, event.amount) for event in held} == {("SUSPECTED_IDENTITY", 500_000)}
    approved = next(PaymentListApproved.model_validate_json(row["body"]) for row in rows if row["type"] == "PaymentListApproved")
    assert (approved.lines, approved.held, approved.total_amount) == (0, 3, 0)
    assert await province.rows("SELECT 1 FROM payment_batch UNION ALL SELECT 1 FROM payment") == []
    assert (await province.maker.get("/v1/budgets")).json()["items"][0]["reserved"] == 0
    closed = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/close")
    assert (closed.status_code, closed.json()["state"]) == (200, "CLOSED"), closed.text
    event = (await province.rows("SELECT body FROM outbox WHERE type = 'PaymentCycleClosed'"))[0]["body"]
    assert PaymentCycleClosed.model_validate_json(event).held == 3


async def test_it_needs_no_budget(province: Any, due: Due) -> None:
    _, cycle = await all_held(province, due)
    await province.rows("UPDATE budget SET year = 2030 RETURNING budget_id")
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200


async def test_it_may_be_rejected_and_computed_again_when_people_are_mended(province: Any, due: Due) -> None:
    people, cycle = await all_held(province, due)
    await province.submit(cycle)
    rejected = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/reject", {"reason": "Xác minh lại"})
    assert rejected.json()["state"] == "COMPUTED"
    await province.hear(province.verified(people[0]))
    again = await province.compute(cycle)
    assert (again["lines"], again["held"]) == (1, 2)


async def test_the_held_are_paid_and_released_by_a_later_list(province: Any, due: Due) -> None:
    people, cycle = await all_held(province, due)
    await province.submit(cycle)
    await province.approve(cycle)
    await province.hear(*(province.verified(who) for who in people))
    later = await province.compute(await province.open(supplementary=True))
    await province.submit(later)
    assert (await province.approve(later)).status_code == 200
    assert (await province.rows("SELECT count(*) AS n FROM outbox WHERE type = 'PaymentReleased'"))[0]["n"] == 3


async def test_a_list_that_the_gate_empties_at_approval_is_computed_again(province: Any, due: Due) -> None:
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    await province.hear(province.beneficiary(who, status="DECEASED"))
    assert (await province.approve(cycle)).json()["type"] == "/problems/list-empty"
    await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/reject", {"reason": "Mọi người đều bị giữ"})
    cycle = await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE beneficiary SET status = 'ASTRAY' WHERE beneficiary_id = :who RETURNING 1",
        "UPDATE verification SET verdict = 'PERHAPS' WHERE beneficiary_id = :who RETURNING 1",
    ],
)
@pytest.mark.parametrize("when", ["compute", "approval"])
async def test_words_nobody_knows_hold(province: Any, due: Due, change: str, when: str) -> None:
    who, fine = new_id(), new_id()
    await province.hear(*province.by_account(who, due(500_000)), *province.by_account(fine, due(500_000)))
    if when == "compute":
        await province.rows(change, who=who)
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    if when == "approval":
        await province.rows(change, who=who)
    assert (await province.approve(cycle)).status_code == 200
    assert {person: hold["reason"] for person, hold in (await province.holds(cycle)).items()} == {str(who): "NOT_VERIFIED"}
    assert [row["beneficiary_id"] for row in await province.rows("SELECT beneficiary_id FROM payment")] == [fine]


@pytest.mark.parametrize(("verdict", "payee"), [("PERHAPS", "beneficiary"), ("REVIEW", "representative")])
async def test_a_representative_about_whom_nobody_understands_the_word_does_not_collect(
    province: Any, due: Due, verdict: str, payee: str
) -> None:
    who, rep, account_id = new_id(), new_id(), new_id()
    await province.hear(
        province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who), province.representative(who, rep),
        province.verified(who, subject=rep, fingerprint="r"), province.account(rep, account_id),
        province.method(who, "ACCOUNT", account_id=account_id, payee=rep, kind="REPRESENTATIVE"),
    )  # fmt: skip
    await province.rows("UPDATE verification SET verdict = :verdict WHERE subject_id = :rep RETURNING 1", verdict=verdict, rep=rep)
    line = (await province.lines(await province.compute(await province.open())))[str(who)]
    assert line["payee_id"] == str(who if payee == "beneficiary" else rep)
    assert line["cash_reason"] == ("REPRESENTATIVE_NOT_VERIFIED" if payee == "beneficiary" else None)
