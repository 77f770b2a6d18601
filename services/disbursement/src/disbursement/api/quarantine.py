"""Partners' words that were not believed, for a person to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.db import Database
from disbursement.domain.reasons import text_of
from disbursement.storage import notices
from disbursement.usecases.resolve_quarantine import resolve_quarantine

__all__ = ["routers"]

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Resolver = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]


class QuarantineItem(BaseModel):
    """One word set aside: what was said, about which reference, and why it was not believed."""

    quarantine_id: UUID
    partner: str
    reason: str
    text: str
    text_vi: str
    source: str
    source_id: str
    reference: str | None
    payment_id: UUID | None
    said: dict[str, Any]
    state: str
    created_at: datetime


class QuarantinePage(BaseModel):
    """A page; `next` is the cursor of the page after, null at the end."""

    items: list[QuarantineItem]
    next_cursor: UUID | None


class Resolution(BaseModel):
    """What the person found. Looking changes no payment."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "Partner confirmed: sent twice by mistake"}})

    note: str = Field(min_length=5, max_length=1000)


class Resolved(BaseModel):
    """A quarantined word that has been looked at."""

    quarantine_id: UUID
    state: str


@router.get("", summary="Words set aside", description="Thông tin cần người kiểm tra. What partners said and was not believed.")
async def page(
    request: Request,
    actor: Reader,
    state: Literal["OPEN", "RESOLVED"] = "OPEN",
    partner: Annotated[str | None, Query(max_length=40)] = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QuarantinePage:
    """A page of quarantined words."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await notices.quarantine_page(tx, actor, state=state, partner=partner, after=cursor, limit=limit + 1)
    items = []
    for row in rows[:limit]:
        texts = text_of(row["reason"]) or {}
        items.append(QuarantineItem.model_validate({**row, "text": texts["text"], "text_vi": texts["text_vi"]}))
    return QuarantinePage(items=items, next_cursor=items[-1].quarantine_id if len(rows) > limit else None)


@router.post(
    "/{quarantine_id}/resolve",
    summary="Mark as looked at",
    description="Đánh dấu đã kiểm tra. Records who looked and what was found; no payment is changed by it.",
)
async def resolve(request: Request, actor: Resolver, quarantine_id: UUID, body: Resolution) -> Resolved:
    """Record that a person looked at a quarantined word."""
    await resolve_quarantine(request.app.state.db, actor, quarantine_id, body.note)
    return Resolved(quarantine_id=quarantine_id, state="RESOLVED")


routers: tuple[APIRouter, ...] = (router,)
