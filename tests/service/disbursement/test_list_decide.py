"""Submitting and deciding: nothing is committed twice, four eyes, the gate again, budget, hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from common.actor import Role
from common.contracts.disbursement_v1 import PaymentCycleOpened, PaymentHeld, PaymentListApproved, PaymentListComputed, PaymentReleased
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id

Due = Callable[..., Any]
BOOKS = "SELECT coalesce(sum(committed), 0) AS committed, coalesce(sum(paid), 0) AS paid FROM due_month_position"


async def three(province: Any, due: Due) -> list[Any]:
    people = [new_id() for _ in range(3)]
    for who in people:
        await province.hear(*province.by_account(who, due(500_000)))
    return people


async def committed(province: Any) -> int:
    return int((await province.rows(BOOKS))[0]["committed"])


async def test_the_whole_path_creates_payments_and_events(province: Any, due: Due) -> None:
    await three(province, due)
    cycle = await province.compute(await province.open())
    assert (await province.submit(cycle)).json()["state"] == "SUBMITTED"
    assert await committed(province) == 1_500_000
    answer = await province.approve(cycle)
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED"), answer.text
    assert answer.headers["etag"] == f'"{cycle["list_hash"]}"'
    assert (await province.rows("SELECT count(*) AS n, sum(amount) AS amount FROM payment"))[0] == {"n": 3, "amount": 1_500_000}
    events = {row["type"]: row["body"] for row in await province.rows("SELECT type, body FROM outbox ORDER BY id")}
    opened = PaymentCycleOpened.model_validate_json(events["PaymentCycleOpened"])
    computed = PaymentListComputed.model_validate_json(events["PaymentListComputed"])
    approved = PaymentListApproved.model_validate_json(events["PaymentListApproved"])
    assert opened.version < computed.version < approved.version
    assert (approved.lines, approved.held, approved.total_amount, approved.list_hash) == (3, 0, 1_500_000, cycle["list_hash"])
    budget = (await province.maker.get("/v1/budgets")).json()["items"][0]
    assert (budget["reserved"], budget["left"]) == (1_500_000, 10**12 - 1_500_000)


async def test_a_second_list_for_the_month_pays_only_what_became_due_since(province: Any, due: Due) -> None:
    people = await three(province, due)
    first = await province.compute(await province.open())
    await province.submit(first)
    await province.approve(first)
    again = await province.compute(await province.open(supplementary=True))
    assert (again["lines"], again["total_amount"]) == (0, 0)
    assert (await province.submit(again)).json()["type"] == "/problems/list-empty"
    await province.hear(province.dues(people[0], due(620_000)))  # a rise, applied backwards
    again = await province.compute(again)
    assert {who: line["amount"] for who, line in (await province.lines(again)).items()} == {str(people[0]): 120_000}


async def test_a_second_main_cycle_is_refused(province: Any) -> None:
    await province.open(markers=False)
    form = {
        "month": "2024-09",
        "programme": "SOCIAL_ASSISTANCE",
        "funding_source": "LOCAL_BUDGET",
        "unit_code": "60",
        "business_date": "2024-08-20",
    }
    answer = await province.post(province.maker, "/v1/cycles", form)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/cycle-exists")


async def test_two_concurrent_submits_of_overlapping_lists_commit_once(province: Any, due: Due) -> None:
    await three(province, due)
    whole, district = await province.open(), await province.open(unit="593")
    whole, district = await province.compute(whole), await province.compute(district)
    assert whole["total_amount"] == district["total_amount"] == 1_500_000
    answers = await asyncio.gather(province.submit(whole), province.submit(district))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["type"] == "/problems/list-outdated"
    assert await committed(province) == 1_500_000
    loser = district if answers[0].status_code == 200 else whole
    assert (await province.compute(loser))["lines"] == 0


async def test_the_same_cycle_submitted_twice_at_once(province: Any, due: Due) -> None:
    await three(province, due)
    cycle = await province.compute(await province.open())
    answers = await asyncio.gather(*(province.submit(cycle) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await committed(province) == 1_500_000


async def test_a_death_between_compute_and_submit_asks_for_a_new_list(province: Any, due: Due) -> None:
    people = await three(province, due)
    cycle = await province.compute(await province.open())
    await province.hear(province.dues(people[0]))
    answer = await province.submit(cycle)
    assert (answer.status_code, answer.json()["type"], len(answer.json()["lines"])) == (409, "/problems/list-outdated", 1)
    assert await committed(province) == 0
    assert (await province.compute(cycle))["lines"] == 2


async def test_four_eyes_and_roles(province: Any, due: Due) -> None:
    await three(province, due)
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    same = province.client_as(province.app, Role.APPROVER, Role.DEPARTMENT_OFFICER, subject="maker")
    assert (await province.approve(cycle, same)).json()["type"] == "/problems/four-eyes"
    assert (await province.approve(cycle, province.maker)).status_code == 403
    elsewhere = province.client_as(province.app, Role.APPROVER, subject="c2", units=("91",))
    assert (await province.approve(cycle, elsewhere)).status_code == 404
    assert (await province.approve(cycle)).status_code == 200


async def test_take_over_needs_a_second_person(province: Any) -> None:
    form = {"unit_code": "22927", "programme": "MERIT", "first_month": "2024-09", "business_date": "2024-08-20"}
    both = province.client_as(province.app, Role.DEPARTMENT_OFFICER, Role.APPROVER, subject="both")
    made = (await province.post(both, "/v1/take-overs", form)).json()
    assert (await province.post(both, f"/v1/take-overs/{made['take_over_id']}/approve")).json()["type"] == "/problems/four-eyes"
    assert (await province.post(province.maker, "/v1/take-overs", form)).json()["type"] == "/problems/take-over-exists"
    assert (await province.post(province.checker, f"/v1/take-overs/{made['take_over_id']}/reject")).json()["state"] == "REJECTED"
    assert (await province.post(province.maker, "/v1/take-overs", form)).status_code == 201


async def test_another_hash_and_an_altered_list_are_refused(province: Any, due: Due) -> None:
    people = await three(province, due)
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    path = f"/v1/cycles/{cycle['cycle_id']}/approve"
    assert (await province.post(province.checker, path, {"list_hash": "0" * 64})).json()["type"] == "/problems/list-hash-mismatch"
    await province.rows("UPDATE list_line SET account_version = 9 WHERE beneficiary_id = :who RETURNING line_id", who=people[0])
    assert (await province.approve(cycle)).json()["type"] == "/problems/list-hash-mismatch"
    assert (await province.rows("SELECT count(*) AS n FROM payment"))[0]["n"] == 0


async def test_changes_between_submit_and_approve_are_held(province: Any, due: Due) -> None:
    people = [new_id() for _ in range(6)]
    for who in people:
        await province.hear(*province.by_account(who, due(500_000)))
    fine, account, died, stopped, suspect, other = people
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    account_id = (await province.rows("SELECT account_id FROM payout_method WHERE beneficiary_id = :who", who=account))[0]["account_id"]
    await province.hear(
        province.account(account, account_id, status="CLOSED"), province.beneficiary(died, status="DECEASED"), province.dues(stopped),
        province.verified(suspect, Verdict.SUSPECTED_IDENTITY), province.method(other, "ACCOUNT", account_id=new_id()),
    )  # fmt: skip
    answer = await province.approve(cycle)
    assert (answer.status_code, answer.json()["withdrawn"]) == (200, 5), answer.text
    holds = {who: hold["reason"] for who, hold in (await province.holds(cycle)).items()}
    assert holds == {
        str(account): "ACCOUNT_CHANGED", str(died): "DECEASED", str(stopped): "STOPPED", str(suspect): "SUSPECTED_IDENTITY",
        str(other): "ACCOUNT_CHANGED",
    }  # fmt: skip
    assert [row["beneficiary_id"] for row in await province.rows("SELECT beneficiary_id FROM payment")] == [fine]
    assert await committed(province) == 500_000
    assert (await province.rows("SELECT count(*) AS n FROM outbox WHERE type = 'PaymentHeld'"))[0]["n"] == 5
    assert (await province.maker.get(f"/v1/cycles/{cycle['cycle_id']}/verify-list")).json()["agrees"]
    assert (await province.maker.get("/v1/budgets")).json()["items"][0]["reserved"] == 500_000


async def test_rejection_frees_what_was_committed(province: Any, due: Due) -> None:
    await three(province, due)
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    answer = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/reject", {"reason": "Sai mức"})
    assert (answer.json()["state"], answer.json()["reason"]) == ("COMPUTED", "Sai mức")
    assert await committed(province) == 0
    assert (await province.compute(cycle))["total_amount"] == 1_500_000
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/compute")).json()["type"] == "/problems/illegal-cycle-move"


@pytest.mark.parametrize(("amount", "problem"), [(None, "budget-missing"), (1_499_999, "budget-exceeded")])
async def test_budget(province: Any, due: Due, amount: int | None, problem: str) -> None:
    if amount is None:
        await three(province, due)
        cycle = await province.compute(await province.open("2025-01", day=date(2024, 12, 20)))
    else:
        await province.budget(amount)
        await three(province, due)
        cycle = await province.compute(await province.open())
    assert (await province.submit(cycle)).status_code == 200
    answer = await province.approve(cycle)
    assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{problem}")
    assert (await province.see(cycle))["state"] == "SUBMITTED"


async def test_the_same_request_again_has_the_same_answer(province: Any, due: Due) -> None:
    await three(province, due)
    cycle = await province.compute(await province.open())
    path = f"/v1/cycles/{cycle['cycle_id']}/submit"
    first = await province.post(province.maker, path, key="submit-once")
    again = await province.post(province.maker, path, key="submit-once")
    assert (first.json(), first.status_code) == (again.json(), again.status_code)
    assert again.headers["idempotent-replayed"] == "true"
    other = await province.post(province.maker, path, {"list_hash": "0" * 64}, key="submit-once")
    assert other.status_code == 422


async def test_a_hold_is_released_when_a_later_list_pays(province: Any, due: Due) -> None:
    waits, fine = new_id(), new_id()
    await province.hear(*province.by_account(waits, due(500_000)), *province.by_account(fine, due(500_000)))
    await province.hear(province.verified(waits, Verdict.SUSPECTED_IDENTITY))
    first = await province.compute(await province.open())
    await province.submit(first)
    await province.approve(first)
    await province.hear(province.verified(waits))
    again = await province.compute(await province.open(supplementary=True))
    await province.submit(again)
    assert (await province.approve(again)).status_code == 200
    rows = await province.rows("SELECT type, body FROM outbox WHERE type IN ('PaymentHeld', 'PaymentReleased') ORDER BY id")
    held, released = PaymentHeld.model_validate_json(rows[0]["body"]), PaymentReleased.model_validate_json(rows[1]["body"])
    assert len(rows) == 2
    assert (released.hold_id, released.released, released.version) == (held.hold_id, True, held.version + 1)
    assert held.months == released.months == ["2024-09"]
    assert (await province.holds(first))[str(waits)]["released"]
