"""Tables of states: what may follow what, in Python and in SQL alike."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.domain import alerts, complaints, openings
from accounts.domain.outcome import PAYMENT_FAILURES, Answer, judge
from accounts.domain.policy import POLICIES
from accounts.domain.status import TRANSITIONS, Cause, allowed, transitions_values
from common.contracts.accounts_v1 import AccountStatus

S = AccountStatus


def test_every_cause_and_status_is_in_the_table_and_nothing_goes_back_to_pending() -> None:
    assert set(TRANSITIONS) == set(Cause)
    assert all(S.PENDING_CHECK not in targets for moves in TRANSITIONS.values() for targets in moves.values())
    assert all(allowed(Cause.ANSWER, old, new) for old in S for new in S if new is not S.PENDING_CHECK)


@pytest.mark.parametrize(
    ("cause", "old", "new"),
    [
        (Cause.REVIEW, S.CLOSED, S.ACTIVE), (Cause.REVIEW, S.REJECTED, S.ACTIVE), (Cause.REVIEW, S.DORMANT, S.ACTIVE),
        (Cause.PAYMENT, S.CLOSED, S.REJECTED), (Cause.PAYMENT, S.ACTIVE, S.ACTIVE), (Cause.SHARED, S.CLOSED, S.NEEDS_REVIEW),
    ],
)  # fmt: skip
def test_other_moves_are_refused(cause: Cause, old: AccountStatus, new: AccountStatus) -> None:
    assert not allowed(cause, old, new)
    assert f"('{old}', '{new}')" not in transitions_values(cause)


def test_sql_and_python_say_the_same() -> None:
    for cause in Cause:
        said = {f"('{old}', '{new}')" for old in S for new in S if allowed(cause, old, new)}
        assert set(transitions_values(cause).replace("), (", ")|(").split("|")) == said


def test_what_a_failed_payment_says_is_a_move_of_the_table() -> None:
    assert all(allowed(Cause.PAYMENT, S.ACTIVE, status) for status, _ in PAYMENT_FAILURES.values())


@pytest.mark.parametrize("table", [alerts.TRANSITIONS, complaints.TRANSITIONS, openings.TRANSITIONS])
def test_every_state_has_its_row(table: dict[object, frozenset[object]]) -> None:
    assert all(targets <= set(table) for targets in table.values())
    assert set(table) == set(type(next(iter(table))))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("day", "since"), [(date(2024, 8, 20), "2009-08-20"), (date(2024, 2, 29), "2009-02-28"), (date(2039, 2, 28), "2024-02-28")]
)
def test_fifteen_years(day: date, since: str) -> None:
    assert openings.old_enough_since(day) == since


def test_settings_accept_their_own_defaults_and_nothing_else() -> None:
    for policy in POLICIES:
        assert policy.accepts(policy.default), policy.code
        assert not any(policy.accepts(value) for value in ("", "-1", "1.5", "nhiều", "９", "1" * 40)), policy.code


@pytest.mark.parametrize("word", ["PENDING", "UNKNOWN", "ERROR", "", "ok", "MAYBE"])
def test_words_we_do_not_know_are_no_answer(word: str) -> None:
    assert judge("Trần Thị Hoà", Answer(word, "TRAN THI HOA", "MATCH")) is None
