"""Publish a month without personal data: made from the indicators, small cells hidden, kept; anybody may read what is published.

One table per province and month, the units directly below it by group. Money is hidden where few people are due, and where few of them got
it: those who wait beside them are no cover. No other cut of the same figures is published, so that two tables cannot be subtracted from
each other; reading computes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from reporting.domain.errors import PeriodNotBegun, UnitNeeded
from reporting.domain.indicators import ALL
from reporting.domain.months import first_of, last_day
from reporting.domain.rates import rate_text
from reporting.domain.suppression import Line, hidden
from reporting.storage import public_reports
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, Measured
from reporting.usecases.paper_cells import UNPLACED
from reporting.usecases.reports import unit_for
from reporting.usecases.snapshots import snapshot

__all__ = ["GROUPS", "publish", "published", "published_months"]

GROUPS: Final = ("MERIT", "SOCIAL_ASSISTANCE", "SOCIAL_PENSION")
_OUTCOMES: Final = ("BY_ACCOUNT", "OTHER")
_OUTCOME: Final = {"PAID_BY_ACCOUNT": "BY_ACCOUNT", "PAID_IN_CASH": "OTHER"}
_DUE: Final = "DUE"
_WHOLE: Final = ""
_REST: Final = "?"

Cell = tuple[str, str, str]
"""(group, unit path, outcome); '' is the whole province, '?' what lies at no unit below it."""


async def publish(tx: Tx, actor: Actor, month: str, unit_path: str | None, business_date: date, threshold: int) -> RowMapping:
    """Publish a month that is over, of a province. Raises `PeriodNotBegun` before its end, `UnitNeeded` for anything but a province."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    if "/" in unit:
        raise UnitNeeded("only a whole province is published", errors=[{"field": "unit_path", "detail": "a province, such as 60"}])
    if business_date <= last_day(first):
        raise PeriodNotBegun(errors=[{"field": "business_date", "detail": f"after {last_day(first)}, when the month is over"}])
    await public_reports.lock(tx, unit, first)
    async with snapshot(tx) as moment:
        answer = await measure_in(moment.view, Ask(first=first, last=first, unit_path=unit, as_of=business_date))
        paid = await public_reports.payees(moment.view, unit, first)
    rows = _rows(answer, paid, threshold)
    digest = hashlib.sha256(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)).hexdigest()
    head = {
        "public_id": new_id(), "month": first, "unit_path": unit, "unit_name": answer.row(ALL).unit_name or unit, "threshold": threshold,
        "log_seq": moment.mark, "business_date": business_date, "digest": digest, "published_by": actor.subject, "published_at": moment.at,
    }  # fmt: skip
    edition = await public_reports.add(tx, head, rows)
    detail = {"month": month, "edition": edition, "digest": digest}
    await audit.record(tx, "report.published", "public_report", head["public_id"], audit.Created(detail))
    return await _latest(tx, unit, first)


def _rows(answer: Measured, paid: Iterable[RowMapping], threshold: int) -> list[dict[str, Any]]:
    people, dong, names = _cells(answer)
    units = [path for path in names if path != _WHOLE]
    secret = hidden(people, _lines(units), threshold)
    # Money is counted by whom it went to. Each way of paying by itself: nobody can compute one from the other.
    got = _payees(paid, units)
    money = secret.union(*(hidden(_only(got, units, way), _sums(units, (way,)), threshold) for way in _OUTCOMES))

    def shown(values: dict[Hashable, int], cell: Cell) -> int | None:
        return None if cell in (money if values is dong else secret) else values[cell]

    rows = []
    for group in (*GROUPS, ALL):
        for unit in (_WHOLE, *units):
            due, account, other = ((group, unit, outcome) for outcome in (_DUE, *_OUTCOMES))
            total, part = shown(people, due), shown(people, account)
            rows.append(
                {
                    "group": group, "unit_path": "" if unit == _REST else unit or answer.unit_path, "unit_name": names[unit],
                    "is_total": unit == _WHOLE, "due_people": total, "by_account_people": part, "other_people": shown(people, other),
                    "by_account_rate": None if total is None or part is None else rate_text(part, total),
                    "by_account_dong": shown(dong, account), "in_cash_dong": shown(dong, other),
                }
            )  # fmt: skip
    return rows


def _cells(answer: Measured) -> tuple[dict[Hashable, int], dict[Hashable, int], dict[str, str]]:
    """People and đồng per cell, all sums made from the parts, so that they add up; names of the units."""
    people: dict[Hashable, int] = {}
    dong: dict[Hashable, int] = {}
    totals = {row.group: row.values for row in answer.rows if row.is_total}
    names = {row.unit_path: row.unit_name or row.unit_path for row in answer.rows if not row.is_total}
    whole = next(row.unit_name for row in answer.rows if row.is_total)
    for row in answer.rows:
        if not row.is_total and row.group in GROUPS:
            _put(people, dong, row.group, row.unit_path, row.values)
    for group in GROUPS:
        rest = {code: totals[group][code] - sum(_of(answer, group, path)[code] for path in names) for code in _CODES}
        _put(people, dong, group, _REST, rest)
    units = [*sorted(names), _REST]
    _add_sums(people, units)
    _add_sums(dong, units)
    if not any(values[ALL, _REST, outcome] for values in (people, dong) for outcome in _OUTCOMES):
        for group in (*GROUPS, ALL):
            for outcome in (_DUE, *_OUTCOMES):
                del people[group, _REST, outcome]
        units.remove(_REST)
    return people, dong, {_WHOLE: whole or answer.unit_path} | {unit: names.get(unit, UNPLACED) for unit in units}


def _add_sums(values: dict[Hashable, int], units: Sequence[str]) -> None:
    for group in GROUPS:
        for outcome in _OUTCOMES:
            values[group, _WHOLE, outcome] = sum(values[group, unit, outcome] for unit in units)
    for unit in (*units, _WHOLE):
        for outcome in _OUTCOMES:
            values[ALL, unit, outcome] = sum(values[group, unit, outcome] for group in GROUPS)
        for group in (*GROUPS, ALL):
            values[group, unit, _DUE] = sum(values[group, unit, outcome] for outcome in _OUTCOMES)


_CODES: Final = ("due_people", "by_account_people", "paid_dong", "by_account_dong")


def _of(answer: Measured, group: str, path: str) -> Any:
    return next(row.values for row in answer.rows if row.group == group and row.unit_path == path and not row.is_total)


def _put(people: dict[Hashable, int], dong: dict[Hashable, int], group: str, unit: str, values: Any) -> None:
    people[group, unit, "BY_ACCOUNT"] = values["by_account_people"]
    people[group, unit, "OTHER"] = values["due_people"] - values["by_account_people"]
    dong[group, unit, "BY_ACCOUNT"] = values["by_account_dong"]
    dong[group, unit, "OTHER"] = values["paid_dong"] - values["by_account_dong"]


def _payees(paid: Iterable[RowMapping], units: Sequence[str]) -> dict[Hashable, int]:
    """How many people each đồng figure is of. Over units and groups they are added up, like the money."""
    got: dict[Hashable, int] = {(group, unit, way): 0 for group in GROUPS for unit in units for way in _OUTCOMES}
    for row in paid:
        if row["programme"] in GROUPS:
            got[row["programme"], row["segment"] or _REST, _OUTCOME[row["state"]]] = row["people"]
    _add_sums(got, units)
    return got


def _only(values: dict[Hashable, int], units: Sequence[str], way: str) -> dict[Hashable, int]:
    cells: list[Cell] = [(group, unit, way) for group in (*GROUPS, ALL) for unit in (*units, _WHOLE)]
    return {cell: values[cell] for cell in cells}


def _lines(units: Sequence[str]) -> list[Line]:
    """Every sum of people that a reader can make: over units, over groups, over outcomes."""
    lines = _sums(units, (_DUE, *_OUTCOMES))
    whole = [(group, unit) for group in (*GROUPS, ALL) for unit in (*units, _WHOLE)]
    return lines + [Line((group, unit, _DUE), tuple((group, unit, o) for o in _OUTCOMES)) for group, unit in whole]


def _sums(units: Sequence[str], outcomes: Sequence[str]) -> list[Line]:
    """The sums over units and over groups."""
    lines = [Line((group, _WHOLE, o), tuple((group, unit, o) for unit in units)) for group in (*GROUPS, ALL) for o in outcomes]
    return lines + [Line((ALL, unit, o), tuple((group, unit, o) for group in GROUPS)) for unit in (*units, _WHOLE) for o in outcomes]


async def published(db: Database, unit_path: str, month: str) -> RowMapping:
    """What is published of a month. Raises `NotFound`."""
    async with db.read() as tx:
        return await _latest(tx, unit_path, first_of(month))


async def _latest(tx: Tx, unit_path: str, month: date) -> RowMapping:
    row = await public_reports.latest(tx, unit_path, month)
    if row is None:
        raise NotFound("Nothing is published of that month")
    return row


async def published_months(db: Database, limit: int) -> Sequence[RowMapping]:
    """Which months are published."""
    async with db.read() as tx:
        return await public_reports.months(tx, limit)
