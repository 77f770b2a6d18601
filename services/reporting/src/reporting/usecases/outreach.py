"""The outreach log, and milestones with the day planned and the day reached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, etags
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import Conflict, NotFound
from reporting.domain.errors import DayTooEarly, SameEntry
from reporting.storage import entries, outreach, reports
from reporting.storage.lines import BELOW, below
from reporting.usecases.obstacles import check_unit, named
from reporting.usecases.reports import Row, unit_for

__all__ = ["counted", "log", "page", "plan", "planned", "postpone", "reach", "withdraw"]


async def log(tx: Tx, actor: Actor, given: Mapping[str, Any]) -> Row:
    """Write an activity down. Raises UnknownUnit, UnitOutOfScope."""
    await check_unit(tx, actor, given["unit_path"])
    outreach_id = new_id()
    await entries.add(tx, "outreach", {**given, "outreach_id": outreach_id, "made_by": actor.subject})
    detail = {"unit": given["unit_path"], "kind": given["kind"], "people": given["people"]}
    await audit.record(tx, "outreach.logged", "outreach", outreach_id, audit.Created(detail))
    return await _view(tx, actor, "outreach", outreach_id, given["held_on"])


async def withdraw(db: Database, actor: Actor, outreach_id: UUID, version: int, why: str) -> Row:
    """Take back what was written by mistake; it stays visible, and counts no more. Raises NotFound, PreconditionFailed, Conflict."""
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, "outreach", outreach_id, version)
        if row["withdrawn_by"] is not None:
            raise Conflict("It is withdrawn already")
        values = {"withdrawn_by": actor.subject, "withdrawn_why": why}
        await entries.put(tx, "outreach", outreach_id, values)
        await audit.record(tx, "outreach.withdrawn", "outreach", outreach_id, audit.Changed.of(row, values, *values))
        return await _view(tx, actor, "outreach", outreach_id, row["held_on"])


async def page(
    db: Database, actor: Actor, unit_path: str | None, first: date, last: date, *, kind: str | None, after: UUID | None, limit: int
) -> list[Row]:
    """Activities of a unit and below between two days, oldest entry first; withdrawn ones too."""
    where = f"{BELOW} AND held_on BETWEEN :first AND :last AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
    params = {**below(unit_for(actor, unit_path)), "first": first, "last": last, "kind": kind}
    async with db.read(actor) as tx:
        return await named(tx, await entries.page(tx, actor, "outreach", where=where, params=params, after=after, limit=limit), last)


async def counted(db: Database, actor: Actor, unit_path: str | None, first: date, last: date) -> list[Row]:
    """Sessions, households, people by next lower unit and kind."""
    unit = unit_for(actor, unit_path)
    async with db.read(actor) as tx:
        found = await outreach.by_unit(tx, unit, first, last)
        paths = {f"{unit}/{row['segment']}" if row["segment"] else unit for row in found}
        names = await reports.unit_names(tx, sorted(paths), last)
    rows = []
    for row in found:
        path = f"{unit}/{row['segment']}" if row["segment"] else unit
        kept = {name: row[name] for name in ("entries", "sessions", "people", "households", "registered", "units")}
        rows.append({**kept, "unit_path": path, "unit_name": names.get(path), "is_total": bool(row["all_units"]), "kind": row["kind"]})
    return rows


async def plan(tx: Tx, actor: Actor, given: Mapping[str, Any]) -> Row:
    """Name the day a unit is to reach a milestone. Raises UnknownUnit, UnitOutOfScope, SameEntry."""
    await check_unit(tx, actor, given["unit_path"])
    milestone_id = new_id()
    row = {**given, "milestone_id": milestone_id, "first_planned_on": given["planned_on"], "planned_by": actor.subject}
    if not await entries.add(tx, "milestone", row):
        raise SameEntry(f"{given['code']} of {given['unit_path']} in {given['year']}")
    detail = {"unit": given["unit_path"], "code": given["code"], "planned_on": str(given["planned_on"])}
    await audit.record(tx, "milestone.planned", "milestone", milestone_id, audit.Created(detail))
    return await _view(tx, actor, "milestone", milestone_id, given["planned_on"])


async def postpone(db: Database, actor: Actor, milestone_id: UUID, version: int, planned_on: date, legal_ref: str) -> Row:
    """Another day, with the document that says so; the first one stays known. Raises NotFound, PreconditionFailed, Conflict."""
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, "milestone", milestone_id, version)
        if row["actual_on"] is not None:
            raise Conflict("It is reached")
        values = {"planned_on": planned_on, "legal_ref": legal_ref, "planned_by": actor.subject}
        await entries.put(tx, "milestone", milestone_id, values)
        await audit.record(tx, "milestone.postponed", "milestone", milestone_id, audit.Changed.of(row, values, *values))
        return await _view(tx, actor, "milestone", milestone_id, planned_on)


async def reach(db: Database, actor: Actor, milestone_id: UUID, version: int, *, actual_on: date, evidence: str, day: date) -> Row:
    """Say that it is reached, with what shows it. Raises NotFound, PreconditionFailed, DayTooEarly."""
    async with db.transaction(actor) as tx:
        row = await _locked(tx, actor, "milestone", milestone_id, version)
        if actual_on > day:
            raise DayTooEarly(errors=[{"field": "actual_on", "detail": "this day has not come yet"}])
        values = {"actual_on": actual_on, "evidence": evidence, "actual_by": actor.subject}
        await entries.put(tx, "milestone", milestone_id, values)
        await audit.record(tx, "milestone.reached", "milestone", milestone_id, audit.Changed.of(row, values, *values))
        return await _view(tx, actor, "milestone", milestone_id, actual_on)


async def planned(db: Database, actor: Actor, unit_path: str | None, year: int, code: str | None) -> list[Row]:
    """The milestones of a unit and below."""
    unit = unit_for(actor, unit_path)
    async with db.read(actor) as tx:
        return await named(tx, await outreach.milestone_plan(tx, unit, year, code), date(year, 12, 31))


async def _locked(tx: Tx, actor: Actor, table: str, object_id: UUID, version: int) -> RowMapping:
    row = await entries.find(tx, actor, table, object_id, lock=True)
    if row is None:
        raise NotFound
    etags.check(row["version"], version)
    return row


async def _view(tx: Tx, actor: Actor, table: str, object_id: UUID, day: date) -> Row:
    row = await entries.find(tx, actor, table, object_id)
    if row is None:
        raise NotFound
    return (await named(tx, [row], day))[0]
