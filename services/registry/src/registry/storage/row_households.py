"""Households that lists name: made where the code is new, joined by those who belong to none, set-based for a batch of rows."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from common.db import Tx
from common.lists.storage import reasons_json
from registry.domain.reasons import reason

__all__ = ["link"]

# Somebody who belongs to another household stays there: what is known is never overwritten by a list.
_WANTED: Final = """
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT ON (r.person_id) r.person_id, r.household_code AS code, r.household_head AS head, r.household_relation AS relation,
           r.address, r.hamlet, p.unit_code, p.unit_path, p.name_folded, f.business_date, f.created_by, f.seq, r.row_number
    FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
    JOIN import_row r USING (import_id, row_number)
    JOIN import_file f USING (import_id)
    JOIN person p ON p.person_id = r.person_id
    WHERE r.household_code IS NOT NULL
    ORDER BY r.person_id, f.seq, r.row_number
)
"""
_FREE: Final = "NOT EXISTS (SELECT FROM household_member o WHERE o.person_id = w.person_id AND o.to_date IS NULL)"

_MAKE: Final = f"""
{_WANTED}
INSERT INTO household (code, address, hamlet, unit_code, unit_path, created_by)
SELECT DISTINCT ON (w.code) w.code, w.address, w.hamlet, w.unit_code, w.unit_path, w.created_by FROM wanted w WHERE {_FREE}
ORDER BY w.code, w.head = w.name_folded DESC NULLS LAST, w.seq, w.row_number
ON CONFLICT (code) DO NOTHING
"""

_JOIN: Final = f"""
{_WANTED}, joined AS (
    INSERT INTO household_member (household_id, person_id, relation, from_date)
    SELECT h.household_id, w.person_id, coalesce(w.relation, CASE WHEN w.head = w.name_folded THEN 'Chủ hộ' ELSE 'Thành viên' END),
           w.business_date
    FROM wanted w JOIN household h ON h.code = w.code AND h.closed_on IS NULL AND h.unit_path = w.unit_path
    WHERE {_FREE}
    ON CONFLICT DO NOTHING
    RETURNING household_id, person_id
), counted AS (
    UPDATE household h SET version = h.version + 1 WHERE h.household_id IN (SELECT household_id FROM joined)
)
SELECT person_id FROM joined
"""

# The head is a member of that name: who says so of themselves first, else the only one. A head that is known stays.
_HEADS: Final = f"""
{_WANTED}, named AS (
    SELECT h.household_id,
           coalesce((array_agg(m.person_id) FILTER (WHERE m.person_id = w.person_id))[1],
                    CASE WHEN count(DISTINCT m.person_id) = 1 THEN (array_agg(m.person_id))[1] END) AS head_id
    FROM wanted w
    JOIN household h ON h.code = w.code AND h.head_id IS NULL
    JOIN household_member m ON m.household_id = h.household_id AND m.to_date IS NULL
    JOIN person p ON p.person_id = m.person_id AND p.name_folded = w.head
    GROUP BY h.household_id
)
UPDATE household h SET head_id = n.head_id FROM named n WHERE h.household_id = n.household_id AND n.head_id IS NOT NULL
"""

_NOT_LINKED: Final = """
UPDATE import_row r SET warnings = r.warnings || CAST(:warning AS jsonb)
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND r.household_code IS NOT NULL
  AND NOT EXISTS (SELECT FROM household_member m JOIN household h USING (household_id)
                  WHERE m.person_id = r.person_id AND m.to_date IS NULL AND h.code = r.household_code)
"""


async def link(tx: Tx, batch: dict[str, Any]) -> list[UUID]:
    """Make and join the households of a batch (`imports`, `rows`, whose people are linked); who joined. The rest is warned about."""
    await tx.execute(_MAKE, **batch)
    joined = [row["person_id"] for row in await tx.rows(_JOIN, **batch)]
    await tx.execute(_HEADS, **batch)
    await tx.execute(_NOT_LINKED, warning=reasons_json([reason("HOUSEHOLD_NOT_LINKED", "household_code")]), **batch)
    return joined
