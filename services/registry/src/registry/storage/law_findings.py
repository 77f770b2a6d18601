"""What a second person should know of a draft of the law before it is approved: gaps, overlaps, odd amounts, rows that reach back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = ["findings"]

_ALWAYS: Final = date(9999, 12, 31)
_TOUCHED: Final = """
touched AS MATERIALIZED (
    SELECT category, percent FROM category_amount WHERE change_id = :id
    UNION SELECT category, 0 FROM category_coefficient WHERE change_id = :id
    UNION SELECT k.category, 0 FROM category_coefficient k JOIN benefit_standard s ON s.standard = k.standard AND s.change_id = :id
    WHERE law_counts(k.change_id, :id)
), fresh AS MATERIALIZED (
    SELECT r.* FROM rate_piece(CAST(:always AS date), :id) r JOIN touched USING (category, percent)
), before AS MATERIALIZED (SELECT r.* FROM rate_piece(CAST(:always AS date), NULL) r)
"""
# Each part: level, code, subject, a number beside it, from, until.
_FINDINGS: Final = f"""
WITH {_TOUCHED.strip()}, ended AS (  -- after its last month a category needs no sum
    SELECT c.code, coalesce(CASE WHEN w.category IS NULL THEN c.applies_to ELSE w.applies_to END, 'infinity'::date) AS applies_to
    FROM benefit_category c
    LEFT JOIN LATERAL (SELECT t.* FROM category_term t WHERE t.category = c.code AND law_counts(t.change_id, :id)
                       ORDER BY t.change_id = :id DESC NULLS LAST, t.known_from DESC, t.row_id DESC LIMIT 1) w ON true
), rated AS (
    SELECT f.category, f.percent, min(f.from_month) FILTER (WHERE f.amount IS NOT NULL) AS first FROM fresh f GROUP BY 1, 2
), found AS (
    SELECT 'WARNING' AS level, 'GAP' AS code, f.category || CASE WHEN f.percent > 0 THEN ' ' || f.percent || '%' ELSE '' END AS subject,
           NULL::bigint AS amount, f.from_month AS f, f.until AS t
    FROM fresh f JOIN rated r USING (category, percent) JOIN ended e ON e.code = f.category
    WHERE f.amount IS NULL AND f.from_month > r.first AND f.from_month <= e.applies_to
    UNION ALL
    SELECT 'ERROR', 'SAME_DAY', a.category || CASE WHEN a.percent > 0 THEN ' ' || a.percent || '%' ELSE '' END, b.amount_vnd,
           a.applies_from, NULL
    FROM category_amount a JOIN category_amount b USING (category, percent, known_from)
    WHERE a.change_id = :id AND b.change_id IS DISTINCT FROM a.change_id AND law_counts(b.change_id, NULL)
      AND date_trunc('month', a.applies_from) = date_trunc('month', b.applies_from)
    UNION ALL
    SELECT 'ERROR', 'SAME_DAY', a.category, b.coefficient_hundredths, a.applies_from, NULL
    FROM category_coefficient a JOIN category_coefficient b USING (category, known_from)
    WHERE a.change_id = :id AND b.change_id IS DISTINCT FROM a.change_id AND law_counts(b.change_id, NULL)
      AND date_trunc('month', a.applies_from) = date_trunc('month', b.applies_from)
    UNION ALL
    SELECT 'ERROR', 'SAME_DAY', a.standard, b.amount_vnd, a.applies_from, NULL
    FROM benefit_standard a JOIN benefit_standard b USING (standard, known_from)
    WHERE a.change_id = :id AND b.change_id IS DISTINCT FROM a.change_id AND law_counts(b.change_id, NULL)
      AND date_trunc('month', a.applies_from) = date_trunc('month', b.applies_from)
    UNION ALL
    SELECT 'WARNING', 'OVERLAP', a.category || CASE WHEN a.percent > 0 THEN ' ' || a.percent || '%' ELSE '' END, NULL, b.applies_from,
           a.applies_to
    FROM category_amount a JOIN category_amount b USING (category, percent, change_id)
    WHERE a.change_id = :id AND b.applies_from > a.applies_from AND b.applies_from <= coalesce(a.applies_to, 'infinity')
    UNION ALL
    SELECT 'WARNING', 'OVERLAP', a.standard, NULL, b.applies_from, a.applies_to
    FROM benefit_standard a JOIN benefit_standard b USING (standard, change_id)
    WHERE a.change_id = :id AND b.applies_from > a.applies_from AND b.applies_from <= coalesce(a.applies_to, 'infinity')
    UNION ALL
    SELECT 'WARNING', 'NOT_ROUND', f.category || CASE WHEN f.percent > 0 THEN ' ' || f.percent || '%' ELSE '' END, f.amount,
           f.from_month, f.until
    FROM fresh f WHERE f.amount % 1000 <> 0
    UNION ALL
    SELECT 'WARNING', 'NOT_ROUND', s.standard, s.amount_vnd, s.applies_from, NULL FROM benefit_standard s
    WHERE s.change_id = :id AND s.amount_vnd % 1000 <> 0
    UNION ALL
    SELECT 'WARNING', 'NOT_ROUND', u.code, u.amount_vnd, u.applies_from, NULL FROM provincial_top_up u
    WHERE u.change_id = :id AND u.amount_vnd % 1000 <> 0
    UNION ALL
    SELECT 'WARNING', CASE WHEN f.amount < b.amount THEN 'LOWER' ELSE 'MORE_THAN_DOUBLE' END,
           f.category || CASE WHEN f.percent > 0 THEN ' ' || f.percent || '%' ELSE '' END, f.amount - b.amount,
           greatest(f.from_month, b.from_month), least(f.until, b.until)
    FROM fresh f JOIN before b USING (category, percent)
    WHERE b.from_month < f.until AND b.until > f.from_month AND (f.amount < b.amount OR f.amount > 2 * b.amount)
    UNION ALL
    SELECT 'WARNING', 'STILL_MISSING', b.category || CASE WHEN b.percent > 0 THEN ' ' || b.percent || '%' ELSE '' END, NULL, x.start, NULL
    FROM (SELECT c.programme, max(a.applies_from) AS start FROM category_amount a JOIN benefit_category c ON c.code = a.category
          WHERE a.change_id = :id GROUP BY 1) AS x
    JOIN benefit_category c ON c.programme = x.programme
    JOIN ended e ON e.code = c.code AND e.applies_to >= x.start
    JOIN before b ON b.category = c.code AND b.from_month <= x.start AND b.until > x.start AND b.amount IS NULL
         AND b.from_month > '1900-01-01'
    WHERE NOT EXISTS (SELECT FROM fresh f WHERE f.category = b.category AND f.percent = b.percent AND f.amount IS NOT NULL
                        AND f.from_month <= x.start AND f.until > x.start)
    UNION ALL
    SELECT 'WARNING', 'NO_RATE', c.code, NULL, c.applies_from, NULL FROM benefit_category c
    WHERE c.change_id = :id AND NOT EXISTS (SELECT FROM fresh f WHERE f.category = c.code AND f.amount IS NOT NULL)
    UNION ALL
    SELECT 'WARNING', 'ALL_MONTHS', x.category, NULL, NULL, NULL
    FROM (SELECT category FROM category_step WHERE change_id = :id UNION SELECT category FROM category_group_condition WHERE change_id = :id
          UNION SELECT category FROM category_exclusion WHERE change_id = :id) AS x
    JOIN benefit_category c ON c.code = x.category WHERE c.change_id IS DISTINCT FROM :id
    UNION ALL
    SELECT 'WARNING', 'OTHER_DRAFT', l.title_vi, NULL, l.applies_from, NULL FROM law_change l
    WHERE l.state IN ('DRAFT', 'PROPOSED') AND l.change_id <> :id AND (
        EXISTS (SELECT FROM category_amount a JOIN category_amount b USING (category, percent)
                WHERE a.change_id = :id AND b.change_id = l.change_id)
        OR EXISTS (SELECT FROM benefit_standard a JOIN benefit_standard b USING (standard)
                   WHERE a.change_id = :id AND b.change_id = l.change_id)
        OR EXISTS (SELECT FROM law_change_setting a JOIN law_change_setting b USING (code)
                   WHERE a.change_id = :id AND b.change_id = l.change_id))
)
SELECT level, code, subject, amount, f AS from_date, nullif(t, 'infinity') AS until FROM found ORDER BY level, code, subject, f LIMIT 1000
"""


async def findings(tx: Tx, change_id: UUID) -> Sequence[Any]:
    """Errors and warnings of a draft: `level`, `code` (`domain.law.FINDINGS`), `subject`, `amount`, `from_date`, `until`."""
    return await tx.rows(_FINDINGS, id=change_id, always=_ALWAYS)
