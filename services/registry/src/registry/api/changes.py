"""The resumable feed of committed changes, for integrating systems (R43)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from common.auth import Actor, Role, require
from common.db import Database
from registry.domain.errors import CursorTooFar
from registry.storage import changes as storage

__all__ = ["make_router"]

_Reader = Annotated[Actor, Depends(require(Role.INTEGRATOR, Role.DEPARTMENT_OFFICER, Role.AUDITOR, Role.OPERATOR))]


class ChangedPerson(BaseModel):
    """A person as the register says now, and what has happened since the cursor. The number is masked."""

    change_id: int
    types: list[str] = Field(description="What happened, as the events are called", examples=[["BeneficiaryUpdated", "DuesChanged"]])
    at: datetime
    beneficiary_id: UUID
    version: int = Field(description="Grows with the person's own data: apply only a higher one")
    dues_version: int | None
    file_code: str | None
    full_name: str
    birth_date: str | None
    sex: str
    masked_number: str | None
    unit_code: str
    unit_path: str
    programmes: list[str]
    status: str
    death_date: date | None
    preference: str | None
    merged_into: UUID | None
    unresolved_duplicate: bool


class ChangePage(BaseModel):
    """Changes in the order they were committed, one entry a person."""

    items: list[ChangedPerson]
    next_cursor: str = Field(description="Keep it: the next call goes on from here, today or in a month")
    more: bool = Field(description="More changes are waiting: ask again at once")


def make_router(db: Database) -> APIRouter:
    """`/v1/changes`."""
    router = APIRouter(prefix="/v1/changes", tags=["changes"])

    @router.get(
        "",
        summary="What changed since",
        description="Luồng thay đổi đã ghi nhận, theo thứ tự, đọc tiếp được từ con trỏ. Nothing below a cursor appears later."
        " Start from a full data set's `position`, or without a cursor from the first change. An entry carries the present state:"
        " several changes are one entry.",
    )
    async def changes(
        actor: _Reader,
        cursor: Annotated[str, Query(pattern=r"^\d{1,18}$", examples=["48211"])] = "0",
        limit: Annotated[int, Query(ge=1, le=1_000, description="Changes looked at, also those of other areas")] = 500,
    ) -> ChangePage:
        async with db.read(actor) as tx:
            if int(cursor) > await storage.position(tx):
                raise CursorTooFar("Take a full data set and go on from its position")
            rows, reached, more = await storage.after(tx, actor, int(cursor), limit)
        return ChangePage(items=[ChangedPerson(**row) for row in rows], next_cursor=str(reached), more=more)

    return router
