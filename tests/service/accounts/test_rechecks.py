"""The rolling re-check by business date, within a provider's rate; failed payments that mark accounts and ask the officer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from accounts.usecases.cut_off import pass_on_once
from accounts.usecases.recheck_accounts import plan_due
from common.actor import Role
from common.contracts.disbursement_v1 import PaymentFailed, PaymentReturned, PaymentSettled
from common.ids import new_id, stable_id

DAY = "2024-08-20"


async def people(world: Any, count: int) -> list[Any]:
    """So many people with a verified account each."""
    made = [world.person(f"BT-{n}", "Trần Thị Hoà", f"0601500000{n:02d}") for n in range(1, count + 1)]
    await world.hear(made)
    for n, person in enumerate(made, start=1):
        number = f"48002050000{n:02d}"
        world.partner.has(number, "TRAN THI HOA", f"0601500000{n:02d}")
        body = {"provider": "Agribank", "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY}
        path = f"/v1/beneficiaries/{person.beneficiary_id}/accounts"
        assert (await world.officer.post(path, json=body, headers={"Idempotency-Key": new_id().hex})).status_code == 201
    await world.drain()
    world.partner.asked.clear()
    return made


@pytest.fixture
def senior(world: Any, client_as: Any) -> Any:
    return client_as(world.app, Role.DEPARTMENT_OFFICER, subject="senior")


async def plan(senior: Any, month: str, day: str) -> dict[str, Any]:
    answer = await senior.post("/v1/rechecks", json={"month": month, "business_date": day}, headers={"Idempotency-Key": new_id().hex})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def waiting(senior: Any) -> dict[str, Any]:
    found = (await senior.get("/v1/rechecks")).json()["waiting"]
    return dict(found[0]) if found else {}


async def test_the_worker_plans_a_month_that_nobody_planned(world: Any, senior: Any) -> None:
    assert not await plan_due(world.db, world.settings), "the registry has named no day"
    await people(world, 3)
    assert not await plan_due(world.db, world.settings), "all were asked about in this month"
    await world.hear([world.person("BT-9", "Lê Văn An", version=1, business_date="2024-09-03")])
    assert await plan_due(world.db, world.settings)
    assert not await plan_due(world.db, world.settings), "once a month"
    (made,) = (await senior.get("/v1/rechecks")).json()["plans"]
    assert (made["month"], made["business_date"], made["urgent"] + made["rolling"] > 0) == ("2024-09", "2024-09-03", True)
    assert (await plan(senior, "2024-09", "2024-09-15"))["plan_id"] == made["plan_id"]
    await plan(senior, "2024-10", "2024-10-01")
    await world.hear([world.person("BT-8", "Lê Văn Ba", business_date="2024-10-03")])
    assert not await plan_due(world.db, world.settings), "a person was first"


async def test_everything_is_asked_about_once_within_the_months_of_the_setting(world, senior) -> None:
    await people(world, 6)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '3' WHERE code = 'RECHECK_MONTHS'")
    asked: list[str] = []
    for month in ("2024-09", "2024-10", "2024-11"):
        made = await plan(senior, month, f"{month}-01")
        assert (made["urgent"], made["rolling"]) == (0, 2)
        assert (await plan(senior, month, f"{month}-15"))["plan_id"] == made["plan_id"]
        await world.drain()
        asked += [number for _, numbers in world.partner.asked for number in numbers]
        world.partner.asked.clear()
    assert len(asked) == len(set(asked)) == 6
    assert len(await world.events("AccountLinked")) == 6  # nothing changed, nothing said
    async with world.db.read() as tx:
        days = {str(row["checked_on"]) for row in await tx.rows("SELECT checked_on FROM account")}
    assert days == {"2024-09-01", "2024-10-01", "2024-11-01"}


async def test_changed_and_failed_accounts_are_asked_about_each_month(world, senior) -> None:
    made = await people(world, 4)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '60' WHERE code = 'RECHECK_MONTHS'")
        await tx.execute("UPDATE account SET status = 'DORMANT', reason = 'DORMANT' WHERE payee_id = :p", p=made[0].beneficiary_id)
    first = await plan(senior, "2024-09", "2024-09-01")
    assert (first["urgent"], first["rolling"]) == (1, 1)
    await world.drain()
    assert (await waiting(senior)) == {}
    closed = [body["status"] for _, body in await world.events("AccountLinked") if body["payee_id"] == str(made[0].beneficiary_id)]
    assert closed[-1] == "ACTIVE"  # no longer dormant: found by the re-check


async def test_a_provider_is_asked_no_faster_than_it_allows_and_the_end_is_shown(world, senior) -> None:
    await people(world, 5)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE provider SET inquiries_per_second = 0.01 WHERE code = 'AGRIBANK'")
        await tx.execute("UPDATE policy_setting SET value = '1' WHERE code = 'RECHECK_MONTHS'")
    await plan(senior, "2024-09", "2024-09-01")
    asked = datetime.now(UTC)
    shown = await waiting(senior)
    assert (shown["partner"], shown["waiting"], shown["per_second"]) == ("agribank", 5, "0.01")
    left = datetime.fromisoformat(shown["expected_end"]) - asked
    assert 400 < left.total_seconds() < 510 + (datetime.now(UTC) - asked).total_seconds()  # five at one in a hundred seconds
    assert await world.checker.run_once()
    assert not await world.checker.run_once()  # its turn is over
    assert [len(numbers) for _, numbers in world.partner.asked] == [1]  # what ten seconds carry, or one
    for _ in range(4):
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE inquiry_pace SET next_free_at = now()")
        assert await world.checker.run_once()
    assert sum(len(numbers) for _, numbers in world.partner.asked) == 5
    assert await waiting(senior) == {}


async def test_a_recheck_goes_on_after_an_outage_keeps_accounts_usable_and_delays_no_cut_off(world, senior) -> None:
    made = await people(world, 3)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '1' WHERE code = 'RECHECK_MONTHS'")
    await plan(senior, "2024-09", "2024-09-01")
    world.partner.script = [httpx.Response(503)]
    await world.drain()
    await world.markers(made)
    assert await pass_on_once(world.db, world.settings)
    assert (await world.operator.get("/v1/quiet")).json()["waiting"]["checks_pending"] == 0
    assert (await world.operator.get("/v1/progress")).json()["by_status"] == {"ACTIVE": 3}
    assert (await waiting(senior))["failing_since"] is not None
    await world.all_due()
    await world.drain()
    assert await waiting(senior) == {}


def payment(event: Any, world: Any, account_id: str | None, reason: str | None, status: str) -> Any:
    return event(
        version=3, business_date=date(2024, 9, 2), payment_id=stable_id("payment", "1"), cycle_id=new_id(),
        beneficiary_id=stable_id("person", "BT-1"), payee_id=stable_id("person", "BT-1"), payee_kind="SELF", status=status, attempt=1,
        reference="R1", amount=1, month="2024-09", months=["2024-09"], programme="MERIT", funding_source="CENTRAL_BUDGET", channel="BANK",
        partner="agribank", reason=reason, unit_code="22924", unit_path="60/593/22924", occurred_at=datetime(2024, 9, 2, tzinfo=UTC),
        account_id=UUID(account_id) if account_id else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("ACCOUNT_CLOSED", "CLOSED"), ("ACCOUNT_NOT_FOUND", "REJECTED"), ("NAME_DIFFERS", "REJECTED"), ("ID_DIFFERS", "REJECTED"),
        ("ACCOUNT_BLOCKED", "DORMANT"), ("NOT_UPGRADED", "NOT_UPGRADED"),
    ],
)  # fmt: skip
async def test_a_failed_payment_marks_the_account_it_names_and_asks_the_officer(world, reason, status) -> None:
    await people(world, 1)
    [(_, linked)] = await world.events("AccountLinked")
    method = f"/v1/beneficiaries/{stable_id('person', 'BT-1')}/payout-method"
    cash = {"method": "CASH_POST", "business_date": "2024-09-01"}
    assert (await world.officer.put(method, json=cash, headers={"If-Match": '"1"'})).status_code == 200  # chosen away meanwhile
    await world.hear([payment(PaymentFailed, world, linked["account_id"], reason, "FAILED")])
    [item] = (await world.officer.get("/v1/reviews", params={"cause": "PAYMENT_FAILED"})).json()["items"]
    assert (item["account_id"], item["status"], item["ask_officer"]) == (linked["account_id"], status, "PAYMENT_FAILED")
    proposal = {"verdict": "REJECT", "reason": "Đã gặp người dân, chọn tiền mặt"}
    headers = {"Idempotency-Key": new_id().hex}
    review = (await world.officer.post(f"/v1/accounts/{item['account_id']}/reviews", json=proposal, headers=headers)).json()["review_id"]
    decided = await world.approver.post(f"/v1/reviews/{review}/decision", json={"agree": True, "business_date": "2024-09-03"})
    assert decided.status_code == 200, decided.text
    assert (await world.officer.get("/v1/reviews")).json()["items"] == []


async def test_money_that_came_back_marks_the_account_and_is_not_counted_as_paid(world) -> None:
    await people(world, 1)
    [(_, linked)] = await world.events("AccountLinked")

    async def paid() -> int:
        return int((await world.operator.get("/v1/counters", params={"unit_code": "22924", "on": DAY})).json()[0]["paid"])

    await world.hear([payment(PaymentSettled, world, None, None, "SETTLED")])
    assert await paid() == 1
    returned = payment(PaymentReturned, world, linked["account_id"], "ACCOUNT_CLOSED", "RETURNED").model_copy(update={"version": 4})
    await world.hear([returned])
    assert await paid() == 0
    assert [body["status"] for _, body in await world.events("AccountClosed")] == ["CLOSED"]
