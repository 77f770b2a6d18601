"""A later list held the money of a payment that was dead then and was corrected since: the hold names it, whatever it tells later."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from test_replaced import approved, corrected, said

from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id


async def told(world: Any, *kinds: str) -> list[tuple[str, int, dict[str, int]]]:
    return [(kind, body["amount"], body["replaces"]) for kind, body in await world.events() if kind in kinds]


@pytest.fixture
async def failed(town: Any, world: Any, due: Any) -> tuple[UUID, UUID]:
    """Somebody whose payment failed, and who is suspected since; the payment."""
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await world.script("no_notices")
    await approved(town, supplementary=False)
    await world.send()
    [first] = await world.rows("SELECT payment_id, reference FROM payment")
    await said(world, first["reference"], "FAILED", 500_000)
    await town.hear(town.verified(who, Verdict.SUSPECTED_IDENTITY))
    return who, first["payment_id"]


async def test_a_hold_that_is_released_still_names_what_paid_it(
    town: Any, world: Any, due: Any, client_as: Any, failed: tuple[UUID, UUID]
) -> None:
    who, first = failed
    assert not await approved(town, supplementary=True)
    await corrected(world, client_as, first)
    await town.hear(town.verified(who), town.dues(who, due(700_000, "2024-09", "2024-09")))
    assert await approved(town, supplementary=True), "what came beside is paid"
    both = [("PaymentHeld", 500_000, {str(first): 0}), ("PaymentReleased", 500_000, {str(first): 0})]
    assert await told(world, "PaymentHeld", "PaymentReleased") == both


async def test_what_was_corrected_before_its_hold_was_told_is_named(
    town: Any, world: Any, due: Any, client_as: Any, failed: tuple[UUID, UUID]
) -> None:
    _, first = failed
    cycle = await town.open(supplementary=True)
    await town.compute(cycle)
    assert (await town.submit(cycle)).status_code == 200
    await corrected(world, client_as, first)
    assert (await town.approve(cycle)).status_code == 200
    assert await told(world, "PaymentHeld") == [("PaymentHeld", 500_000, {str(first): 0})]


async def test_a_hold_made_after_the_correction_is_of_other_money(
    town: Any, world: Any, due: Any, client_as: Any, failed: tuple[UUID, UUID]
) -> None:
    who, first = failed
    await corrected(world, client_as, first)
    await town.hear(town.dues(who, due(700_000, "2024-09", "2024-09")))
    assert not await approved(town, supplementary=True)
    assert await told(world, "PaymentHeld") == [("PaymentHeld", 200_000, {})]
