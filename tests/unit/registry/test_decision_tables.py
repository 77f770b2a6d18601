"""The tables of decisions: every move of a proposal, every effect on an allowance, every first month the law counts."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from registry.domain.attachments import media_type_of
from registry.domain.dates import months_later
from registry.domain.decisions import (
    EFFECTS,
    RULES,
    TRANSITIONS,
    Action,
    Anchor,
    Held,
    Kind,
    MonthOpen,
    State,
    first_month,
    group_of,
    month_of,
    rule_of,
)  # fmt: skip
from registry.domain.errors import AttachmentRefused
from registry.domain.life_events import CONSEQUENCES, RETURN_REASON, Event

ALLOWED = {(State.PROPOSED, action) for action in Action}
POSSIBLE = {
    ("NONE", "GRANT", "GRANTED"), ("GRANTED", "ADJUST", "GRANTED"), ("GRANTED", "SUSPEND", "SUSPENDED"), ("SUSPENDED", "RESUME", "GRANTED"),
    ("ENDED", "RESUME", "GRANTED"), ("GRANTED", "END", "ENDED"), ("SUSPENDED", "END", "ENDED"), ("GRANTED", "TRANSFER", "GRANTED"),
    ("SUSPENDED", "TRANSFER", "SUSPENDED"),
}  # fmt: skip


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_a_proposal_moves_only_as_the_table_says(state: State, action: Action) -> None:
    assert ((state, action) in TRANSITIONS) == ((state, action) in ALLOWED)


@pytest.mark.parametrize(("held", "kind"), list(product(Held, Kind)))
def test_an_allowance_changes_only_as_the_table_says(held: Held, kind: Kind) -> None:
    expected = {after for before, what, after in POSSIBLE if (before, what) == (held, kind)}
    assert {EFFECTS[held, kind]} if (held, kind) in EFFECTS else not expected
    assert (EFFECTS[held, kind] in expected) if (held, kind) in EFFECTS else True


def test_every_rule_has_a_legal_basis_and_only_resumptions_reopen() -> None:
    for (kind, _, _), rule in RULES.items():
        assert rule.legal_basis
        assert not rule.reopens or kind is Kind.RESUME
        assert not rule.back_pay or kind is Kind.RESUME
        assert (rule.anchor is Anchor.GIVEN) <= (rule.setting is None)


def test_what_events_call_for_is_in_the_rules() -> None:
    for (_, group), (kind, reason) in CONSEQUENCES.items():
        assert (kind, group, reason) in RULES
    for event in (Event.MISSING, Event.PRISON):
        for group in ("MERIT", "ASSISTANCE"):
            assert RULES[Kind.RESUME, group, RETURN_REASON[event]].reopens
            assert RULES[Kind.RESUME, group, "FALSE_ALARM"].back_pay


DECIDED, HAPPENED, PAUSED = date(2024, 11, 18), date(2024, 8, 5), date(2024, 9, 1)
MONTHS = [
    # kind, programme, reason, setting, month, back pay (Circular 02/2021 Art. 2; Decree 131/2021 Art. 118-119)
    ("SUSPEND", "MERIT", "PRISON", "SAME_MONTH", date(2024, 8, 1), False),
    ("SUSPEND", "MERIT", "PRISON", "NEXT_MONTH", date(2024, 9, 1), False),
    ("SUSPEND", "MERIT", "MISSING", None, date(2024, 8, 1), False),
    ("SUSPEND", "MERIT", "ILLEGAL_EXIT", None, date(2024, 8, 1), False),
    ("SUSPEND", "MERIT", "FRAUD_SUSPECTED", None, date(2024, 11, 1), False),
    ("SUSPEND", "SOCIAL_ASSISTANCE", "UNCOLLECTED", "NEXT_MONTH", date(2024, 12, 1), False),
    ("SUSPEND", "SOCIAL_PENSION", "DETAINED", "SAME_MONTH", date(2024, 11, 1), False),
    ("END", "SOCIAL_ASSISTANCE", "NOT_ENTITLED", None, date(2024, 9, 1), False),
    ("END", "SOCIAL_PENSION", "PRISON", None, date(2024, 9, 1), False),
    ("END", "SOCIAL_ASSISTANCE", "NOT_REASSESSED", None, date(2024, 12, 1), False),
    ("END", "MERIT", "FRAUD_CONCLUDED", None, date(2024, 8, 1), False),
    ("RESUME", "MERIT", "RELEASED", None, date(2024, 9, 1), False),
    ("RESUME", "MERIT", "RETURNED", None, date(2024, 9, 1), False),
    ("RESUME", "MERIT", "FALSE_ALARM", None, date(2024, 9, 1), True),
    ("RESUME", "SOCIAL_ASSISTANCE", "REMEDIED", "NO", date(2024, 11, 1), False),
    ("RESUME", "SOCIAL_ASSISTANCE", "REMEDIED", "YES", date(2024, 9, 1), True),
    ("RESUME", "SOCIAL_ASSISTANCE", "RETURNED", None, date(2024, 11, 1), False),
    ("ADJUST", "SOCIAL_ASSISTANCE", "CHANGED", None, date(2024, 8, 1), False),
]


@pytest.mark.parametrize(("kind", "programme", "reason", "setting", "month", "back_pay"), MONTHS)
def test_first_months_by_law(kind: str, programme: str, reason: str, setting: str | None, month: date, back_pay: bool) -> None:
    rule = rule_of(Kind(kind), programme, reason)
    assert rule is not None
    facts = {"decision_date": DECIDED, "event_date": HAPPENED, "suspended_from": PAUSED, "setting": setting}
    assert first_month(rule, given=None, **facts) == (month, back_pay)  # type: ignore[arg-type]
    assert first_month(rule, given=month, **facts) == (month, back_pay)  # type: ignore[arg-type]
    with pytest.raises(MonthOpen, match="by law it is"):
        first_month(rule, given=date(2020, 1, 1), **facts)  # type: ignore[arg-type]


def test_what_the_law_does_not_know_is_no_ground() -> None:
    assert rule_of(Kind.SUSPEND, "MERIT", "UNCOLLECTED") is None
    assert rule_of(Kind.SUSPEND, "SOCIAL_ASSISTANCE", "FRAUD_SUSPECTED") is None
    assert [group_of(item) for item in ("MERIT", "SOCIAL_PENSION", "CAMPAIGN")] == ["MERIT", "ASSISTANCE", "ASSISTANCE"]


def test_months_are_counted_over_years_and_short_months() -> None:
    assert month_of(date(2024, 11, 30), 3) == date(2025, 2, 1)
    assert months_later(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_later(date(2024, 8, 31), 1) == date(2024, 9, 30)
    assert months_later(date(2024, 8, 20), 12) == date(2025, 8, 20)


@pytest.mark.parametrize(
    ("content", "declared", "found"),
    [
        (b"%PDF-1.4 ...", "application/pdf", "application/pdf"),
        (b"\xff\xd8\xff\xe0 ...", None, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream", "image/png"),
    ],
)
def test_attachments_are_told_by_their_first_bytes(content: bytes, declared: str | None, found: str) -> None:
    assert media_type_of(content, declared) == found


@pytest.mark.parametrize(
    ("content", "declared"), [(b"", None), (b"<html>", "text/html"), (b"%PDF-1.4", "image/png"), (b"GIF89a", "image/gif")]
)
def test_anything_else_is_refused(content: bytes, declared: str | None) -> None:
    with pytest.raises(AttachmentRefused):
        media_type_of(content, declared)
