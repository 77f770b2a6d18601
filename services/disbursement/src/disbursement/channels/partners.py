"""The payment partners of this installation, from one file: addresses, kinds and live secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from common.webhooks import decode_secret

__all__ = ["Partner", "load_partners"]


class Partner(BaseModel):
    """One payment partner. Secrets are `whsec_` + base64; several live inbound secrets allow rotation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    kind: Literal["BANK", "WALLET", "MOBILE_MONEY", "POST"]
    url: str
    outbound_secret: str = Field(repr=False)
    inbound_secrets: tuple[str, ...] = Field(repr=False, min_length=1)
    concurrency: int = Field(default=2, ge=1, le=16, description="Batches in flight at once")
    timeout_seconds: float = Field(default=15.0, gt=0, le=120, description="Whole request, connect included")
    expected_minutes: int | None = Field(
        default=None, ge=1, le=44_640, description="Silence after acceptance before we ask; unset: 30 minutes, for cash a day"
    )

    @property
    def expected_seconds(self) -> int | None:
        """`expected_minutes` in seconds; None leaves it to the channel."""
        return None if self.expected_minutes is None else self.expected_minutes * 60

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
