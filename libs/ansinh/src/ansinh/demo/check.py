"""Compares what happened with the truth, person by person, and with the partners' books, đồng by đồng."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansinh.demo.evidence import BookEntry, Evidence, PaymentSeen, PersonSeen
from ansinh.sample.truth import TruthPerson

__all__ = ["Differences", "check"]

_BOOKED = {"PAID": {"SETTLED", "COLLECTED"}, "FAILED": {"FAILED"}, "UNCOLLECTED": {"UNCOLLECTED"}}
_BY_ACCOUNT = frozenset(("BANK", "WALLET", "MOBILE_MONEY"))
_ACCOUNT = "ACCOUNT_"
_WITH_DISTRICTS = 2  # parts of the path of a district, below which the truth has no sums


class Differences:
    """Differences found, each one sentence; counts by kind. Names and numbers of people never appear, file codes do."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.kinds: Counter[str] = Counter()

    def add(self, kind: str, text: str) -> None:
        """One difference."""
        self.kinds[kind] += 1
        self.texts.append(f"{kind}: {text}")


def check(truth: Iterable[TruthPerson], evidence: Evidence, standing: Sequence[Mapping[str, Any]] = ()) -> Differences:
    """All differences between the truth, the platform's answers and the partners' books; none means the month is right.

    `standing`: how many people of a programme an indicator must count when the month is over.
    """
    found = Differences()
    seen: dict[tuple[str, str], list[PersonSeen]] = defaultdict(list)
    for person in evidence.people:
        seen[(person.code, person.programme)].append(person)
    paid: dict[tuple[str, str], list[PaymentSeen]] = defaultdict(list)
    for payment in evidence.payments:
        paid[(payment.beneficiary_id, payment.programme)].append(payment)
    books: dict[str, list[BookEntry]] = defaultdict(list)
    for entry in evidence.books:
        books[entry.reference].append(entry)
    expected: Counter[tuple[str, str, str]] = Counter()
    for t in truth:
        rows = seen.pop((t.code, t.programme), [])
        if t.outcome == "STOPPED":
            if any(r.state != "STOPPED" for r in rows):
                found.add("deceased-listed", f"{t.code} died before the month and is {rows[0].state}, {rows[0].amount:,} đồng")
            continue
        expected[(t.programme, t.district, "people")] += 1
        expected[(t.programme, t.district, "account")] += t.outcome == "PAID" and t.channel in _BY_ACCOUNT
        if len(rows) != 1:
            found.add("missing" if not rows else "twice", f"{t.code} ({t.outcome}) stands {len(rows)} times in the report")
            continue
        _person(t, rows[0], found)
        _payments(t, paid.pop((rows[0].beneficiary_id, t.programme), []), books, found)
    for (code, programme), rows in seen.items():
        found.add("nobody-of-ours", f"{code} {programme} is in the report as {rows[0].state} and not in the truth")
    for (beneficiary, programme), payments in paid.items():
        found.add("nobody-of-ours", f"{len(payments)} payments of {programme} to beneficiary {beneficiary}, whom the truth does not pay")
    _published(expected, evidence, found)
    _indicators(expected, standing, evidence, found)
    _books(evidence, found)
    return found


def _person(t: TruthPerson, seen: PersonSeen, found: Differences) -> None:
    wanted = ("PAID_BY_ACCOUNT" if t.channel in _BY_ACCOUNT else "PAID_IN_CASH") if t.outcome == "PAID" else t.outcome
    if seen.state != wanted:
        reason = seen.reason or seen.cash_reason
        found.add("outcome", f"{t.code} must be {t.outcome} ({t.channel or t.reason}) and is {seen.state} ({seen.channel}, {reason})")
        return
    if t.amounts and seen.amount != t.amount:
        found.add("amount", f"{t.code} must get {t.amount:,} đồng and is reported with {seen.amount:,}")
    if seen.unit_code != t.unit_code:
        found.add("unit", f"{t.code} belongs to unit {t.unit_code} and is reported in {seen.unit_code}")
    if t.outcome == "HELD":
        if seen.reason != t.reason:
            found.add("hold-reason", f"{t.code} must be held for {t.reason} and is held for {seen.reason}")
        return
    if (seen.channel, seen.partner) != (t.channel, t.partner):
        found.add(
            "channel", f"{t.code} must go by {t.channel} of {t.partner} and went by {seen.channel} of {seen.partner} ({seen.cash_reason})"
        )
    if t.outcome == "FAILED" and seen.reason != t.reason:
        found.add("fail-reason", f"{t.code} must fail for {t.reason} and failed for {seen.reason}")
    if t.outcome == "PAID" and t.reason is not None and not _same_family(t.reason, seen.cash_reason):
        found.add("cash-reason", f"{t.code} must be paid in cash for {t.reason} and was for {seen.cash_reason}")


def _same_family(expected: str, seen: str | None) -> bool:
    """Equal reasons; for accounts any account reason will do, since a provider may name the defect it meets first."""
    return seen == expected or (seen is not None and expected.startswith(_ACCOUNT) and seen.startswith(_ACCOUNT))


def _payments(t: TruthPerson, payments: list[PaymentSeen], books: dict[str, list[BookEntry]], found: Differences) -> None:
    if t.outcome == "HELD":
        if payments:
            found.add("held-but-paid", f"{t.code} is held and has {len(payments)} payments")
        return
    if len(payments) != 1:
        found.add("payments", f"{t.code} must have one payment and has {len(payments)}")
        return
    p = payments[0]
    if p.amount != t.amount or p.months != tuple(t.amounts):
        found.add(
            "amount", f"{t.code} must get {t.amount:,} đồng for {' '.join(t.amounts)}; the payment is {p.amount:,} for {' '.join(p.months)}"
        )
    if p.payee_kind != t.payee:
        found.add("payee", f"{t.code} must be paid to {t.payee} and was to {p.payee_kind}")
    entries = books.get(p.reference, [])
    if len(entries) != 1:
        found.add("books", f"{t.code}: the partners' books know {p.reference} {len(entries)} times")
        return
    entry = entries[0]
    if entry.state not in _BOOKED[t.outcome] or entry.amount != t.amount or entry.partner != t.partner:
        found.add(
            "books",
            f"{t.code}: {entry.partner} booked {entry.amount:,} đồng as {entry.state}; it must be {t.amount:,} {t.outcome} at {t.partner}",
        )
    if entry.destination != t.destination:
        found.add(
            "destination",
            f"{t.code}: money went to another {'place' if entry.destination.startswith('CASH') else 'account'} than the payee's",
        )


def _published(expected: Counter[tuple[str, str, str]], evidence: Evidence, found: Differences) -> None:
    """The table of the reporting API against the truth, programme by district."""
    for row in evidence.coverage:
        if row["programme"] == "ALL":
            continue
        path = row["unit_path"].split("/")
        wanted = [
            sum(n for (p, d, k), n in expected.items() if p == row["programme"] and k == kind and (len(path) == 1 or d == path[1]))
            for kind in ("people", "account")
        ]
        if len(path) <= 2 and [row["total_people"], row["paid_by_account_people"]] != wanted:
            reported = f"{row['paid_by_account_people']:,} of {row['total_people']:,} by account"
            found.add("report", f"{row['programme']} {row['unit_path']}: {reported}; the truth is {wanted[1]:,} of {wanted[0]:,}")


def _indicators(
    expected: Counter[tuple[str, str, str]], standing: Sequence[Mapping[str, Any]], evidence: Evidence, found: Differences
) -> None:
    """The indicators of the month: how people stand over all, and by district who was due and who was paid by account."""
    total = {row["group"]: row["values"] for row in evidence.indicators if row["is_total"]}
    for one in standing:
        counted = total.get(one["programme"], {}).get(one["code"])
        if counted != one["people"]:
            found.add("indicator", f"{one['programme']} {one['code']} is {counted}; the truth is {one['people']:,}")
    for row in evidence.indicators:
        district = None if row["is_total"] else row["unit_code"]
        for kind, code in (("people", "due_people"), ("account", "by_account_people")):
            if row["group"] not in {p for p, _, _ in expected}:
                continue
            wanted = sum(n for (p, d, k), n in expected.items() if (p, k) == (row["group"], kind) and district in (None, d))
            if len(row["unit_path"].split("/")) <= _WITH_DISTRICTS and row["values"][code] != wanted:
                found.add("indicator", f"{row['group']} {row['unit_path']} {code} is {row['values'][code]:,}; the truth is {wanted:,}")


def _books(evidence: Evidence, found: Differences) -> None:
    """Partners' books = our ledger = reporting, and nothing in the books that we do not know or that was booked twice."""
    ours = {p.reference: p for p in evidence.payments}
    booked: Counter[str] = Counter()
    for entry in evidence.books:
        if entry.state in ("SETTLED", "COLLECTED"):
            booked[entry.partner] += entry.amount
        mine = ours.get(entry.reference)
        if mine is None:
            found.add("books", f"{entry.partner} has {entry.reference} over {entry.amount:,} đồng, which is no payment of these cycles")
        elif mine.status != entry.state or mine.amount != entry.amount:
            found.add(
                "books", f"{entry.reference}: {entry.partner} says {entry.state} {entry.amount:,}, we say {mine.status} {mine.amount:,}"
            )
    for partner, totals in evidence.ours.items():
        if totals["ledger_balance"] != booked[partner]:
            found.add("books", f"{partner} booked {booked[partner]:,} đồng, our ledger says {totals['ledger_balance']:,}")
        if totals["quarantined"]:
            found.add("quarantine", f"{totals['quarantined']} words of {partner} were not believed")
    reported = sum(r["amount"] for r in evidence.payments_total["rows"] if r["status"] in ("SETTLED", "COLLECTED"))
    if reported != sum(booked.values()):
        found.add("books", f"reporting has {reported:,} đồng paid, the partners booked {sum(booked.values()):,}")
    if not evidence.trial_balance["balanced"]:
        found.add("ledger", f"debit {evidence.trial_balance['debit']:,} is not credit {evidence.trial_balance['credit']:,}")
    for kind in ("references", "unbalanced"):
        for item in evidence.doubles.get(kind, []):
            found.add("twice", f"the partners' books: {kind} {item['reference']}")
