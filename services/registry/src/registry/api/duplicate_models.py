"""Bodies of the duplicates' API."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.masking import FreeText
from common.months import Month

__all__ = ["CandidatePage", "CandidateView", "DecisionAnswer", "DecisionProposal", "ScanRequest"]

_Kind = Literal["NOT_DUPLICATE", "CONFIRM", "MERGE", "UNDO"]
_State = Literal["OPEN", "CONFIRMED", "NOT_DUPLICATE", "MERGED", "UNDONE", "LAPSED"]


class ReasonView(BaseModel):
    """One piece of evidence, in words."""

    code: str
    points: int
    vi: str
    en: str


class SideView(BaseModel):
    """One of the two files, or a refused row of a list; numbers masked, allowances as neutral codes."""

    beneficiary_id: UUID | None = None
    import_id: UUID | None = Field(default=None, description="Set when this side is a refused row of a list")
    row_number: int | None = None
    file_code: str | None
    full_name: str | None
    birth_date: str | None
    sex: str | None
    masked_number: str | None
    masked_second_number: str | None = None
    address: str | None
    unit_code: str | None
    unit_path: str | None
    programmes: list[str]
    benefit_lines: list[str] = []
    status: str | None = None
    registered_on: date | None = None
    merged_into: UUID | None = None


class ProposalView(BaseModel):
    """A decision that waits for its second person."""

    kind: _Kind
    note: str
    proposed_by: str
    proposed_at: datetime
    survivor_id: UUID | None
    effective_month: Month | None
    take_fields: list[str]


class CandidateView(BaseModel):
    """A pair that may be one person, side by side. `a` was registered first."""

    candidate_id: UUID
    score: int
    strong: bool = Field(description="The later file (b) is held from payment until this is decided")
    state: _State
    reasons: list[ReasonView]
    a: SideView
    b: SideView
    proposal: ProposalView | None
    created_at: datetime
    updated_at: datetime


class CandidatePage(BaseModel):
    """A page of the work list."""

    items: list[CandidateView]
    next_cursor: str | None


class ScanRequest(BaseModel):
    """Compare everybody."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20"}]})
    business_date: date


class DecisionProposal(BaseModel):
    """What to do about a pair. MERGE names who goes on, and from which month."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "MERGE", "note": "Cùng một người, đã đối chiếu CCCD tại nhà", "business_date": "2024-08-20",
                    "survivor_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", "effective_month": "2024-09",
                }
            ]
        },
    )  # fmt: skip
    kind: _Kind
    note: FreeText = Field(min_length=5, max_length=1_000, description="What was found, and how")
    business_date: date
    survivor_id: UUID | None = Field(default=None, description="MERGE: the file that goes on")
    effective_month: Month | None = Field(default=None, description="MERGE: the first month not paid under the other file")
    take_fields: Annotated[
        list[Literal["full_name", "birth_date", "sex", "national_number", "address", "second_number"]],
        Field(default_factory=list, max_length=6, description="MERGE: fields the survivor takes from the other file"),
    ]


class DecisionAnswer(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True}]})
    approve: bool
