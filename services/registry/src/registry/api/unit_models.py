"""Bodies of the routes of administrative units."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.masking import FreeText
from registry.api.models import Closed

__all__ = [
    "ApproveWork", "ChangePage", "ChangeView", "DecideChange", "NewRemap", "PlanPage", "PlanUnit", "ProposalResult", "ProposeByAddress",
    "ProposePeople", "RemapPage", "RemapView", "UnitCounts", "UnitDetail", "UnitItem", "UnitItemPage", "WorkApproved", "WorkItem",
    "WorkPage", "WorkSummary", "WorkSummaryUnit",
]  # fmt: skip

REFORM = "2025-07-01"


class UnitItem(BaseModel):
    """An administrative unit as it is or was between two dates."""

    unit_id: UUID
    code: str
    name: str
    short_name: str
    level: str = Field(description="province, district, commune; a tree may go deeper")
    type: str = Field(examples=["phuong"])
    parent_code: str | None
    path: str = Field(examples=["68/22945"])
    valid_from: date
    valid_to: date | None = Field(description="Last day; null while it stands")
    legal_basis: str | None


class UnitItemPage(BaseModel):
    """A page of units."""

    items: list[UnitItem]
    next_cursor: str | None


class LinkedUnit(UnitItem):
    """A unit before or after a change."""

    kind: Literal["WHOLE", "PART"] = Field(
        description="WHOLE: everybody went there. PART: the unit was split, people are assigned one by one"
    )
    effective_on: date


class UnitDetail(UnitItem):
    """One unit with its past and future."""

    predecessors: list[LinkedUnit] = Field(description="What it was made from")
    successors: list[LinkedUnit] = Field(description="What became of it; of a district, what became of its communes")
    versions: list[UnitItem] = Field(description="Everything this code has stood for: never join old to new by code")


class UnitCount(BaseModel):
    """How many units of a level and type."""

    level: str
    type: str
    units: int


class UnitCounts(BaseModel):
    """Units on a date."""

    on: date
    levels: dict[str, int] = Field(examples=[{"province": 34, "commune": 3321}])
    types: list[UnitCount]


class ChangeView(BaseModel):
    """A change of units waiting for, or decided by, a second person."""

    change_id: UUID
    effective_on: date
    legal_basis: str
    file_name: str
    effects: dict[str, int]
    units: list[dict[str, Any]]
    state: Literal["PROPOSED", "APPROVED", "REFUSED"]
    business_date: date
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class ChangePage(BaseModel):
    """A page of changes."""

    items: list[ChangeView]
    next_cursor: str | None


class DecideChange(Closed):
    """The second person's answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True}]})
    approve: bool
    reason: FreeText | None = Field(default=None, max_length=500)


class NewRemap(Closed):
    """What to count."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"effective_on": REFORM, "unit_path": "60", "business_date": "2025-07-05"}]}
    )
    effective_on: date = Field(description="The day the new units began; old ones ended the day before")
    unit_path: str = Field(pattern=r"^(\*|[0-9A-Za-z/]{2,60})$", description="Old path: only units at or below it; `*` is the country")
    business_date: date


class RemapTotal(BaseModel):
    """Counts of old units with the same treatment."""

    treatment: Literal["MOVE", "KEPT", "SPLIT", "CODE_REUSED", "NO_SUCCESSOR"] = Field(
        description="MOVE: wholly into one new unit. KEPT: path unchanged. SPLIT, CODE_REUSED, NO_SUCCESSOR: people go to the work list"
    )
    units: int
    people: int
    beneficiaries: int
    households: int
    institutions: int
    lists: int


class RemapView(BaseModel):
    """A re-mapping: what it would do, and once approved what it did."""

    remap_id: UUID
    effective_on: date
    scope_path: str
    business_date: date
    state: Literal["COUNTED", "APPROVED", "DONE", "CANCELLED"]
    totals: list[RemapTotal]
    job_id: UUID | None
    result: dict[str, Any] | None
    created_by: str
    created_at: datetime
    approved_by: str | None


class RemapPage(BaseModel):
    """A page of re-mappings."""

    items: list[RemapView]
    next_cursor: str | None


class PlanUnit(BaseModel):
    """One old unit and what a re-mapping does with it."""

    old_path: str
    old_name: str
    treatment: str
    new_path: str | None
    new_name: str | None
    people: int
    beneficiaries: int
    households: int
    institutions: int
    lists: int


class PlanPage(BaseModel):
    """A page of old units."""

    items: list[PlanUnit]
    next_cursor: str | None


class Candidate(BaseModel):
    """A commune people of an old unit can have gone to."""

    code: str
    name: str
    path: str


class WorkSummaryUnit(BaseModel):
    """How far the list of one old unit is."""

    old_code: str
    old_name: str
    old_path: str
    people: int
    open: int
    proposed: int
    approved: int
    applied: int
    stale: int
    candidates: list[Candidate]


class WorkSummary(BaseModel):
    """The work list by old unit."""

    items: list[WorkSummaryUnit]


class WorkItem(BaseModel):
    """One person to be assigned."""

    person_id: UUID
    file_code: str | None
    full_name: str
    birth_date: str | None
    hamlet: str | None
    address: str | None
    old_path: str
    state: Literal["OPEN", "PROPOSED", "APPROVED", "APPLIED", "STALE"]
    proposed_path: str | None
    ground: Literal["PERSON", "ADDRESS", "FILE"] | None
    proposed_by: str | None
    approved_by: str | None


class WorkPage(BaseModel):
    """A page of the work list."""

    items: list[WorkItem]
    next_cursor: str | None


class Choice(Closed):
    """One person's new commune."""

    person_id: UUID
    unit_code: str


class ProposePeople(Closed):
    """New communes person by person."""

    effective_on: date = Field(examples=[REFORM])
    people: list[Choice] = Field(min_length=1, max_length=1000)


class ProposeByAddress(Closed):
    """One new commune for everybody of an old unit whose hamlet or address holds the words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"effective_on": REFORM, "old_path": "60/593/22924", "words": "Thôn 3", "unit_code": "22924"}]},
    )
    effective_on: date
    old_path: str
    words: str = Field(min_length=1, max_length=100, description="Whole words; accents and case do not matter")
    unit_code: str


class Refused(BaseModel):
    """Why a proposal was not taken."""

    person_id: UUID
    unit_code: str
    reason: Literal["NOT_ON_LIST", "ALREADY_APPROVED", "NOT_A_SUCCESSOR"]


class RowWithoutPeople(BaseModel):
    """A row of a file that names nobody on the list."""

    row: int
    reason: Literal["NOBODY"]


class ProposalResult(BaseModel):
    """What was taken, what was not and why (at most 500 shown)."""

    proposed: int
    refused: list[Refused]
    refused_count: int
    rows: int | None = None
    rows_without_people: list[RowWithoutPeople] = Field(default_factory=list)


class ApproveWork(Closed):
    """Approve the proposals of one old unit: all of them, or of the people named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"effective_on": REFORM, "old_path": "60/593/22924", "business_date": "2025-07-20"}]},
    )
    effective_on: date
    old_path: str
    people: list[UUID] | None = Field(default=None, max_length=1000)
    business_date: date


class WorkApproved(BaseModel):
    """What was approved; a job applies it."""

    approved: int
    own: int = Field(description="Proposals of your own, left for somebody else to approve")
    job_id: UUID | None
