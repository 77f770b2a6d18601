"""A later payment or hold of a month says what is still due of the dead payments before it: reporting counts what is due once."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from common.actor import Role
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id
from disbursement.domain.payment import DEAD, PAID


async def approved(town: Any, *, supplementary: bool) -> bool:
    """One more list of the month; whether it pays anybody."""
    cycle = await town.open(supplementary=supplementary)
    await town.compute(cycle)
    paid = bool(await town.lines(cycle))
    if not paid and not await town.holds(cycle):
        return False
    assert (await town.submit(cycle)).status_code == 200
    assert (await town.approve(cycle)).status_code == 200
    return paid


async def said(world: Any, reference: str, word: str, amount: int) -> None:
    await world.notice({
        "reference": reference, "status": word, "amount": amount, "currency": "VND",
        "code": "ACCOUNT_CLOSED" if word in {"FAILED", "RETURNED"} else None, "partner_reference": "FT-1",
        "occurred_at": "2024-09-05T02:14:07Z",
    })  # fmt: skip


async def told(world: Any) -> dict[str, dict[str, Any]]:
    """The newest word of each payment, in the order they were made."""
    newest: dict[str, dict[str, Any]] = {}
    for kind, body in await world.events():
        if "payment_id" in body and kind != "SuspensionProposed":
            newest[body["payment_id"]] = body
    return newest


def unpaid(newest: dict[str, dict[str, Any]]) -> int:
    """What a reader of these events takes to be owed: of a dead payment what the newest word about it leaves."""
    owed = 0
    for payment_id, body in newest.items():
        if body["status"] in PAID:
            continue
        words = [other["replaces"][payment_id] for other in newest.values() if payment_id in other["replaces"]]
        owed += words[-1] if body["status"] in DEAD and words else body["amount"]
    return owed


async def test_what_is_less_due_than_died_is_all_that_is_unpaid(town: Any, world: Any, due: Any) -> None:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await world.script("no_notices")
    await approved(town, supplementary=False)
    await world.send()
    [first] = await world.rows("SELECT payment_id, reference FROM payment")
    await said(world, first["reference"], "FAILED", 500_000)
    await town.hear(town.dues(who, due(300_000, "2024-09", "2024-09")))
    assert await approved(town, supplementary=True)
    newest = await told(world)
    assert [(body["amount"], body["replaces"]) for body in newest.values()] == [(500_000, {}), (300_000, {str(first["payment_id"]): 0})]
    assert unpaid(newest) == 300_000
    await world.send()
    [second] = await world.rows("SELECT reference FROM payment WHERE amount = 300000")
    await said(world, second["reference"], "SETTLED", 300_000)
    assert unpaid(await told(world)) == 0


async def test_a_corrected_failure_leaves_nothing_of_the_second_try_that_died(town: Any, world: Any, due: Any, client_as: Any) -> None:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await world.script("no_notices")
    await approved(town, supplementary=False)
    await world.send()
    [first] = await world.rows("SELECT payment_id, reference FROM payment")
    await said(world, first["reference"], "FAILED", 500_000)
    assert await approved(town, supplementary=True)
    await world.send()
    [second] = await world.rows("SELECT reference FROM payment WHERE status = 'SUBMITTED'")
    await said(world, second["reference"], "FAILED", 500_000)
    assert unpaid(await told(world)) == 500_000
    await corrected(world, client_as, first["payment_id"])
    assert unpaid(await told(world)) == 0, "the month was paid by the first; of the second nothing is owed"


@pytest.mark.slow
async def test_more_money_beside_a_payment_on_its_way_is_not_a_second_try_of_it(town: Any, world: Any, due: Any) -> None:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await world.script("no_notices")
    await approved(town, supplementary=False)
    await world.send()
    await town.hear(town.dues(who, due(1_100_000, "2024-09", "2024-09")))
    assert await approved(town, supplementary=True)
    [first, second] = await world.rows("SELECT payment_id, reference, amount FROM payment ORDER BY payment_id")
    await said(world, first["reference"], "FAILED", 500_000)
    await world.send()
    await said(world, second["reference"], "SETTLED", 600_000)
    newest = await told(world)
    assert newest[str(second["payment_id"])]["replaces"] == {str(first["payment_id"]): 500_000}
    assert unpaid(newest) == 500_000
    await town.hear(town.verified(who, Verdict.SUSPECTED_IDENTITY))
    assert not await approved(town, supplementary=True)
    [held] = [body for kind, body in await world.events() if kind == "PaymentHeld"]
    assert (held["amount"], held["replaces"]) == (500_000, {str(first["payment_id"]): 0}), "what is owed is held now"


async def corrected(world: Any, client_as: Any, payment_id: UUID) -> None:
    """Two people say that it was paid all the same."""
    maker = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="maker")
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    shown = {"happened_on": "2024-09-05", "note": "Ngân hàng báo nhầm: đã ghi có", "evidence": "CV 230/NHNo ngày 20/9/2024"}
    asked = await maker.post(f"/v1/payments/{payment_id}/corrections", json=shown)
    assert asked.status_code == 201, asked.text
    yes = {"confirm": True, "note": "Đã xem sao kê gốc"}
    done = await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json=yes)
    assert done.status_code == 200, done.text


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_after_any_lists_of_a_month_what_the_events_leave_unpaid_is_what_is_due(
    town: Any, world: Any, due: Any, client_as: Any, seed: int
) -> None:
    """Seeds from 6 on: what died, or came back, is now and then corrected to paid."""
    dice = random.Random(seed)
    who: UUID = new_id()
    owed = 500_000
    await town.hear(*town.by_account(who, due(owed, "2024-09", "2024-09")))
    await world.script("no_notices", rows=1_000)
    await approved(town, supplementary=False)
    for turn in range(6):
        await world.send()
        for row in await world.rows("SELECT reference, amount FROM payment WHERE status = 'SUBMITTED' ORDER BY payment_id"):
            if turn == 0 or dice.random() < 0.7:
                word = "FAILED" if turn == 0 else dice.choice(["FAILED", "FAILED", "RETURNED", "SETTLED"])
                await said(world, row["reference"], word, row["amount"])
        dead = await world.rows("SELECT payment_id FROM payment WHERE status IN ('FAILED', 'RETURNED') ORDER BY payment_id")
        if seed >= 6 and turn % 2 and dead:
            await corrected(world, client_as, dice.choice(dead)["payment_id"])
        owed = dice.choice([owed, owed, 200_000, 300_000, 700_000, 1_000_000])
        await town.hear(town.dues(who, due(owed, "2024-09", "2024-09")))
        if await approved(town, supplementary=True):
            newest = await told(world)
            held = sum(body["amount"] for body in newest.values() if body["status"] not in DEAD)
            paid = sum(body["amount"] for body in newest.values() if body["status"] in PAID)
            assert unpaid(newest) == held - paid == max(owed, held) - paid
    assert any(body["replaces"] for body in (await told(world)).values()), "a story in which nothing is paid again tells nothing"
