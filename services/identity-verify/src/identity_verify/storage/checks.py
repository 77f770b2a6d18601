"""The work table: claiming due checks under a lease, recording answers, putting failures back with a later try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = ["Check", "claim", "keep", "mark_answered", "put_back"]


@dataclass(frozen=True, slots=True)
class Check:
    """One claimed check with what is needed to ask and to publish."""

    beneficiary_id: UUID
    subject_id: UUID
    kind: str
    full_name: str
    birth_date: str | None
    sex: str
    number_token: str | None
    fingerprint: str
    unit_code: str
    unit_path: str
    business_date: date
    reason: str
    decided: dict[str, Any] | None
    traceparent: str | None = None
    """Trace context of what asked for it, where traces are made."""


_CLAIM: Final = """
WITH due AS (
    SELECT beneficiary_id, subject_id FROM check_request
    WHERE state = 'PENDING' AND exchange_id IS NULL AND next_try_at <= now() AND (lease_until IS NULL OR lease_until < now()) {condition}
    ORDER BY priority, next_try_at LIMIT :limit FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE check_request c SET lease_owner = :owner, lease_until = now() + make_interval(secs => :lease_seconds)
    FROM due WHERE c.beneficiary_id = due.beneficiary_id AND c.subject_id = due.subject_id
    RETURNING c.beneficiary_id, c.subject_id, c.fingerprint, c.business_date, c.reason, c.traceparent
)
SELECT s.beneficiary_id, s.subject_id, s.kind, s.full_name, s.birth_date, s.sex, s.number_token, t.fingerprint, s.unit_code,
       s.unit_path, t.business_date, t.reason, t.traceparent, v.decided
FROM taken t JOIN subject s USING (beneficiary_id, subject_id) LEFT JOIN verification v USING (beneficiary_id, subject_id)
"""

_NO_NUMBER: Final = """
    AND EXISTS (SELECT FROM subject s WHERE s.beneficiary_id = check_request.beneficiary_id AND s.subject_id = check_request.subject_id
                AND s.number_token IS NULL)
"""

# Rows are locked in key order, as the projection locks them: two writers of many rows then never wait for each other in a ring.
_OURS: Final = """
WITH ours AS MATERIALIZED (
    SELECT c.beneficiary_id, c.subject_id
    FROM unnest(CAST(:beneficiary_id AS uuid[]), CAST(:subject_id AS uuid[]), CAST(:fingerprint AS text[]))
         AS a (beneficiary_id, subject_id, fingerprint)
    JOIN check_request c USING (beneficiary_id, subject_id)
    WHERE c.fingerprint = a.fingerprint AND c.state = 'PENDING'
      AND (c.lease_owner = :owner OR c.exchange_id = CAST(:exchange_id AS uuid))
    ORDER BY c.beneficiary_id, c.subject_id FOR UPDATE OF c
)
"""

_ANSWERED: Final = f"""
{_OURS}
UPDATE check_request c SET state = 'ANSWERED', exchange_id = NULL, lease_owner = NULL, lease_until = NULL, last_error = NULL
FROM ours WHERE c.beneficiary_id = ours.beneficiary_id AND c.subject_id = ours.subject_id
RETURNING c.beneficiary_id, c.subject_id
"""

_PUT_BACK: Final = f"""
{_OURS}
UPDATE check_request c SET
    attempts = c.attempts + :counted, last_error = :error, lease_owner = NULL, lease_until = NULL,
    next_try_at = now() + make_interval(secs => CAST(:wait_seconds AS double precision) * CASE WHEN :counted = 1
        THEN power(2, least(c.attempts, 8)) ELSE 1 END)
FROM ours WHERE c.beneficiary_id = ours.beneficiary_id AND c.subject_id = ours.subject_id
"""


async def claim(tx: Tx, *, owner: str, limit: int, lease_seconds: int, asking: bool = True) -> list[Check]:
    """Lease up to `limit` due checks to `owner` (unique per claim, so that a late recorder cannot touch a later claim).

    Without `asking`, only people without a number, about whom nobody is asked.
    """
    sql = _CLAIM.format(condition="" if asking else _NO_NUMBER)
    rows = await tx.rows(sql, owner=owner, limit=limit, lease_seconds=lease_seconds)
    return [Check(**row) for row in rows]


async def keep(tx: Tx, owner: str, checks: Sequence[Check], seconds: float) -> None:
    """Lengthen the lease by the time these wait for their turn, so that nobody else asks about them meanwhile."""
    await tx.execute(
        f"{_OURS} UPDATE check_request c SET lease_until = c.lease_until + make_interval(secs => :seconds)"
        " FROM ours WHERE c.beneficiary_id = ours.beneficiary_id AND c.subject_id = ours.subject_id",
        owner=owner,
        exchange_id=None,
        seconds=seconds,
        **_keys(checks),
    )


async def mark_answered(tx: Tx, owner: str, checks: Sequence[Check], exchange_id: UUID | None = None) -> set[tuple[UUID, UUID]]:
    """Close the checks still ours and still about the same identity; the others were changed meanwhile and are asked again.

    Ours are those leased to `owner`, or on the list `exchange_id`.
    """
    rows = await tx.rows(_ANSWERED, owner=owner, exchange_id=exchange_id, **_keys(checks))
    return {(row["beneficiary_id"], row["subject_id"]) for row in rows}


async def put_back(tx: Tx, owner: str, checks: Sequence[Check], *, error: str, wait_seconds: float, counted: bool) -> None:
    """Release checks to be asked later. `counted`: the source failed on these very people, so their own back-off doubles."""
    await tx.execute(
        _PUT_BACK, owner=owner, exchange_id=None, error=error, wait_seconds=wait_seconds, counted=int(counted), **_keys(checks)
    )


def _keys(checks: Sequence[Check]) -> dict[str, list[UUID] | list[str]]:
    return {
        "beneficiary_id": [check.beneficiary_id for check in checks],
        "subject_id": [check.subject_id for check in checks],
        "fingerprint": [check.fingerprint for check in checks],
    }
