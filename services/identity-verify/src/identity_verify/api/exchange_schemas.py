"""Bodies of lists that go to the police and come back answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AnswersView", "ClosedView", "ExchangeMade", "ExchangePage", "ExchangeRequest", "ExchangeView"]

_ID: Final = "0191f5a0-0000-7000-8000-000000000001"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class ExchangeRequest(BaseModel):
    """Make a list of people of a unit who wait for an answer."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"unit_path": "60/593/22924", "business_date": "2024-08-20", "limit": 500}]}
    )

    unit_path: str = Field(min_length=1, max_length=80, description="The unit and everything below it: 60/593/22924")
    business_date: date
    limit: int | None = Field(default=None, ge=1, description="At most so many people; default: as many as the installation allows")


class ExchangeMade(BaseModel):
    """The list's id."""

    model_config = _example(exchange_id=_ID)

    exchange_id: UUID


class ExchangeView(BaseModel):
    """A list that is with the police."""

    model_config = _example(
        exchange_id=_ID, code="XM0A1B2C3D4E", unit_path="60/593/22924", business_date="2024-08-20", people=212, answered=0, state="OPEN",
        created_by="an", created_at="2024-08-20T01:00:00Z", closed_at=None,
    )  # fmt: skip

    exchange_id: UUID
    code: str = Field(description="Stands in every row of the file")
    unit_path: str
    business_date: date
    people: int
    answered: int
    state: Literal["OPEN", "CLOSED"]
    created_by: str
    created_at: datetime
    closed_at: datetime | None


class ExchangePage(BaseModel):
    """One page."""

    model_config = _example(items=[], next_cursor=None)

    items: list[ExchangeView]
    next_cursor: UUID | None


class UnreadableRow(BaseModel):
    """A row of the file that cannot be read; the others are."""

    row: int = Field(description="As the spreadsheet numbers it")
    detail: str


class AnswersView(BaseModel):
    """A file of answers."""

    model_config = _example(
        answer_id=_ID, exchange_id=_ID, code="XM0A1B2C3D4E", file_name="xac-thuc.xlsx", state="CHECKED", readable=210,
        unreadable=[{"row": 17, "detail": "Kết quả không hiểu được · the result is not one of those agreed"}],
        statuses={"MATCH": 201, "NOT_FOUND": 4, "DECEASED": 5}, uploaded_by="an", decided_by=None, job_id=None, already_taken=False,
    )  # fmt: skip

    answer_id: UUID
    exchange_id: UUID
    code: str | None = None
    file_name: str
    state: Literal["CHECKED", "APPROVED", "APPLIED", "REFUSED"]
    readable: int
    unreadable: list[UnreadableRow] = Field(description="The first thousand of them")
    statuses: dict[str, int] = Field(description="Readable rows by what they answer")
    uploaded_by: str
    decided_by: str | None
    job_id: UUID | None = Field(description="Once approved: progress at GET /v1/jobs/{job_id}")
    already_taken: bool = Field(description="The same bytes were sent before: nothing was changed")


class ClosedView(BaseModel):
    """The list is closed."""

    model_config = _example(unanswered=2)

    unanswered: int = Field(description="People without an answer, who are asked about otherwise again")
