"""Months that were paid, given back and are due again are paid again: exactly what is missing, once, in the partner's books."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common.actor import SYSTEM, Role
from common.ids import new_id
from disbursement.storage.invariants import INVARIANTS
from disbursement.usecases.recover import look_round

DAY = date(2024, 8, 20)


async def list_of(town: Any, **more: Any) -> dict[str, Any]:
    cycle: dict[str, Any] = await town.open(**more)
    await town.compute(cycle)
    return cycle


async def approved(town: Any, **more: Any) -> dict[str, Any]:
    cycle = await list_of(town, **more)
    assert (await town.submit(cycle)).status_code == 200
    answer = await town.approve(cycle)
    assert answer.status_code == 200, answer.text
    return cycle


async def pay(world: Any) -> None:
    await world.send()
    await world.partner_works()
    await world.apply()


async def look(world: Any) -> None:
    async with world.owner() as tx:
        await tx.execute("UPDATE recovery_check SET next_at = now()")
    await look_round(world.db)


async def sound(world: Any) -> None:
    """No promise of the books is broken."""
    async with world.db.transaction(SYSTEM("test")) as tx:
        found = {rule.name: await tx.rows(rule.sql) for rule in INVARIANTS}
    assert {name: rows for name, rows in found.items() if rows} == {}


async def received(world: Any) -> list[int]:
    """What arrived, in the partner's books."""
    doubles = (await world.partner_http.get("http://partner/control/doubles")).json()
    assert (doubles["references"], doubles["unbalanced"]) == ([], [])
    return sorted(row["amount"] for row in await world.books() if row["state"] == "SETTLED")


async def gives_back(world: Any, client_as: Any, *amounts: int) -> dict[str, Any]:
    """The person repays, one paper after the other, each by two people; the case then."""
    one, two = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="one"), client_as(world.app, Role.APPROVER, subject="two")
    path = f"/v1/recoveries/{await world.value('SELECT recovery_id FROM recovery_case ORDER BY recovery_id DESC LIMIT 1')}"
    for amount in amounts:
        number = f"GNT-{new_id().hex[-8:]}"
        form = {"amount": amount, "document_number": number, "document_date": "2024-10-10"}
        made = await one.post(f"{path}/repayments", json=form, headers={"Idempotency-Key": f"key-{number}"})
        assert made.status_code == 201, made.text
        yes = {"approve": True, "business_date": "2024-10-11"}
        done = await two.post(f"{path}/repayments/{made.json()['repayment_id']}/decision", json=yes)
        assert done.status_code == 200, done.text
    return dict((await one.get(path)).json())


@pytest.fixture
async def paid(town: Any, world: Any, due: Any) -> UUID:
    """Somebody who was paid September; it then turned out not to be due, and a case is open."""
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await approved(town)
    await pay(world)
    await town.hear(town.dues(who))
    await look(world)
    return who


async def test_what_was_paid_given_back_and_is_due_again_is_paid_again_once(
    town: Any, world: Any, due: Any, client_as: Any, paid: UUID
) -> None:
    assert (await gives_back(world, client_as, 500_000))["state"] == "REPAID"
    cycle = await list_of(town, supplementary=True)
    assert await town.lines(cycle) == {}, "given back, and not due"
    await town.hear(town.dues(paid, due(500_000, "2024-09", "2024-09")))
    await look(world)
    again = await approved(town, supplementary=True)
    assert (await town.lines(again))[str(paid)]["amount"] == 500_000
    await pay(world)
    assert await received(world) == [500_000, 500_000]
    assert await town.lines(await list_of(town, supplementary=True)) == {}
    assert await world.rows("SELECT paid, repaid, committed FROM due_month_position") == [
        {"paid": 1_000_000, "repaid": 500_000, "committed": 0}
    ]
    await look(world)
    assert await world.rows("SELECT state, amount, recovered FROM recovery_case") == [
        {"state": "REPAID", "amount": 500_000, "recovered": 500_000}
    ]
    await sound(world)
    await town.hear(town.dues(paid))
    await look(world)
    cases = await world.rows("SELECT state, amount FROM recovery_case ORDER BY recovery_id")
    assert cases == [{"state": "REPAID", "amount": 500_000}, {"state": "OPEN", "amount": 500_000}], "the second payment is asked for too"


async def test_of_a_half_repaid_month_exactly_the_half_is_paid(town: Any, world: Any, due: Any, client_as: Any, paid: UUID) -> None:
    case = await gives_back(world, client_as, 150_000, 100_000)
    assert (case["state"], case["left"], case["items"][0]["repaid"]) == ("REPAYING", 250_000, 250_000)
    await town.hear(town.dues(paid, due(500_000, "2024-09", "2024-09")))
    await look(world)
    assert await world.rows("SELECT state, amount, recovered FROM recovery_case") == [
        {"state": "REPAID", "amount": 250_000, "recovered": 250_000}
    ]
    balance = await world.rows(
        "SELECT account, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)::bigint AS rest FROM ledger_entry"
        " WHERE account LIKE 'RECOVER%' GROUP BY 1 ORDER BY 1"
    )
    assert balance == [{"account": "RECOVERED", "rest": 250_000}, {"account": "RECOVERY", "rest": 0}]
    again = await approved(town, supplementary=True)
    assert (await town.lines(again))[str(paid)]["amount"] == 250_000
    await pay(world)
    assert await received(world) == [250_000, 500_000]
    assert await town.lines(await list_of(town, supplementary=True)) == {}
    await sound(world)


@pytest.mark.slow
async def test_two_lists_at_once_pay_the_reinstated_month_once(town: Any, world: Any, due: Any, client_as: Any, paid: UUID) -> None:
    await gives_back(world, client_as, 500_000)
    await town.hear(town.dues(paid, due(500_000, "2024-09", "2024-09")))
    first = await list_of(town, supplementary=True)
    second = await list_of(town, month="2024-10", day=date(2024, 9, 20))
    assert {str(paid)} == set(await town.lines(first)) == set(await town.lines(second))
    assert (await town.submit(first)).status_code == 200
    late = await town.submit(second)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/list-outdated")
    assert (await town.approve(first)).status_code == 200
    await pay(world)
    await town.compute(second)
    assert await town.lines(second) == {}
    assert await received(world) == [500_000, 500_000]
    await sound(world)


@pytest.mark.slow
async def test_what_was_waived_stays_with_the_person_and_covers_no_other_month(
    town: Any, world: Any, due: Any, client_as: Any, paid: UUID
) -> None:
    one, two = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="one"), client_as(world.app, Role.APPROVER, subject="two")
    path = f"/v1/recoveries/{await world.value('SELECT recovery_id FROM recovery_case')}/waiver"
    word = {"note": "Hộ đặc biệt khó khăn", "business_date": "2024-10-02"}
    await one.post(path, json=word)
    assert (await two.post(f"{path}/decision", json={**word, "approve": True})).json()["state"] == "WAIVED"
    both = [due(500_000, "2024-09", "2024-09"), due(400_000, "2024-10", "2024-10")]
    await town.hear(town.dues(paid, *both))
    october = await approved(town, month="2024-10", day=date(2024, 9, 20))
    assert (await town.lines(october))[str(paid)]["amount"] == 400_000, "September is with the person"
    await pay(world)
    await town.hear(town.dues(paid, both[0]))
    await look(world)
    assert await world.rows("SELECT state, amount, months FROM recovery_case ORDER BY recovery_id DESC LIMIT 1") == [
        {"state": "OPEN", "amount": 400_000, "months": [date(2024, 10, 1)]}
    ]
    await sound(world)


@pytest.mark.slow
async def test_money_that_comes_back_twice_waits_for_a_person(town: Any, world: Any, client_as: Any, paid: UUID) -> None:
    await gives_back(world, client_as, 500_000)
    [payment] = await world.rows("SELECT reference, amount FROM payment")
    await world.notice({
        "reference": payment["reference"], "status": "RETURNED", "amount": payment["amount"], "currency": "VND", "code": None,
        "partner_reference": "FT-9", "occurred_at": "2024-10-12T02:14:07Z",
    })  # fmt: skip
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT reason FROM quarantine") == "EFFECT_MISMATCH"
    await sound(world)


async def test_what_the_partner_sends_back_is_not_asked_of_the_person(town: Any, world: Any, paid: UUID) -> None:
    [payment] = await world.rows("SELECT reference, amount FROM payment")
    await world.notice({
        "reference": payment["reference"], "status": "RETURNED", "amount": payment["amount"], "currency": "VND", "code": None,
        "partner_reference": "FT-9", "occurred_at": "2024-10-12T02:14:07Z",
    })  # fmt: skip
    await look(world)
    assert await world.rows("SELECT state, amount FROM recovery_case") == [{"state": "CANCELLED", "amount": 0}]
    await sound(world)
