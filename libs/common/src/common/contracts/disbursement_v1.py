"""Events of disbursement: cycles, holds and payments. Payment events carry all that reporting needs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Amount, Event, Month, UnitPath
from common.contracts.registry_v1 import Programme
from common.topics import Topic

__all__ = [
    "PUBLISHES",
    "CashCollected",
    "Channel",
    "CutOffRequested",
    "CycleState",
    "HoldReason",
    "PaymentCycleClosed",
    "PaymentCycleOpened",
    "PaymentFailed",
    "PaymentHeld",
    "PaymentInstructed",
    "PaymentListApproved",
    "PaymentListComputed",
    "PaymentReissued",
    "PaymentReleased",
    "PaymentReturned",
    "PaymentSettled",
    "PaymentStatus",
    "PaymentUncollected",
    "PaymentUnknown",
    "RecoveryChanged",
    "RecoveryOpened",
    "SuspensionProposed",
]


class CycleState(StrEnum):
    """States of a payment cycle (DESIGN §5)."""

    OPEN = "OPEN"
    COMPUTED = "COMPUTED"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    DISBURSING = "DISBURSING"
    SETTLING = "SETTLING"
    CLOSED = "CLOSED"


class PaymentStatus(StrEnum):
    """States of one payment (DESIGN §5)."""

    APPROVED = "APPROVED"
    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    RETURNED = "RETURNED"
    COLLECTED = "COLLECTED"
    UNCOLLECTED = "UNCOLLECTED"
    CANCELLED = "CANCELLED"


class Channel(StrEnum):
    """Through what a payment goes; the first three are 'by account' in the statutory figures."""

    BANK = "BANK"
    WALLET = "WALLET"
    MOBILE_MONEY = "MOBILE_MONEY"
    CASH_POST = "CASH_POST"
    CASH_HOME = "CASH_HOME"


class HoldReason(StrEnum):
    """Why somebody owed is not paid now; each says who must do what (disbursement.domain.holds)."""

    DECEASED = "DECEASED"
    STOPPED = "STOPPED"
    SUSPENDED = "SUSPENDED"
    SUSPECTED_IDENTITY = "SUSPECTED_IDENTITY"
    DUPLICATE = "DUPLICATE"
    DATA_PARKED = "DATA_PARKED"
    RATE_MISSING = "RATE_MISSING"
    NOT_VERIFIED = "NOT_VERIFIED"
    ACCOUNT_CHANGED = "ACCOUNT_CHANGED"
    FRAUD_SUSPECTED = "FRAUD_SUSPECTED"
    ACCOUNT_LIMIT_EXCEEDED = "ACCOUNT_LIMIT_EXCEEDED"
    PAYMENT_DISPUTED = "PAYMENT_DISPUTED"
    WITHDRAWN = "WITHDRAWN"


class CycleEvent(Event):
    """Full state of one payment cycle."""

    TOPIC: ClassVar[str] = Topic.CYCLE
    KEY: ClassVar[str] = "cycle_id"

    cycle_id: UUID
    state: CycleState
    month: Month
    programme: Programme
    funding_source: str
    unit_code: str
    unit_path: UnitPath
    cut_off_id: UUID | None = None
    list_id: UUID | None = None
    list_hash: str | None = None
    lines: int = 0
    held: int = 0
    total_amount: Amount = 0


class PaymentCycleOpened(CycleEvent):
    """A month's payment for one programme, funding source and unit was opened."""


class CutOffRequested(CycleEvent):
    """Back-channel to the registry: write the cut-off markers named by `cut_off_id`."""


class PaymentListComputed(CycleEvent):
    """The list stands: lines + held = everyone with something due."""


class PaymentListApproved(CycleEvent):
    """A second person approved the list; payments exist from here on."""


class PaymentCycleClosed(CycleEvent):
    """Every payment of the cycle has a final state."""


class HoldEvent(Event):
    """Full state of one person's hold in one cycle."""

    TOPIC: ClassVar[str] = Topic.PAYMENT
    KEY: ClassVar[str] = "beneficiary_id"

    hold_id: UUID
    cycle_id: UUID
    beneficiary_id: UUID
    month: Month
    programme: Programme
    funding_source: str
    amount: Amount
    reason: HoldReason
    actor: str = Field(description="Role that must act")
    unit_code: str
    unit_path: UnitPath
    released: bool = False
    benefit_lines: list[str] = Field(default=[], description="Benefit lines of the months held, neutral codes, sorted; empty: not said")
    months: list[Month] = Field(default=[], description="The benefit months held, those of earlier lists included; empty: not said")
    replaces: dict[UUID, Amount] | None = Field(
        default=None,
        description="Earlier dead payments of the person for this month → đồng of each still due beside what is held; null: not said",
    )


class PaymentHeld(HoldEvent):
    """Owed, not paid now, for a reason somebody must clear."""


class PaymentReleased(HoldEvent):
    """The reason is gone; the next or a supplementary list takes the person."""


class PaymentEvent(Event):
    """Full state of one payment: one attempt to pay one payee through one channel."""

    TOPIC: ClassVar[str] = Topic.PAYMENT
    KEY: ClassVar[str] = "beneficiary_id"

    payment_id: UUID
    cycle_id: UUID
    beneficiary_id: UUID
    payee_id: UUID
    payee_kind: str
    status: PaymentStatus
    attempt: int = Field(ge=1)
    reference: str = Field(description="Our reference, the partner's idempotency key")
    amount: Amount
    currency: str = "VND"
    month: Month = Field(description="The cycle's month")
    months: list[Month] = Field(description="The benefit months paid, arrears included")
    programme: Programme
    funding_source: str
    channel: Channel
    partner: str
    cash_reason: str | None = Field(default=None, description="Why cash where an account was wanted")
    reason: str | None = Field(default=None, description="Why failed, returned, unknown or uncollected")
    partner_reference: str | None = None
    unit_code: str
    unit_path: UnitPath
    occurred_at: datetime
    account_id: UUID | None = Field(default=None, description="The payout account, told when the payment failed or came back")
    benefit_lines: list[str] = Field(default=[], description="Benefit lines it pays, neutral codes, sorted; empty: not said")
    replaces: dict[UUID, Amount] | None = Field(
        default=None,
        description="Earlier dead payments of the person for this month → đồng of each still due that no other payment pays, promises or"
        " failed to pay since; null: not said",
    )
    account_masked: str | None = Field(
        default=None, description="Told when it is settled to an account: the last four characters of that account, as …1234"
    )
    value_date: date | None = Field(default=None, description="Told when it is settled: the day the partner was to pay on")
    late_by: str | None = Field(
        default=None,
        description="Told when settled: AUTHORITY (sent after the partner's cut-off) or PAYMENT_ORGANISATION (paid after its value date)",
    )


class PaymentInstructed(PaymentEvent):
    """Approved and handed to the machinery that sends it."""


class PaymentUnknown(PaymentEvent):
    """Sent, and nobody knows yet; stays committed, is inquired."""


class PaymentSettled(PaymentEvent):
    """The partner confirmed the money is on the account."""


class PaymentFailed(PaymentEvent):
    """Definitely not paid."""


class PaymentReturned(PaymentEvent):
    """Came back after settlement."""


class CashCollected(PaymentEvent):
    """Handed over in cash, with proof."""


class PaymentUncollected(PaymentEvent):
    """The post confirms: not collected, order cancelled."""


class PaymentReissued(PaymentEvent):
    """A new attempt replaces a definitely dead one."""


class RecoveryEvent(Event):
    """Full state of one recovery case (truy thu): paid exceeds due."""

    TOPIC: ClassVar[str] = Topic.PAYMENT
    KEY: ClassVar[str] = "beneficiary_id"

    recovery_id: UUID
    beneficiary_id: UUID
    programme: Programme
    funding_source: str
    amount: Amount = Field(description="Paid too much, and not come back yet")
    months: list[Month]
    status: str
    unit_code: str
    unit_path: UnitPath
    recovered: Amount | None = Field(default=None, description="What came back of it so far; null: not said")


class RecoveryOpened(RecoveryEvent):
    """More was paid than is due."""


class RecoveryChanged(RecoveryEvent):
    """The case moved on."""


class SuspensionProposed(Event):
    """Somebody did not collect three months in a row (social assistance): the register's officers decide whether to suspend."""

    TOPIC: ClassVar[str] = Topic.CYCLE
    KEY: ClassVar[str] = "beneficiary_id"

    proposal_id: UUID
    beneficiary_id: UUID
    programme: Programme
    months: list[Month] = Field(description="Not collected, the latest ones")
    amount: Amount = Field(description="Of the latest payment nobody collected")
    state: str = Field(description="OPEN, TAKEN_UP (the register suspended the allowance) or DISMISSED")
    unit_code: str
    unit_path: UnitPath


PUBLISHES: tuple[type[Event], ...] = (
    PaymentCycleOpened, CutOffRequested, PaymentListComputed, PaymentListApproved, PaymentCycleClosed, SuspensionProposed,
    PaymentHeld, PaymentReleased,
    PaymentInstructed, PaymentUnknown, PaymentSettled, PaymentFailed, PaymentReturned, CashCollected,
    PaymentUncollected, PaymentReissued, RecoveryOpened, RecoveryChanged,
)  # fmt: skip
