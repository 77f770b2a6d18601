"""Bodies of life events and funeral support. Months are YYYY-MM, amounts whole đồng."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.envelope import Amount
from common.contracts.registry_v1 import Programme
from common.masking import FreeText
from common.months import Month
from registry.api.models import Closed
from registry.api.paper_models import ATTACHMENT, NUMBER, SIGNER, PersonIn

__all__ = [
    "EventsAnswer", "EventsView", "FuneralIn", "FuneralPage", "FuneralView", "LifeEventIn", "LifeEventPage", "LifeEventView",
]  # fmt: skip


class DecisionHead(Closed):
    """Head of the decisions an event calls for."""

    number: str = NUMBER
    decision_date: date
    signer: str = SIGNER
    note: FreeText | None = Field(default=None, max_length=500)


class LifeEventIn(Closed):
    """An event of one or many people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "PRISON", "event_date": "2024-08-05", "beneficiary_ids": ["0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"],
                    "evidence": "Bản án 31/2024/HS-ST", "business_date": "2024-08-20",
                    "decision": {"number": "46/QĐ-SLĐTBXH", "decision_date": "2024-08-15", "signer": "Lê Văn Minh"},
                }
            ]
        },
    )  # fmt: skip
    kind: Literal["DEATH", "MISSING", "PRISON", "RETURN"]
    event_date: date = Field(description="Death; conclusion that somebody is missing; judgement in force; release or request to resume")
    beneficiary_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    evidence: FreeText = Field(min_length=3, max_length=500, description="Paper that proves it: death certificate, judgement, conclusion")
    attachment_id: UUID | None = ATTACHMENT
    decision: DecisionHead | None = Field(default=None, description="Needed when allowances are decided by the event")
    mistaken: bool = Field(default=False, description="RETURN: it was recorded by mistake; a recorded death is taken back only so")
    business_date: date


class EventsView(BaseModel):
    """Events stored, in the order of the people."""

    event_ids: list[UUID]


class LifeEventView(BaseModel):
    """One event of one person."""

    event_id: UUID
    kind: str
    beneficiary_id: UUID
    full_name: str
    file_code: str | None
    masked_number: str | None
    event_date: date
    business_date: date
    evidence: str
    attachment_id: UUID | None
    mistaken: bool
    reverses: UUID | None
    reversed_by: UUID | None
    state: Literal["PROPOSED", "CONFIRMED", "REJECTED"]
    answer_reason: str | None
    maker: str
    made_at: datetime
    checker: str | None


class LifeEventPage(BaseModel):
    """Events, oldest first."""

    items: list[LifeEventView]
    next_cursor: str | None


class EventsAnswer(Closed):
    """Answer to events, all or none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"event_ids": ["0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"], "business_date": "2024-08-21"}
            ]
        },
    )  # fmt: skip
    event_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    business_date: date
    reason: FreeText | None = Field(default=None, min_length=3, max_length=500)


class FuneralIn(Closed):
    """Who organised the funeral; for merit also who receives the lump sum for the family (else the organiser)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "beneficiary_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e",
                    "organiser": {"full_name": "Nguyễn Văn Hùng", "birth_date": "1980", "sex": "M", "national_number": "060080004321"},
                    "number": "46/QĐ-UBND", "decision_date": "2024-08-15", "signer": "Trần Văn Nam", "business_date": "2024-08-20",
                }
            ]
        },
    )  # fmt: skip
    beneficiary_id: UUID = Field(description="Who died")
    organiser: PersonIn
    relative: PersonIn | None = Field(default=None, description="Đại diện thân nhân nhận trợ cấp một lần")
    number: str = NUMBER
    decision_date: date
    signer: str = SIGNER
    pension_requested_on: date | None = Field(
        default=None, description="Request for the social pension, when death came before its decision"
    )
    paid_elsewhere: Amount | None = Field(default=None, description="Funeral sum granted under another law, đồng")
    attachment_id: UUID | None = ATTACHMENT
    business_date: date


class FuneralView(BaseModel):
    """A request for funeral support and its sums."""

    funeral_id: UUID
    deceased_id: UUID
    deceased_name: str
    death_date: date
    organiser_id: UUID
    organiser_name: str
    organiser_number: str | None = Field(description="Masked")
    relative_id: UUID | None
    relative_name: str | None
    programme: Programme
    funeral_amount: Amount
    lump_sum: Amount
    basis: str
    set_aside: list[dict[str, Any]] = Field(description="What other laws would pay, and why they do not")
    number: str
    decision_date: date
    signer: str
    authority: str
    attachment_id: UUID | None
    month: Month | None = Field(description="Month in which the sums are due, once approved")
    business_date: date
    state: Literal["PROPOSED", "APPROVED", "REJECTED", "CANCELLED"]
    answer_reason: str | None
    maker: str
    checker: str | None


class FuneralPage(BaseModel):
    """Requests, oldest first."""

    items: list[FuneralView]
    next_cursor: str | None
