"""Measure: every indicator of the catalogue, by group, unit and period, from the sums."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping

from common.actor import Actor
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from reporting.domain.errors import BadMonth
from reporting.domain.indicators import ALL, CAMPAIGN, EACH_ONCE, MONTH_COLUMNS, RATES, STANDING_COLUMNS, YEAR_PEOPLE_COLUMNS, counts_of
from reporting.domain.rates import rate_text
from reporting.storage import indicators as storage
from reporting.storage.contributions import EVERYBODY
from reporting.usecases.measured import Ask, Counts, HeldFor, Measured, MeasuredRow
from reporting.usecases.reports import unit_for

__all__ = ["measure", "measure_in"]

_HELD: Final = "reason:HELD:"
_UNPAID: Final = "unpaid"
_AS_LISTED: Final = "unpaid_listed"
_SINGLE: Final = tuple(programme.value for programme in Programme)

Sums = dict[str, list[int]]
"""Measure → [people, lines, đồng, people of the year, đồng of the year]."""
Figures = dict[tuple[str, str], Any]
"""(programme, unit path; '' is the total's own) → figures."""


async def measure(db: Database, actor: Actor, ask: Ask) -> Measured:
    """All figures that `ask` names, for a unit the actor sees. Raises `UnitOutOfScope`, `BadMonth`."""
    unit_for(actor, ask.unit_path)
    async with db.read(actor) as tx:
        return await measure_in(tx, ask)


async def measure_in(tx: Tx, ask: Ask) -> Measured:
    """The same inside a transaction of the caller, who has checked the scope."""
    if ask.first > ask.last:
        raise BadMonth(errors=[{"field": "until", "detail": "not before the first month"}])
    units_on = ask.units_on or ask.last.replace(day=monthrange(ask.last.year, ask.last.month)[1])
    months, years, stands = _measures(ask)
    if ask.as_listed:
        months = [_AS_LISTED if stem == _UNPAID else stem for stem in months]
    lists = await storage.month_sums(
        tx, ask.unit_path, ask.below, ask.first, ask.last, measures=months, yearly=years, overdue_until=_overdue_until(ask),
        rolled_until=ask.rolled_until or ask.last, by_file=ask.by_file,
    )  # fmt: skip
    standing = await storage.standing_sums(tx, ask.unit_path, ask.below, ask.last, stands) if stands else ()
    starts = await storage.starts(tx, ask.unit_path, ask.below, ask.first, ask.last, ask.start_by)
    tree = await storage.tree(tx, ask.unit_path, ask.below, units_on)
    rows = _Rows(ask, lists, standing, starts, tree)
    return Measured(ask.first, ask.last, ask.unit_path, units_on, tuple(rows.all()))


def _measures(ask: Ask) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """What has to be read: stems of the months, stems with a sum of the year, and how people stand."""
    if ask.codes is None:
        return MONTH_COLUMNS, YEAR_PEOPLE_COLUMNS, STANDING_COLUMNS
    codes = counts_of(ask.codes)
    months = [stem for stem in MONTH_COLUMNS if any(f"{stem}_{suffix}" in codes for suffix in ("people", "lines", "dong"))]
    years = [stem for stem in YEAR_PEOPLE_COLUMNS if any(f"{stem}_{suffix}_year" in codes for suffix in ("people", "dong"))]
    return months, years, [code for code in STANDING_COLUMNS if code in codes]


def _overdue_until(ask: Ask) -> date:
    """The last month whose due day has come."""
    this = ask.as_of.replace(day=1)
    if ask.as_of.day >= ask.due_day:
        return this
    return date(this.year - (this.month == 1), (this.month - 2) % 12 + 1, 1)


class _Rows:
    """The rows of an answer: read figures added up to groups and to the total of the unit."""

    def __init__(
        self,
        ask: Ask,
        lists: Iterable[RowMapping],
        standing: Iterable[RowMapping],
        starts: Iterable[RowMapping],
        tree: Iterable[RowMapping],
    ) -> None:
        self._ask = ask
        self._rates = [rate for rate in RATES if ask.codes is None or rate.code in ask.codes]
        self._tree = {row["path"]: row for row in tree}
        self._lists: dict[tuple[str, str], Sums] = defaultdict(dict)
        self._standing: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        self._starts = {row["segment"]: row for row in starts}
        self._segments: set[str] = set()
        for row in lists:
            self._add_lists(row["programme"], row["segment"], row["sums"])
        for row in standing:
            self._add_standing(row["programme"], row["segment"], row["sums"])

    def _places(self, programme: str, segment: str) -> list[tuple[str, str]]:
        """Where a figure counts: its unit and the total, its programme and the sum of the monthly programmes."""
        self._segments.add(segment)
        groups = (EACH_ONCE,) if programme == EVERYBODY else (programme,) if programme == CAMPAIGN else (programme, ALL)
        places = [(group, "") for group in groups]
        return places + [(group, segment) for group in groups] if segment else places

    def _add_lists(self, programme: str, segment: str, sums: Sums) -> None:
        for place in self._places(programme, segment):
            into = self._lists[place]
            for told, counts in sums.items():
                measure = _UNPAID if told == _AS_LISTED else told
                before = into.get(measure)
                into[measure] = counts if before is None else [a + b for a, b in zip(before, counts, strict=True)]

    def _add_standing(self, programme: str, segment: str, sums: dict[str, int]) -> None:
        for place in self._places(programme, segment):
            into = self._standing[place]
            for measure, people in sums.items():
                into[measure] = into.get(measure, 0) + people

    def all(self) -> Iterable[MeasuredRow]:
        """The total first, then the units in the order of their paths."""
        programmes = {group for group, _ in (*self._lists, *self._standing)} - {ALL, EACH_ONCE}
        groups = (*_SINGLE, *sorted(programmes - set(_SINGLE)), ALL, EACH_ONCE)
        beside = sorted((self._segments | set(self._tree)) - {"", self._ask.unit_path}) if self._ask.below != "NONE" else []
        for path in ("", *beside):
            for group in groups:
                yield self._row(group, path)

    def _row(self, group: str, segment: str) -> MeasuredRow:
        path = segment or self._ask.unit_path
        unit = self._tree.get(path)
        sums = self._lists.get((group, segment), {})
        amounts = self._lists.get((ALL, segment), {}) if group == EACH_ONCE else sums
        some = dict(self._standing.get((group, segment), {})) | _list_values(sums, amounts)
        first_month = self._add_starts(some, segment, group)
        values = Counts(some)
        return MeasuredRow(
            group=group,
            unit_code=path.rsplit("/", 1)[-1],
            unit_path=path,
            unit_name=unit["name"] if unit else None,
            unit_level=unit["level"] if unit else None,
            is_total=not segment,
            values=values,
            rates={rate.code: rate_text(*rate.of(values), self._ask.decimals) for rate in self._rates},
            held_for=_held_for(sums, amounts),
            first_account_month=first_month,
        )

    def _add_starts(self, some: dict[str, int], segment: str, group: str) -> date | None:
        own = self._starts.get(segment)
        rows = list(self._starts.values()) if not segment else [own] if own else []
        if group == ALL:
            for code in ("communes_due", "communes_started", "communes_late"):
                some[code] = sum(row[code] for row in rows)
        return min((row["first_month"] for row in rows if row["first_month"]), default=None)


def _list_values(sums: Sums, amounts: Sums) -> dict[str, int]:
    """Codes of the catalogue from sums; people from the first, lines and đồng from the second."""
    values: dict[str, int] = {}
    for stem in MONTH_COLUMNS:
        if stem in sums:
            values[f"{stem}_people"] = sums[stem][0]
        if stem in amounts:
            values[f"{stem}_lines"], values[f"{stem}_dong"] = amounts[stem][1:3]
    for stem in YEAR_PEOPLE_COLUMNS:
        if f"year:{stem}" in sums:
            values[f"{stem}_people_year"] = sums[f"year:{stem}"][3]
        if stem in amounts:
            values[f"{stem}_dong_year"] = amounts[stem][4]
    return values


def _held_for(sums: Sums, amounts: Sums) -> tuple[HeldFor, ...]:
    found: dict[str, list[int]] = {}
    for measure in sorted(sums):
        if measure.startswith(_HELD):
            _, lines, dong, *_ = amounts.get(measure, (0, 0, 0))
            reason = measure.removeprefix(_HELD).partition(":")[2]  # after the role that must act
            before = found.get(reason, [0, 0, 0])
            found[reason] = [before[0] + sums[measure][0], before[1] + lines, before[2] + dong]
    return tuple(HeldFor(reason, *counts) for reason, counts in sorted(found.items()) if any(counts))
