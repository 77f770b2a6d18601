"""The ledger: uncollected money waits, is freed once; the books of any past moment; the budget's account equals the budget."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from common import clock
from common.auth import Role
from common.ids import new_id
from disbursement.domain.ledger import TransferKind
from disbursement.storage import ledger

OCTOBER = date(2024, 10, 1)


async def _uncollected(world: Any) -> Any:
    line = world.line(partner="vnpost", channel="CASH_POST")
    await world.approve([line, world.line()])
    await world.send("vnpost")
    await world.notice(await world.result("UNCOLLECTED", line, code="NOT_COLLECTED_CANCELLED"), partner="vnpost")
    return line


async def _rest(world: Any, account: str) -> int:
    rest = await world.value(
        "SELECT coalesce(sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END), 0)::bigint FROM ledger_entry WHERE account = :account",
        account=account,
    )
    return int(rest)


async def test_uncollected_money_waits_for_the_next_list_and_is_freed_once(world: Any) -> None:
    await _uncollected(world)
    assert await _rest(world, "UNCOLLECTED") == 500_000
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 1_000_000, "spent": 0}]
    async with world.owner() as tx:
        next_list = new_id()
        await tx.execute(
            "INSERT INTO payment_list SELECT (jsonb_populate_record(l, jsonb_build_object('list_id', CAST(:id AS text), 'number', 2))).*"
            " FROM payment_list l", id=str(next_list),
        )  # fmt: skip
        await tx.execute(
            "INSERT INTO list_line SELECT (jsonb_populate_record(l, jsonb_build_object('list_id', CAST(:id AS text), 'line_id',"
            " gen_random_uuid()))).* FROM list_line l WHERE channel = 'CASH_POST'", id=str(next_list),
        )  # fmt: skip
        # A list that does not pay the uncollected month again frees nothing.
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, list_id=next_list) == (0, 0)
        await tx.execute(
            "INSERT INTO allocation SELECT (jsonb_populate_record(a, jsonb_build_object('list_id', n.list_id, 'line_id', n.line_id))).*"
            " FROM list_line n JOIN list_line o ON o.beneficiary_id = n.beneficiary_id AND o.list_id <> n.list_id"
            " JOIN allocation a ON a.line_id = o.line_id WHERE n.list_id = CAST(:id AS uuid)", id=next_list,
        )  # fmt: skip
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, list_id=next_list) == (1, 500_000)
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, list_id=next_list) == (0, 0)
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, cycle_id=world.cycle_id, partner="vnpost") == (0, 0)
    assert await _rest(world, "UNCOLLECTED") == 0
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 500_000, "spent": 0}]


async def test_uncollected_money_may_be_taken_back_instead(world: Any) -> None:
    await _uncollected(world)
    async with world.owner() as tx:
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, cycle_id=world.cycle_id, partner="agribank") == (0, 0)
        assert await ledger.free_uncollected(tx, business_date=OCTOBER, cycle_id=world.cycle_id, partner="vnpost") == (1, 500_000)
    assert await world.value("SELECT count(*) FROM ledger_transfer WHERE kind = 'TAKE_BACK'") == 1
    assert await _rest(world, "UNCOLLECTED") == 0


async def test_the_books_of_a_past_moment(world: Any, client_as: Any) -> None:
    await world.approve([world.line()])
    before = datetime.now(UTC)
    await world.send()
    await world.partner_works()
    await world.apply()
    officer = client_as(world.app, Role.AUDITOR)

    async def books(**query: Any) -> dict[str, int]:
        answer = (await officer.get("/v1/ledger/trial-balance", params=query)).json()
        assert answer["balanced"]
        return {row["account"]: row["balance"] for row in answer["rows"] if row["balance"]}

    assert await books(at=before.isoformat()) == {"BUDGET": -500_000, "RESERVED": 500_000}
    assert await books() == {"BUDGET": -500_000, "SETTLED": 500_000}
    assert await books(at=clock.today().isoformat()) == await books(), "a day is its end"
    assert await books(at=(clock.today() - timedelta(days=1)).isoformat()) == {}
    for unknown in (
        (clock.today() + timedelta(days=1)).isoformat(),
        (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
        "2024-09-10T10:00",
    ):
        refused = await officer.get("/v1/ledger/trial-balance", params={"at": unknown})
        assert refused.status_code == 422, unknown
        assert {error["field"] for error in refused.json()["errors"]} == {"query.at"}
    assert await books(partner="vnpost") == {}
    assert await books(partner="agribank", programme="SOCIAL_ASSISTANCE", cycle_id=str(world.cycle_id)) == await books()


async def test_the_budgets_account_is_what_the_budget_has_left(world: Any, client_as: Any) -> None:
    async with world.owner() as tx:  # units are known from the registry's events
        await tx.execute(
            "INSERT INTO administrative_unit (unit_id, version, code, name, level, path, valid_from)"
            " VALUES (gen_random_uuid(), 1, '60', 'Bình Thuận', 'province', '60', '1900-01-01')"
        )
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="maker")
    approver = client_as(world.app, Role.APPROVER, units=("60",), subject="checker")
    form = {"programme": "MERIT", "funding_source": "CENTRAL_BUDGET", "unit_code": "60", "year": 2024, "business_date": "2024-08-20"}
    for amount in (5_000_000, 7_000_000, 6_000_000):
        answer = await officer.post("/v1/budgets", json={**form, "amount": amount}, headers={"Idempotency-Key": f"budget-{amount}"})
        assert answer.status_code == 201, answer.text
        approved = await approver.post(
            f"/v1/rulings/{answer.json()['ruling_id']}/approve", json={}, headers={"Idempotency-Key": f"approve-{amount}"}
        )
        assert approved.status_code == 200, approved.text
        assert await _rest(world, "BUDGET") == amount
    assert await _rest(world, "GRANTED") == -6_000_000


async def _prefund_twice(world: Any) -> None:
    subject = new_id()
    async with world.owner() as tx:
        journal_id = await ledger.journal(tx, "test", "x")
        for _ in range(2):
            await ledger.post(
                tx, journal_id, TransferKind.PREFUND, subject_id=subject, amount=1, programme="MERIT", funding_source="CENTRAL_BUDGET",
                business_date=OCTOBER, partner="agribank",
            )  # fmt: skip


async def test_the_schema_refuses_the_same_movement_twice(world: Any) -> None:
    with pytest.raises(IntegrityError, match="transfer_once_of_subject"):
        await _prefund_twice(world)


_TRANSFER = """
INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, payment_id, cycle_id, partner, programme,
                             funding_source, business_date)
SELECT coalesce(CAST(:journal AS uuid), journal_id), 'RETURN', debit_account, credit_account, amount,
       coalesce(CAST(:payment AS uuid), payment_id), cycle_id, partner, programme, funding_source, business_date FROM ledger_transfer
"""


@pytest.mark.parametrize(("nobodys", "what"), [("journal", "names no journal"), ("payment", "names no payment")])
async def test_a_transfer_names_a_journal_and_a_payment_that_are_there(world: Any, nobodys: str, what: str) -> None:
    await world.approve([world.line()])
    with pytest.raises(IntegrityError, match=what):
        async with world.owner() as tx:
            await tx.execute(_TRANSFER, **({"journal": None, "payment": None} | {nobodys: new_id()}))
    async with world.owner() as tx:
        assert await tx.execute(_TRANSFER, journal=None, payment=None) == 1


@pytest.mark.parametrize("sql", ["DELETE FROM payment", "UPDATE payment SET payment_id = uuidv7()"])
async def test_a_payment_stays_under_its_number(world: Any, sql: str) -> None:
    await world.approve([world.line()])
    with pytest.raises(DBAPIError, match="payment is append-only"):
        async with world.owner() as tx:
            await tx.execute(sql)
