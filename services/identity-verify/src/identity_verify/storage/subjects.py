"""Projection of the people to check, and the check each change of identity asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import orjson

from common.db import Tx
from common.topics import partition_sql

__all__ = ["Subject", "counts_in_partition", "upsert"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One person to check, as the registry said last. `number_blind` in PostgreSQL's hexadecimal form of bytes."""

    beneficiary_id: UUID
    subject_id: UUID
    kind: str
    full_name: str
    birth_date: str | None
    sex: str
    number_token: str | None
    number_blind: str | None
    fingerprint: str
    unit_code: str
    unit_path: str
    active: bool
    version: int
    business_date: date


_UPSERT: Final = """
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
        beneficiary_id uuid, subject_id uuid, kind text, full_name text, birth_date text, sex text, number_token text, number_blind bytea,
        fingerprint text, unit_code text, unit_path text, active boolean, version integer, business_date date)
), stored AS (
    INSERT INTO subject AS s (beneficiary_id, subject_id, kind, full_name, birth_date, sex, number_token, number_blind, fingerprint,
                              unit_code, unit_path, active, version, business_date)
    SELECT * FROM incoming
    ON CONFLICT (beneficiary_id, subject_id) DO UPDATE SET
        kind = excluded.kind, full_name = excluded.full_name, birth_date = excluded.birth_date, sex = excluded.sex,
        number_token = excluded.number_token, number_blind = excluded.number_blind,
        fingerprint = excluded.fingerprint, unit_code = excluded.unit_code,
        unit_path = excluded.unit_path, active = excluded.active, version = excluded.version, business_date = excluded.business_date
    WHERE excluded.version > s.version
    RETURNING s.beneficiary_id, s.subject_id, s.fingerprint, s.active, s.business_date
)
INSERT INTO check_request AS c (beneficiary_id, subject_id, fingerprint, state, business_date, traceparent)
SELECT beneficiary_id, subject_id, fingerprint, CASE WHEN active THEN 'PENDING' ELSE 'CANCELLED' END, business_date,
       CAST(:traces AS jsonb) ->> CAST(beneficiary_id AS text)
FROM stored
ORDER BY beneficiary_id, subject_id
ON CONFLICT (beneficiary_id, subject_id) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    state = excluded.state, reason = 'CHANGED', priority = 0, business_date = excluded.business_date, exchange_id = NULL,
    attempts = 0, last_error = NULL, lease_owner = NULL, lease_until = NULL, next_try_at = now(),
    pending_since = CASE WHEN c.state = 'PENDING' THEN c.pending_since ELSE now() END, traceparent = excluded.traceparent
WHERE excluded.fingerprint <> c.fingerprint OR (excluded.state = 'CANCELLED') <> (c.state = 'CANCELLED')
"""

_COUNTS: Final = f"""
SELECT count(*) FILTER (WHERE kind = 'BENEFICIARY') AS beneficiaries,
       coalesce(sum(version) FILTER (WHERE kind = 'BENEFICIARY'), 0) AS beneficiary_versions,
       count(*) FILTER (WHERE kind = 'REPRESENTATIVE') AS representatives,
       coalesce(sum(version) FILTER (WHERE kind = 'REPRESENTATIVE'), 0) AS representative_versions
FROM subject WHERE {partition_sql("beneficiary_id")} = :partition
"""


async def upsert(tx: Tx, subjects: Sequence[Subject]) -> None:
    """Store higher versions; a new or changed identity becomes a pending check, an unchanged one asks nothing again."""
    await tx.execute(_UPSERT, rows=orjson.dumps(list(subjects)).decode(), traces=tx.traces_json())


async def counts_in_partition(tx: Tx, partition: int) -> dict[str, int]:
    """How many people of each kind this projection holds for one partition, with the sum of their versions."""
    row = await tx.row(_COUNTS, partition=partition)
    assert row is not None
    return {name: int(value) for name, value in row.items()}
