"""Re-issue lists pay only what definitely failed; uncollected money rolls over; two months together are paid once; funds never mix."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import orjson
import pytest

from common.actor import SYSTEM, Role
from common.contracts import registry_v1
from common.contracts.registry_v1 import DuesLine, Programme
from common.ids import new_id, stable_id
from disbursement.storage import payment_moves

DAY = date(2024, 8, 20)


async def move(province: Any, who: UUID, *statuses: str, reason: str | None = None) -> None:
    """Let a person's latest payment go through these states."""
    for status in statuses:
        async with province.db.transaction(SYSTEM("partner")) as tx:
            await payment_moves.prepare(tx)
            await tx.execute(
                "INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)"
                " SELECT payment_id, :status, :reason, now(), 'NOTICE', 'test' FROM payment WHERE beneficiary_id = :who"
                " ORDER BY payment_id DESC LIMIT 1",
                status=status, reason=reason if status == statuses[-1] else None, who=who,
            )  # fmt: skip
            assert await payment_moves.apply(tx)


async def paid_list(province: Any, **more: Any) -> dict[str, Any]:
    """Open, compute, submit and approve."""
    cycle = await province.open(**more)
    await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    approved = await province.approve(cycle)
    assert approved.status_code == 200, approved.text
    return cycle  # type: ignore[no-any-return]


async def three(province: Any, due: Any) -> list[UUID]:
    """Three people paid by account."""
    people = [new_id() for _ in range(3)]
    for who in people:
        await province.hear(*province.by_account(who, due(500_000)))
    return people


async def test_only_the_failed_ones_are_paid_again_with_the_next_attempt_and_told_as_reissued(province: Any, due: Any) -> None:
    settled, closed, limit = await three(province, due)
    await paid_list(province)
    await move(province, settled, "SUBMITTING", "SETTLED")
    await move(province, closed, "SUBMITTING", "FAILED", reason="ACCOUNT_CLOSED")
    await move(province, limit, "SUBMITTING", "FAILED", reason="LIMIT_EXCEEDED")
    cycle = await province.open(reissue={"reasons": ["ACCOUNT_CLOSED"], "in_cash": True})
    assert cycle["kind"] == "REISSUE"
    await province.compute(cycle)
    lines = await province.lines(cycle)
    assert set(lines) == {str(closed)}
    line = lines[str(closed)]
    assert (line["attempt"], line["amount"], line["channel"], line["cash_reason"]) == (2, 500_000, "CASH_POST", "REISSUED_IN_CASH")
    assert (await province.submit(cycle)).status_code == 200
    same = await province.approve(cycle, province.client_as(province.app, Role.APPROVER, subject="maker"))
    assert same.status_code == 403
    assert (await province.approve(cycle)).status_code == 200
    payments = await province.rows(
        "SELECT attempt, reference, status FROM payment WHERE beneficiary_id = :who ORDER BY attempt", who=closed
    )
    assert [(p["attempt"], p["status"], p["reference"][-3:]) for p in payments] == [(1, "FAILED", "001"), (2, "APPROVED", "002")]
    events = await province.rows(
        "SELECT type FROM outbox WHERE topic = 'disbursement.payment.v1' AND type IN ('PaymentInstructed', 'PaymentReissued') ORDER BY id"
    )
    assert [event["type"] for event in events] == ["PaymentInstructed"] * 3 + ["PaymentReissued"]


@pytest.mark.parametrize("alive", ["SUBMITTED", "UNKNOWN", "SETTLED"])
async def test_what_is_alive_is_never_issued_again(province: Any, due: Any, alive: str) -> None:
    one, two, three_ = await three(province, due)
    await paid_list(province)
    for who in (two, three_):
        await move(province, who, "SUBMITTING", "SETTLED")
    await move(province, one, "SUBMITTING", alive)
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    assert await province.lines(cycle) == {}
    assert (await province.submit(cycle)).json()["type"].endswith("list-empty")


async def test_a_failed_reissue_is_tried_a_third_time_and_a_paid_one_never(province: Any, due: Any) -> None:
    one, two, three_ = await three(province, due)
    first = await paid_list(province)
    for who in (one, two, three_):
        await move(province, who, "SUBMITTING", "FAILED", reason="ACCOUNT_NOT_FOUND")
    second = await paid_list(province, reissue={"cycle_id": first["cycle_id"], "partner": "agribank"})
    assert {line["attempt"] for line in (await province.lines(second)).values()} == {2}
    await move(province, one, "SUBMITTING", "SETTLED")
    await move(province, two, "SUBMITTING", "SETTLED", "RETURNED", reason="RETURNED_BY_PROVIDER")
    await move(province, three_, "SUBMITTING", "FAILED", reason="ACCOUNT_CLOSED")
    third = await paid_list(province, reissue={})
    lines = await province.lines(third)
    assert {who: line["attempt"] for who, line in lines.items()} == {str(two): 3, str(three_): 3}
    again = await province.open(reissue={})
    await province.compute(again)
    assert await province.lines(again) == {}


async def test_the_gate_decides_again_whether_and_how(province: Any, due: Any) -> None:
    one, two, three_ = await three(province, due)
    await paid_list(province)
    for who in (one, two, three_):
        await move(province, who, "SUBMITTING", "FAILED", reason="ACCOUNT_CLOSED")
    account = (await province.rows("SELECT account_id FROM payout_method WHERE beneficiary_id = :who", who=one))[0]["account_id"]
    await province.hear(province.account(one, account, status="CLOSED"), province.beneficiary(two, status="DECEASED"))
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    lines, holds = await province.lines(cycle), await province.holds(cycle)
    assert (lines[str(one)]["channel"], lines[str(one)]["cash_reason"]) == ("CASH_POST", "ACCOUNT_CLOSED")
    assert lines[str(three_)]["channel"] == "BANK"
    assert holds[str(two)]["reason"] == "DECEASED"


async def uncollected_month(province: Any, who: UUID, month: str, day: date) -> None:
    await paid_list(province, month=month, day=day)
    await move(province, who, "SUBMITTING", "UNCOLLECTED", reason="NOT_COLLECTED")


async def cash_person(province: Any, due: Any) -> UUID:
    who: UUID = new_id()
    await province.hear(
        province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who), province.method(who, "CASH_POST")
    )
    return who


async def test_uncollected_money_rolls_over_to_the_next_month_and_its_budget_is_free_once(province: Any, due: Any) -> None:
    who = await cash_person(province, due)
    await uncollected_month(province, who, "2024-09", DAY)
    assert (await province.maker.get("/v1/budgets")).json()["items"][0]["reserved"] == 500_000
    october = await paid_list(province, month="2024-10", day=date(2024, 9, 20))
    line = (await province.lines(october))[str(who)]
    assert (line["months"], line["amount"]) == (["2024-09", "2024-10"], 1_000_000)
    assert (await province.maker.get("/v1/budgets")).json()["items"][0]["reserved"] == 1_000_000
    await move(province, who, "SUBMITTING", "COLLECTED")
    budget = (await province.maker.get("/v1/budgets")).json()["items"][0]
    assert (budget["reserved"], budget["spent"]) == (0, 1_000_000)
    positions = await province.rows("SELECT committed, paid FROM due_month_position ORDER BY month")
    assert positions == [{"committed": 0, "paid": 500_000}] * 2


async def test_three_months_not_collected_propose_a_suspension_and_stop_nothing(province: Any, due: Any) -> None:
    who = await cash_person(province, due)
    months = (("2024-09", DAY), ("2024-10", date(2024, 9, 20)), ("2024-11", date(2024, 10, 20)))
    for month, day in months[:2]:
        await uncollected_month(province, who, month, day)
    officer = province.client_as(province.app, Role.COMMUNE_OFFICER, subject="commune", units=("60/593/22924",))
    assert (await officer.get("/v1/suspension-proposals")).json()["items"] == []
    await uncollected_month(province, who, *months[2])
    [proposal] = (await officer.get("/v1/suspension-proposals")).json()["items"]
    assert (proposal["beneficiary_id"], proposal["months"]) == (str(who), ["2024-09", "2024-10", "2024-11"])
    december = await province.open(month="2024-12", day=date(2024, 11, 20))
    await province.compute(december)
    assert (await province.lines(december))[str(who)]["amount"] == 2_000_000  # nothing was stopped
    form = {"outcome": "DISMISSED", "business_date": "2024-11-21"}
    path = f"/v1/suspension-proposals/{proposal['proposal_id']}/close"
    assert (await province.post(officer, path, form)).status_code == 422
    assert (await province.post(officer, path, form | {"note": "Đang nằm viện"})).json()["state"] == "DISMISSED"
    assert (await province.post(officer, path, form | {"note": "Đang nằm viện"})).status_code == 409
    said = await proposals_said(province)
    assert [(body["version"], body["state"], body["months"]) for body in said] == [
        (1, "OPEN", ["2024-09", "2024-10", "2024-11"]), (2, "DISMISSED", ["2024-09", "2024-10", "2024-11"]),
    ]  # fmt: skip


async def proposals_said(province: Any) -> list[dict[str, Any]]:
    rows = await province.rows("SELECT body FROM outbox WHERE type = 'SuspensionProposed' ORDER BY id")
    return [orjson.loads(row["body"]) for row in rows]


async def test_a_suspension_decided_in_the_register_takes_the_proposal_up(province: Any, due: Any) -> None:
    who = await cash_person(province, due)
    for month, day in (("2024-09", DAY), ("2024-10", date(2024, 9, 20)), ("2024-11", date(2024, 10, 20))):
        await uncollected_month(province, who, month, day)

    def suspended(version: int, on: date) -> Any:
        return registry_v1.EntitlementSuspended(
            version=version, business_date=on, beneficiary_id=who, entitlement_id=stable_id("entitlement", who),
            programme="SOCIAL_ASSISTANCE", funding_source="LOCAL_BUDGET", benefit_line="A01", decision_number="1/QĐ",
            decision_date=date(2024, 1, 1), from_month="2024-01", to_month=None, status="SUSPENDED", unit_code="22924",
            unit_path="60/593/22924",
        )  # fmt: skip

    await province.hear(suspended(1, date(2024, 8, 1)))  # decided before anybody proposed it: of something else
    assert [body["state"] for body in await proposals_said(province)] == ["OPEN"]
    await province.hear(suspended(2, date(2024, 11, 20)))
    assert [body["state"] for body in await proposals_said(province)] == ["OPEN", "TAKEN_UP"]
    assert (await province.maker.get("/v1/suspension-proposals")).json()["items"] == []


async def test_a_month_collected_in_between_breaks_the_row(province: Any, due: Any) -> None:
    who = await cash_person(province, due)
    await uncollected_month(province, who, "2024-09", DAY)
    await paid_list(province, month="2024-10", day=date(2024, 9, 20))
    await move(province, who, "SUBMITTING", "COLLECTED")
    for month, day in (("2024-11", date(2024, 10, 20)), ("2024-12", date(2024, 11, 20))):
        await uncollected_month(province, who, month, day)
    assert (await province.maker.get("/v1/suspension-proposals")).json()["items"] == []


async def test_two_months_together_by_setting_and_the_next_month_pays_nothing_twice(province: Any, due: Any) -> None:
    people = await three(province, due)
    form = {"month": "2024-09", "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": "60",
            "business_date": str(DAY), "two_months_basis": "45/QĐ-UBND"}  # fmt: skip
    refused = await province.post(province.maker, "/v1/cycles", form)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "two-months-not-allowed")
    await province.rule("settings", code="TWO_MONTHS_OTHER_PROGRAMMES", value="ALLOWED")
    cycle = await paid_list(province, two_months_basis="45/QĐ-UBND")
    lines = await province.lines(cycle)
    assert {tuple(line["months"]) for line in lines.values()} == {("2024-09", "2024-10")}
    assert (await province.see(cycle))["covers_to"] == "2024-10"
    october = await province.open(month="2024-10", day=date(2024, 9, 20))
    await province.compute(october)
    assert await province.lines(october) == {}
    assert len(people) == len(lines)


async def test_campaigns_and_lump_sums_flow_like_others_and_funds_never_mix_in_a_batch(province: Any, due: Any) -> None:
    head, widow = new_id(), new_id()
    one_off = due(400_000, "2024-09", "2024-09")
    campaign = DuesLine(programme=Programme.CAMPAIGN, funding_source="CENTRAL_BUDGET", benefit_line="C01", intervals=[one_off])
    funeral = DuesLine(
        programme="SOCIAL_ASSISTANCE", funding_source="LOCAL_BUDGET", benefit_line="F01", intervals=[due(10_000_000, "2024-09", "2024-09")]
    )
    central = DuesLine(programme="SOCIAL_ASSISTANCE", funding_source="CENTRAL_BUDGET", benefit_line="A09", intervals=[due(200_000)])
    await province.hear(*province.by_account(head, due(500_000)), *province.by_account(widow, due(500_000)))
    await province.hear(
        province.dues(head, due(500_000), more=[campaign]), province.dues(widow, due(500_000), more=[funeral, central])
    )  # fmt: skip
    for programme, fund in (("CAMPAIGN", "CENTRAL_BUDGET"), ("SOCIAL_ASSISTANCE", "CENTRAL_BUDGET")):
        budget = {
            "programme": programme,
            "funding_source": fund,
            "unit_code": "60",
            "year": 2024,
            "amount": 10**12,
            "business_date": str(DAY),
        }
        proposed = (await province.post(province.maker, "/v1/budgets", budget)).json()
        await province.post(province.checker, f"/v1/rulings/{proposed['ruling_id']}/approve")
    take_over = {"unit_code": "60", "programme": "CAMPAIGN", "first_month": "2024-09", "business_date": str(DAY)}
    made = (await province.post(province.maker, "/v1/take-overs", take_over)).json()
    await province.post(province.checker, f"/v1/take-overs/{made['take_over_id']}/approve")
    await paid_list(province)
    await paid_list(province, funding_source="CENTRAL_BUDGET")
    await paid_list(province, programme="CAMPAIGN", funding_source="CENTRAL_BUDGET")
    batches = await province.rows(
        "SELECT b.programme, b.funding_source, CAST(sum(p.amount) AS bigint) AS amount, bool_and((p.programme, p.funding_source) ="
        " (b.programme, b.funding_source)) AS pure FROM payment_batch b JOIN payment p USING (batch_id) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert batches == [
        {"programme": "CAMPAIGN", "funding_source": "CENTRAL_BUDGET", "amount": 400_000, "pure": True},
        {"programme": "SOCIAL_ASSISTANCE", "funding_source": "CENTRAL_BUDGET", "amount": 200_000, "pure": True},
        {"programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "amount": 11_000_000, "pure": True},
    ]
