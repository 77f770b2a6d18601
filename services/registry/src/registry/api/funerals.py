"""Routes of funeral support: asked for whoever organises the funeral, approved by a second person."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api import cursors, paper_cells
from registry.api.cursors import Cursor, Limit
from registry.api.life_models import FuneralIn, FuneralPage, FuneralView
from registry.api.paper_cells import Checker, Maker, Reader
from registry.api.paper_models import Reply
from registry.domain.decisions import Action
from registry.storage import funerals as storage
from registry.usecases import funerals

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/funerals`."""
    router = APIRouter(prefix="/v1/funerals", tags=["funerals"])

    @router.post(
        "",
        status_code=201,
        response_model=FuneralView,
        summary="Ask for funeral support",
        description="Hỗ trợ mai táng cho người tổ chức mai táng (một mức cao nhất) và trợ cấp một lần 3 tháng cho thân nhân người có công."
        " The sums are computed from the law at the date of death and shown; a second person approves. A second request for one death is"
        " refused (409).",
    )
    async def propose(request: Request, actor: Maker, key: IdempotencyKey, body: FuneralIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, FuneralView]:
            funeral_id = await funerals.propose(
                tx,
                funerals.Request(
                    deceased_id=body.beneficiary_id, organiser=paper_cells.person(body.organiser), number=body.number,
                    decision_date=body.decision_date, signer=body.signer, business_date=body.business_date,
                    relative=paper_cells.person(body.relative) if body.relative else None,
                    pension_requested_on=body.pension_requested_on, paid_elsewhere=body.paid_elsewhere, attachment_id=body.attachment_id,
                ),
            )  # fmt: skip
            return 201, paper_cells.funeral(await funerals.seen(tx, funeral_id))

        answer = await idempotency.run(db, actor, key, "POST /v1/funerals", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "", summary="Requests for funeral support",
        description="Đề nghị hỗ trợ mai táng trong phạm vi của bạn. The requests for funeral support in your area.",
    )  # fmt: skip
    async def listing(
        actor: Reader,
        state: Annotated[Literal["PROPOSED", "APPROVED", "REJECTED", "CANCELLED"] | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> FuneralPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state)
        items = [paper_cells.funeral(row) for row in rows]
        return FuneralPage(items=items, next_cursor=paper_cells.next_cursor(rows, limit, "funeral_id"))

    @router.get(
        "/{funeral_id}", summary="One request",
        description="Một đề nghị: mức hưởng, căn cứ, các mức không hưởng và lý do. What is paid, on what basis, what is not and why.",
    )  # fmt: skip
    async def one(actor: Reader, funeral_id: UUID) -> FuneralView:
        async with db.read(actor) as tx:
            return paper_cells.funeral(await funerals.seen(tx, funeral_id))

    @router.post(
        "/{funeral_id}/approve",
        summary="Approve funeral support",
        description="Người thứ hai duyệt; khoản chi thuộc về người tổ chức mai táng từ tháng này. The sums become due to the organiser.",
    )
    async def approve(actor: Checker, funeral_id: UUID, body: Reply) -> FuneralView:
        row = await funerals.settle_answer(db, actor, funeral_id, Action.APPROVE, body.business_date, body.reason)
        return paper_cells.funeral(row)

    @router.post(
        "/{funeral_id}/reject", summary="Reject funeral support",
        description="Từ chối, có lý do; có thể đề nghị lại. Refused with the reason; it may be asked for again.",
    )  # fmt: skip
    async def reject(actor: Checker, funeral_id: UUID, body: Reply) -> FuneralView:
        why = paper_cells.reason_given(body.reason)
        return paper_cells.funeral(await funerals.settle_answer(db, actor, funeral_id, Action.REJECT, body.business_date, why))

    return router
