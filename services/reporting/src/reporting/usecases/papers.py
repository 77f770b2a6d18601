"""Statutory reports: freeze with the figures of one moment, list, read back, hand over, and what is due when."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound, ServiceUnavailable
from reporting.domain.addressing import Letter, Sender, letters
from reporting.domain.errors import BadPeriod, DayTooEarly, NobodyHandsOver, PeriodNotBegun, ReportHandedOver, UnknownLayout
from reporting.domain.months import first_of, last_day
from reporting.domain.statutory import Due, Layout, Period, PeriodKind, Source, addressees_of, month_after, period_of, steps_of
from reporting.storage import papers, partner_sums, picker, reports
from reporting.storage.statutory import addressees, layouts, newest, told_to_committee
from reporting.usecases.paper_cells import Row, Wanted, compute
from reporting.usecases.reports import unit_for
from reporting.usecases.snapshots import snapshot

__all__ = [
    "DueState",
    "Frozen",
    "calendar",
    "digest_of",
    "each_row",
    "each_unpaid",
    "freeze",
    "hand_over",
    "layout_of",
    "list_frozen",
    "may_read",
    "open_report",
    "preview",
    "unpaid_asked",
    "wanted_of",
]


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen report: its head as kept, its layout, its rows, and the papers it makes (none where it goes to no authority)."""

    head: RowMapping
    layout: Layout
    rows: Sequence[RowMapping]
    letters: Sequence[Letter]


@dataclass(frozen=True, slots=True)
class DueState:
    """One due day of one report of one unit, and what came of it."""

    layout: Layout
    period: Period
    due: Due
    day: date
    report_id: UUID | None
    handed_on: date | None
    reference: str | None
    days_late: int
    state: str


def layout_of(code: str) -> Layout:
    """The newest version of a layout. Raises `UnknownLayout`."""
    layout = newest().get(code)
    if layout is None:
        raise UnknownLayout(errors=[{"field": "layout", "detail": f"one of {', '.join(sorted(newest()))}"}])
    return layout


def wanted_of(actor: Actor, code: str, period: str, unit_path: str | None, units_on: date | None, business_date: date) -> Wanted:
    """What was asked for, checked: the unit is the actor's, the period begins where such periods do."""
    layout, first = layout_of(code), first_of(period)
    try:
        span = period_of(layout.period, first)
    except ValueError as error:
        raise BadPeriod(errors=[{"field": "period", "detail": f"{layout.period}: the first month of the period, YYYY-MM"}]) from error
    # Whoever looks ahead knows the units of today only.
    tree = units_on or (business_date if layout.source is Source.DUES else last_day(span.last))
    return Wanted(layout, span, unit_for(actor, unit_path), tree, business_date)


def digest_of(wanted: Wanted, rows: Sequence[Row]) -> str:
    """SHA-256 over the report's place and its rows, written in one way only (JSON, keys sorted, one line each)."""
    layout = wanted.layout
    head = [layout.code, layout.version, layout.digest, wanted.period.first, wanted.period.last, wanted.unit_path, wanted.units_on]
    total = hashlib.sha256(orjson.dumps(head) + b"\n")
    for row in rows:
        total.update(orjson.dumps({name: row[name] for name in papers.ROW}, option=orjson.OPT_SORT_KEYS) + b"\n")
    return total.hexdigest()


async def preview(db: Database, actor: Actor, wanted: Wanted) -> tuple[str, list[Row]]:
    """The report as it would be frozen now."""
    async with db.read(actor) as tx:
        await _made(tx, wanted)
        made = await compute(tx, wanted, actor.sees)
    return made.name, made.rows


async def _made(tx: Tx, wanted: Wanted) -> None:
    summed = wanted.layout.source is not Source.INDICATORS or wanted.layout.period is not PeriodKind.MONTH
    if summed and await partner_sums.being_made(tx):
        raise ServiceUnavailable("The figures are being made again after an upgrade", headers={"Retry-After": "60"})


async def freeze(tx: Tx, actor: Actor, wanted: Wanted) -> Frozen:
    """Keep the report with its figures as of one number of the event log. Raises `PeriodNotBegun` unless it is an estimate.

    The figures are computed from a snapshot while consumers go on, and written by `tx`. Who freezes the same report at once waits first
    and takes a later snapshot: editions follow the log.
    """
    if wanted.layout.source is not Source.DUES and wanted.business_date < wanted.period.first:
        raise PeriodNotBegun(errors=[{"field": "business_date", "detail": f"from {wanted.period.first} on"}])
    await papers.lock(tx, wanted.layout.code, wanted.period.first, wanted.unit_path, wanted.units_on)
    async with snapshot(tx) as moment:
        await _made(moment.view, wanted)
        made = await compute(moment.view, wanted, actor.sees)
    report_id = new_id()
    digest = digest_of(wanted, made.rows)
    head = {
        "report_id": report_id, "layout": wanted.layout.code, "layout_version": wanted.layout.version,
        "layout_digest": wanted.layout.digest, "period_first": wanted.period.first, "period_last": wanted.period.last,
        "unit_path": wanted.unit_path, "unit_name": made.name, "units_on": wanted.units_on, "business_date": wanted.business_date,
        "log_seq": moment.mark, "digest": digest, "row_count": len(made.rows), "later_units": made.later_units,
        "frozen_by": actor.subject, "frozen_at": moment.at,
    }  # fmt: skip
    edition = await papers.add(tx, head, _competent(wanted), made.rows)
    detail = {
        "layout": wanted.layout.code, "period": str(wanted.period.first), "edition": edition, "digest": digest, "log_seq": moment.mark,
    }  # fmt: skip
    await audit.record(tx, "report.frozen", "frozen_report", report_id, audit.Created(detail))
    return await _opened(tx, actor, report_id)


def _competent(wanted: Wanted) -> list[dict[str, Any]]:
    """Whom the report goes to on its day: each ministry with its programmes; programmes that nobody is competent for yet go to nobody."""
    table = addressees()
    programmes = [group for group in wanted.layout.groups if any(one.programme == group for one in table)]
    there = [group for group in programmes if any(one.programme == group and one.since <= wanted.business_date for one in table)]
    return [
        {"ministry": asdict(one.ministry), "department": asdict(one.department), "programmes": list(names)}
        for one, names in addressees_of(table, there, wanted.business_date)
    ]


async def open_report(db: Database, actor: Actor, report_id: UUID) -> Frozen:
    """A frozen report of the actor's units. Raises `NotFound`."""
    async with db.read(actor) as tx:
        return await _opened(tx, actor, report_id)


async def _opened(tx: Tx, actor: Actor, report_id: UUID) -> Frozen:
    head = await _head(tx, actor, report_id)
    layout = layouts()[head["layout"], head["layout_version"]]
    made = _letters(head, await _sender(tx, head)) if layout.to_ministry else []
    return Frozen(head, layout, await papers.rows_of(tx, report_id), made)


def _letters(head: RowMapping, sender: Sender) -> list[Letter]:
    """The papers of a report that goes to somebody."""
    return letters(sender, head["addressees"], to_committee=head["layout"] in told_to_committee())


async def _sender(tx: Tx, head: RowMapping) -> Sender:
    """The report's unit, and what stood above it on the day its units are of."""
    path, day = str(head["unit_path"]), head["units_on"]
    above, province = path.rpartition("/")[0], path.partition("/")[0]
    names = await reports.unit_names(tx, [above, province], day)
    district = names.get(above, "") if above != province and await papers.level_of(tx, above, day) == "district" else ""
    return Sender(await papers.level_of(tx, path, day), district, names.get(province, ""))


async def each_row(db: Database, actor: Actor, report_id: UUID) -> AsyncIterator[RowMapping]:
    """A report's rows as they come; whoever asks has opened the report first."""
    async with db.read(actor) as tx:
        async for row in papers.stream_rows(tx, report_id):
            yield row


async def each_unpaid(db: Database, actor: Actor, month: str, unit_path: str, partner: str | None) -> AsyncIterator[RowMapping]:
    """Who was not paid; whoever asks has had the unit checked and the list audited."""
    async with db.read(actor) as tx:
        async for row in papers.stream_unpaid(tx, first_of(month), unit_path, partner):
            yield row


async def unpaid_asked(db: Database, actor: Actor, month: str, unit_path: str | None, partner: str | None) -> str:
    """The unit of a list of unpaid people, checked; that somebody takes the list is audited."""
    unit = unit_for(actor, unit_path)
    first_of(month)
    async with db.transaction(actor) as tx:
        await audit.record(tx, "unpaid_list.taken", "unit", unit, audit.Noted({"month": month, "partner": partner}))
    return unit


async def _head(tx: Tx, actor: Actor, report_id: UUID) -> RowMapping:
    head = await papers.one(tx, report_id)
    if head is None or not may_read(actor, head):
        raise NotFound("No such report")
    return head


def may_read(actor: Actor, head: RowMapping) -> bool:
    """Whether a report is of the caller's unit, and of no later units that are not the caller's."""
    return all(actor.sees(path) for path in (head["unit_path"], *head["later_units"]))


async def list_frozen(
    db: Database, actor: Actor, layout: str | None, period: str | None, before: UUID | None, limit: int
) -> list[tuple[RowMapping, list[Letter]]]:
    """Frozen reports of the actor's units with the papers they make, newest first."""
    async with db.read(actor) as tx:
        heads = await papers.page(tx, actor, layout, first_of(period) if period else None, before, limit)
        senders: dict[tuple[str, date], Sender] = {}  # a page is of few units
        for head in heads:
            place = (head["unit_path"], head["units_on"])
            if place not in senders:
                senders[place] = await _sender(tx, head)
        known = layouts()
        return [
            (
                head,
                _letters(head, senders[head["unit_path"], head["units_on"]])
                if known[head["layout"], head["layout_version"]].to_ministry
                else [],
            )
            for head in heads
        ]


async def hand_over(db: Database, actor: Actor, report_id: UUID, who: str, handed_on: date, reference: str) -> Frozen:
    """Note that a report was handed over, on the day it was made or later.

    Raises `NobodyHandsOver` where the layout has no such step, `DayTooEarly`, `ReportHandedOver` twice.
    """
    async with db.transaction(actor) as tx:
        head = await _head(tx, actor, report_id)
        layout = layouts()[head["layout"], head["layout_version"]]
        if who not in {due.who for due in layout.dues}:
            raise NobodyHandsOver(errors=[{"field": "who", "detail": ", ".join(due.who for due in layout.dues) or "no step"}])
        if handed_on < head["business_date"]:
            raise DayTooEarly(errors=[{"field": "handed_on", "detail": f"{head['business_date']} or later: the report was made that day"}])
        if not await papers.record_handed_over(tx, report_id, who, handed_on, reference, actor.subject):
            raise ReportHandedOver
        what = audit.Changed({"handed_on": None, "reference": None}, {"handed_on": handed_on, "reference": reference}, {"who": who})
        await audit.record(tx, "report.handed_over", "frozen_report", report_id, what)
    return await open_report(db, actor, report_id)


async def calendar(db: Database, actor: Actor, unit_path: str | None, on: date) -> list[DueState]:
    """What the unit itself hands over around a day: of each report the coming period and the two before it, with how late.

    Nothing is asked for a time before the unit's first payment cycle here, and nobody is shown the steps of another level.
    """
    unit = unit_for(actor, unit_path)
    states = []
    async with db.read(actor) as tx:
        months = await picker.months(tx, (unit,), everywhere=False)
        first = first_of(months[-1]) if months else on.replace(day=1)
        steps = steps_of(await papers.level_of(tx, unit, on))
        for layout in newest().values():
            for due in (due for due in layout.dues if due.who in steps):
                periods = [period for period in _periods(layout, due, on) if min(period.last, due.day_for(period.last)) >= first]
                states += [await _due_state(tx, unit, layout, due, period, on) for period in periods]
    return sorted(states, key=lambda state: (state.day, state.layout.code, state.due.who), reverse=True)


_STEP = {PeriodKind.MONTH: 1, PeriodKind.HALF_YEAR: 6, PeriodKind.YEAR: 12}


def _periods(layout: Layout, due: Due, on: date) -> list[Period]:
    """The next period to hand over and the two before it, where the rule is in force."""
    step = _STEP[layout.period]
    year = period_of(PeriodKind.YEAR, date(on.year, 1, 1)).first
    candidates = [period_of(layout.period, month_after(year, step * number)) for number in range(-2 * 12 // step, 3 * 12 // step + 1)]
    days = [(due.day_for(period.last), period) for period in candidates]
    allowed = [(day, p) for day, p in days if (due.since is None or day >= due.since) and (due.until is None or day <= due.until)]
    coming = [one for one in allowed if one[0] >= on][:1]
    return [period for _, period in [one for one in allowed if one[0] < on][-2:] + coming]


async def _due_state(tx: Tx, unit: str, layout: Layout, due: Due, period: Period, on: date) -> DueState:
    handed = await papers.handed_over(tx, unit, layout.code, period.first, due.who)
    newest_one = await papers.latest(tx, unit, layout.code, period.first)
    done = handed["handed_on"] if handed else None
    late = due.days_late(period.last, done or on)
    state = ("HANDED_OVER_LATE" if late else "HANDED_OVER") if done else ("LATE" if late else "FROZEN" if newest_one else "OPEN")
    report_id = handed["report_id"] if handed else newest_one["report_id"] if newest_one else None
    return DueState(layout, period, due, due.day_for(period.last), report_id, done, handed["reference"] if handed else None, late, state)
