"""The payment's state machine, readings, ledger postings, references and reasons, as pure tables."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts import disbursement_v1
from common.contracts.disbursement_v1 import Channel, PaymentStatus
from disbursement.domain.ledger import POSTINGS, LedgerAccount
from disbursement.domain.payment import (
    CASH,
    CORRECTIONS,
    DEAD,
    EFFECTS,
    EVENT_TYPES,
    OPEN,
    PAID,
    TRANSITIONS,
    Reading,
    ResultStatus,
    corrects,
    move,
    read_result,
    status_of_result,
    transitions_values,
)
from disbursement.domain.payment_errors import IllegalPaymentMove
from disbursement.domain.reasons import PARTNER_CODES, REASONS, UNRECOGNISED_CODE, reason_of_code, text_of
from disbursement.domain.references import batch_reference, payment_reference, transfer_text

S = PaymentStatus


def test_every_status_is_open_paid_or_dead() -> None:
    assert set(S) == OPEN | PAID | DEAD
    assert len(OPEN) + len(PAID) + len(DEAD) == len(set(S))


def test_what_two_people_may_correct_is_no_move_of_anybody_else() -> None:
    assert not CORRECTIONS & TRANSITIONS
    for current, wanted in CORRECTIONS:
        with pytest.raises(IllegalPaymentMove):
            move(current, wanted)
    for status in S:
        for channel in Channel:
            for result in ResultStatus:
                if corrects(status, channel, result):
                    assert (status, status_of_result(result)) in CORRECTIONS
                    # That it arrived is an old word of one that came back, unless it was said later (test_corrected_returns).
                    others = {S.CANCELLED: Reading.NOT_SENT, S.RETURNED: Reading.NO_EFFECT}
                    assert read_result(status, channel, result) is others.get(status, Reading.CONTRADICTION)


def test_whatever_is_held_dead_can_be_put_right() -> None:
    assert {current for current, _ in CORRECTIONS} == DEAD
    for status in DEAD:
        for channel in Channel:
            # Cash does not come back from an account, and nobody fails to collect what goes into one.
            never = S.RETURNED if channel in CASH else S.UNCOLLECTED
            paid = ResultStatus.COLLECTED if channel in CASH else ResultStatus.SETTLED
            assert corrects(status, channel, paid) is (status is not never)


@pytest.mark.parametrize(("source", "target"), [(a, b) for a in S for b in S if (a, b) not in TRANSITIONS])
def test_any_other_move_is_refused(source: S, target: S) -> None:
    with pytest.raises(IllegalPaymentMove):
        move(source, target)


def test_nothing_leaves_a_dead_state_and_paid_money_can_only_come_back() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] in DEAD]
    assert {target for source, target in TRANSITIONS if source in PAID} == {S.RETURNED}
    assert all(move(*pair) == pair[1] for pair in TRANSITIONS)


def test_nothing_can_be_cancelled_once_it_may_have_been_sent() -> None:
    assert {source for source, target in TRANSITIONS if target is S.CANCELLED} == {S.APPROVED}


def test_unknown_and_submitting_take_every_result() -> None:
    for current in (S.SUBMITTING, S.UNKNOWN, S.SUBMITTED):
        for channel in Channel:
            for result in ResultStatus:
                reading = read_result(current, channel, result)
                if status_of_result(result) not in {None, current} and reading is not Reading.WRONG_CHANNEL:
                    assert reading is Reading.APPLY, (current, channel, result)


@given(st.sampled_from(list(S)), st.sampled_from(list(Channel)), st.sampled_from(list(ResultStatus)))
def test_what_is_applied_is_an_allowed_move(current: S, channel: Channel, result: ResultStatus) -> None:
    if read_result(current, channel, result) is Reading.APPLY:
        target = status_of_result(result)
        assert target is not None
        if target is S.RETURNED and current in OPEN:
            assert (current, S.SETTLED) in TRANSITIONS  # settled first, then returned
        else:
            assert (current, target) in TRANSITIONS


@given(st.sampled_from(list(Channel)), st.lists(st.sampled_from(list(ResultStatus)), max_size=12))
def test_any_sequence_of_words_pays_at_most_once(channel: Channel, words: list[ResultStatus]) -> None:
    status, postings, committed, paid = S.SUBMITTED, [], 1, 0
    for word in words:
        if read_result(status, channel, word) is not Reading.APPLY:
            continue
        target = status_of_result(word)
        assert target is not None
        steps = [S.SETTLED, S.RETURNED] if target is S.RETURNED and status is not S.SETTLED else [target]
        for step in steps:
            status = move(status, step)
            if status in EFFECTS:
                committed, paid = committed + EFFECTS[status].committed, paid + EFFECTS[status].paid
            if status in POSTINGS:
                postings.append(POSTINGS[status].kind)
    assert len(postings) == len(set(postings))
    assert committed in {0, 1}
    assert paid in {0, 1}
    assert (paid == 1) == (status in PAID)
    assert (committed == 1) == (status in OPEN)


def test_a_contradiction_is_never_applied() -> None:
    assert read_result(S.SETTLED, Channel.BANK, ResultStatus.FAILED) is Reading.CONTRADICTION
    assert read_result(S.FAILED, Channel.BANK, ResultStatus.SETTLED) is Reading.CONTRADICTION
    assert read_result(S.COLLECTED, Channel.CASH_POST, ResultStatus.UNCOLLECTED) is Reading.CONTRADICTION
    assert read_result(S.APPROVED, Channel.BANK, ResultStatus.SETTLED) is Reading.NOT_SENT
    assert all(read_result(S.SUBMITTED, channel, ResultStatus.SETTLED) is Reading.WRONG_CHANNEL for channel in CASH)


def test_every_change_of_money_posts_between_two_accounts() -> None:
    assert set(EFFECTS) == set(POSTINGS) - {S.APPROVED, S.SUBMITTING} == PAID | DEAD
    for posting in POSTINGS.values():
        assert posting.debit is not posting.credit


@pytest.mark.parametrize(
    ("path", "rests_in"),
    [
        ((S.APPROVED, S.CANCELLED), None),
        ((S.APPROVED, S.SUBMITTING, S.FAILED), None),
        ((S.APPROVED, S.SUBMITTING, S.SETTLED, S.RETURNED), None),
        ((S.APPROVED, S.SUBMITTING, S.COLLECTED), LedgerAccount.SETTLED),
        ((S.APPROVED, S.SUBMITTING, S.UNCOLLECTED), LedgerAccount.UNCOLLECTED),
        ((S.APPROVED, S.SUBMITTING), LedgerAccount.IN_TRANSIT),
    ],
)
def test_money_rests_where_the_payment_is(path: tuple[PaymentStatus, ...], rests_in: LedgerAccount | None) -> None:
    balance = dict.fromkeys(LedgerAccount, 0)
    for status in path:
        balance[POSTINGS[status].debit] += 1
        balance[POSTINGS[status].credit] -= 1
    wanted = {} if rests_in is None else {rests_in: 1, LedgerAccount.BUDGET: -1}
    assert {account: rest for account, rest in balance.items() if rest} == wanted


def test_every_event_type_exists_in_the_contract() -> None:
    published = {event.__name__ for event in disbursement_v1.PUBLISHES}
    assert set(EVENT_TYPES.values()) <= published
    assert set(EVENT_TYPES) == set(S) - {S.SUBMITTING, S.SUBMITTED}


def test_sql_values_hold_every_transition() -> None:
    assert set(re.findall(r"\('(\w+)','(\w+)'\)", transitions_values())) == {(a.value, b.value) for a, b in TRANSITIONS}


@given(st.uuids(), st.integers(1, 999))
def test_references_are_deterministic_short_and_plain(line_id: UUID, attempt: int) -> None:
    reference = payment_reference(line_id, attempt)
    assert re.fullmatch(r"[A-Z0-9]{1,35}", reference)
    assert reference == payment_reference(line_id, attempt)
    assert payment_reference(line_id, attempt % 999 + 1) != reference
    assert re.fullmatch(r"[A-Z0-9]{1,35}", batch_reference(line_id))


@pytest.mark.parametrize("attempt", [0, 1000, -1])
def test_attempts_outside_the_reference_are_refused(attempt: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        payment_reference(UUID(int=1), attempt)


def test_the_transfer_text_is_short_and_says_nothing_of_the_benefit() -> None:
    assert transfer_text("2024-09") == "AN SINH THANG 09/2024"
    assert len(transfer_text("2024-12")) <= 25


def test_reasons_are_complete_in_both_languages() -> None:
    assert set(PARTNER_CODES.values()) <= set(REASONS)
    for reason in REASONS.values():
        assert reason.text
        assert reason.text_vi
        assert reason.text != reason.text_vi
        assert reason.next_step
        assert reason.next_step_vi
    assert reason_of_code("E-4711") == UNRECOGNISED_CODE
    assert reason_of_code(None, "PARTNER_REFUSED") == "PARTNER_REFUSED"
    assert text_of(None) is None
    unknown = text_of("SOMETHING_NEW")
    assert unknown is not None
    assert {name: unknown[name] for name in ("code", "text", "text_vi", "actor")} == {
        "code": "SOMETHING_NEW", "text": "SOMETHING_NEW", "text_vi": "SOMETHING_NEW", "actor": "OPERATOR",
    }  # fmt: skip
