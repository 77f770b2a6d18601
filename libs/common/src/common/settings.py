"""Settings every service has, read once in `main` from the environment and passed inward."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

__all__ = ["MechanismSettings"]


class MechanismSettings(BaseSettings):
    """Addresses, keys and limits of the shared mechanisms. A service adds its own fields and its environment prefix."""

    environment: Literal["development", "production"] = "production"
    database_url: str = Field(description="Application role (no DDL), postgresql+psycopg://…")
    owner_database_url: str | None = Field(default=None, description="Owner role, for migrations only")
    database_pool_size: int = 10
    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_idempotence: bool = Field(default=False, description="Idempotent producer: on for Apache Kafka, off for the embedded broker")
    kafka_session_timeout_ms: int = 45_000
    kafka_heartbeat_ms: int = 3_000
    kafka_group_suffix: str = Field(default="", description="Appended to consumer groups; changed when a broker lost its log")
    oidc_issuer: str = "http://127.0.0.1:18013"
    oidc_jwks_url: str = "http://127.0.0.1:18013/jwks.json"
    oidc_audience: str = "ansinh"
    client_registration: Literal["required", "open"] | None = Field(
        default=None,
        description="Whether systems of other agencies call only when registered; unset: required in production, open in development",
    )
    client_calls_per_minute: int = Field(default=600, ge=1, description="Of a client that is not registered, and of each partner")
    client_calls_per_day: int = Field(default=200_000, ge=1, description="Of a client that is not registered, and of each partner")
    keys_file: Path = Field(description="JSON keyring of this service (common.sealing)")
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    worker_port: int = 8001
    request_seconds: float = Field(
        default=60.0, gt=0, description="Longest time to the beginning of an answer, and for one of its statements"
    )
    body_pause_seconds: float = Field(default=10.0, gt=0, description="Longest pause within a request's body")
    reading_pause_seconds: float = Field(default=30.0, gt=0, description="Longest time in which a caller takes nothing of an answer")
    answers_of_one_person: int = Field(default=8, ge=1, description="Answers of one signed-in person that are on their way at once")
    bodies_in_hand_bytes: int = Field(default=256 * 1024 * 1024, ge=1, description="Bytes of all request bodies in hand in one process")
    requests_at_once: int = Field(default=200, ge=1, description="Requests served at once by one process; more are answered 503")
    person_calls_per_second: float = Field(
        default=50.0, gt=0, description="Calls a second of one signed-in person, as a lasting pace, in one process"
    )
    person_calls_at_once: int = Field(default=500, ge=1, description="Calls of one person that may come at once before the pace holds")
    cors_origins: list[str] = Field(default_factory=list, description="Origins of the console")
    log_level: str = "INFO"
    traces_url: str | None = Field(
        default=None, description="OTLP/HTTP address of a collector of traces (http://collector:4318/v1/traces); unset: no traces are made"
    )
    traces_ratio: float = Field(default=1.0, ge=0, le=1, description="Share of traces that begin here and are kept")
    business_date: date | None = Field(default=None, description="Default business date; unset: today in Viet Nam")
    work_days: dict[str, int] = Field(
        default_factory=dict,
        description="Days an office gives itself for waiting work of a kind: JSON object kind → days; others keep the kind's own",
    )
    job_lease_seconds: float = Field(default=30.0, gt=0, description="After this a dead worker's job is taken over by another")
    replay_window_days: int = Field(default=14, description="How long published outbox rows and inbox rows are kept")
    audit_anchor_seconds: float = Field(default=300.0, gt=0, description="How often the head of the audit chain is given out as an anchor")
    audit_anchors_file: Path | None = Field(
        default=None, description="Anchors are also appended here, one JSON line each: a place the database's people cannot write"
    )

    erasure_key_days: int = Field(
        default=45,
        ge=1,
        description="Within how many days after a person's data were erased the keys of that day must be destroyed (`keys rotate`,"
        " `keys retire`). Open question to the office: which term do Law 91/2025/QH15 and its decree set for what is left in backups?",
    )

    @property
    def clients_registered(self) -> bool:
        """Whether an unregistered client is refused; production knows no other way."""
        return self.environment == "production" or self.client_registration == "required"

    retention_days: dict[str, int] = Field(
        default_factory=dict, description="How long rows are kept before they are deleted: JSON object table → days (common.housekeeping)"
    )
