"""Routes of the work list for the register: who did not collect three months in a row."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.envelope import Amount
from common.db import Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Cursor, Limit, Reader, answered, next_cursor
from disbursement.usecases import suspensions

__all__ = ["router"]

router = APIRouter(prefix="/v1/suspension-proposals", tags=["suspension proposals"])
Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]


class ProposalView(BaseModel):
    """Somebody who did not collect three months in a row. Whether the allowance is suspended is decided in the register."""

    proposal_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    beneficiary_name: str | None
    programme: str
    months: list[str]
    amount: Amount = Field(description="đồng of the latest payment nobody collected")
    payment_id: UUID
    unit_code: str
    unit_path: str
    state: str = Field(description="OPEN, TAKEN_UP (suspended by decision) or DISMISSED")
    decision_number: str | None
    note: str | None
    closed_by: str | None
    closed_on: date | None


class ProposalPage(BaseModel):
    """A page of the work list."""

    items: list[ProposalView]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null at the end")


class ClosingForm(BaseModel):
    """What was done."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"example": {"outcome": "TAKEN_UP", "decision_number": "12/QĐ-UBND", "business_date": "2024-11-30"}},
    )

    outcome: Literal["TAKEN_UP", "DISMISSED"]
    decision_number: str | None = Field(default=None, max_length=100, description="Of the suspension in the register")
    note: str | None = Field(default=None, max_length=500, description="Why nothing is suspended")
    business_date: date


@router.get(
    "",
    summary="People who did not collect three months in a row",
    description=(
        "Người không nhận trợ cấp 3 tháng liên tục: đề xuất tạm dừng để cán bộ quyết định trong hồ sơ (không tự động dừng). Social "
        "assistance only. Decree 20/2021, Circular 02/2021/TT-BLĐTBXH Art. 2. Nothing is stopped by itself."
    ),
)
async def page(
    request: Request,
    actor: Reader,
    state: Literal["OPEN", "TAKEN_UP", "DISMISSED"] | None = "OPEN",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ProposalPage:
    """A page of proposals."""
    rows = await suspensions.page(request.app.state.db, actor, state=state, after=cursor, limit=limit)
    items = [ProposalView.model_validate({name: row[name] for name in ProposalView.model_fields}) for row in rows]
    return ProposalPage(items=items, next_cursor=next_cursor([row["proposal_id"] for row in rows], limit))


@router.post(
    "/{proposal_id}/close",
    response_model=ProposalView,
    summary="Say what was done about it",
    description="Ghi kết quả: đã có quyết định tạm dừng, hoặc không tạm dừng (lý do). The decision itself is made in the register.",
)
async def close(proposal_id: UUID, form: ClosingForm, request: Request, actor: Officer, key: IdempotencyKey) -> Response:
    """Close a proposal."""

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        row = await suspensions.close(
            tx, actor, proposal_id, taken_up=form.outcome == "TAKEN_UP", decision_number=form.decision_number, note=form.note,
            business_date=form.business_date,
        )  # fmt: skip
        return 200, ProposalView.model_validate({name: row[name] for name in ProposalView.model_fields})

    route = f"POST /v1/suspension-proposals/{proposal_id}/close"
    return answered(await idempotency.run(request.app.state.db, actor, key, route, await request.body(), effect))
