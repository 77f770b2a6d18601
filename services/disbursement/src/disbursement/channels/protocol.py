"""The protocol every payment channel adapter keeps, and the words it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from disbursement.domain.budget_codes import BudgetCodes
from disbursement.domain.payment import ResultStatus

__all__ = [
    "BatchAnswer",
    "BatchHead",
    "CannotBuild",
    "CannotBuildBatch",
    "Channel",
    "Delivered",
    "InstructionLine",
    "NoAnswer",
    "NoticeUnreadable",
    "PartnerResult",
    "Refusal",
]


class NoAnswer(Exception):
    """Nobody can say whether the request arrived or what became of it: the payments are UNKNOWN.

    `reason` is a code of `domain.reasons`; `detail` is for people and holds no payee data.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class CannotBuild(Exception):
    """Some payments cannot be put into words (a sealed account number does not open); `references` says which."""

    def __init__(self, references: Sequence[str]) -> None:
        super().__init__(f"{len(references)} payments cannot be built")
        self.references = tuple(references)


class CannotBuildBatch(Exception):
    """The whole batch lacks something an officer must supply first; nothing was built and nothing leaves.

    `reason` is a code of `domain.reasons`; `detail` is for people and holds no payee data.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NoticeUnreadable(Exception):
    """A notice was genuine, but its content does not follow the partner's contract."""


@dataclass(frozen=True, slots=True)
class BatchHead:
    """What the partner must know of the batch as a whole. `reference` is the message id of files."""

    reference: str
    number: int
    programme: str
    funding_source: str
    business_date: date
    created_at: datetime
    budget: BudgetCodes | None = None
    value_date: date | None = None
    """The day the partner is to pay on; None before it is first taken to be sent."""
    after_cut_off: bool = False
    """It goes out after the partner's cut-off: the value date is a later day than that of sending."""


@dataclass(frozen=True, slots=True)
class InstructionLine:
    """What the partner must know of one payment. `account_token` is sealed until the bytes are built."""

    reference: str
    amount: int
    payee_name: str
    channel: str
    provider_code: str | None
    account_token: str | None
    unit_code: str
    file_code: str | None
    beneficiary_name: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One payment the partner did not accept. `reason` is our code, UNRECOGNISED_CODE where theirs is in no map."""

    reference: str
    code: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The partner took the batch, except the refused payments."""

    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file lies with the partner, or ready for a person to take there. What becomes of it, only a later word tells: UNKNOWN.

    `reason` is a code of `domain.reasons`: what is waited for.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class PartnerResult:
    """What a partner says of one reference, in our words. `said` repeats its own words, for a person to look at.

    An acknowledgement names the message (our batch reference) it answers in `message_id`; amount and currency may then be
    left out, they are those of the message. Where `reference` is the message itself, it speaks of every payment in it that
    the same acknowledgement does not name, and `amount` is the control sum, if it gives one.
    """

    reference: str
    status: ResultStatus
    amount: int | None
    currency: str | None
    reason: str | None
    partner_reference: str | None
    occurred_at: datetime | None
    said: Mapping[str, object]
    message_id: str | None = None


class Channel(Protocol):
    """One way to reach one partner. Implementations are stateless and open no transaction.

    A module of this package with a function `make(partner, http, keyring)` is a channel by its name: see `channels.loading`.
    """

    @property
    def answers_inquiries(self) -> bool:
        """Whether :meth:`inquire` can be asked. Without it nothing is ever sent again by itself: only a person does that."""

    def file_name(self, batch_reference: str) -> str | None:
        """Under which name the batch's bytes may be taken by a person as a file; None where it is no file."""

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The exact bytes of a batch; account numbers are opened here, in memory only. Raises CannotBuild, CannotBuildBatch."""

    def references(self, body: bytes) -> frozenset[str]:
        """The payments in stored bytes."""

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer | Delivered:
        """Send stored bytes. The batch reference is the partner's idempotency key. Raises NoAnswer."""

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of references. Raises NoAnswer."""

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The results in a verified notice. Raises NoticeUnreadable."""
