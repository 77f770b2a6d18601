"""Events of the registry: who people are, who may collect for them, and what the law says is due."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.envelope import Amount, Event, Month, Sealed, UnitPath
from common.topics import Topic

__all__ = [
    "PUBLISHES",
    "AdministrativeUnitChanged",
    "BeneficiaryDeceased",
    "BeneficiaryMoved",
    "BeneficiaryRegistered",
    "BeneficiaryStatus",
    "BeneficiaryUpdated",
    "CutOffReached",
    "DueInterval",
    "DueStatus",
    "DuesChanged",
    "DuesLine",
    "EntitlementChanged",
    "EntitlementEnded",
    "EntitlementGranted",
    "EntitlementResumed",
    "EntitlementSuspended",
    "PreferenceRecorded",
    "Programme",
    "RepresentativeAppointed",
    "RepresentativeKind",
    "RepresentativeRevoked",
    "Sex",
    "UnitOrigin",
]


class Programme(StrEnum):
    """Benefit programmes; each has its own funding source and its own cycles and batches."""

    MERIT = "MERIT"
    SOCIAL_ASSISTANCE = "SOCIAL_ASSISTANCE"
    SOCIAL_PENSION = "SOCIAL_PENSION"
    CAMPAIGN = "CAMPAIGN"


class Sex(StrEnum):
    """Sex as registered."""

    MALE = "M"
    FEMALE = "F"
    UNKNOWN = "UNKNOWN"


class BeneficiaryStatus(StrEnum):
    """Whether a person can be owed anything."""

    ACTIVE = "ACTIVE"
    DECEASED = "DECEASED"
    MISSING = "MISSING"
    LEFT = "LEFT"


class RepresentativeKind(StrEnum):
    """Who collects for a beneficiary (people not entitled themselves, and carers who are)."""

    AUTHORISED = "AUTHORISED"
    GUARDIAN = "GUARDIAN"
    CARER = "CARER"


class DueStatus(StrEnum):
    """Whether a month's amount is known; a month without a loaded rate is shown, not guessed."""

    DUE = "DUE"
    RATE_MISSING = "RATE_MISSING"


class BeneficiaryState(Event):
    """Full state of one beneficiary. Carried by four events; `version` is one counter for all four."""

    TOPIC: ClassVar[str] = Topic.BENEFICIARY
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    file_code: str | None = Field(description="The office's dossier code (mã hồ sơ)")
    full_name: str = Field(description="As registered, NFC")
    birth_date: str | None = Field(description="At the precision known: YYYY, YYYY-MM or YYYY-MM-DD")
    sex: Sex
    unit_code: str
    unit_path: UnitPath
    programmes: list[Programme] = Field(description="Programmes in which the person holds an entitlement, sorted")
    status: BeneficiaryStatus
    death_date: date | None = None
    national_number: Sealed = Field(description="Sealed 12-digit number; empty when the person has none (NO_ID)")
    identity_fingerprint: str = Field(description="Keyed hash of number, name, birth date and sex; verification follows its changes only")
    unresolved_duplicate: bool = Field(
        default=False, description="Another file, registered earlier, is probably the same person: hold this one until two people decided"
    )
    merged_into: UUID | None = Field(default=None, description="The file that goes on for this person, after two people merged the two")
    phone: Sealed = Field(default={}, description="Sealed telephone number, by which the person is told of payments; empty when none")
    number_index: Sealed = Field(
        default={}, description="Consuming service → keyed index of the national number, to find the person by it without knowing it"
    )


class BeneficiaryRegistered(BeneficiaryState):
    """A person entered the register."""


class BeneficiaryUpdated(BeneficiaryState):
    """Identity data, programmes or status of a person changed."""


class BeneficiaryMoved(BeneficiaryState):
    """A person moved to another administrative unit."""


class BeneficiaryDeceased(BeneficiaryState):
    """A person's death was recorded; dues end after the month of death (Decree 20/2021 Art.8)."""


class RepresentativeState(Event):
    """Full state of one representative of one beneficiary."""

    TOPIC: ClassVar[str] = Topic.BENEFICIARY
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    representative_id: UUID = Field(description="Person id of the payee; a carer's own beneficiary id where the carer is one")
    kind: RepresentativeKind
    full_name: str
    birth_date: str | None
    sex: Sex
    national_number: Sealed
    identity_fingerprint: str
    unit_code: str
    unit_path: UnitPath
    valid_from: date
    valid_to: date | None
    certificate_number: str | None
    revoked_on: date | None = None
    programmes: list[Programme] = Field(default=[], description="Programmes of which they may collect, sorted; empty: all of them")
    basis: str = Field(
        default="STANDING", description="STANDING, or HEIR: appointed after the death, to collect what was due up to the month of death"
    )


class RepresentativeAppointed(RepresentativeState):
    """Somebody may collect for a beneficiary from a date."""


class RepresentativeRevoked(RepresentativeState):
    """That right ended."""


class EntitlementState(Event):
    """Full state of one entitlement. Categories of health (HIV, type of disability) are not carried."""

    TOPIC: ClassVar[str] = Topic.BENEFICIARY
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    entitlement_id: UUID
    programme: Programme
    funding_source: str
    benefit_line: str
    decision_number: str
    decision_date: date
    from_month: Month
    to_month: Month | None
    status: str
    unit_code: str
    unit_path: UnitPath


class EntitlementGranted(EntitlementState):
    """A decision granted an allowance."""


class EntitlementChanged(EntitlementState):
    """A decision changed an allowance."""


class EntitlementSuspended(EntitlementState):
    """A decision suspended an allowance."""


class EntitlementResumed(EntitlementState):
    """A decision resumed an allowance."""


class EntitlementEnded(EntitlementState):
    """A decision ended an allowance."""


class PreferenceRecorded(Event):
    """The survey's answer: does the person want an account? (plan 152; voluntary)."""

    TOPIC: ClassVar[str] = Topic.BENEFICIARY
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    preference: str = Field(description="UNKNOWN, WANTS_ACCOUNT, DECLINES or FORCE_MAJEURE")
    recorded_on: date
    evidence: str | None
    unit_code: str
    unit_path: UnitPath


class DueInterval(BaseModel):
    """Months in which the same amount is due on the same basis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_month: Month
    to_month: Month | None = Field(description="Last month, inclusive; null while open")
    amount: Amount
    status: DueStatus
    basis: str = Field(description="Legal basis: decree and article")
    decision_number: str | None
    explicit_arrears: bool = Field(description="Imported with its decision as arrears: payable although before the take-over month")


class DuesLine(BaseModel):
    """One benefit line of one person: months do not overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme: Programme
    funding_source: str
    benefit_line: str = Field(description="Neutral code; never a health fact")
    intervals: list[DueInterval]


class DuesChanged(Event):
    """Everything due to one beneficiary, all lines, all months: replaces what was said before."""

    TOPIC: ClassVar[str] = Topic.DUES
    KEY: ClassVar[str] = "beneficiary_id"

    beneficiary_id: UUID
    unit_code: str
    unit_path: UnitPath
    lines: list[DuesLine]


class UnitOrigin(BaseModel):
    """A unit that another was made from: wholly (WHOLE), or after a split (PART)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit_id: UUID
    path: UnitPath
    kind: str = Field(description="WHOLE or PART")


class AdministrativeUnitChanged(Event):
    """One administrative unit as of its dates; key is `unit_id`, uuid5 of code and valid_from."""

    TOPIC: ClassVar[str] = Topic.UNIT
    KEY: ClassVar[str] = "unit_id"

    unit_id: UUID
    code: str
    name: str
    level: str = Field(description="province, district or commune")
    parent_code: str | None
    path: UnitPath
    valid_from: date
    valid_to: date | None
    formed_from: list[UnitOrigin] = Field(default=[], description="Units it was made from, by path; empty when it was not made from others")


class CutOffReached(Event):
    """Barrier: everything the producer committed before it stands before it in this partition.

    Written once to every partition of every topic named in DESIGN §5, with counts and sums over the producer's rows
    whose key falls into that partition. `version` is 1; key is the cut-off id.
    """

    TOPIC: ClassVar[str] = Topic.BENEFICIARY
    KEY: ClassVar[str] = "cut_off_id"

    cut_off_id: UUID
    cycle_id: UUID
    producer: str
    topic: str
    partition: int
    month: Month
    programme: Programme
    counts: dict[str, int] = Field(description="Totals of the producer's own rows in this partition, by name")
    unanswered: int = Field(default=0, description="Rows whose outside answer is missing (the source was away)")


PUBLISHES: tuple[type[Event], ...] = (
    BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased,
    RepresentativeAppointed, RepresentativeRevoked,
    EntitlementGranted, EntitlementChanged, EntitlementSuspended, EntitlementResumed, EntitlementEnded,
    PreferenceRecorded, DuesChanged, AdministrativeUnitChanged, CutOffReached,
)  # fmt: skip
