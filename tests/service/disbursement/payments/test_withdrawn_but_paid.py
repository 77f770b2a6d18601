"""A payment that we withdrew and that its partner paid all the same: two people end the difference, and nobody is paid twice.

The judge is the partner simulator's books.
"""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common import clock
from common.actor import SYSTEM, Role
from common.ids import new_id
from common.jobs import JobRunner
from disbursement.storage import batches
from disbursement.storage.invariants import INVARIANTS
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler
from disbursement.usecases.send_batches import batch_head, instruction

pytestmark = pytest.mark.promise("promises.paid-once")
HEAD = "Ngày giao dịch;Số bút toán;Mã tham chiếu;Ghi nợ;Ghi có;Diễn giải\n"
KEYS = itertools.count(1)
SHOWN = {"note": "Sao kê gốc có bút toán", "evidence": "Sao kê ngày 20/8/2024, CV 41/NHNo có ký số", "business_date": "2024-09-11"}
YES = {"confirm": True, "note": "Đã xem sao kê gốc", "business_date": "2024-09-11"}


@pytest.fixture
def officer(world: Any, client_as: Any) -> Any:
    return client_as(world.app, Role.DEPARTMENT_OFFICER, subject="clerk")


async def approved(town: Any, *, expect: int = 1, **more: Any) -> dict[str, Any]:
    """A list that pays so many people, approved."""
    cycle: dict[str, Any] = await town.open(**more)
    await town.compute(cycle)
    assert len(await town.lines(cycle)) == expect
    if expect:
        assert (await town.submit(cycle)).status_code == 200
        assert (await town.approve(cycle)).status_code == 200
    return cycle


async def paid_behind_our_back(world: Any) -> None:
    """The partner has our bytes and pays them, and nothing here says that they left: a hole that no restore explains."""
    await world.script("no_notices")
    for row in await world.rows("SELECT batch_id, reference FROM payment_batch WHERE state = 'READY'"):
        async with world.db.read(SYSTEM("test")) as tx:
            lines = [instruction(line) for line in await batches.instruction_lines(tx, row["batch_id"])]
            head = await batch_head(tx, row["batch_id"])
        channel = world.context.lanes["agribank"].channel
        body = channel.build(head, lines)
        await channel.send(row["reference"], body, channel.references(body))
    await world.partner_works()
    await world.apply()


async def statement(world: Any, client: Any, *rows: tuple[str, int]) -> dict[str, int]:
    """A statement with these debits; the verdicts."""
    day = clock.now().astimezone(clock.VIETNAM).date()
    body = "".join(f"{day:%d/%m/%Y};FT{n};{reference};{amount};;\n" for n, (reference, amount) in enumerate(rows))
    answer = await client.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11"},
        files={"file": ("sao-ke.csv", (HEAD + body).encode(), "text/csv")},
        headers={"Idempotency-Key": f"statement-{next(KEYS)}"},
    )
    assert answer.status_code == 202, answer.text
    runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
    while await runner.run_one():
        pass
    found = (await client.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    return {row["verdict"]: row["lines"] for row in found["verdicts"]}


async def ended(officer: Any, checker: Any, resolution: str, *, expect: int = 200) -> dict[str, Any]:
    """The clerk's verdict on the one open difference, and the approver's word."""
    [difference] = (await officer.get("/v1/breaks?business_date=2024-09-11&state=OPEN")).json()["items"]
    path = f"/v1/breaks/{difference['break_id']}/resolution"
    proposed = await officer.post(path, json={**SHOWN, "resolution": resolution})
    if expect != 200:
        assert proposed.status_code == expect, proposed.text
        return dict(proposed.json())
    assert proposed.status_code == 200, proposed.text
    assert (await officer.post(f"{path}/decision", json=YES)).json()["type"] == "/problems/same-resolver"
    done = await checker.post(f"{path}/decision", json=YES)
    assert done.status_code == 200, done.text
    return dict(proposed.json())


async def sound(world: Any) -> None:
    async with world.db.transaction(SYSTEM("test")) as tx:
        found = {rule.name: await tx.rows(rule.sql) for rule in INVARIANTS}
    assert {name: rows for name, rows in found.items() if rows} == {}


async def books_agree(world: Any, paid: int) -> None:
    """What the partner paid is what we hold paid, payment by payment, and this much."""
    theirs = {row["reference"]: row["amount"] for row in await world.books() if row["state"] == "SETTLED"}
    ours = {row["reference"]: row["amount"] for row in await world.rows("SELECT reference, amount FROM payment WHERE status = 'SETTLED'")}
    assert theirs == ours
    assert sum(theirs.values()) == paid


async def one_person(town: Any, due: Any) -> UUID:
    who: UUID = new_id()
    await town.hear(*town.by_account(who, due(500_000, "2024-09", "2024-09")))
    return who


async def withdrawn(town: Any, world: Any, officer: Any, due: Any, *, paid: bool) -> UUID:
    """A statement books what we hold unsent (`paid`: and the partner did pay it): it is withdrawn, and its month waits."""
    who = await one_person(town, due)
    await approved(town)
    if paid:
        await paid_behind_our_back(world)
    reference = await world.value("SELECT reference FROM payment")
    assert await statement(world, officer, (reference, 500_000)) == {"STATUS_DIFFERS": 1}
    await world.send()
    assert await world.rows("SELECT status, reason FROM payment") == [{"status": "CANCELLED", "reason": "PAYMENT_DISPUTED"}]
    cycle = await approved(town, expect=0, supplementary=True)
    assert (await town.holds(cycle))[str(who)]["reason"] == "PAYMENT_DISPUTED", "its month waits while the difference is open"
    return who


async def test_what_the_bank_paid_is_booked_as_paid_by_two_people_and_never_paid_again(
    town: Any, world: Any, officer: Any, checker: Any, due: Any
) -> None:
    await withdrawn(town, world, officer, due, paid=True)
    said = await ended(officer, checker, "PAID")
    assert (said["payment_status"], said["beyond_due"], said["waiting"]) == ("CANCELLED", 0, 1)
    await books_agree(world, 500_000)
    assert await world.rows("SELECT paid, committed FROM due_month_position") == [{"paid": 500_000, "committed": 0}]
    kinds = [row["kind"] for row in await world.rows("SELECT kind FROM ledger_transfer WHERE payment_id IS NOT NULL ORDER BY transfer_id")]
    assert kinds == ["RESERVE", "CANCEL", "CORRECT"]
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 500_000}]
    history = await world.rows("SELECT status, source, reason, actor FROM payment_history ORDER BY version DESC LIMIT 1")
    assert history == [{"status": "SETTLED", "source": "CORRECTION", "reason": None, "actor": "checker"}]
    told = [(kind, body.get("status"), body.get("released")) for kind, body in (await world.events())[-2:]]
    assert told == [("PaymentSettled", "SETTLED", None), ("PaymentReleased", None, True)]
    assert await world.rows("SELECT state, resolution, decided_by FROM reconciliation_break") == [
        {"state": "RESOLVED", "resolution": "PAID", "decided_by": "checker"}
    ]
    [word] = (await officer.get("/v1/manual-results?state=CONFIRMED")).json()["items"]
    assert (word["correction"], word["proposed_by"], word["decided_by"], word["evidence"]) == (True, "clerk", "checker", SHOWN["evidence"])
    totals = (await officer.get("/v1/partners/agribank/totals")).json()
    assert totals["ledger_balance"] == 500_000
    again: tuple[dict[str, Any], ...] = ({"supplementary": True}, {"reissue": {}})
    for more in again:
        await approved(town, expect=0, **more)
    await sound(world)


@pytest.mark.slow
async def test_what_the_bank_shows_it_did_not_pay_is_paid_by_the_next_list_once(
    town: Any, world: Any, officer: Any, checker: Any, due: Any
) -> None:
    await withdrawn(town, world, officer, due, paid=False)
    for unsaid in ("NOT_OURS", "PARTNER_CORRECTS", "FAILED"):
        assert (await ended(officer, checker, unsaid, expect=409))["type"] == "/problems/resolution-not-possible", "paid or not?"
    await ended(officer, checker, "NOT_PAID")
    assert await world.statuses() == {"CANCELLED": 1}
    await approved(town, reissue={})
    await world.send()
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"CANCELLED": 1, "SETTLED": 1}
    await books_agree(world, 500_000)
    await sound(world)


@pytest.mark.slow
async def test_a_batch_booked_as_one_debit_keeps_its_months_until_two_people_say_what_became_of_it(
    town: Any, world: Any, officer: Any, checker: Any, client_as: Any, due: Any
) -> None:
    people = [await one_person(town, due) for _ in range(2)]
    async with world.owner() as tx:  # the law stops for one of them what is not sent: but the money has gone
        await tx.execute("INSERT INTO partner_lane (partner, first_batch_payments) VALUES ('agribank', NULL)")
    await approved(town, expect=2)
    await paid_behind_our_back(world)
    await town.hear(town.beneficiary(people[0], status="DECEASED"))
    batch = await world.value("SELECT reference FROM payment_batch")
    assert await statement(world, officer, (batch, 1_000_000)) == {"AMOUNT_DIFFERS": 1}
    await world.send()
    assert await world.rows("SELECT DISTINCT status, reason FROM payment") == [{"status": "CANCELLED", "reason": "PAYMENT_DISPUTED"}]
    cycle = await approved(town, expect=0, reissue={})
    assert (await town.holds(cycle))[str(people[1])]["reason"] == "PAYMENT_DISPUTED"
    elsewhere = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="x", units=("91",))
    path = f"/v1/breaks/{await world.value('SELECT break_id FROM reconciliation_break')}/resolution"
    assert (await elsewhere.post(path, json={**SHOWN, "resolution": "NOT_PAID"})).status_code == 404, "who ends it sees all its payments"
    said = await ended(officer, checker, "PAID")
    assert (said["payment_id"], said["waiting"]) == (None, 2)
    await books_agree(world, 1_000_000)
    await approved(town, expect=0, supplementary=True)
    await sound(world)


@pytest.mark.slow
async def test_what_could_not_be_withdrawn_stays_under_the_debit_of_its_batch(
    town: Any, world: Any, officer: Any, checker: Any, due: Any
) -> None:
    """A defect keeps one of them from being withdrawn: in a batch of its own it is what that one debit may have paid, as before."""
    people = [await one_person(town, due) for _ in range(2)]
    await approved(town, expect=2)
    await paid_behind_our_back(world)
    assert await statement(world, officer, (await world.value("SELECT reference FROM payment_batch"), 1_000_000)) == {"AMOUNT_DIFFERS": 1}
    committed = "UPDATE due_month_position SET committed = :amount WHERE beneficiary_id = :who"
    async with world.owner() as tx:
        await tx.execute(committed, amount=0, who=people[0])
    await world.send()
    assert await world.statuses() == {"APPROVED": 1, "CANCELLED": 1}
    for amount in (0, 500_000):  # as it is, and repaired
        async with world.owner() as tx:
            await tx.execute(committed, amount=amount, who=people[0])
            await tx.execute("UPDATE payment_batch SET next_at = now()")
        await world.send()
        assert await world.statuses() == ({"CANCELLED": 2} if amount else {"APPROVED": 1, "CANCELLED": 1}), "it may have been paid"
    cycle = await approved(town, expect=0, reissue={})
    assert {hold["reason"] for hold in (await town.holds(cycle)).values()} == {"PAYMENT_DISPUTED"}
    said = await ended(officer, checker, "PAID")
    assert (said["payment_id"], said["waiting"]) == (None, 2)
    await books_agree(world, 1_000_000)


@pytest.mark.slow
async def test_a_signed_word_about_what_was_never_sent_may_be_accepted_by_two(
    town: Any, world: Any, officer: Any, checker: Any, due: Any
) -> None:
    await one_person(town, due)
    await approved(town)
    payment = await world.value("SELECT payment_id FROM payment")
    path = f"/v1/payments/{payment}/corrections"
    correction = {"happened_on": str(date(2024, 9, 5)), "note": SHOWN["note"], "evidence": SHOWN["evidence"]}
    assert (await officer.post(path, json=correction)).status_code == 409, "nothing of it was withdrawn"
    await paid_behind_our_back(world)
    [row] = await world.rows("SELECT reference, amount FROM payment")
    await world.notice({
        "reference": row["reference"], "status": "SETTLED", "amount": row["amount"], "currency": "VND", "code": None,
        "partner_reference": "FT-1", "occurred_at": "2024-09-05T02:14:07Z",
    })  # fmt: skip
    [word] = (await officer.get("/v1/quarantine")).json()["items"]
    assert word["reason"] == "NOT_SENT"
    await world.send()
    assert await world.statuses() == {"CANCELLED": 1}
    asked = await officer.post(f"/v1/quarantine/{word['quarantine_id']}/acceptance", json={**correction, "result": "SETTLED"})
    assert asked.status_code == 201, asked.text
    done = await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json={"confirm": True, "note": YES["note"]})
    assert done.json()["payment_status"] == "SETTLED", done.text
    await books_agree(world, 500_000)
    await sound(world)


@pytest.mark.slow
async def test_nobody_corrects_a_withdrawn_payment_of_which_the_partner_never_spoke(town: Any, world: Any, officer: Any, due: Any) -> None:
    who = await one_person(town, due)
    await approved(town)
    await town.hear(town.beneficiary(who, status="DECEASED"))
    await world.send()
    assert await world.statuses() == {"CANCELLED": 1}
    payment = await world.value("SELECT payment_id FROM payment")
    correction = {"happened_on": "2024-09-05", "note": SHOWN["note"], "evidence": SHOWN["evidence"]}
    refused = await officer.post(f"/v1/payments/{payment}/corrections", json=correction)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/result-not-possible")
    asked = {"kind": "INVESTIGATION", "reason": "Ngân hàng báo đã chi", "business_date": "2024-09-10"}
    case = await officer.post(f"/v1/payments/{payment}/cases", json=asked)
    assert case.status_code == 201, case.text
    refused = await officer.post(f"/v1/payments/{payment}/corrections", json={**correction, "case_id": case.json()["case_id"]})
    assert refused.status_code == 409, "the partner has not answered yet"
