"""Failed, then issued again, by the same or by another channel: the partners' books show exactly one payment to each person."""

from __future__ import annotations

from typing import Any

from common.ids import new_id


async def paid_list(town: Any, **more: Any) -> dict[str, Any]:
    cycle: dict[str, Any] = await town.open(**more)
    await town.compute(cycle)
    assert (await town.submit(cycle)).status_code == 200
    answer = await town.approve(cycle)
    assert answer.status_code == 200, answer.text
    return cycle


async def pay(world: Any) -> None:
    for partner in ("agribank", "vnpost"):
        await world.send(partner)
    await world.partner_works()
    await world.apply()


async def test_who_failed_is_paid_once_by_the_same_channel_or_in_cash(town: Any, world: Any, due: Any) -> None:
    again, cash = new_id(), new_id()
    for number, who in enumerate((again, cash)):
        await town.hear(*town.by_account(who, due(500_000 + number, "2024-09", "2024-09")))
    await paid_list(town)
    await world.script("fail_results")
    await pay(world)
    assert await world.statuses() == {"FAILED": 2}
    account = await world.value("SELECT account_id FROM payout_method WHERE beneficiary_id = :who", who=cash)
    await town.hear(town.account(cash, account, status="CLOSED"))
    cycle = await paid_list(town, reissue={})
    lines = await town.lines(cycle)
    assert {who: line["channel"] for who, line in lines.items()} == {str(again): "BANK", str(cash): "CASH_POST"}
    await pay(world)
    await pay(world)
    tried = await world.rows("SELECT beneficiary_id, attempt, partner, status, reference, amount FROM payment ORDER BY attempt, amount")
    assert [(row["attempt"], row["partner"], row["status"]) for row in tried] == [
        (1, "agribank", "FAILED"), (1, "agribank", "FAILED"), (2, "agribank", "SETTLED"), (2, "vnpost", "COLLECTED"),
    ]  # fmt: skip
    books = {row["reference"]: row for name in ("agribank", "vnpost") for row in await world.books(name)}
    assert set(books) == {row["reference"] for row in tried}
    doubles = (await world.partner_http.get("http://partner/control/doubles")).json()
    assert (doubles["references"], doubles["unbalanced"]) == ([], [])
    for who, amount in ((again, 500_000), (cash, 500_001)):
        got = [books[row["reference"]] for row in tried if row["beneficiary_id"] == who]
        assert [row["amount"] for row in got if row["state"] in {"SETTLED", "COLLECTED"}] == [amount], "exactly one payment"
    last = await town.open(reissue={})
    await town.compute(last)
    assert await town.lines(last) == {}, "nothing is left to issue again"
