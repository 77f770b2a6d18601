"""Bodies of the registry's HTTP API. Months are YYYY-MM, amounts whole đồng."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.contracts.envelope import Amount
from common.contracts.registry_v1 import Programme
from common.lists.models import JobAccepted
from common.masking import FreeText
from common.months import Month

__all__ = [
    "WAITING_EN",
    "WAITING_VI",
    "BeneficiaryDetail",
    "BeneficiaryPage",
    "BeneficiaryPatch",
    "BeneficiarySearch",
    "BeneficiaryView",
    "Closed",
    "DeathReport",
    "DueView",
    "DuesView",
    "JobAccepted",
    "NewBeneficiary",
    "PersonAttributes",
    "RegisteredView",
    "UnitPage",
    "UnitView",
    "Waiting",
]


class Closed(BaseModel):
    """Requests are closed: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


class EntitlementIn(Closed):
    """One allowance, as in a row of a list."""

    category: str = Field(description="Category code of the catalogue", examples=["SA6_S"])
    percent: int | None = Field(default=None, ge=21, le=100, description="Injury percentage, wounded soldiers only")
    quantity: int | None = Field(default=None, ge=1, le=100, description="Units where the category is paid by them: years of seniority")
    decision_number: str = Field(min_length=1, max_length=100, examples=["123/QĐ-UBND"])
    decision_date: date
    from_month: Month
    arrears_from: Month | None = Field(default=None, description="Explicit arrears granted by this decision, from this month")
    arrears_reason: FreeText | None = Field(
        default=None, min_length=5, max_length=300, description="Needed for months before the law's first one (lý do truy lĩnh)",
        examples=["Quyết định ký chậm do xác minh"],
    )  # fmt: skip
    certificate_date: date | None = Field(
        default=None, description="Date of the disability certificate: the law counts the first month from it (Decree 20/2021 Art. 8)"
    )
    signer: str = Field(default="", max_length=200, description="Who signed the decision", examples=["Trần Văn Nam"])


class RepresentativeIn(Closed):
    """Who collects for the person."""

    full_name: str = Field(min_length=1, max_length=200)
    kind: Literal["AUTHORISED", "GUARDIAN", "CARER"]
    birth_date: str | None = Field(default=None, examples=["1980-05-20"])
    sex: Literal["M", "F", "UNKNOWN"] = "UNKNOWN"
    national_number: str | None = Field(default=None, examples=["060180004321"])
    certificate_number: str | None = Field(default=None, max_length=100)
    valid_from: date | None = None
    valid_to: date | None = None


class PersonAttributes(Closed):
    """What is known of a person besides identity. In a PATCH an empty text takes a field away."""

    second_number: str | None = Field(
        default=None, max_length=20, description="Old ID card number (CMND), 9 digits", examples=["250123456"]
    )
    no_number_reason: Literal["", "NO_ID", "NOT_IN_POPULATION_DB"] | None = Field(
        default=None, description="Why there is no number; such a person is registered and paid all the same"
    )
    ethnicity: str | None = Field(
        default=None, max_length=60, description="Dân tộc. Sensitive: kept encrypted, in no list", examples=["Kinh"]
    )
    phone: str | None = Field(default=None, max_length=30, examples=["0912345678"])
    hamlet: str | None = Field(default=None, max_length=120, description="Thôn, khu phố", examples=["Khu phố 3"])


class NewBeneficiary(PersonAttributes):
    """A person and the allowances a decision grants."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "file_code": "BT-22924-A-00017",
                    "full_name": "Nguyễn Thị Hoà", "birth_date": "1950-03-02", "sex": "F", "national_number": "060150001234",
                    "preference": "WANTS_ACCOUNT",
                    "entitlements": [
                        {"category": "SA6_S_CE", "decision_number": "123/QĐ-UBND", "decision_date": "2024-05-10", "from_month": "2024-05"}
                    ],
                }
            ]
        },
    )  # fmt: skip
    programme: Programme
    unit_code: str = Field(description="Commune code on the business date", examples=["22924"])
    business_date: date
    file_code: str = Field(min_length=1, max_length=60, description="Dossier code (mã hồ sơ), unique in the province")
    full_name: str = Field(min_length=1, max_length=200)
    birth_date: str | None = Field(default=None, description="YYYY, YYYY-MM or YYYY-MM-DD, at the precision known")
    sex: Literal["M", "F", "UNKNOWN"] = "UNKNOWN"
    national_number: str | None = Field(default=None, description="12 digits; leave out when the person has none")
    address: str | None = Field(default=None, max_length=400)
    preference: Literal["UNKNOWN", "WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"] = "UNKNOWN"
    entitlements: Annotated[list[EntitlementIn], Field(min_length=1, max_length=10)]
    representative: RepresentativeIn | None = None


WAITING_VI: Final = "Đã ghi vào danh bạ; chế độ và người nhận thay chỉ có hiệu lực khi người thứ hai, thuộc cấp quyết định, duyệt."
WAITING_EN: Final = (
    "The person is registered; allowances and who collects take effect when a second person, of the level that decides, approves."
)


class Waiting(BaseModel):
    """What a second person answers: `POST /v1/decisions/approve`, `POST /v1/representatives/proposals/{id}/decision`."""

    decision_ids: list[UUID] = Field(description="Proposed grants; nothing is due before they are approved (chờ người thứ hai duyệt)")
    representative_proposals: list[UUID] = Field(description="Proposals of who collects (chờ người thứ hai xác nhận)")


class RegisteredView(Waiting):
    """The registered person, and what waits for a second person."""

    beneficiary_id: UUID
    notice_vi: str = WAITING_VI
    notice_en: str = WAITING_EN
    warnings: list[dict[str, Any]] = Field(default_factory=list, description="What looks odd in the number, or in the age; refuses nothing")


class BeneficiaryView(BaseModel):
    """A beneficiary as lists show people: the number masked."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    birth_date: str | None
    sex: str
    masked_number: str | None = Field(description="060*****1234; null when the person has no number")
    unit_code: str
    unit_path: str
    programmes: list[Programme]
    status: str
    death_date: date | None
    preference: str | None
    no_number_reason: str | None = Field(description="NO_ID or NOT_IN_POPULATION_DB; null when there is a number or nobody has said")
    version: int


class EntitlementView(BaseModel):
    """One decision."""

    entitlement_id: UUID
    programme: Programme
    funding_source: str
    category: str
    percent: int
    benefit_line: str
    decision_number: str
    decision_date: date
    authority: str | None = Field(default=None, description="Who decides on this programme on that date, e.g. DISTRICT_CHAIR")
    from_month: Month
    arrears_from: Month | None
    to_month: Month | None
    status: str


class RepresentativeView(BaseModel):
    """One representative."""

    representative_id: UUID
    kind: str
    full_name: str
    birth_date: str | None
    masked_number: str | None
    certificate_number: str | None
    valid_from: date
    valid_to: date | None
    revoked_on: date | None


class BeneficiaryDetail(BeneficiaryView):
    """A beneficiary with decisions and representatives."""

    address: str | None
    hamlet: str | None
    name_folded: str = Field(description="Unaccented capitals, as banks print names")
    name_key: str = Field(description="Comparison form: equal for two spellings of one name (tone placement, composition, case)")
    masked_second_number: str | None
    masked_phone: str | None
    preference_on: date | None
    preference_evidence: str | None
    number_warnings: list[dict[str, Any]] = Field(description="What looks odd in the number against sex and birth year")
    national_number: str | None = Field(default=None, description="Whole number, only when asked with a purpose; the read is audited")
    second_number: str | None = Field(default=None, description="Only with a purpose")
    phone: str | None = Field(default=None, description="Only with a purpose")
    ethnicity: str | None = Field(default=None, description="Only with a purpose")
    entitlements: list[EntitlementView]
    representatives: list[RepresentativeView]


class BeneficiaryPage(BaseModel):
    """A page of beneficiaries."""

    items: list[BeneficiaryView]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page; null at the end")


class BeneficiarySearch(Closed):
    """Exact search by national number or old ID card number (in a body, so that it stays out of logs)."""

    national_number: str | None = Field(default=None, pattern=r"^[0-9]{12}$", examples=["060150001234"])
    second_number: str | None = Field(default=None, pattern=r"^[0-9]{9}$", examples=["250123456"])

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.national_number is None) == (self.second_number is None):
            raise ValueError("give national_number or second_number")
        return self


_BY_REQUEST: Final = frozenset({"full_name", "birth_date", "national_number"})


class BeneficiaryPatch(PersonAttributes):
    """Simple corrections. Left-out fields stay. Name, number and birth date are changed by a change request."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "preference": "DECLINES"}]})
    business_date: date
    sex: Literal["M", "F", "UNKNOWN"] | None = None
    address: str | None = Field(default=None, max_length=400)
    unit_code: str | None = Field(
        default=None, description="The commune that should have been recorded, in your own area; somebody who moves is handed over"
    )
    unit_reason: FreeText | None = Field(
        default=None, min_length=5, max_length=300, description="Why the recorded unit is wrong; goes with `unit_code`",
        examples=["Nhập nhầm mã xã"],
    )  # fmt: skip
    address_from: date | None = Field(default=None, description="From when address, hamlet or unit hold; else the business date")
    preference: Literal["UNKNOWN", "WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"] | None = None
    preference_evidence: FreeText | None = Field(
        default=None, max_length=300, description="What the answer rests on", examples=["Phiếu 12"]
    )

    @model_validator(mode="before")
    @classmethod
    def _two_people(cls, values: Any) -> Any:
        asked = sorted(_BY_REQUEST.intersection(values)) if isinstance(values, dict) else []
        if asked:
            raise ValueError(f"{', '.join(asked)}: changed by two people, POST /v1/beneficiaries/{{id}}/change-requests")
        return values


class DeathReport(Closed):
    """A reported death."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "death_date": "2024-08-11"}]})
    business_date: date
    death_date: date


class DueView(BaseModel):
    """Months due at one amount."""

    programme: Programme
    funding_source: str
    benefit_line: str
    from_month: Month
    to_month: Month | None
    amount: Amount
    status: Literal["DUE", "RATE_MISSING"]
    basis: str
    decision_number: str | None
    explicit_arrears: bool


class DuesView(BaseModel):
    """What is due to a person; with `month`, in that month."""

    beneficiary_id: UUID
    month: Month | None
    total: Amount | None = Field(description="Sum of the DUE amounts of the month; null without `month`")
    intervals: list[DueView]


class UnitView(BaseModel):
    """An administrative unit on a date."""

    code: str
    name: str
    level: str
    parent_code: str | None
    path: str
    valid_from: date
    valid_to: date | None


class UnitPage(BaseModel):
    """A page of units."""

    items: list[UnitView]
    next_cursor: str | None
