"""Raise, pass on, answer, close an obstacle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, etags
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from reporting.domain.errors import DayTooEarly, SelfConfirmed, UnknownUnit
from reporting.domain.obstacle import Action, Level, State, level_above, move, must_answer
from reporting.storage import entries, obstacles, reports
from reporting.usecases.reports import Row, unit_for

__all__ = ["answer", "close", "escalate", "every", "one", "page", "raise_obstacle", "summary"]

_TABLE = "obstacle"


async def check_unit(tx: Tx, actor: Actor, unit_path: str) -> None:
    """Raises UnitOutOfScope for a unit that is not the actor's, UnknownUnit for one nobody told us of."""
    unit_for(actor, unit_path)
    if not await entries.unit_known(tx, unit_path):
        raise UnknownUnit(errors=[{"field": "unit_path", "detail": unit_path}])


async def raise_obstacle(tx: Tx, actor: Actor, given: Mapping[str, Any], days: Mapping[str, int]) -> Row:
    """Write down what stands in the way. Raises UnknownUnit, UnitOutOfScope, InvalidInput."""
    await check_unit(tx, actor, given["unit_path"])
    if given["level"] == Level.MINISTRY and not given["addressed_to"]:
        raise InvalidInput(errors=[{"field": "addressed_to", "detail": "say which ministry"}])
    obstacle_id = new_id()
    day = given["raised_on"]
    row = {**given, "obstacle_id": obstacle_id, "raised_by": actor.subject, "level_since": day,
           "due_on": day + timedelta(days=days[given["level"]])}  # fmt: skip
    await entries.add(tx, _TABLE, row)
    await obstacles.step(tx, obstacle_id, "RAISE", given["title"], day)
    told = {"unit": given["unit_path"], "category": given["category"], "level": given["level"], "due_on": row["due_on"]}
    await audit.record(tx, "obstacle.raised", _TABLE, obstacle_id, audit.Created(told))
    return await view(tx, actor, obstacle_id)


async def _locked(tx: Tx, actor: Actor, obstacle_id: UUID, version: int, day: date) -> RowMapping:
    row = await entries.find(tx, actor, _TABLE, obstacle_id, lock=True)
    if row is None:
        raise NotFound("No such obstacle")
    etags.check(row["version"], version)
    if day < max(row["level_since"], row["answered_on"] or row["level_since"]):
        raise DayTooEarly(errors=[{"field": "business_date", "detail": "not before the last step"}])
    return row


async def _moved(tx: Tx, actor: Actor, row: RowMapping, action: Action, note: str, day: date, **values: Any) -> Row:
    obstacle_id: UUID = row["obstacle_id"]
    after = {"state": move(row["state"], action).value, **values}
    await entries.put(tx, _TABLE, obstacle_id, after)
    await obstacles.step(tx, obstacle_id, action.value, note, day)
    told = sorted({"level", *after} - {"answer"})  # what was answered stands with the steps
    await audit.record(tx, f"obstacle.{action.value.lower()}", _TABLE, obstacle_id, audit.Changed.of(row, after, *told))
    return await view(tx, actor, obstacle_id)


async def escalate(
    db: Database, actor: Actor, obstacle_id: UUID, version: int, *, note: str, addressed_to: str | None, day: date, days: Mapping[str, int]
) -> Row:
    """Pass it to the level above. Raises NotFound, PreconditionFailed, NotYourLevel, NoLevelAbove, ObstacleState, InvalidInput."""
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, obstacle_id, version, day)
        must_answer(actor.roles, row["level"])
        level = level_above(row["level"], day)
        if level == Level.MINISTRY and not addressed_to:
            raise InvalidInput(errors=[{"field": "addressed_to", "detail": "say which ministry"}])
        due = day + timedelta(days=days[level])
        values = {"level": level.value, "level_since": day, "due_on": due, "addressed_to": addressed_to}
        return await _moved(tx, actor, row, Action.ESCALATE, note, day, **values)


async def answer(db: Database, actor: Actor, obstacle_id: UUID, version: int, *, text: str, document: str | None, day: date) -> Row:
    """Answer it; a ministry's answer needs its document. Raises NotFound, PreconditionFailed, NotYourLevel, ObstacleState, InvalidInput."""
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, obstacle_id, version, day)
        must_answer(actor.roles, row["level"])
        if row["level"] == Level.MINISTRY and not document:
            raise InvalidInput(errors=[{"field": "document", "detail": "number and date of the ministry's document"}])
        values = {"answer": text, "answer_document": document, "answered_by": actor.subject, "answered_on": day}
        return await _moved(tx, actor, row, Action.ANSWER, text, day, **values)


async def close(
    db: Database, actor: Actor, obstacle_id: UUID, version: int, *, note: str, helped: bool, day: date, days: Mapping[str, int]
) -> Row:
    """The unit's word: it helped (closed), or it did not (open again at the same level, with new days): never of who answered.

    Raises NotFound, PreconditionFailed, ObstacleState, SelfConfirmed.
    """
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, obstacle_id, version, day)
        if row["state"] == State.ANSWERED and row["answered_by"] == actor.subject:
            raise SelfConfirmed("Who answered it does not say whether it helped")
        if helped:
            return await _moved(tx, actor, row, Action.CLOSE, note, day, closed_by=actor.subject, closed_on=day)
        again = {"answer": None, "answer_document": None, "answered_by": None, "answered_on": None, "level_since": day,
                 "due_on": day + timedelta(days=days[row["level"]])}  # fmt: skip
        return await _moved(tx, actor, row, Action.REOPEN, note, day, **again)


async def view(tx: Tx, actor: Actor, obstacle_id: UUID) -> Row:
    """One with its steps and its unit's name. Raises NotFound."""
    row = await entries.find(tx, actor, _TABLE, obstacle_id)
    if row is None:
        raise NotFound("No such obstacle")
    names = await reports.unit_names(tx, [row["unit_path"]], row["raised_on"])
    done = [dict(step) for step in await obstacles.steps(tx, obstacle_id)]
    return {**row, "unit_name": names.get(row["unit_path"]), "steps": done}


async def one(db: Database, actor: Actor, obstacle_id: UUID) -> Row:
    """One with its steps. Raises NotFound."""
    async with db.read(actor) as tx:
        return await view(tx, actor, obstacle_id)


async def named(tx: Tx, rows: Sequence[RowMapping], day: date) -> list[Row]:
    """Rows with the names of their units as of a day."""
    names = await reports.unit_names(tx, sorted({row["unit_path"] for row in rows}), day)
    return [{**row, "unit_name": names.get(row["unit_path"])} for row in rows]


async def page(
    db: Database, actor: Actor, unit_path: str | None, *, day: date, overdue: bool, chosen: dict[str, Any], after: UUID | None, limit: int
) -> list[Row]:
    """Obstacles of a unit and below, oldest first."""
    where, params = obstacles.filtered(unit_for(actor, unit_path), day=day, overdue=overdue, chosen=chosen)
    async with db.read(actor) as tx:
        return await named(tx, await entries.page(tx, actor, _TABLE, where=where, params=params, after=after, limit=limit), day)


async def every(db: Database, actor: Actor, unit_path: str | None, *, day: date, chosen: dict[str, Any]) -> AsyncIterator[Row]:
    """All of them, for a file; in pages, so that memory stays flat."""
    after, size = None, 500
    while True:
        rows = await page(db, actor, unit_path, day=day, overdue=False, chosen=chosen, after=after, limit=size)
        for row in rows:
            yield row
        if len(rows) < size:
            return
        after = rows[-1]["obstacle_id"]


async def summary(db: Database, actor: Actor, unit_path: str | None, day: date) -> list[Row]:
    """Counts by category, level and state with age groups, as of a day."""
    unit = unit_for(actor, unit_path)
    async with db.read(actor) as tx:
        return [dict(row) for row in await obstacles.summary(tx, unit, day)]
