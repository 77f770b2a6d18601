"""Cycle moves, months, and the gate's tables."""

from __future__ import annotations

from datetime import date

import pytest

from common.contracts.disbursement_v1 import CycleState, HoldReason
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import BeneficiaryStatus
from disbursement.domain.cycle import RECOMPUTABLE, TRANSITIONS, CycleAction, move
from disbursement.domain.errors import IllegalCycleMove
from disbursement.domain.gate import GRACE_NOTE, STATUS_HOLDS, VERDICT_RULES, verdict_rule
from disbursement.domain.holds import HOLDS
from disbursement.domain.months import first_day, month_text, next_month


@pytest.mark.parametrize("state", list(CycleState))
@pytest.mark.parametrize("action", list(CycleAction))
def test_every_move_is_in_the_table_or_refused(state: CycleState, action: CycleAction) -> None:
    if (state, action) in TRANSITIONS:
        assert move(state, action) is TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalCycleMove) as refused:
            move(state, action)
        assert refused.value.status == 409
        assert refused.value.extensions["state"] == state


def test_the_path_of_a_month_and_its_end() -> None:
    state: str = CycleState.OPEN
    for action in ("COMPUTE", "COMPUTE", "SUBMIT", "REJECT", "COMPUTE", "SUBMIT", "APPROVE", "START_SENDING", "ALL_SENT", "CLOSE"):
        state = move(state, CycleAction(action))
    assert state == CycleState.CLOSED
    assert not [key for key in TRANSITIONS if key[0] is CycleState.CLOSED]
    assert {CycleState.OPEN, CycleState.COMPUTED} == RECOMPUTABLE


def test_nothing_reaches_payment_without_approval() -> None:
    before = {CycleState.OPEN, CycleState.COMPUTED, CycleState.SUBMITTED}
    assert [(at, how) for (at, how), to in TRANSITIONS.items() if at in before and to not in before] == [
        (CycleState.SUBMITTED, CycleAction.APPROVE)
    ]


def test_months() -> None:
    assert first_day("2024-09") == date(2024, 9, 1)
    assert month_text(date(2024, 9, 30)) == "2024-09"
    assert [next_month(date(2024, 12, 1)), next_month(date(2024, 1, 31))] == [date(2025, 1, 1), date(2024, 2, 1)]
    for text in ("2024-13", "2024-9", "24-09", "2024/09", "2024-00", ""):
        with pytest.raises(ValueError):
            first_day(text)


def test_every_verdict_has_one_rule_and_holds_are_definite() -> None:
    assert set(VERDICT_RULES) == set(Verdict)
    assert all(rule.hold is None or rule.cash is None for rule in VERDICT_RULES.values())
    holding = {verdict for verdict, rule in VERDICT_RULES.items() if rule.hold}
    assert holding == {Verdict.SUSPECTED_IDENTITY, Verdict.DECEASED, Verdict.UNANSWERED}
    assert set(STATUS_HOLDS) == set(BeneficiaryStatus)
    assert [status for status, hold in STATUS_HOLDS.items() if hold is None] == [BeneficiaryStatus.ACTIVE]


DAY = date(2024, 8, 20)


@pytest.mark.parametrize(
    ("valid_until", "hold", "note"),
    [
        (date(2024, 8, 20), None, None),
        (date(2024, 8, 19), None, GRACE_NOTE),
        (date(2024, 7, 20), None, GRACE_NOTE),
        (date(2024, 7, 19), HoldReason.NOT_VERIFIED, None),
    ],
)
def test_evidence_runs_out_after_its_grace(valid_until: date, hold: HoldReason | None, note: str | None) -> None:
    rule, found = verdict_rule(Verdict.VERIFIED, valid_until, DAY, 31)
    assert (rule.hold, found) == (hold, note)


@pytest.mark.parametrize(
    ("until", "hold"), [(date(2024, 8, 20), None), (date(2024, 8, 19), HoldReason.NOT_VERIFIED), (None, HoldReason.NOT_VERIFIED)]
)
def test_without_days_of_grace_only_an_approved_grace_counts(until: date | None, hold: HoldReason | None) -> None:
    rule, found = verdict_rule(Verdict.VERIFIED, date(2024, 8, 1), DAY, 0, until)
    assert (rule.hold, found) == (hold, None if hold else GRACE_NOTE)


def test_no_evidence_holds_and_negatives_do_not_run_out() -> None:
    assert verdict_rule(None, None, DAY, 31)[0].hold is HoldReason.NOT_VERIFIED
    assert verdict_rule(Verdict.DECEASED, date(2020, 1, 1), DAY, 31)[0].hold is HoldReason.DECEASED
    assert verdict_rule(Verdict.NO_ID, date(2020, 1, 1), DAY, 31)[0].hold is None


def test_every_hold_reason_speaks_both_languages_and_names_who_acts() -> None:
    assert set(HOLDS) == set(HoldReason)
    for text in HOLDS.values():
        assert all((text.vi, text.en, text.act_vi, text.act_en, text.actor.value))
