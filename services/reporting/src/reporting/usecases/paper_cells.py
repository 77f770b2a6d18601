"""The cells of a statutory report from the read models, in the caller's transaction: by its layout, period, unit and day of the tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.errors import UnitOutOfScope, UnknownUnit
from reporting.domain.indicators import ALL, EACH_ONCE, INDICATORS, RATES
from reporting.domain.months import last_day, months_to
from reporting.domain.rates import rate_text
from reporting.domain.statutory import PARTNER_FIGURES, RECOVERY_FIGURES, Column, ColumnKind, Layout, Period, Source, month_after
from reporting.domain.unit_trees import KnownUnit, Place, Trees, View
from reporting.domain.unit_trees_first import FirstTrees
from reporting.storage import paper_sources
from reporting.storage.contributions import EVERYBODY
from reporting.storage.owed import dues
from reporting.storage.partner_sums import WHOLE, partners, partners_of, paths_paid
from reporting.usecases.first_parts import FirstView, measured_first
from reporting.usecases.paper_parts import Figures, later_units, measured_in, roots_on, stands_still

__all__ = ["UNPLACED", "Computed", "Wanted", "compute"]

_OPEN_NOW: Final = frozenset(("recovery_open_people", "recovery_open_dong"))
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


@dataclass(frozen=True, slots=True)
class Computed:
    """The unit's name, the rows in order, each total before what it sums, and the later units that its figures are of."""

    name: str
    rows: list[Row]
    later_units: list[str]


async def compute(tx: Tx, wanted: Wanted, sees: Callable[[str], bool]) -> Computed:
    """Make the report for somebody who may see some units (`sees`).

    What a unit was made from is its own past. What became of it is others' present: whoever asks for that needs the right to see each of
    them. Raises `UnknownUnit`, `UnitOutOfScope`.
    """
    name = await paper_sources.unit_name(tx, wanted.unit_path, wanted.units_on)
    if name is None:
        raise UnknownUnit(errors=[{"field": "unit_path", "detail": f"no unit {wanted.unit_path} on {wanted.units_on}"}])
    units = await paper_sources.trees(tx, wanted.unit_path)
    view = View(Trees(units), wanted.unit_path, wanted.units_on)
    later = later_units(view, _days(wanted))
    if not all(sees(path) for path in later):
        raise UnitOutOfScope
    if wanted.layout.source is Source.PARTNERS:
        rows = _partner_rows(wanted, name, await _partners(tx, wanted, view))
    elif wanted.layout.source is Source.DUES and wanted.layout.counting == 1:
        rows = _first_dues_rows(wanted, name, await dues(tx, wanted.period.first, wanted.unit_path), Trees(units))
    elif wanted.layout.source is Source.DUES:
        rows = await _dues_rows(tx, wanted, name, view)
    else:
        rows = await _indicator_rows(tx, wanted, name, view, units)
    return Computed(name, rows, later)


def _days(wanted: Wanted) -> list[date]:
    """The days whose units the figures lie at: each month's last, from January on; of what is told as of the business date, that day."""
    if wanted.layout.source is Source.DUES:
        return [wanted.business_date]
    today = [wanted.business_date] if _OPEN_NOW & _recovery_figures(wanted.layout) else []
    return [*map(last_day, months_to(wanted.period.last)), *today]


def _row(programme: str, path: str, label: str, cells: Mapping[str, int | str], *, total: bool) -> Row:
    return {"programme": programme, "unit_path": path, "label": label, "is_total": total, "cells": cells}


async def _partners(tx: Tx, wanted: Wanted, view: View) -> Sequence[RowMapping]:
    month, on = wanted.period.first, last_day(wanted.period.last)
    if wanted.layout.counting == 1 or stands_still(view, [on]):
        return await partners(tx, month, wanted.unit_path)
    paths = [path for root in roots_on(view, on) for path in await paths_paid(tx, month, root)]
    return await partners_of(tx, month, [path for path in paths if (place := view.place(path, on)) and place.counted])


def _partner_rows(wanted: Wanted, name: str, told: Sequence[RowMapping]) -> list[Row]:
    """Each group's total before its partners; the total of all groups is their sum."""
    layout = wanted.layout
    found = defaultdict[tuple[int, str, str], dict[str, int]](dict)
    first = layout.counting == 1
    for row in told:
        for group, source, partner, figures in _counts_first(row) if first else _counts(row, layout):
            if group in layout.groups:
                into = found[layout.groups.index(group), source, partner]
                for figure in figures:
                    into[figure] = into.get(figure, 0) + int(row[figure])
    if ALL in layout.groups:
        found.setdefault((layout.groups.index(ALL), "", ""), {})
    rows = []
    for (place, source, partner), values in sorted(found.items(), key=lambda item: item[0]):
        label = f"{partner} · {source}" if partner else name
        cells = {column.key: column.cell(values.get(column.figure, 0)) for column in layout.columns}
        rows.append(_row(layout.groups[place], wanted.unit_path, label, cells, total=not partner))
    return rows


_Counted = tuple[str, str, str, Collection[str]]
"""Group, funding source and partner of a row of the report, both '' in a total; the figures that count there."""


def _counts(row: RowMapping, layout: Layout) -> list[_Counted]:
    group, partner = row["programme"], row["partner"]
    if partner == WHOLE:
        return [(one, "", "", PARTNER_FIGURES) for one in _groups(layout, group)]
    return [(group, row["funding_source"], partner, PARTNER_FIGURES)] if partner else []


def _counts_first(row: RowMapping) -> list[_Counted]:
    """As reports of the first counting were frozen: people under all their partners together, đồng what all partners say."""
    group, partner = row["programme"], row["partner"]
    if partner == WHOLE:
        return []
    if not partner:
        return [(ALL if group == EVERYBODY else group, "", "", [name for name in PARTNER_FIGURES if name.endswith("_people")])]
    dong = [name for name in PARTNER_FIGURES if name.endswith("_dong")]
    return [(group, row["funding_source"], partner, PARTNER_FIGURES), (group, "", "", dong), (ALL, "", "", dong)]


async def _dues_rows(tx: Tx, wanted: Wanted, name: str, view: View) -> list[Row]:
    sums, today = _Sums(view.rows()), wanted.business_date
    figures = sorted({column.figure for column in wanted.layout.columns})
    for root in roots_on(view, today):
        for one in await dues(tx, wanted.period.first, root, "COMMUNES"):
            place = None if one["all_units"] else view.place(one["segment"] or root, today)
            if place:
                for where in (place, None) if place.counted else (place,):
                    values = {figure: int(one[figure]) for figure in figures}
                    _add(sums, wanted.layout, Figures(one["programme"], where, values), figures)
    return _laid_out(wanted, name, wanted.layout.columns, sums)


def _first_dues_rows(wanted: Wanted, name: str, found: Sequence[RowMapping], trees: Trees) -> list[Row]:
    """The rows of reports frozen with the first way of counting: what lies below the unit's path, whoever bore it."""
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

    def __init__(self, rows: Iterable[Place]) -> None:
        """`rows`: those that are there even with nothing in them."""
        self.values: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self.places: dict[str, Place] = {place.key: place for place in rows}

    def add(self, group: str, place: Place | None, values: Values, figures: Sequence[str]) -> None:
        """Add the figures that the report shows or its rates need, in a row or (without a place) in the total."""
        key = "" if place is None else place.key
        if place is not None:
            if not key:  # what lies in the unit itself is the rest that no row holds
                return
            self.places.setdefault(key, place)
        into = self.values[group][key]
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


async def _indicator_rows(tx: Tx, wanted: Wanted, name: str, view: View, units: Sequence[KnownUnit]) -> list[Row]:
    columns = wanted.layout.columns
    figures = _figures(columns)
    if wanted.layout.counting == 1:
        sums, first = _Sums(()), FirstView(FirstTrees(units), wanted.unit_path, wanted.units_on)
        told = measured_first(tx, first, wanted.period, wanted.business_date, figures)
        roots = first.trees.paths_on(wanted.unit_path, wanted.units_on, wanted.business_date)
        place: Callable[[str, date], Place | None] = first.bare_place
    else:
        sums = _Sums(view.rows())
        counting = wanted.layout.counting
        told = measured_in(tx, view, wanted.period, wanted.business_date, figures, as_listed=counting == 2, by_file=counting < 4)
        roots, place = tuple(roots_on(view, wanted.business_date)), view.place
    async for one in told:
        _add(sums, wanted.layout, one, [code for code in one.values if _counted(code, one.group)])
    asked = _recovery_figures(wanted.layout)
    for root in roots if asked & _OPEN_NOW else ():
        async for one in _still_open(tx, root, wanted.business_date, place):
            _add(sums, wanted.layout, one, sorted(one.values))
    if asked - _OPEN_NOW:
        async for one in _recovered(tx, wanted.period, place, by_case=wanted.layout.counting < 4):
            _add(sums, wanted.layout, one, sorted(one.values))
    return _laid_out(wanted, name, columns, sums)


def _recovery_figures(layout: Layout) -> set[str]:
    return RECOVERY_FIGURES.keys() & {column.figure for column in layout.columns}


def _counted(code: str, group: str) -> bool:
    """Whether an indicator has figures of its own in a group: the sum over groups is made of them, but where there is nothing else."""
    groups = INDICATORS[code].groups
    return group in groups and (group != ALL or groups == (ALL,))


def _add(sums: _Sums, layout: Layout, one: Figures, told: Sequence[str]) -> None:
    groups = _groups(layout, one.group)
    if not told or not groups:
        return
    for group in groups:
        sums.add(group, one.place, one.values, told)


def _groups(layout: Layout, group: str) -> list[str]:
    """The groups of the report in which the figures of one group count: its own, and the sum of the report's own groups."""
    counts = group not in (ALL, EACH_ONCE) and (layout.counting == 1 or group in layout.groups)
    return [one for one in layout.groups if one == group or (one == ALL and counts)]


async def _still_open(tx: Tx, root: str, today: date, place: Callable[[str, date], Place | None]) -> AsyncIterator[Figures]:
    for row in await paper_sources.recoveries(tx, root):
        values = {"recovery_open_people": int(row["people"]), "recovery_open_dong": int(row["dong"])}
        for where in _rows_of(place(row["unit_path"], today)):
            yield Figures(row["programme"], where, values)


async def _recovered(tx: Tx, period: Period, place: Callable[[str, date], Place | None], *, by_case: bool) -> AsyncIterator[Figures]:
    for row in await paper_sources.recovered(tx, month_after(period.first, -1), period.last, by_case=by_case):
        values = {
            "recovered_dong": int(row["recovered"]), "recovery_left_people": int(row["people"]), "recovery_left_dong": int(row["dong"]),
        }  # fmt: skip
        for where in _rows_of(place(row["unit_path"], last_day(row["month"]))):
            yield Figures(row["programme"], where, values)


def _rows_of(place: Place | None) -> tuple[Place | None, ...]:
    """Where figures of a place stand: in its row and, where it counts, in the total."""
    return () if place is None else (place, None) if place.counted else (place,)


def _laid_out(wanted: Wanted, name: str, columns: Sequence[Column], sums: _Sums) -> list[Row]:
    rows = []
    places = [sums.places[key] for key in sorted(sums.places)]
    for group in wanted.layout.groups:
        found = sums.values.get(group, {})
        total = found.get("", {})
        rows.append(_row(group, wanted.unit_path, name, _cells(columns, total), total=True))
        rows += [_row(group, place.path, place.label, _cells(columns, found.get(place.key, {})), total=False) for place in places]
        counted = [found.get(place.key, {}) for place in places if place.counted]
        rest = {key: value - sum(values.get(key, 0) for values in counted) for key, value in total.items()}
        if any(rest.values()) and counted:
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
