"""Settings of identity-verify, from the environment (prefix IDENTITY_VERIFY_)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from common.settings import MechanismSettings

__all__ = ["Settings"]


class Settings(MechanismSettings):
    """Everything that may differ between two installations."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_VERIFY_")

    population_url: str = Field(default="http://127.0.0.1:18011", description="Base address of the population database's online check")
    population_token: SecretStr = Field(default=SecretStr(""), description="Bearer token for it")
    population_timeout_seconds: float = Field(default=15.0, description="Longest wait for one batch of answers")
    population_requests_per_second: float = Field(default=50.0, description="Batches started per second, the agreed limit")
    population_mode: Literal["online", "file"] = Field(
        default="online", description="file: this province exchanges lists with the police; nobody is asked online"
    )
    population_persons_per_second: float = Field(
        default=0.0, ge=0, description="Persons asked about per second by all workers together, the agreed limit; 0: none agreed"
    )
    batch_size: int = Field(default=1000, ge=1, le=1000, description="Persons asked about in one request")
    lanes: int = Field(default=3, ge=1, le=8, description="Requests in flight at once, per worker")
    lease_seconds: int = Field(default=30, description="After this a dead worker's claimed checks are asked by another; above the timeout")
    backoff_first_seconds: float = Field(default=1.0, description="Wait after the first failure; doubles with each further one")
    backoff_longest_seconds: float = Field(default=300.0, description="Longest such wait")
    recheck_after_days: int = Field(default=45, ge=2, le=366, description="Evidence older than this is asked for again before a cycle")
    recheck_jitter_days: int = Field(default=7, ge=0, le=60, description="Up to so many days earlier, spread by person")
    plan_seconds: float = Field(default=60.0, gt=0, description="How often is looked whose evidence has grown too old")
    death_poll_seconds: float = Field(default=60.0, gt=0, description="How often the feed of deaths is read")
    grace_longest_days: int = Field(default=31, ge=1, le=92, description="Longest grace two people may approve")
    exchange_people: int = Field(default=20_000, ge=1, le=100_000, description="Most people on one list for the police")
    exchange_bytes: int = Field(default=32 * 1024 * 1024, description="Largest list of answers taken")
    evidence_valid_days: int = Field(default=92, description="Days for which an answer is fresh enough to pay on")
    cut_off_tries: int = Field(default=5, description="A person the source failed on so often counts as unanswered at a cut-off")
    cut_off_away_seconds: float = Field(default=30.0, description="A source away so long no longer delays a cut-off")
    cut_off_longest_seconds: float = Field(default=900.0, description="No cut-off waits longer than this, for any cause")
