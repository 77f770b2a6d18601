"""What the platform sends to a partner, and the partner's own rules about it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.partner.config import PartnerConfig, SimulatorConfig

__all__ = ["Account", "Batch", "Cash", "Inquiries", "NameInquiries", "NameInquiry", "Payment", "Refusal", "refusal"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class Account(_Message):
    """Where money goes: an account at a provider."""

    provider_code: str = Field(min_length=1, max_length=40)
    account_number: str = Field(min_length=1, max_length=40)


class Cash(_Message):
    """A cash order: at the post office or at home."""

    kind: Literal["POST", "HOME"]
    unit_code: str
    file_code: str = Field(min_length=1)
    beneficiary_name: str


class Payment(_Message):
    """One payment of a batch. `amount` is whole đồng."""

    reference: str = Field(min_length=1, max_length=64)
    amount: int
    currency: str
    payee_name: str = Field(min_length=1)
    account: Account | None = None
    cash: Cash | None = None
    text: str = ""


class Batch(_Message):
    """A batch: accepted or refused payment by payment."""

    batch_reference: str = Field(min_length=1, max_length=64)
    payments: list[Payment] = Field(min_length=1)


class Inquiries(_Message):
    """Which references are asked about."""

    references: list[str] = Field(min_length=1, max_length=10_000)


class NameInquiry(_Message):
    """Whose account is it; `national_number` only to be told match or mismatch."""

    provider_code: str
    account_number: str
    national_number: str | None = None


class NameInquiries(_Message):
    """Up to 1,000 accounts at once."""

    accounts: list[NameInquiry] = Field(min_length=1, max_length=1000)


Refusal = tuple[str, str]
_MAX_TEXT = 25


def refusal(payment: Payment, partner: PartnerConfig, config: SimulatorConfig) -> Refusal | None:
    """(code, message) when this partner does not take this payment, else None."""
    if payment.currency != "VND":
        return "CURRENCY_UNSUPPORTED", "only VND is paid"
    if not 0 < payment.amount <= config.max_amount:
        return "AMOUNT_LIMIT", f"amount must be 1 to {config.max_amount}"
    if (payment.account is None) == (payment.cash is None):
        return "BAD_DESTINATION", "give an account or a cash order, one of them"
    if (payment.account is not None) != partner.pays_accounts:
        return "CHANNEL_UNSUPPORTED", f"a partner of kind {partner.kind} does not pay this way"
    if not payment.payee_name.isascii():
        return "NAME_FORMAT", "payee_name must be unaccented"
    if len(payment.text) > _MAX_TEXT or not payment.text.isascii():
        return "TEXT_FORMAT", f"text must be unaccented and at most {_MAX_TEXT} characters"
    return None
