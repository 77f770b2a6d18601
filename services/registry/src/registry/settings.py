"""Settings of the registry, environment prefix `REGISTRY_`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """Read once in `main`, passed inward."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", extra="ignore")

    http_port: int = 18001
    worker_port: int = 18101
    import_max_bytes: int = Field(default=50_000_000, ge=1_000, description="Largest import file accepted, bytes")
    import_apply_rows: int = Field(default=12_000, ge=1, description="Most rows applied in one transaction")
    import_second_person_above: int = Field(
        default=200, ge=0, description="A list with more good rows needs a second person even when it grants nothing new"
    )
    attachment_max_bytes: int = Field(default=5_000_000, ge=10_000, description="Largest attachment (scan) accepted, bytes")
