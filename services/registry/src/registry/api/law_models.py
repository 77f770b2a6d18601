"""Bodies of the routes that change the law."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.masking import FreeText
from common.months import Month
from registry.api.models import Closed

__all__ = [
    "ChangePage",
    "ChangeView",
    "Decision",
    "Finding",
    "Findings",
    "NewChange",
    "NewRows",
    "Refusal",
    "RowsPage",
    "Table",
    "WhatIfLine",
    "WhatIfPage",
    "WhatIfPeople",
    "WhatIfRequest",
]

Table = Literal[
    "benefit_category", "category_term", "benefit_standard", "category_coefficient", "category_amount", "category_step",
    "category_group_condition", "category_exclusion", "provincial_top_up", "one_off_rule", "law_change_setting",
]  # fmt: skip
State = Literal["DRAFT", "PROPOSED", "APPROVED", "REJECTED", "WITHDRAWN"]


class NewChange(Closed):
    """A change of the law; legal basis and dates hold for every row that does not say otherwise."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"title_vi": "Mức chuẩn trợ giúp xã hội 540.000 đồng", "title_en": "Social-assistance standard of 540,000 đồng",
                 "legal_basis": "Nghị định 335/2026/NĐ-CP Điều 4", "applies_from": "2026-07-01", "known_from": "2026-08-25"}
            ]
        },
    )  # fmt: skip
    title_vi: str = Field(min_length=3, max_length=200)
    title_en: str = Field(min_length=3, max_length=200)
    legal_basis: str = Field(min_length=3, max_length=300)
    applies_from: date = Field(description="From which month amounts hold; months already gone get their difference (truy lĩnh)")
    known_from: date = Field(description="From which day on the register may use them: signature, or day of effect")


class NewRows(Closed):
    """Rows of one table of the catalogue."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"rows": [{"standard": "SA_STANDARD", "amount_vnd": 540000}]}]}
    )
    rows: list[dict[str, str | int | bool | list[str] | None]] = Field(min_length=1, max_length=5_000)
    replace: bool = Field(default=False, description="Take the table's rows of this draft out first")


class Decision(Closed):
    """On which business date the change is approved."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2026-08-25"}]})
    business_date: date


class Refusal(Closed):
    """Why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Thiếu phụ lục II"}]})
    reason: FreeText = Field(min_length=3, max_length=300)


class WhatIfRequest(Closed):
    """As of which day, and how far ahead."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2026-08-25", "until_month": "2026-12"}]})
    business_date: date
    until_month: Month


class ChangeView(BaseModel):
    """A change of the law."""

    change_id: UUID
    title_vi: str
    title_en: str
    legal_basis: str
    applies_from: date | None
    known_from: date | None
    state: State
    version: int
    authors: list[str] = Field(description="Who wrote in the draft; none of them approves it")
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    business_date: date | None
    job_id: UUID | None = Field(description="The computation of all dues that the approval queued")
    closed_by: str | None
    closed_at: datetime | None
    reason: str | None
    rows: dict[str, int] = Field(default_factory=dict, description="Rows by table")
    counts_later: list[date] = Field(
        default_factory=list, description="Days after the approval on which rows become known; dues are computed anew on each"
    )


class ChangePage(BaseModel):
    """A page of changes, newest first."""

    items: list[ChangeView]
    next_cursor: str | None


class RowsPage(BaseModel):
    """Rows of one table."""

    items: list[dict[str, Any]]
    next_offset: int | None


class Finding(BaseModel):
    """Something the second person should know; an ERROR must be corrected first."""

    level: Literal["ERROR", "WARNING"]
    code: str
    subject: str
    amount: int | None
    from_date: date | None
    until: date | None
    vi: str
    en: str


class Findings(BaseModel):
    """All of them."""

    items: list[Finding]


class WhatIfPeople(BaseModel):
    """People the draft touches, each counted once; an empty programme stands for all."""

    programme: str
    people: int
    gaining: int
    losing: int


class WhatIfLine(BaseModel):
    """Sums of one unit, programme, line or month."""

    keys: list[str]
    people: int = Field(description="Each counted once; by month it counts lines")
    amount_before: int
    amount_after: int
    arrears: int = Field(description="Difference of the months before the business month (truy lĩnh; negative: to be recovered)")
    of_the_month: int = Field(description="Difference of the business month: the cost per month")
    ahead: int = Field(description="Difference of the months after it, to the horizon")
    missing_before: int = Field(description="Months of people without a loaded amount (RATE_MISSING) now")
    missing_after: int = Field(description="The same with the draft")


class WhatIfPage(BaseModel):
    """A what-if in the caller's area."""

    what_if_id: UUID
    change_id: UUID
    change_version: int
    business_date: date
    until_month: Month
    people: list[WhatIfPeople]
    out_of_date: int = Field(description="People whose dues stand otherwise than they would be computed today, draft or not")
    by: list[str]
    items: list[WhatIfLine]
    next_offset: int | None
