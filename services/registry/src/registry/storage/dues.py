"""The dues engine: entitlements × dated rates → months due per benefit line, set-based.

Law it follows: merit allowances add up, carer allowance highest only (Ordinance 02/2020 Art. 6.3); social assistance and
social pension pay the highest level only (Decree 20/2021 Art. 6.2), a single parent keeps clause 4 beside clauses 5, 6, 8;
care support is paid on top (Art. 20); payment ends after the month of death (Art. 8). A month whose rate is not loaded
(or not known on the business date) is RATE_MISSING with amount 0, shown and never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import outbox
from common.contracts.registry_v1 import DuesChanged
from common.db import Tx

__all__ = ["intervals_of", "recompute"]

# Months run from `f` to before `t` ('infinity' while open). `a`/`r`: explicit arrears stand from a to before r.
_COMPUTE: Final = """
WITH ent AS MATERIALIZED (
    SELECT e.person_id, e.entitlement_id, e.programme, e.funding_source, e.benefit_line, e.category, e.percent, e.decision_number,
           c.stack_group, c.stack_rule, c.excludes_single_parent,
           greatest(least(e.from_month, e.arrears_from), CAST(date_trunc('month', c.applies_from) AS date)) AS f,
           least(e.until, CAST(date_trunc('month', p.death_date) + interval '1 month' AS date),
                 CAST(date_trunc('month', c.applies_to) + interval '1 month' AS date)) AS t,
           coalesce(e.arrears_from, 'infinity') AS a,
           CASE WHEN e.arrears_from IS NULL THEN 'infinity'
                WHEN e.arrears_from < e.from_month THEN e.from_month
                ELSE greatest(e.from_month, CAST(date_trunc('month', e.decision_date) + interval '1 month' AS date)) END AS r
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
    JOIN person p USING (person_id)
    JOIN entitlement e USING (person_id)
    JOIN benefit_category c ON c.code = e.category
), spans AS (
    SELECT e.*, v.explicit, v.sf, v.st
    FROM ent e, LATERAL (VALUES (false, e.f, least(e.a, e.t)), (true, greatest(e.a, e.f), least(e.r, e.t)),
                                (false, greatest(e.r, e.f), e.t)) AS v(explicit, sf, st)
    WHERE v.sf < v.st
), rates AS MATERIALIZED (SELECT * FROM rate_piece(CAST(:as_of AS date))),
pieces AS MATERIALIZED (
    SELECT s.person_id, s.entitlement_id, s.programme, s.funding_source, s.benefit_line, s.decision_number, s.stack_group, s.stack_rule,
           s.excludes_single_parent, s.explicit, greatest(s.sf, q.from_month) AS f, least(s.st, q.until) AS t, q.amount,
           coalesce(q.basis, 'RATE_MISSING') AS basis
    FROM spans s
    JOIN rates q ON q.category = s.category AND q.percent = s.percent AND q.from_month < s.st AND q.until > s.sf
), bounds AS (
    SELECT person_id, f AS b FROM pieces UNION SELECT person_id, t FROM pieces
), segments AS (
    SELECT person_id, b AS f, lead(b) OVER (PARTITION BY person_id ORDER BY b) AS t FROM bounds
), cells AS (
    SELECT s.f, s.t, p.person_id, p.entitlement_id, p.programme, p.funding_source, p.benefit_line, p.decision_number, p.stack_group,
           p.stack_rule, p.excludes_single_parent, p.explicit, p.amount, p.basis,
           row_number() OVER (PARTITION BY p.person_id, s.f, p.stack_group ORDER BY p.amount DESC NULLS FIRST, p.entitlement_id) AS rank
    FROM segments s JOIN pieces p ON p.person_id = s.person_id AND p.f <= s.f AND p.t >= s.t
), stacked AS (
    SELECT c.*,
           max(c.amount) FILTER (WHERE c.stack_group = 'SA_MAIN' AND c.excludes_single_parent) OVER w AS excluding,
           sum(c.amount) FILTER (WHERE c.stack_group = 'SA_SINGLE_PARENT') OVER w AS single_parent
    FROM cells c WHERE c.stack_rule = 'ADD' OR c.rank = 1
    WINDOW w AS (PARTITION BY c.person_id, c.f)
), lines AS (
    -- Arrears of allowances that add up have a line of their own, whatever else is due: months of a line have one flag, and a
    -- month paid on one line must never turn up on another because a further allowance came beside it.
    SELECT person_id, programme, funding_source,
           benefit_line || CASE WHEN explicit AND stack_rule = 'ADD' THEN 'R' ELSE '' END AS benefit_line, f, t, explicit,
           bool_or(amount IS NULL) AS missing, CASE WHEN bool_or(amount IS NULL) THEN 0 ELSE sum(amount) END AS amount,
           string_agg(DISTINCT basis, '; ') AS basis, string_agg(DISTINCT decision_number, '; ') AS decision_number
    FROM stacked
    WHERE excluding IS NULL OR single_parent IS NULL
       OR NOT (stack_group = 'SA_SINGLE_PARENT' AND excluding >= single_parent OR stack_group = 'SA_MAIN' AND excluding < single_parent)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
), islands AS (
    SELECT l.*, CASE WHEN lag(t) OVER w = f AND lag((amount, missing, basis, decision_number, explicit)) OVER w
                              IS NOT DISTINCT FROM (amount, missing, basis, decision_number, explicit) THEN 0 ELSE 1 END AS fresh
    FROM lines l WINDOW w AS (PARTITION BY person_id, programme, funding_source, benefit_line ORDER BY f)
), numbered AS (
    SELECT i.*, sum(fresh) OVER (PARTITION BY person_id, programme, funding_source, benefit_line ORDER BY f) AS island FROM islands i
)
INSERT INTO due_interval (person_id, programme, funding_source, benefit_line, from_month, until, amount, status, basis, decision_number,
                          explicit_arrears)
SELECT person_id, programme, funding_source, benefit_line, min(f), max(t), min(amount),
       CASE WHEN bool_or(missing) THEN 'RATE_MISSING' ELSE 'DUE' END, min(basis), min(decision_number), bool_or(explicit)
FROM numbered GROUP BY person_id, programme, funding_source, benefit_line, island
"""

# What is compared to know whether anything changed; an unchanged person gets no new version and no event.
_CHANGED: Final = """
WITH digest AS (
    SELECT scope.person_id, md5(coalesce(string_agg(concat_ws('|', d.programme, d.funding_source, d.benefit_line, d.from_month, d.until,
               d.amount, d.status, d.basis, d.decision_number, d.explicit_arrears), E'\\n'
               ORDER BY d.programme, d.funding_source, d.benefit_line, d.from_month), '')) AS lines_md5, count(d.person_id) AS n
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id) LEFT JOIN due_interval d USING (person_id)
    GROUP BY scope.person_id
)
INSERT INTO dues_state (person_id, lines_md5, computed_on)
SELECT g.person_id, g.lines_md5, CAST(:as_of AS date) FROM digest g
WHERE g.n > 0 OR EXISTS (SELECT 1 FROM dues_state s WHERE s.person_id = g.person_id)
ON CONFLICT (person_id) DO UPDATE SET lines_md5 = excluded.lines_md5, computed_on = excluded.computed_on, version = dues_state.version + 1
WHERE dues_state.lines_md5 <> excluded.lines_md5
RETURNING person_id
"""

_EVENTS: Final = """
SELECT p.person_id AS key, uuidv7() AS event_id,
       json_build_object('version', s.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', p.person_id,
                         'unit_code', p.unit_code, 'unit_path', p.unit_path, 'lines', coalesce(l.lines, CAST('[]' AS json))) AS body
FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
JOIN person p USING (person_id)
JOIN dues_state s USING (person_id)
LEFT JOIN (
    SELECT person_id, json_agg(json_build_object('programme', programme, 'funding_source', funding_source, 'benefit_line', benefit_line,
                                                 'intervals', intervals) ORDER BY programme, funding_source, benefit_line) AS lines
    FROM (
        SELECT d.person_id, d.programme, d.funding_source, d.benefit_line, json_agg(json_build_object(
                   'from_month', to_char(d.from_month, 'YYYY-MM'),
                   'to_month', CASE WHEN d.until < 'infinity' THEN to_char(d.until - 1, 'YYYY-MM') END,
                   'amount', d.amount, 'status', d.status, 'basis', d.basis, 'decision_number', d.decision_number,
                   'explicit_arrears', d.explicit_arrears) ORDER BY d.from_month) AS intervals
        FROM due_interval d WHERE d.person_id = ANY(CAST(:ids AS uuid[]))
        GROUP BY d.person_id, d.programme, d.funding_source, d.benefit_line
    ) grouped GROUP BY person_id
) l USING (person_id)
"""


_BY_DATE: Final = """
SELECT greatest(CAST(:as_of AS date), s.computed_on) AS as_of, array_agg(x.person_id) AS ids
FROM unnest(CAST(:ids AS uuid[])) AS x(person_id) LEFT JOIN dues_state s USING (person_id) GROUP BY 1 ORDER BY 1
"""


async def recompute(tx: Tx, ids: Sequence[UUID], as_of: date) -> int:
    """Compute the dues of these people anew and publish `DuesChanged` for those whose dues changed; how many changed.

    `as_of` is the business date: rates known later are not used, except for a person whose dues were computed on a later
    date already (what is known stays known). The caller holds the people lock.
    """
    changed = 0
    for group in await tx.rows(_BY_DATE, ids=list(ids), as_of=as_of):
        changed += await _recompute_on(tx, group["ids"], group["as_of"])
    return changed


async def _recompute_on(tx: Tx, scope: Sequence[UUID], as_of: date) -> int:
    await tx.execute("DELETE FROM due_interval WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=scope)
    await tx.execute(_COMPUTE, ids=scope, as_of=as_of)
    changed = [row["person_id"] for row in await tx.rows(_CHANGED, ids=scope, as_of=as_of)]
    if changed:
        await outbox.insert_select(tx, DuesChanged, _EVENTS, ids=changed, as_of=as_of)
    return len(changed)


async def intervals_of(tx: Tx, person_id: UUID, month: date | None) -> Sequence[Any]:
    """The due intervals of one person; with `month` (its first day) those that cover it."""
    return await tx.rows(
        "SELECT programme, funding_source, benefit_line, from_month, nullif(until, 'infinity') AS until, amount, status,"
        " basis, decision_number, explicit_arrears"
        " FROM due_interval WHERE person_id = :id AND (CAST(:month AS date) IS NULL OR (from_month <= :month AND until > :month))"
        " ORDER BY programme, benefit_line, from_month",
        id=person_id,
        month=month,
    )
