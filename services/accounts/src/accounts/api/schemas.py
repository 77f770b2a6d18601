"""Bodies of requests and answers. Account numbers are always masked."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.accounts_v1 import AccountKind, AccountStatus, PayoutMethod

__all__ = [
    "AccountPage", "AccountView",
    "MethodRequest", "MethodView", "ProgressView",
]  # fmt: skip

_ID = "0191f5a0-0000-7000-8000-000000000001"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class ProgressView(BaseModel):
    """How far account linking is, in the caller's units."""

    model_config = _example(
        pending=40,
        by_status={"ACTIVE": 16455, "REJECTED": 120, "NEEDS_REVIEW": 60},
        by_reason={"NAME_DIFFERS": 70, "SHARED_ACCOUNT": 30},
        by_method={"ACCOUNT": 16700, "CASH_POST": 37000, "CASH_HOME": 900},
        rows_waiting=0,
    )

    pending: int = Field(description="Accounts whose provider has not answered yet")
    by_status: dict[str, int]
    by_reason: dict[str, int]
    by_method: dict[str, int]
    rows_waiting: int = Field(description="Rows of lists whose person is not registered yet")


class AccountView(BaseModel):
    """One payout account of one payee."""

    model_config = _example(
        account_id=_ID, payee_id=_ID, payee_kind="SELF", kind="BANK", provider_code="AGRIBANK", partner="agribank", masked_number="…1234",
        holder_name="TRAN THI PHUONG", status="ACTIVE", reason=None, version=1, unit_code="22924", unit_path="60/593/22924",
        business_date="2024-08-20", priority=1, source="IMPORT", consent_on="2024-08-20", checked_on="2024-08-20",
    )  # fmt: skip

    account_id: UUID
    payee_id: UUID
    payee_kind: str
    kind: AccountKind
    provider_code: str
    partner: str
    masked_number: str
    holder_name: str | None = Field(description="As the provider gave it: unaccented capitals")
    status: AccountStatus
    reason: str | None
    version: int
    unit_code: str
    unit_path: str
    business_date: date
    priority: int = Field(description="The next in order is used when the one before comes to its end")
    source: str = Field(description="Where the account is known from: FORM, IMPORT, BANK_LIST, VNEID or OPENING")
    consent_on: date | None = Field(description="When the payee agreed to its use")
    checked_on: date | None = Field(description="Business date of the provider's last answer")


class AccountPage(BaseModel):
    """One page of accounts."""

    items: list[AccountView]
    next_cursor: str | None


class MethodRequest(BaseModel):
    """How a beneficiary is to be paid."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"method": "CASH_POST", "business_date": "2024-08-21"}]})

    method: PayoutMethod
    payee_id: UUID | None = Field(default=None, description="A representative; default: the beneficiary")
    account_id: UUID | None = Field(default=None, description="For ACCOUNT: an active account of the payee")
    home_reason: str | None = Field(default=None, max_length=300, description="For CASH_HOME; kept encrypted, never published")
    business_date: date


class MethodView(BaseModel):
    """The present choice."""

    model_config = _example(
        beneficiary_id=_ID, payee_id=_ID, payee_kind="SELF", method="ACCOUNT", account_id=_ID, account_status="ACTIVE",
        masked_number="…1234", provider_code="AGRIBANK", reason=None, version=1, account_from=None, fraud_suspected=False,
    )  # fmt: skip

    beneficiary_id: UUID
    payee_id: UUID
    payee_kind: str
    method: PayoutMethod
    account_id: UUID | None
    account_status: AccountStatus | None
    masked_number: str | None
    provider_code: str | None
    reason: str | None
    version: int
    account_from: date | None = Field(description="Cool-down: the changed account is paid into from this business date on")
    fraud_suspected: bool = Field(description="Payments are held until the suspicion is cleared")
