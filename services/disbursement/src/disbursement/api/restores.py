"""What became of a restore: sending is paused until everything is read back and two people resume."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from common.auth import Actor, Role, require
from disbursement.api.common import Limit
from disbursement.domain.lanes import PauseState
from disbursement.usecases.read_back import view_restores

__all__ = ["routers"]

router = APIRouter(prefix="/v1", tags=["lanes"])
_VIEWERS: Final = (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR, Role.AUDITOR)
Viewer = Annotated[Actor, Depends(require(*_VIEWERS))]


class RestoreView(BaseModel):
    """One restore of this service's database."""

    restore_id: UUID
    found_at: datetime
    read_at: datetime | None = Field(description="When our own events had been read back from the log")
    lost_events: int = Field(description="Events we had published and no longer know")
    pause_id: UUID = Field(description="The pause that two people end: POST /v1/pauses/{pause_id}/resume, then …/decision")
    pause_state: PauseState
    questions: int = Field(description="Payments that may have been sent since, which partners are asked about")
    answered: int
    lost_payments: int = Field(description="Payments among them that we no longer know; their months stay held unless a partner says no")
    statements_from: date | None = Field(description="First day a partner's statement must cover: what the database went back to")
    statements_to: date | None = Field(description="Last day that it must cover: when the restore was found")
    missing: dict[str, int] = Field(description="What is still to be read back; empty: two people may resume")


class RestorePage(BaseModel):
    """Restores, newest first."""

    items: list[RestoreView]


@router.get(
    "/restores",
    summary="Restores, and what is still to be read back",
    description="Cơ sở dữ liệu đã bị đưa về quá khứ: còn phải đọc lại gì trước khi hai người cho gửi tiếp."
    " After a restore nothing is sent until own events, partners' inquiries and statements are read back and two people resume.",
)
async def restores(request: Request, actor: Viewer, limit: Limit = 50) -> RestorePage:
    """The last restores."""
    found = await view_restores(request.app.state.db, actor, limit)
    return RestorePage(items=[RestoreView.model_validate(row) for row in found])


routers: tuple[APIRouter, ...] = (router,)
