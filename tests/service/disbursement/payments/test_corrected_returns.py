"""Money said to have come back, cash said not to have been collected, and both were paid: corrected by two, never paid twice."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date
from typing import Any

import pytest

from common.actor import SYSTEM
from common.ids import new_id
from common.jobs import JobRunner
from disbursement.storage import ledger
from disbursement.storage.gate import DISPUTED_SQL
from disbursement.storage.invariants import INVARIANTS
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler
from disbursement.usecases.recover import look_round

pytestmark = pytest.mark.promise("promises.paid-once")
HEAD = "Ngày giao dịch;Số bút toán;Mã tham chiếu;Ghi nợ;Ghi có;Diễn giải\n"
KEYS = itertools.count(1)
SHOWN = {"happened_on": "2024-09-09", "note": "Đơn vị báo nhầm: tiền đã đến tay", "evidence": "CV 231/NHNo ngày 21/9/2024"}
YES = {"confirm": True, "note": "Đã xem sao kê gốc"}
LATER = "2024-09-09T02:14:07Z"


async def sound(world: Any) -> None:
    async with world.db.transaction(SYSTEM("test")) as tx:
        found = {rule.name: await tx.rows(rule.sql) for rule in INVARIANTS}
    assert {name: rows for name, rows in found.items() if rows} == {}


async def returned(world: Any) -> tuple[Any, str]:
    """The partner tells that it arrived, then that it came back; its books say that it is with the person."""
    line = world.line()
    await world.approve([line])
    await world.script("no_notices")
    await world.send()
    await world.partner_works()
    await world.notice(await world.result("SETTLED", line))
    await world.notice(await world.result("RETURNED", line, occurred_at="2024-09-07T02:14:07Z"))
    assert await world.statuses() == {"RETURNED": 1}
    return line, str(await world.value("SELECT payment_id FROM payment"))


async def uncollected(world: Any) -> tuple[Any, str]:
    line = world.line(partner="vnpost", channel="CASH_POST")
    await world.approve([line])
    await world.send("vnpost")
    await world.notice(await world.result("UNCOLLECTED", line, code="NOT_COLLECTED_CANCELLED"), partner="vnpost")
    assert await world.statuses() == {"UNCOLLECTED": 1}
    return line, str(await world.value("SELECT payment_id FROM payment"))


async def corrected(maker: Any, checker: Any, payment_id: str) -> dict[str, Any]:
    asked = await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)
    assert asked.status_code == 201, asked.text
    path = f"/v1/manual-results/{asked.json()['manual_id']}/decision"
    assert (await maker.post(path, json=YES)).json()["type"] == "/problems/same-witness"
    done = await checker.post(path, json=YES)
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def accepted(world: Any, maker: Any, checker: Any, result: str) -> dict[str, Any]:
    """The one word that waits counts after all, by two people."""
    [word] = (await maker.get("/v1/quarantine")).json()["items"]
    assert word["reason"] == "CONTRADICTION"
    asked = await maker.post(f"/v1/quarantine/{word['quarantine_id']}/acceptance", json={**SHOWN, "result": result})
    assert (asked.status_code, asked.json().get("correction")) == (201, True), asked.text
    done = await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json=YES)
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def transfers(world: Any) -> list[tuple[str, str]]:
    rows = await world.rows("SELECT kind, debit_account || ' ← ' || credit_account AS way FROM ledger_transfer ORDER BY transfer_id")
    return [(row["kind"], row["way"]) for row in rows]


async def balance(http: Any) -> dict[str, int]:
    answer = (await http.get("/v1/ledger/trial-balance")).json()
    assert answer["balanced"]
    return {row["account"]: row["balance"] for row in answer["rows"] if row["balance"]}


async def test_what_was_said_to_have_come_back_is_corrected_by_two(world: Any, maker: Any, checker: Any) -> None:
    line, payment_id = await returned(world)
    await world.notice(await world.result("SETTLED", line))
    assert await world.value("SELECT count(*) FROM quarantine") == 0, "an old word that comes late says nothing new"
    await world.notice(await world.result("SETTLED", line, occurred_at=LATER))
    assert await world.statuses() == {"RETURNED": 1}, "no word of a partner does it"
    assert await world.value(f"SELECT count(*) FROM ({DISPUTED_SQL}) x") == 1, "its month is not paid again while it waits"
    done = await accepted(world, maker, checker, "SETTLED")
    assert (done["payment_status"], done["beyond_due"]) == ("SETTLED", 0)
    assert [kind for kind, _ in await transfers(world)] == ["RESERVE", "SEND", "SETTLE", "RETURN", "CORRECT"]
    assert await balance(maker) == {"BUDGET": -500_000, "SETTLED": 500_000}
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    assert await world.rows("SELECT paid, committed FROM due_month_position") == [{"paid": 500_000, "committed": 0}]
    said = [(kind, body["version"]) for kind, body in await world.events()][-2:]
    assert said == [("PaymentReturned", 5), ("PaymentSettled", 6)]
    await sound(world)
    await world.notice(await world.result("RETURNED", line, occurred_at="2024-09-12T02:14:07Z"))
    assert await world.statuses() == {"RETURNED": 1}, "it goes on like any other that arrived"
    assert await balance(maker) == {}
    await sound(world)
    assert (await corrected(maker, checker, payment_id))["payment_status"] == "SETTLED", "and may be put right again"
    assert await balance(maker) == {"BUDGET": -500_000, "SETTLED": 500_000}
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    await sound(world)


async def test_what_was_said_not_to_be_collected_is_corrected_by_two(world: Any, maker: Any, checker: Any) -> None:
    line, payment_id = await uncollected(world)
    case = {"kind": "INVESTIGATION", "reason": "Người dân báo đã nhận tiền", "business_date": "2024-09-10"}
    assert (await maker.post(f"/v1/payments/{payment_id}/cases", json=case)).status_code == 201
    await world.notice(await world.result("COLLECTED", line, occurred_at=LATER), partner="vnpost")
    assert await world.statuses() == {"UNCOLLECTED": 1}
    assert (await accepted(world, maker, checker, "COLLECTED"))["payment_status"] == "COLLECTED"
    assert (await transfers(world))[2:] == [("UNCOLLECT", "UNCOLLECTED ← IN_TRANSIT"), ("CORRECT", "SETTLED ← UNCOLLECTED")]
    assert await balance(maker) == {"BUDGET": -500_000, "SETTLED": 500_000}
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    assert await world.rows("SELECT paid, committed FROM due_month_position") == [{"paid": 500_000, "committed": 0}]
    async with world.owner() as tx:
        freed = await ledger.free_uncollected(tx, business_date=date(2024, 10, 1), cycle_id=world.cycle_id, partner="vnpost")
    assert freed == (0, 0), "nothing of it waits for a later list"
    kind, body = (await world.events())[-1]
    assert (kind, body["status"], body["version"]) == ("CashCollected", "COLLECTED", 5)
    await sound(world)


async def test_what_was_taken_back_from_the_partner_comes_out_of_the_budget_again(world: Any, maker: Any, checker: Any) -> None:
    _, payment_id = await uncollected(world)
    async with world.owner() as tx:
        await ledger.free_uncollected(tx, business_date=date(2024, 10, 1), cycle_id=world.cycle_id, partner="vnpost")
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 0}]
    await corrected(maker, checker, payment_id)
    assert [way for kind, way in await transfers(world) if kind in {"TAKE_BACK", "CORRECT"}] == [
        "BUDGET ← UNCOLLECTED", "SETTLED ← BUDGET",
    ]  # fmt: skip
    assert await balance(maker) == {"BUDGET": -500_000, "SETTLED": 500_000}
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    await sound(world)


async def statement(world: Any, client: Any, *rows: tuple[str, str, int, str]) -> dict[str, int]:
    """A statement with these lines (day, reference, đồng, OUT or IN); the verdicts."""
    lines = [
        f"{day};FT{next(KEYS)};{reference};{amount if way == 'OUT' else ''};{amount if way == 'IN' else ''};\n"
        for day, reference, amount, way in rows
    ]
    answer = await client.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11"},
        files={"file": ("sao-ke.csv", (HEAD + "".join(lines)).encode(), "text/csv")},
        headers={"Idempotency-Key": f"statement-{next(KEYS)}"},
    )
    assert answer.status_code == 202, answer.text
    runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
    while await runner.run_one():
        pass
    found = (await client.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    return {row["verdict"]: row["lines"] for row in found["verdicts"]}


async def ended_paid(maker: Any, checker: Any) -> dict[str, Any]:
    """Two people end the one open difference as paid."""
    [difference] = (await maker.get("/v1/breaks?business_date=2024-09-11&state=OPEN")).json()["items"]
    path = f"/v1/breaks/{difference['break_id']}/resolution"
    about = {"note": SHOWN["note"], "evidence": SHOWN["evidence"], "business_date": "2024-09-11"}
    proposed = await maker.post(path, json={**about, "resolution": "PAID"})
    assert proposed.status_code == 200, proposed.text
    done = await checker.post(f"{path}/decision", json={**YES, "business_date": "2024-09-11"})
    assert done.status_code == 200, done.text
    found: dict[str, Any] = difference
    return found


@pytest.mark.slow
async def test_what_went_out_again_by_its_statement_is_paid_when_two_people_say_so(world: Any, maker: Any, checker: Any) -> None:
    await returned(world)
    reference = await world.value("SELECT reference FROM payment")
    amount = 500_000
    came_back = [("05/09/2024", reference, amount, "OUT"), ("07/09/2024", reference, amount, "IN")]
    assert await statement(world, maker, *came_back) == {"MATCHED": 1, "REVERSED": 1}
    assert await statement(world, maker, ("09/09/2024", reference, amount, "OUT")) == {"STATUS_DIFFERS": 1}
    said = await ended_paid(maker, checker)
    assert (said["waiting"], said["beyond_due"], said["payment_status"]) == (1, 0, "RETURNED")
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT CAST(occurred_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) FROM payment") == date(2024, 9, 9)
    await sound(world)
    assert await statement(world, maker, ("10/09/2024", reference, amount, "OUT")) == {"DUPLICATE": 1}
    assert await statement(world, maker, ("11/09/2024", reference, amount, "IN")) == {"RETURN_UNCONFIRMED": 1}
    assert await world.statuses() == {"SETTLED": 1}


async def test_a_second_debit_of_what_is_told_to_have_come_back_keeps_its_months(world: Any, maker: Any, checker: Any) -> None:
    """No credit stands between the two debits: of what went out twice, once came back at most."""
    await returned(world)
    reference = await world.value("SELECT reference FROM payment")
    assert await statement(world, maker, ("05/09/2024", reference, 500_000, "OUT")) == {"MATCHED": 1}
    assert await statement(world, maker, ("09/09/2024", reference, 500_000, "OUT")) == {"STATUS_DIFFERS": 1}
    assert await world.value(f"SELECT count(*) FROM ({DISPUTED_SQL}) x") == 1
    await ended_paid(maker, checker)
    assert await world.statuses() == {"SETTLED": 1}
    await sound(world)


@pytest.mark.slow
async def test_the_one_debit_of_a_batch_says_nothing_of_what_came_back(world: Any, maker: Any, checker: Any) -> None:
    back, failed = world.line(), world.line()
    await world.approve([back, failed])
    await world.script("no_notices")
    await world.send()
    await world.partner_works()
    await world.notice(await world.result("SETTLED", back), await world.result("FAILED", failed, code="ACCOUNT_CLOSED"))
    await world.notice(await world.result("RETURNED", back, occurred_at="2024-09-07T02:14:07Z"))
    assert await world.statuses() == {"RETURNED": 1, "FAILED": 1}
    batch = await world.value("SELECT reference FROM payment_batch")
    assert await statement(world, maker, ("05/09/2024", batch, 1_000_000, "OUT")) == {"AMOUNT_DIFFERS": 1}
    await ended_paid(maker, checker)
    assert await world.statuses() == {"RETURNED": 1, "SETTLED": 1}
    assert await world.value("SELECT line_id FROM payment WHERE status = 'SETTLED'") == failed.line_id
    await sound(world)


async def test_two_words_at_once_are_judged_as_one_after_the_other(world: Any, maker: Any) -> None:
    """It came back and went out again, and both are told in one message: the months are not given back."""
    line = world.line()
    await world.approve([line])
    await world.send()
    again = await world.result("SETTLED", line, occurred_at=LATER)
    await world.notice(await world.result("RETURNED", line), again)
    assert await world.statuses() == {"SUBMITTED": 1}, "a person looks, and its partner is asked"
    found = await world.rows("SELECT reason, says_paid FROM quarantine ORDER BY says_paid")
    assert found == [{"reason": "CONTRADICTION", "says_paid": paid} for paid in (False, True)]
    await world.notice(await world.result("SETTLED", line), await world.result("RETURNED", line, occurred_at=LATER))
    assert await world.statuses() == {"RETURNED": 1}, "in this order it is what became of it"


@pytest.mark.slow
async def test_who_was_proposed_for_not_collecting_is_not_any_more(world: Any, maker: Any, checker: Any) -> None:
    _, payment_id = await uncollected(world)
    async with world.owner() as tx:
        await tx.execute(
            "INSERT INTO suspension_proposal (beneficiary_id, programme, months, amount, payment_id, business_date, unit_code, unit_path)"
            " SELECT beneficiary_id, programme, '{2024-07,2024-08,2024-09}', amount, payment_id, business_date, unit_code, unit_path"
            " FROM payment"
        )
    await corrected(maker, checker, payment_id)
    assert await world.rows("SELECT state, closed_by, version FROM suspension_proposal") == [
        {"state": "DISMISSED", "closed_by": "checker", "version": 2}
    ]
    assert await world.value("SELECT count(*) FROM outbox WHERE type = 'SuspensionProposed'") == 1
    assert await world.value("SELECT subject FROM audit_log WHERE action = 'suspension.close'") == "checker"
    await sound(world)


async def test_a_correction_waits_for_the_list_that_rolls_the_money_over(world: Any, maker: Any, checker: Any) -> None:
    """Both want the same cash: whoever comes second sees where the first has put it."""
    _, payment_id = await uncollected(world)
    asked = (await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).json()
    async with world.owner() as tx:
        await ledger.free_uncollected(tx, business_date=date(2024, 10, 1), cycle_id=world.cycle_id, partner="vnpost")
        deciding = asyncio.create_task(checker.post(f"/v1/manual-results/{asked['manual_id']}/decision", json=YES))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not deciding.done() and not await world.value(waits):
            await asyncio.sleep(0.01)
        assert not deciding.done(), "it went on as if nobody were moving the money"
    assert (await deciding).status_code == 200
    assert (await transfers(world))[-1] == ("CORRECT", "SETTLED ← BUDGET")
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    await sound(world)


@pytest.mark.slow
async def test_cash_rolled_over_and_paid_again_becomes_a_recovery_case(town: Any, world: Any, due: Any, maker: Any, checker: Any) -> None:
    who = new_id()
    await town.hear(town.beneficiary(who), town.dues(who, due(500_000, "2024-09", "2024-09")), town.verified(who))
    await town.hear(town.method(who, "CASH_POST"))
    for more in ({}, {"supplementary": True}):
        cycle = await town.open(**more)
        await town.compute(cycle)
        assert (await town.submit(cycle)).status_code == 200
        assert (await town.approve(cycle)).status_code == 200
        await world.send("vnpost")
        [row] = await world.rows("SELECT payment_id, reference FROM payment WHERE status = 'SUBMITTED'")
        word, code = ("COLLECTED", None) if more else ("UNCOLLECTED", "NOT_COLLECTED_CANCELLED")
        await world.notice({
            "reference": row["reference"], "status": word, "amount": 500_000, "currency": "VND", "code": code,
            "partner_reference": "FT-1", "occurred_at": "2024-09-05T02:14:07Z",
        }, partner="vnpost")  # fmt: skip
    assert await world.statuses() == {"UNCOLLECTED": 1, "COLLECTED": 1}
    first = str(await world.value("SELECT payment_id FROM payment WHERE status = 'UNCOLLECTED'"))
    assert (await corrected(maker, checker, first))["beyond_due"] == 500_000
    assert (await transfers(world))[-1] == ("CORRECT", "SETTLED ← BUDGET")
    await sound(world)
    await look_round(world.db)
    assert await world.rows("SELECT beneficiary_id, amount, state FROM recovery_case") == [
        {"beneficiary_id": who, "amount": 500_000, "state": "OPEN"}
    ]
    await sound(world)
