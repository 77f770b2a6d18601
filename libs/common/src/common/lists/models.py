"""Bodies of the routes of lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ApproveImports", "ColumnView", "Dismissal", "Dismissed", "FieldView", "ImportAccepted", "ImportView", "JobAccepted", "MappingAccepted",
    "MappingIn", "MappingView", "SavedMapping", "SavedMappings", "WaitingPage", "WaitingRow",
]  # fmt: skip

_ID: Final = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"


def _example(**value: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [value]})


class ImportAccepted(BaseModel):
    """A list was taken; its check runs as a job."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"import_id": _ID, "job_id": _ID, "already_imported": False}]})

    import_id: UUID
    job_id: UUID = Field(description="Progress at GET /v1/jobs/{job_id}")
    already_imported: bool = Field(description="The same bytes were taken as this list of this unit before: nothing was changed")


class ImportView(BaseModel):
    """One import and its counts: rows_total = rows_good + rows_refused + rows_waiting."""

    import_id: UUID
    job_id: UUID
    unit_code: str
    unit_path: str
    file_name: str
    sheet: str = Field(description="The sheet that was named when the file was sent; empty: the one that is a list")
    business_date: date
    dry_run: bool
    state: Literal["RECEIVED", "CHECKED", "REFUSED", "APPROVED", "APPLIED"]
    refusal: str | None = Field(description="Why the whole file was refused")
    rows_total: int
    rows_good: int
    rows_refused: int
    rows_waiting: int = Field(description="Rows that wait for something else to arrive; taken as soon as it does")
    rows_applied: int = Field(description="Rows that changed something")
    rows_unchanged: int = Field(description="Rows that said what was known")
    rows_left_out: dict[str, int] = Field(
        description="Rows of the file that are no data, by kind: EMPTY, TOTAL, HEADING, NUMBERING, SIGNATURE"
    )
    needs_second: bool = Field(description="Whether somebody else than the sender has to approve")
    version: int
    created_by: str
    created_at: datetime
    checked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    applied_at: datetime | None


class ApproveImports(BaseModel):
    """Imports to approve together; all or none."""

    model_config = _example(import_ids=[_ID])
    import_ids: Annotated[list[UUID], Field(min_length=1, max_length=2_000)]


class JobAccepted(BaseModel):
    """Long work was queued."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"job_id": _ID}]})
    job_id: UUID


class ColumnView(BaseModel):
    """A column of the file, and what it is taken for."""

    letter: str = Field(examples=["C"])
    header: str
    samples: list[str] = Field(description="First values; long numbers masked")
    field: str | None = Field(description="Our column; null: not used")
    confidence: float | None = Field(description="1: the same words; under 0.8 it is only a suggestion and not used")
    how: str | None = Field(description="EXACT, SIMILAR (guessed), SAVED (a mapping of the office), OFFICER (set for this file)")


class FieldView(BaseModel):
    """A column we know."""

    field: str
    header: str
    required: bool
    letter: str | None


class MappingView(BaseModel):
    """How a file is read."""

    import_id: UUID
    state: str
    version: int
    sheet: str
    header_row: int
    headers_fingerprint: str
    missing: list[str] = Field(description="Required columns nobody has found")
    columns: list[ColumnView]
    fields: list[FieldView]


class MappingIn(BaseModel):
    """Columns as they should be: our column → letters of the file's column."""

    model_config = _example(columns={"file_code": "B", "full_name": "C"}, header_row=4, save_as="Mẫu của xã")
    columns: Annotated[dict[str, Annotated[str, Field(pattern="^[A-Z]{1,2}$")]], Field(min_length=1, max_length=256)]
    header_row: int = Field(ge=1, le=30, description="The last row of the header, as the spreadsheet numbers it")
    sheet: str | None = Field(default=None, max_length=100)
    save_as: str | None = Field(default=None, min_length=1, max_length=80, description="Keep it under this name for the next file")


class MappingAccepted(BaseModel):
    """The list is checked anew."""

    import_id: UUID
    job_id: UUID
    version: int


class SavedMapping(BaseModel):
    """A mapping kept for the next file with the same headers."""

    mapping_id: UUID
    unit_path: str
    name: str
    headers: list[str]
    columns: dict[str, int]
    created_by: str
    created_at: datetime


class SavedMappings(BaseModel):
    """The mappings of the caller's units."""

    items: list[SavedMapping]


class WaitingRow(BaseModel):
    """A row that waits: refused until corrected or dismissed, or waiting for something else to arrive."""

    import_id: UUID
    row_number: int
    file_name: str
    unit_code: str
    business_date: date
    verdict: str
    who: dict[str, str | None] = Field(description="How the row is named: dossier code, name, masked number")
    reasons: list[dict[str, Any]]


class WaitingPage(BaseModel):
    """Rows that wait, oldest list first."""

    items: list[WaitingRow]
    next_cursor: str | None


class Dismissal(BaseModel):
    """Refused rows that need no correction."""

    model_config = _example(rows=[12, 13], reason="Đã chuyển đi nơi khác, không còn thuộc danh sách của xã")
    rows: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=10_000)]
    reason: str = Field(min_length=5, max_length=500)


class Dismissed(BaseModel):
    """How many rows wait no more."""

    dismissed: int
