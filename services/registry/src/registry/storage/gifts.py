"""Gifts of a campaign (resolutions 263 and 418): one sum, once for each person, by the rule in `one_off_rule`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from common.ids import stable_id

__all__ = ["give", "rule"]

# Whoever lives in the month of the gift and, where the rule names programmes, is due a monthly sum of one of them in that month.
# The key of the campaign is the source: a second category, list or call gives nobody a second gift.
_GIVE: Final = """
INSERT INTO one_off_due (person_id, programme, funding_source, kind, benefit_line, month, amount, basis, source_id, created_by)
SELECT p.person_id, r.programme, r.funding_source, r.kind, r.benefit_line, date_trunc('month', r.applies_from), r.amount_vnd, r.legal_basis,
       :source, :created_by
FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
JOIN person p USING (person_id)
CROSS JOIN (SELECT o.* FROM one_off_rule o WHERE o.code = :code AND o.kind = 'CAMPAIGN' AND law_counts(o.change_id, NULL)
              AND o.known_from <= :as_of ORDER BY o.applies_from DESC, o.known_from DESC LIMIT 1) AS r
WHERE p.is_beneficiary AND (p.death_date IS NULL OR p.death_date >= r.applies_from)
  AND (r.for_programmes IS NULL OR EXISTS (
        SELECT FROM due_interval d
        WHERE d.person_id = p.person_id AND d.programme = ANY(r.for_programmes)
          AND d.from_month <= date_trunc('month', r.applies_from) AND d.until > date_trunc('month', r.applies_from)))
ON CONFLICT (kind, source_id, person_id, benefit_line, month) DO NOTHING
RETURNING person_id
"""


async def rule(tx: Tx, code: str, as_of: date) -> Any | None:
    """The rule of a gift as known on a date, or None."""
    return await tx.row(
        "SELECT o.code, o.amount_vnd, o.name_vi, o.name_en, o.legal_basis, o.applies_from, o.for_programmes FROM one_off_rule o"
        " WHERE o.code = :code AND o.kind = 'CAMPAIGN' AND law_counts(o.change_id, NULL) AND o.known_from <= :as_of"
        " ORDER BY o.applies_from DESC, o.known_from DESC LIMIT 1",
        code=code,
        as_of=as_of,
    )


async def give(tx: Tx, code: str, ids: Sequence[UUID], as_of: date, created_by: str) -> list[UUID]:
    """Note the gift for those of these people who get it and have it not yet; the caller computes their dues. Who got it."""
    rows = await tx.rows(_GIVE, code=code, ids=list(ids), as_of=as_of, source=stable_id("campaign", code), created_by=created_by)
    return [row["person_id"] for row in rows]
