"""Every code a report can show has words in Vietnamese and English."""

from __future__ import annotations

import pytest

from common.contracts.accounts_v1 import AccountStatus
from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentStatus
from disbursement.domain.gate import CashReason
from reporting.domain.errors import BadMonth
from reporting.domain.months import first_of
from reporting.domain.states import PersonState, cash_words, channel_words, reason_words, source_words, state_words


@pytest.mark.parametrize("reason", HoldReason)
def test_hold_reasons_have_words(reason: HoldReason) -> None:
    words = reason_words(reason)
    assert words.vi != reason.value
    assert words.en != reason.value


_ACCOUNTS = [f"ACCOUNT_{status}" for status in AccountStatus if status != "ACTIVE"]


@pytest.mark.parametrize("reason", [*CashReason, "PREFERENCE", "FORCE_MAJEURE", *_ACCOUNTS])
def test_reasons_for_cash_have_words(reason: str) -> None:
    assert cash_words(reason).vi not in (reason, reason.removeprefix("ACCOUNT_"))


@pytest.mark.parametrize("source", ["CENTRAL_BUDGET", "PROVINCIAL_BUDGET", "LOCAL_BUDGET", "SOCIAL_FUND"])
def test_funding_sources_have_words(source: str) -> None:
    assert source_words(source).vi != source


@pytest.mark.parametrize("channel", Channel)
def test_channels_have_words(channel: Channel) -> None:
    assert channel_words(channel).vi != channel.value


@pytest.mark.parametrize("state", PersonState)
def test_states_have_words(state: PersonState) -> None:
    assert state_words(state).vi
    assert state_words(state).en


def test_a_partner_code_we_do_not_know_is_shown_as_it_is() -> None:
    assert reason_words("R-17").vi == "R-17"


def test_every_end_of_a_payment_is_a_state_or_paid() -> None:
    ends = {PaymentStatus.FAILED, PaymentStatus.RETURNED, PaymentStatus.UNCOLLECTED, PaymentStatus.UNKNOWN, PaymentStatus.CANCELLED}
    assert {end.value for end in ends} <= {state.value for state in PersonState}


def test_months() -> None:
    assert first_of("2024-09").isoformat() == "2024-09-01"
    for text in ("2024-13", "2024-9", "09-2024", "0000-01", "2024-09-01"):
        with pytest.raises(BadMonth):
            first_of(text)
