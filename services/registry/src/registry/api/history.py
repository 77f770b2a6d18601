"""Routes of history: any record as of a day, as known on a day, and who changed what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from common.auth import Actor, Role, require
from common.db import Database
from registry.usecases import history

__all__ = ["make_router"]

_Reader = Annotated[
    Actor,
    Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR)),
]
_AsOf = Annotated[date, Query(description="Ngày dữ liệu có hiệu lực. The day the record is wanted for", examples=["2024-09-01"])]
_KnownOn = Annotated[
    date, Query(description="Theo những gì đã biết đến hết ngày này. With what was known by the end of this day", examples=["2026-10-06"])
]
_Kind = Annotated[str, Path(description="As listed by `GET /v1/history`", examples=["person"])]
_Key = Annotated[str, Path(max_length=300, description="The record's key; several parts with commas: `beneficiary,representative`")]
_CHANGES = {"S": "SEEN", "I": "ADDED", "U": "CHANGED", "D": "REMOVED"}


class KindsView(BaseModel):
    """Kinds of records whose history is kept."""

    kinds: list[str]


class RecordView(BaseModel):
    """A record on a day as known on a day. Numbers are masked; facts of health are not shown."""

    kind: str
    id: str
    as_of: date
    known_on: date
    holds: bool = Field(description="By its own dates the record is in force on `as_of`; false also for a record removed by then")
    record: dict[str, Any] | None = Field(description="Null when the record had been removed")
    effective_on: date = Field(description="From when this version says it holds")
    known_from: date = Field(description="First day on which this version was known")
    known_until: date | None = Field(description="Last day before something newer was known; null while it is the last word")
    recorded_at: datetime
    changed_by: str | None
    request_id: str | None
    action: str | None


class FieldChange(BaseModel):
    """One field before and after."""

    field: str
    before: Any
    after: Any


class VersionView(BaseModel):
    """One change of a record. SEEN: it was there when its history began to be kept."""

    seq: int
    change: Literal["SEEN", "ADDED", "CHANGED", "REMOVED"]
    recorded_at: datetime
    known_on: date
    effective_on: date
    changed_by: str | None
    request_id: str | None
    action: str | None
    changes: list[FieldChange]


class VersionPage(BaseModel):
    """Changes, oldest first."""

    items: list[VersionView]
    next_cursor: str | None


class DossierView(BaseModel):
    """Everything known on a day about a person on a day."""

    items: list[RecordView]


def _view(record: history.Record, as_of: date, known_on: date) -> RecordView:
    version = record.known.version
    return RecordView(
        kind=record.kind, id=record.key, as_of=as_of, known_on=known_on, holds=record.known.holds, record=record.state,
        effective_on=version.effective_on, known_from=version.known_on, known_until=record.known.known_until,
        recorded_at=version.recorded_at,
        **({"changed_by": None, "request_id": None, "action": None} | record.who),
    )  # fmt: skip


def make_router(db: Database) -> APIRouter:
    """`/v1/history`."""
    router = APIRouter(prefix="/v1/history", tags=["history"])

    @router.get("", summary="Kinds of records", description="Các loại hồ sơ có lưu lịch sử. Kinds of records whose history is kept.")
    async def kinds(actor: _Reader) -> KindsView:
        return KindsView(kinds=await history.kinds(db, actor))

    @router.get(
        "/person/{person_id}/dossier",
        summary="A person's dossier as of a day, as known on a day",
        description="Toàn bộ hồ sơ của một người: nhân thân, chế độ, người nhận thay, hộ… Everything about a person on `as_of`, as known on"
        " `known_on`: what an officer would have seen, or should have.",
    )
    async def dossier(actor: _Reader, person_id: UUID, as_of: _AsOf, known_on: _KnownOn) -> DossierView:
        found = await history.dossier(db, actor, person_id, as_of, known_on)
        return DossierView(items=[_view(record, as_of, known_on) for record in found])

    @router.get(
        "/{kind}/{key}",
        summary="One record as of a day, as known on a day",
        description="Một hồ sơ tại ngày `as_of`, theo những gì đã biết đến ngày `known_on`. 404 when nothing was known of it by then, or"
        " when it is not of your area today.",
    )
    async def one(actor: _Reader, kind: _Kind, key: _Key, as_of: _AsOf, known_on: _KnownOn) -> RecordView:
        return _view(await history.record_on(db, actor, kind, key, as_of, known_on), as_of, known_on)

    @router.get(
        "/{kind}/{key}/versions",
        summary="Who changed what",
        description="Các lần thay đổi của một hồ sơ: ai, khi nào, trường nào. Oldest first; values masked as everywhere.",
    )
    async def versions(
        actor: _Reader,
        kind: _Kind,
        key: _Key,
        cursor: Annotated[int, Query(ge=0, description="`next_cursor` of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> VersionPage:
        items = await history.versions_of(db, actor, kind, key, cursor, limit)
        last = str(items[-1]["seq"]) if len(items) == limit else None
        return VersionPage(items=[VersionView(**item | {"change": _CHANGES[item["change"]]}) for item in items], next_cursor=last)

    return router
