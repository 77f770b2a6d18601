"""Settings of reporting (environment prefix REPORTING_)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """The mechanisms' settings, and what the console offers."""

    model_config = SettingsConfigDict(env_prefix="REPORTING_")

    http_port: int = 18005
    worker_port: int = 18105
    console_services: dict[str, str] = Field(
        default_factory=lambda: {
            "registry": "http://127.0.0.1:18001",
            "identity-verify": "http://127.0.0.1:18002",
            "accounts": "http://127.0.0.1:18003",
            "disbursement": "http://127.0.0.1:18004",
            "reporting": "http://127.0.0.1:18005",
        },
        description="Services in the console's picker: JSON object name → address as the browser reaches it",
    )
    console_issuer: str | None = Field(default=None, description="Address of the token issuer for the sign-in box; unset: oidc_issuer")
    console_authorize_path: str = Field(
        default="/authorize", description="Sign-in page below the issuer; /protocol/openid-connect/auth at Keycloak"
    )
    console_token_path: str = Field(
        default="/token", description="Token endpoint below the issuer; /protocol/openid-connect/token at Keycloak"
    )
    console_client_id: str = Field(default="console", description="Public OAuth client of the console")
    console_end_session_path: str | None = Field(
        default=None, description="Where signing out ends the issuer's own session too; /protocol/openid-connect/logout at Keycloak"
    )
    console_revoke_path: str | None = Field(
        default="/revoke",
        description="Revocation endpoint (RFC 7009), from the issuer's address: signing out ends the refresh token; unset: none",
    )
    console_docs_folder: Path | None = Field(default=None, description="The documents (Markdown) that `/docs/…` shows; unset: none")
    console_training: bool = Field(
        default=False,
        description="Training on sample data: every page says so, and the console fills in examples. Refused in production",
    )

    @model_validator(mode="after")
    def _no_training_in_production(self) -> Settings:
        if self.console_training and self.environment == "production":
            raise ValueError("console_training is for sample data: it does not go with environment=production")
        return self

    public_small_cell: int = Field(
        default=5,
        ge=3,
        le=100,
        description="Published figures hide cells of fewer people than this. No law names the number: the province decides",
    )
    payment_due_day: int = Field(
        default=20,
        ge=1,
        le=28,
        description="From this day of its month on, what is not paid is overdue (Decree 20/2021 Art. 34.5: reported before the 20th)",
    )
    account_start_month: str = Field(
        default="2023-09",
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        description="Communes that pay by account only after this month started late (plan 152/KH-UBND: from 1 September 2023)",
    )
    obstacle_days: dict[str, int] = Field(
        default_factory=lambda: {"COMMUNE": 7, "DISTRICT": 7, "PROVINCE": 15, "MINISTRY": 30},
        description="Days a level has to answer an obstacle: JSON object level → days. No law names them: the province decides",
    )
