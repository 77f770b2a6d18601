"""Every table about people, in every service, is given out or named as an exception; every statement runs as the service's role."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Final

import psycopg
import pytest

from common import audit, testing
from common.actor import SYSTEM
from common.ids import new_id
from common.personal_data import Holding, collect, erase, kept_of, label, preview
from common.personal_words import MECHANICAL
from common.retention import apply_terms, due

SERVICES: Final = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
ABOUT_PEOPLE: Final = re.compile(
    r"(person|beneficiary|subject|payee|representative|relative|merit_person|deceased|organiser|dependant|head|survivor|other|a|b)_id"
    r"|via_beneficiary_id|(payment|entitlement|account|line|recovery|complaint|case)_id|(full|holder|beneficiary|payee)_name"
    r"|.*national_number|.*phone(_token)?|number_(token|cipher|blind)|address|digits_blind|tail"
    r"|content(_cipher)?|raw|proof|request|body|said"
)
"""Columns that point at a person, name one, or hold what came from outside as it came."""
MECHANISMS: Final = {
    "alembic_version": "", "api_client": "systems of agencies", "api_client_access": "calls of systems", "api_client_calls": "counts",
    "audit_anchor": "digests", "audit_chain": "digests", "audit_log": "given with every answer, by role", "audit_unsealed": "ids",
    "consumer_position": "", "database_life": "", "database_restore": "", "idempotency_key": "sealed answers; go after their days",
    "inbox": "ids of events", "invariant_result": "", "job": "kind and counts", "lost_event": "published events, gone after a restore",
    "outbox": "copies of the state given; go after the replay window", "parked_event": "sealed copies of events; go after their days",
    "relay_position": "", "retention_term": "", "import_mapping": "a learnt layout holds no people",
}  # fmt: skip
DIGESTS: Final = re.compile(r".*(blind|digest|sha256)")


def holding_of(service: str) -> Holding:
    holding: Holding = importlib.import_module(f"{service.replace('-', '_')}.storage.personal_data").HOLDING
    return holding


def tables(home: testing.TestDatabase) -> dict[str, dict[str, str]]:
    """Table → column → type; partitions are their parents."""
    found: dict[str, dict[str, str]] = {}
    with psycopg.connect(home.owner_url.replace("+psycopg", "")) as connection:
        for table, column, kind in connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0"
            " AND NOT a.attisdropped"
        ):
            found.setdefault(table, {})[column] = kind
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_about_people_is_a_part_or_an_exception_and_every_statement_runs(
    service: str, database: Callable[[str], testing.TestDatabase]
) -> None:
    home, holding = database(service), holding_of(service)
    schema = tables(home)
    parts = {part.table for part in holding.parts}
    assert len(parts) == len(holding.parts)
    assert all(holding.exceptions.values())
    about = {table for table, columns in schema.items() if any(ABOUT_PEOPLE.fullmatch(name) for name in columns)}
    assert about - parts - set(holding.exceptions) - set(MECHANISMS) == set(), "give these out, or say why not"
    assert not parts & set(holding.exceptions)
    assert (parts | set(holding.exceptions)) <= set(schema), "a table that is not there"
    unnamed, closed = set(), set()
    for part in holding.parts:
        given = schema[part.table] if part.columns == "t.*" else {}
        for column, kind in given.items():
            if column in MECHANICAL or column in part.without:
                continue
            if kind == "bytea":
                if column not in part.opens and not DIGESTS.fullmatch(column):
                    closed.add((part.table, column))
            elif label(holding, column) is None:
                unnamed.add((part.table, column))
            if column.endswith("_token") and column not in part.tokens:
                closed.add((part.table, column))
    assert not unnamed, "columns without a Vietnamese name"
    assert not closed, "sealed columns that nobody opens"
    nobody = new_id()
    async with home.db.transaction(SYSTEM("test")) as tx:
        assert await collect(tx, holding, nobody) == []
        assert await preview(tx, holding, nobody) == []
        assert await kept_of(tx, holding, nobody) == []
        await tx.rows(holding.units, id=nobody)
        await tx.execute(
            "INSERT INTO erasure_request (person_id, unit_paths, asked_by, ground, proposed_by) VALUES (:id, '{60}', 'OFFICE', 'x', 'an')",
            id=nobody,
        )
        assert await erase(tx, holding, nobody) == []
        for rule in holding.retention:
            assert await tx.value(f"SELECT count(*) FROM {rule.table} t WHERE {due(rule, ':days')}", days=1) == 0, rule.name
            assert rule.law
            assert rule.days is not None or rule.question_vi
            await tx.execute(
                "INSERT INTO retention_term (rule, days, valid_from, legal_source, state, proposed_by, decided_by, decided_at)"
                " VALUES (:rule, :days, '2020-01-01', 'x', 'ACTIVE', 'an', 'binh', now())",
                rule=rule.name,
                days=rule.least,
            )
        await audit.record(tx, "test", "person", nobody, audit.Created({}))
    assert await apply_terms(home.db, holding.retention) is False
