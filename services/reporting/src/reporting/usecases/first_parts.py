"""The first way of finding a report's figures under the units of other days (`unit_trees_first`).

Only to make again what was frozen with it; new reports follow `paper_parts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from common.db import Tx
from reporting.domain.indicators import INDICATORS, Kind
from reporting.domain.months import last_day
from reporting.domain.statutory import Period, month_after
from reporting.domain.unit_trees import Place
from reporting.domain.unit_trees_first import FirstTrees
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask
from reporting.usecases.paper_parts import Figures

__all__ = ["FirstView", "measured_first"]


@dataclass(frozen=True, slots=True)
class FirstView:
    """One unit of one day."""

    trees: FirstTrees
    path: str
    day: date

    def place(self, path: str, meant_on: date) -> Place:
        """The row that holds a unit: told in the tree of the day asked for, at the level just below the report's unit."""
        found, exact = self._shown(path, meant_on)
        return found if exact else replace(found, label=f"{found.label} (tên cũ, chưa phân theo đơn vị mới)")

    def bare_place(self, path: str, meant_on: date) -> Place:
        """The same without a word on its being an old name."""
        return self._shown(path, meant_on)[0]

    def _shown(self, path: str, meant_on: date) -> tuple[Place, bool]:
        place = self.trees.told_on(path, meant_on, self.day)
        head = self.path + "/"
        if place.exact and place.path.startswith(head):
            child = head + place.path.removeprefix(head).split("/", 1)[0]
            unit = self.trees.at(child, self.day)
            return Place(child, child, unit.name if unit else place.name), True
        return Place(place.path, place.path, place.name), place.exact


@dataclass(frozen=True, slots=True)
class _Part:
    """Months within which the unit's tree stands still, and one path under which its people lay in them (as meant on `day`)."""

    day: date
    first: date
    last: date
    path: str
    in_period: bool
    since_january: bool


async def measured_first(tx: Tx, view: FirstView, period: Period, as_of: date, figures: Sequence[str]) -> AsyncIterator[Figures]:
    """The indicators of the period and of its year to date, in the total and in each row."""
    for part in _parts(view, period):
        kinds = {Kind.YEAR} | ({Kind.MONTH} if part.in_period else set()) | ({Kind.STANDING} if part.last == period.last else set())
        wanted = [code for code in figures if code in INDICATORS and INDICATORS[code].kind in kinds]
        async for one in _measured(tx, view, part, as_of, wanted):
            yield one


def _parts(view: FirstView, period: Period) -> list[_Part]:
    """One part per path while the tree stands still all year; else January to the end in runs, as a path may mean another unit later."""
    january, trees = date(period.last.year, 1, 1), view.trees
    runs: list[tuple[date, date, tuple[str, ...]]] = []
    month = january
    while month <= period.last:
        paths = trees.paths_on(view.path, view.day, last_day(month))
        same = bool(runs) and runs[-1][2] == paths and trees.same_tree(paths, last_day(runs[-1][1]), last_day(month))
        if same and month != period.first:
            runs[-1] = (runs[-1][0], month, paths)
        else:
            runs.append((month, month, paths))
        month = month_after(month, 1)
    whole = {paths for _, _, paths in runs}
    if len(whole) == 1 and trees.same_tree(runs[-1][2], last_day(january), last_day(period.last)):
        return [_Part(last_day(period.last), period.first, period.last, path, True, True) for path in runs[-1][2]]
    return [
        _Part(last_day(last), first, last, path, first >= period.first, first == january) for first, last, paths in runs for path in paths
    ]


async def _measured(tx: Tx, view: FirstView, part: _Part, as_of: date, figures: Sequence[str]) -> AsyncIterator[Figures]:
    children = view.trees.same_tree((part.path,), part.day, view.day)
    beside: Literal["CHILDREN", "COMMUNES"] = "CHILDREN" if children else "COMMUNES"
    ask = Ask(
        first=part.first, last=part.last, unit_path=part.path, as_of=as_of, below=beside, codes=frozenset(figures), rolled_until=part.first,
        as_listed=True, by_file=True,
    )  # fmt: skip
    asked = [(ask, figures, 1)]
    yearly = [code for code in figures if INDICATORS[code].kind is Kind.YEAR]
    if yearly and not part.since_january:  # what lay under this path before the run is told by the runs before
        before = month_after(part.first, -1)
        asked.append((replace(ask, first=before, last=before), yearly, -1))
    for one, codes, sign in asked:
        for row in (await measure_in(tx, one)).rows:
            values = {code: sign * row.values[code] for code in codes}
            yield Figures(row.group, None if row.is_total else view.place(row.unit_path, part.day), values)
