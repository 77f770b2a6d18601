"""The cells of a statutory report from the read models, in the caller's transaction: by its layout, period, unit and day of the tree."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.errors import UnknownUnit
from reporting.domain.indicators import ALL, EACH_ONCE, INDICATORS, RATES, Kind
from reporting.domain.rates import rate_text
from reporting.domain.statutory import RECOVERY_FIGURES, Column, ColumnKind, Layout, Period, Source, month_after
from reporting.domain.unit_trees import Place, Trees
from reporting.storage import paper_sources
from reporting.storage.owed import dues
from reporting.storage.partner_sums import partners
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, MeasuredRow

__all__ = ["UNPLACED", "Wanted", "compute", "last_day"]

UNPLACED: Final = "Chưa phân theo đơn vị"

Row = dict[str, Any]
Values = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One report to make. `unit_path` is meant as on `units_on`."""

    layout: Layout
    period: Period
    unit_path: str
    units_on: date
    business_date: date


def last_day(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=monthrange(month.year, month.month)[1])


async def compute(tx: Tx, wanted: Wanted) -> tuple[str, list[Row]]:
    """The unit's name and the rows in order, each total before what it sums. Raises `UnknownUnit`."""
    name = await paper_sources.unit_name(tx, wanted.unit_path, wanted.units_on)
    if name is None:
        raise UnknownUnit(errors=[{"field": "unit_path", "detail": f"no unit {wanted.unit_path} on {wanted.units_on}"}])
    if wanted.layout.source is Source.PARTNERS:
        return name, _partner_rows(wanted, name, await partners(tx, wanted.period.first, wanted.unit_path))
    trees = Trees(await paper_sources.trees(tx, wanted.unit_path))
    if wanted.layout.source is Source.DUES:
        return name, _dues_rows(wanted, name, await dues(tx, wanted.period.first, wanted.unit_path), trees)
    return name, await _indicator_rows(tx, wanted, name, trees)


def _row(programme: str, path: str, label: str, cells: Mapping[str, int | str], *, total: bool) -> Row:
    return {"programme": programme, "unit_path": path, "label": label, "is_total": total, "cells": cells}


def _partner_rows(wanted: Wanted, name: str, found: Sequence[RowMapping]) -> list[Row]:
    rows = []
    for one in found:
        group = ALL if one["all_programmes"] else one["programme"]
        if group in wanted.layout.groups:
            label = name if one["all_partners"] else f"{one['partner']} · {one['funding_source']}"
            cells = {column.key: column.cell(int(one[column.figure])) for column in wanted.layout.columns}
            rows.append(_row(group, wanted.unit_path, label, cells, total=bool(one["all_partners"])))
    return rows


def _dues_rows(wanted: Wanted, name: str, found: Sequence[RowMapping], trees: Trees) -> list[Row]:
    layout, rows, sums = wanted.layout, [], defaultdict[tuple[str, bool], dict[str, int]](dict)
    single = [group for group in layout.groups if group != ALL]
    for one in found:
        if one["programme"] not in single:
            continue
        path = wanted.unit_path if one["all_units"] or not one["segment"] else one["segment"]
        total = bool(one["all_units"])
        unit = None if total else trees.at(path, wanted.units_on)
        cells = {column.key: column.cell(int(one[column.figure])) for column in layout.columns}
        rows.append(_row(one["programme"], path, name if total else unit.name if unit else UNPLACED, dict(cells), total=total))
        if total:
            into = sums[ALL, True]
            for key, value in cells.items():
                into[key] = into.get(key, 0) + value
    if ALL in layout.groups:
        rows += [_row(ALL, wanted.unit_path, name, dict(cells), total=True) for cells in sums.values()]
    return rows


class _Sums:
    """Figures added up by group and row of the report; '' is the report's total."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self.labels: dict[str, str] = {}

    def add(self, group: str, place: str, values: Values, figures: Sequence[str]) -> None:
        """Add the figures that the report shows or its rates need."""
        into = self.values[group][place]
        for figure in figures:
            into[figure] = into.get(figure, 0) + values.get(figure, 0)


def _figures(columns: Sequence[Column]) -> list[str]:
    rates = {rate.code: rate for rate in RATES}
    needed = {column.figure for column in columns if column.kind is not ColumnKind.RATE and column.figure not in RECOVERY_FIGURES}
    for column in columns:
        if column.kind is ColumnKind.RATE:
            rate = rates[column.figure]
            needed |= {code for code in (rate.part, rate.whole, rate.but_part, rate.but_whole) if code}
    return sorted(needed)


@dataclass(frozen=True, slots=True)
class _Part:
    """Months within which the unit's tree stands still, and one path under which its people lay in them (as meant on `day`)."""

    day: date
    first: date
    last: date
    path: str
    in_period: bool
    since_january: bool


async def _indicator_rows(tx: Tx, wanted: Wanted, name: str, trees: Trees) -> list[Row]:
    columns, sums = wanted.layout.columns, _Sums()
    figures = _figures(columns)
    for part in _parts(wanted, trees):
        kinds = {Kind.YEAR} | ({Kind.MONTH} if part.in_period else set()) | ({Kind.STANDING} if part.last == wanted.period.last else set())
        await _add_part(tx, wanted, trees, part, sums, [code for code in figures if code in INDICATORS and INDICATORS[code].kind in kinds])
    if RECOVERY_FIGURES.keys() & {column.figure for column in columns}:
        await _add_recoveries(tx, wanted, trees, sums)
    return _laid_out(wanted, name, columns, sums)


def _parts(wanted: Wanted, trees: Trees) -> list[_Part]:
    """One part per path while the tree stands still all year; else January to the end in runs, as a path may mean another unit later."""
    january = date(wanted.period.last.year, 1, 1)
    runs: list[tuple[date, date, tuple[str, ...]]] = []
    month = january
    while month <= wanted.period.last:
        paths = trees.paths_on(wanted.unit_path, wanted.units_on, last_day(month))
        if (
            runs
            and runs[-1][2] == paths
            and trees.same_tree(paths, last_day(runs[-1][1]), last_day(month))
            and month != wanted.period.first
        ):
            runs[-1] = (runs[-1][0], month, paths)
        else:
            runs.append((month, month, paths))
        month = month_after(month, 1)
    whole = {paths for _, _, paths in runs}
    if len(whole) == 1 and trees.same_tree(runs[-1][2], last_day(january), last_day(wanted.period.last)):
        day = last_day(wanted.period.last)
        return [_Part(day, wanted.period.first, wanted.period.last, path, True, True) for path in runs[-1][2]]
    return [
        _Part(last_day(last), first, last, path, first >= wanted.period.first, first == january)
        for first, last, paths in runs
        for path in paths
    ]


async def _add_part(tx: Tx, wanted: Wanted, trees: Trees, part: _Part, sums: _Sums, figures: Sequence[str]) -> None:
    children = trees.same_tree((part.path,), part.day, wanted.units_on)
    beside: Literal["CHILDREN", "COMMUNES"] = "CHILDREN" if children else "COMMUNES"
    ask = Ask(
        first=part.first, last=part.last, unit_path=part.path, as_of=wanted.business_date, below=beside, codes=frozenset(figures),
        rolled_until=part.first if wanted.layout.counting == 1 else wanted.period.last,
    )  # fmt: skip
    for row in (await measure_in(tx, ask)).rows:
        _add(sums, row, figures, wanted, trees, part.day, 1)
    yearly = [code for code in figures if INDICATORS[code].kind is Kind.YEAR]
    if yearly and not part.since_january:  # what lay under this path before the run is told by the runs before
        before = month_after(part.first, -1)
        for row in (await measure_in(tx, replace(ask, first=before, last=before))).rows:
            _add(sums, row, yearly, wanted, trees, part.day, -1)


def _add(sums: _Sums, row: MeasuredRow, figures: Sequence[str], wanted: Wanted, trees: Trees, meant_on: date, sign: int) -> None:
    told = [code for code in figures if row.group in INDICATORS[code].groups and (row.group != ALL or INDICATORS[code].groups == (ALL,))]
    groups = _groups(wanted.layout, row.group)
    if not told or not groups:
        return
    values = {code: sign * row.values[code] for code in told}
    where = ""
    if not row.is_total:
        place = _shown_place(row.unit_path, meant_on, wanted, trees)
        sums.labels.setdefault(place.path, place.name if place.exact else f"{place.name} (tên cũ, chưa phân theo đơn vị mới)")
        where = place.path
    for group in groups:
        sums.add(group, where, values, told)


def _groups(layout: Layout, group: str) -> list[str]:
    """The groups of the report in which the figures of one group count: its own, and the sum of the report's own groups."""
    counts = group not in (ALL, EACH_ONCE) and (layout.counting == 1 or group in layout.groups)
    return [one for one in layout.groups if one == group or (one == ALL and counts)]


def _shown_place(path: str, meant_on: date, wanted: Wanted, trees: Trees) -> Place:
    """The row of the report that holds a unit: told in the tree of the day asked for, at the level just below the report's unit."""
    place = trees.told_on(path, meant_on, wanted.units_on)
    head = wanted.unit_path + "/"
    if place.exact and place.path.startswith(head):
        child = head + place.path.removeprefix(head).split("/", 1)[0]
        unit = trees.at(child, wanted.units_on)
        return Place(child, unit.name if unit else place.name, exact=True)
    return place


async def _add_recoveries(tx: Tx, wanted: Wanted, trees: Trees, sums: _Sums) -> None:
    today = wanted.business_date
    for path in trees.paths_on(wanted.unit_path, wanted.units_on, today):
        for row in await paper_sources.recoveries(tx, path):
            values = {"recovery_open_people": int(row["people"]), "recovery_open_dong": int(row["dong"])}
            place = _shown_place(row["unit_path"], today, wanted, trees)
            sums.labels.setdefault(place.path, place.name)
            for group in _groups(wanted.layout, row["programme"]):
                for where in ("", place.path):
                    sums.add(group, where, values, sorted(RECOVERY_FIGURES))


def _laid_out(wanted: Wanted, name: str, columns: Sequence[Column], sums: _Sums) -> list[Row]:
    rows = []
    for group in wanted.layout.groups:
        found = sums.values.get(group, {})
        total = found.get("", {})
        rest = {key: value - sum(values.get(key, 0) for place, values in found.items() if place) for key, value in total.items()}
        rows.append(_row(group, wanted.unit_path, name, _cells(columns, total), total=True))
        rows += [
            _row(group, place, sums.labels[place], _cells(columns, found.get(place, {})), total=False) for place in sorted(sums.labels)
        ]
        if any(rest.values()) and sums.labels:
            rows.append(_row(group, "", UNPLACED, _cells(columns, rest), total=False))
    return rows


def _cells(columns: Sequence[Column], values: Values) -> dict[str, int | str]:
    rates = {rate.code: rate for rate in RATES}
    cells: dict[str, int | str] = {}
    for column in columns:
        if column.kind is ColumnKind.RATE:
            part, whole = rates[column.figure].of(defaultdict(int, values))
            cells[column.key] = rate_text(part, whole)
        else:
            cells[column.key] = column.cell(values.get(column.figure, 0))
    return cells
