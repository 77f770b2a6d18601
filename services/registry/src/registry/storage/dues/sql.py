"""The dues engine in SQL: entitlements × age steps × dated rates, minus what is set aside, stacked, as months due per benefit line.

Law it follows (rows of the catalogue, see docs/architecture/dues.md): merit allowances add up, carer allowance highest only, two
survivor allowances at most (Ordinance 02/2020 Art. 6); social assistance and social pension pay the highest level only, a single parent
keeps clause 4 beside clauses 5, 6, 8 (Decree 20/2021 Art. 6.2); care support is paid on top (Art. 20); payment ends after the month of
death or of the loss of entitlement (Art. 8). A month whose rate is not loaded, or not known on the business date, is RATE_MISSING.

Months are numbers (`month_no`), ranges run from `f` to before `t`. Parts are common table expressions, joined by what they return;
where a join would be planned without statistics (rows written in the same transaction) facts are looked up by key or by window.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BLOCKS", "JUDGED", "LINES"]

# One row per decision. `a`/`r`: explicit arrears stand from a to before r. `facts`: something may set months aside (else nobody looks).
_ENT: Final = """
ent AS MATERIALIZED (
    SELECT e.person_id, e.entitlement_id, e.programme, e.funding_source, e.category AS root, e.percent, e.quantity, e.decision_number,
           e.dependant_id, c.concerns, p.unit_path, count(*) OVER (PARTITION BY e.person_id) AS held,
           month_no(least(e.from_month, e.arrears_from)) AS f, month_no(e.until) AS until,
           month_no(p.death_date) + 1 AS death, month_no(d.death_date) + 1 AS dependant_death,
           least(month_no(e.until), month_no(p.death_date) + 1, month_no(d.death_date) + 1) AS t,
           coalesce(month_no(e.arrears_from), 99999) AS a,
           CASE WHEN e.arrears_from IS NULL THEN 99999
                WHEN e.arrears_from < e.from_month THEN month_no(e.from_month)
                ELSE greatest(month_no(e.from_month), month_no(e.decision_date) + 1, month_no(e.arrears_from)) END AS r,
           birth_month_no(CASE WHEN c.concerns = 'PERSON' THEN p.birth_date ELSE coalesce(d.birth_date, e.dependant_birth_date) END,
                          :birth_month) AS birth,
           e.category IN (SELECT y.category FROM path y JOIN cond n ON n.category = y.stage)
           OR EXISTS (SELECT FROM entitlement_pause u WHERE u.entitlement_id = e.entitlement_id)
           OR EXISTS (SELECT FROM institution_stay i WHERE i.person_id = e.person_id)
           OR EXISTS (SELECT FROM institution_stay i WHERE i.person_id = e.dependant_id)
           OR EXISTS (SELECT FROM other_benefit o WHERE o.person_id = e.person_id) AS facts
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
    JOIN person p USING (person_id)
    JOIN entitlement e USING (person_id)
    JOIN benefit_category c ON c.code = e.category
    LEFT JOIN person d ON d.person_id = e.dependant_id AND c.concerns = 'DEPENDANT'
)"""

# The law in force on the business date, or with a draft (:change).
_LAW: Final = """
path AS MATERIALIZED (SELECT * FROM age_path(:late_stop, CAST(:change AS uuid))),
rates AS MATERIALIZED (
    SELECT q.category, q.percent, month_no(q.from_month) AS f, month_no(q.until) AS t, q.amount, q.basis
    FROM rate_piece(CAST(:as_of AS date), CAST(:change AS uuid)) q
), cat AS MATERIALIZED (
    SELECT c.code, c.benefit_line, c.stack_group, g.keep, c.per_quantity, c.frequency, c.arrears_apart, c.min_age_months,
           c.excludes_single_parent OR (c.programme = 'SOCIAL_PENSION' AND CAST(:pension_excludes AS boolean)) AS excludes,
           month_no(CASE WHEN w.category IS NULL THEN c.applies_from ELSE w.applies_from END) AS f,
           month_no(CASE WHEN w.category IS NULL THEN c.applies_to ELSE w.applies_to END) + 1 AS t
    FROM benefit_category c JOIN stacking_rule g USING (stack_group)
    LEFT JOIN LATERAL (
        SELECT w.* FROM category_term w
        WHERE w.category = c.code AND law_counts(w.change_id, CAST(:change AS uuid))
          AND (w.known_from <= CAST(:as_of AS date) OR w.change_id = CAST(:change AS uuid))
        ORDER BY w.change_id = CAST(:change AS uuid) DESC NULLS LAST, w.known_from DESC, w.row_id DESC LIMIT 1
    ) w ON true
), cond AS MATERIALIZED (
    SELECT g.category, g.group_code, g.legal_basis FROM category_group_condition g WHERE law_counts(g.change_id, CAST(:change AS uuid))
), excl AS MATERIALIZED (
    SELECT x.category, x.fact, x.rule, x.kinds, x.legal_basis FROM category_exclusion x
    WHERE law_counts(x.change_id, CAST(:change AS uuid))
), tops AS MATERIALIZED (
    SELECT u.code, coalesce(u.category, k.category) AS category, u.mode, u.unit_prefixes, u.funding_source, u.legal_basis AS basis,
           u.known_from, month_no(greatest(u.applies_from, k.applies_from)) AS f,
           coalesce(month_no(least(u.applies_to, k.applies_to)) + 1, 99999) AS t,
           CASE WHEN u.standard IS NULL THEN u.amount_vnd ELSE u.amount_vnd * k.coefficient_hundredths / 100 END AS level
    FROM provincial_top_up u
    LEFT JOIN category_coefficient k ON k.standard = u.standard AND law_counts(k.change_id, CAST(:change AS uuid))
    WHERE CAST(:has_tops AS boolean) AND law_counts(u.change_id, CAST(:change AS uuid))
      AND (u.known_from <= CAST(:as_of AS date) OR u.change_id = CAST(:change AS uuid))
      AND coalesce(u.category, k.category) IS NOT NULL
      AND greatest(u.applies_from, k.applies_from) <= coalesce(least(u.applies_to, k.applies_to), 'infinity')
)"""

# Stages of age, then the spans of explicit arrears, then one month a year where the law pays yearly, then rates.
_PIECES: Final = """
stages AS MATERIALIZED (
    SELECT e.*, y.stage AS category, y.age_from, y.ends_by, c.benefit_line, c.stack_group, c.keep, c.excludes, c.per_quantity,
           c.frequency, c.arrears_apart,
           greatest(e.f, CASE WHEN y.age_from >= 0 THEN e.birth + y.age_from END, c.f,
                    CASE WHEN CAST(:age_holds AS boolean) THEN e.birth + c.min_age_months END) AS sf,
           least(e.t, CASE WHEN y.age_to < 99999 THEN e.birth + y.age_to END, c.t) AS st
    FROM ent e
    JOIN path y ON y.category = e.root
     AND CASE WHEN e.birth IS NULL THEN 99998 ELSE greatest(e.f - e.birth, 0) END BETWEEN y.start_from AND y.start_to - 1
    JOIN cat c ON c.code = y.stage
), spans AS (
    SELECT s.*, v.explicit, z.pf, z.pt
    FROM stages s
    CROSS JOIN LATERAL (VALUES (false, s.sf, least(s.a, s.st)), (true, greatest(s.a, s.sf), least(s.r, s.st)),
                               (false, greatest(s.r, s.sf), s.st)) AS v(explicit, vf, vt)
    CROSS JOIN LATERAL (
        SELECT v.vf, v.vt WHERE s.frequency = 'MONTHLY'
        UNION ALL
        SELECT n * 12 + :yearly_month, n * 12 + :yearly_month + 1 FROM generate_series(v.vf / 12, least(v.vt / 12, :last_year)) AS n
        WHERE s.frequency = 'YEARLY' AND n * 12 + :yearly_month >= v.vf AND n * 12 + :yearly_month < v.vt
    ) AS z(pf, pt)
    WHERE v.vf < v.vt
), pieces AS MATERIALIZED (
    SELECT s.person_id, s.entitlement_id, s.dependant_id, s.concerns, s.unit_path, s.held, s.facts, s.programme, s.funding_source,
           s.category, s.benefit_line, s.decision_number, s.stack_group, s.keep, s.excludes, s.arrears_apart, s.explicit,
           greatest(s.pf, q.f) AS f, least(s.pt, q.t) AS t,
           q.amount * CASE WHEN s.per_quantity THEN s.quantity ELSE 1 END AS amount, coalesce(q.basis, 'RATE_MISSING') AS basis
    FROM spans s
    LEFT JOIN rates q ON q.category = s.category AND q.percent = s.percent AND q.f < s.pt AND q.t > s.pf
)"""

# Months of a piece `p` that are set aside, by which rule and basis.
BLOCKS: Final = """
    SELECT int4range(month_no(u.from_month), month_no(u.until)) AS span, 'PAUSED' AS rule, u.reason AS basis
    FROM entitlement_pause u WHERE u.entitlement_id = p.entitlement_id AND NOT u.back_pay
    UNION ALL
    SELECT int4range(month_no(i.from_date) + 1, coalesce(month_no(i.to_date) + :leaving, 99999)), 'INSTITUTION', x.legal_basis
    FROM excl x, institution_stay i
    WHERE x.category = p.category AND x.fact = 'INSTITUTION'
      AND i.person_id = CASE WHEN p.concerns = 'DEPENDANT' THEN p.dependant_id ELSE p.person_id END
      AND (p.programme <> 'SOCIAL_PENSION' OR CAST(:pension_stays_out AS boolean))
      AND month_no(i.from_date) + 1 < coalesce(month_no(i.to_date) + :leaving, 99999)
    UNION ALL
    SELECT int4range(month_no(o.from_month), month_no(o.until)), 'OTHER_BENEFIT', x.legal_basis
    FROM excl x, other_benefit o
    WHERE x.category = p.category AND x.fact = 'OTHER_BENEFIT' AND o.person_id = p.person_id
      AND (x.kinds IS NULL OR o.kind = ANY(x.kinds))
      AND (x.rule = 'ANY' OR CASE WHEN o.monthly_amount IS NULL THEN CAST(:unknown_excludes AS boolean)
                                  ELSE o.monthly_amount >= p.amount OR CAST(:lower_excludes AS boolean) END)
    UNION ALL
    SELECT g.span, 'NOT_IN_GROUP', (SELECT min(n.legal_basis) FROM cond n WHERE n.category = p.category)
    FROM unnest((
        SELECT CASE WHEN count(*) = 0 AND CAST(:group_keep AS boolean) THEN CAST('{}' AS int4multirange)
               ELSE int4multirange(int4range(CASE WHEN CAST(:group_keep AS boolean) THEN min(month_no(m.from_date)) ELSE 0 END, 99999))
                    - coalesce(range_agg(int4range(month_no(m.from_date), coalesce(month_no(m.to_date) + 1, 99999)))
                               FILTER (WHERE m.group_code IN (SELECT n.group_code FROM cond n WHERE n.category = p.category)), '{}') END
        FROM person_in_group m
        WHERE m.person_id = p.person_id AND m.group_code IN (SELECT n.group_code FROM cond n)
    )) AS g(span)
    WHERE EXISTS (SELECT FROM cond n WHERE n.category = p.category)
"""

# Where a person of before was: units left by a move (whose months are the new unit's from `m` on) or by a reform. What a province adds
# for some units is judged by the unit of the month, not of today: what was paid rightly there does not become a recovery.
_LEFT: Final = """
    SELECT month_no(t.pays_from) AS m, t.from_path AS path, t.checked_at AS left_at FROM transfer t
    WHERE CAST(:has_tops AS boolean) AND t.person_id = b.person_id AND t.state = 'RECEIVED' AND t.direction = 'WITHIN'
    UNION ALL
    SELECT month_no(w.effective_on), w.old_path, w.moved_at FROM unit_moved w
    WHERE CAST(:has_tops AS boolean) AND w.person_id = b.person_id
"""

# A person's months cut wherever anything of the person changes (`cells`), with the province's own additions, then stacked.
_JUDGED: Final = f"""
free AS MATERIALIZED (
    SELECT p.person_id, p.entitlement_id, p.unit_path, p.held, p.programme, p.funding_source, p.category, p.benefit_line,
           p.decision_number, p.stack_group, p.keep, p.excludes, p.arrears_apart, p.explicit, p.amount, p.basis, x.f, x.t
    FROM pieces p
    CROSS JOIN LATERAL (
        SELECT p.f, p.t WHERE NOT p.facts
        UNION ALL
        SELECT lower(s.span), upper(s.span) FROM unnest(
            int4multirange(int4range(p.f, p.t)) - coalesce((SELECT range_agg(b.span) FROM ({BLOCKS}) AS b), '{{}}')) AS s(span)
        WHERE p.facts
    ) AS x(f, t)
), bounded AS (
    SELECT f.*, array_agg(f.f) OVER w || array_agg(f.t) OVER w AS bounds FROM free f WINDOW w AS (PARTITION BY f.person_id)
), cells AS (
    SELECT b.*, x.cf, x.ct, u.tops, u.instead, u.extra
    FROM bounded b
    CROSS JOIN LATERAL (
        SELECT b.f, b.t WHERE b.held = 1 AND NOT CAST(:has_tops AS boolean)
        UNION ALL
        SELECT d.n, lead(d.n, 1, b.t) OVER (ORDER BY d.n)
        FROM (SELECT n FROM unnest(b.bounds) AS n WHERE n >= b.f AND n < b.t
              UNION SELECT n FROM tops z, LATERAL (VALUES (z.f), (z.t)) AS v(n) WHERE n >= b.f AND n < b.t
              UNION SELECT l.m FROM ({_LEFT}) AS l WHERE l.m >= b.f AND l.m < b.t) AS d
        WHERE b.held > 1 OR CAST(:has_tops AS boolean)
    ) AS x(cf, ct)
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT l.path FROM ({_LEFT}) AS l WHERE l.m > x.cf ORDER BY l.m, l.left_at LIMIT 1), b.unit_path) AS path
    ) AS y
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('funding_source', k.funding_source, 'amount', k.sum, 'basis', k.basis)) AS tops,
               coalesce(bool_or(k.mode = 'INSTEAD'), false) AS instead, coalesce(sum(k.sum), 0) AS extra
        FROM (SELECT DISTINCT ON (z.code) z.mode, z.funding_source, z.basis, bool_or(z.mode = 'INSTEAD') OVER () AS replaced,
                     CASE WHEN z.mode = 'DIFFERENCE' THEN greatest(z.level - b.amount, 0) ELSE z.level END AS sum
              FROM tops z
              WHERE CAST(:has_tops AS boolean) AND z.category = b.category AND z.f <= x.cf AND z.t > x.cf
                AND (z.unit_prefixes IS NULL OR EXISTS (SELECT FROM unnest(z.unit_prefixes) AS a(prefix)
                                                        WHERE y.path = a.prefix OR y.path LIKE a.prefix || '/%'))
                AND (z.mode <> 'DIFFERENCE' OR b.amount IS NOT NULL)
              ORDER BY z.code, z.f DESC, z.known_from DESC) AS k
        WHERE k.sum > 0 AND NOT (k.replaced AND k.mode = 'DIFFERENCE')  -- no difference to a national sum that is not paid
    ) AS u
), levelled AS (
    SELECT c.*, CASE WHEN NOT CAST(:compare_total AS boolean) THEN c.amount
                     WHEN c.instead THEN CAST(c.extra AS bigint) ELSE c.amount + CAST(c.extra AS bigint) END AS level
    FROM cells c
), weighed AS (
    SELECT c.*, sum(c.level) FILTER (WHERE c.stack_group = 'SA_SINGLE_PARENT') OVER w AS parent_sum,
           bool_or(c.stack_group = 'SA_SINGLE_PARENT') OVER w AS parent,
           max(coalesce(c.level, 1000000000000)) FILTER (WHERE c.stack_group = 'SA_MAIN' AND c.excludes) OVER w AS excluding,
           max(coalesce(c.level, 1000000000000)) FILTER (WHERE c.stack_group = 'SA_MAIN' AND NOT c.excludes) OVER w AS beside
    FROM levelled c WINDOW w AS (PARTITION BY c.person_id, c.cf)
), ranked AS (
    SELECT c.*, c.parent AND coalesce(c.excluding >= coalesce(c.beside, 0) + coalesce(c.parent_sum, 0), false) AS parent_loses,
           row_number() OVER (PARTITION BY c.person_id, c.cf, c.stack_group, c.stack_group = 'SA_MAIN' AND c.parent AND c.excludes
                              ORDER BY c.level DESC NULLS FIRST, c.entitlement_id) AS rank
    FROM weighed c
), judged AS (
    SELECT r.*, CASE WHEN r.parent AND r.stack_group = 'SA_SINGLE_PARENT' AND r.parent_loses THEN 'SINGLE_PARENT_EXCLUDED'
                     WHEN r.parent AND r.stack_group = 'SA_MAIN' AND r.excludes <> r.parent_loses THEN 'HIGHEST_ONLY'
                     WHEN r.rank > r.keep THEN CASE WHEN r.keep = 1 THEN 'HIGHEST_ONLY' ELSE 'LIMIT' END
                     WHEN r.amount IS NULL AND NOT r.instead THEN 'RATE_MISSING'
                     ELSE 'COUNTS' END AS outcome
    FROM ranked r
)"""

JUDGED: Final = ",\n".join((_LAW, _ENT.strip(), _PIECES.strip(), _JUDGED.strip()))
"""All decisions of the people (:ids) by month: `ent`, `stages`, `pieces` and `judged` (what counts and what stacking sets aside)."""

# Arrears of allowances that add up have a line of their own, whatever else is due: months of a line have one flag, and a month paid on
# one line must never turn up on another because a further allowance came beside it. One-off sums never share a monthly line.
LINES: Final = f"""
WITH {JUDGED.strip()}, due AS (
    SELECT j.person_id, j.programme, j.funding_source, j.benefit_line || CASE WHEN j.explicit AND j.arrears_apart THEN 'R' ELSE '' END
           AS benefit_line, j.cf AS f, j.ct AS t, j.explicit, j.amount, j.basis, j.decision_number, j.instead, j.tops
    FROM judged j WHERE j.outcome IN ('COUNTS', 'RATE_MISSING')
), parts AS (
    SELECT d.person_id, d.programme, d.funding_source, d.benefit_line, d.f, d.t, d.explicit, d.amount, d.basis, d.decision_number
    FROM due d WHERE NOT d.instead
    UNION ALL
    SELECT d.person_id, d.programme, x.funding_source, d.benefit_line, d.f, d.t, d.explicit, x.amount, x.basis, d.decision_number
    FROM due d CROSS JOIN LATERAL jsonb_to_recordset(d.tops) AS x(funding_source text, amount bigint, basis text)
    WHERE d.tops IS NOT NULL
    UNION ALL
    SELECT o.person_id, o.programme, o.funding_source,
           o.benefit_line || CASE WHEN EXISTS (SELECT FROM cat c WHERE o.benefit_line IN (c.benefit_line, c.benefit_line || 'R'))
                                  THEN 'X' ELSE '' END,
           month_no(o.month), month_no(o.month) + 1, false, o.amount, o.basis, o.decision_number
    FROM one_off_due o WHERE o.person_id = ANY(CAST(:ids AS uuid[])) AND o.cancelled_on IS NULL
), lines AS (
    SELECT person_id, programme, funding_source, benefit_line, f, t, bool_or(explicit) AS explicit, bool_or(amount IS NULL) AS missing,
           CASE WHEN bool_or(amount IS NULL) THEN 0 ELSE CAST(sum(amount) AS bigint) END AS amount,
           string_agg(DISTINCT basis, '; ') AS basis, string_agg(DISTINCT decision_number, '; ') AS decision_number
    FROM parts GROUP BY person_id, programme, funding_source, benefit_line, f, t
), islands AS (
    SELECT l.*, CASE WHEN lag(t) OVER w = f AND lag((amount, missing, basis, decision_number, explicit)) OVER w
                              IS NOT DISTINCT FROM (amount, missing, basis, decision_number, explicit) THEN 0 ELSE 1 END AS fresh
    FROM lines l WINDOW w AS (PARTITION BY person_id, programme, funding_source, benefit_line ORDER BY f)
), numbered AS (
    SELECT i.*, sum(fresh) OVER (PARTITION BY person_id, programme, funding_source, benefit_line ORDER BY f) AS island FROM islands i
)
SELECT person_id, programme, funding_source, benefit_line, month_of(min(f)) AS from_month, month_of(max(t)) AS until, min(amount) AS amount,
       CASE WHEN bool_or(missing) THEN 'RATE_MISSING' ELSE 'DUE' END AS status, min(basis) AS basis,
       min(decision_number) AS decision_number, bool_or(explicit) AS explicit_arrears
FROM numbered GROUP BY person_id, programme, funding_source, benefit_line, island
"""
"""The due intervals of the people (:ids), columns as in `due_interval`."""
