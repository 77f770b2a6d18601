"""What the population simulator reads from its JSON file, and what can be scripted while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from simulators.serving import beside

__all__ = ["Correction", "Garble", "Lie", "PopulationConfig", "Script"]


class PopulationConfig(BaseModel):
    """Where it listens, which people exist, how fast it answers."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = 18011
    world: Path | None = Field(default=None, description="world.sqlite, read only; while it is not there, answers are 503")
    state: Path = Field(default=Path("population-books.sqlite"), validate_default=True, description="Own books: who was asked, corrections")
    token: str = Field(min_length=8, description="Bearer token callers must show")
    rate_per_second: int = Field(default=0, ge=0, description="Persons a second; 0 = unlimited")
    latency_ms: int = Field(default=0, ge=0)
    seed: int = Field(default=1, description="Of the scripted errors")

    @field_validator("world", "state")
    @classmethod
    def _beside_config(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else beside(path, info)


class Lie(BaseModel):
    """Persons for whom the database answers something else than it knows."""

    model_config = ConfigDict(extra="forbid")

    status: str = Field(description="Status to answer, e.g. NOT_FOUND, DECEASED, MULTIPLE, MISMATCH, ERROR")
    numbers: list[str] = Field(default_factory=list, description="Whom; empty = everyone")
    answers: int | None = Field(default=None, ge=1, description="For how many answers; null = until changed")
    name: str | None = Field(default=None, description="Name to give as the registered one")
    birth_date: str | None = Field(default=None, description="Birth date to give as the registered one")
    death_date: str | None = Field(default=None, description="Day of death to give")


class Garble(BaseModel):
    """Answers of the agreed form whose content is broken."""

    model_config = ConfigDict(extra="forbid")

    how: Literal["truncated", "foreign_refs", "missing", "doubled", "strange_words", "number_in_reference"] = Field(
        description="truncated: the JSON ends in its middle; foreign_refs: answers to references nobody asked under; missing: every other"
        " answer is left out; doubled: every answer twice, the second one another; strange_words: words and dates nobody agreed on;"
        " number_in_reference: the reference repeats the person's number"
    )
    requests: int = Field(default=1, ge=1, description="For how many next requests")


class Script(BaseModel):
    """Change of behaviour; only the fields given change."""

    model_config = ConfigDict(extra="forbid")

    outage_seconds: float | None = Field(default=None, ge=0, description="503 for so long; 0 ends an outage")
    latency_ms: int | None = Field(default=None, ge=0, le=120_000)
    error_rate: float | None = Field(default=None, ge=0, le=1, description="Share of requests answered 500")
    rate_per_second: int | None = Field(default=None, ge=0)
    nonsense: int | None = Field(default=None, ge=0, description="So many next requests get 200 with an HTML page")
    lie: Lie | None = None
    garble: Garble | None = None
    reset: bool = Field(default=False, description="Back to the config first")


class Correction(BaseModel):
    """One person's record from now on; fields not given stay. A person not known yet needs full_name and birth_date."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=20)
    full_name: str | None = None
    birth_date: str | None = Field(default=None, pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    sex: str | None = None
    status: str | None = Field(default=None, pattern="^(ALIVE|DECEASED)$")
    death_date: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    multiple: int | None = Field(default=None, ge=0)
