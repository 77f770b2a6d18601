"""The truth file: who must be paid what, how, and who must not and why. For checking only: no service reads it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansinh.sample.law import amount
from ansinh.sample.model import Person
from ansinh.sample.presets import Outcome

__all__ = ["PEOPLE_FILE", "TRUTH_FILE", "TruthPerson", "person_truth", "read_people", "read_totals", "standing_of", "totals_key"]

TRUTH_FILE, PEOPLE_FILE = "truth.json", "truth-people.jsonl.gz"

_CASH_REASON = {
    Outcome.NO_ID: "NO_ID", Outcome.NOT_IN_DB: "NOT_IN_POPULATION_DB", Outcome.REVIEW: "IDENTITY_REVIEW",
    Outcome.ACCOUNT_CLOSED: "ACCOUNT_CLOSED", Outcome.ACCOUNT_NOT_FOUND: "ACCOUNT_NOT_FOUND", Outcome.ACCOUNT_NAME: "ACCOUNT_NAME_DIFFERS",
    Outcome.ACCOUNT_SHARED: "ACCOUNT_SHARED_ACCOUNT", Outcome.ACCOUNT_ID: "ACCOUNT_ID_DIFFERS",
    Outcome.ACCOUNT_MIDDLE: "ACCOUNT_NAME_REVIEW",
    Outcome.ACCOUNT_DORMANT: "ACCOUNT_DORMANT", Outcome.ACCOUNT_NOT_UPGRADED: "ACCOUNT_NOT_UPGRADED",
    Outcome.REP_SUSPECTED: "REPRESENTATIVE_NOT_VERIFIED", Outcome.REP_DECEASED: "REPRESENTATIVE_NOT_VERIFIED",
}  # fmt: skip
_FAIL_REASON = {Outcome.FAIL_CLOSED: "ACCOUNT_CLOSED", Outcome.FAIL_NAME: "NAME_DIFFERS"}


@dataclass(frozen=True, slots=True)
class TruthPerson:
    """One person's expected month. `amounts` maps "YYYY-MM" to đồng; `outcome` is PAID, HELD, FAILED, UNCOLLECTED or STOPPED.

    `destination` is what the partner's books must name: PROVIDER:account for money to an account, CASH:file code for cash.
    """

    code: str
    programme: str
    district: str
    unit_code: str
    amounts: dict[str, int]
    outcome: str
    channel: str | None
    partner: str | None
    payee: str | None
    reason: str | None
    destination: str | None

    @property
    def amount(self) -> int:
        """Đồng over all months."""
        return sum(self.amounts.values())


def totals_key(t: TruthPerson) -> str:
    """What the person counts as in the totals: ACCOUNT, CASH_POST, CASH_HOME, HELD, FAILED, UNCOLLECTED or STOPPED."""
    if t.outcome != "PAID":
        return t.outcome
    return t.channel if t.channel in ("CASH_POST", "CASH_HOME") and t.channel else "ACCOUNT"


def standing_of(p: Person, t: TruthPerson) -> list[str]:
    """Codes of the reporting service's indicators that count the person when the month is over; nobody who died counts."""
    if p.died_on:
        return []
    asks = p.method == "ACCOUNT"
    closed = p.outcome in Outcome.NEVER_OPEN or (p.outcome == Outcome.FAIL_CLOSED and t.outcome == "FAILED")
    stands = {
        "beneficiaries": True, "registered_people": asks, "opened_people": asks and not closed,
        "no_number_or_not_in_database_people": p.outcome in (Outcome.NO_ID, Outcome.NOT_IN_DB),
    }  # fmt: skip
    return [code for code, holds in stands.items() if holds]


def person_truth(p: Person, district: str, unit_code: str, month: str) -> TruthPerson:
    """What must happen to a person in the month."""
    amounts, known = _amounts(p, month)
    outcome, channel, partner, payee, reason = _fate(p)
    if not known and outcome not in ("STOPPED", "HELD"):
        outcome, channel, partner, payee, reason, amounts = "HELD", None, None, None, "RATE_MISSING", {}
    return TruthPerson(
        p.code, p.programme, district, unit_code, amounts, outcome, channel, partner, payee, reason, _destination(p, channel)
    )


def _destination(p: Person, channel: str | None) -> str | None:
    if channel is None:
        return None
    if channel in ("CASH_POST", "CASH_HOME") or p.account is None:
        return f"CASH:{p.code}"
    return f"{p.account.provider.code}:{p.account.number}"


def _amounts(p: Person, month: str) -> tuple[dict[str, int], bool]:
    """Đồng by month, arrears first; False where the law's table is not known for the month."""
    if p.died_on:
        return {}, True
    months = [month]
    if p.arrears_from:
        at = f"{p.arrears_from[3:]}-{p.arrears_from[:2]}"
        while at < month:
            months.append(at)
            year, number = int(at[:4]), int(at[5:])
            at = f"{year}-{number + 1:02d}" if number < 12 else f"{year + 1}-01"
    out: dict[str, int] = {}
    for m in sorted(months):
        for line in p.lines:
            due = amount(line, m)
            if due is None:
                return {}, False
            out[m] = out.get(m, 0) + due
    return out, True


def _fate(p: Person) -> tuple[str, str | None, str | None, str | None, str | None]:
    """Outcome, channel, partner, payee and reason, by the gate of DESIGN §5: nobody is starved, only a definite negative holds."""
    if p.died_on:
        return "STOPPED", None, None, None, "DECEASED"
    if p.outcome == Outcome.SUSPECTED:
        return "HELD", None, None, None, "SUSPECTED_IDENTITY"
    payee = p.representative.kind if p.representative and p.collected_by_representative else "SELF"
    if p.outcome in (Outcome.REP_SUSPECTED, Outcome.REP_DECEASED):
        payee = "SELF"
    if p.outcome in _FAIL_REASON and p.account is not None:
        return "FAILED", p.account.provider.kind, p.account.provider.partner, payee, _FAIL_REASON[p.outcome]
    if p.outcome == Outcome.ACCOUNT and p.account is not None:
        return "PAID", p.account.provider.kind, p.account.provider.partner, payee, None
    if p.outcome == Outcome.UNCOLLECTED:
        return "UNCOLLECTED", "CASH_POST", "vnpost", payee, None
    channel = "CASH_HOME" if p.method == "HOME" else "CASH_POST"
    return "PAID", channel, "vnpost", payee, _CASH_REASON.get(p.outcome)


def to_line(t: TruthPerson) -> str:
    """One JSON line."""
    return json.dumps(
        {
            "code": t.code, "programme": t.programme, "district": t.district, "unit_code": t.unit_code, "outcome": t.outcome,
            "amount": [{"month": m, "amount": a} for m, a in t.amounts.items()], "channel": t.channel, "partner": t.partner,
            "payee": t.payee, "reason": t.reason, "destination": t.destination,
        },
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip


def read_people(folder: Path) -> Iterator[TruthPerson]:
    """Everybody of the truth file, streaming, in the order of the communes."""
    with gzip.open(folder / PEOPLE_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            d = json.loads(line)
            amounts = {a["month"]: a["amount"] for a in d["amount"]}
            yield TruthPerson(
                d["code"],
                d["programme"],
                d["district"],
                d["unit_code"],
                amounts,
                d["outcome"],
                d["channel"],
                d["partner"],
                d["payee"],
                d["reason"],
                d["destination"],
            )


def read_totals(folder: Path) -> dict[str, Any]:
    """Totals by district and programme, refused rows, and the month they are for."""
    found: dict[str, Any] = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
    return found
