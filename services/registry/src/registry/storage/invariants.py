"""What must always hold of people and dues."""

from __future__ import annotations

from typing import Final

from common.invariants import Invariant

__all__ = ["INVARIANTS"]

# What merges of earlier versions did not carry over; a merge of today leaves none of it. `b` is the other file as it was before the merge,
# `n` what the survivor holds since. In turn: somebody is still paid for the merged person; a death stayed with the merged file; an
# allowance that was going on ended with the merge; one whose amount goes by age lost its first month.
_NEW: Final = (
    "n.person_id = m.survivor_id AND n.category = b.category AND NOT EXISTS (SELECT FROM"
    " jsonb_to_recordset(m.before -> 'entitlement') AS x (entitlement_id uuid, from_month date, until date)"
    " WHERE x.entitlement_id = n.entitlement_id AND x.until > x.from_month)"
)
_BEFORE: Final = (
    "FROM jsonb_to_recordset(m.before -> 'entitlement')"
    " AS b (person_id uuid, category text, from_month date, arrears_from date, until date)"
    " WHERE b.person_id = m.other_id AND b.until > greatest(b.from_month, m.effective_month)"
)
_LEFT_BEHIND: Final = f"""
SELECT DISTINCT concat_ws('/', m.survivor_id, m.other_id) AS offender
FROM person_merge m JOIN person s ON s.person_id = m.survivor_id JOIN person o ON o.person_id = m.other_id
WHERE m.undone_at IS NULL AND (
    EXISTS (SELECT FROM entitlement e WHERE e.dependant_id = m.other_id AND e.person_id <> m.survivor_id
            AND e.status <> 'ENDED' AND e.until > greatest(e.from_month, m.effective_month))
    OR o.status = 'DECEASED' AND s.status <> 'DECEASED'
    OR s.status = 'ACTIVE' AND EXISTS (
        SELECT {_BEFORE} AND NOT EXISTS (SELECT FROM entitlement n WHERE {_NEW})
        AND NOT coalesce((SELECT range_agg(daterange(least(x.from_month, x.arrears_from), x.until))
            FROM jsonb_to_recordset(m.before -> 'entitlement')
                AS x (person_id uuid, category text, from_month date, arrears_from date, until date)
            WHERE x.person_id = m.survivor_id AND x.category = b.category AND x.until > x.from_month), '{{}}')
            @> daterange(greatest(m.effective_month, least(b.from_month, b.arrears_from)), b.until))
    OR s.status = 'ACTIVE' AND EXISTS (
        SELECT {_BEFORE} AND b.from_month < m.effective_month
        AND EXISTS (SELECT FROM category_step k WHERE k.category = b.category)
        AND EXISTS (SELECT FROM entitlement n WHERE {_NEW} AND n.from_month = m.effective_month AND n.until > n.from_month)
        AND NOT EXISTS (SELECT FROM entitlement n WHERE {_NEW} AND n.from_month <= b.from_month))
)
"""

INVARIANTS: Final = (
    Invariant(
        "dues_do_not_overlap",
        "A benefit line of a person is due by one rule in each month",
        "Mỗi khoản của một người mỗi tháng chỉ theo một quy định",
        "SELECT DISTINCT person_id::text AS offender FROM (SELECT person_id, from_month, lag(until) OVER ("
        "PARTITION BY person_id, programme, funding_source, benefit_line ORDER BY from_month) AS before FROM due_interval) i"
        " WHERE from_month < before",
        minutes=10,
    ),
    Invariant(
        "dues_are_of_a_known_state",
        "Everyone with dues has the version under which they were told",
        "Mọi người có khoản phải chi đều có phiên bản đã thông báo",
        "SELECT DISTINCT i.person_id::text AS offender FROM due_interval i"
        " WHERE NOT EXISTS (SELECT FROM dues_state s WHERE s.person_id = i.person_id)",
        minutes=10,
    ),
    Invariant(
        "the_dead_are_owed_nothing_more",
        "Nothing is due for months after a person's month of death",
        "Không còn khoản phải chi sau tháng chết",
        "SELECT DISTINCT p.person_id::text AS offender FROM person p JOIN due_interval i USING (person_id)"
        " WHERE p.status = 'DECEASED' AND i.until > date_trunc('month', p.death_date) + interval '1 month' AND i.amount > 0",
        minutes=10,
    ),
    Invariant(
        "merges_leave_nothing_behind",
        "What was going on under a file that was merged goes on under the one it went into",
        "Chế độ đang hưởng của hồ sơ đã gộp được hưởng tiếp ở hồ sơ giữ lại",
        _LEFT_BEHIND,
        minutes=60,
    ),
    Invariant(
        "imports_move",
        "Every list sent in is checked, and every approved one applied, within two hours",
        "Mọi danh sách gửi lên được kiểm tra, đã duyệt được nhập, trong hai giờ",
        "SELECT import_id::text AS offender FROM import_file WHERE (state = 'RECEIVED' AND created_at < now() - interval '2 hours')"
        " OR (state = 'APPROVED' AND approved_at < now() - interval '2 hours')",
    ),
)
