"""Routes of cycles: open, cut-off, compute, read, submit, reject, approve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from common import idempotency
from common.auth import Actor
from common.clock import today
from common.contracts.disbursement_v1 import Channel, HoldReason
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Cursor, Decider, Limit, Maker, Reader, answered, next_cursor
from disbursement.api.forms import Approval, CycleForm, CyclePage, HoldPage, HoldView, LinePage, LineView, Rejection, Submission
from disbursement.domain.months import first_day
from disbursement.settings import Settings
from disbursement.usecases import approve_list, approving, compute_list, open_cycle, submit_list, view_cycle
from disbursement.usecases.answers import CycleView, JobView, ListCheckView

__all__ = ["make_router"]

_UnitPath = Annotated[str | None, Query(pattern=r"^\d+(/\d+)*$", description="This unit and everything below")]


def make_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/cycles`."""
    router = APIRouter(prefix="/v1/cycles", tags=["cycles"])
    _add_opening(router, db)
    _add_reading(router, db)
    _add_deciding(router, db, settings)
    return router


async def _once(
    db: Database, actor: Actor, key: str, route: str, request: Request, effect: Callable[[Tx], Awaitable[tuple[int, BaseModel]]]
) -> Response:
    return answered(await idempotency.run(db, actor, key, route, await request.body(), effect))


def _add_opening(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=CycleView,
        summary="Open a month's cycle",
        description=(
            "Mở kỳ chi trả (chính, bổ sung, hoặc chi trả lại khoản hỏng) và chốt dữ liệu. Opens the cycle and asks all producers for "
            "their cut-off markers. A month has one main cycle; supplementary ones pay what became due since; a re-issue pays only what "
            "definitely failed."
        ),
    )
    async def open_one(form: CycleForm, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            opening = open_cycle.Opening(
                month=first_day(form.month),
                programme=form.programme.value,
                funding_source=form.funding_source,
                unit_code=form.unit_code,
                business_date=form.business_date,
                kind=form.kind,
                two_months_basis=form.two_months_basis,
                selection=form.reissue.selection() if form.reissue else {},
            )
            return 201, await open_cycle.open_cycle(tx, actor, opening)

        return await _once(db, actor, key, "POST /v1/cycles", request, effect)

    @router.post(
        "/{cycle_id}/cut-off",
        status_code=202,
        response_model=CycleView,
        summary="Ask for a new cut-off",
        description="Chốt lại dữ liệu sau khi sửa. After data were mended: new markers, the old ones no longer count.",
    )
    async def cut_off(cycle_id: UUID, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 202, await open_cycle.request_cut_off(tx, actor, cycle_id)

        return await _once(db, actor, key, f"POST /v1/cycles/{cycle_id}/cut-off", request, effect)

    @router.post(
        "/{cycle_id}/compute",
        status_code=202,
        response_model=JobView,
        summary="Compute the list",
        description=(
            "Lập danh sách chi trả. Queues the computation; 409 `inputs-incomplete` names missing markers and differing totals. "
            "May be repeated until the list is submitted."
        ),
    )
    async def compute(cycle_id: UUID, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 202, await compute_list.request_compute(tx, actor, cycle_id)

        return await _once(db, actor, key, f"POST /v1/cycles/{cycle_id}/compute", request, effect)


def _add_reading(router: APIRouter, db: Database) -> None:
    @router.get("", summary="Cycles", description="Danh sách kỳ chi trả. Cycles in your units, oldest first.")
    async def page(actor: Reader, cursor: Cursor = None, limit: Limit = 100) -> CyclePage:
        items = await view_cycle.page(db, actor, cursor, limit)
        return CyclePage(items=items, next_cursor=next_cursor([item.cycle_id for item in items], limit))

    @router.get(
        "/{cycle_id}",
        summary="One cycle",
        description="Một kỳ chi trả: dữ liệu đầu vào, danh sách, số tiền. State, inputs, list figures; ETag is the list's hash.",
    )
    async def one(cycle_id: UUID, actor: Reader, response: Response) -> CycleView:
        view = await view_cycle.cycle_of(db, actor, cycle_id)
        response.headers["ETag"] = f'"{view.list_hash or view.version}"'
        return view

    @router.get(
        "/{cycle_id}/lines",
        summary="Lines of the list",
        description="Các dòng chi trả. In order of beneficiary id, within your units; filter by channel, state or unit.",
    )
    async def lines(
        cycle_id: UUID,
        actor: Reader,
        cursor: Cursor = None,
        limit: Limit = 100,
        channel: Channel | None = None,
        state: Annotated[str | None, Query(pattern="^(LISTED|HELD)$")] = None,
        unit_path: _UnitPath = None,
    ) -> LinePage:
        filters: dict[str, Any] = {"channel": channel, "state": state, "unit_path": unit_path}
        rows = await view_cycle.lines_of(db, actor, cycle_id, after=cursor, limit=limit, filters=filters)
        return LinePage(items=[LineView.of(row) for row in rows], next_cursor=next_cursor([row["beneficiary_id"] for row in rows], limit))

    @router.get(
        "/{cycle_id}/holds",
        summary="People held",
        description="Người chưa được chi trả, lý do và ai phải xử lý. By beneficiary id, within your units; filter by reason or unit.",
    )
    async def holds(
        cycle_id: UUID,
        actor: Reader,
        cursor: Cursor = None,
        limit: Limit = 100,
        reason: HoldReason | None = None,
        unit_path: _UnitPath = None,
    ) -> HoldPage:
        filters: dict[str, Any] = {"reason": reason, "unit_path": unit_path}
        rows = await view_cycle.holds_of(db, actor, cycle_id, after=cursor, limit=limit, filters=filters)
        return HoldPage(items=[HoldView.of(row) for row in rows], next_cursor=next_cursor([row["beneficiary_id"] for row in rows], limit))

    @router.get(
        "/{cycle_id}/verify-list",
        summary="Hash the stored list again",
        description="Kiểm tra mã băm của danh sách. Recomputes SHA-256 from the stored lines, allocations and holds.",
    )
    async def verify(cycle_id: UUID, actor: Reader) -> ListCheckView:
        return await view_cycle.verify_list(db, actor, cycle_id)


def _add_deciding(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/{cycle_id}/submit",
        response_model=CycleView,
        summary="Submit the list (maker)",
        description="Trình danh sách. Commits all against what is due now, or nothing: 409 `list-outdated`, compute again. "
        "A list that only holds people may be submitted too.",
    )
    async def submit(cycle_id: UUID, request: Request, actor: Maker, key: IdempotencyKey, form: Submission | None = None) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 200, await submit_list.submit_list(tx, actor, cycle_id, form.list_hash if form else None, today(settings))

        return await _once(db, actor, key, f"POST /v1/cycles/{cycle_id}/submit", request, effect)

    @router.post(
        "/{cycle_id}/reject",
        response_model=CycleView,
        summary="Reject the list (checker)",
        description="Trả lại danh sách kèm lý do. What the list had committed is free again.",
    )
    async def reject(cycle_id: UUID, form: Rejection, request: Request, actor: Decider, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 200, await approve_list.reject_list(tx, actor, settings, cycle_id, form.reason, form.reasons, form.business_date)

        return await _once(db, actor, key, f"POST /v1/cycles/{cycle_id}/reject", request, effect)

    @router.post(
        "/{cycle_id}/approve",
        response_model=CycleView,
        summary="Approve the list (checker)",
        description=(
            "Duyệt danh sách theo mã băm (khác người trình), theo cấp duyệt và ủy quyền. Not by the person who submitted it; in one or "
            "more stages as settled for amount and count. With the last the gate runs once more: what changed is held; budget is reserved "
            "and payments are created. `Prefer: respond-async` answers 202 with a job (large lists)."
        ),
    )
    async def approve(cycle_id: UUID, form: Approval, request: Request, actor: Decider, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            if "respond-async" in request.headers.get("prefer", ""):
                return 202, await approving.request_approval(tx, actor, settings, cycle_id, form.list_hash, form.business_date)
            return 200, await approve_list.approve_list(tx, actor, settings, cycle_id, form.list_hash, business_date=form.business_date)

        return await _once(db, actor, key, f"POST /v1/cycles/{cycle_id}/approve", request, effect)
