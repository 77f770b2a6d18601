"""What is known of each subject now, and the evidence for it, which is only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["Recorded", "decided", "evidence_of", "find", "last_answer", "move", "page", "progress", "record", "represented", "undecided"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One verdict to store, with what it rests on."""

    beneficiary_id: UUID
    subject_id: UUID
    verdict: str
    source: str
    source_status: str
    fields: dict[str, str]
    fingerprint: str
    checked_on: date
    valid_until: date
    reference: str | None
    death_date: date | None
    source_checked_at: str | None
    decided_by: str | None
    unit_path: str
    reason: str | None = None
    decided: dict[str, Any] | None = None
    side_by_side_cipher: str | None = None
    """The source's registered values, encrypted, in PostgreSQL's hexadecimal form of bytes; only of unclear answers."""


_RECORD: Final = """
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (
        beneficiary_id uuid, subject_id uuid, verdict text, source text, source_status text, fields jsonb, fingerprint text,
        checked_on date, valid_until date, reference text, death_date date, source_checked_at timestamptz, decided_by text, unit_path text,
        reason text, decided jsonb, side_by_side_cipher bytea)
), stored AS (
    INSERT INTO verification AS v (beneficiary_id, subject_id, version, verdict, source_status, fields, fingerprint, checked_on,
                                   valid_until, reference, death_date, decided_by, unit_path, decided)
    SELECT beneficiary_id, subject_id, 1, verdict, source_status, fields, fingerprint, checked_on, valid_until, reference,
           death_date, decided_by, unit_path, decided
    FROM incoming
    ON CONFLICT (beneficiary_id, subject_id) DO UPDATE SET
        version = v.version + 1, verdict = excluded.verdict, source_status = excluded.source_status, fields = excluded.fields,
        fingerprint = excluded.fingerprint, checked_on = excluded.checked_on, valid_until = excluded.valid_until,
        reference = excluded.reference, death_date = excluded.death_date, decided_by = excluded.decided_by,
        unit_path = excluded.unit_path, grace_until = NULL, decided = excluded.decided, updated_at = now()
    RETURNING v.beneficiary_id, v.subject_id, v.version
), kept AS (
    INSERT INTO evidence (beneficiary_id, subject_id, verification_version, source, source_status, verdict, fields, fingerprint,
                          reference, death_date, checked_on, source_checked_at, reason, side_by_side_cipher)
    SELECT i.beneficiary_id, i.subject_id, s.version, i.source, i.source_status, i.verdict, i.fields, i.fingerprint, i.reference,
           i.death_date, i.checked_on, i.source_checked_at, i.reason, i.side_by_side_cipher
    FROM incoming i JOIN stored s USING (beneficiary_id, subject_id)
)
SELECT beneficiary_id, subject_id, version FROM stored
"""

_MOVED: Final = """
UPDATE verification v SET version = v.version + 1, unit_path = s.unit_path, updated_at = now()
FROM subject s, unnest(CAST(:beneficiary_id AS uuid[]), CAST(:subject_id AS uuid[])) AS i (beneficiary_id, subject_id)
WHERE v.beneficiary_id = i.beneficiary_id AND v.subject_id = i.subject_id AND s.beneficiary_id = i.beneficiary_id
  AND s.subject_id = i.subject_id AND v.unit_path <> s.unit_path
RETURNING v.*, s.kind, s.unit_code, s.business_date
"""

_SHOWN: Final = """
SELECT s.beneficiary_id, s.subject_id, s.kind AS subject_kind, s.full_name, s.birth_date, s.sex, s.unit_code, s.unit_path,
       v.version, coalesce(v.verdict, 'UNANSWERED') AS verdict, v.source_status, v.fields, v.checked_on, v.valid_until, v.reference,
       v.death_date, v.decided_by, v.grace_until, c.state = 'PENDING' AS pending, v.fingerprint = s.fingerprint AS current
FROM subject s
LEFT JOIN verification v USING (beneficiary_id, subject_id)
LEFT JOIN check_request c USING (beneficiary_id, subject_id)
"""


async def record(tx: Tx, verdicts: Sequence[Recorded]) -> dict[tuple[UUID, UUID], int]:
    """Store verdicts and their evidence; returns the new version of each (beneficiary, subject)."""
    rows = await tx.rows(_RECORD, rows=orjson.dumps(list(verdicts)).decode())
    return {(row["beneficiary_id"], row["subject_id"]): row["version"] for row in rows}


async def decided(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], dict[str, Any] | None]:
    """What two people decided on each of these (beneficiary, subject) by now, locked in key order: a decision waits or has been seen."""
    rows = await tx.rows(
        "SELECT v.beneficiary_id, v.subject_id, v.decided FROM verification v"
        " JOIN unnest(CAST(:beneficiary_id AS uuid[]), CAST(:subject_id AS uuid[])) AS i (beneficiary_id, subject_id)"
        " USING (beneficiary_id, subject_id) ORDER BY v.beneficiary_id, v.subject_id FOR UPDATE OF v",
        beneficiary_id=[key[0] for key in keys],
        subject_id=[key[1] for key in keys],
    )
    return {(row["beneficiary_id"], row["subject_id"]): row["decided"] for row in rows}


async def move(tx: Tx, subjects: Sequence[tuple[UUID, UUID]]) -> Sequence[RowMapping]:
    """Take verifications along to the unit their subject moved to; those moved, with what an event needs."""
    return await tx.rows(_MOVED, beneficiary_id=[key[0] for key in subjects], subject_id=[key[1] for key in subjects])


async def find(tx: Tx, subject_id: UUID, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """All checks of one person (own, and as representative of others) within the caller's units."""
    return await tx.rows(
        f"{_SHOWN} WHERE s.subject_id = :subject_id AND {scope} ORDER BY s.kind, s.beneficiary_id", subject_id=subject_id, **scope_params
    )


async def evidence_of(tx: Tx, beneficiary_id: UUID, subject_id: UUID) -> Sequence[RowMapping]:
    """The answers kept for one subject, newest first."""
    return await tx.rows(
        "SELECT verification_version AS version, source, source_status, verdict, fields, reference, death_date, checked_on, "
        "reason, source_checked_at, recorded_at FROM evidence WHERE beneficiary_id = :beneficiary_id AND subject_id = :subject_id "
        "ORDER BY id DESC LIMIT 50",
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
    )


async def page(
    tx: Tx, *, verdict: str | None, after: tuple[UUID, UUID] | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of the work list in key order."""
    conditions, params = [scope], dict(scope_params)
    if verdict is not None:
        conditions.append("v.verdict = :verdict" if verdict != "UNANSWERED" else "v.verdict IS NULL")
        params["verdict"] = verdict
    if after is not None:
        conditions.append("(s.beneficiary_id, s.subject_id) > (CAST(:after_b AS uuid), CAST(:after_s AS uuid))")
        params |= {"after_b": after[0], "after_s": after[1]}
    if verdict == "UNANSWERED":
        params.pop("verdict")
    sql = f"{_SHOWN} WHERE {' AND '.join(conditions)} ORDER BY s.beneficiary_id, s.subject_id LIMIT :limit"
    return await tx.rows(sql, limit=limit, **params)


async def undecided(
    tx: Tx, *, verdicts: Sequence[str], after: tuple[UUID, UUID] | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """People with one of these verdicts, on the data they have now, on whom nobody has decided; with what was proposed."""
    return await tx.rows(
        "SELECT s.beneficiary_id, s.subject_id, s.kind AS subject_kind, s.full_name, s.birth_date, s.sex, s.unit_code, s.unit_path,"
        " v.verdict, v.source_status, v.fields, v.checked_on, v.version, coalesce((SELECT jsonb_agg(jsonb_build_object("
        "   'verdict', d.verdict, 'note', d.note, 'proposed_by', d.proposed_by, 'proposed_at', d.proposed_at) ORDER BY d.proposed_at)"
        "   FROM decision d WHERE d.beneficiary_id = v.beneficiary_id AND d.subject_id = v.subject_id"
        "   AND d.verification_version = v.version AND d.confirmed_by IS NULL), '[]') AS proposals"
        # One subject after the other (OFFSET 0 keeps the planner from joining all of them), along the index of the unclear.
        " FROM verification v CROSS JOIN LATERAL (SELECT * FROM subject s WHERE s.beneficiary_id = v.beneficiary_id"
        "   AND s.subject_id = v.subject_id AND s.active AND s.fingerprint = v.fingerprint OFFSET 0) s"
        " WHERE v.verdict IN ('REVIEW', 'SUSPECTED_IDENTITY', 'NOT_FOUND') AND v.decided IS NULL"
        f" AND v.verdict = ANY(CAST(:verdicts AS text[])) AND {scope} AND (CAST(:after_beneficiary AS uuid) IS NULL"
        "   OR (v.beneficiary_id, v.subject_id) > (CAST(:after_beneficiary AS uuid), CAST(:after_subject AS uuid)))"
        " ORDER BY v.beneficiary_id, v.subject_id LIMIT :limit",
        verdicts=list(verdicts),
        after_beneficiary=after[0] if after else None,
        after_subject=after[1] if after else None,
        limit=limit,
        **scope_params,
    )


async def last_answer(tx: Tx, beneficiary_id: UUID, subject_id: UUID, scope: str, scope_params: dict[str, Any]) -> RowMapping | None:
    """One person's verification with what the source had registered, from the latest evidence that says so."""
    return await tx.row(
        "SELECT s.beneficiary_id, s.subject_id, s.full_name, s.birth_date, s.sex, s.unit_code, s.unit_path, v.version, v.verdict,"
        " v.source_status, v.fields, v.checked_on, v.fingerprint = s.fingerprint AS current, e.side_by_side_cipher"
        " FROM subject s JOIN verification v USING (beneficiary_id, subject_id)"
        " LEFT JOIN LATERAL (SELECT side_by_side_cipher FROM evidence e WHERE e.beneficiary_id = s.beneficiary_id"
        "   AND e.subject_id = s.subject_id AND e.fingerprint = v.fingerprint AND e.side_by_side_cipher IS NOT NULL"
        "   ORDER BY e.id DESC LIMIT 1) e ON true"
        f" WHERE s.beneficiary_id = :beneficiary_id AND s.subject_id = :subject_id AND {scope}",
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
        **scope_params,
    )


async def represented(tx: Tx, subject_id: UUID, scope: str, scope_params: dict[str, Any]) -> list[UUID]:
    """The beneficiaries for whom somebody is checked: themselves, or those they represent."""
    sql = f"SELECT s.beneficiary_id FROM subject s WHERE s.subject_id = :subject_id AND {scope} ORDER BY s.beneficiary_id"
    return [row["beneficiary_id"] for row in await tx.rows(sql, subject_id=subject_id, **scope_params)]


async def progress(tx: Tx, scope: str, scope_params: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """How many subjects wait for an answer, and how many have each verdict."""
    pending = await tx.value(
        f"SELECT count(*) FROM check_request c JOIN subject s USING (beneficiary_id, subject_id) WHERE c.state = 'PENDING' AND {scope}",
        **scope_params,
    )
    rows = await tx.rows(
        f"SELECT v.verdict, count(*) AS n FROM verification v JOIN subject s USING (beneficiary_id, subject_id) "
        f"WHERE {scope} GROUP BY v.verdict ORDER BY v.verdict",
        **scope_params,
    )
    return int(pending or 0), {row["verdict"]: int(row["n"]) for row in rows}
