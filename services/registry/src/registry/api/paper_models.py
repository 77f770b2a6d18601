"""Bodies of attachments, decisions and moves. Months are YYYY-MM."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.contracts.registry_v1 import Programme
from common.masking import FreeText
from common.months import Month
from registry.api.models import Closed

__all__ = [
    "ArrivalIn", "AttachmentView", "AuthorityView", "BulkView", "CountView", "DecisionIn", "DecisionPage", "DecisionView",
    "DecisionsAnswer", "DepartureIn", "PayingUnitView", "PersonIn", "Reply", "TransferPage", "TransferView",
]  # fmt: skip

NUMBER = Field(min_length=1, max_length=100, description="Số quyết định", examples=["45/QĐ-UBND"])
SIGNER = Field(min_length=1, max_length=200, description="Người ký", examples=["Trần Văn Nam"])
ATTACHMENT = Field(default=None, description="Scan of the paper, from POST /v1/attachments")


class AttachmentView(BaseModel):
    """A scan as stored; the content is read at `/content`."""

    attachment_id: UUID
    kind: str
    media_type: str
    byte_size: int
    sha256: str = Field(description="Hex SHA-256 of the file as sent")
    unit_code: str
    created_by: str
    created_at: datetime


class PersonIn(Closed):
    """Somebody in the register (`person_id`), or identity data; a national number that is known gives the person who holds it."""

    person_id: UUID | None = None
    full_name: str | None = Field(default=None, min_length=1, max_length=200, examples=["Nguyễn Văn Hùng"])
    birth_date: str | None = Field(default=None, examples=["1980-05-20"])
    sex: Literal["M", "F", "UNKNOWN"] = "UNKNOWN"
    national_number: str | None = Field(default=None, examples=["060080004321"])
    address: str | None = Field(default=None, max_length=400)

    @model_validator(mode="after")
    def _one_way(self) -> PersonIn:
        if (self.person_id is None) == (self.full_name is None):
            raise ValueError("give person_id, or full_name with identity data")
        return self


class DecisionItem(Closed):
    """One allowance the decision is about; for a grant the person and the category."""

    entitlement_id: UUID | None = Field(default=None, description="The allowance (not for GRANT)")
    beneficiary_id: UUID | None = Field(default=None, description="The person (GRANT)")
    category: str | None = Field(default=None, max_length=60, description="Category code of the catalogue (GRANT, ADJUST)")
    percent: int | None = Field(default=None, ge=21, le=100, description="Injury percentage (GRANT, ADJUST)")
    quantity: int | None = Field(
        default=None, ge=1, le=100, description="How many units, where the category is paid by them: years of seniority (GRANT, ADJUST)"
    )
    arrears_from: Month | None = Field(default=None, description="Explicit arrears from this month (GRANT)")
    arrears_reason: FreeText | None = Field(
        default=None, min_length=5, max_length=300, description="Why months before the law's first month are granted (GRANT)",
        examples=["Quyết định ký chậm do xác minh"],
    )  # fmt: skip
    dependant_id: UUID | None = Field(default=None, description="Whom it is paid for: the child, the person cared for (GRANT)")


class DecisionIn(Closed):
    """Proposals under one paper, approved together: one or many."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "SUSPEND", "reason": "UNCOLLECTED", "number": "45/QĐ-UBND", "decision_date": "2024-08-12",
                    "signer": "Trần Văn Nam", "business_date": "2024-08-20",
                    "items": [{"entitlement_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"}],
                }
            ]
        },
    )  # fmt: skip
    kind: Literal["GRANT", "ADJUST", "SUSPEND", "RESUME", "END"]
    reason: str = Field(
        pattern=r"^[A-Z_]{3,40}$",
        description="Căn cứ. GRANT: NEW. ADJUST: CHANGED. SUSPEND: PRISON, MISSING, ILLEGAL_EXIT, FRAUD_SUSPECTED (người có công);"
        " UNCOLLECTED, NOT_REASSESSED, DETAINED (trợ giúp xã hội). RESUME: RELEASED, RETURNED, FALSE_ALARM, REMEDIED."
        " END: NOT_ENTITLED, REFUSED, FRAUD_CONCLUDED, NOT_REASSESSED, MISSING, PRISON. OTHER: the month is the one given.",
    )
    number: str = NUMBER
    decision_date: date
    signer: str = SIGNER
    business_date: date
    event_date: date | None = Field(
        default=None,
        description="Counted from: judgement, conclusion, release, request, loss of entitlement, disability certificate",
    )
    effective_month: Month | None = Field(
        default=None, description="First month. Left out where the law counts it; another month than the law's is refused"
    )
    note: FreeText | None = Field(default=None, max_length=500)
    attachment_id: UUID | None = ATTACHMENT
    items: Annotated[list[DecisionItem], Field(min_length=1, max_length=2_000)]

    @model_validator(mode="after")
    def _targets(self) -> DecisionIn:
        for number, item in enumerate(self.items):
            if (item.entitlement_id is None) != (self.kind == "GRANT") or (item.beneficiary_id is None) == (self.kind == "GRANT"):
                raise ValueError(f"items.{number}: beneficiary_id for GRANT, entitlement_id for every other kind")
        if self.kind == "GRANT" and self.effective_month is None:
            raise ValueError("effective_month: a grant names its first month")
        return self


class DecisionView(BaseModel):
    """One decision about one allowance."""

    decision_id: UUID
    bulk_id: UUID = Field(description="Proposals made together")
    kind: str
    beneficiary_id: UUID
    full_name: str
    file_code: str | None
    masked_number: str | None
    entitlement_id: UUID | None = Field(description="The allowance it is about")
    result_id: UUID | None = Field(description="The allowance it made, once approved (GRANT, ADJUST)")
    programme: Programme
    category: str | None = Field(description="Only where one decision is read: lists name no category")
    percent: int | None = Field(description="Only where one decision is read")
    quantity: int | None = Field(description="Units the sum is multiplied by (years of seniority); only where one decision is read")
    number: str
    decision_date: date
    signer: str
    authority: str = Field(description="Who decides on this programme on that date: DISTRICT_CHAIR, COMMUNE_CHAIR, DEPARTMENT")
    authority_path: str | None
    effective_month: Month
    arrears_from: Month | None
    arrears_reason: str | None
    back_pay: bool = Field(description="The suspended months are paid back")
    reason: str
    note: str | None
    event_date: date | None
    attachment_id: UUID | None
    transfer_id: UUID | None
    life_event_id: UUID | None
    business_date: date
    state: Literal["PROPOSED", "APPROVED", "REJECTED", "WITHDRAWN"]
    answer_reason: str | None
    maker: str
    made_at: datetime
    checker: str | None
    checked_at: datetime | None


class DecisionPage(BaseModel):
    """Decisions, oldest first."""

    items: list[DecisionView]
    next_cursor: str | None


class AuthorityView(BaseModel):
    """Who decides on a programme's benefits, from when to when."""

    programme: Programme
    authority: str
    unit_level: Literal["province", "district", "commune"]
    name_vi: str
    name_en: str
    applies_from: date
    applies_to: date | None
    legal_basis: str


class BulkView(BaseModel):
    """Proposals stored."""

    bulk_id: UUID
    decision_ids: list[UUID]
    warnings: list[dict[str, Any]] = Field(default_factory=list, description="What looks odd (age against category); refuses nothing")


class DecisionsAnswer(Closed):
    """Answer to proposals: by id, or a whole bulk."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"business_date": "2024-08-21", "bulk_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"}]},
    )
    business_date: date
    decision_ids: Annotated[list[UUID], Field(max_length=2_000)] = []
    bulk_id: UUID | None = None
    reason: FreeText | None = Field(
        default=None, min_length=3, max_length=500, description="Lý do, bắt buộc khi từ chối · The reason, needed to reject"
    )

    @model_validator(mode="after")
    def _which(self) -> DecisionsAnswer:
        if bool(self.decision_ids) == (self.bulk_id is not None):
            raise ValueError("give decision_ids, or bulk_id")
        return self


class Reply(Closed):
    """Answer to one thing; the reason is needed to return or reject."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-21"}]})
    business_date: date
    reason: FreeText | None = Field(default=None, min_length=3, max_length=500, description="Lý do")


class CountView(BaseModel):
    """How many were answered."""

    answered: int


class DepartureIn(Closed):
    """What the old unit sends."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "beneficiary_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", "to_unit_code": "22915", "number": "12/QĐ-UBND",
                    "decision_date": "2024-09-10", "signer": "Trần Văn Nam", "dossier": "Hồ sơ 12 trang, gửi bưu điện 11/9/2024",
                    "business_date": "2024-09-11",
                }
            ]
        },
    )  # fmt: skip
    beneficiary_id: UUID
    to_unit_code: str | None = Field(default=None, description="Commune in this province", examples=["22915"])
    to_province: str | None = Field(default=None, min_length=2, max_length=100, description="Another province", examples=["Lâm Đồng"])
    number: str = NUMBER
    decision_date: date = Field(description="Date of the stop decision")
    signer: str = SIGNER
    dossier: FreeText = Field(min_length=3, max_length=500, description="What was sent and how: file, pages, way")
    last_month: Month | None = Field(default=None, description="Last month paid here, as the paper says (leaving the province)")
    attachment_id: UUID | None = ATTACHMENT
    business_date: date


class ArrivalGrant(Closed):
    """An allowance continued here."""

    category: str = Field(max_length=60, examples=["SA6_S"])
    percent: int | None = Field(default=None, ge=21, le=100)
    quantity: int | None = Field(default=None, ge=1, le=100, description="Years of seniority")


class ArrivalIn(Closed):
    """Somebody coming from another province."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "person": {"full_name": "Lê Thị Mai", "birth_date": "1950-05-01", "sex": "F", "national_number": "075150000017"},
                    "unit_code": "22924", "from_province": "Đồng Nai", "number": "9/QĐ-UBND", "decision_date": "2024-09-10",
                    "signer": "Trần Văn Nam", "dossier": "Hồ sơ nhận ngày 10/9/2024", "last_month": "2024-08",
                    "entitlements": [{"category": "SA6_S"}], "business_date": "2024-09-11",
                }
            ]
        },
    )  # fmt: skip
    person: PersonIn
    unit_code: str = Field(examples=["22924"])
    from_province: str = Field(min_length=2, max_length=100, examples=["Đồng Nai"])
    number: str = NUMBER
    decision_date: date
    signer: str = SIGNER
    dossier: FreeText = Field(min_length=3, max_length=500)
    last_month: Month = Field(description="Last month paid there, as the paper says")
    entitlements: Annotated[list[ArrivalGrant], Field(min_length=1, max_length=10)]
    attachment_id: UUID | None = ATTACHMENT
    business_date: date


class TransferView(BaseModel):
    """A move and where it stands."""

    transfer_id: UUID
    direction: Literal["WITHIN", "OUT", "IN"]
    beneficiary_id: UUID
    full_name: str
    file_code: str | None
    masked_number: str | None
    from_unit_code: str | None
    to_unit_code: str | None
    other_province: str | None
    number: str
    decision_date: date
    signer: str
    dossier: str
    sent_on: date
    last_month: Month
    pays_from: Month | None = Field(description="First month the new unit pays, once received")
    attachment_id: UUID | None
    state: Literal["SENT", "RECEIVED", "RETURNED", "WITHDRAWN"]
    answer_reason: str | None
    answered_on: date | None
    maker: str
    checker: str | None


class TransferPage(BaseModel):
    """Moves, oldest first."""

    items: list[TransferView]
    next_cursor: str | None


class PayingUnitView(BaseModel):
    """Months one unit pays."""

    from_month: Month | None = Field(description="null: since ever")
    to_month: Month | None = Field(description="Last month, inclusive; null: from then on")
    unit_code: str
    unit_path: str
