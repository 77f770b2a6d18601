"""Dates of death told by the population database that differ from the register's: kept until a person has answered them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["any_open", "close", "corrected", "find", "page", "tell"]

# A death told of a file that was merged is told of the file it went into. A death without its day (`certain` false) came no later
# than the day of the check: it contradicts only a later date.
_TOLD: Final = """
WITH RECURSIVE told AS (
    SELECT x.person_id, x.died, x.certain
    FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[]), CAST(:certain AS boolean[])) AS x(person_id, died, certain)
    UNION SELECT m.merged_into, t.died, t.certain FROM told t JOIN person m USING (person_id) WHERE m.merged_into IS NOT NULL
)
"""

# What the database no longer says needs no answer.
_LAPSE: Final = f"""
{_TOLD}
UPDATE death_difference d SET state = 'LAPSED', answered_by = :by, answered_at = now(), version = d.version + 1
WHERE d.state = 'OPEN' AND EXISTS (SELECT FROM told t WHERE t.person_id = d.person_id AND t.certain)
  AND NOT EXISTS (SELECT FROM told t WHERE t.person_id = d.person_id AND t.died = d.told_date)
"""

_OPEN: Final = f"""
{_TOLD}
INSERT INTO death_difference AS d (person_id, told_date, told_on, source)
SELECT DISTINCT p.person_id, t.died, CAST(:day AS date), 'POPULATION_DATABASE'
FROM told t JOIN person p USING (person_id)
WHERE p.is_beneficiary AND p.merged_into IS NULL AND p.status = 'DECEASED'
  AND (p.death_date > t.died OR t.certain AND p.death_date < t.died)
ON CONFLICT (person_id, told_date) DO UPDATE SET state = 'OPEN', told_on = excluded.told_on, kept_date = NULL, answer = NULL,
    answered_by = NULL, answered_at = NULL, version = d.version + 1
WHERE d.state IN ('CORRECTED', 'LAPSED')
   OR d.state = 'KEPT' AND d.kept_date <> (SELECT p.death_date FROM person p WHERE p.person_id = d.person_id)
RETURNING d.person_id, d.told_date, (SELECT p.death_date FROM person p WHERE p.person_id = d.person_id) AS recorded_date
"""

_VIEW: Final = """
SELECT d.difference_id, d.person_id AS beneficiary_id, p.file_code, p.full_name, p.unit_path, p.death_date AS recorded_date, d.told_date,
       d.told_on, d.source, d.state, d.kept_date, d.answer AS reason, d.answered_by, d.answered_at,
       (SELECT r.request_id FROM change_request r WHERE r.person_id = d.person_id AND r.kind = 'DEATH' AND r.state = 'PENDING')
           AS request_id
FROM death_difference d JOIN person p USING (person_id)
"""


async def tell(tx: Tx, told: Sequence[tuple[UUID, date, bool]], business_date: date, by: str) -> Sequence[Any]:
    """Keep what the database tells of these people (person, day, whether the day is certain); the differences that now wait."""
    given = {"ids": [item[0] for item in told], "days": [item[1] for item in told], "certain": [item[2] for item in told]}
    await tx.execute(_LAPSE, by=by, **given)
    return await tx.rows(_OPEN, day=business_date, **given)


async def find(tx: Tx, difference_id: UUID, *, lock: bool = False) -> Any | None:
    """One difference beside the date the register has now, or None."""
    return await tx.row(f"{_VIEW} WHERE d.difference_id = :id" + (" FOR UPDATE OF d" if lock else ""), id=difference_id)


async def page(tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None, person_id: UUID | None) -> Sequence[Any]:
    """Differences about people of the actor's area, in the order they were first told."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.rows(
        f"{_VIEW} WHERE {scope} AND (CAST(:state AS text) IS NULL OR d.state = :state)"
        " AND (CAST(:person AS uuid) IS NULL OR d.person_id = :person) AND (CAST(:after AS uuid) IS NULL OR d.difference_id > :after)"
        " ORDER BY d.difference_id LIMIT :limit",
        state=state, person=person_id, after=after, limit=limit, **params,
    )  # fmt: skip


async def close(tx: Tx, difference_id: UUID, kept: date, why: str, by: str) -> None:
    """Write that the register's date stands against this one."""
    await tx.execute(
        "UPDATE death_difference SET state = 'KEPT', kept_date = :kept, answer = :why, answered_by = :by, answered_at = now(),"
        " version = version + 1 WHERE difference_id = :id",
        id=difference_id,
        kept=kept,
        why=why,
        by=by,
    )


async def corrected(tx: Tx, person_id: UUID, died: date, replaced: date | None, why: str, by: str) -> None:
    """Two people have set this date: what told of it is settled. `replaced`: the database's own date that it stands against."""
    await tx.execute(
        "UPDATE death_difference SET state = 'CORRECTED', answer = :why, answered_by = :by, answered_at = now(), version = version + 1"
        " WHERE person_id = :id AND told_date = :died AND state = 'OPEN'",
        id=person_id,
        died=died,
        why=why,
        by=by,
    )
    if replaced is not None:
        await tx.execute(
            "INSERT INTO death_difference AS d (person_id, told_date, told_on, source, state, kept_date, answer, answered_by, answered_at)"
            " SELECT :id, CAST(:replaced AS date), coalesce((SELECT max(business_date) FROM life_event WHERE person_id = :id"
            "  AND kind = 'DEATH' AND event_date = :replaced), :replaced), 'POPULATION_DATABASE', 'KEPT', :died, :why, :by, now()"
            " ON CONFLICT (person_id, told_date) DO UPDATE SET state = 'KEPT', kept_date = excluded.kept_date, answer = excluded.answer,"
            " answered_by = excluded.answered_by, answered_at = now(), version = d.version + 1",
            id=person_id,
            replaced=replaced,
            died=died,
            why=why,
            by=by,
        )


async def any_open(tx: Tx, person_ids: Sequence[UUID]) -> bool:
    """Whether the date of death of one of these people waits for an answer."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM death_difference WHERE person_id = ANY(CAST(:ids AS uuid[])) AND state = 'OPEN')",
            ids=list(person_ids),
        )
    )
