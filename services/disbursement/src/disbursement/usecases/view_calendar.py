"""The month's calendar: statutory dates on working days, what was done of each cycle, what is late and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Database
from disbursement.domain.calendar import DUTIES, due_date, is_working, public_days, shifted, years_loaded
from disbursement.domain.months import month_text
from disbursement.domain.rulings import RulingKind
from disbursement.storage import calendar, rulings
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["of_cycle", "of_month"]


def _duties(month: date, days: Mapping[date, bool], on: date, row: RowMapping | None) -> list[dict[str, Any]]:
    out = []
    for duty in DUTIES:
        if row is not None and duty.code == "MONEY_SENT" and row["list_handed_over"] is not None and row["needed"] == 0:
            continue  # nothing goes through a prefunded partner
        due = due_date(duty, month, days)
        done = row[duty.code.lower()] if row is not None and duty.code.lower() in row else None
        recorded = row is not None and duty.code.lower() in row
        out.append(
            {
                "code": duty.code, "vi": duty.vi, "en": duty.en, "legal_ref": duty.legal_ref, "due": due, "done": done,
                "late": (done or on) > due if recorded else None, "owner": duty.owner,
                "waiting_for": list(row["missing"] or []) if row is not None and duty.code == "PAYMENT_REPORTED" else [],
            }
        )  # fmt: skip
    return out


def _cycle(row: RowMapping, days: Mapping[date, bool], on: date) -> dict[str, Any]:
    about = {name: row[name] for name in ("cycle_id", "programme", "funding_source", "unit_path", "kind", "sequence", "state")}
    return about | {"month": month_text(row["month"]), "duties": _duties(row["month"], days, on, row)}


async def of_cycle(db: Database, actor: Actor, cycle_id: UUID, on: date) -> dict[str, Any]:
    """One cycle's duties on a business date. Raises NotFound."""
    async with db.read(actor) as tx:
        await own_cycle(tx, actor, cycle_id)
        rows = await calendar.done(tx, cycle_id=cycle_id)
        sent = [_sending(row) for row in await calendar.sendings(tx, [cycle_id], on)]
        return _cycle(rows[0], await calendar.special_days(tx), on) | {"sendings": sent}


def _sending(row: RowMapping) -> dict[str, Any]:
    whose = [("AUTHORITY", row["after_cut_off"]), ("PAYMENT_ORGANISATION", row["paid_late"] + row["unanswered"])]
    return dict(row) | {"late_by": [owner for owner, count in whose if count]}


async def of_month(db: Database, actor: Actor, month: date, on: date, *, after: UUID | None, limit: int) -> dict[str, Any]:
    """A month: its days off, the statutory dates, partners' latest times, and its cycles in the caller's units with what is late."""
    async with db.read(actor) as tx:
        days = await calendar.special_days(tx)
        scope, params = actor.scope_sql("t.unit_path")
        cycles = await calendar.done(tx, scope=scope, params=params, month=month, after=after, limit=limit)
        sent: dict[UUID, list[dict[str, Any]]] = {}
        for row in await calendar.sendings(tx, [cycle["cycle_id"] for cycle in cycles], on):
            sent.setdefault(row["cycle_id"], []).append(_sending(row))
        clocks = {"": await rulings.setting(tx, "PARTNER_CUT_OFF", on)}
        for row in await rulings.in_force(tx, RulingKind.SETTING, on):
            name = row["key"].removeprefix("PARTNER_CUT_OFF.")
            if name != row["key"]:
                clocks.setdefault(name, row["body"]["value"])
    end = shifted(month, 1)
    whole = [month + timedelta(days=n) for n in range((end - month).days)]
    off = [
        {"day": day, "name_vi": public_days()[day][1] if day in public_days() else None,
         "legal_ref": public_days()[day][2] if day in public_days() else None}
        for day in whole if not is_working(day, days)
    ]  # fmt: skip
    return {
        "month": month_text(month),
        "days_off_known": {month.year, shifted(month, -1).year, end.year} <= years_loaded(),
        "days_off": off,
        "working_days": len(whole) - len(off),
        "partner_cut_off": [{"partner": name or None, "time": clock} for name, clock in sorted(clocks.items())],
        "duties": _duties(month, days, on, None),
        "cycles": [_cycle(row, days, on) | {"sendings": sent.get(row["cycle_id"], [])} for row in cycles],
    }
