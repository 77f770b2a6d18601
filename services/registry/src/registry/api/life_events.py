"""Routes of life events: death, missing, prison, return (moves are recorded by their hand-over)."""

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
from registry.api.life_models import EventsAnswer, EventsView, LifeEventIn, LifeEventPage, LifeEventView
from registry.api.paper_cells import Checker, Maker, Reader
from registry.api.paper_models import CountView
from registry.domain.decisions import Action
from registry.domain.life_events import Event
from registry.storage import life_events as storage
from registry.usecases import decisions, life_events

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/life-events`."""
    router = APIRouter(prefix="/v1/life-events", tags=["life events"])
    _add_record(router, db)
    _add_answers(router, db)
    _add_views(router, db)
    return router


def _report(body: LifeEventIn) -> life_events.Report:
    head = None
    if body.decision is not None:
        head = decisions.Header(
            body.decision.number, body.decision.decision_date, body.decision.signer, body.business_date, body.decision.note,
            body.event_date, body.attachment_id,
        )  # fmt: skip
    return life_events.Report(
        kind=Event(body.kind), event_date=body.event_date, person_ids=body.beneficiary_ids, evidence=body.evidence,
        business_date=body.business_date, decision=head, mistaken=body.mistaken, attachment_id=body.attachment_id,
    )  # fmt: skip


def _add_record(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=EventsView,
        summary="Record an event of one or many people",
        description="Ghi nhận qua đời, mất tích, chấp hành án phạt tù, trở về. A death takes effect at once: the month of death stays due,"
        " later months end. Every other event waits for a second person, with the decisions it calls for: missing or prison suspends merit"
        " allowances and ends social assistance; a return resumes them. A death recorded by mistake is taken back by RETURN with"
        " `mistaken`, by two people.",
    )
    async def record(request: Request, actor: Maker, key: IdempotencyKey, body: LifeEventIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, EventsView]:
            return 201, EventsView(event_ids=await life_events.record(tx, _report(body)))

        answer = await idempotency.run(db, actor, key, "POST /v1/life-events", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_answers(router: APIRouter, db: Database) -> None:
    @router.post(
        "/confirm",
        summary="Confirm events",
        description="Người thứ hai xác nhận sự kiện cùng các quyết định kèm theo. All or none.",
    )
    async def confirm(actor: Checker, body: EventsAnswer) -> CountView:
        done = await life_events.settle_answer(db, actor, body.event_ids, Action.APPROVE, body.business_date, body.reason)
        return CountView(answered=done)

    @router.post("/reject", summary="Reject events", description="Không xác nhận, có lý do. Their decisions are rejected with them.")
    async def reject(actor: Checker, body: EventsAnswer) -> CountView:
        why = paper_cells.reason_given(body.reason)
        done = await life_events.settle_answer(db, actor, body.event_ids, Action.REJECT, body.business_date, why)
        return CountView(answered=done)


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Life events",
        description="Sự kiện của người hưởng trong phạm vi của bạn; `PROPOSED` là chờ xác nhận. Events in the lives of the"
        " people of your area; `PROPOSED` waits to be confirmed.",
    )
    async def listing(
        actor: Reader,
        kind: Annotated[Literal["MOVE", "DEATH", "MISSING", "PRISON", "RETURN"] | None, Query()] = None,
        state: Annotated[Literal["PROPOSED", "CONFIRMED", "REJECTED"] | None, Query()] = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> LifeEventPage:
        async with db.read(actor) as tx:
            rows = await storage.page(
                tx, actor, after=cursors.decode_id(cursor), limit=limit, kind=kind, state=state, person_id=beneficiary_id
            )
        items = [paper_cells.event(row) for row in rows]
        return LifeEventPage(items=items, next_cursor=paper_cells.next_cursor(rows, limit, "event_id"))

    @router.get(
        "/{event_id}",
        summary="One event",
        description="Một sự kiện: bằng chứng, người ghi, người xác nhận, sự kiện đảo lại nó. One event: what proves it, who"
        " recorded and who confirmed it, and the event that took it back.",
    )
    async def one(actor: Reader, event_id: UUID) -> LifeEventView:
        async with db.read(actor) as tx:
            return paper_cells.event(await life_events.seen(tx, event_id))
