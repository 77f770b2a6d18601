"""The protocol every payment channel adapter keeps, and the words it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from disbursement.domain.payment import ResultStatus

__all__ = ["BatchAnswer", "CannotBuild", "Channel", "InstructionLine", "NoAnswer", "NoticeUnreadable", "PartnerResult", "Refusal"]


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


class NoticeUnreadable(Exception):
    """A notice was genuine, but its content does not follow the partner's contract."""


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
class PartnerResult:
    """What a partner says of one reference, in our words. `said` repeats its own words, for a person to look at."""

    reference: str
    status: ResultStatus
    amount: int | None
    currency: str | None
    reason: str | None
    partner_reference: str | None
    occurred_at: datetime | None
    said: Mapping[str, object]


class Channel(Protocol):
    """One way to reach one partner. Implementations are stateless and open no transaction."""

    def build(self, batch_reference: str, lines: Sequence[InstructionLine]) -> bytes:
        """The exact bytes of a batch; account numbers are opened here, in memory only. Raises CannotBuild."""

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        """Send stored bytes. The batch reference is the partner's idempotency key. Raises NoAnswer."""

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of references. Raises NoAnswer."""

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The results in a verified notice. Raises NoticeUnreadable."""
