"""Read the figures: scope and month checked, rows named and rounded."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Database
from reporting.domain.errors import BadCursor, UnitNeeded, UnitOutOfScope
from reporting.domain.months import first_of
from reporting.domain.rates import rate_text
from reporting.domain.turns import states_of
from reporting.storage import lag, people, reports

__all__ = ["ALL", "Asked", "Page", "channels", "coverage", "lag_rows", "nobody_left_behind", "outcomes", "payments_total", "states"]

ALL: Final = "ALL"
"""Programme code of the row over all programmes: the sum of the groups, as the province publishes it."""

Row = dict[str, Any]


def unit_for(actor: Actor, unit_path: str | None) -> str:
    """The unit asked for, or the caller's only one. A unit outside the scope is answered like one that does not exist."""
    if unit_path is None:
        if len(actor.unit_paths) != 1 or actor.everywhere:
            raise UnitNeeded(errors=[{"field": "unit_path", "detail": "name a unit, for example 60 or 60/593"}])
        return actor.unit_paths[0]
    if not actor.sees(unit_path):
        raise UnitOutOfScope
    return unit_path


async def coverage(db: Database, actor: Actor, month: str, unit_path: str | None, decimals: int) -> list[Row]:
    """Paid by account / total, per programme × next lower unit, with totals of both."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        found = await reports.coverage(tx, first, unit)
        paths = {unit} | {f"{unit}/{row['segment']}" for row in found if row["segment"]}
        names = await reports.unit_names(tx, sorted(paths), first)
    rows = []
    for row in found:
        is_total = bool(row["all_units"]) or not row["segment"]
        path = unit if is_total else f"{unit}/{row['segment']}"
        rate = rate_text(row["paid_by_account_people"], row["total_people"], decimals)
        rows.append(
            {
                "programme": ALL if row["all_programmes"] else row["programme"],
                "unit_code": path.rsplit("/", 1)[-1],
                "unit_path": path,
                "unit_name": names.get(path),
                "is_total": bool(row["all_units"]),
                "total_people": row["total_people"],
                "distinct_people": row["distinct_people"],
                "paid_by_account_people": row["paid_by_account_people"],
                "rate": rate,
                "rate_percent": float(rate),
                "amount_paid_by_account": row["amount_paid_by_account"] or 0,
                "amount_paid_total": row["amount_paid_total"] or 0,
            }
        )
    return rows


async def channels(db: Database, actor: Actor, month: str, unit_path: str | None) -> list[Row]:
    """People and đồng by programme and channel."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        return [dict(row) for row in await reports.channels(tx, first, unit)]


async def outcomes(db: Database, actor: Actor, month: str, unit_path: str | None) -> list[Row]:
    """Held, failed, returned, uncollected, unknown by reason."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        return [dict(row) for row in await reports.outcomes(tx, first, unit)]


async def states(db: Database, actor: Actor, month: str, unit_path: str | None) -> list[Row]:
    """Everybody due by state and programme."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    async with db.read(actor) as tx:
        return [dict(row) for row in await reports.states(tx, first, unit)]


async def payments_total(db: Database, actor: Actor, month: str | None, unit_path: str | None) -> list[Row]:
    """All payments by programme, partner, channel and status."""
    unit, first = unit_for(actor, unit_path), first_of(month) if month else None
    async with db.read(actor) as tx:
        return [dict(row) for row in await reports.payment_totals(tx, first, unit)]


@dataclass(frozen=True)
class Page:
    """Rows and the cursor of the next page (None at the end)."""

    rows: Sequence[Row]
    next_cursor: str | None


@dataclass(frozen=True)
class Asked:
    """Whom the caller wants to see; `on` is the business date that days are counted to."""

    on: date
    states: tuple[str, ...] = ()
    turn: str | None = None
    programme: str | None = None
    reason: str | None = None
    min_days: int = 0


async def nobody_left_behind(
    db: Database, actor: Actor, month: str, unit_path: str | None, cursor: str | None, limit: int, asked: Asked
) -> Page:
    """One page of everybody due, each with a state, whose turn it is and since when; names and dossier codes, never numbers."""
    unit, first = unit_for(actor, unit_path), first_of(month)
    states = asked.states or (states_of(asked.turn) if asked.turn else ())
    before = asked.on - timedelta(days=asked.min_days) if asked.min_days else None
    wanted = people.Filter(states, asked.turn, asked.programme, asked.reason, before)
    async with db.read(actor) as tx:
        found = await people.page(tx, first, unit, _position(cursor), limit, wanted)
        rows = [dict(row) for row in found if row["wanted"]]
        names = await reports.unit_names(tx, sorted({row["unit_path"] for row in rows}), first)
    for row in rows:
        row.pop("wanted")
        row |= {
            "unit_name": names.get(row["unit_path"]),
            "unit_code": row["unit_path"].rsplit("/", 1)[-1],
            "days_waiting": None if row["turn"] is None or row["since"] is None else max(0, (asked.on - row["since"]).days),
        }
    return Page(rows, _cursor(found[-1]) if len(found) == limit else None)


def _cursor(row: RowMapping) -> str:
    parts = astuple(people.Position(row["unit_path"], row["beneficiary_id"], row["programme"], row["cycle_id"]))
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in parts]).encode()).decode()


def _position(cursor: str | None) -> people.Position:
    if cursor is None:
        return people.START
    try:
        unit_path, beneficiary, programme, cycle = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return people.Position(str(unit_path), UUID(beneficiary), str(programme), UUID(cycle))
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise BadCursor(errors=[{"field": "cursor", "detail": "start again without one"}]) from error


async def lag_rows(db: Database, actor: Actor) -> list[Row]:
    """Per topic-partition: applied offset and how many are left."""
    async with db.read(actor) as tx:
        return [dict(row) for row in await lag.positions(tx)]
