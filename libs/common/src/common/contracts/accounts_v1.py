"""Events of accounts: which account belongs to which payee, and how a beneficiary is to be paid."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Event, Sealed, UnitPath
from common.contracts.registry_v1 import CutOffReached
from common.topics import Topic

__all__ = [
    "PUBLISHES",
    "AccountClosed",
    "AccountKind",
    "AccountLinked",
    "AccountOpeningChanged",
    "AccountRejected",
    "AccountStatus",
    "CutOffReached",
    "PayoutMethod",
    "PayoutMethodChosen",
    "ProviderLimitsSet",
]


class AccountKind(StrEnum):
    """Legal forms of payout account (Directive 21/CT-TTg)."""

    BANK = "BANK"
    WALLET = "WALLET"
    MOBILE_MONEY = "MOBILE_MONEY"


class AccountStatus(StrEnum):
    """State of a payout account; only ACTIVE is paid into."""

    PENDING_CHECK = "PENDING_CHECK"
    ACTIVE = "ACTIVE"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"
    DORMANT = "DORMANT"
    NOT_UPGRADED = "NOT_UPGRADED"


class PayoutMethod(StrEnum):
    """How a beneficiary is to be paid; cash is a first-class choice."""

    ACCOUNT = "ACCOUNT"
    CASH_POST = "CASH_POST"
    CASH_HOME = "CASH_HOME"


class AccountState(Event):
    """Full state of one payout account of one payee."""

    TOPIC: ClassVar[str] = Topic.PAYOUT
    KEY: ClassVar[str] = "payee_id"

    payee_id: UUID
    account_id: UUID
    kind: AccountKind
    provider_code: str = Field(description="Internal code of the provider directory, e.g. AGRIBANK")
    partner: str = Field(description="Payment partner that pays into this account, e.g. agribank")
    account_number: Sealed
    masked_number: str = Field(description="Last four characters only: …1234")
    holder_name: str | None = Field(description="As the provider gave it: unaccented capitals")
    status: AccountStatus
    reason: str | None = Field(description="Why not ACTIVE: NAME_DIFFERS, NOT_FOUND, CLOSED, SHARED_ACCOUNT, ID_DIFFERS …")
    unit_code: str
    unit_path: UnitPath


class AccountLinked(AccountState):
    """The account is the payee's and can be paid into."""


class AccountRejected(AccountState):
    """The account cannot be used, or must be looked at first."""


class AccountClosed(AccountState):
    """The account is closed, dormant or not upgraded."""


class PayoutMethodChosen(Event):
    """How one beneficiary is to be paid, and to whom."""

    TOPIC: ClassVar[str] = Topic.PAYOUT
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    payee_id: UUID = Field(description="The beneficiary, or a representative")
    payee_kind: str = Field(description="SELF, AUTHORISED, GUARDIAN or CARER")
    method: PayoutMethod
    account_id: UUID | None
    reason: str | None = Field(description="Why cash: PREFERENCE, FORCE_MAJEURE, NO_ACCOUNT …")
    unit_code: str
    unit_path: UnitPath
    account_from: date | None = Field(default=None, description="Cool-down: a changed account is used from this business date on")
    meanwhile_account_id: UUID | None = Field(default=None, description="Earlier verified account paid until then; none: cash by post")
    fraud_suspected: bool = Field(default=False, description="A person suspects fraud: nothing is paid until it is cleared")


class AccountOpeningChanged(Event):
    """State of a request to open an account."""

    TOPIC: ClassVar[str] = Topic.PAYOUT
    KEY: ClassVar[str] = "payee_id"

    payee_id: UUID
    request_id: UUID
    provider_code: str
    status: str = Field(description="REQUESTED, SENT, OPENED, REFUSED or WITHDRAWN")
    unit_code: str
    unit_path: UnitPath
    beneficiary_id: UUID | None = Field(default=None, description="For whom; the payee may be a guardian (Circular 17/2024/TT-NHNN)")


class ProviderLimitsSet(Event):
    """What one account of a provider may receive, as two people set it in the directory. Both null: no limit any more."""

    TOPIC: ClassVar[str] = Topic.PAYOUT
    KEY: ClassVar[str] = "provider_id"

    provider_id: UUID = Field(description="Made of the code: the same for ever")
    provider_code: str
    per_payment: int | None = Field(default=None, gt=0, description="đồng in one payment")
    per_month: int | None = Field(default=None, gt=0, description="đồng in one month")


PUBLISHES: tuple[type[Event], ...] = (
    AccountLinked, AccountRejected, AccountClosed, PayoutMethodChosen, AccountOpeningChanged, ProviderLimitsSet, CutOffReached,
)  # fmt: skip
