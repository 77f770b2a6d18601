"""Bodies of progress, re-checks and grace."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.masking import FreeText

__all__ = ["GracePage", "GraceProposal", "GraceView", "HowFarView", "JobAccepted", "ProposedView", "RecheckRequest"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class WaitingView(BaseModel):
    """People without an answer, by why they are asked about."""

    reason: str = Field(description="REGISTERED, CHANGED, RECHECK, DEATH_FEED, NUMBER_CLAIMED, NUMBER_FREED, REQUESTED")
    waiting: int = Field(description="To be asked about online")
    on_lists: int = Field(description="On lists that are with the police")
    failed_before: int = Field(description="Of them, those on whom the source failed at least once")
    oldest: datetime


class SourceView(BaseModel):
    """The population database as this service finds it."""

    state: Literal["ANSWERS", "SLOWED", "AWAY"] = Field(description="SLOWED: it asked us to wait; AWAY: it does not answer")
    failing_since: datetime | None
    next_try_at: datetime | None
    last_error: str | None
    deaths_read_at: datetime | None = Field(description="When its feed of deaths was last read to the end")
    deaths_read: int
    deaths_ours: int = Field(description="Deaths in the feed about whose number somebody here was asked about again")


class HowFarView(BaseModel):
    """What waits in the caller's units, the pace of all units, and when that ends."""

    model_config = _example(
        mode="online",
        waiting=[{"reason": "RECHECK", "waiting": 12_400, "on_lists": 0, "failed_before": 3, "oldest": "2024-08-20T01:00:00Z"}],
        queue=12_400, answers_in_ten_minutes=60_000, per_second=100.0, expected_end="2024-08-20T03:05:00Z",
        source={"state": "ANSWERS", "failing_since": None, "next_try_at": None, "last_error": None, "deaths_read_at": None,
                "deaths_read": 12, "deaths_ours": 1},
    )  # fmt: skip

    mode: Literal["online", "file"]
    waiting: list[WaitingView]
    queue: int = Field(description="Everybody who waits to be asked about online, of all units: they share the source's pace")
    answers_in_ten_minutes: int
    per_second: float
    expected_end: datetime | None = Field(description="At this pace; null while nobody waits, nothing is answered or the source is away")
    source: SourceView


class RecheckRequest(BaseModel):
    """Look now whose evidence is too old on a day."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20"}]})

    business_date: date


class JobAccepted(BaseModel):
    """The work runs as a job."""

    model_config = _example(job_id=_ID)

    job_id: UUID = Field(description="Progress at GET /v1/jobs/{job_id}")


class GraceProposal(BaseModel):
    """Evidence that runs out while the source is away shall count for a while."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"valid_from": "2024-08-20", "valid_until": "2024-09-10", "reason": "CSDL dân cư bảo trì, theo công văn của Công an tỉnh"}
            ]
        },
    )

    valid_from: date
    valid_until: date = Field(description="The last day on which such evidence counts")
    reason: FreeText = Field(min_length=10, max_length=500)


class ProposedView(BaseModel):
    """Another person must approve."""

    model_config = _example(grace_id=_ID, state="PROPOSED")

    grace_id: UUID
    state: str


class GraceView(BaseModel):
    """A grace period."""

    model_config = _example(
        grace_id=_ID, state="APPROVED", valid_from="2024-08-20", valid_until="2024-09-10", reason="CSDL dân cư bảo trì",
        away_since="2024-08-19T20:00:00Z", proposed_by="an", proposed_at="2024-08-20T01:00:00Z", decided_by="binh",
        decided_at="2024-08-20T02:00:00Z", people=1_204,
    )  # fmt: skip

    grace_id: UUID
    state: Literal["PROPOSED", "APPROVED", "REFUSED", "ENDED"]
    valid_from: date
    valid_until: date
    reason: str
    away_since: datetime = Field(description="Since when the source was away when it was proposed")
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    people: int = Field(description="How many people's evidence it keeps alive so far")


class GracePage(BaseModel):
    """One page."""

    model_config = _example(items=[], next_cursor=None)

    items: list[GraceView]
    next_cursor: UUID | None
