"""Bodies of requests and answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.identity_verify_v1 import Verdict
from common.masking import FreeText

__all__ = [
    "DecisionRequest",
    "DecisionView",
    "EvidenceView",
    "PersonView",
    "ProgressView",
    "QuestionRequest",
    "QuestionView",
    "VerificationPage",
    "VerificationView",
]

_PERSON: dict[str, Any] = {
    "beneficiary_id": "0191f5a0-0000-7000-8000-000000000001",
    "subject_id": "0191f5a0-0000-7000-8000-000000000001",
    "subject_kind": "BENEFICIARY",
    "full_name": "Trần Thị Phương",
    "birth_date": "1950",
    "sex": "F",
    "unit_code": "22924",
    "unit_path": "60/593/22924",
    "verdict": "REVIEW",
    "version": 1,
    "source_status": "MISMATCH",
    "fields": {"number": "match", "name": "REVIEW_DIACRITIC", "birth_date": "match", "sex": "match"},
    "checked_on": "2024-08-20",
    "valid_until": "2024-11-20",
    "reference": "PD-0A1B2C3D4E5F",
    "death_date": None,
    "decided_by": None,
    "pending": False,
    "current": True,
}


class ProgressView(BaseModel):
    """How far verification is, in the caller's units."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pending": 120, "answered": 54503, "by_verdict": {"VERIFIED": 54253, "NO_ID": 250}}]}
    )

    pending: int = Field(description="Subjects whose present data have no answer yet")
    answered: int = Field(description="Subjects with a verdict")
    by_verdict: dict[str, int]


class VerificationView(BaseModel):
    """What is known of one person in one role. The national number is never shown here."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    beneficiary_id: UUID
    subject_id: UUID
    subject_kind: Literal["BENEFICIARY", "REPRESENTATIVE"]
    full_name: str
    birth_date: str | None
    sex: str
    unit_code: str
    unit_path: str
    verdict: Verdict
    version: int | None
    source_status: str | None
    fields: dict[str, str] | None
    checked_on: date | None
    valid_until: date | None
    reference: str | None
    death_date: date | None
    decided_by: str | None
    grace_until: date | None = Field(default=None, description="Approved grace: the evidence counts until then although it ran out")
    pending: bool | None = Field(description="A check is waiting for an answer")
    current: bool | None = Field(description="The verdict is about the data the register has now")


class VerificationPage(BaseModel):
    """One page; `next` is the cursor of the following one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_PERSON], "next_cursor": None}]})

    items: list[VerificationView]
    next_cursor: str | None


class EvidenceView(BaseModel):
    """One answer kept as evidence."""

    version: int
    source: str
    source_status: str
    verdict: Verdict
    fields: dict[str, str]
    reference: str | None
    death_date: date | None
    checked_on: date = Field(description="Business date of the check")
    reason: str | None = Field(default=None, description="Why the person was asked about, or DECIDED")
    source_checked_at: datetime | None = Field(description="When the source says it looked")
    recorded_at: datetime


class PersonView(VerificationView):
    """One role of a person, with the evidence, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PERSON, "evidence": []}]})

    evidence: list[EvidenceView]


class DecisionRequest(BaseModel):
    """A decision on an unclear identity."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"verdict": "VERIFIED", "note": "Đã đối chiếu căn cước bản gốc tại nhà", "business_date": "2024-08-21"}]
        },
    )

    verdict: Literal[Verdict.VERIFIED, Verdict.SUSPECTED_IDENTITY]
    note: FreeText = Field(min_length=5, max_length=500, description="What was looked at, and where")
    business_date: date
    beneficiary_id: UUID | None = Field(default=None, description="Who stands for several people: for whom")


class QuestionRequest(BaseModel):
    """Why the last answer cannot be right."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "Người này đến xã ngày 21/8, vẫn còn sống", "business_date": "2024-08-21"}]},
    )

    note: FreeText = Field(min_length=5, max_length=500, description="What was seen, and where; kept in the audit log")
    business_date: date
    beneficiary_id: UUID | None = Field(default=None, description="Who stands for several people: for whom")


class QuestionView(BaseModel):
    """The person is being asked about."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "PENDING"}]})

    state: Literal["PENDING"] = "PENDING"


class DecisionView(BaseModel):
    """PROPOSED: a second person must say the same. APPLIED: it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "PROPOSED", "version": 1}]})

    state: Literal["PROPOSED", "APPLIED"]
    version: int
