"""Targets per unit and year: set, change, progress against what is measured, ranking, reminders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
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
from reporting.domain.target import met, needed, places
from reporting.storage import entries, reports, targets
from reporting.usecases import papers
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, Measured, MeasuredRow
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
    await audit.record(tx, "target.set", _TABLE, target_id, detail)
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
        detail = {"from": str(row["value"]), "to": str(given["value"]), "due_on": str(given["due_on"]), "withdrawn": given["withdrawn"]}
        await audit.record(tx, "target.changed", _TABLE, target_id, detail)
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


async def _measured(
    tx: Tx, unit: str, month: date, day: date, paths: set[str], codes: frozenset[str]
) -> dict[tuple[str, str], MeasuredRow]:
    """Rows by (group, unit): the unit itself and its children, and the communes when a path lies deeper."""
    answers: list[Measured] = [await measure_in(tx, Ask(month, month, unit, day, "CHILDREN", decimals=2, codes=codes))]
    if any(path.count("/") > unit.count("/") + 1 for path in paths):
        answers.append(await measure_in(tx, Ask(month, month, unit, day, "COMMUNES", decimals=2, codes=codes)))
    found: dict[tuple[str, str], MeasuredRow] = {}
    for answer in answers:
        found |= {(row.group, unit if row.is_total else row.unit_path): row for row in answer.rows if row.is_total or row.unit_path != unit}
    return found


def _value(row: MeasuredRow, indicator: str) -> Decimal:
    return Decimal(row.rates[indicator]) if INDICATORS[indicator].kind is Kind.RATE else Decimal(row.values[indicator])


def _against(target: RowMapping, found: dict[tuple[str, str], MeasuredRow], day: date) -> Row:
    row = found.get((target["programme"], target["unit_path"]))
    stands: Row = {**target, "unit_name": None, "measured": None, "is_met": None, "needed": None, "late": False,
                   "days_left": (target["due_on"] - day).days}  # fmt: skip
    if row is not None:
        value = _value(row, target["indicator"])
        reached = met(target["indicator"], value, target["value"])
        missing = 0 if reached else needed(target["indicator"], dict(row.values), target["value"])
        stands |= {"measured": value, "is_met": reached, "needed": missing, "late": not reached and target["due_on"] < day}
    return stands


async def progress(
    db: Database, actor: Actor, unit_path: str | None, year: int, month: str, day: date, *, indicator: str | None, programme: str | None
) -> list[Row]:
    """Targets of a unit and below, against what is measured in a month. Raises UnitNeeded, UnitOutOfScope, BadMonth."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        return await _progress(tx, unit, year, first, day, indicator, programme)


async def _progress(
    tx: Tx, unit: str, year: int, first: date, day: date, indicator: str | None = None, programme: str | None = None
) -> list[Row]:  # fmt: skip
    found = await targets.of_units(tx, unit, year, indicator, programme)
    if not found:
        return []
    paths = {row["unit_path"] for row in found}
    measured = await _measured(tx, unit, first, day, paths, frozenset(row["indicator"] for row in found))
    names = await reports.unit_names(tx, sorted(paths), first)
    return [{**_against(row, measured, day), "unit_name": names.get(row["unit_path"])} for row in found]


async def ranking(
    db: Database, actor: Actor, unit_path: str | None, month: str, day: date, indicator: str, programme: str, *, communes: bool
) -> list[Row]:
    """Units below one, best first, with their target of the month's year. Raises UnknownIndicator, UnitNeeded, UnitOutOfScope."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    known = INDICATORS.get(indicator)
    if known is None or programme not in known.groups:
        raise UnknownIndicator(errors=[{"field": "programme" if known else "indicator", "detail": "see GET /v1/indicators"}])
    async with db.read(actor) as tx:
        wanted_codes = frozenset((indicator, "due_people"))
        ask = Ask(first, first, unit, day, "COMMUNES" if communes else "CHILDREN", decimals=2, codes=wanted_codes)
        answer = await measure_in(tx, ask)
        wanted = {row["unit_path"]: row["value"] for row in await targets.of_units(tx, unit, first.year, indicator, programme)}
    rows = {row.unit_path: row for row in answer.rows if row.group == programme and not row.is_total and row.unit_path != unit}
    ranked = places([(path, _value(row, indicator)) for path, row in rows.items()], indicator)
    return [
        {
            "rank": rank, "unit_path": path, "unit_name": rows[path].unit_name, "measured": value, "target": wanted.get(path),
            "is_met": met(indicator, value, wanted[path]) if path in wanted else None, "people_due": rows[path].values["due_people"],
        }
        for rank, path, value in ranked
    ]  # fmt: skip


async def reminders(db: Database, actor: Actor, unit_path: str | None, month: str, day: date) -> list[Row]:
    """What is behind or due within thirty days: targets, milestones, obstacles, cycles, statutory reports; the most urgent first."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        behind = [
            row for row in await _progress(tx, unit, day.year, first, day) if row["is_met"] is False and row["due_on"] <= day + _AHEAD
        ]
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
        numbers = f"{row['measured']} / {row['value'].normalize():f}"
        made.append(_reminder("TARGET", row["unit_path"], row["due_on"], f"{words.vi}: {numbers}", f"{words.en}: {numbers}"))
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
    words = [(row, group_words(row["programme"])) for row in rows]
    return [
        _reminder(
            "CYCLE", row["unit_path"], row["due_on"], f"Danh sách chi tháng {row['month']:%m/%Y} ({text.vi}) chưa được duyệt",
            f"The list of {row['month']:%Y-%m} ({text.en}) is not approved",
        )
        for row, text in words
    ]  # fmt: skip


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
