"""Settings of reporting (environment prefix REPORTING_)."""

from __future__ import annotations

from pydantic import Field
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
    console_token_path: str = Field(
        default="/token", description="Token endpoint below the issuer; /protocol/openid-connect/token at Keycloak"
    )
    console_client_id: str = Field(default="console", description="Public OAuth client of the console")
