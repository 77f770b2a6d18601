"""Routes of decisions: propose one or many, list, approve, reject, withdraw."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from common import idempotency
from common.auth import Actor
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api import cursors, paper_cells
from registry.api.cursors import Cursor, Limit
from registry.api.paper_cells import Checker, Maker, Reader, first_day
from registry.api.paper_models import AuthorityView, BulkView, CountView, DecisionIn, DecisionPage, DecisionsAnswer, DecisionView
from registry.domain.decisions import Action, Kind
from registry.storage import decisions as storage
from registry.usecases import decisions

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/decisions`."""
    router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
    _add_propose(router, db)
    _add_answers(router, db)
    _add_views(router, db)
    return router


def _items(body: DecisionIn) -> list[decisions.Item]:
    month = first_day(body.effective_month)
    return [
        decisions.Item(
            kind=Kind(body.kind), reason=body.reason, entitlement_id=item.entitlement_id, person_id=item.beneficiary_id,
            category=item.category, percent=item.percent, quantity=item.quantity, effective_month=month,
            arrears_from=first_day(item.arrears_from),
            arrears_reason=item.arrears_reason,            dependant_id=item.dependant_id,
        )
        for item in body.items
    ]  # fmt: skip


def _add_propose(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=BulkView,
        summary="Propose decisions under one paper",
        description="Lập đề xuất cho hưởng, điều chỉnh, tạm dừng, hưởng lại hoặc thôi hưởng, một hoặc nhiều người theo cùng một quyết định."
        " A grant from an earlier month than the law's needs `arrears_reason` (tháng sớm hơn luật phải ghi lý do truy lĩnh)."
        " The first month follows the law (Decree 20/2021 Art. 8, Circular 02/2021 Art. 2, Decree 131/2021 Art. 118-119); another month is"
        " refused with the law's. Nothing changes until another person approves. 422 names the item; 409 when an allowance is in another"
        " state or has an open proposal.",
    )
    async def propose(request: Request, actor: Maker, key: IdempotencyKey, body: DecisionIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, BulkView]:
            header = decisions.Header(
                body.number, body.decision_date, body.signer, body.business_date, body.note, body.event_date, body.attachment_id
            )
            rows = await decisions.propose(tx, header, _items(body))
            found = await decisions.warnings(tx, rows) if body.kind == "GRANT" else []
            return 201, BulkView(bulk_id=rows[0]["bulk_id"], decision_ids=[row["decision_id"] for row in rows], warnings=found)

        answer = await idempotency.run(db, actor, key, "POST /v1/decisions", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_answers(router: APIRouter, db: Database) -> None:
    async def settle(actor: Actor, action: Action, body: DecisionsAnswer) -> CountView:
        why = paper_cells.reason_given(body.reason) if action is Action.REJECT else body.reason
        done = await decisions.decide(db, actor, action, body.decision_ids, body.business_date, why, body.bulk_id)
        return CountView(answered=done)

    @router.post(
        "/approve",
        summary="Approve proposals",
        description="Duyệt (người duyệt khác người lập, thuộc cấp có thẩm quyền quyết định). All or none: allowances, dues and events"
        " change in one step.",
    )
    async def approve(actor: Checker, body: DecisionsAnswer) -> CountView:
        return await settle(actor, Action.APPROVE, body)

    @router.post("/reject", summary="Reject proposals", description="Từ chối, có lý do. Nothing changes but the proposals' state.")
    async def reject(actor: Checker, body: DecisionsAnswer) -> CountView:
        return await settle(actor, Action.REJECT, body)

    @router.post(
        "/withdraw", summary="Withdraw proposals", description="Người lập rút đề xuất của mình. Only who proposed them can withdraw."
    )
    async def withdraw(actor: Maker, body: DecisionsAnswer) -> CountView:
        return await settle(actor, Action.WITHDRAW, body)


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Decisions",
        description="Các quyết định về người hưởng trong phạm vi của bạn. Filters combine. The decisions about the people of your area.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["PROPOSED", "APPROVED", "REJECTED", "WITHDRAWN"] | None, Query()] = None,
        kind: Annotated[Literal["GRANT", "ADJUST", "SUSPEND", "RESUME", "END", "TRANSFER"] | None, Query()] = None,
        beneficiary_id: UUID | None = None,
        bulk_id: UUID | None = None,
        unit_path: Annotated[str | None, Query(description="This unit and all below", examples=["60/593"])] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> DecisionPage:
        async with db.read(actor) as tx:
            rows = await storage.page(
                tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state, kind=kind, person_id=beneficiary_id,
                bulk_id=bulk_id, unit_path=unit_path,
            )  # fmt: skip
        items = [paper_cells.decision(row) for row in rows]
        return DecisionPage(items=items, next_cursor=paper_cells.next_cursor(rows, limit, "decision_id"))

    @router.get(
        "/authorities",
        summary="Who decides",
        description="Cấp có thẩm quyền quyết định theo chương trình và thời gian; mỗi quyết định ghi cấp đã quyết định. Which"
        " level decides for each programme, and since when; each decision says which one it was.",
    )
    async def authorities(actor: Reader) -> list[AuthorityView]:
        async with db.read(actor) as tx:
            return [AuthorityView(**row) for row in await storage.all_authorities(tx)]

    @router.get(
        "/{decision_id}",
        summary="One decision",
        description="Một quyết định: nội dung, người lập, người duyệt, kết quả. One decision: what it says, who made it, who"
        " approved it, what came of it.",
    )
    async def one(actor: Reader, decision_id: UUID) -> DecisionView:
        async with db.read(actor) as tx:
            return paper_cells.decision(await decisions.seen(tx, decision_id), whole=True)
