"""Faults seen in systems of this kind, each shown not to be ours. The verdict is the partner's books where money is concerned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from common.ids import new_id
from disbursement.usecases.create_payments import create_payments


@pytest.fixture(autouse=True)
async def verdict(world: Any) -> AsyncIterator[None]:
    """Whatever happened: the partners have each payment of ours at most once, under its reference, with its amount, and no other."""
    yield
    ours = {row["reference"]: row["amount"] for row in await world.rows("SELECT reference, amount FROM payment")}
    for partner in ("agribank", "vnpost"):
        books = await world.books(partner)
        assert len({row["reference"] for row in books}) == len(books)
        assert {row["reference"]: row["amount"] for row in books}.items() <= ours.items()
    doubles = (await world.partner_http.get("http://partner/control/doubles")).json()
    assert (doubles["references"], doubles["unbalanced"]) == ([], [])


async def sent(world: Any, *lines: Any) -> None:
    await world.approve(list(lines))
    for partner in {line.partner for line in lines}:
        await world.send(partner)


async def test_a_slow_bank_is_not_sent_a_second_transfer(world: Any) -> None:
    await world.approve([world.line()])
    lane = world.context.lanes["agribank"]
    lane.channel.partner = lane.partner.model_copy(update={"timeout_seconds": 0.1})
    await world.script("timeout_after_accept", seconds=5)
    for _ in range(3):
        await world.send()
    lane.channel.partner = lane.partner
    for _ in range(3):
        await world.inquire()
        await world.send()
    assert await world.value("SELECT sends FROM payment_batch") == 1
    assert len(await world.books()) == 1


@pytest.mark.parametrize("amount", [1, 499_999, 500_001, 500_000.0, "500000", None, True, 2**70])
async def test_an_amount_that_is_not_ours_is_not_believed(world: Any, amount: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line, amount=amount))
    assert await world.statuses() == {"SUBMITTED": 1}
    assert await world.value("SELECT reason FROM quarantine") == "AMOUNT_DIFFERS"


async def test_one_unknown_line_blocks_nothing(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    stranger = await world.result("SETTLED", line, reference="NOBODY")
    await world.notice(stranger, await world.result("SETTLED", line), stranger)
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT state FROM partner_notice") == "APPLIED"


async def test_the_same_message_twice_counts_once(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    for webhook_id in ("wh_1", "wh_1", "wh_2"):
        await world.notice(await world.result("SETTLED", line), webhook_id=webhook_id)
    assert await world.value("SELECT count(*) FROM ledger_transfer WHERE kind = 'SETTLE'") == 1
    assert await world.value("SELECT paid FROM due_month_position") == 500_000


async def test_a_list_makes_its_payments_once(world: Any) -> None:
    await world.approve([world.line(), world.line()])
    with pytest.raises(DBAPIError, match=r"payment_one_living_attempt|payment_line_id_attempt_key|payment_reference_key"):
        async with world.owner() as tx:
            await create_payments(tx, world.cycle_id, world.list_id, await tx.value("SELECT business_date FROM payment_cycle"))
    await world.send()
    assert len(await world.books()) == 2


async def test_a_month_has_no_second_main_cycle(world: Any) -> None:
    await world.approve([world.line()])
    with pytest.raises(DBAPIError, match="payment_cycle_month_programme"):
        async with world.owner() as tx:
            await tx.execute(
                "INSERT INTO payment_cycle SELECT (jsonb_populate_record(c, jsonb_build_object('cycle_id', CAST(:id AS uuid)))).*"
                " FROM payment_cycle c", id=new_id(),
            )  # fmt: skip


async def test_one_bad_payee_does_not_block_the_batch(world: Any) -> None:
    bad, *good = (world.line() for _ in range(5))
    await world.approve([bad, *good])
    async with world.owner() as tx:
        await tx.execute("UPDATE list_line SET account_number_token = 'v1:t1:x:y:AAAA' WHERE line_id = :id", id=bad.line_id)
    await world.send()
    assert len(await world.books()) == 4
    assert await world.value("SELECT count(*) FROM hold WHERE beneficiary_id = :who", who=bad.beneficiary_id) == 1


async def test_the_same_person_stands_once_in_a_list(world: Any) -> None:
    await world.approve([world.line()])
    with pytest.raises(DBAPIError, match="list_line_list_id_beneficiary_id_key"):
        async with world.owner() as tx:
            await tx.execute(
                "INSERT INTO list_line SELECT (jsonb_populate_record(l, jsonb_build_object('line_id', CAST(:id AS uuid)))).*"
                " FROM list_line l",
                id=new_id(),
            )


async def test_totals_are_exact_where_floats_are_not(world: Any) -> None:
    lines = [world.line(amount=amount) for amount in (9_007_199_254_740_993, 1, 333_333_333_333_333)]
    await world.approve(lines)
    total = 9_007_199_254_740_993 + 1 + 333_333_333_333_333
    assert float(total) != total
    assert await world.value("SELECT sum(amount)::bigint FROM payment_batch") == total
    assert await world.value("SELECT sum(amount)::bigint FROM ledger_transfer WHERE kind = 'RESERVE'") == total


async def test_an_unsigned_statement_is_nobodys(world: Any) -> None:
    import httpx

    transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
        answer = await http.post("/v1/webhooks/partners/agribank/statements?file_name=s.csv", content=b"a,b\n1,2\n")
        upload = await http.post("/v1/statements", files={"file": ("s.csv", b"a,b")}, data={"partner": "agribank"})
    assert (answer.status_code, upload.status_code) == (401, 401)
    assert await world.value("SELECT count(*) FROM statement") == 0


@pytest.mark.parametrize(("first", "then"), [("UNCOLLECTED", "COLLECTED"), ("COLLECTED", "UNCOLLECTED")])
async def test_uncollected_then_collected_waits_for_a_person(world: Any, first: str, then: str) -> None:
    line = world.line(partner="vnpost", channel="CASH_POST")
    await sent(world, line)
    for word in (first, then):
        await world.notice(await world.result(word, line), partner="vnpost")
    assert await world.statuses() == {first: 1}
    assert await world.value("SELECT reason FROM quarantine") == "CONTRADICTION"
    assert await world.value("SELECT paid FROM due_month_position") == (500_000 if first == "COLLECTED" else 0)


async def test_uncollected_and_collected_in_one_notice_are_both_set_aside(world: Any) -> None:
    line = world.line(partner="vnpost", channel="CASH_HOME")
    await sent(world, line)
    await world.notice(*[await world.result(word, line) for word in ("UNCOLLECTED", "COLLECTED")], partner="vnpost")
    assert await world.statuses() == {"SUBMITTED": 1}
    assert await world.value("SELECT count(*) FROM quarantine WHERE reason = 'CONTRADICTION'") == 2
