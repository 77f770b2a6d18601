"""Grace for evidence that ran out only because the source was away: proposed, approved by another, told with each person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.contracts.identity_verify_v1 import BeneficiaryVerified
from common.db import Tx
from common.ids import new_id

__all__ = ["apply", "approved", "away_since", "decide", "lock", "page", "propose"]

# Whose evidence runs out before the grace ends, who is being asked about, and on whom the source itself has not failed: their
# evidence is old for no other reason than that nobody answered.
_APPLY: Final = """
WITH due AS MATERIALIZED (
    SELECT v.beneficiary_id, v.subject_id FROM verification v
    JOIN check_request c USING (beneficiary_id, subject_id) JOIN subject s USING (beneficiary_id, subject_id)
    WHERE v.verdict = 'VERIFIED' AND v.fingerprint = s.fingerprint AND s.active AND c.state = 'PENDING' AND c.attempts = 0
      AND v.valid_until < :until AND v.grace_until IS DISTINCT FROM CAST(:until AS date)
    ORDER BY v.beneficiary_id, v.subject_id LIMIT :limit FOR UPDATE OF v
)
UPDATE verification v SET grace_until = :until, version = v.version + 1, updated_at = now()
FROM due WHERE v.beneficiary_id = due.beneficiary_id AND v.subject_id = due.subject_id
RETURNING v.beneficiary_id, v.subject_id
"""

_EVENTS: Final = """
SELECT s.beneficiary_id AS key, uuidv7() AS event_id, CASE s.kind WHEN 'BENEFICIARY' THEN 'BeneficiaryVerified'
       ELSE 'RepresentativeVerified' END AS type,
       json_build_object('version', v.version, 'business_date', CAST(:business_date AS date), 'beneficiary_id', s.beneficiary_id,
           'subject_id', s.subject_id, 'subject_kind', s.kind, 'verdict', v.verdict, 'source_status', v.source_status, 'fields', v.fields,
           'identity_fingerprint', v.fingerprint, 'checked_on', v.checked_on, 'valid_until', v.valid_until, 'reference', v.reference,
           'death_date', v.death_date, 'unit_code', s.unit_code, 'unit_path', s.unit_path, 'grace_until', v.grace_until) AS body
FROM unnest(CAST(:beneficiaries AS uuid[]), CAST(:subjects AS uuid[])) AS i (beneficiary_id, subject_id)
JOIN subject s USING (beneficiary_id, subject_id) JOIN verification v USING (beneficiary_id, subject_id)
ORDER BY s.beneficiary_id, s.subject_id
"""


async def away_since(tx: Tx) -> datetime | None:
    """Since when the source has not answered; None while it does."""
    since: datetime | None = await tx.value("SELECT failing_since FROM source_state WHERE source = 'population'")
    return since


async def propose(tx: Tx, *, valid_from: date, valid_until: date, reason: str, since: datetime, by_whom: str) -> UUID:
    """Keep a proposal."""
    grace_id = new_id()
    await tx.execute(
        "INSERT INTO grace_period (grace_id, valid_from, valid_until, reason, away_since, proposed_by)"
        " VALUES (:id, :valid_from, :valid_until, :reason, :since, :by_whom)",
        id=grace_id,
        valid_from=valid_from,
        valid_until=valid_until,
        reason=reason,
        since=since,
        by_whom=by_whom,
    )
    return grace_id


async def lock(tx: Tx, grace_id: UUID) -> RowMapping | None:
    """One grace period, locked."""
    return await tx.row("SELECT * FROM grace_period WHERE grace_id = :id FOR UPDATE", id=grace_id)


async def decide(tx: Tx, grace_id: UUID, state: str, by_whom: str) -> None:
    """Approve or refuse it; the table refuses the one who proposed."""
    await tx.execute(
        "UPDATE grace_period SET state = :state, decided_by = :by_whom, decided_at = now() WHERE grace_id = :id",
        id=grace_id,
        state=state,
        by_whom=by_whom,
    )


async def approved(tx: Tx, day: date) -> Sequence[RowMapping]:
    """Approved periods in force on a day."""
    return await tx.rows(
        "SELECT grace_id, valid_until FROM grace_period WHERE state = 'APPROVED' AND :day BETWEEN valid_from AND valid_until"
        " ORDER BY grace_id",
        day=day,
    )


async def apply(tx: Tx, grace_id: UUID, until: date, business_date: date, limit: int) -> list[str]:
    """Give the grace to up to `limit` people whom it concerns and who do not have it, and say so. Who that is (beneficiary/subject)."""
    given = await tx.rows(_APPLY, until=until, limit=limit)
    if not given:
        return []
    await outbox.insert_select(
        tx,
        BeneficiaryVerified,
        _EVENTS,
        typed=True,
        business_date=business_date,
        beneficiaries=[row["beneficiary_id"] for row in given],
        subjects=[row["subject_id"] for row in given],
    )
    await tx.execute("UPDATE grace_period SET people = people + :people WHERE grace_id = :id", people=len(given), id=grace_id)
    return [f"{row['beneficiary_id']}/{row['subject_id']}" for row in given]


async def page(tx: Tx, *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """All periods, oldest first."""
    return await tx.rows(
        "SELECT * FROM grace_period WHERE CAST(:after AS uuid) IS NULL OR grace_id > :after ORDER BY grace_id LIMIT :limit",
        after=after,
        limit=limit,
    )
