"""Who reaches an age in a month: whose allowance changes or stops by it, and who may claim one (Decree 20/2021 Art. 6; Decree 176/2025)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any, Final

from common.actor import Actor
from common.db import Tx

__all__ = ["OLD_AGE_MONTHS", "candidates_page", "candidates_stream", "steps_page", "steps_stream"]

OLD_AGE_MONTHS: Final = 55 * 12
"""Categories that begin at this age or later are claimed for age; younger ones (16, 22) hang on other facts."""

_ANSWERS: Final = """
answer AS MATERIALIZED (
    SELECT month_no(CAST(:month AS date)) AS m, (SELECT value = 'MONTH_AFTER' FROM policy_setting WHERE code = 'STOP_MONTH_AT_AGE') AS late,
           (SELECT CASE value WHEN 'FIRST' THEN 1 ELSE 12 END FROM policy_setting WHERE code = 'BIRTH_MONTH_UNKNOWN') AS unknown_month
)"""

# Amounts are those of the person's line as they stand, before and from the month in which the step takes effect: stacking is in them.
_STEPS: Final = f"""
WITH {_ANSWERS.strip()}, path AS MATERIALIZED (SELECT y.* FROM answer a, age_path(a.late, NULL) y),
step AS MATERIALIZED (SELECT s.* FROM category_step s WHERE law_counts(s.change_id, NULL)),
held AS MATERIALIZED (
    SELECT e.entitlement_id, e.person_id, e.category, e.programme, e.decision_number, month_no(least(e.from_month, e.arrears_from)) AS f,
           e.until, c.concerns, a.m, a.late, p.unit_path, p.unit_code, p.full_name, p.file_code, p.name_folded,
           birth_month_no(CASE WHEN c.concerns = 'PERSON' THEN p.birth_date ELSE coalesce(d.birth_date, e.dependant_birth_date) END,
                          a.unknown_month) AS birth
    FROM answer a, entitlement e
    JOIN benefit_category c ON c.code = e.category
    JOIN person p USING (person_id)
    LEFT JOIN person d ON d.person_id = e.dependant_id AND c.concerns = 'DEPENDANT'
    WHERE p.is_beneficiary AND p.merged_into IS NULL AND coalesce(p.death_date, 'infinity') >= CAST(:month AS date)
      AND coalesce(d.death_date, 'infinity') >= CAST(:month AS date) AND e.from_month <= CAST(:month AS date)
      AND e.until > CAST(:month AS date) AND {{where}}
), reached AS (
    SELECT h.*, s.age_months, x.benefit_line, s.next_category IS NULL AS stops, s.legal_basis,
           h.m + CASE WHEN h.late AND s.next_category IS NULL THEN 1 ELSE 0 END AS effect
    FROM held h
    JOIN step s ON s.age_months = h.m - h.birth
    JOIN path y ON y.category = h.category AND y.stage = s.category
     AND y.age_to = s.age_months + CASE WHEN h.late AND s.next_category IS NULL THEN 1 ELSE 0 END
     AND greatest(h.f - h.birth, 0) BETWEEN y.start_from AND y.start_to - 1
    JOIN benefit_category x ON x.code = s.category
)
SELECT r.entitlement_id, r.person_id, r.file_code, r.full_name, r.unit_path, r.unit_code, r.programme, r.benefit_line, r.decision_number,
       r.age_months, CASE r.concerns WHEN 'PERSON' THEN 'SELF' ELSE 'DEPENDANT' END AS whose, month_of(r.effect) AS effect_month,
       b.amount AS amount_before, w.amount AS amount_after,
       CASE WHEN b.missing OR w.missing THEN 'RATE_MISSING' WHEN r.stops AND w.amount = 0 THEN 'STOPS' WHEN w.amount > b.amount THEN 'RISES'
            WHEN w.amount < b.amount THEN 'FALLS' ELSE 'SAME' END AS change
FROM reached r
CROSS JOIN LATERAL (
    SELECT CAST(coalesce(sum(d.amount), 0) AS bigint) AS amount, coalesce(bool_or(d.status = 'RATE_MISSING'), false) AS missing
    FROM due_interval d WHERE d.person_id = r.person_id AND d.programme = r.programme AND d.benefit_line = r.benefit_line
      AND d.from_month <= month_of(r.effect - 1) AND d.until > month_of(r.effect - 1)
) b
CROSS JOIN LATERAL (
    SELECT CAST(coalesce(sum(d.amount), 0) AS bigint) AS amount, coalesce(bool_or(d.status = 'RATE_MISSING'), false) AS missing
    FROM due_interval d WHERE d.person_id = r.person_id AND d.programme = r.programme AND d.benefit_line = r.benefit_line
      AND d.from_month <= month_of(r.effect) AND d.until > month_of(r.effect)
) w
"""

# A programme of which the person holds a main allowance already is not claimed again; a known pension is shown, the office judges it.
_CANDIDATES: Final = f"""
WITH {_ANSWERS.strip()}, claim AS MATERIALIZED (
    SELECT c.code, c.programme, c.stack_group, c.min_age_months, array_remove(array_agg(g.group_code), NULL) AS groups
    FROM answer a, benefit_category c
    LEFT JOIN LATERAL (
        SELECT w.* FROM category_term w WHERE w.category = c.code AND law_counts(w.change_id, NULL)
        ORDER BY w.known_from DESC, w.row_id DESC LIMIT 1
    ) w ON true
    LEFT JOIN category_group_condition g ON g.category = c.code AND law_counts(g.change_id, NULL)
    WHERE c.min_age_months >= {OLD_AGE_MONTHS} AND c.concerns = 'PERSON' AND law_counts(c.change_id, NULL)
      AND coalesce(month_no(CASE WHEN w.category IS NULL THEN c.applies_from ELSE w.applies_from END), 0) <= a.m
      AND coalesce(month_no(CASE WHEN w.category IS NULL THEN c.applies_to ELSE w.applies_to END), 99999) >= a.m
    GROUP BY c.code
)
SELECT p.person_id, p.file_code, p.full_name, p.unit_path, p.unit_code, k.min_age_months AS age_months,
       array_agg(DISTINCT k.programme ORDER BY k.programme) AS programmes,
       bool_or(k.groups <> '{{{{}}}}') AS needs_group, bool_or(k.met AND k.groups <> '{{{{}}}}') AS in_group,
       EXISTS (SELECT FROM other_benefit o WHERE o.person_id = p.person_id AND o.from_month <= :month AND o.until > :month) AS has_pension
FROM answer a
CROSS JOIN person p
JOIN LATERAL (
    SELECT c.*, c.groups = '{{{{}}}}' OR EXISTS (
               SELECT FROM person_in_group g WHERE g.person_id = p.person_id AND g.group_code = ANY(c.groups)
                  AND g.from_date < :month + interval '1 month' AND coalesce(g.to_date, 'infinity') >= :month) AS met
    FROM claim c WHERE c.min_age_months = a.m - birth_month_no(p.birth_date, a.unknown_month)
) k ON k.met OR NOT CAST(:in_group AS boolean)
WHERE p.birth_date IS NOT NULL AND p.merged_into IS NULL AND p.status NOT IN ('DECEASED', 'LEFT') AND {{where}}
  AND NOT EXISTS (SELECT FROM entitlement e JOIN benefit_category c ON c.code = e.category
                  WHERE e.person_id = p.person_id AND c.stack_group = k.stack_group AND c.programme = k.programme AND e.until > :month)
GROUP BY p.person_id, k.min_age_months
"""


def _where(actor: Actor, unit_path: str | None) -> tuple[str, dict[str, Any]]:
    scope, params = actor.scope_sql("p.unit_path")
    if unit_path is None:
        return scope, params
    return f"{scope} AND (p.unit_path = :unit OR p.unit_path LIKE :unit_below)", params | {
        "unit": unit_path,
        "unit_below": unit_path + "/%",
    }


async def steps_page(tx: Tx, actor: Actor, month: date, unit_path: str | None, after: Sequence[str] | None, limit: int) -> Sequence[Any]:
    """Allowances that an age changes in the month (its first day), by unit and decision."""
    where, params = _where(actor, unit_path)
    return await tx.rows(
        f"SELECT * FROM ({_STEPS.format(where=where)}) AS x WHERE CAST(:after_unit AS text) IS NULL"
        " OR (x.unit_path, x.entitlement_id) > (:after_unit, CAST(:after_id AS uuid)) ORDER BY x.unit_path, x.entitlement_id LIMIT :limit",
        month=month, after_unit=after[0] if after else None, after_id=after[1] if after else None, limit=limit, **params,
    )  # fmt: skip


async def steps_stream(tx: Tx, actor: Actor, month: date, unit_path: str | None) -> AsyncIterator[Any]:
    """All of them, by unit and name."""
    where, params = _where(actor, unit_path)
    sql = f"SELECT * FROM ({_STEPS.format(where=where)}) AS x ORDER BY x.unit_path, x.full_name, x.entitlement_id"
    async for row in tx.stream(sql, month=month, **params):
        yield row


async def candidates_page(
    tx: Tx, actor: Actor, month: date, unit_path: str | None, in_group: bool, after: Sequence[str] | None, limit: int
) -> Sequence[Any]:
    """People who reach an age at which an allowance may be claimed; `in_group`: only those whose group fulfils its condition."""
    where, params = _where(actor, unit_path)
    return await tx.rows(
        f"SELECT * FROM ({_CANDIDATES.format(where=where)}) AS x WHERE CAST(:after_unit AS text) IS NULL"
        " OR (x.unit_path, x.person_id) > (:after_unit, CAST(:after_id AS uuid)) ORDER BY x.unit_path, x.person_id LIMIT :limit",
        month=month, in_group=in_group, after_unit=after[0] if after else None, after_id=after[1] if after else None, limit=limit, **params,
    )  # fmt: skip


async def candidates_stream(tx: Tx, actor: Actor, month: date, unit_path: str | None, in_group: bool) -> AsyncIterator[Any]:
    """All of them, by unit and name."""
    where, params = _where(actor, unit_path)
    sql = f"SELECT * FROM ({_CANDIDATES.format(where=where)}) AS x ORDER BY x.unit_path, x.full_name, x.person_id"
    async for row in tx.stream(sql, month=month, in_group=in_group, **params):
        yield row
