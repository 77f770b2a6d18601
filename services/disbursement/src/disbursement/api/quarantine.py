"""Partners' words that were not believed, for a person to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.db import Database
from disbursement.api.unknown import ManualView, Witnessed, manual_view
from disbursement.domain.reasons import text_of
from disbursement.storage import notices
from disbursement.usecases import manual_results

__all__ = ["routers"]

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Resolver = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]
Proposer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]


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
    outcome: str | None = Field(description="DISMISSED by a person, or ACCEPTED as a result by two")
    note: str | None
    resolved_by: str | None
    dismissal_by: str | None = Field(description="Người thứ nhất đề nghị bác · who first asked to dismiss it; another person is awaited")
    dismissal_note: str | None
    repeats: int = Field(description="How often it was said again while it stands here")
    dismissed_before: int = Field(description="How often people dismissed the same word before: the partner insists")
    next_step: str = Field(description="What the person who looks at it does")
    next_step_vi: str
    created_at: datetime


class QuarantinePage(BaseModel):
    """A page; `next` is the cursor of the page after, null at the end."""

    items: list[QuarantineItem]
    next_cursor: UUID | None


class Resolution(BaseModel):
    """Why the word counts for nothing."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "Partner confirmed: sent twice by mistake"}})

    note: str = Field(min_length=5, max_length=1000)


class Resolved(BaseModel):
    """A quarantined word that has ended."""

    quarantine_id: UUID
    state: str
    outcome: str | None


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
    items = [QuarantineItem.model_validate({**row, **(text_of(row["reason"]) or {})}) for row in rows[:limit]]
    return QuarantinePage(items=items, next_cursor=items[-1].quarantine_id if len(rows) > limit else None)


@router.post(
    "/{quarantine_id}/dismiss",
    summary="Dismiss a word",
    description="Bác thông tin, kèm lý do. Thông tin đang giữ tháng của một khoản chi (NOT_SENT, CONTRADICTION) phải do hai người bác:"
    " người thứ nhất đề nghị (`state` vẫn OPEN), người thứ hai gọi lại; các tháng đó sau đó được chi lại, nếu đã đến tay người hưởng thì"
    " công nhận chứ không bác. Records who looked and why it counts for nothing; no payment is"
    " changed by it. A word that keeps months of a payment closed (NOT_SENT, CONTRADICTION) is dismissed by two people: the first call"
    " asks, `state` stays OPEN, and another person's call ends it; those months are then paid again: accept it instead if the person has"
    " the money.",
)
async def dismiss(request: Request, actor: Resolver, quarantine_id: UUID, body: Resolution) -> Resolved:
    """Record that a quarantined word counts for nothing."""
    if await manual_results.dismiss_word(request.app.state.db, actor, quarantine_id, body.note):
        return Resolved(quarantine_id=quarantine_id, state="RESOLVED", outcome="DISMISSED")
    return Resolved(quarantine_id=quarantine_id, state="OPEN", outcome=None)


@router.post(
    "/{quarantine_id}/acceptance",
    status_code=201,
    summary="Propose that a word counts after all",
    description="Đề xuất công nhận thông tin là kết quả của khoản chi (mã tham chiếu phải là của hệ thống). The payment keeps our amount; a"
    " second person decides at POST /v1/manual-results/{manual_id}/decision, and the word then ends ACCEPTED.",
)
async def accept(request: Request, actor: Proposer, quarantine_id: UUID, body: Witnessed) -> ManualView:
    """The first person's word."""
    return manual_view(await manual_results.accept_word(request.app.state.db, actor, quarantine_id, **body.values()))


routers: tuple[APIRouter, ...] = (router,)
