"""Events of identity-verify: what the national population database said of a person."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Event, UnitPath
from common.contracts.registry_v1 import CutOffReached
from common.topics import Topic

__all__ = [
    "PUBLISHES",
    "BeneficiaryFoundDeceased",
    "BeneficiaryVerificationFailed",
    "BeneficiaryVerified",
    "CutOffReached",
    "RepresentativeFoundDeceased",
    "RepresentativeVerificationFailed",
    "RepresentativeVerified",
    "Verdict",
]


class Verdict(StrEnum):
    """What a check means for payment."""

    VERIFIED = "VERIFIED"
    REVIEW = "REVIEW"  # a police officer must look; payable meanwhile, not into an account
    SUSPECTED_IDENTITY = "SUSPECTED_IDENTITY"  # the number belongs to somebody else: holds
    NOT_FOUND = "NOT_FOUND"  # not in the database: payable in cash
    NO_ID = "NO_ID"  # has no number: payable in cash
    DECEASED = "DECEASED"  # holds; the registry sets the end month
    UNANSWERED = "UNANSWERED"  # the source was away and no earlier evidence exists


class VerificationState(Event):
    """Full state of the verification of one person."""

    TOPIC: ClassVar[str] = Topic.VERIFICATION
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID = Field(description="Key; for a representative, the beneficiary represented")
    subject_id: UUID = Field(description="The person checked: the beneficiary or the representative")
    subject_kind: Literal["BENEFICIARY", "REPRESENTATIVE"]
    verdict: Verdict
    source_status: str = Field(description="MATCH, MISMATCH, NOT_FOUND, DECEASED, MULTIPLE, NOT_COLLECTED, ERROR or NOT_ASKED")
    fields: dict[str, str] = Field(description="Per field (number, name, birth_date, sex, account): its own verdict")
    identity_fingerprint: str
    checked_on: date
    valid_until: date
    reference: str | None
    death_date: date | None = None
    unit_code: str
    unit_path: UnitPath
    grace_until: date | None = Field(
        default=None,
        description="Two people approved that this evidence counts until then, although it ran out: only because the source was away",
    )


class BeneficiaryVerified(VerificationState):
    """The person is who the register says."""


class BeneficiaryVerificationFailed(VerificationState):
    """Not verified: see verdict and fields."""


class BeneficiaryFoundDeceased(VerificationState):
    """The database says the person died."""


class RepresentativeVerified(VerificationState):
    """The representative is who the register says."""


class RepresentativeVerificationFailed(VerificationState):
    """Representative not verified."""


class RepresentativeFoundDeceased(VerificationState):
    """The representative died."""


PUBLISHES: tuple[type[Event], ...] = (
    BeneficiaryVerified, BeneficiaryVerificationFailed, BeneficiaryFoundDeceased,
    RepresentativeVerified, RepresentativeVerificationFailed, RepresentativeFoundDeceased, CutOffReached,
)  # fmt: skip
