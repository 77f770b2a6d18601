"""Settings of disbursement, read once in `main` (environment prefix `DISBURSEMENT_`)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """Addresses and limits of disbursement."""

    model_config = SettingsConfigDict(env_prefix="DISBURSEMENT_")

    partners_file: Path | None = Field(
        default=None, description="JSON of payment partners: addresses, secrets, kind; unset: nothing is sent"
    )
    cash_partner: str = Field(default="vnpost", description="Partner that pays cash at the post and at home")
    evidence_grace_days: int = Field(
        default=0,
        ge=0,
        le=366,
        description="Days VERIFIED evidence counts after it ran out without anybody's approval; 0: approved grace only",
    )
