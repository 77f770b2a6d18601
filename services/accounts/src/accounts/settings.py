"""Settings of accounts, from the environment (prefix ACCOUNTS_)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """Everything that may differ between two installations."""

    model_config = SettingsConfigDict(env_prefix="ACCOUNTS_")

    partners_file: Path | None = Field(default=None, description="JSON file of payment partners: addresses and secrets")
    inquiry_timeout_seconds: float = Field(default=15.0, description="Longest wait for one batch of name inquiries")
    batch_size: int = Field(default=1000, ge=1, le=1000, description="Accounts asked about in one request")
    lanes: int = Field(default=2, ge=1, le=8, description="Requests in flight at once, per worker")
    lease_seconds: int = Field(default=30, description="After this a dead worker's accounts are asked about by another; above the timeout")
    backoff_first_seconds: float = Field(default=1.0, description="Wait after the first failure; doubles with each further one")
    backoff_longest_seconds: float = Field(default=300.0, description="Longest such wait")
    apply_rows: int = Field(default=5_000, ge=1, description="Rows of an approved list applied in one transaction")
    import_bytes: int = Field(default=64 * 1024 * 1024, description="Largest list taken")
    import_second_person_above: int = Field(
        default=0, ge=0, description="A list of more rows than this is approved by somebody else than its sender; 0: every list"
    )
    cut_off_tries: int = Field(default=5, description="An account the partner failed on so often counts as unanswered at a cut-off")
    cut_off_away_seconds: float = Field(default=30.0, description="A partner away so long no longer delays a cut-off")
    cut_off_longest_seconds: float = Field(default=900.0, description="No cut-off waits longer than this, for any cause")
