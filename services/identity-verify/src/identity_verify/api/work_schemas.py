"""Bodies of the police's work list, of numbers claimed twice, and of numbers to be issued at home."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.identity_verify_v1 import Verdict
from identity_verify.domain.issue_request import IssueReason, IssueState

__all__ = ["ConflictPage", "IssueMove", "IssuePage", "IssueRequestBody", "IssueView", "Made", "SideBySideView", "WorkPage"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"
_WORK: Final[dict[str, Any]] = {
    "beneficiary_id": _ID, "subject_id": _ID, "subject_kind": "BENEFICIARY", "full_name": "Trần Thị Phương", "birth_date": "1950",
    "sex": "F", "unit_code": "22924", "unit_path": "60/593/22924", "verdict": "REVIEW", "source_status": "MISMATCH",
    "fields": {"number": "match", "name": "REVIEW_DIACRITIC", "birth_date": "match"}, "checked_on": "2024-08-20", "version": 1,
    "proposals": [],
}  # fmt: skip
_ISSUE: Final[dict[str, Any]] = {
    "request_id": _ID, "beneficiary_id": _ID, "subject_id": _ID, "full_name": "Trần Thị Phương", "birth_date": "1931", "sex": "F",
    "unit_code": "22924", "unit_path": "60/593/22924", "state": "REQUESTED", "reason": "CANNOT_TRAVEL", "visit_on": None, "version": 1,
    "created_by": "an", "business_date": "2024-08-20", "updated_at": "2024-08-20T01:00:00Z", "has_note": True,
}  # fmt: skip


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class ProposalView(BaseModel):
    """What one person proposed; the same from another person applies it."""

    verdict: Verdict
    note: str
    proposed_by: str
    proposed_at: datetime


class WorkItem(BaseModel):
    """An unclear person. The values of both sides: GET …/side-by-side."""

    model_config = _example(**_WORK)

    beneficiary_id: UUID
    subject_id: UUID
    subject_kind: Literal["BENEFICIARY", "REPRESENTATIVE"]
    full_name: str
    birth_date: str | None
    sex: str
    unit_code: str
    unit_path: str
    verdict: Verdict
    source_status: str
    fields: dict[str, str]
    checked_on: date
    version: int
    proposals: list[ProposalView]


class WorkPage(BaseModel):
    """One page."""

    model_config = _example(items=[_WORK], next_cursor=None)

    items: list[WorkItem]
    next_cursor: str | None


class FieldView(BaseModel):
    """One field on both sides. Numbers are never shown: the source was asked by it."""

    field: str
    in_register: str | None = Field(description="As the register has it")
    in_source: str | None = Field(description="As the population database has it, where it said so")
    result: str


class SideBySideView(BaseModel):
    """One person's fields side by side, for the officer who decides."""

    model_config = _example(
        beneficiary_id=_ID, subject_id=_ID, unit_path="60/593/22924", verdict="REVIEW", version=1, current=True,
        fields=[{"field": "name", "in_register": "Trần Thị Phương", "in_source": "Trần Thị Phượng", "result": "REVIEW_DIACRITIC"}],
    )  # fmt: skip

    beneficiary_id: UUID
    subject_id: UUID
    unit_path: str
    verdict: Verdict
    version: int
    current: bool = Field(description="The answer is about the data the register has now")
    fields: list[FieldView]


class ClaimantView(BaseModel):
    """One registration that claims the number."""

    beneficiary_id: UUID
    full_name: str
    birth_date: str | None
    sex: str
    unit_code: str
    unit_path: str
    verdict: Verdict | None
    left_at: datetime | None


class ConflictView(BaseModel):
    """One number, several registrations."""

    model_config = _example(conflict_id=_ID, state="OPEN", seen_on="2024-08-20", resolved_at=None, members=[])

    conflict_id: UUID
    state: Literal["OPEN", "RESOLVED"]
    seen_on: date
    resolved_at: datetime | None
    members: list[ClaimantView]


class ConflictPage(BaseModel):
    """One page."""

    model_config = _example(items=[], next_cursor=None)

    items: list[ConflictView]
    next_cursor: UUID | None


class IssueRequestBody(BaseModel):
    """Ask the police to issue a number at home."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"beneficiary_id": _ID, "reason": "CANNOT_TRAVEL", "note": "Nhà cuối thôn 3", "business_date": "2024-08-20"}]
        },
    )

    beneficiary_id: UUID
    subject_id: UUID | None = Field(default=None, description="A representative's person id; default: the beneficiary")
    reason: IssueReason
    note: str | None = Field(default=None, max_length=500, description="For the visit only; kept encrypted, never shown in lists")
    business_date: date


class Made(BaseModel):
    """The request's id."""

    model_config = _example(request_id=_ID)

    request_id: UUID


class IssueMove(BaseModel):
    """Take a request to another state."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"state": "ACCEPTED", "business_date": "2024-08-21", "visit_on": "2024-08-28"}]}
    )

    state: Literal[IssueState.ACCEPTED, IssueState.VISITED, IssueState.ISSUED, IssueState.REFUSED, IssueState.WITHDRAWN]
    business_date: date
    visit_on: date | None = Field(default=None, description="Day agreed for the visit")


class StepView(BaseModel):
    """A state the request was in."""

    state: IssueState
    business_date: date
    by_whom: str
    at: datetime


class IssueView(BaseModel):
    """A request; REGISTERED is reached by itself when the register knows the number."""

    model_config = _example(**_ISSUE)

    request_id: UUID
    beneficiary_id: UUID
    subject_id: UUID
    full_name: str
    birth_date: str | None
    sex: str
    unit_code: str
    unit_path: str
    state: IssueState
    reason: IssueReason
    visit_on: date | None
    version: int
    created_by: str
    business_date: date
    updated_at: datetime
    has_note: bool
    steps: list[StepView] = Field(default_factory=list)


class IssuePage(BaseModel):
    """One page."""

    model_config = _example(items=[_ISSUE], next_cursor=None)

    items: list[IssueView]
    next_cursor: UUID | None
