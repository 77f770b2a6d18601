"""Statements of a bank that takes files: every form of them, what they settle, what came back, what differs."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from bank_files import all_done, batch_of, file_sent, paid_in_books

from common import clock
from common.auth import Role
from common.jobs import JobRunner
from common.webhooks import sign
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler


async def _reconciled(bank: Any, client_as: Any, content: bytes, name: str, key: str = "statement-1", **period: str) -> dict[str, int]:
    officer = client_as(bank.app, Role.DEPARTMENT_OFFICER)
    form = {"partner": "agribank", "business_date": "2024-09-11", **period}
    sent = await officer.post("/v1/statements", data=form, files={"file": (name, content)}, headers={"Idempotency-Key": key})
    assert sent.status_code == 202, sent.text
    await _jobs(bank)
    detail = (await officer.get(f"/v1/statements/{sent.json()['statement_id']}")).json()
    assert detail["state"] == "RECONCILED", detail["refusal"]
    found: dict[str, int] = {}
    for row in detail["verdicts"]:
        found[row["verdict"]] = found.get(row["verdict"], 0) + row["lines"]
    return found


async def _jobs(bank: Any) -> None:
    runner = JobRunner(bank.db, {JOB_KIND: Reconciler(bank.db, bank.keyring, chunk=4).run}, owner="test")
    while await runner.run_one():
        pass


async def _statement(bank: Any, form: str, **wanted: int) -> Any:
    body = {"partner": "agribank", "form": form, **wanted}
    return await bank.partner_http.post("http://partner/control/statement", json=body)


@pytest.mark.parametrize("form", ["CAMT053", "CSV"])
async def test_a_statement_settles_what_no_acknowledgement_told_of(bank: Any, client_as: Any, form: str) -> None:
    await bank.script("no_notices")
    await file_sent(bank, 5)
    await bank.partner_works()
    assert await bank.statuses() == {"UNKNOWN": 5}
    content = (await _statement(bank, form)).content
    assert await _reconciled(bank, client_as, content, f"sao-ke.{form.lower()}") == {"MATCHED": 5}
    await bank.inquire()
    assert await bank.statuses() == {"SETTLED": 5}
    assert (await batch_of(bank))["state"] == "SENT"
    assert await paid_in_books(bank) == [500_000] * 5


@pytest.mark.parametrize(("form", "seed"), [("CAMT053", 7), ("CSV", 8), ("XLSX", 9)])
async def test_every_seeded_difference_is_found_in_every_form_and_nothing_else(bank: Any, client_as: Any, form: str, seed: int) -> None:
    await file_sent(bank, 12)
    await all_done(bank)
    given = await _statement(bank, form, missing=2, extra=2, amount=2, duplicate=1, seed=seed)
    truth = json.loads(given.headers["x-differences"])
    verdicts = await _reconciled(bank, client_as, given.content, f"sao-ke.{form.lower()}")
    assert verdicts == {"MATCHED": 8, "AMOUNT_DIFFERS": 2, "DUPLICATE": 1, "EXTRA": 2, "MISSING": 2}
    rows = await bank.rows("SELECT kind, reference FROM reconciliation_break WHERE kind <> 'EXTRA' ORDER BY 1, 2")
    wanted = {("MISSING", ref) for ref in truth["missing"]} | {("AMOUNT_DIFFERS", ref) for ref in truth["amount"]}
    assert {(row["kind"], row["reference"]) for row in rows} == wanted | {("DUPLICATE", ref) for ref in truth["duplicate"]}


async def test_a_booking_told_by_camt054_and_booked_in_the_statement_is_one_booking(bank: Any, client_as: Any) -> None:
    await bank.script("no_notices")
    await file_sent(bank, 3)
    await bank.partner_works()
    told = (await _statement(bank, "CAMT054")).content
    today = clock.now().date().isoformat()
    assert await _reconciled(bank, client_as, told, "camt054.xml") == {"MATCHED": 3}
    assert await bank.statuses() == {"SETTLED": 3}
    assert await bank.value("SELECT form FROM statement") == "CAMT054"
    booked = (await _statement(bank, "CAMT053")).content
    assert await _reconciled(bank, client_as, booked, "camt053.xml", key="statement-2") == {"MATCHED": 3}
    row = (await bank.rows("SELECT message_id, opening, closing, from_date FROM statement WHERE form = 'CAMT053'"))[0]
    assert row["opening"] - row["closing"] == 1_500_000
    assert abs((row["from_date"] - date.fromisoformat(today)).days) <= 1


async def test_money_that_came_back_is_known_from_the_statement(bank: Any, client_as: Any) -> None:
    await bank.script("return_after_settlement", seconds=0)
    await file_sent(bank, 2)
    await all_done(bank)
    content = (await _statement(bank, "CAMT053")).content
    assert await _reconciled(bank, client_as, content, "camt053.xml") == {"MATCHED": 2, "RETURN_UNCONFIRMED": 2}
    assert await bank.statuses() == {"SETTLED": 2}, "who brought the file is one person"
    signed = (await _statement(bank, "CSV")).content
    sent = await client_as(bank.app).post(
        "/v1/webhooks/partners/agribank/statements?file_name=sao-ke.csv",
        content=signed,
        headers=sign(bank.inbound, "st_1", clock.now(), signed),
    )
    assert sent.status_code == 202, sent.text
    await _jobs(bank)
    assert await bank.statuses() == {"RETURNED": 2}
    assert await bank.value("SELECT count(*) FROM reconciliation_break WHERE state <> 'RESOLVED'") == 0
    assert await paid_in_books(bank) == []


async def test_a_camt053_without_entries_says_that_nothing_was_booked_and_is_of_its_own_period(bank: Any, client_as: Any) -> None:
    content = (await _statement(bank, "CAMT053")).content
    assert await _reconciled(bank, client_as, content, "camt053.xml") == {}
    assert await bank.value("SELECT lines FROM statement") == 0
    officer = client_as(bank.app, Role.DEPARTMENT_OFFICER)
    form = {"partner": "agribank", "business_date": "2024-09-11", "from_date": "2024-08-01", "to_date": "2024-08-31"}
    other = content.replace(b"<MsgId>", b"<MsgId>X")
    headers = {"Idempotency-Key": "statement-2"}
    sent = await officer.post("/v1/statements", data=form, files={"file": ("camt053.xml", other)}, headers=headers)
    await _jobs(bank)
    detail = (await officer.get(f"/v1/statements/{sent.json()['statement_id']}")).json()
    assert detail["state"] == "REFUSED"
    assert "not the period" in detail["refusal"]
    single = (await _statement(bank, "CAMT054")).content
    sent = await officer.post("/v1/statements", data=form, files={"file": ("c.xml", single)}, headers={"Idempotency-Key": "statement-3"})
    await _jobs(bank)
    assert (await officer.get(f"/v1/statements/{sent.json()['statement_id']}")).json()["state"] == "REFUSED"
