"""Every reason says who acts and what comes next; what accounts does is what accounts says it does; cases move by their table."""

from __future__ import annotations

import pytest

from accounts.domain.outcome import PAYMENT_FAILURES
from disbursement.domain.cases import LIVING, REQUIRES, TRANSITIONS, CaseAction, CaseOutcome, CaseState, IllegalCaseMove, move
from disbursement.domain.next_steps import ACCOUNT_BECOMES, NEXT_STEPS
from disbursement.domain.reasons import PARTNER_CODES, REASONS


def test_every_reason_has_texts_an_actor_and_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(REASONS)
    for reason in REASONS.values():
        assert all((reason.text, reason.text_vi, reason.actor, reason.next_step, reason.next_step_vi))
        assert reason.text != reason.text_vi
        assert reason.next_step != reason.next_step_vi


def test_every_partner_code_maps_to_a_known_reason() -> None:
    assert set(PARTNER_CODES.values()) <= set(REASONS)


def test_accounts_does_what_is_promised() -> None:
    assert {code: status.value for code, (status, _) in PAYMENT_FAILURES.items() if code in REASONS} == ACCOUNT_BECOMES


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("action", list(CaseAction))
def test_cases_move_by_their_table_only(state: CaseState, action: CaseAction) -> None:
    if (state, action) in TRANSITIONS:
        assert state in LIVING
        assert move(state, action) is TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalCaseMove):
            move(state, action)


def test_outcomes_about_a_payment_need_its_state() -> None:
    assert set(REQUIRES) == {CaseOutcome.PAID, CaseOutcome.NOT_PAID, CaseOutcome.RETURNED}
