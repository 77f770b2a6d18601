"""Changed accounts wait their cool-down, and nobody is paid while fraud is suspected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from common.ids import new_id

DAY = date(2024, 8, 20)
Due = Callable[..., Any]


def changed(province: Any, who: Any, account_id: Any, **fields: Any) -> Any:
    return province.method(who, "ACCOUNT", account_id=account_id).model_copy(update=fields)


async def test_a_changed_account_waits_and_the_earlier_one_or_cash_is_paid(province: Any, due: Due) -> None:
    old, new = new_id(), new_id()
    with_old, without, over = new_id(), new_id(), new_id()
    for who in (with_old, without, over):
        await province.hear(province.beneficiary(who), province.dues(who, due(360_000)), province.verified(who))
        await province.hear(province.account(who, new if who is over else new_id()))
    first, second, later = new_id(), new_id(), DAY + timedelta(days=3)
    await province.hear(province.account(with_old, first), province.account(with_old, second), province.account(without, old))
    await province.hear(
        changed(province, with_old, second, account_from=later, meanwhile_account_id=first),
        changed(province, without, old, account_from=later),
        changed(province, over, new, account_from=DAY),
    )
    cycle = await province.compute(await province.open())
    lines = await province.lines(cycle)
    assert (lines[str(with_old)]["channel"], lines[str(with_old)]["cash_reason"]) == ("BANK", None)
    assert (lines[str(without)]["channel"], lines[str(without)]["cash_reason"]) == ("CASH_POST", "ACCOUNT_COOLING_DOWN")
    assert lines[str(over)]["channel"] == "BANK"
    [row] = await province.rows("SELECT account_id FROM list_line WHERE beneficiary_id = :id", id=with_old)
    assert row["account_id"] == first
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200
    assert await province.holds(cycle) == {}  # the gate at approval finds the earlier account as good as the list did


async def test_suspected_fraud_holds_before_and_after_the_list(province: Any, due: Due) -> None:
    held, later, other, account_id = new_id(), new_id(), new_id(), new_id()
    for who in (held, later, other):
        await province.hear(*province.by_account(who, due(360_000)))
    await province.hear(changed(province, held, account_id, fraud_suspected=True))
    cycle = await province.compute(await province.open())
    holds = await province.holds(cycle)
    assert {key: (hold["reason"], hold["actor"]) for key, hold in holds.items()} == {str(held): ("FRAUD_SUSPECTED", "DEPARTMENT_OFFICER")}
    assert (await province.submit(cycle)).status_code == 200
    [row] = await province.rows("SELECT account_id FROM payout_method WHERE beneficiary_id = :id", id=later)
    await province.hear(changed(province, later, row["account_id"], fraud_suspected=True))
    answer = await province.approve(cycle)
    assert answer.status_code == 200, answer.text
    assert (await province.holds(cycle))[str(later)]["reason"] == "FRAUD_SUSPECTED"
