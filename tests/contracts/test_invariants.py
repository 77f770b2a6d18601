"""The invariants of every service: nothing is found in a fresh database, and each planted violation is found by its id.

Those of money are planted among real payments: tests/service/disbursement/payments/test_invariants.py.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress

import pytest

from common import invariants, testing
from common.db import Database
from common.invariants import MECHANISMS, Invariant

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
A, B = "01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b11", "01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b22"
_OLD = "now() - interval '1 day'"
_IMPORT = (("import_file", "import_id, state, created_at", f"'{A}', 'RECEIVED', {_OLD}"),)

# Rows (table, columns, values) that break it, in tables of the same shape without any guard; and who is named.
PLANTED: dict[str, dict[str, tuple[tuple[tuple[str, str, str], ...], str]]] = {
    "registry": {
        "dues_do_not_overlap": (
            tuple(("due_interval", "person_id, programme, funding_source, benefit_line, from_month, until",
                   f"'{A}', 'MERIT', 'X', 'M01', '2024-0{n}-01', '2024-09-01'") for n in (1, 2)), A),
        "dues_are_of_a_known_state": ((("due_interval", "person_id", f"'{A}'"),), A),
        "the_dead_are_owed_nothing_more": (
            (("person", "person_id, status, death_date", f"'{A}', 'DECEASED', '2024-07-15'"),
             ("due_interval", "person_id, amount, until", f"'{A}', 1, '2024-09-01'")), A),
        "merges_leave_nothing_behind": (
            (("person", "person_id, status", f"'{A}', 'ACTIVE'"), ("person", "person_id, status", f"'{B}', 'DECEASED'"),
             ("person_merge", "survivor_id, other_id, effective_month, before", f"'{A}', '{B}', '2024-09-01', '{{}}'")), f"{A}/{B}"),
        "imports_move": (_IMPORT, A),
    },
    "identity-verify": {
        "everyone_is_asked_about": ((("subject", "beneficiary_id, subject_id, active", f"'{A}', '{B}', true"),), f"{A}/{B}"),
        "questions_move": (
            (("check_request", "beneficiary_id, subject_id, state, next_try_at", f"'{A}', '{B}', 'PENDING', {_OLD}"),), f"{A}/{B}"),
        "verdicts_have_evidence": ((("verification", "beneficiary_id, subject_id, verdict", f"'{A}', '{B}', 'VERIFIED'"),), f"{A}/{B}"),
    },
    "accounts": {
        "methods_pay_their_payee": (
            (("account", "account_id, payee_id", f"'{A}', '{A}'"),
             ("payout_method", "beneficiary_id, payee_id, account_id", f"'{B}', '{B}', '{A}'")), B),
        "name_checks_move": ((("account", "account_id, check_due, next_try_at", f"'{A}', true, {_OLD}"),), A),
        "imports_move": (_IMPORT, A),
    },
    "reporting": {
        "nobody_is_shown_paid_twice": (
            tuple(("payment", "cycle_id, beneficiary_id, status", f"'{A}', '{B}', '{status}'") for status in ("SETTLED", "COLLECTED")),
            f"{A}/{B}"),
        "closed_cycles_are_shown_ended": (
            (("cycle", "cycle_id, state", f"'{A}', 'CLOSED'"), ("payment", "payment_id, cycle_id, status", f"'{B}', '{A}', 'UNKNOWN'")), B),
        "paid_lists_are_told_whole": ((("cycle", "cycle_id, state, lines, held", f"'{A}', 'SETTLING', 2, 1"),), A),
    },
}  # fmt: skip


class _Undo(Exception):
    pass


async def found_with(db: Database, invariant: Invariant, rows: tuple[tuple[str, str, str], ...]) -> list[str]:
    """What the check names while these rows stand; then they are gone."""
    with suppress(_Undo):
        async with db.transaction() as tx:
            for table in dict.fromkeys(table for table, _, _ in rows):
                await tx.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT * FROM public.{table} WITH NO DATA")
            for table, columns, values in rows:
                await tx.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})")
            _, ids = await invariants.check(tx, invariant)
            raise _Undo
    return ids


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_fresh_is_whole_and_what_is_broken_is_named(
    service: str, database: Callable[[str], testing.TestDatabase], pg_url: str
) -> None:
    own: tuple[Invariant, ...] = importlib.import_module(f"{service.replace('-', '_')}.storage.invariants").INVARIANTS
    home = database(service)
    assert len({invariant.name for invariant in (*MECHANISMS, *own)}) == len(MECHANISMS) + len(own)
    async with home.db.read() as tx:
        assert {item.name: await invariants.check(tx, item) for item in (*MECHANISMS, *own)} == {
            item.name: (0, []) for item in (*MECHANISMS, *own)
        }
    if service == "disbursement":
        return
    assert PLANTED[service].keys() == {invariant.name for invariant in own}, "plant a violation of every invariant"
    above_all = Database(pg_url.replace("postgresql://", "postgresql+psycopg://").rsplit("/", 1)[0] + f"/{home.name}")
    try:
        for invariant in own:
            rows, offender = PLANTED[service][invariant.name]
            assert await found_with(above_all, invariant, rows) == [offender], invariant.name
    finally:
        await above_all.close()
