"""One number, several registrations: seen by the blind index, told to every commune concerned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["Settled", "claimed_by_several", "leave", "page", "settle"]

Settled = tuple[list[UUID], list[UUID]]
"""(beneficiaries of a conflict that grew or is new, beneficiaries left alone by one that ended)."""

_CLAIMANTS: Final = "o.kind = 'BENEFICIARY' AND o.active"

_CLAIMED: Final = f"""
SELECT DISTINCT s.number_blind FROM subject s
WHERE s.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND s.subject_id = s.beneficiary_id AND s.active AND s.number_blind IS NOT NULL
  AND EXISTS (SELECT FROM subject o WHERE o.number_blind = s.number_blind AND {_CLAIMANTS} AND o.beneficiary_id <> s.beneficiary_id)
"""

_OPEN: Final = """
INSERT INTO number_conflict (number_blind, seen_on)
SELECT number_blind, :seen_on FROM unnest(CAST(:blinds AS bytea[])) AS b (number_blind) ORDER BY number_blind
ON CONFLICT (number_blind) WHERE state = 'OPEN' DO NOTHING
"""

_JOIN: Final = f"""
INSERT INTO number_conflict_member AS m (conflict_id, beneficiary_id)
SELECT c.conflict_id, o.beneficiary_id FROM number_conflict c JOIN subject o ON o.number_blind = c.number_blind AND {_CLAIMANTS}
WHERE c.state = 'OPEN' AND c.number_blind = ANY(CAST(:blinds AS bytea[]))
ORDER BY 1, 2
ON CONFLICT (conflict_id, beneficiary_id) DO UPDATE SET left_at = NULL WHERE m.left_at IS NOT NULL
RETURNING conflict_id
"""

_LEAVE: Final = f"""
UPDATE number_conflict_member m SET left_at = now()
FROM number_conflict c
WHERE m.conflict_id = c.conflict_id AND c.state = 'OPEN' AND m.left_at IS NULL AND m.beneficiary_id = ANY(CAST(:ids AS uuid[]))
  AND NOT EXISTS (SELECT FROM subject o WHERE o.beneficiary_id = m.beneficiary_id AND o.number_blind = c.number_blind AND {_CLAIMANTS})
RETURNING m.conflict_id
"""

_END: Final = """
WITH ended AS (
    UPDATE number_conflict c SET state = 'RESOLVED', resolved_at = now()
    WHERE c.conflict_id = ANY(CAST(:conflicts AS uuid[])) AND c.state = 'OPEN'
      AND (SELECT count(*) FROM number_conflict_member m WHERE m.conflict_id = c.conflict_id AND m.left_at IS NULL) < 2
    RETURNING c.conflict_id
)
SELECT m.beneficiary_id FROM number_conflict_member m JOIN ended USING (conflict_id) WHERE m.left_at IS NULL
"""

_MEMBERS: Final = """
SELECT jsonb_agg(jsonb_build_object('beneficiary_id', s.beneficiary_id, 'full_name', s.full_name, 'birth_date', s.birth_date,
           'sex', s.sex, 'unit_code', s.unit_code, 'unit_path', s.unit_path, 'verdict', v.verdict, 'left_at', m.left_at)
       ORDER BY m.since, s.beneficiary_id)
FROM number_conflict_member m JOIN subject s ON s.beneficiary_id = m.beneficiary_id AND s.subject_id = m.beneficiary_id
LEFT JOIN verification v ON v.beneficiary_id = s.beneficiary_id AND v.subject_id = s.subject_id
WHERE m.conflict_id = c.conflict_id
"""


async def settle(tx: Tx, beneficiary_ids: Sequence[UUID], seen_on: date) -> Settled:
    """Bring the conflicts around these beneficiaries up to date with the numbers they have now.

    Two workers that record both claimants at once agree on one conflict: its number is unique while it is open.
    """
    freed = await leave(tx, beneficiary_ids)
    claimed = [row["number_blind"] for row in await tx.rows(_CLAIMED, ids=list(beneficiary_ids))]
    if not claimed:
        return [], freed
    await tx.execute(_OPEN, blinds=claimed, seen_on=seen_on)
    grown = {row["conflict_id"] for row in await tx.rows(_JOIN, blinds=claimed)}
    members = await tx.rows(
        "SELECT DISTINCT beneficiary_id FROM number_conflict_member"
        " WHERE conflict_id = ANY(CAST(:conflicts AS uuid[])) AND left_at IS NULL",
        conflicts=list(grown),
    )
    return [row["beneficiary_id"] for row in members], freed


async def leave(tx: Tx, beneficiary_ids: Sequence[UUID]) -> list[UUID]:
    """Take those of these beneficiaries who no longer claim a number out of its conflict; who is left alone by one that ends so."""
    left = await tx.rows(_LEAVE, ids=list(beneficiary_ids))
    freed = await tx.rows(_END, conflicts=[row["conflict_id"] for row in left]) if left else []
    return [row["beneficiary_id"] for row in freed]


async def claimed_by_several(tx: Tx, beneficiary_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these beneficiaries whose number others claim too."""
    rows = await tx.rows(
        "SELECT DISTINCT m.beneficiary_id FROM number_conflict_member m JOIN number_conflict c USING (conflict_id)"
        " WHERE m.left_at IS NULL AND c.state = 'OPEN' AND m.beneficiary_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(beneficiary_ids),
    )
    return {row["beneficiary_id"] for row in rows}


async def page(tx: Tx, *, state: str, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """Conflicts in which the caller's units have a part, with all that take part in them: `scope` is over `mine.unit_path`."""
    return await tx.rows(
        f"SELECT c.conflict_id, c.state, c.seen_on, c.resolved_at, ({_MEMBERS}) AS members FROM number_conflict c"
        " WHERE c.state = :state AND (CAST(:after AS uuid) IS NULL OR c.conflict_id > :after) AND EXISTS ("
        "   SELECT FROM number_conflict_member m JOIN subject mine"
        "     ON mine.beneficiary_id = m.beneficiary_id AND mine.subject_id = m.beneficiary_id"
        f"   WHERE m.conflict_id = c.conflict_id AND {scope}) ORDER BY c.conflict_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **scope_params,
    )
