"""Lists under odd but honest circumstances: no money at all, exactly enough, and people who move between two steps."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from common.auth import Role
from common.ids import new_id

HERE = {"unit_code": "22924", "unit_path": "60/593/22924"}
THERE = {"unit_code": "22927", "unit_path": "60/593/22927"}


async def budget_of(province: Any, amount: int, unit: str = "60") -> httpx.Response:
    """Propose the year's amount anew and have it approved: the answer of whichever refuses."""
    form = {"programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": unit, "year": 2024, "amount": amount,
            "business_date": "2024-08-20"}  # fmt: skip
    proposed = await province.post(province.maker, "/v1/budgets", form)
    if proposed.status_code != 201:
        return proposed  # type: ignore[no-any-return]
    return await province.post(province.checker, f"/v1/rulings/{proposed.json()['ruling_id']}/approve")  # type: ignore[no-any-return]


async def submitted(province: Any, due: Any, people: int = 2, **more: Any) -> tuple[dict[str, Any], list[Any]]:
    who = [new_id() for _ in range(people)]
    for one in who:
        await province.hear(*province.by_account(one, due(500_000)))
    cycle = await province.open(**more)
    await province.compute(cycle)
    answer = await province.submit(cycle)
    assert answer.status_code == 200, answer.text
    return cycle, who


async def money(province: Any, unit: str = "60") -> tuple[int, int, int]:
    (row,) = await province.rows("SELECT amount, reserved, spent FROM budget WHERE unit_code = :u", u=unit)
    return row["amount"], row["reserved"], row["spent"]


@pytest.mark.parametrize("amount", [0, 999_999])
async def test_no_budget_or_one_dong_too_little_pays_nobody(province: Any, due: Any, amount: int) -> None:
    assert (await budget_of(province, amount)).status_code == 200
    cycle, _ = await submitted(province, due)
    refused = await province.approve(cycle)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "budget-exceeded")
    assert (refused.json()["left"], refused.json()["needed"]) == (amount, 1_000_000)
    assert await province.rows("SELECT 1 FROM payment") == []
    assert (await province.see(cycle))["state"] == "SUBMITTED"
    assert await money(province) == (amount, 0, 0)


async def test_exactly_enough_is_enough_and_leaves_nothing(province: Any, due: Any) -> None:
    assert (await budget_of(province, 1_000_000)).status_code == 200
    cycle, _ = await submitted(province, due)
    assert (await province.approve(cycle)).status_code == 200
    assert await money(province) == (1_000_000, 1_000_000, 0)
    less = await budget_of(province, 999_999)
    assert (less.status_code, less.json()["type"].rsplit("/", 1)[-1]) == (409, "budget-exceeded")
    one = new_id()
    await province.hear(*province.by_account(one, due(1)))
    second = await province.open(supplementary=True)
    await province.compute(second)
    assert (await province.submit(second)).status_code == 200
    assert (await province.approve(second)).json()["left"] == 0


async def test_a_list_that_only_holds_needs_no_budget_even_of_nothing(province: Any, due: Any) -> None:
    assert (await budget_of(province, 0)).status_code == 200
    held = new_id()
    await province.hear(province.beneficiary(held, status="DECEASED"), province.dues(held, due(400_000)), province.verified(held))
    cycle = await province.open()
    await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).json()["state"] == "APPROVED"


async def test_who_moves_between_submission_and_sending_is_paid_where_the_list_has_them(province: Any, due: Any) -> None:
    """The list names the unit of its cut-off: hash, budget and who sees the payment stay; the next month is the new commune's."""
    assert (await budget_of(province, 10**9, "22924")).status_code == 200
    cycle, (stays, moves) = await submitted(province, due, unit="22924")
    before = (await province.see(cycle))["list_hash"]
    await province.hear(province.beneficiary(moves, **THERE), province.dues(moves, due(500_000)).model_copy(update=THERE))
    assert (await province.see(cycle))["list_hash"] == before
    assert {line["unit_path"] for line in (await province.lines(cycle)).values()} == {HERE["unit_path"]}
    approved = await province.approve(cycle)
    assert (approved.json()["state"], approved.json()["withdrawn"]) == ("APPROVED", 0)
    await province.hear(province.beneficiary(stays, **THERE), province.dues(stays, due(500_000)).model_copy(update=THERE))
    paid = await province.rows("SELECT DISTINCT unit_path, unit_code, amount FROM payment")
    assert paid == [{**HERE, "amount": 500_000}]
    assert await money(province, "22924") == (10**9, 1_000_000, 0)
    assert (await money(province))[1] == 0  # the province's own budget bears nothing
    old, new = (
        province.client_as(province.app, Role.COMMUNE_OFFICER, units=(unit["unit_path"],), subject=unit["unit_code"])
        for unit in (HERE, THERE)
    )
    assert (len((await old.get("/v1/payments")).json()["items"]), len((await new.get("/v1/payments")).json()["items"])) == (2, 0)
    found = {name: (await client.post("/v1/counter", json={"month": "2024-09", "file_code": f"BT-{moves.hex[-6:]}"})).json()["people"]
             for name, client in (("old", old), ("new", new))}  # fmt: skip
    assert found["old"] == []  # the person is the new commune's now
    (person,) = found["new"]
    assert [payment["amount"] for payment in person["payments"]] == [500_000]
    other = await province.open(unit="22927")
    await province.compute(other)
    assert await province.lines(other) == {}  # the month is committed: nobody is on two communes' lists
    october = await province.open(month="2024-10", unit="22927")
    await province.compute(october)
    assert set(await province.lines(october)) == {str(stays), str(moves)}
