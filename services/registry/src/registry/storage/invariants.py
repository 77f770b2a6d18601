"""What must always hold of people and dues."""

from __future__ import annotations

from typing import Final

from common.invariants import Invariant

__all__ = ["INVARIANTS"]

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
        "imports_move",
        "Every list sent in is checked, and every approved one applied, within two hours",
        "Mọi danh sách gửi lên được kiểm tra, đã duyệt được nhập, trong hai giờ",
        "SELECT import_id::text AS offender FROM import_file WHERE (state = 'RECEIVED' AND created_at < now() - interval '2 hours')"
        " OR (state = 'APPROVED' AND approved_at < now() - interval '2 hours')",
    ),
)
