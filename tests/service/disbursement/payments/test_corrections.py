"""A payment that its partner wrongly told to have failed: corrected by two people with evidence, never by a notice, never absorbed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common.actor import SYSTEM, Role
from common.ids import new_id
from disbursement.storage.invariants import INVARIANTS
from disbursement.usecases.recover import look_round
from disbursement.usecases.run_cases import look_round as cases_round

SHOWN = {"happened_on": "2024-09-05", "note": "Ngân hàng báo nhầm: đã ghi có", "evidence": "CV 230/NHNo ngày 20/9/2024"}
YES = {"confirm": True, "note": "Đã xem sao kê gốc"}


async def told_to_have_failed(world: Any) -> tuple[Any, str]:
    """Paid in the partner's books, and told by it to have failed."""
    line = world.line()
    await world.approve([line])
    await world.script("no_notices")
    await world.send()
    await world.partner_works()
    assert [row["state"] for row in await world.books()] == ["SETTLED"]
    await world.notice(await world.result("FAILED", line, code="ACCOUNT_CLOSED"))
    assert await world.statuses() == {"FAILED": 1}
    return line, str(await world.value("SELECT payment_id FROM payment"))


async def sound(world: Any) -> None:
    async with world.db.transaction(SYSTEM("test")) as tx:
        found = {rule.name: await tx.rows(rule.sql) for rule in INVARIANTS}
    assert {name: rows for name, rows in found.items() if rows} == {}


async def corrected(maker: Any, checker: Any, payment_id: str) -> dict[str, Any]:
    asked = await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)
    assert asked.status_code == 201, asked.text
    done = await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json=YES)
    assert done.status_code == 200, done.text
    return {"asked": asked.json(), "done": done.json()}


async def test_two_people_correct_a_wrong_failure_and_a_notice_never_does(world: Any, maker: Any, checker: Any) -> None:
    line, payment_id = await told_to_have_failed(world)
    await world.notice(await world.result("SETTLED", line))
    assert await world.statuses() == {"FAILED": 1}, "a notice does not"
    said = {**SHOWN, "result": "SETTLED"}
    plain = await maker.post(f"/v1/payments/{payment_id}/manual-results", json=said)
    assert plain.status_code == 409, "an ordinary result does not"
    assert "corrections" in plain.json()["detail"]
    asked = await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)
    assert (asked.status_code, asked.json()["result"], asked.json()["correction"], asked.json()["beyond_due"]) == (201, "SETTLED", True, 0)
    assert await world.statuses() == {"FAILED": 1}
    path = f"/v1/manual-results/{asked.json()['manual_id']}/decision"
    alone = await maker.post(path, json=YES)
    assert alone.json()["type"] == "/problems/same-witness"
    assert (await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).status_code == 409, "one at a time"
    done = await checker.post(path, json=YES)
    assert (done.status_code, done.json()["state"], done.json()["payment_status"]) == (200, "CONFIRMED", "SETTLED")
    assert (await checker.post(path, json=YES)).status_code == 409
    assert await world.rows("SELECT paid, committed FROM due_month_position") == [{"paid": 500_000, "committed": 0}]
    assert [row["state"] for row in await world.rows("SELECT state FROM allocation")] == ["PAID"]
    kinds = [row["kind"] for row in await world.rows("SELECT kind FROM ledger_transfer ORDER BY transfer_id")]
    assert kinds == ["RESERVE", "SEND", "FAIL", "CORRECT"]
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    history = await world.rows("SELECT status, source, actor FROM payment_history ORDER BY version DESC LIMIT 1")
    assert history == [{"status": "SETTLED", "source": "CORRECTION", "actor": "checker"}]
    kind, body = (await world.events())[-1]
    assert (kind, body["status"], body["version"]) == ("PaymentSettled", "SETTLED", 5)
    acts = {
        row["action"]: row["subject"] for row in await world.rows("SELECT action, subject FROM audit_log WHERE action LIKE 'correction%'")
    }
    assert acts == {"correction.propose": "maker", "correction.confirm": "checker"}
    (told,) = [row["detail"] for row in await world.rows("SELECT detail FROM audit_log WHERE action = 'correction.confirm'")]
    assert [(told[side]["state"], told[side]["payment_status"]) for side in ("before", "after")] == [
        ("PROPOSED", "FAILED"), ("CONFIRMED", "SETTLED"),
    ]  # fmt: skip
    moved = [row["detail"] for row in await world.rows("SELECT detail FROM audit_log WHERE action = 'results.record' ORDER BY id")]
    assert [(len(one["digest"]), one["count"]) for one in moved][:1] == [(64, 1)]
    again = await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)
    assert again.json()["type"] == "/problems/result-not-possible"
    await sound(world)
    await world.notice(await world.result("RETURNED", line))
    assert await world.statuses() == {"RETURNED": 1}, "it goes on like any other that arrived"
    assert await world.rows("SELECT paid FROM due_month_position") == [{"paid": 0}]
    await sound(world)


@pytest.mark.slow
async def test_a_correction_that_is_refused_changes_nothing(world: Any, maker: Any, checker: Any, client_as: Any) -> None:
    _, payment_id = await told_to_have_failed(world)
    elsewhere = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="x", units=("91",))
    assert (await elsewhere.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).status_code == 404
    asked = (await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).json()
    no = {"confirm": False, "note": "Sao kê không có dòng này"}
    assert (await checker.post(f"/v1/manual-results/{asked['manual_id']}/decision", json=no)).json()["state"] == "REFUSED"
    assert await world.statuses() == {"FAILED": 1}
    assert (await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).status_code == 201, "it may be asked again"
    await sound(world)


async def test_a_contradicting_word_and_an_investigation_end_with_the_correction(world: Any, maker: Any, checker: Any) -> None:
    line, payment_id = await told_to_have_failed(world)
    opened = await maker.post(
        f"/v1/payments/{payment_id}/cases", json={"kind": "INVESTIGATION", "reason": "Người dân báo đã nhận", "business_date": "2024-09-10"}
    )
    assert opened.status_code == 201, opened.text
    await cases_round(world.db)
    assert await world.value("SELECT state FROM payment_case") == "OPEN", "that it failed was known before"
    await world.notice(await world.result("SETTLED", line))
    word = await world.value("SELECT quarantine_id FROM quarantine WHERE state = 'OPEN'")
    asked = await maker.post(f"/v1/quarantine/{word}/acceptance", json={**SHOWN, "result": "SETTLED"})
    assert (asked.status_code, asked.json()["correction"]) == (201, True), asked.text
    assert (await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json=YES)).status_code == 200
    await cases_round(world.db)
    assert await world.rows("SELECT outcome FROM payment_case") == [{"outcome": "PAID"}]
    assert await world.rows("SELECT state, outcome FROM quarantine") == [{"state": "RESOLVED", "outcome": "ACCEPTED"}]
    await sound(world)


async def test_what_was_paid_again_meanwhile_becomes_a_recovery_case(town: Any, world: Any, due: Any, maker: Any, checker: Any) -> None:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))

    async def pay(**more: Any) -> None:
        cycle = await town.open(**more)
        await town.compute(cycle)
        assert (await town.submit(cycle)).status_code == 200
        assert (await town.approve(cycle)).status_code == 200
        await world.send()
        await world.partner_works()

    await world.script("no_notices")
    await pay()
    [first] = await world.rows("SELECT payment_id, reference, amount FROM payment")
    await world.notice({
        "reference": first["reference"], "status": "FAILED", "amount": first["amount"], "currency": "VND", "code": "ACCOUNT_NOT_FOUND",
        "partner_reference": "FT-1", "occurred_at": "2024-09-05T02:14:07Z",
    })  # fmt: skip
    await pay(reissue={})
    await world.apply()
    await world.inquire()
    assert await world.statuses() == {"FAILED": 1, "SETTLED": 1}
    assert [row["amount"] for row in await world.books() if row["state"] == "SETTLED"] == [500_000, 500_000]
    both = await corrected(maker, checker, str(first["payment_id"]))
    assert (both["asked"]["beyond_due"], both["done"]["beyond_due"]) == (500_000, 500_000)
    assert await world.rows("SELECT paid, committed FROM due_month_position") == [{"paid": 1_000_000, "committed": 0}]
    await sound(world)
    await look_round(world.db)
    assert await world.rows("SELECT beneficiary_id, amount, state, months, opened_on FROM recovery_case") == [
        {"beneficiary_id": who, "amount": 500_000, "state": "OPEN", "months": [date(2024, 9, 1)], "opened_on": date(2024, 8, 20)}
    ]
    ours = await world.value("SELECT sum(amount) FROM payment WHERE status = 'SETTLED'")
    assert ours == sum(row["amount"] for row in await world.books() if row["state"] == "SETTLED"), "our books are the partner's"
    await sound(world)


@pytest.mark.slow
async def test_what_is_promised_meanwhile_and_not_sent_is_withdrawn(town: Any, world: Any, due: Any, maker: Any, checker: Any) -> None:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    await world.script("no_notices")
    choices: tuple[dict[str, Any], ...] = ({}, {"reissue": {}})
    for more in choices:
        cycle = await town.open(**more)
        await town.compute(cycle)
        assert (await town.submit(cycle)).status_code == 200
        assert (await town.approve(cycle)).status_code == 200
        if not more:
            await world.send()
            await world.partner_works()
            [first] = await world.rows("SELECT payment_id, reference, amount FROM payment")
            await world.notice({
                "reference": first["reference"], "status": "FAILED", "amount": 500_000, "currency": "VND", "code": "ACCOUNT_NOT_FOUND",
                "partner_reference": "FT-1", "occurred_at": "2024-09-05T02:14:07Z",
            })  # fmt: skip
    await corrected(maker, checker, str(first["payment_id"]))
    await world.send()
    assert await world.statuses() == {"SETTLED": 1, "CANCELLED": 1}
    assert [row["amount"] for row in await world.books()] == [500_000]
    await look_round(world.db)
    assert await world.value("SELECT count(*) FROM recovery_case") == 0
    await sound(world)


@pytest.mark.slow
async def test_a_budget_that_was_promised_to_others_is_raised_first(world: Any, maker: Any, checker: Any) -> None:
    _, payment_id = await told_to_have_failed(world)
    async with world.owner() as tx:
        await tx.execute("UPDATE budget SET amount = 100")
    asked = (await maker.post(f"/v1/payments/{payment_id}/corrections", json=SHOWN)).json()
    path = f"/v1/manual-results/{asked['manual_id']}/decision"
    assert (await checker.post(path, json=YES)).json()["type"] == "/problems/budget-exceeded"
    assert await world.statuses() == {"FAILED": 1}
    async with world.owner() as tx:
        await tx.execute("UPDATE budget SET amount = 1000000")
    assert (await checker.post(path, json=YES)).status_code == 200
