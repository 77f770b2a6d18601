"""What the platform and the partners say of every person after the month, gathered through public APIs only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansinh.demo.bars import Stage
from ansinh.demo.client import Api
from ansinh.demo.lists import bounded
from ansinh.demo.stack_info import StackInfo
from ansinh.sample import Manifest

__all__ = ["Evidence", "PaymentSeen", "PersonSeen", "gather"]

_STATUSES = ("SETTLED", "COLLECTED", "FAILED", "UNCOLLECTED", "APPROVED", "SUBMITTING", "SUBMITTED", "UNKNOWN", "RETURNED", "CANCELLED")


@dataclass(slots=True)
class PersonSeen:
    """One person and programme as reporting tells it."""

    beneficiary_id: str
    code: str
    programme: str
    unit_code: str
    state: str
    amount: int
    channel: str | None
    partner: str | None
    reason: str | None
    cash_reason: str | None


@dataclass(slots=True)
class PaymentSeen:
    """One payment as disbursement tells it."""

    reference: str
    beneficiary_id: str
    programme: str
    status: str
    amount: int
    months: tuple[str, ...]
    channel: str
    partner: str
    payee_kind: str
    reason: str | None


@dataclass(slots=True)
class BookEntry:
    """One payment as the partner's own books have it."""

    partner: str
    reference: str
    state: str
    amount: int
    destination: str


@dataclass(slots=True)
class Evidence:
    """All of it."""

    people: list[PersonSeen] = field(default_factory=list)
    payments: list[PaymentSeen] = field(default_factory=list)
    books: list[BookEntry] = field(default_factory=list)
    book_totals: dict[str, Any] = field(default_factory=dict)
    doubles: dict[str, Any] = field(default_factory=dict)
    ours: dict[str, Any] = field(default_factory=dict)
    coverage: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, Any] = field(default_factory=dict)
    indicators: list[dict[str, Any]] = field(default_factory=list)
    payments_total: dict[str, Any] = field(default_factory=dict)
    trial_balance: dict[str, Any] = field(default_factory=dict)


async def gather(api: Api, stack: StackInfo, manifest: Manifest, cycles: list[str], stage: Stage) -> Evidence:
    """Reads reports, every person, every payment and the partners' books."""
    evidence = Evidence()
    month = manifest.month
    unit = manifest.province_code + (f"/{manifest.district_code}" if manifest.district_code else "")
    report = {"month": month, "unit_path": unit}
    evidence.coverage = (await api.get("reporting", "/v1/reports/coverage", stack.checker, **report))["rows"]
    evidence.channels = (await api.get("reporting", "/v1/reports/channels", stack.checker, **report))["rows"]
    evidence.outcomes = await api.get("reporting", "/v1/reports/outcomes", stack.checker, **report)
    evidence.indicators = (await api.get("reporting", "/v1/indicators", stack.checker, **report))["rows"]
    evidence.payments_total = await api.get("reporting", "/v1/reports/payments-total", stack.checker, **report)
    evidence.trial_balance = await api.get("disbursement", "/v1/ledger/trial-balance", stack.checker)
    below = sorted({row["unit_path"] for row in evidence.coverage if row["unit_path"] != unit}) or [unit]
    total = sum(int(row["total_people"]) for row in evidence.coverage if row["programme"] == "ALL" and row["is_total"])

    async def people(path: str) -> None:
        async for row in api.pages("reporting", "/v1/reports/nobody-left-behind", stack.checker, items="rows",
                                   month=month, unit_path=path, limit=200):  # fmt: skip
            evidence.people.append(_person(row))
            if len(evidence.people) % 1_000 == 0:
                stage.update(len(evidence.people), total, f"{len(evidence.people):,} people read")

    async def payments(which: tuple[str, str]) -> None:
        cycle_id, status = which
        async for row in api.pages("disbursement", "/v1/payments", stack.checker, cycle_id=cycle_id, status=status, limit=200):
            evidence.payments.append(_payment(row))

    async def either(job: tuple[str, str, str]) -> None:
        await (people(job[1]) if job[0] == "people" else payments((job[1], job[2])))

    jobs = [("payments", c, s) for c in cycles for s in _STATUSES]
    jobs = [j for pair in zip(jobs, [("people", p, "") for p in below], strict=False) for j in pair] + jobs[len(below) :] + [
        ("people", p, "") for p in below[len(jobs) :]
    ]  # fmt: skip
    await bounded(jobs, either, limit=5)
    stage.say("reading the partners' books")
    await _books(api, stack, evidence)
    return evidence


async def _books(api: Api, stack: StackInfo, evidence: Evidence) -> None:
    after = 0
    while True:
        page = await api.simulator("/control/books/payments", after=after, limit=5_000)
        evidence.books.extend(_entry(row) for row in page["payments"])
        if page["next"] is None:
            break
        after = page["next"]
    evidence.book_totals = await api.simulator("/control/books")
    evidence.doubles = await api.simulator("/control/doubles")
    for partner in sorted({e.partner for e in evidence.books}):
        evidence.ours[partner] = await api.get("disbursement", f"/v1/partners/{partner}/totals", stack.checker)


def _person(row: dict[str, Any]) -> PersonSeen:
    return PersonSeen(
        row["beneficiary_id"], row["file_code"] or "", row["programme"], row["unit_code"], row["state"], int(row["amount"]), row["channel"],
        row["partner"], row["reason"], row["cash_reason"],
    )  # fmt: skip


def _payment(row: dict[str, Any]) -> PaymentSeen:
    return PaymentSeen(
        row["reference"], row["beneficiary_id"], row["programme"], row["status"], int(row["amount"]), tuple(sorted(row["months"])),
        row["channel"], row["partner"], row["payee_kind"], (row["reason"] or {}).get("code"),
    )  # fmt: skip


def _entry(row: dict[str, Any]) -> BookEntry:
    to = f"CASH:{row['file_code']}" if row["account_number"] is None else f"{row['provider_code']}:{row['account_number']}"
    return BookEntry(row["partner"], row["reference"], row["state"], int(row["amount"]), to)
