"""What must always hold of money: nothing is found where all is well, and each violation, planted past every guard, is found by its id."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from common import invariants
from common.audit_chain import seal_once
from common.auth import Role
from common.db import Database
from common.invariants import MECHANISMS, Checker, Invariant
from disbursement.storage.invariants import INVARIANTS

_SETTLED = "(SELECT payment_id FROM payment WHERE status = 'SETTLED' ORDER BY payment_id LIMIT 1)"
_OLD = "now() - interval '1 day'"

PLANTED: dict[str, tuple[str, str]] = {
    "paid_within_due": (
        "UPDATE due_month_position SET due_at_commit = 1 WHERE beneficiary_id = (SELECT min(beneficiary_id::text)::uuid FROM payment)",
        "SELECT min(beneficiary_id::text) || '/SOCIAL_ASSISTANCE/A01/2024-09' FROM payment",
    ),
    "months_are_their_allocations": (
        "UPDATE due_month_position SET paid = paid + 1 WHERE beneficiary_id = (SELECT min(beneficiary_id::text)::uuid FROM payment)",
        "SELECT min(beneficiary_id::text) || '/SOCIAL_ASSISTANCE/A01/2024-09' FROM payment",
    ),
    "allocations_follow_payments": (
        f"UPDATE allocation SET state = 'COMMITTED' WHERE line_id = (SELECT line_id FROM payment WHERE payment_id = {_SETTLED})",
        f"SELECT {_SETTLED}::text",
    ),
    "ledger_follows_payments": (
        f"DELETE FROM ledger_transfer WHERE kind = 'SETTLE' AND payment_id = {_SETTLED}",
        f"SELECT {_SETTLED}::text",
    ),
    "ledger_in_its_chart": (
        f"UPDATE ledger_transfer SET credit_account = 'TREASURY' WHERE kind = 'SETTLE' AND payment_id = {_SETTLED}",
        f"SELECT transfer_id::text FROM ledger_transfer WHERE kind = 'SETTLE' AND payment_id = {_SETTLED}",
    ),
    "ledger_balances": (
        "UPDATE ledger_transfer SET debit_account = 'BUDGET' WHERE kind = 'SEND'",
        "SELECT cycle_id || '/IN_TRANSIT' FROM payment_cycle",
    ),
    "lists_are_whole": ("UPDATE payment_list SET held = 1", "SELECT list_id::text FROM payment_list"),
    "approved_lines_are_paid_or_held": (
        f"DELETE FROM payment WHERE payment_id = {_SETTLED}",
        "SELECT line_id::text FROM list_line WHERE line_id NOT IN (SELECT line_id FROM payment)",
    ),
    "one_living_attempt": (
        (
            "DROP INDEX payment_one_living_attempt; UPDATE payment p SET attempt = a.n + 1,"
            " line_id = (SELECT min(line_id::text)::uuid FROM payment)"
            " FROM (SELECT payment_id, row_number() OVER () AS n FROM payment) a WHERE a.payment_id = p.payment_id AND p.status = 'SETTLED'"
        ),
        "SELECT min(line_id::text) FROM payment",
    ),
    "open_payments_are_asked_about": (
        "UPDATE payment SET inquire_at = NULL WHERE status = 'UNKNOWN'",
        "SELECT payment_id::text FROM payment WHERE status = 'UNKNOWN'",
    ),
    "sends_end": (
        f"UPDATE payment_batch SET lease_owner = 'dead', lease_until = {_OLD} WHERE partner = 'momo'",
        "SELECT batch_id::text FROM payment_batch WHERE partner = 'momo'",
    ),
    "notices_are_applied": (
        (f"UPDATE partner_notice SET state = 'RECEIVED', received_at = {_OLD}"
        " WHERE notice_id = (SELECT min(notice_id::text)::uuid FROM partner_notice)"),
        "SELECT min(notice_id::text) FROM partner_notice",
    ),
    "budgets_are_their_movements": ("UPDATE budget SET spent = spent + 1", "SELECT budget_id::text FROM budget"),
    "overpaid_is_claimed_back": (
        f"UPDATE due_interval SET amount = 1 WHERE beneficiary_id = (SELECT beneficiary_id FROM payment WHERE payment_id = {_SETTLED})",
        f"SELECT beneficiary_id::text FROM payment WHERE payment_id = {_SETTLED}",
    ),
    "closed_cycles_have_ended": (
        "UPDATE payment_cycle SET state = 'CLOSED', closed_at = now()",
        "SELECT payment_id::text FROM payment WHERE status = 'UNKNOWN'",
    ),
    "outbox_published": (f"UPDATE outbox SET created_at = {_OLD} WHERE id = 1", "SELECT event_id::text FROM outbox WHERE id = 1"),
    "nothing_parked": (
        ("INSERT INTO parked_event (consumer, topic, partition, \"offset\", key, event_id, type, headers, body, error)"
        " SELECT 'c', 't', 0, 0, key, event_id, type, '{}', '', 'e' FROM outbox WHERE id = 1"),
        "SELECT event_id::text FROM parked_event",
    ),
    "consumers_alive": (f"INSERT INTO consumer_position VALUES ('c', 't', 3, 0, 0, {_OLD})", "SELECT 'c/t/3'"),
    "consumers_keep_up": ("INSERT INTO consumer_position VALUES ('c', 't', 3, 0, 100001)", "SELECT 'c/t/3'"),
    "jobs_move": (
        f"INSERT INTO job (id, kind, requested_by, business_date, created_at) VALUES (uuidv7(), 'x', 'x', '2024-09-01', {_OLD})",
        "SELECT id::text FROM job",
    ),
    "erased_keys_are_destroyed": (
        ("INSERT INTO erasure_request (person_id, unit_paths, asked_by, ground, state, proposed_by, decided_by, answer, keys, keys_due_on)"
        " VALUES (uuidv7(), '{60}', 'PERSON', 'x', 'DONE', 'a', 'b', '{}', '{at_rest/k1}', current_date - 1)"),
        "SELECT erasure_id::text FROM erasure_request",
    ),
    "audit_rows_are_sealed": (
        f"UPDATE audit_log SET at = {_OLD} WHERE id = 1; INSERT INTO audit_unsealed VALUES (1)",
        "SELECT '1'",
    ),
}  # fmt: skip


class _Undo(Exception):
    pass


async def planted(db: Database, invariant: Invariant, plant: str, offender: str) -> tuple[list[str], str]:
    """What is found, and what should be, while a violation stands that no trigger and no foreign key kept out; then it is undone."""
    with suppress(_Undo):
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL session_replication_role = replica")
            for statement in plant.split("; "):
                await tx.execute(statement)
            _, ids = await invariants.check(tx, invariant)
            wanted = await tx.value(offender)
            raise _Undo
    return ids, wanted


async def test_each_violation_is_found_by_its_id_and_nothing_else_is_found(world: Any, pg_url: str) -> None:
    lines = [world.line(amount=300_000 + n) for n in range(3)]
    await world.approve([*lines, world.line(partner="momo", channel="WALLET")])
    await world.send()
    await world.partner_works()
    await world.apply()
    await world.script("error_500_after_accept", "momo")
    await world.send("momo")
    assert await world.statuses() == {"SETTLED": 3, "UNKNOWN": 1}
    while await seal_once(world.db):
        pass
    known = {invariant.name: invariant for invariant in (*MECHANISMS, *INVARIANTS)}
    assert known.keys() == PLANTED.keys(), "plant a violation of every invariant"
    async with world.db.read() as tx:
        found = {name: await invariants.check(tx, invariant) for name, invariant in known.items()}
    assert found == dict.fromkeys(known, (0, []))
    above_all = Database(pg_url.replace("postgresql://", "postgresql+psycopg://").rsplit("/", 1)[0] + f"/{world.test_database.name}")
    try:
        for name, (plant, offender) in PLANTED.items():
            ids, wanted = await planted(above_all, known[name], plant, offender)
            assert wanted in ids, name
    finally:
        await above_all.close()


async def test_the_worker_finds_tells_and_forgets(world: Any, client_as: Any) -> None:
    await world.approve([world.line()])
    checker = Checker(world.db, INVARIANTS)
    while await checker.round():
        pass
    http = client_as(world.app, Role.AUDITOR)
    items = (await http.get("/v1/invariants")).json()["items"]
    assert {item["name"] for item in items} == PLANTED.keys()
    assert all(item["offenders"] == 0 and item["checked_at"] and not item["error"] for item in items)
    async with world.owner() as tx:
        await tx.execute("UPDATE budget SET spent = spent + 1")
        await tx.execute("UPDATE invariant_result SET next_at = now() WHERE name = 'budgets_are_their_movements'")
    await checker.round()
    first = (await http.get("/v1/invariants")).json()["items"][0]
    assert (first["name"], first["offenders"]) == ("budgets_are_their_movements", 1)
    assert first["ids"] == [str(await world.value("SELECT budget_id FROM budget"))]
    assert first["broken_since"]
    assert invariants.OFFENDERS.labels("budgets_are_their_movements")._value.get() == 1
    async with world.owner() as tx:
        await tx.execute("UPDATE budget SET spent = spent - 1")
        await tx.execute("UPDATE invariant_result SET next_at = now() WHERE name = 'budgets_are_their_movements'")
    # Another worker looks next, and both show the same.
    await Checker(world.db, INVARIANTS).round()
    assert not any(item["offenders"] for item in (await http.get("/v1/invariants")).json()["items"])
    assert invariants.OFFENDERS.labels("budgets_are_their_movements")._value.get() == 0
    assert (await client_as(world.app, Role.COMMUNE_OFFICER).get("/v1/invariants")).status_code == 403


async def test_what_never_came_to_its_end_is_shown_as_never_checked(world: Any) -> None:
    """Its age raises the alert; without a series there would be nothing to be old."""
    checker = Checker(world.db, [Invariant("broken_from_birth", "-", "-", "SELECT nope AS offender FROM no_such_table")])
    while await checker.round():
        pass
    assert await world.value("SELECT error FROM invariant_result WHERE name = 'broken_from_birth'") == "UndefinedTable: 42P01"
    assert invariants.CHECKED.labels("broken_from_birth")._value.get() == 0
