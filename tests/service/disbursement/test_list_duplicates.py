"""Somebody probably registered twice: the file the register marks is held, and paid again once two people decided there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.contracts.envelope import Event
from common.ids import new_id

Due = Callable[..., Any]


def _marked(province: Any, who: UUID, marked: bool) -> Event:
    event: Event = province.beneficiary(who).model_copy(update={"unresolved_duplicate": marked})
    return event


async def test_the_marked_file_is_held_and_the_other_paid(province: Any, due: Due) -> None:
    first, second = new_id(), new_id()
    await province.hear(*province.by_account(first, due(500_000)), *province.by_account(second, due(500_000)))
    await province.hear(_marked(province, second, True))
    cycle = await province.compute(await province.open())
    assert set(await province.lines(cycle)) == {str(first)}
    hold = (await province.holds(cycle))[str(second)]
    assert (hold["reason"], hold["actor"]) == ("DUPLICATE", "DISTRICT_OFFICER")
    await province.submit(cycle)
    assert (await province.approve(cycle)).status_code == 200
    await province.hear(_marked(province, second, False))
    again = await province.compute(await province.open(supplementary=True))
    assert {who: line["amount"] for who, line in (await province.lines(again)).items()} == {str(second): 500_000}


async def test_a_mark_that_comes_after_submitting_takes_the_line_off(province: Any, due: Due) -> None:
    first, second = new_id(), new_id()
    await province.hear(*province.by_account(first, due(500_000)), *province.by_account(second, due(500_000)))
    cycle = await province.compute(await province.open())
    await province.submit(cycle)
    await province.hear(_marked(province, second, True))
    answer = await province.approve(cycle)
    assert (answer.status_code, answer.json()["withdrawn"]) == (200, 1), answer.text
    assert (await province.holds(cycle))[str(second)]["reason"] == "DUPLICATE"
    assert [row["beneficiary_id"] for row in await province.rows("SELECT beneficiary_id FROM payment")] == [first]
