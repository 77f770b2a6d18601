"""Money does not go to the dead, nor years ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.auth import SYSTEM
from common.ids import new_id
from disbursement.storage import allocations

Due = Callable[..., Any]


async def test_a_representative_whose_death_the_register_knows_is_not_paid(province: Any, due: Due) -> None:
    """The office recorded it; the population database said nothing yet."""
    who, rep, account_id = new_id(), new_id(), new_id()
    await province.hear(
        province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who), province.representative(who, rep),
        province.account(rep, account_id), province.method(who, "ACCOUNT", account_id=account_id, payee=rep, kind="REPRESENTATIVE"),
        province.beneficiary(rep, status="DECEASED"),
    )  # fmt: skip
    line = (await province.lines(await province.compute(await province.open())))[str(who)]
    assert (line["channel"], line["payee_id"], line["cash_reason"]) == ("CASH_POST", str(who), "REPRESENTATIVE_NOT_VALID")


async def test_a_representative_who_dies_after_submission_holds_the_line(province: Any, due: Due) -> None:
    who, rep, account_id = new_id(), new_id(), new_id()
    await province.hear(
        province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who), province.representative(who, rep),
        province.account(rep, account_id), province.method(who, "ACCOUNT", account_id=account_id, payee=rep, kind="REPRESENTATIVE"),
        province.beneficiary(rep), *province.by_account(new_id(), due(400_000)),
    )  # fmt: skip
    cycle = await province.compute(await province.open())
    assert (await province.lines(cycle))[str(who)]["payee_id"] == str(rep)
    assert (await province.submit(cycle)).status_code == 200
    await province.hear(province.beneficiary(rep, status="DECEASED"))
    assert (await province.approve(cycle)).status_code == 200
    assert (await province.holds(cycle))[str(who)]["reason"] == "ACCOUNT_CHANGED"


async def test_a_cycle_far_ahead_is_refused(province: Any) -> None:
    form = {"month": "2034-09", "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": "60",
            "business_date": "2024-08-20", "supplementary": False}  # fmt: skip
    answer = await province.post(province.maker, "/v1/cycles", form)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "month"


async def test_a_commune_does_not_reopen_months_the_province_has_closed(province: Any, due: Due) -> None:
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000, "2024-01")))
    form = {"unit_code": "22924", "programme": "SOCIAL_ASSISTANCE", "first_month": "2024-01", "business_date": "2024-08-20"}
    refused = await province.post(province.maker, "/v1/take-overs", form)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/take-over-exists")
    await province.take_over("22924", "2024-10")  # later than the province is a commune that joins later
    assert str(who) not in await province.lines(await province.compute(await province.open()))


async def test_a_line_is_released_once_whoever_asks_again(province: Any, due: Due) -> None:
    """The month belongs to the next list by then: a second release must not take it away."""
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000, "2024-09", "2024-09")))
    first = await province.compute(await province.open())
    assert (await province.submit(first)).status_code == 200
    line_id = (await province.rows("SELECT line_id FROM list_line"))[0]["line_id"]

    async def release() -> int:
        async with province.db.transaction(SYSTEM("test")) as tx:
            return await allocations.release(tx, [line_id])

    assert await release() == 500_000
    second = await province.compute(await province.open(supplementary=True))
    assert (await province.submit(second)).status_code == 200
    assert await release() == 0
    assert await province.rows("SELECT committed, paid FROM due_month_position") == [{"committed": 500_000, "paid": 0}]
