"""The straight way: approved list → batches → partner → notices → books that agree to the đồng."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from common.auth import Role
from common.contracts import disbursement_v1
from disbursement.domain.references import batch_reference, payment_reference


async def test_every_line_is_paid_once_and_all_books_agree(world: Any) -> None:
    months = (date(2024, 7, 1), date(2024, 9, 1))
    lines = [world.line(), world.line(amount=1_000_000, months=months), world.line(partner="vnpost", channel="CASH_POST", amount=720_000)]
    await world.approve(lines)
    assert await world.statuses() == {"APPROVED": 3}
    for partner in ("agribank", "vnpost"):
        await world.send(partner)
    assert await world.statuses() == {"SUBMITTED": 3}
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 2, "COLLECTED": 1}
    assert [row["amount"] for row in await world.books("vnpost")] == [720_000]
    assert sum(row["amount"] for row in await world.books()) == 1_500_000
    positions = await world.rows("SELECT sum(committed) AS committed, sum(paid) AS paid FROM due_month_position")
    assert positions == [{"committed": 0, "paid": 2_220_000}]
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 2_220_000}]
    assert await world.value("SELECT state FROM payment_cycle") == "SETTLING"
    assert await balances(world) == {"BUDGET": -2_220_000, "RESERVED": 0, "IN_TRANSIT": 0, "SETTLED": 2_220_000}


async def balances(world: Any) -> dict[str, int]:
    rows = await world.rows(
        "SELECT account, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)::bigint AS n FROM ledger_entry GROUP BY 1"
    )
    return {row["account"]: row["n"] for row in rows}


async def test_events_are_exactly_the_contract(world: Any) -> None:
    await world.approve([world.line(months=(date(2024, 8, 1), date(2024, 9, 1)))])
    await world.send()
    await world.partner_works()
    await world.apply()
    events = await world.events()
    assert [kind for kind, _ in events] == ["PaymentInstructed", "PaymentSettled"]
    for kind, body in events:
        event = getattr(disbursement_v1, kind).model_validate(body)
        assert event.months == ["2024-08", "2024-09"]
        assert (event.unit_path, event.currency, event.month) == ("60/593/22924", "VND", "2024-09")
    assert [body["version"] for _, body in events] == [1, 4]
    masked = await world.value("SELECT account_masked FROM list_line")
    assert masked
    assert [body["account_masked"] for _, body in events] == [None, masked], "where it went is told once it is there"


async def test_account_numbers_lie_nowhere_in_clear(world: Any) -> None:
    await world.approve([world.line()])
    await world.send()
    [row] = await world.rows("SELECT request FROM payment_batch")
    number = (await world.books())[0]["account_number"]
    assert number.startswith("19")
    assert number.encode() not in bytes(row["request"])
    assert number.encode() in world.keyring.decrypt_bytes("payment_batch.request", row["request"])


async def test_batches_hold_at_most_a_thousand_of_one_partner(world: Any) -> None:
    await world.approve([world.line() for _ in range(1_050)] + [world.line(partner="momo", channel="WALLET") for _ in range(3)])
    batches = await world.rows("SELECT partner, payments, amount FROM payment_batch ORDER BY partner, payments")
    assert batches == [
        {"partner": "agribank", "payments": 50, "amount": 25_000_000},
        {"partner": "agribank", "payments": 1000, "amount": 500_000_000},
        {"partner": "momo", "payments": 3, "amount": 1_500_000},
    ]


async def test_the_same_line_cannot_be_paid_twice(world: Any) -> None:
    await world.approve([world.line()])
    with pytest.raises(DBAPIError, match="payment_one_living_attempt"):
        async with world.owner() as tx:
            await tx.execute(
                "INSERT INTO payment SELECT (jsonb_populate_record(p, jsonb_build_object('payment_id', gen_random_uuid(), 'attempt', 2,"
                " 'reference', 'X2'))).* FROM payment p"
            )


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_transfer SET amount = 1",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer",
        "DELETE FROM ledger_journal",
        "UPDATE payment_history SET status = 'SETTLED'",
    ],
)
async def test_the_database_refuses_to_change_ledger_and_history(world: Any, sql: str) -> None:
    await world.approve([world.line()])
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.owner() as tx:
            await tx.execute(sql)


async def test_routes_show_payments_progress_and_books(world: Any, client_as: Any) -> None:
    line = world.line()
    await world.approve([line, world.line()])
    await world.send()
    await world.notice(await world.result("FAILED", line, code="ACCOUNT_CLOSED"))
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    page = (await officer.get(f"/v1/payments?cycle_id={world.cycle_id}&status=FAILED")).json()
    assert page["items"][0]["reason"]["text_vi"] == "Tài khoản đã đóng"
    payment_id = page["items"][0]["payment_id"]
    steps = (await officer.get(f"/v1/payments/{payment_id}/timeline")).json()["steps"]
    assert [(step["status"], step["source"]) for step in steps] == [
        ("APPROVED", "LIST"), ("SUBMITTING", "CLAIM"), ("SUBMITTED", "ANSWER"), ("FAILED", "NOTICE"),
    ]  # fmt: skip
    [(_, failed)] = [event for event in await world.events() if event[0] == "PaymentFailed"]
    assert failed["account_id"] == str(await world.value("SELECT account_id FROM list_line WHERE line_id = :id", id=line.line_id))
    progress = (await officer.get(f"/v1/cycles/{world.cycle_id}/progress")).json()
    assert (progress["payments"], progress["final"], progress["amount"]) == (2, 1, 1_000_000)
    balance = (await officer.get(f"/v1/ledger/trial-balance?cycle_id={world.cycle_id}")).json()
    assert balance["balanced"]
    assert (await officer.get("/v1/partners/agribank/totals")).json()["ledger_balance"] == 0
    elsewhere = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/999",))
    assert (await elsewhere.get(f"/v1/payments/{payment_id}")).status_code == 404
    assert (await elsewhere.get("/v1/payments")).json()["items"] == []
    bank = client_as(world.app, Role.PARTNER, units=(), partner="momo")
    assert (await bank.get("/v1/partners/agribank/totals")).status_code == 404
    assert (await bank.get(f"/v1/payments/{payment_id}")).status_code == 403


async def test_pages_follow_a_cursor(world: Any, client_as: Any) -> None:
    await world.approve([world.line() for _ in range(5)])
    auditor = client_as(world.app, Role.AUDITOR)
    first = (await auditor.get("/v1/payments?limit=3")).json()
    rest = (await auditor.get(f"/v1/payments?limit=3&cursor={first['next_cursor']}")).json()
    assert len({item["payment_id"] for item in first["items"] + rest["items"]}) == 5
    assert rest["next_cursor"] is None


async def test_a_cycle_is_closed_only_when_everything_has_ended(world: Any, client_as: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    approver = client_as(world.app, Role.APPROVER)
    refused = await approver.post(f"/v1/cycles/{world.cycle_id}/close")
    assert (refused.status_code, refused.json()["open_payments"]) == (409, 1)
    await world.partner_works()
    await world.apply()
    closed = await approver.post(f"/v1/cycles/{world.cycle_id}/close")
    assert closed.json()["state"] == "CLOSED"
    assert await world.value("SELECT count(*) FROM outbox WHERE type = 'PaymentCycleClosed'") == 1
    assert (await approver.post(f"/v1/cycles/{world.cycle_id}/close")).status_code == 409


async def test_sql_and_python_make_the_same_references(world: Any) -> None:
    await world.approve([world.line()])
    [row] = await world.rows(
        "SELECT p.line_id, p.attempt, p.reference, b.batch_id, b.reference AS batch FROM payment p JOIN payment_batch b USING (batch_id)"
    )
    assert row["reference"] == payment_reference(row["line_id"], row["attempt"])
    assert row["batch"] == batch_reference(row["batch_id"])
