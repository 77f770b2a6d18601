"""Groups (poor, near-poor …), the lists that change them, and whose dues they touch. All set-based: one row or a province."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = [
    "add_group",
    "all_groups",
    "apply",
    "copy_to",
    "end_of_household",
    "judge",
    "members",
    "of_person",
    "rows_of",
    "settle",
    "stage",
]


async def all_groups(tx: Tx) -> Sequence[Any]:
    """Every group with its set and legal basis."""
    return await tx.rows("SELECT code, name_vi, name_en, exclusive_set, legal_basis FROM beneficiary_group ORDER BY code")


async def add_group(tx: Tx, request: Any, approved_by: str) -> None:
    """Add an approved group."""
    await tx.execute(
        "INSERT INTO beneficiary_group (code, name_vi, name_en, exclusive_set, legal_basis, created_by, approved_by)"
        " VALUES (:code, :name_vi, :name_en, :exclusive_set, :legal_basis, :created_by, :approved_by)",
        **{name: request[name] for name in ("code", "name_vi", "name_en", "exclusive_set", "legal_basis", "created_by")},
        approved_by=approved_by,
    )


async def members(tx: Tx, household_ids: Sequence[UUID]) -> list[UUID]:
    """Everybody who belongs to these households now."""
    rows = await tx.rows(
        "SELECT person_id FROM household_member WHERE household_id = ANY(CAST(:ids AS uuid[])) AND to_date IS NULL ORDER BY person_id",
        ids=list(household_ids),
    )
    return [row["person_id"] for row in rows]


async def end_of_household(tx: Tx, household_id: UUID, last_day: date) -> None:
    """End the groups of a household that is closed."""
    await tx.execute(
        "UPDATE group_membership SET to_date = greatest(from_date, CAST(:day AS date))"
        " WHERE household_id = :id AND coalesce(to_date, 'infinity') > greatest(from_date, CAST(:day AS date))",
        id=household_id,
        day=last_day,
    )


async def copy_to(tx: Tx, household_id: UUID, made: UUID, from_date: date) -> None:
    """A split household keeps the groups of the one it came from, those that end on a later day until then."""
    await tx.execute(
        "INSERT INTO group_membership (household_id, group_code, from_date, to_date, decision_number, list_id)"
        " SELECT :made, group_code, greatest(from_date, CAST(:day AS date)), to_date, decision_number, list_id FROM group_membership"
        " WHERE household_id = :id AND coalesce(to_date, 'infinity') >= :day",
        id=household_id,
        made=made,
        day=from_date,
    )


async def of_person(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """The groups a person is counted in, alone or with a household."""
    return await tx.rows(
        "SELECT group_code, from_date, to_date FROM person_in_group WHERE person_id = :id ORDER BY from_date", id=person_id
    )


async def stage(tx: Tx, list_id: UUID, rows: Iterable[tuple[int, str, str, str, str, str, str]]) -> None:
    """COPY rows (number, code, subject, group, action, verdict, reasons as JSON)."""
    columns = ("list_id", "row_number", "code", "subject", "group_code", "action", "verdict", "reasons")
    await tx.copy("group_list_row", columns, ((list_id, *row) for row in rows))


# A row is judged when the list comes in and again when it is applied: a household may have moved or closed meanwhile.
# A membership that begins or was ended on the row's day or later is a later decision: an earlier day may not go behind it.
_JUDGE: Final = """
WITH found AS (
    SELECT r.row_number, r.group_code, r.action, h.household_id, p.person_id, coalesce(h.unit_path, p.unit_path) AS unit_path, h.closed_on,
           g.exclusive_set, l.unit_path AS area, l.from_date,
           row_number() OVER (PARTITION BY r.subject, r.code, coalesce(g.exclusive_set, g.code) ORDER BY r.row_number) AS n
    FROM group_list_row r JOIN group_list l USING (list_id)
    JOIN beneficiary_group g ON g.code = r.group_code
    LEFT JOIN household h ON r.subject = 'HOUSEHOLD' AND h.code = r.code
    LEFT JOIN person p ON r.subject = 'PERSON' AND p.file_code = r.code
    WHERE r.list_id = :list AND r.verdict = 'GOOD'
), judged AS (
    SELECT f.*, CASE
        WHEN f.household_id IS NULL AND f.person_id IS NULL THEN 'UNKNOWN_SUBJECT'
        WHEN NOT (f.unit_path = f.area OR starts_with(f.unit_path, f.area || '/')) THEN 'SUBJECT_OUTSIDE'
        WHEN f.closed_on IS NOT NULL THEN 'HOUSEHOLD_CLOSED'
        WHEN f.n > 1 THEN 'DUPLICATE_SUBJECT'
        WHEN EXISTS (SELECT 1 FROM group_membership m JOIN beneficiary_group o ON o.code = m.group_code
                     WHERE (m.household_id = f.household_id OR m.person_id = f.person_id)
                       AND CASE WHEN f.action = 'START' AND m.group_code = f.group_code THEN m.from_date > f.from_date
                                WHEN m.group_code = f.group_code OR f.action = 'START' AND o.exclusive_set = f.exclusive_set
                                THEN greatest(m.from_date, m.to_date) >= f.from_date END) THEN 'LATER_MEMBERSHIP'
        END AS code
    FROM found f
)
SELECT row_number, household_id, person_id, code FROM judged
"""


async def judge(tx: Tx, list_id: UUID) -> Sequence[Any]:
    """What every good row names, and the reason code why it cannot be applied (None when it can)."""
    return await tx.rows(_JUDGE, list=list_id)


async def settle(tx: Tx, list_id: UUID, found: Sequence[tuple[int, UUID | None, UUID | None, str | None]]) -> None:
    """Write what :func:`judge` found: (row number, household, person, reasons as JSON or None), and the counts of the list."""
    await tx.execute(
        "UPDATE group_list_row r SET household_id = x.household_id, person_id = x.person_id,"
        " verdict = CASE WHEN x.reasons IS NULL THEN r.verdict ELSE 'REFUSED' END, reasons = coalesce(CAST(x.reasons AS jsonb), r.reasons)"
        " FROM unnest(CAST(:numbers AS int[]), CAST(:households AS uuid[]), CAST(:people AS uuid[]), CAST(:reasons AS text[]))"
        "   AS x(row_number, household_id, person_id, reasons) WHERE r.list_id = :list AND r.row_number = x.row_number",
        list=list_id, numbers=[item[0] for item in found], households=[item[1] for item in found], people=[item[2] for item in found],
        reasons=[item[3] for item in found],
    )  # fmt: skip
    await tx.execute(
        "UPDATE group_list l SET rows_good = c.good, rows_refused = c.refused"
        " FROM (SELECT count(*) FILTER (WHERE verdict <> 'REFUSED') AS good,"
        " count(*) FILTER (WHERE verdict = 'REFUSED') AS refused FROM group_list_row WHERE list_id = :list) c WHERE l.list_id = :list",
        list=list_id,
    )


_ROWS: Final = (
    "group_list_row r JOIN group_list l USING (list_id) JOIN beneficiary_group g ON g.code = r.group_code"
    " WHERE r.list_id = :list AND r.verdict = 'GOOD'"
)
# The rows are new in this transaction and have no statistics: everything about them is looked up by key, row by row.
# What ends: the row says so, the row starts another group of the same set, or a full review leaves the household out.
_END: Final = f"""
WITH l AS MATERIALIZED (SELECT * FROM group_list WHERE list_id = :list), ending AS (
    SELECT m.membership_id
    FROM (SELECT r.household_id, r.person_id, r.group_code, r.action, g.exclusive_set FROM {_ROWS}) r
    JOIN LATERAL (
        SELECT * FROM group_membership h WHERE h.household_id = r.household_id AND h.to_date IS NULL
        UNION ALL SELECT * FROM group_membership p WHERE p.person_id = r.person_id AND p.to_date IS NULL
    ) m ON true
    JOIN beneficiary_group o ON o.code = m.group_code
    WHERE r.action = 'END' AND m.group_code = r.group_code
       OR r.action = 'START' AND m.group_code <> r.group_code AND o.exclusive_set = r.exclusive_set
    UNION
    SELECT m.membership_id
    FROM l JOIN group_membership m ON m.group_code = ANY(l.groups) AND m.to_date IS NULL AND m.from_date < l.from_date
    JOIN household h ON h.household_id = m.household_id
    WHERE l.mode = 'FULL_REVIEW' AND (h.unit_path = l.unit_path OR starts_with(h.unit_path, l.unit_path || '/'))
      AND NOT EXISTS (SELECT 1 FROM group_list_row k WHERE k.list_id = :list AND k.household_id = m.household_id
                        AND k.group_code = m.group_code AND k.action = 'START' AND k.verdict = 'GOOD')
)
UPDATE group_membership m SET to_date = l.from_date - 1, end_decision_number = l.decision_number
FROM ending e, l WHERE m.membership_id = e.membership_id AND m.from_date < l.from_date
RETURNING m.household_id, m.person_id
"""
_START: Final = f"""
INSERT INTO group_membership (household_id, person_id, group_code, from_date, decision_number, list_id)
SELECT r.household_id, r.person_id, r.group_code, l.from_date, l.decision_number, l.list_id
FROM {_ROWS} AND r.action = 'START' AND NOT EXISTS (
    SELECT 1 FROM group_membership m WHERE m.group_code = r.group_code AND (m.household_id = r.household_id OR m.person_id = r.person_id)
      AND m.from_date <= l.from_date AND coalesce(m.to_date, 'infinity') >= l.from_date)
RETURNING household_id, person_id
"""


async def apply(tx: Tx, list_id: UUID) -> tuple[int, int, list[UUID]]:
    """Apply a list's good rows: how many memberships started and ended, and everybody whose dues they touch."""
    ended = await tx.rows(_END, list=list_id)
    started = await tx.rows(_START, list=list_id)
    touched = [*started, *ended]
    await tx.execute(
        "UPDATE group_list_row r SET verdict = CASE WHEN coalesce(r.household_id, r.person_id) = ANY(CAST(:ids AS uuid[])) THEN 'APPLIED'"
        " ELSE 'UNCHANGED' END WHERE r.list_id = :list AND r.verdict = 'GOOD'",
        list=list_id,
        ids=[row["household_id"] or row["person_id"] for row in touched],
    )
    rows = await tx.rows(
        "SELECT m.person_id FROM household_member m JOIN group_list l ON l.list_id = :list"
        " WHERE m.household_id = ANY(CAST(:households AS uuid[])) AND coalesce(m.to_date, 'infinity') >= l.from_date - 1",
        list=list_id,
        households=[row["household_id"] for row in touched if row["household_id"] is not None],
    )
    people = {row["person_id"] for row in rows} | {row["person_id"] for row in touched if row["person_id"] is not None}
    return len(started), len(ended), sorted(people)


async def rows_of(tx: Tx, list_id: UUID, verdict: str | None, after: int, limit: int) -> Sequence[Any]:
    """The rows of a list with their verdicts."""
    return await tx.rows(
        "SELECT row_number, code, subject, group_code, action, verdict, reasons FROM group_list_row WHERE list_id = :list"
        " AND row_number > :after AND (CAST(:verdict AS text) IS NULL OR verdict = :verdict) ORDER BY row_number LIMIT :limit",
        list=list_id,
        after=after,
        verdict=verdict,
        limit=limit,
    )
