"""Projection of who is paid: beneficiaries, representatives, administrative units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from accounts.storage.accounts import take_record_lock
from common.db import Tx
from common.topics import partition_sql

__all__ = [
    "ARRIVALS_LOCK",
    "Beneficiary", "Representative", "Unit", "beneficiary_in_scope", "counts_in_partition", "latest_day", "take_arrival_locks",
    "take_choice_locks", "unit_path", "upsert_beneficiaries", "upsert_paid", "upsert_preferences", "upsert_representatives", "upsert_units",
]  # fmt: skip


ARRIVALS_LOCK: Final = 7_310_002
"""Shared by transactions that bring people; exclusive to one that decides which rows of lists must wait for people."""


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """One beneficiary as the registry said last."""

    beneficiary_id: UUID
    version: int
    file_code: str | None
    full_name: str
    name_key: str
    name_folded: str
    number_token: str | None
    fingerprint: str
    unit_code: str
    unit_path: str
    business_date: date
    birth_date: str | None
    programmes: list[str]
    status: str


@dataclass(frozen=True, slots=True)
class Representative:
    """One representative of one beneficiary as the registry said last."""

    beneficiary_id: UUID
    representative_id: UUID
    version: int
    kind: str
    full_name: str
    name_key: str
    name_folded: str
    number_token: str | None
    fingerprint: str
    revoked_on: date | None
    birth_date: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One administrative unit as of its dates."""

    unit_id: UUID
    version: int
    code: str
    path: str
    valid_from: date
    valid_to: date | None


# An answer that is on its way is about the identity before: it loses its lease, so that it is not taken.
_BENEFICIARIES: Final = """
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
        beneficiary_id uuid, version integer, file_code text, full_name text, name_key text, name_folded text, number_token text,
        fingerprint text, unit_code text, unit_path text, business_date date, birth_date text, programmes text[], status text)
), before AS (
    SELECT beneficiary_id, b.fingerprint FROM beneficiary b JOIN incoming USING (beneficiary_id)
), stored AS (
    INSERT INTO beneficiary AS b (beneficiary_id, version, file_code, full_name, name_key, name_folded, number_token, fingerprint,
                                  unit_code, unit_path, business_date, birth_date, programmes, status)
    SELECT * FROM incoming
    ON CONFLICT (beneficiary_id) DO UPDATE SET version = excluded.version, file_code = excluded.file_code, full_name = excluded.full_name,
        name_key = excluded.name_key, name_folded = excluded.name_folded, number_token = excluded.number_token,
        fingerprint = excluded.fingerprint, unit_code = excluded.unit_code, unit_path = excluded.unit_path,
        business_date = excluded.business_date, birth_date = excluded.birth_date, programmes = excluded.programmes,
        status = excluded.status
    WHERE excluded.version > b.version
    RETURNING b.beneficiary_id, b.file_code, b.fingerprint
), again AS (
    UPDATE account a SET due_since = CASE WHEN a.check_due THEN a.due_since ELSE now() END, check_due = true, next_try_at = now(),
        attempts = 0, lease_owner = NULL, lease_until = NULL, traceparent = CAST(:traces AS jsonb) ->> CAST(s.beneficiary_id AS text)
    FROM stored s JOIN before o USING (beneficiary_id)
    WHERE a.payee_id = s.beneficiary_id AND o.fingerprint <> s.fingerprint
)
UPDATE import_row r SET retry = true FROM stored s WHERE r.verdict = 'WAITING' AND NOT r.retry AND r.file_code = upper(s.file_code)
"""

_REPRESENTATIVES: Final = """
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
        beneficiary_id uuid, representative_id uuid, version integer, kind text, full_name text, name_key text, name_folded text,
        number_token text, fingerprint text, revoked_on date, birth_date text, valid_from date, valid_to date)
), before AS (
    SELECT beneficiary_id, representative_id, r.fingerprint FROM representative r JOIN incoming USING (beneficiary_id, representative_id)
), stored AS (
    INSERT INTO representative AS r (beneficiary_id, representative_id, version, kind, full_name, name_key, name_folded, number_token,
                                     fingerprint, revoked_on, birth_date, valid_from, valid_to)
    SELECT * FROM incoming
    ON CONFLICT (beneficiary_id, representative_id) DO UPDATE SET version = excluded.version, kind = excluded.kind,
        full_name = excluded.full_name, name_key = excluded.name_key, name_folded = excluded.name_folded,
        number_token = excluded.number_token, fingerprint = excluded.fingerprint, revoked_on = excluded.revoked_on,
        birth_date = excluded.birth_date, valid_from = excluded.valid_from, valid_to = excluded.valid_to
    WHERE excluded.version > r.version
    RETURNING r.beneficiary_id, r.representative_id, r.fingerprint
), again AS (
    UPDATE account a SET due_since = CASE WHEN a.check_due THEN a.due_since ELSE now() END, check_due = true, next_try_at = now(),
        attempts = 0, lease_owner = NULL, lease_until = NULL, traceparent = CAST(:traces AS jsonb) ->> CAST(s.beneficiary_id AS text)
    FROM stored s JOIN before o USING (beneficiary_id, representative_id)
    WHERE a.payee_id = s.representative_id AND o.fingerprint <> s.fingerprint
)
UPDATE import_row w SET retry = true FROM stored s JOIN beneficiary b USING (beneficiary_id)
WHERE w.verdict = 'WAITING' AND NOT w.retry AND w.file_code = upper(b.file_code)
"""

_CHOSEN: Final = """
SELECT EXISTS (SELECT FROM payout_method WHERE beneficiary_id = ANY(CAST(:ids AS uuid[])))
    OR EXISTS (SELECT FROM account WHERE via_beneficiary_id = ANY(CAST(:ids AS uuid[])))
    OR EXISTS (SELECT FROM account WHERE payee_id = ANY(CAST(:ids AS uuid[])))
"""

_UNITS: Final = """
INSERT INTO administrative_unit AS u (unit_id, version, code, path, valid_from, valid_to)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
    unit_id uuid, version integer, code text, path text, valid_from date, valid_to date)
ON CONFLICT (unit_id) DO UPDATE SET version = excluded.version, code = excluded.code, path = excluded.path,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to
WHERE excluded.version > u.version
"""

_PREFERENCES: Final = """
INSERT INTO preference AS p (beneficiary_id, version, preference, recorded_on, evidence)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
    beneficiary_id uuid, version integer, preference text, recorded_on date, evidence text)
ON CONFLICT (beneficiary_id) DO UPDATE SET version = excluded.version, preference = excluded.preference,
    recorded_on = excluded.recorded_on, evidence = excluded.evidence
WHERE excluded.version > p.version
"""

_PAID: Final = """
INSERT INTO paid_by_account AS p (payment_id, beneficiary_id, version, month, paid)
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (payment_id uuid, beneficiary_id uuid, version integer, month text, paid boolean)
ON CONFLICT (payment_id) DO UPDATE SET version = excluded.version, paid = excluded.paid WHERE excluded.version > p.version
"""

_MINE: Final = partition_sql("beneficiary_id") + " = :partition"
_COUNTS: Final = f"""
SELECT (SELECT count(*) FROM beneficiary WHERE {_MINE}) AS beneficiaries,
       (SELECT coalesce(sum(version), 0) FROM beneficiary WHERE {_MINE}) AS beneficiary_versions,
       (SELECT count(*) FROM representative WHERE {_MINE}) AS representatives,
       (SELECT coalesce(sum(version), 0) FROM representative WHERE {_MINE}) AS representative_versions
"""


def _json(items: Sequence[Any]) -> str:
    return orjson.dumps(list(items)).decode()


async def take_arrival_locks(tx: Tx) -> None:
    """The locks of the consumer, in the one order: arrivals, recording, then rows of accounts and methods.

    Every handler that touches accounts takes both first, whichever comes first in a batch.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock_shared({ARRIVALS_LOCK})")
    await take_record_lock(tx)


async def take_choice_locks(tx: Tx) -> None:
    """For whoever adds an account or a first choice: kept apart from people who arrive or move, then the turn of the recorders."""
    await tx.execute(f"SELECT pg_advisory_xact_lock({ARRIVALS_LOCK})")
    await take_record_lock(tx)


async def _meet(tx: Tx, beneficiary_ids: Sequence[UUID]) -> None:
    """Locks for storing these people. Those of whom nothing is chosen yet need no turn: a province arrives on all workers at once.

    Accounts and first choices are added under the exclusive arrivals lock, so none can appear while these people are stored.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock_shared({ARRIVALS_LOCK})")
    if await tx.value(_CHOSEN, ids=list(beneficiary_ids)):
        await take_record_lock(tx)


async def upsert_beneficiaries(tx: Tx, people: Sequence[Beneficiary]) -> None:
    """Store higher versions; a changed identity asks about the person's accounts again, rows that waited for the person are retried."""
    await _meet(tx, [item.beneficiary_id for item in people])
    await tx.execute(_BENEFICIARIES, rows=_json(people), traces=tx.traces_json())


async def upsert_representatives(tx: Tx, people: Sequence[Representative]) -> None:
    """Store higher versions; as for beneficiaries, whomever of those they collect for their accounts were registered for."""
    await _meet(tx, [person_id for item in people for person_id in (item.beneficiary_id, item.representative_id)])
    await tx.execute(_REPRESENTATIVES, rows=_json(people), traces=tx.traces_json())


async def upsert_preferences(tx: Tx, preferences: Sequence[dict[str, Any]]) -> None:
    """Store what people said in the survey (at most one per person); higher versions only."""
    await tx.execute(_PREFERENCES, rows=_json(preferences))


async def upsert_paid(tx: Tx, payments: Sequence[dict[str, Any]]) -> None:
    """Store which payments into accounts are settled and have not come back."""
    await tx.execute(_PAID, rows=_json(payments))


async def upsert_units(tx: Tx, units: Sequence[Unit]) -> None:
    """Store higher versions of administrative units."""
    await tx.execute(_UNITS, rows=_json(units))


async def unit_path(tx: Tx, code: str, on: date) -> str | None:
    """The path of a unit on a day: as announced, else as people of that unit have it; None when neither is known."""
    path = await tx.value(
        "SELECT path FROM administrative_unit WHERE code = :code AND valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)"
        " ORDER BY valid_from DESC LIMIT 1",
        code=code,
        on=on,
    )
    if path is None:
        path = await tx.value("SELECT unit_path FROM beneficiary WHERE unit_code = :code LIMIT 1", code=code)
    return None if path is None else str(path)


async def counts_in_partition(tx: Tx, partition: int) -> dict[str, int]:
    """How many people of each kind this projection holds for one partition, with the sum of their versions."""
    row = await tx.row(_COUNTS, partition=partition)
    assert row is not None
    return {name: int(value) for name, value in row.items()}


async def latest_day(tx: Tx) -> date | None:
    """The latest business date the registry has named; None before it named any."""
    day: date | None = await tx.value(
        "SELECT greatest((SELECT max(business_date) FROM beneficiary), (SELECT max(business_date) FROM cut_off))"
    )
    return day


async def beneficiary_in_scope(tx: Tx, beneficiary_id: UUID, scope: str, scope_params: dict[str, Any]) -> RowMapping | None:
    """A beneficiary within the caller's units."""
    return await tx.row(f"SELECT * FROM beneficiary b WHERE beneficiary_id = :id AND {scope}", id=beneficiary_id, **scope_params)
