"""A payment that we hold dead and whose partner says that it arrived is not paid again before a person has ended the dispute."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from common.actor import SYSTEM, Role
from common.ids import new_id
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.payment import ResultStatus
from disbursement.storage import batches
from disbursement.usecases.record_results import Told, record_results

DAY = date(2024, 8, 20)


async def say(province: Any, who: UUID, *words: str, amount: int | None = None, currency: str = "VND") -> None:
    """The partner says this of a person's first payment, one word after the other; in our amount and currency if nothing else is said."""
    [payment] = await province.rows(
        "SELECT reference, partner, amount, payment_id, line_id FROM payment WHERE beneficiary_id = :who ORDER BY attempt LIMIT 1", who=who
    )
    for word in words:
        async with province.db.transaction(SYSTEM("partner:agribank")) as tx:
            await tx.execute(
                "UPDATE payment SET status = 'SUBMITTING' WHERE payment_id = :id AND status = 'APPROVED'", id=payment["payment_id"]
            )
            told = PartnerResult(
                reference=payment["reference"], status=ResultStatus(word), amount=amount or payment["amount"], currency=currency,
                reason={"FAILED": "ACCOUNT_CLOSED", "UNCOLLECTED": "NOT_COLLECTED"}.get(word), partner_reference="FT1",
                occurred_at=datetime(2024, 9, 5, tzinfo=UTC), said={"status": word},
            )  # fmt: skip
            await record_results(tx, payment["partner"], "NOTICE", [Told(str(new_id()), told)])


async def paid_list(province: Any, **more: Any) -> dict[str, Any]:
    cycle: dict[str, Any] = await province.open(**more)
    await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    approved = await province.approve(cycle)
    assert approved.status_code == 200, approved.text
    return cycle


async def verify(province: Any, cycle: dict[str, Any]) -> dict[str, Any]:
    from disbursement.usecases.verify_list import ListVerifier

    found: dict[str, Any] = await ListVerifier(province.db).verify(UUID(cycle["cycle_id"]))
    return found


async def cash_person(province: Any, due: Any) -> UUID:
    who: UUID = new_id()
    await province.hear(
        province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who), province.method(who, "CASH_POST")
    )
    return who


async def test_failed_then_settled_waits_for_a_person_and_is_paid_once_the_word_is_dismissed(province: Any, due: Any) -> None:
    who, other = new_id(), new_id()
    for person in (who, other):
        await province.hear(*province.by_account(person, due(500_000)))
    await paid_list(province)
    await say(province, who, "FAILED", "SETTLED")
    await say(province, other, "FAILED")
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    assert set(await province.lines(cycle)) == {str(other)}
    hold = (await province.holds(cycle))[str(who)]
    assert (hold["reason"], hold["amount"], hold["actor"]) == ("PAYMENT_DISPUTED", 500_000, "DEPARTMENT_OFFICER")
    assert (await verify(province, cycle))["agrees"]
    [word] = (await province.maker.get("/v1/quarantine")).json()["items"]
    dismissal = f"/v1/quarantine/{word['quarantine_id']}/dismiss", {"note": "CV 12: chưa chi, hoàn"}
    assert (await province.post(province.maker, *dismissal)).status_code == 200
    await province.compute(cycle)
    assert set(await province.lines(cycle)) == {str(other)}, "one person's word does not pay it again"
    second = province.client_as(province.app, Role.DEPARTMENT_OFFICER, subject="second")
    assert (await province.post(second, *dismissal)).json()["outcome"] == "DISMISSED"
    assert (await verify(province, cycle))["agrees"], "the list is still what it was made from"
    await province.compute(cycle)
    assert set(await province.lines(cycle)) == {str(who), str(other)}


@pytest.mark.parametrize(
    ("word", "said"),
    [("SETTLED", {"amount": 499_000}), ("SETTLED", {"currency": "USD"}), ("COLLECTED", {})],
    ids=["another amount", "another currency", "another channel"],
)
@pytest.mark.parametrize("first", [True, False], ids=["said first", "said last"])
async def test_a_word_of_other_money_about_a_failed_payment_keeps_its_month_closed_as_well(
    province: Any, due: Any, word: str, said: dict[str, Any], first: bool
) -> None:
    """Set aside for its amount it still says that money went: the month is not paid again before two people have looked."""
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    await paid_list(province)
    if first:
        await say(province, who, word, **said)
    await say(province, who, "FAILED")
    if not first:
        await say(province, who, word, **said)
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    assert await province.lines(cycle) == {}
    assert (await province.holds(cycle))[str(who)]["reason"] == "PAYMENT_DISPUTED"
    [waits] = (await province.maker.get("/v1/quarantine")).json()["items"]
    dismissal = f"/v1/quarantine/{waits['quarantine_id']}/dismiss", {"note": "CV 12: chưa chi, hoàn"}
    assert (await province.post(province.maker, *dismissal)).json()["outcome"] is None
    second = province.client_as(province.app, Role.DEPARTMENT_OFFICER, subject="second")
    assert (await province.post(second, *dismissal)).json()["outcome"] == "DISMISSED"
    await province.compute(cycle)
    assert set(await province.lines(cycle)) == {str(who)}


async def test_a_failure_of_another_amount_closes_nothing(province: Any, due: Any) -> None:
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    await paid_list(province)
    await say(province, who, "FAILED", amount=499_000)
    await say(province, who, "FAILED")
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    assert set(await province.lines(cycle)) == {str(who)}


async def test_uncollected_then_collected_leaves_the_month_out_and_pays_the_next(province: Any, due: Any) -> None:
    who = await cash_person(province, due)
    await paid_list(province)
    await say(province, who, "UNCOLLECTED", "COLLECTED")
    october = await province.open(month="2024-10", day=date(2024, 9, 20))
    await province.compute(october)
    line = (await province.lines(october))[str(who)]
    assert line["months"] == ["2024-10"]
    [waits] = line["waiting"]
    assert (waits["month"], waits["amount"], waits["reason"], waits["actor"]) == (
        "2024-09",
        500_000,
        "PAYMENT_DISPUTED",
        "DEPARTMENT_OFFICER",
    )
    report = (await province.maker.get(f"/v1/cycles/{october['cycle_id']}/precheck?kind=MONTHS_WAIT")).json()
    [found] = report["items"]
    assert (report["counts"]["MONTHS_WAIT"], found["beneficiary_id"], found["now"]) == (1, str(who), 500_000)
    assert found["detail"].startswith("09/2024 A01: Đơn vị chi trả báo đã chi")
    assert (await verify(province, october))["agrees"]


@pytest.mark.parametrize("when", ["before approval", "before sending"])
async def test_a_word_that_comes_later_takes_the_line_off(province: Any, due: Any, when: str) -> None:
    who, other = new_id(), new_id()
    for person in (who, other):
        await province.hear(*province.by_account(person, due(500_000)))
    await paid_list(province)
    for person in (who, other):
        await say(province, person, "FAILED")
    cycle = await province.open(reissue={})
    await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    if when == "before approval":
        await say(province, who, "SETTLED")
        assert (await province.approve(cycle)).json()["withdrawn"] == 1
        assert (await province.holds(cycle))[str(who)]["reason"] == "PAYMENT_DISPUTED"
    else:
        assert (await province.approve(cycle)).status_code == 200
        await say(province, who, "SETTLED")
        [batch] = await province.rows("SELECT batch_id FROM payment_batch WHERE cycle_id = :id", id=UUID(cycle["cycle_id"]))
        async with province.db.transaction(SYSTEM("worker")) as tx:
            from disbursement.storage import payment_moves

            await payment_moves.prepare(tx)
            assert await batches.gate(tx, batch["batch_id"], business_date=DAY, grace_days=7, limits="[]") == 1
            assert await tx.value("SELECT reason FROM payment_move") == "PAYMENT_DISPUTED"
    positions = await province.rows("SELECT committed + paid AS taken FROM due_month_position WHERE beneficiary_id = :who", who=who)
    assert positions[0]["taken"] == (0 if when == "before approval" else 500_000)
