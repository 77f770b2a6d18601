"""What the partner simulator reads from its JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from simulators.serving import beside
from simulators.webhooks import key_of

__all__ = ["AccountLimits", "PartnerConfig", "SimulatorConfig"]

_BY_ACCOUNT = frozenset({"BANK", "WALLET", "MOBILE_MONEY"})


class AccountLimits(BaseModel):
    """Đồng that one account of this partner may receive; null: no limit."""

    model_config = ConfigDict(extra="forbid")

    payment: int | None = Field(default=None, gt=0)
    day: int | None = Field(default=None, gt=0)
    month: int | None = Field(default=None, gt=0)


class PartnerConfig(BaseModel):
    """One partner as both sides know it (the platform reads the same entry)."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    kind: str = Field(description="BANK, WALLET or MOBILE_MONEY pays into accounts; anything else, such as POST, pays cash")
    outbound_secret: str = Field(description="The platform signs its batches with this")
    inbound_secrets: list[str] = Field(min_length=1, description="The partner signs its notices with the first")
    channel: str = Field(default="json_batch", description="Its contract; wallet_query, wallet_ipn and mobile_money are others")
    provider_code: str | None = Field(default=None, description="Provider whose accounts it keeps, where orders do not say; null: its name")
    merchant: str | None = Field(default=None, description="By which name it knows the platform; null: its own")
    limits: AccountLimits | None = Field(default=None, description="What one account may receive")
    instant: bool = True
    delay_ms: int = Field(default=0, ge=0, description="Time to a result when not instant")
    notice_size: int | None = Field(default=None, ge=1, le=5000)
    callback_url: str | None = None
    file_form: Literal["XLSX", "CSV"] = Field(default="XLSX", description="Form of the result files of a bank that takes tables")
    delivery: Literal["UPLOAD", "MANUAL"] = Field(default="UPLOAD", description="MANUAL: files and their answers are carried by people")
    signed_inquiries: bool = Field(default=False, description="True: inquiries without a signature are refused too")

    @field_validator("outbound_secret")
    @classmethod
    def _usable(cls, secret: str) -> str:
        key_of(secret)
        return secret

    @field_validator("inbound_secrets")
    @classmethod
    def _all_usable(cls, secrets: list[str]) -> list[str]:
        for secret in secrets:
            key_of(secret)
        return secrets

    @property
    def pays_accounts(self) -> bool:
        """True for a partner that pays into accounts, False for one that pays cash."""
        return self.kind in _BY_ACCOUNT


class SimulatorConfig(BaseModel):
    """Where it listens, where its books are, which partners it stands for.

    `partners` and `callback_url` may stand in this file or in `partners_file`, which the platform reads as well.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = 18012
    books: Path = Field(default=Path("partner-books.sqlite"), validate_default=True)
    synchronous: Literal["FULL", "NORMAL"] = Field(default="FULL", description="FULL survives a power cut, NORMAL a killed process")
    world: Path | None = Field(default=None, description="world.sqlite; null: every account is open and every order collected")
    partners_file: Path | None = None
    callback_url: str
    partners: dict[str, PartnerConfig] = Field(min_length=1)
    notice_size: int = Field(default=1000, ge=1, le=5000, description="Results in one notice")
    max_batch: int = Field(default=10_000, ge=1, description="Payments in one batch")
    max_amount: int = Field(default=500_000_000, ge=1, description="Đồng in one payment")
    retry_first_seconds: float = Field(default=0.5, gt=0)
    retry_most_seconds: float = Field(default=30, gt=0)
    notice_timeout_seconds: float = Field(default=15, gt=0)
    sms_token: str | None = Field(
        default=None, min_length=8, description="Set: an SMS gateway answers under /sms to whoever shows this token"
    )
    open_holder_name: str = Field(default="NGUYEN VAN A", description="Holder a name inquiry gives when there is no world")

    @model_validator(mode="before")
    @classmethod
    def _with_partners_file(cls, raw: Any, info: ValidationInfo) -> Any:
        if not isinstance(raw, dict) or not raw.get("partners_file"):
            return raw
        path = beside(Path(raw["partners_file"]), info)
        try:
            shared = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise ValueError(f"partners_file {path} cannot be read: {error}") from error
        return {**{name: shared[name] for name in ("callback_url", "partners") if name in shared}, **raw}

    @field_validator("books", "world", "partners_file")
    @classmethod
    def _beside_config(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else beside(path, info)

    def callback(self, partner: str) -> str:
        """Where this partner's notices go."""
        base = self.partners[partner].callback_url or self.callback_url
        return f"{base.rstrip('/')}/v1/webhooks/partners/{partner}"

    def notice_rows(self, partner: str) -> int:
        """Most results in one notice of this partner."""
        return self.partners[partner].notice_size or self.notice_size
