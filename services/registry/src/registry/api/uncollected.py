"""Routes of proposals to suspend allowances that nobody collected for three months."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from common.contracts.envelope import Amount
from common.db import Database
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.paper_cells import Reader
from registry.storage import uncollected

__all__ = ["make_router"]


class ProposalView(BaseModel):
    """Somebody who did not collect three months in a row. Nothing is suspended by itself."""

    model_config = ConfigDict(from_attributes=True)

    proposal_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_path: str
    programme: str
    months: list[str] = Field(description="Các tháng không nhận. Not collected")
    amount: Amount = Field(description="đồng of the latest payment nobody collected")
    business_date: date
    state: str = Field(description="OPEN, TAKEN_UP (suspended by decision) or DISMISSED")
    entitlement_ids: list[UUID] = Field(description="Allowances that could be suspended: for `POST /v1/decisions`")
    proposed: bool = Field(description="A suspension is proposed already and waits for the second person")


class ProposalPage(BaseModel):
    """A page of proposals."""

    items: list[ProposalView]
    next_cursor: str | None


def make_router(db: Database) -> APIRouter:
    """`/v1/suspension-proposals`."""
    router = APIRouter(prefix="/v1/suspension-proposals", tags=["decisions"])

    @router.get(
        "",
        summary="People who did not collect three months in a row",
        description="Người không nhận trợ cấp 3 tháng liên tục (trợ giúp xã hội): đề nghị tạm dừng từ phần chi trả. Lập quyết"
        " định tạm dừng bằng POST /v1/decisions (SUSPEND, UNCOLLECTED); người thứ hai duyệt. Whom the payments"
        " propose to suspend: make the decision with POST /v1/decisions, a second person approves it. Decree"
        " 20/2021, Circular 02/2021/TT-BLĐTBXH Art. 2.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["OPEN", "TAKEN_UP", "DISMISSED"] | None, Query()] = "OPEN",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ProposalPage:
        async with db.read(actor) as tx:
            rows = await uncollected.page(tx, actor, state=state, after=cursors.decode_id(cursor), limit=limit)
        items = [ProposalView.model_validate(dict(row)) for row in rows]
        return ProposalPage(items=items, next_cursor=cursors.encode([str(items[-1].proposal_id)]) if len(items) == limit else None)

    return router
