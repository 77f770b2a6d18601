"""Routes of how far verification is, of re-checks before a cycle, and of grace while the source is away."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from common import audit, idempotency, jobs
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from identity_verify.api.planning_schemas import (
    GracePage,
    GraceProposal,
    GraceView,
    HowFarView,
    JobAccepted,
    ProposedView,
    RecheckRequest,
)
from identity_verify.api.shared import Cursor, Department, Limit, ProvinceApprover, Watcher, next_cursor
from identity_verify.settings import Settings
from identity_verify.usecases import graces, work
from identity_verify.usecases.plan import RECHECK
from identity_verify.usecases.record import check_day

__all__ = ["make_router"]


def make_router(db: Database, settings: Settings) -> APIRouter:
    """Routes under /v1/verification."""
    router = APIRouter(prefix="/v1/verification", tags=["planning"])
    _add_progress(router, db, settings)
    _add_graces(router, db, settings)
    return router


def _add_progress(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.get(
        "/progress",
        summary="How far verification is, and when it ends",
        description="Tiến độ xác thực và thời điểm dự kiến xong: ai đang chờ và vì sao, tốc độ trả lời, tình trạng CSDL dân cư."
        " Who waits and why in the caller's units, the pace of the last ten minutes, the expected end, and whether the source answers.",
    )
    async def progress(actor: Watcher) -> HowFarView:
        return HowFarView.model_validate(await work.how_far(db, settings, actor))

    @router.post(
        "/rechecks",
        status_code=202,
        response_model=JobAccepted,
        summary="Ask again about everybody whose evidence is too old on a day",
        description="Xác thực lại trước kỳ chi trả những người có kết quả quá hạn cửa sổ."
        " Runs by itself too, every day and at each cut-off; people already being asked about are not asked twice.",
    )
    async def recheck(actor: Department, key: IdempotencyKey, body: RecheckRequest, request: Request) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            check_day(settings, body.business_date)
            job_id = await jobs.create(tx, RECHECK, {}, body.business_date)
            await audit.record(tx, "verification.recheck_asked", "job", job_id, audit.Created({"business_date": body.business_date}))
            return 202, JobAccepted(job_id=job_id)

        answer = await idempotency.run(db, actor, key, "POST /v1/verification/rechecks", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_graces(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/grace-periods",
        status_code=202,
        response_model=ProposedView,
        summary="Propose grace for evidence that runs out while the source is away",
        description="Đề nghị gia hạn kết quả xác thực chỉ vì CSDL dân cư ngừng trả lời."
        " Only while it is away. Another person approves; from then on"
        ", whoever is being asked about and gets no answer keeps the evidence until the date, marked on the payment list.",
    )
    async def propose(actor: Department, key: IdempotencyKey, body: GraceProposal, request: Request) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 202, await graces.propose(
                tx, actor, settings, valid_from=body.valid_from, valid_until=body.valid_until, reason=body.reason
            )

        answer = await idempotency.run(db, actor, key, "POST /v1/verification/grace-periods", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/grace-periods/{grace_id}/approve",
        summary="Approve a grace period",
        description="Duyệt gia hạn (khác người đề nghị). Not by the person who proposed it.",
    )
    async def approve(actor: ProvinceApprover, grace_id: UUID) -> ProposedView:
        return ProposedView(grace_id=grace_id, state=await graces.decide(db, actor, grace_id, approve=True))

    @router.post(
        "/grace-periods/{grace_id}/refuse",
        summary="Refuse a grace period",
        description="Từ chối gia hạn (khác người đề nghị). Not by the person who proposed it.",
    )
    async def refuse(actor: ProvinceApprover, grace_id: UUID) -> ProposedView:
        return ProposedView(grace_id=grace_id, state=await graces.decide(db, actor, grace_id, approve=False))

    @router.get(
        "/grace-periods",
        summary="Grace periods",
        description="Các thời gian gia hạn, người đề nghị, người duyệt và số người được áp dụng. Oldest first; follow"
        " `next_cursor`. The grace periods, who proposed and who approved them, and for how many people they held.",
    )
    async def periods(actor: Watcher, cursor: Cursor = None, limit: Limit = 50) -> GracePage:
        items = [GraceView.model_validate(dict(row)) for row in await graces.page(db, actor, after=cursor, limit=limit)]
        return GracePage(items=items, next_cursor=next_cursor([item.grace_id for item in items], limit))
