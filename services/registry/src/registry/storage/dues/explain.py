"""Why somebody is due what they are due: every decision of one person in one month, whether it counts, and by which rule not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from registry.storage.dues.answers import parameters
from registry.storage.dues.sql import BLOCKS, JUDGED

__all__ = ["candidates"]

# The first rule that takes the month away, in the order in which the engine applies them.
_CANDIDATES: Final = f"""
WITH {JUDGED.strip()}
SELECT e.entitlement_id, e.root AS decided_category, coalesce(s.category, e.root) AS category, e.programme, e.decision_number, e.percent,
       e.quantity, e.dependant_id, coalesce(j.benefit_line, k.benefit_line) AS benefit_line, k.stack_group, j.explicit,
       coalesce(j.amount, p.amount) AS amount, j.funding_source, j.tops, j.instead,
       CASE WHEN x.m < e.f THEN 'NOT_STARTED' WHEN x.m >= e.until THEN 'ENDED' WHEN x.m >= e.death THEN 'AFTER_DEATH'
            WHEN x.m >= e.dependant_death THEN 'DEPENDANT_DIED'
            WHEN s.category IS NULL THEN CASE WHEN a.stopped THEN 'AGE_STOP' ELSE 'NOT_IN_FORCE' END
            WHEN x.m < s.sf THEN CASE WHEN x.m < k.f THEN 'NOT_IN_FORCE' ELSE 'BELOW_AGE' END
            WHEN x.m >= s.st THEN 'NOT_IN_FORCE'
            WHEN p.entitlement_id IS NULL THEN 'NOT_THIS_MONTH'
            WHEN j.entitlement_id IS NULL THEN b.rule
            ELSE j.outcome END AS outcome,
       CASE WHEN j.outcome IN ('COUNTS', 'RATE_MISSING') THEN j.basis
            WHEN j.outcome IN ('HIGHEST_ONLY', 'LIMIT', 'SINGLE_PARENT_EXCLUDED') THEN g.legal_basis
            WHEN p.entitlement_id IS NOT NULL AND j.entitlement_id IS NULL THEN b.basis
            WHEN s.category IS NULL THEN a.ends_by END AS basis
FROM ent e
CROSS JOIN (SELECT month_no(CAST(:month AS date)) AS m) AS x
LEFT JOIN LATERAL (SELECT s.category, s.sf, s.st FROM stages s WHERE s.entitlement_id = e.entitlement_id
                     AND (s.birth IS NULL OR s.age_from < 0 OR x.m >= s.birth + s.age_from)
                     AND (s.birth IS NULL OR NOT EXISTS (SELECT FROM path y WHERE y.category = e.root AND y.stage = s.category
                          AND y.age_from = s.age_from AND y.age_to < 99999 AND x.m >= s.birth + y.age_to
                          AND greatest(e.f - s.birth, 0) BETWEEN y.start_from AND y.start_to - 1))
                   ORDER BY s.age_from DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (SELECT true AS stopped, l.ends_by FROM stages l WHERE l.entitlement_id = e.entitlement_id
                   ORDER BY l.age_from DESC LIMIT 1) AS a ON true
LEFT JOIN cat k ON k.code = coalesce(s.category, e.root)
LEFT JOIN stacking_rule g ON g.stack_group = k.stack_group
LEFT JOIN pieces p ON p.entitlement_id = e.entitlement_id AND p.f <= x.m AND p.t > x.m
LEFT JOIN judged j ON j.entitlement_id = e.entitlement_id AND j.cf <= x.m AND j.ct > x.m
LEFT JOIN LATERAL (SELECT b.rule, b.basis FROM ({BLOCKS}) AS b WHERE b.span @> x.m LIMIT 1) AS b ON p.entitlement_id IS NOT NULL
ORDER BY e.programme, k.stack_group, (j.outcome IN ('COUNTS', 'RATE_MISSING')) DESC NULLS LAST, e.entitlement_id
"""


async def candidates(tx: Tx, person_id: UUID, month: date, as_of: date, change_id: UUID | None = None) -> Sequence[Any]:
    """Every decision of a person as judged for a month (its first day), with what is known on `as_of`.

    `outcome` is COUNTS, RATE_MISSING (counts, amount not loaded) or the code of the rule that sets it aside (`domain.law.RULES`);
    `basis` the legal text of that rule, or of the amount. `tops` are the province's own additions (funding source, amount, basis).
    One-off sums are in `one_off_due`.
    """
    return await tx.rows(_CANDIDATES, ids=[person_id], month=month, **await parameters(tx, as_of, change_id))
