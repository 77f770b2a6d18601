"""Preference surveys: opened for a unit, given to officers, answered at the door or by file; voluntary throughout (R06, R49, R50)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Conflict, InvalidInput, NotFound, PreconditionFailed
from common.tabular import BrokenFile, read_rows
from registry.domain.errors import FileRefused, UnknownUnit
from registry.domain.reasons import Reason, reason
from registry.domain.survey_rows import COLUMNS, AnswerRow, needs_evidence, read_row
from registry.storage import catalogue, history, surveys
from registry.storage.publishing import take_people_lock
from registry.usecases import preferences

__all__ = [
    "DoorAnswer",
    "FileResult",
    "RowVerdict",
    "answer_task",
    "assign",
    "open_survey",
    "read_file",
    "seen",
    "take_results",
    "task_seen",
]


@dataclass(frozen=True, slots=True)
class DoorAnswer:
    """What one person said at the door."""

    person_id: UUID
    preference: str
    evidence: str | None


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of one row of a results file."""

    row_number: int
    file_code: str
    verdict: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a results file."""

    answered: int
    unanswered: int
    refused: int
    rows: Sequence[RowVerdict]


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def seen(tx: Tx, survey_id: UUID) -> Any:
    """The survey, if its unit is in the caller's area or the caller's area lies in its unit; else 404."""
    row = await surveys.find(tx, survey_id)
    actor = _actor(tx)
    inside = row is not None and (actor.sees(row["unit_path"]) or any(path.startswith(row["unit_path"] + "/") for path in actor.unit_paths))
    if not inside:
        raise NotFound("No such survey")
    return row


async def task_seen(tx: Tx, task_id: UUID, *, lock: bool = False) -> Any:
    """The task, if in the caller's area; else 404."""
    row = await surveys.find_task(tx, task_id, lock=lock)
    if row is None or not _actor(tx).sees(row["unit_path"]):
        raise NotFound("No such task")
    return row


async def open_survey(tx: Tx, unit_code: str, title: str, business_date: date, due_on: date) -> dict[str, Any]:
    """Open a survey of everybody in a unit who has not answered, a task per household."""
    if due_on < business_date:
        raise InvalidInput(errors=[{"field": "due_on", "detail": "before the business date"}])
    unit = await catalogue.unit_of(tx, unit_code, business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
    if not _actor(tx).sees(unit["path"]):
        raise NotFound("No such unit in your area")
    await take_people_lock(tx)
    survey_id = new_id()
    tasks, people = await surveys.create(tx, survey_id, unit, title, business_date, due_on, _actor(tx).subject)
    await audit.record(tx, "survey.open", "survey", survey_id, audit.Created({"unit": unit["path"], "tasks": tasks, "people": people}))
    return {"survey_id": survey_id, "tasks": tasks, "people": people}


async def assign(
    db: Database, actor: Actor, survey_id: UUID, officer: str, task_ids: Sequence[UUID] | None, hamlet: str | None, unit_path: str | None
) -> int:
    """Give open tasks to an officer; how many were given."""
    async with db.transaction(actor) as tx:
        survey = await seen(tx, survey_id)
        if unit_path is None and not actor.sees(survey["unit_path"]):
            raise InvalidInput(errors=[{"field": "unit_path", "detail": "name a unit of your area"}])
        if unit_path is not None and not actor.sees(unit_path):
            raise NotFound("No such unit in your area")
        given = await surveys.assign(tx, survey_id, officer, task_ids=task_ids, hamlet=hamlet, unit_path=unit_path)
        before = dict(Counter(str(row["was"]) for row in given))
        what = audit.Bulk.of((row["task_id"] for row in given), before={"officer": before}, after={"officer": officer})
        await audit.record(tx, "survey.assign", "survey", survey_id, what)
        return len(given)


async def answer_task(
    db: Database, actor: Actor, task_id: UUID, version: int, answers: Sequence[DoorAnswer], answered_on: date, business_date: date
) -> Any:
    """Record what a household said. Raises NotFound, PreconditionFailed, InvalidInput."""
    if answered_on > business_date:
        raise InvalidInput(errors=[{"field": "answered_on", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    async with db.transaction(actor) as tx:
        await take_people_lock(tx)
        await history.dated(tx, business_date, answered_on)
        task = await task_seen(tx, task_id, lock=True)
        if task["version"] != version:
            raise PreconditionFailed(f"version {task['version']} is current")
        asked = {row["person_id"] for row in await surveys.people_of(tx, [task_id])}
        wrong: list[Mapping[str, Any]] = []
        for number, item in enumerate(answers):
            if item.person_id not in asked:
                wrong.append({"field": f"answers.{number}.beneficiary_id"} | _text("NOT_ASKED"))
            if needs_evidence(item.preference, item.evidence):
                wrong.append({"field": f"answers.{number}.evidence"} | _text("EVIDENCE_NEEDED"))
        if len({item.person_id for item in answers}) != len(answers):
            wrong.append({"field": "answers", "detail": "somebody is named twice"})
        if wrong:
            raise InvalidInput(errors=wrong)
        await _record(
            tx, task["survey_id"], [(item.person_id, item.preference, item.evidence, answered_on) for item in answers], business_date
        )
        now = await task_seen(tx, task_id)
        who = {"answers": len(answers), "digest": audit.digest(item.person_id for item in answers), "on": answered_on}
        await audit.record(tx, "survey.answer", "survey-task", task_id, audit.Changed.of(task, now, "state", "version", **who))
        return now


def _text(code: str) -> dict[str, str]:
    found = reason(code, "")
    return {"code": code, "detail": found.en, "detail_vi": found.vi}


async def _record(tx: Tx, survey_id: UUID, given: Sequence[tuple[UUID, str, str | None, date]], business_date: date) -> None:
    """Answers into the survey and, where they say something new, into the register, published."""
    await surveys.answer(
        tx, survey_id, [item[0] for item in given], [item[1] for item in given], [item[2] for item in given], [item[3] for item in given],
        _actor(tx).subject,
    )  # fmt: skip
    answers = [preferences.Answer(person_id, preference, day, evidence) for person_id, preference, evidence, day in given]
    await preferences.record(tx, answers, "SURVEY", business_date)


def read_file(content: bytes, file_name: str, business_date: date) -> list[tuple[int, AnswerRow]]:
    """The rows of a filled-in list. Raises FileRefused with the reason when there is no list to read."""
    try:
        return [(row.number, read_row(row.values, business_date)) for row in read_rows(content, file_name, COLUMNS).rows]
    except BrokenFile as error:
        raise FileRefused(str(error)) from error


async def take_results(tx: Tx, survey_id: UUID, rows: Sequence[tuple[int, AnswerRow]], business_date: date) -> FileResult:
    """Take a results file: good rows are recorded, the others answered with their reasons; rows left empty stay asked."""
    await take_people_lock(tx)
    await history.dated(tx, business_date)
    survey = await seen(tx, survey_id)
    if not _actor(tx).sees(survey["unit_path"]):
        raise NotFound("No such survey in your area")
    if not rows:
        raise Conflict("The list has a header but no rows")
    asked = await surveys.questions_by_file_code(tx, survey_id, [row.file_code for _, row in rows])
    verdicts: list[RowVerdict] = []
    given: dict[UUID, tuple[UUID, str, str | None, date]] = {}
    first: dict[str, int] = {}
    for number, row in rows:
        reasons = list(row.reasons)
        person_id = asked.get(row.file_code)
        if row.file_code and person_id is None:
            reasons.append(reason("NOT_ASKED", "file_code"))
        elif row.file_code in first:
            reasons.append(reason("DUPLICATE_SUBJECT", "file_code"))
        first.setdefault(row.file_code, number)
        if reasons or person_id is None:
            verdicts.append(RowVerdict(number, row.file_code, "REFUSED", tuple(reasons)))
        elif not row.preference:
            verdicts.append(RowVerdict(number, row.file_code, "UNANSWERED"))
        else:
            given[person_id] = (person_id, row.preference, row.evidence, row.answered_on)
            verdicts.append(RowVerdict(number, row.file_code, "ANSWERED"))
    await _record(tx, survey_id, list(given.values()), business_date)
    counts = {name: sum(item.verdict == name for item in verdicts) for name in ("ANSWERED", "UNANSWERED", "REFUSED")}
    what = audit.Bulk.of(given, results={name.lower(): count for name, count in counts.items()})
    await audit.record(tx, "survey.results", "survey", survey_id, what)
    return FileResult(counts["ANSWERED"], counts["UNANSWERED"], counts["REFUSED"], verdicts)
