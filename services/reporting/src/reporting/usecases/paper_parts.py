"""Where a report's figures lie: under which paths in which months, whoever bore them then, and in which row of the report each belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from common.db import Tx
from reporting.domain.indicators import INDICATORS, Kind
from reporting.domain.months import last_day, months_to
from reporting.domain.statutory import Period, month_after
from reporting.domain.unit_trees import Place, View, topmost
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, MeasuredRow

__all__ = ["Figures", "later_units", "measured_in", "roots_on", "stands_still"]

_MANY: Final = 8
"""With more paths than these whole provinces are read, and what was not asked for is left out."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one group has in one row of a report; without a place: in the total."""

    group: str
    place: Place | None
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """Months in which every path that concerns the report means the same unit."""

    first: date
    last: date
    since_january: bool


def stands_still(view: View, days: Iterable[date]) -> bool:
    """Whether on all these days what lies below the unit's path is the unit, and nothing of it lies elsewhere."""
    known = [view.meant(on) for on in days]
    here = all((path + "/").startswith(view.path + "/") and unit.stands_on(view.day) for path, unit in known[0].items())
    return here and all(units == known[0] for units in known[1:])


def roots_on(view: View, on: date) -> list[str]:
    """Paths below which all of the unit lies in a month that ends on a day; what else lies there has no place in its report."""
    roots = topmost(view.meant(on))
    return roots if len(roots) <= _MANY else topmost({root.split("/", 1)[0] for root in roots})


def later_units(view: View, days: Iterable[date]) -> list[str]:
    """Paths of units that came after the report's unit, whose figures are asked for: who asks must be allowed to see them."""
    return topmost({path for on in days for path, unit in view.meant(on).items() if view.day < unit.valid_from <= on})


async def measured_in(
    tx: Tx, view: View, period: Period, as_of: date, figures: Sequence[str], *, as_listed: bool = False, by_file: bool = False
) -> AsyncIterator[Figures]:  # fmt: skip
    """The indicators of the period and of its year to date, in the total and in each row."""
    months = months_to(period.last)
    asked = Ask(  # a list of one run may be taken over by one of another
        first=period.first, last=period.last, unit_path=view.path, as_of=as_of, codes=frozenset(figures), rolled_until=period.last,
        as_listed=as_listed, by_file=by_file,
    )  # fmt: skip
    if stands_still(view, map(last_day, months)):
        for row in (await measure_in(tx, asked)).rows:
            values = {code: row.values[code] for code in figures}
            place = None if row.is_total else view.place(row.unit_path, last_day(period.last))
            if row.is_total or (place and any(values.values())):
                yield Figures(row.group, place, values)
        return
    for run in _runs(view, period, months):
        wanted = _wanted(figures, run, period)
        for root in roots_on(view, last_day(run.last)) if wanted else ():
            ask = replace(asked, first=run.first, last=run.last, unit_path=root, below="COMMUNES", codes=frozenset(wanted))
            if root != view.path and not await _holds_any(tx, ask, wanted):  # nearly always so where units ended years ago
                continue
            for one in _placed(view, last_day(run.last), root, (await measure_in(tx, ask)).rows, wanted, 1):
                yield one
            yearly = [code for code in wanted if INDICATORS[code].kind is Kind.YEAR]
            if yearly and not run.since_january:  # what lay under these paths before the run is told by the runs before
                before = month_after(run.first, -1)
                rows = (await measure_in(tx, replace(ask, first=before, last=before, codes=frozenset(yearly)))).rows
                for one in _placed(view, last_day(run.last), root, rows, yearly, -1):
                    yield one


async def _holds_any(tx: Tx, ask: Ask, figures: Sequence[str]) -> bool:
    """Whether there is anything at or below a path: one sum says so, however many communes there were."""
    return any(row.values[code] for row in (await measure_in(tx, replace(ask, below="NONE"))).rows for code in figures)


def _runs(view: View, period: Period, months: Sequence[date]) -> list[_Run]:
    known = {month: view.meant(last_day(month)) for month in months}
    if all(units == known[months[0]] for units in known.values()):
        return [_Run(period.first, period.last, since_january=True)]
    runs = [_Run(months[0], months[0], since_january=True)]
    for month in months[1:]:
        if month != period.first and known[month] == known[runs[-1].last]:
            runs[-1] = replace(runs[-1], last=month)
        else:
            runs.append(_Run(month, month, since_january=False))
    return runs


def _wanted(figures: Sequence[str], run: _Run, period: Period) -> list[str]:
    kinds = {Kind.YEAR} | ({Kind.MONTH} if run.first >= period.first else set()) | ({Kind.STANDING} if run.last == period.last else set())
    return [code for code in figures if code in INDICATORS and INDICATORS[code].kind in kinds]


def _placed(view: View, on: date, root: str, rows: Iterable[MeasuredRow], figures: Sequence[str], sign: int) -> Iterator[Figures]:
    """Each commune's figures, and what lies in the unit itself, in the row they belong to and, where they count, in the total."""
    left: dict[str, dict[str, int]] = defaultdict(dict)
    found: list[tuple[str, str, dict[str, int]]] = []
    for row in rows:
        values = {code: row.values[code] for code in figures}
        if row.is_total:
            left[row.group] = values
        elif any(values.values()):
            left[row.group] = {code: left[row.group][code] - value for code, value in values.items()}
            found.append((row.group, row.unit_path, values))
    for group, path, values in (*found, *((group, root, values) for group, values in left.items() if any(values.values()))):
        place = view.place(path, on)
        if place:
            signed = {code: sign * value for code, value in values.items()}
            yield Figures(group, place, signed)
            if place.counted:
                yield Figures(group, None, signed)
