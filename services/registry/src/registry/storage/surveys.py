"""Preference surveys: one task per household (or person without one) with everybody who has not answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from registry.storage import search

__all__ = [
    "answer", "assign", "create", "find", "find_task", "page", "people_of", "questions_by_file_code", "sheet", "tasks",
]  # fmt: skip

_SURVEY: Final = (
    "s.survey_id, s.unit_code, s.unit_path, s.title, s.started_on, s.due_on, s.created_by, s.created_at,"
    " (SELECT count(*) FROM survey_task t WHERE t.survey_id = s.survey_id) AS tasks,"
    " (SELECT count(*) FROM survey_task t WHERE t.survey_id = s.survey_id AND t.state = 'DONE') AS tasks_done,"
    " (SELECT count(*) FROM survey_task t WHERE t.survey_id = s.survey_id AND t.assigned_to IS NULL) AS tasks_unassigned,"
    " (SELECT count(*) FROM survey_task t JOIN survey_task_person q USING (task_id) WHERE t.survey_id = s.survey_id) AS people,"
    " (SELECT count(q.preference) FROM survey_task t JOIN survey_task_person q USING (task_id) WHERE t.survey_id = s.survey_id) AS answered"
)
_TASK: Final = (
    "t.task_id, t.survey_id, t.household_id, t.unit_code, t.unit_path, t.hamlet, t.address, t.label, t.assigned_to, t.state, t.version,"
    " t.done_on, s.due_on"
)

# Everybody alive in the unit who has not answered and is not being asked already; the household's people are asked together.
_CREATE: Final = """
WITH asked AS MATERIALIZED (
    SELECT p.person_id, p.full_name, p.unit_code, p.unit_path, p.address, p.hamlet, m.household_id
    FROM person p
    LEFT JOIN preference f USING (person_id)
    LEFT JOIN household_member m ON m.person_id = p.person_id AND m.to_date IS NULL
    WHERE p.is_beneficiary AND p.status = 'ACTIVE' AND p.unit_path ~>=~ :path AND p.unit_path ~<~ :path_end
      AND coalesce(f.preference, 'UNKNOWN') = 'UNKNOWN'
      AND NOT EXISTS (SELECT 1 FROM survey_task_person q WHERE q.person_id = p.person_id AND q.preference IS NULL)
), made AS (
    INSERT INTO survey_task (task_id, survey_id, household_id, unit_code, unit_path, hamlet, address, label)
    SELECT DISTINCT ON (coalesce(a.household_id, a.person_id))
           CAST(md5(CAST(:survey AS text) || '/' || coalesce(a.household_id, a.person_id)) AS uuid), :survey, a.household_id,
           a.unit_code, a.unit_path, coalesce(h.hamlet, a.hamlet), coalesce(h.address, a.address), coalesce(c.full_name, a.full_name)
    FROM asked a LEFT JOIN household h USING (household_id) LEFT JOIN person c ON c.person_id = h.head_id
    ORDER BY coalesce(a.household_id, a.person_id), a.person_id
    RETURNING task_id, household_id
), questions AS (
    INSERT INTO survey_task_person (task_id, person_id)
    SELECT CAST(md5(CAST(:survey AS text) || '/' || coalesce(a.household_id, a.person_id)) AS uuid), a.person_id FROM asked a
    RETURNING person_id
)
SELECT (SELECT count(*) FROM made) AS tasks, (SELECT count(*) FROM questions) AS people
"""


async def create(tx: Tx, survey_id: UUID, unit: Any, title: str, started_on: date, due_on: date, by: str) -> tuple[int, int]:
    """Open a survey of a unit; how many tasks and people."""
    await tx.execute(
        "INSERT INTO survey (survey_id, unit_code, unit_path, title, started_on, due_on, created_by)"
        " VALUES (:id, :unit, :path, :title, :started, :due, :by)",
        id=survey_id, unit=unit["code"], path=unit["path"], title=title, started=started_on, due=due_on, by=by,
    )  # fmt: skip
    # A statement that writes two linked tables sees neither: the link is checked at its end.
    row = await tx.row(_CREATE, survey=survey_id, path=unit["path"], path_end=unit["path"] + "0")
    return (row["tasks"], row["people"]) if row else (0, 0)


async def find(tx: Tx, survey_id: UUID) -> Any | None:
    """One survey with its progress."""
    return await tx.row(f"SELECT {_SURVEY} FROM survey s WHERE s.survey_id = :id", id=survey_id)


async def page(tx: Tx, actor: Actor, after: UUID | None, limit: int) -> Sequence[Any]:
    """Surveys in the actor's scope."""
    conditions, params = search.inside(search.areas(actor, None), "s.unit_path")
    if after is not None:
        conditions.append("s.survey_id > :after")
        params["after"] = after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return await tx.rows(f"SELECT {_SURVEY} FROM survey s{where} ORDER BY s.survey_id LIMIT :limit", limit=limit, **params)


async def tasks(
    tx: Tx, actor: Actor, *, survey_id: UUID | None, assigned_to: str | None, state: str | None, hamlet: str | None, unit_path: str | None,
    after: UUID | None, limit: int,
) -> Sequence[Any]:  # fmt: skip
    """Tasks in the actor's scope, in the order of their ids."""
    conditions, params = search.inside(search.areas(actor, unit_path), "t.unit_path")
    for column, value in (("survey_id", survey_id), ("assigned_to", assigned_to), ("state", state), ("hamlet", hamlet)):
        if value is not None:
            conditions.append(f"t.{column} = :{column}")
            params[column] = value
    if after is not None:
        conditions.append("t.task_id > :after")
        params["after"] = after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return await tx.rows(
        f"SELECT {_TASK} FROM survey_task t JOIN survey s USING (survey_id){where} ORDER BY t.task_id LIMIT :limit", limit=limit, **params
    )


async def find_task(tx: Tx, task_id: UUID, *, lock: bool = False) -> Any | None:
    """One task."""
    return await tx.row(
        f"SELECT {_TASK} FROM survey_task t JOIN survey s USING (survey_id) WHERE t.task_id = :id" + (" FOR UPDATE OF t" if lock else ""),
        id=task_id,
    )


async def people_of(tx: Tx, task_ids: Sequence[UUID]) -> Sequence[Any]:
    """Who is asked in these tasks: what an officer at the door needs, no number, no allowance."""
    return await tx.rows(
        "SELECT q.task_id, q.person_id, p.full_name, p.birth_date, p.sex, p.masked_phone, q.preference, q.evidence, q.answered_on"
        " FROM survey_task_person q JOIN person p USING (person_id) WHERE q.task_id = ANY(CAST(:ids AS uuid[]))"
        " ORDER BY q.task_id, q.person_id",
        ids=list(task_ids),
    )


async def assign(
    tx: Tx, survey_id: UUID, officer: str, *, task_ids: Sequence[UUID] | None, hamlet: str | None, unit_path: str | None
) -> Sequence[Any]:
    """Give open tasks to an officer: those named, those of a hamlet or unit, or all that nobody has; the tasks, and whose each `was`."""
    return await tx.rows(
        "UPDATE survey_task SET assigned_to = :officer, version = version + 1 WHERE survey_id = :survey AND state = 'OPEN'"
        " AND assigned_to IS DISTINCT FROM :officer"
        " AND (CAST(:ids AS uuid[]) IS NULL OR task_id = ANY(CAST(:ids AS uuid[])))"
        " AND (CAST(:ids AS uuid[]) IS NOT NULL OR CAST(:hamlet AS text) IS NOT NULL OR CAST(:path AS text) IS NOT NULL"
        "      OR assigned_to IS NULL)"
        " AND (CAST(:hamlet AS text) IS NULL OR hamlet = :hamlet)"
        " AND (CAST(:path AS text) IS NULL OR unit_path = :path OR starts_with(unit_path, CAST(:path AS text) || '/'))"
        " RETURNING task_id, old.assigned_to AS was",
        survey=survey_id,
        officer=officer,
        ids=None if task_ids is None else list(task_ids),
        hamlet=hamlet,
        path=unit_path,
    )


async def answer(
    tx: Tx, survey_id: UUID, people: Sequence[UUID], answers: Sequence[str], evidence: Sequence[str | None], days: Sequence[date], by: str
) -> int:
    """Write answers into the survey's questions; tasks whose every question is answered are done. How many questions."""
    given = {"survey": survey_id, "people": list(people)}
    count = await tx.execute(
        "UPDATE survey_task_person q SET preference = x.preference, evidence = x.evidence, answered_on = x.day, answered_by = :by"
        " FROM unnest(CAST(:people AS uuid[]), CAST(:answers AS text[]), CAST(:evidence AS text[]), CAST(:days AS date[]))"
        "   AS x(person_id, preference, evidence, day), survey_task t"
        " WHERE q.person_id = x.person_id AND t.task_id = q.task_id AND t.survey_id = :survey",
        answers=list(answers), evidence=list(evidence), days=list(days), by=by, **given,
    )  # fmt: skip
    await tx.execute(
        "UPDATE survey_task t SET version = t.version + 1, state = CASE WHEN open.n = 0 THEN 'DONE' ELSE 'OPEN' END,"
        " done_on = CASE WHEN open.n = 0 THEN open.day END"
        " FROM (SELECT q.task_id, count(*) FILTER (WHERE q.preference IS NULL) AS n, max(q.answered_on) AS day"
        "       FROM survey_task_person q WHERE q.task_id IN (SELECT k.task_id FROM survey_task_person k JOIN survey_task u USING (task_id)"
        "         WHERE u.survey_id = :survey AND k.person_id = ANY(CAST(:people AS uuid[]))) GROUP BY q.task_id) open"
        " WHERE t.task_id = open.task_id",
        **given,
    )
    return count


async def questions_by_file_code(tx: Tx, survey_id: UUID, codes: Sequence[str]) -> dict[str, UUID]:
    """Dossier code → person, for those whom the survey asks."""
    rows = await tx.rows(
        "SELECT p.file_code, p.person_id FROM person p WHERE p.file_code = ANY(CAST(:codes AS text[])) AND EXISTS ("
        " SELECT 1 FROM survey_task_person q JOIN survey_task t USING (task_id) WHERE q.person_id = p.person_id AND t.survey_id = :survey)",
        codes=list(codes),
        survey=survey_id,
    )
    return {row["file_code"]: row["person_id"] for row in rows}


async def sheet(tx: Tx, survey_id: UUID, hamlet: str | None, unit_path: str | None, limit: int) -> Sequence[Any]:
    """The open questions of a survey for a printed sheet, by unit, hamlet and household."""
    return await tx.rows(
        "SELECT t.unit_code, u.name AS unit_name, t.hamlet, t.label, t.address, p.full_name, p.birth_date, p.file_code, t.assigned_to"
        " FROM survey_task t JOIN survey_task_person q USING (task_id) JOIN person p USING (person_id) JOIN survey s USING (survey_id)"
        " LEFT JOIN administrative_unit u ON u.code = t.unit_code AND u.valid_from <= s.started_on"
        "   AND coalesce(u.valid_to, 'infinity') >= s.started_on"
        " WHERE t.survey_id = :survey AND q.preference IS NULL AND (CAST(:hamlet AS text) IS NULL OR t.hamlet = :hamlet)"
        " AND (CAST(:path AS text) IS NULL OR t.unit_path = :path OR starts_with(t.unit_path, CAST(:path AS text) || '/'))"
        " ORDER BY t.unit_path USING ~<~, t.hamlet NULLS LAST, t.label, t.task_id, p.person_id LIMIT :limit",
        survey=survey_id,
        hamlet=hamlet,
        path=unit_path,
        limit=limit,
    )
