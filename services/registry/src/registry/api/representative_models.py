"""Bodies of representatives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.registry_v1 import Programme
from common.masking import FreeText
from registry.api.models import Closed, RepresentativeView
from registry.api.paper_models import PersonIn

__all__ = [
    "AppointmentIn", "ExpireIn", "ExpiringPage", "ExpiringView", "ExtensionIn", "ManyPage", "ManyView", "ProposalAnswer", "ProposalPage",
    "ProposalView", "RepresentativeDetail", "RevokeIn",
]  # fmt: skip

_PROGRAMMES = Annotated[list[Programme], Field(max_length=4, description="Programmes of which they may collect; none: all of them")]


class AppointmentIn(Closed):
    """Somebody to collect for a beneficiary."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "person": {"full_name": "Nguyễn Văn Hùng", "birth_date": "1980", "sex": "M", "national_number": "060080004321"},
                    "kind": "AUTHORISED", "programmes": ["SOCIAL_ASSISTANCE"], "valid_from": "2024-08-20",
                    "certificate_number": "15/2024/UQ", "business_date": "2024-08-20",
                }
            ]
        },
    )  # fmt: skip
    person: PersonIn
    kind: Literal["AUTHORISED", "GUARDIAN", "CARER"]
    programmes: _PROGRAMMES = []
    valid_from: date
    valid_to: date | None = Field(default=None, description="An authorisation without an end gets the longest the setting allows")
    certificate_number: str | None = Field(
        default=None, max_length=100, description="Notarisation or commune certification; AUTHORISED needs it, or an attachment"
    )
    attachment_id: UUID | None = None
    heir: bool = Field(default=False, description="Appointed after the death, to collect the month of death and what was left")
    business_date: date


class ExtensionIn(Closed):
    """What changes; left-out fields stay."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"valid_to": "2025-12-31", "business_date": "2025-06-30"}
            ]
        },
    )  # fmt: skip
    valid_to: date | None = None
    programmes: _PROGRAMMES | None = None
    certificate_number: str | None = Field(default=None, max_length=100)
    attachment_id: UUID | None = None
    business_date: date


class RevokeIn(Closed):
    """End of a right."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"reason": "Người hưởng yêu cầu", "business_date": "2025-07-01"}
            ]
        },
    )  # fmt: skip
    reason: FreeText = Field(min_length=3, max_length=200, description="Lý do")
    business_date: date


class ProposalAnswer(Closed):
    """A second person's answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True, "business_date": "2024-08-21"}]})
    approve: bool
    reason: FreeText | None = Field(
        default=None, min_length=3, max_length=300, description="Lý do, bắt buộc khi từ chối · The reason, needed to reject"
    )
    business_date: date


class ProposalView(BaseModel):
    """An appointment or extension that waits for a second person, or what became of it."""

    proposal_id: UUID
    action: Literal["APPOINT", "EXTEND"]
    state: Literal["PROPOSED", "CONFIRMED", "REJECTED", "WITHDRAWN"]
    beneficiary_id: UUID
    beneficiary_name: str
    file_code: str | None
    unit_code: str
    representative_id: UUID
    full_name: str
    birth_date: str | None
    masked_number: str | None
    kind: str
    basis: Literal["STANDING", "HEIR"]
    programmes: list[Programme] = Field(description="None: all programmes")
    certificate_number: str | None
    attachment_id: UUID | None
    valid_from: date
    valid_to: date | None
    business_date: date
    answer_reason: str | None
    maker: str
    made_at: datetime
    checker: str | None
    checked_at: datetime | None
    notice_vi: str = Field(
        default="Người nhận thay chỉ có hiệu lực khi người thứ hai xác nhận.", description="What a proposal means, for the officer"
    )
    notice_en: str = "Nobody collects by this before a second person confirms it."


class ProposalPage(BaseModel):
    """Proposals, oldest first."""

    items: list[ProposalView]
    next_cursor: str | None


class RepresentativeDetail(RepresentativeView):
    """A representative with scope, origin and version."""

    beneficiary_id: UUID
    basis: Literal["STANDING", "HEIR"]
    programmes: list[Programme] = Field(description="None: all programmes")
    attachment_id: UUID | None
    revoked_why: str | None
    version: int


class ExpiringView(BaseModel):
    """A right about to end."""

    beneficiary_id: UUID
    beneficiary_name: str
    file_code: str | None
    unit_code: str
    representative_id: UUID
    full_name: str
    kind: str
    valid_to: date
    days_left: int


class ExpiringPage(BaseModel):
    """Rights about to end, first to end first."""

    items: list[ExpiringView]
    next_cursor: str | None


class ManyView(BaseModel):
    """Somebody who collects for several people."""

    representative_id: UUID
    full_name: str
    birth_date: str | None
    masked_number: str | None
    beneficiaries: int
    as_guardian: int
    as_authorised: int
    as_carer: int


class ManyPage(BaseModel):
    """People who collect for several."""

    items: list[ManyView]
    next_cursor: str | None


class ExpireIn(Closed):
    """Which rights have ended: those whose last day is before this date."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"business_date": "2024-09-10"}
            ]
        },
    )  # fmt: skip
    business_date: date
