"""Bodies of the directory's routes: providers, contracts, settings, and changes that a second person approves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accounts.api.guards import example
from common.contracts.accounts_v1 import AccountKind
from common.contracts.registry_v1 import Programme
from common.masking import FreeText
from common.periods import InOrder

__all__ = [
    "AnyChange", "ChangePage", "ChangeProposed", "ChangeView", "Contract", "ContractPage", "Decision", "ProviderDetail", "ProviderType",
    "ProviderView", "Setting",
]  # fmt: skip

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProviderType(BaseModel):
    """A kind of provider; the list is open."""

    model_config = example(code="MOBILE_MONEY", name_vi="Tiền di động", name_en="Mobile money", account_kind="MOBILE_MONEY")

    code: str
    name_vi: str
    name_en: str
    account_kind: AccountKind | None = Field(description="null: keeps no accounts (the post)")


class ProviderView(BaseModel):
    """One provider as of a day."""

    model_config = example(
        code="LPBANK", name="Ngân hàng TMCP Lộc Phát Việt Nam", short_name="LPBank", type_code="BANK", kind="BANK", bins=["970449"],
        partner="lpbank", channels=["BANK"], name_inquiry=True, holder_id_check=True, opens_accounts=True, inquiries_per_second=2,
        limit_per_payment=500000000, limit_per_month=None, succeeded_by=None, source=None,
    )  # fmt: skip

    code: str
    name: str
    short_name: str
    type_code: str
    kind: AccountKind | None
    bins: list[str] = Field(description="Bank identification numbers; renamed banks share one")
    partner: str | None = Field(description="The payment partner that pays into its accounts; null: none yet")
    channels: list[str]
    name_inquiry: bool = Field(description="Answers whose account it is")
    holder_id_check: bool = Field(description="Says whether the holder's identity number agrees")
    opens_accounts: bool = Field(description="Takes lists of people who want an account")
    inquiries_per_second: Decimal | None
    limit_per_payment: int | None
    limit_per_month: int | None
    succeeded_by: str | None
    source: str | None


class DatedName(BaseModel):
    """A name and when it was borne; null: not known, or still."""

    name: str
    short_name: str
    valid_from: date | None
    valid_to: date | None


class DatedBin(BaseModel):
    """A BIN and when it held."""

    bin: str
    valid_from: date | None
    valid_to: date | None


class FeeOffer(BaseModel):
    """What a provider asks of beneficiaries, by its own offer (Directive 21/CT-TTg)."""

    offer_id: UUID
    kind: Literal["OPENING", "MAINTENANCE", "WITHDRAWAL"]
    amount: int
    terms: str | None
    source: str
    valid_from: date
    valid_to: date | None


class ProviderDetail(ProviderView):
    """One provider with its history."""

    names: list[DatedName]
    all_bins: list[DatedBin]
    aliases: list[str]
    fee_offers: list[FeeOffer]


class Contract(BaseModel):
    """A contract of one unit with one provider."""

    contract_id: UUID
    number: str
    unit_code: str
    unit_path: str
    provider_code: str
    programme: Programme | None = Field(description="null: all programmes")
    scope: str
    fee_basis_points: int = Field(description="Fee on paid amounts, borne by the agency: 1 = 0.01%")
    valid_from: date
    valid_to: date | None


class ContractPage(BaseModel):
    """One page of contracts."""

    items: list[Contract]
    next_cursor: UUID | None


class Setting(BaseModel):
    """A setting whose answer is owed to us, with its question."""

    code: str
    value: str
    question_vi: str
    question_en: str
    legal_ref: str | None
    decided_by: str | None
    decided_on: date | None


class ProviderTypeBody(_Closed):
    """A further kind of provider."""

    code: str = Field(pattern="^[A-Z][A-Z0-9_]{1,39}$")
    name_vi: str = Field(min_length=2, max_length=100)
    name_en: str = Field(min_length=2, max_length=100)
    account_kind: AccountKind | None = None


class ProviderBody(_Closed):
    """A provider: new, or with other capabilities. Give all of them."""

    code: str = Field(pattern="^[A-Z0-9_]{2,40}$")
    type_code: str = Field(max_length=40)
    partner: str | None = Field(default=None, pattern="^[a-z0-9-]{2,40}$")
    channels: list[Literal["BANK", "WALLET", "MOBILE_MONEY", "CASH_POST", "CASH_HOME"]] = []
    name_inquiry: bool = False
    holder_id_check: bool = False
    opens_accounts: bool = False
    inquiries_per_second: Decimal | None = Field(default=None, gt=0, le=10_000)
    limit_per_payment: int | None = Field(default=None, gt=0)
    limit_per_month: int | None = Field(default=None, gt=0)
    succeeded_by: str | None = Field(default=None, max_length=40)
    source: str | None = Field(default=None, max_length=200)


class _Dated(InOrder, _Closed):
    valid_from: date
    valid_to: date | None = None


class ProviderNameBody(_Dated):
    """A name from a date on."""

    provider_code: str = Field(max_length=40)
    name: str = Field(min_length=2, max_length=200)
    short_name: str = Field(min_length=2, max_length=100)


class ProviderBinBody(_Dated):
    """A BIN from a date on."""

    provider_code: str = Field(max_length=40)
    bin: str = Field(pattern="^[0-9]{6}$")


class ProviderAliasBody(_Closed):
    """Another way in which offices write a provider's name."""

    provider_code: str = Field(max_length=40)
    alias: str = Field(min_length=2, max_length=100)


class FeeOfferBody(_Dated):
    """A fee offer to beneficiaries; amount 0: waived."""

    provider_code: str = Field(max_length=40)
    kind: Literal["OPENING", "MAINTENANCE", "WITHDRAWAL"]
    amount: int = Field(ge=0, le=10_000_000)
    terms: str | None = Field(default=None, max_length=500)
    source: str = Field(min_length=2, max_length=200, description="The provider's letter or announcement")


class ContractBody(_Dated):
    """A contract; a unit may have several with one provider."""

    number: str = Field(min_length=1, max_length=60)
    unit_code: str = Field(max_length=10)
    provider_code: str = Field(max_length=40)
    programme: Programme | None = None
    scope: str = Field(min_length=2, max_length=300, examples=["Chi trả trợ cấp qua tài khoản"])
    fee_basis_points: int = Field(ge=0, le=10_000)


class SettingBody(_Closed):
    """A new value of a setting."""

    code: str = Field(max_length=60)
    value: str = Field(max_length=60)


class _Asked(_Closed):
    business_date: date


class ProviderTypeChange(_Asked):
    """Propose a kind of provider."""

    kind: Literal["PROVIDER_TYPE"]
    body: ProviderTypeBody


class ProviderChange(_Asked):
    """Propose a provider or other capabilities."""

    kind: Literal["PROVIDER"]
    body: ProviderBody


class ProviderNameChange(_Asked):
    """Propose a name from a date on."""

    kind: Literal["PROVIDER_NAME"]
    body: ProviderNameBody


class ProviderBinChange(_Asked):
    """Propose a BIN from a date on."""

    kind: Literal["PROVIDER_BIN"]
    body: ProviderBinBody


class ProviderAliasChange(_Asked):
    """Propose another way in which offices write a name."""

    kind: Literal["PROVIDER_ALIAS"]
    body: ProviderAliasBody


class FeeOfferChange(_Asked):
    """Propose a fee offer."""

    kind: Literal["FEE_OFFER"]
    body: FeeOfferBody


class ContractChange(_Asked):
    """Propose a contract."""

    kind: Literal["CONTRACT"]
    body: ContractBody


class SettingChange(_Asked):
    """Propose a value of a setting."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "SETTING", "body": {"code": "COOL_DOWN_DAYS", "value": "10"}, "business_date": "2024-08-20"}]
        },
    )

    kind: Literal["SETTING"]
    body: SettingBody


AnyChange = Annotated[
    ProviderTypeChange | ProviderChange | ProviderNameChange | ProviderBinChange | ProviderAliasChange | FeeOfferChange | ContractChange
    | SettingChange,
    Field(discriminator="kind"),
]  # fmt: skip


class ChangeProposed(BaseModel):
    """A change waits for a second person."""

    model_config = example(request_id=_ID)

    request_id: UUID


class Decision(_Closed):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True, "note": "Theo công văn 12/NHNN"}]})

    approve: bool
    note: FreeText | None = Field(default=None, max_length=300)


class ChangeView(BaseModel):
    """A proposed or decided change."""

    request_id: UUID
    kind: str
    body: dict[str, Any]
    business_date: date
    state: Literal["PROPOSED", "APPROVED", "REFUSED"]
    proposed_by: str
    decided_by: str | None
    note: str | None


class ChangePage(BaseModel):
    """One page of changes."""

    items: list[ChangeView]
    next_cursor: UUID | None
