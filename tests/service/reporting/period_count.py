"""The figures of a period counted one line after the other, in plain words: what the sums must say of any months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import combinations_with_replacement
from typing import Any
from uuid import UUID

from reporting_builders import Reporting

from common.actor import SYSTEM
from reporting.domain.indicators import ALL, EACH_ONCE
from reporting.storage.lines import OWED, lines_of
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask

PAID = ("PAID_BY_ACCOUNT", "PAID_IN_CASH")
STEMS = ("due", "paid", "held", "failed", "unknown", "carried_over", "unpaid_at_end")
Line = dict[str, Any]


def _taken_over(line: Line, payments: Sequence[Line], holds: Sequence[Line]) -> date | None:
    """The month of the first later list that pays or holds what the line could not pay."""
    later = [one for one in (*payments, *holds) if one["month"] > line["month"] and _kin(one) == _kin(line)]
    own = set(line["months"] or [f"{line['month']:%Y-%m}"])
    found = []
    for one in later:
        months, is_hold = set(one["months"] or ()), "hold_id" in one
        if line["state"] in ("HELD", "RELEASED"):
            same = bool(months & own) or (is_hold and not months)
        elif line["state"] in ("FAILED", "RETURNED", "UNCOLLECTED", "CANCELLED"):
            same = one["amount"] >= line["amount"] and (months >= own or (is_hold and not months))
            same = same or (not is_hold and one["attempt"] > line["attempt"] and bool(months & own))
        else:
            same = False
        if same:
            found.append(one["month"])
    return min(found, default=None)


def _kin(row: Line) -> tuple[Any, ...]:
    return row["beneficiary_id"], row["programme"], row["funding_source"]


def _has(line: Line, stem: str, last: date) -> bool:
    due = not (line["state"] in ("HELD", "RELEASED") and line["reason"] == "DECEASED")
    paid = line["state"] in PAID
    return {
        "due": due,
        "paid": paid,
        "held": line["state"] == "HELD" and due,
        "failed": line["state"] == "FAILED",
        "unknown": line["state"] == "UNKNOWN",
        "carried_over": due and not paid,
        "unpaid_at_end": due and not (paid and line["since"].replace(day=1) <= last),
    }[stem]


async def compare_periods(reporting: Reporting, months: Sequence[str]) -> None:
    """Every period of these months: people, lines and đồng of each programme and over all; what is due is paid or left at the end."""
    async with reporting.db.read() as tx:
        lines = list(map(dict, await tx.rows(f"WITH {lines_of('TRUE', 'TRUE')} SELECT * FROM line")))
        payments = list(map(dict, await tx.rows("SELECT * FROM payment")))
        holds = list(map(dict, await tx.rows(f"SELECT * FROM hold WHERE {OWED}")))
    for line in lines:
        line["over"] = _taken_over(line, payments, holds)
    days = [date.fromisoformat(f"{month}-01") for month in months]
    for first, last in combinations_with_replacement(days, 2):
        answer = await measure(reporting.db, SYSTEM("test"), Ask(unit_path="60", first=first, last=last, as_of=date(2025, 6, 30)))
        told = [one for one in lines if first <= one["month"] <= last and not (one["over"] and one["over"] <= last)]
        for group in ("MERIT", "SOCIAL_ASSISTANCE", ALL, EACH_ONCE):
            values = answer.row(group).values
            for stem in STEMS:
                some = [one for one in told if group in (ALL, EACH_ONCE, one["programme"]) and _has(one, stem, last)]
                people = {(one["month"], one["beneficiary_id"], one["programme"] if group == ALL else "") for one in some}
                counted = (len(people), sum(one["lines"] for one in some), sum(one["amount"] for one in some))
                assert tuple(values[f"{stem}_{what}"] for what in ("people", "lines", "dong")) == counted, (first, last, group, stem)
            for what in ("lines", "dong"):
                assert values[f"due_{what}"] == values[f"paid_{what}"] + values[f"carried_over_{what}"]


async def compare_years(reporting: Reporting, months: Sequence[str]) -> None:
    """People of the year to each month, everybody once however many files were merged, by programme, unit and way of paying."""
    async with reporting.db.read() as tx:
        payments = list(map(dict, await tx.rows("SELECT * FROM payment WHERE status IN ('SETTLED', 'COLLECTED')")))
        merged = {row["beneficiary_id"]: row["merged_into"] for row in await tx.rows("SELECT * FROM beneficiary")}
    for one in payments:
        one["person"] = min(_files(one["beneficiary_id"], merged))
    for last in (date.fromisoformat(f"{month}-01") for month in months):
        ask = Ask(unit_path="60", first=last, last=last, as_of=date(2025, 6, 30), below="COMMUNES")
        answer = await measure(reporting.db, SYSTEM("test"), ask)
        year = [one for one in payments if last.replace(month=1) <= one["month"] <= last]
        for row in answer.rows:
            if row.group not in ("MERIT", "SOCIAL_ASSISTANCE", EACH_ONCE):
                continue
            for stem, channels in CHANNELS.items():
                some = [one for one in year if row.group in (EACH_ONCE, one["programme"]) and one["channel"] in channels]
                first: dict[UUID, str] = {}
                for one in sorted(some, key=lambda one: (one["month"], one["unit_path"])):
                    first.setdefault(one["person"], one["unit_path"])
                here = [path for path in first.values() if row.is_total or path == row.unit_path]
                assert row.values[f"{stem}_people_year"] == len(here), (last, row.group, row.unit_path, stem)


CHANNELS = {
    "paid": ("BANK", "WALLET", "MOBILE_MONEY", "CASH_POST", "CASH_HOME"), "by_account": ("BANK", "WALLET", "MOBILE_MONEY"),
    "bank": ("BANK",), "wallet": ("WALLET",), "mobile_money": ("MOBILE_MONEY",), "post": ("CASH_POST",), "home": ("CASH_HOME",),
}  # fmt: skip


def _files(file: UUID, merged: dict[UUID, UUID | None]) -> set[UUID]:
    """Every file that was merged with one, over whatever others."""
    found = {file}
    while more := {b for a, b in merged.items() if a in found and b} | {a for a, b in merged.items() if b in found}:
        if more <= found:
            break
        found |= more
    return found
