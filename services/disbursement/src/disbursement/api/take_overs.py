"""Routes of take-overs: proposed by the department, approved by a second person."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Checker, Cursor, Limit, Maker, Reader, answered, next_cursor
from disbursement.api.forms import Reason, TakeOverForm, TakeOverPage
from disbursement.domain.months import first_day
from disbursement.usecases import propose_take_over
from disbursement.usecases.answers import TakeOverView

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/take-overs`."""
    router = APIRouter(prefix="/v1/take-overs", tags=["take-overs"])

    @router.post(
        "",
        status_code=201,
        response_model=TakeOverView,
        summary="Propose a unit's first platform month",
        description="Đề nghị tháng đầu tiên chi trả qua hệ thống. Earlier months count as paid elsewhere, except explicit arrears.",
    )
    async def propose(form: TakeOverForm, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 201, await propose_take_over.propose(
                tx,
                actor,
                unit_code=form.unit_code,
                programme=form.programme.value,
                first_month=first_day(form.first_month),
                business_date=form.business_date,
            )

        return answered(await idempotency.run(db, actor, key, "POST /v1/take-overs", await request.body(), effect))

    async def decide(take_over_id: UUID, form: Reason, request: Request, actor: Checker, key: str, *, approve: bool) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 200, await propose_take_over.decide(tx, actor, take_over_id, approve=approve, reason=form.reason)

        route = f"POST /v1/take-overs/{take_over_id}/{'approve' if approve else 'reject'}"
        return answered(await idempotency.run(db, actor, key, route, await request.body(), effect))

    @router.post(
        "/{take_over_id}/approve",
        response_model=TakeOverView,
        summary="Approve a take-over",
        description="Duyệt tháng tiếp nhận (khác người đề nghị). Not by the person who proposed it.",
    )
    async def approve(take_over_id: UUID, request: Request, actor: Checker, key: IdempotencyKey, form: Reason | None = None) -> Response:
        return await decide(take_over_id, form or Reason(), request, actor, key, approve=True)

    @router.post(
        "/{take_over_id}/reject",
        response_model=TakeOverView,
        summary="Reject a take-over",
        description="Từ chối tháng tiếp nhận. The unit may then be proposed again.",
    )
    async def reject(take_over_id: UUID, request: Request, actor: Checker, key: IdempotencyKey, form: Reason | None = None) -> Response:
        return await decide(take_over_id, form or Reason(), request, actor, key, approve=False)

    @router.get("", summary="Take-overs", description="Danh sách tháng tiếp nhận theo đơn vị. Take-overs in your units, oldest first.")
    async def page(actor: Reader, cursor: Cursor = None, limit: Limit = 100) -> TakeOverPage:
        items = await propose_take_over.page(db, actor, cursor, limit)
        return TakeOverPage(items=items, next_cursor=next_cursor([item.take_over_id for item in items], limit))

    return router
