"""Targets per unit and year: set, change, progress against what is measured, ranking, reminders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, etags
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from reporting.domain.errors import SameEntry, UnknownIndicator
from reporting.domain.indicators import INDICATORS, Kind, group_words
from reporting.domain.months import first_of
from reporting.domain.obstacle import level_words
from reporting.domain.outreach import milestone_words
from reporting.domain.target import counted, met, needed, places
from reporting.storage import entries, reports, targets
from reporting.usecases import papers
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, Deadlines, Measured, MeasuredRow
from reporting.usecases.obstacles import check_unit
from reporting.usecases.reports import Row, unit_for

__all__ = ["change", "one", "progress", "ranking", "reminders", "set_target"]

_TABLE = "target"
_AHEAD: Final = timedelta(days=30)
"""Reminders begin so long before the day."""


def _check_day(year: int, due_on: date) -> None:
    if due_on.year not in (year, year + 1):
        told = f"trong năm {year} hoặc đầu năm sau · within {year}, or early in the next year"
        raise InvalidInput(errors=[{"field": "due_on", "detail": told}])


async def set_target(tx: Tx, actor: Actor, given: Mapping[str, Any]) -> Row:
    """Give a unit a target. Raises UnknownUnit, UnitOutOfScope, UnknownIndicator, InvalidInput, SameEntry."""
    await check_unit(tx, actor, given["unit_path"])
    _check_day(given["year"], given["due_on"])
    known = INDICATORS.get(given["indicator"])
    if known is None or given["programme"] not in known.groups:
        raise UnknownIndicator(errors=[{"field": "programme" if known else "indicator", "detail": "see GET /v1/indicators"}])
    target_id = new_id()
    if not await entries.add(tx, _TABLE, {**given, "target_id": target_id, "set_by": actor.subject}):
        raise SameEntry(f"{given['indicator']} of {given['unit_path']} in {given['year']}")
    detail = {"unit": given["unit_path"], "year": given["year"], "indicator": given["indicator"], "value": str(given["value"])}
    await audit.record(tx, "target.set", _TABLE, target_id, audit.Created(detail))
    return await _view(tx, actor, target_id)


async def change(db: Database, actor: Actor, target_id: UUID, version: int, given: Mapping[str, Any]) -> Row:
    """Another value, day or document, or withdraw it; what stood before is kept. Raises NotFound, PreconditionFailed, InvalidInput."""
    async with db.transaction(actor) as tx:
        row = await entries.find(tx, actor, _TABLE, target_id, lock=True)
        if row is None:
            raise NotFound("No such target")
        etags.check(row["version"], version)
        _check_day(row["year"], given["due_on"])
        await targets.keep_past(tx, target_id)
        await entries.put(tx, _TABLE, target_id, {**given, "set_by": actor.subject})
        await audit.record(tx, "target.changed", _TABLE, target_id, audit.Changed.of(row, given, *given))
        return await _view(tx, actor, target_id)


async def one(db: Database, actor: Actor, target_id: UUID) -> Row:
    """A target with its earlier values. Raises NotFound."""
    async with db.read(actor) as tx:
        return await _view(tx, actor, target_id)


async def _view(tx: Tx, actor: Actor, target_id: UUID) -> Row:
    row = await entries.find(tx, actor, _TABLE, target_id)
    if row is None:
        raise NotFound("No such target")
    names = await reports.unit_names(tx, [row["unit_path"]], row["due_on"])
    kept = [dict(past) for past in await targets.past(tx, target_id)]
    return {**row, "unit_name": names.get(row["unit_path"]), "past": kept}


def _ask(
    unit: str, month: date, day: date, by: Deadlines, codes: frozenset[str], below: Literal["CHILDREN", "COMMUNES"] = "CHILDREN"
) -> Ask:  # fmt: skip
    return Ask(month, month, unit, day, below, decimals=2, due_day=by.due_day, start_by=by.start_by, codes=codes)


async def _measured(
    tx: Tx, unit: str, month: date, day: date, by: Deadlines, rows: Sequence[RowMapping]
) -> dict[tuple[str, str], MeasuredRow]:  # fmt: skip
    """What targets ask for, by (group, unit): the unit itself and its children, and the communes when a target lies deeper."""
    codes = frozenset(row["indicator"] for row in rows)
    answers: list[Measured] = [await measure_in(tx, _ask(unit, month, day, by, codes))]
    if any(row["unit_path"].count("/") > unit.count("/") + 1 for row in rows):
        answers.append(await measure_in(tx, _ask(unit, month, day, by, codes, "COMMUNES")))
    found: dict[tuple[str, str], MeasuredRow] = {}
    for answer in answers:
        found |= {(row.group, unit if row.is_total else row.unit_path): row for row in answer.rows if row.is_total or row.unit_path != unit}
    return found


def _value(row: MeasuredRow, indicator: str) -> Decimal:
    return Decimal(row.rates[indicator]) if INDICATORS[indicator].kind is Kind.RATE else Decimal(row.values[indicator])


def _against(target: RowMapping, row: MeasuredRow | None, day: date) -> Row:
    stands: Row = {**target, "unit_name": None, "measured": None, "is_met": None, "needed": None, "late": False,
                   "days_left": (target["due_on"] - day).days}  # fmt: skip
    reached = None if row is None else met(target["indicator"], row.values, target["value"])
    if row is not None and reached is not None:
        missing = needed(target["indicator"], row.values, target["value"])
        stands |= {"measured": _value(row, target["indicator"]), "is_met": reached, "needed": missing}
    return stands | {"late": not reached and target["due_on"] < day}


async def progress(
    db: Database, actor: Actor, unit_path: str | None, year: int, month: str, day: date, by: Deadlines, *, indicator: str | None,
    programme: str | None,
) -> list[Row]:  # fmt: skip
    """Targets of a unit and below, against what is measured in a month. Raises UnitNeeded, UnitOutOfScope, BadMonth."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        return await _progress(tx, unit, first, day, by, await targets.of_units(tx, unit, year, indicator, programme))


def _month_of(target: RowMapping, first: date) -> date:
    """The month that a target is measured in: the one asked about; of a sum over the year the target's own December, once that is over."""
    december = date(target["year"], 12, 1)
    return min(first, december) if INDICATORS[target["indicator"]].kind is Kind.YEAR else first


async def _progress(tx: Tx, unit: str, first: date, day: date, by: Deadlines, found: Sequence[RowMapping]) -> list[Row]:
    if not found:
        return []
    measured: dict[tuple[date, str, str], MeasuredRow] = {}
    for month in sorted({_month_of(row, first) for row in found}):
        rows = await _measured(tx, unit, month, day, by, [row for row in found if _month_of(row, first) == month])
        measured |= {(month, *key): row for key, row in rows.items()}
    names = await reports.unit_names(tx, sorted({row["unit_path"] for row in found}), first)
    return [
        {
            **_against(row, measured.get((_month_of(row, first), row["programme"], row["unit_path"])), day),
            "unit_name": names.get(row["unit_path"]),
        }
        for row in found
    ]  # fmt: skip


async def ranking(
    db: Database, actor: Actor, unit_path: str | None, month: str, day: date, by: Deadlines, indicator: str, programme: str, *,
    communes: bool,
) -> list[Row]:  # fmt: skip
    """Units below one, best first, with their target of the month's year; who has nobody to count has no rank.

    Raises UnknownIndicator, UnitNeeded, UnitOutOfScope.
    """
    unit, first = unit_for(actor, unit_path), first_of(month)
    known = INDICATORS.get(indicator)
    if known is None or programme not in known.groups:
        raise UnknownIndicator(errors=[{"field": "programme" if known else "indicator", "detail": "see GET /v1/indicators"}])
    async with db.read(actor) as tx:
        wanted_codes = frozenset((indicator, "due_people"))
        answer = await measure_in(tx, _ask(unit, first, day, by, wanted_codes, "COMMUNES" if communes else "CHILDREN"))
        wanted = {row["unit_path"]: row["value"] for row in await targets.of_units(tx, unit, first.year, indicator, programme)}
    below = [row for row in answer.rows if row.group == programme and not row.is_total and row.unit_path != unit]
    rows = {row.unit_path: row for row in below if counted(indicator, row.values)}
    ranked = places([(path, _value(row, indicator)) for path, row in rows.items()], indicator)
    return [
        {
            "rank": rank, "unit_path": path, "unit_name": rows[path].unit_name, "measured": value, "target": wanted.get(path),
            "is_met": met(indicator, rows[path].values, wanted[path]) if path in wanted else None,
            "people_due": rows[path].values["due_people"],
        }
        for rank, path, value in ranked
    ]  # fmt: skip


async def reminders(db: Database, actor: Actor, unit_path: str | None, month: str, day: date, by: Deadlines) -> list[Row]:
    """What is behind or due within thirty days: targets, milestones, obstacles, cycles, statutory reports; the most urgent first.

    A target is told by the day it is due, whatever year it is of; one that was missed until its calendar year is over, thirty days at
    least.
    """
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        near = await targets.due_between(tx, unit, min(date(day.year, 1, 1), day - _AHEAD), day + _AHEAD)
        behind = [row for row in await _progress(tx, unit, first, day, by, near) if not row["is_met"]]
        found = [*_of_targets(behind), *_of_milestones(await targets.late_milestones(tx, unit, day + _AHEAD))]
        found += _of_obstacles(await targets.late_obstacles(tx, unit, day + _AHEAD))
        found += _of_cycles(await targets.late_cycles(tx, unit, day + timedelta(days=7)))
        names = await reports.unit_names(tx, sorted({row["unit_path"] for row in found} | {unit}), day)
    found += _of_reports(unit, await papers.calendar(db, actor, unit, day), day)
    rows = [{**row, "unit_name": names.get(row["unit_path"]), "days_left": (row["due_on"] - day).days} for row in found]
    return sorted(rows, key=lambda row: (row["due_on"], row["kind"], row["unit_path"]))


def _reminder(kind: str, unit_path: str, due_on: date, vi: str, en: str) -> Row:
    return {"kind": kind, "unit_path": unit_path, "due_on": due_on, "vi": vi, "en": en}


def _of_targets(rows: Sequence[Row]) -> list[Row]:
    made = []
    for row in rows:
        words = INDICATORS[row["indicator"]]
        vi, en = ("chưa có số liệu", "not measured") if row["measured"] is None else (row["measured"], row["measured"])
        wanted = f"{row['value'].normalize():f}"
        made.append(_reminder("TARGET", row["unit_path"], row["due_on"], f"{words.vi}: {vi} / {wanted}", f"{words.en}: {en} / {wanted}"))
    return made


def _of_milestones(rows: Sequence[RowMapping]) -> list[Row]:
    words = [(row, milestone_words(row["code"])) for row in rows]
    return [_reminder("MILESTONE", row["unit_path"], row["planned_on"], text.vi, text.en) for row, text in words]


def _of_obstacles(rows: Sequence[RowMapping]) -> list[Row]:
    made = []
    for row in rows:
        level = level_words(row["level"])
        vi, en = f"Vướng mắc chờ {level.vi.lower()}: {row['title']}", f"Obstacle at the {level.en.lower()}: {row['title']}"
        made.append(_reminder("OBSTACLE", row["unit_path"], row["due_on"], vi, en))
    return made


def _of_cycles(rows: Sequence[RowMapping]) -> list[Row]:
    made = []
    for row in rows:
        text = group_words(row["programme"])
        vi, en = ("chưa được duyệt", "is not approved") if row["state"] else ("chưa được lập", "was not opened")
        vi, en = f"Danh sách chi tháng {row['month']:%m/%Y} ({text.vi}) {vi}", f"The list of {row['month']:%Y-%m} ({text.en}) {en}"
        made.append(_reminder("CYCLE", row["unit_path"], row["due_on"], vi, en))
    return made


def _of_reports(unit: str, states: Sequence[papers.DueState], day: date) -> list[Row]:
    """Of each report and step that is not handed over: the one due next, and the last one missed (older ones are in its calendar)."""
    chosen: dict[tuple[str, str, bool], papers.DueState] = {}
    for state in sorted(states, key=lambda state: state.day):
        if state.handed_on is None and state.day <= day + _AHEAD:
            chosen[state.layout.code, state.due.who, state.day < day] = state
    made = []
    for state in chosen.values():
        period = f"{state.period.last:%m/%Y}"
        vi = f"{state.layout.title.vi} – kỳ đến {period} – {state.due.words.vi}"
        en = f"{state.layout.title.en} – period to {period} – {state.due.words.en}"
        made.append(_reminder("REPORT", unit, state.day - timedelta(days=state.due.strict), vi, en))
    return made
