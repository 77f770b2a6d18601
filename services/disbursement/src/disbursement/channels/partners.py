"""The payment partners of this installation, from one file: addresses, kinds and live secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from common.webhooks import decode_secret

__all__ = ["AccountLimits", "Partner", "Payer", "load_partners"]


class Payer(BaseModel):
    """Our own paying account at a partner: what stands on payment orders and in files as the one who pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=140)
    account_number: str = Field(pattern=r"^[0-9A-Za-z]{4,34}$")
    bank_name: str = Field(min_length=1, max_length=140)
    bank_bic: str | None = Field(default=None, pattern=r"^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")
    budget_unit: str | None = Field(default=None, pattern=r"^[0-9]{7}$", description="Code of the unit that uses the budget (mã ĐVQHNS)")


class AccountLimits(BaseModel):
    """Đồng that one account of this partner may receive; None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payment: int | None = Field(default=None, gt=0)
    day: int | None = Field(default=None, gt=0)
    month: int | None = Field(default=None, gt=0)


class Partner(BaseModel):
    """One payment partner. Secrets are `whsec_` + base64; several live inbound secrets allow rotation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    kind: Literal["BANK", "WALLET", "MOBILE_MONEY", "POST"]
    channel: str = Field(default="json_batch", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Module of `disbursement.channels`")
    url: str = Field(description="Where its API is; empty where a person carries the files")
    delivery: Literal["UPLOAD", "MANUAL"] = Field(default="UPLOAD", description="Files: over the partner's API, or by a person")
    file_form: Literal["XLSX", "CSV"] = Field(default="XLSX", description="Form of payroll and Treasury files")
    merchant: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{1,40}$", description="By which name this partner knows us; unset: the partner's own"
    )
    limits: AccountLimits | None = Field(
        default=None, description="What one account may receive; unset: as the channel's module says; more is paid in cash"
    )
    payer: Payer | None = Field(default=None, description="Our paying account there; file channels need it")
    outbound_secret: str = Field(repr=False)
    inbound_secrets: tuple[str, ...] = Field(repr=False, min_length=1)
    concurrency: int = Field(default=2, ge=1, le=16, description="Batches in flight at once")
    timeout_seconds: float = Field(default=15.0, gt=0, le=120, description="Whole request, connect included")
    expected_minutes: int | None = Field(
        default=None, ge=1, le=44_640, description="Silence after acceptance before we ask; unset: 30 minutes, for cash a day"
    )

    @property
    def known_as(self) -> str:
        """Our name in this partner's requests and notices."""
        return self.merchant or self.name

    @property
    def expected_seconds(self) -> int | None:
        """`expected_minutes` in seconds; None leaves it to the channel."""
        return None if self.expected_minutes is None else self.expected_minutes * 60

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.url and self.delivery != "MANUAL":
            raise ValueError("a partner without an address is one whose files a person carries: delivery MANUAL")
        return self

    @field_validator("outbound_secret")
    @classmethod
    def _outbound_is_strong(cls, value: str) -> str:
        decode_secret(value)
        return value

    @field_validator("inbound_secrets")
    @classmethod
    def _inbound_are_strong(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            decode_secret(value)
        return values


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    partners: dict[str, dict[str, object]]


def load_partners(path: Path) -> dict[str, Partner]:
    """Read the partners file. Raises ValidationError or ValueError when a secret is missing or too short."""
    content = _File.model_validate_json(path.read_bytes())
    return {name: Partner.model_validate({"name": name, **fields}) for name, fields in content.partners.items()}
