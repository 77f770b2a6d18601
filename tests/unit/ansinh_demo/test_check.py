"""The checker sees every kind of wrong: a check that cannot fail proves nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from ansinh.demo.check import check
from ansinh.demo.evidence import BookEntry, Evidence, PaymentSeen, PersonSeen
from ansinh.sample.truth import TruthPerson


def _truth(code: str, outcome: str, **over: object) -> TruthPerson:
    values = {
        "code": code, "programme": "SOCIAL_ASSISTANCE", "district": "593", "unit_code": "22924", "amounts": {"2024-09": 500_000},
        "outcome": outcome, "channel": "BANK", "partner": "agribank", "payee": "SELF", "reason": None, "destination": f"AGRIBANK:{code}",
    }  # fmt: skip
    return TruthPerson(**{**values, **over})  # type: ignore[arg-type]


TRUTH = [
    _truth("A", "PAID"),
    _truth("B", "PAID", channel="CASH_POST", partner="vnpost", reason="ACCOUNT_CLOSED", destination="CASH:B"),
    _truth("C", "HELD", channel=None, partner=None, payee=None, reason="SUSPECTED_IDENTITY", destination=None),
    _truth("D", "FAILED", reason="NAME_DIFFERS"),
    _truth("E", "UNCOLLECTED", channel="CASH_POST", partner="vnpost", destination="CASH:E"),
    _truth("F", "STOPPED", amounts={}, channel=None, partner=None, payee=None, reason="DECEASED", destination=None),
]
_REPORTED = {"SETTLED": "PAID_BY_ACCOUNT", "COLLECTED": "PAID_IN_CASH"}
_STATE = {"A": "SETTLED", "B": "COLLECTED", "C": "HELD", "D": "FAILED", "E": "UNCOLLECTED"}


def _right() -> Evidence:
    """What the platform and the partners say when everything went as the truth has it."""
    e = Evidence()
    for t in TRUTH[:5]:
        state = _STATE[t.code]
        hold = state == "HELD"
        cash = t.reason if t.outcome == "PAID" else None
        told, why = _REPORTED.get(state, state), None if cash else t.reason
        e.people.append(PersonSeen(f"id-{t.code}", t.code, t.programme, t.unit_code, told, t.amount, t.channel, t.partner, why, cash))
        if hold:
            continue
        e.payments.append(
            PaymentSeen(f"ref-{t.code}", f"id-{t.code}", t.programme, state, t.amount, tuple(t.amounts), t.channel or "", t.partner or "",
                        t.payee or "", None)
        )  # fmt: skip
        e.books.append(BookEntry(t.partner or "", f"ref-{t.code}", state, t.amount, t.destination or ""))
    e.coverage = [
        {"programme": "SOCIAL_ASSISTANCE", "unit_path": path, "total_people": 5, "paid_by_account_people": 1} for path in ("60", "60/593")
    ]
    e.indicators = [
        {"group": "SOCIAL_ASSISTANCE", "unit_path": path, "unit_code": path[-3:], "is_total": path == "60",
         "values": {"due_people": 5, "by_account_people": 1, "opened_people": 2}}
        for path in ("60", "60/593")
    ]  # fmt: skip
    e.ours = {p: {"ledger_balance": 500_000, "quarantined": 0} for p in ("agribank", "vnpost")}
    e.payments_total = {"rows": [{"status": "SETTLED", "amount": 500_000}, {"status": "COLLECTED", "amount": 500_000}]}
    e.trial_balance = {"balanced": True, "debit": 1, "credit": 1}
    e.doubles = {"references": [], "unbalanced": []}
    return e


STANDING = ({"programme": "SOCIAL_ASSISTANCE", "code": "opened_people", "people": 2},)


def test_a_right_month_has_no_difference() -> None:
    assert check(TRUTH, _right(), STANDING).texts == []


def _first_person(**over: object) -> Callable[[Evidence], None]:
    def change(e: Evidence) -> None:
        for name, value in over.items():
            setattr(e.people[0], name, value)

    return change


def _first_payment(**over: object) -> Callable[[Evidence], None]:
    def change(e: Evidence) -> None:
        for name, value in over.items():
            setattr(e.payments[0], name, value)

    return change


def _first_entry(**over: object) -> Callable[[Evidence], None]:
    def change(e: Evidence) -> None:
        for name, value in over.items():
            setattr(e.books[0], name, value)

    return change


def _paid_again(e: Evidence) -> None:
    second = copy.copy(e.payments[0])
    second.reference = "ref-A2"
    e.payments.append(second)
    e.books.append(BookEntry("agribank", "ref-A2", "SETTLED", 500_000, "AGRIBANK:A"))


def _held_person_is_paid(e: Evidence) -> None:
    e.payments.append(PaymentSeen("ref-C", "id-C", "SOCIAL_ASSISTANCE", "SETTLED", 500_000, ("2024-09",), "BANK", "agribank", "SELF", None))


def _dead_person_is_listed(e: Evidence) -> None:
    e.people.append(PersonSeen("id-F", "F", "SOCIAL_ASSISTANCE", "22924", "PAID_IN_CASH", 500_000, "CASH_POST", "vnpost", None, None))


def _stranger(e: Evidence) -> None:
    e.people.append(PersonSeen("id-X", "X", "SOCIAL_ASSISTANCE", "22924", "PAID_IN_CASH", 500_000, "CASH_POST", "vnpost", None, None))
    e.payments.append(
        PaymentSeen("ref-X", "id-X", "SOCIAL_ASSISTANCE", "COLLECTED", 500_000, ("2024-09",), "CASH_POST", "vnpost", "SELF", None)
    )


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda e: e.people.pop(1), "missing"),
        (lambda e: e.people.append(e.people[0]), "twice"),
        (_first_person(state="PAID_BY_ACCOUNT", channel="WALLET", partner="momo"), "channel"),
        (_first_person(state="FAILED"), "outcome"),
        (_first_person(amount=499_999), "amount"),
        (_first_person(unit_code="22915"), "unit"),
        (_first_payment(amount=500_001), "amount"),
        (_first_payment(months=("2024-08",)), "amount"),
        (_first_payment(payee_kind="GUARDIAN"), "payee"),
        (_first_payment(status="FAILED"), "books"),
        (_first_entry(amount=500_001), "books"),
        (_first_entry(destination="AGRIBANK:B"), "destination"),
        (_first_entry(reference="ref-never-sent"), "books"),
        (lambda e: e.books.pop(0), "books"),
        (lambda e: setattr(e.people[2], "reason", "NOT_VERIFIED"), "hold-reason"),
        (lambda e: setattr(e.people[3], "reason", "ACCOUNT_CLOSED"), "fail-reason"),
        (lambda e: setattr(e.people[1], "cash_reason", "NO_ID"), "cash-reason"),
        (_paid_again, "payments"),
        (_held_person_is_paid, "held-but-paid"),
        (_dead_person_is_listed, "deceased-listed"),
        (_stranger, "nobody-of-ours"),
        (lambda e: e.coverage[1].update(paid_by_account_people=2), "report"),
        (lambda e: e.coverage[0].update(total_people=6), "report"),
        (lambda e: e.indicators[0]["values"].update(opened_people=3), "indicator"),
        (lambda e: e.indicators[1]["values"].update(by_account_people=2), "indicator"),
        (lambda e: e.indicators.clear(), "indicator"),
        (lambda e: e.ours["agribank"].update(ledger_balance=499_999), "books"),
        (lambda e: e.ours["agribank"].update(quarantined=1), "quarantine"),
        (lambda e: e.payments_total["rows"].pop(), "books"),
        (lambda e: e.trial_balance.update(balanced=False), "ledger"),
        (lambda e: e.doubles["references"].append({"reference": "ref-A"}), "twice"),
    ],
)
def test_every_wrong_is_found(change: Callable[[Evidence], object], kind: str) -> None:
    evidence = _right()
    change(evidence)
    assert kind in check(TRUTH, evidence, STANDING).kinds


def test_differences_name_no_person() -> None:
    evidence = _right()
    evidence.people[0].amount = 1
    (text,) = check(TRUTH, evidence).texts
    assert text == "amount: A must get 500,000 đồng and is reported with 1"
