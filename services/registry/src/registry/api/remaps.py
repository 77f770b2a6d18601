"""Routes of re-mapping people to new units, and of the work list of people whose new unit has to be told."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api.models import JobAccepted
from registry.api.unit_models import (
    ApproveWork,
    NewRemap,
    PlanPage,
    PlanUnit,
    ProposalResult,
    ProposeByAddress,
    ProposePeople,
    RemapPage,
    RemapTotal,
    RemapView,
    WorkApproved,
    WorkItem,
    WorkPage,
    WorkSummary,
    WorkSummaryUnit,
)
from registry.storage import remaps as storage
from registry.storage import unit_work as work_storage
from registry.usecases import remapping, unit_work

__all__ = ["make_router"]

_Maker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
_Checker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DEPARTMENT_OFFICER))]
_OfficerChecker = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_Reader = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR))]
_EffectiveOn = Annotated[date, Query(description="The day the new units began", examples=["2025-07-01"])]


def make_router(db: Database) -> APIRouter:
    """`/v1/units/remaps` and `/v1/units/work-list`."""
    router = APIRouter(prefix="/v1/units", tags=["units"])
    _remaps(router, db)
    _remap_views(router, db)
    _work_views(router, db)
    _work(router, db)
    return router


async def _view(tx: Tx, row: Any) -> RemapView:
    totals = [RemapTotal(**total) for total in await storage.totals(tx, row["remap_id"])]
    return RemapView(**{name: row[name] for name in RemapView.model_fields if name != "totals"}, totals=totals)


def _remaps(router: APIRouter, db: Database) -> None:
    @router.post(
        "/remaps",
        status_code=201,
        response_model=RemapView,
        summary="Count a re-mapping (dry run)",
        description="Tính thử việc chuyển người từ đơn vị cũ sang đơn vị mới. Judges every old unit and counts who and what would move;"
        " nobody is moved before a second person approves.",
    )
    async def count(request: Request, actor: _Maker, key: IdempotencyKey, body: NewRemap) -> Response:
        async def effect(tx: Tx) -> tuple[int, RemapView]:
            remap_id = await remapping.count(tx, body.unit_path, body.effective_on, body.business_date)
            return 201, await _view(tx, await remapping.remap_of(tx, remap_id))

        answer = await idempotency.run(db, actor, key, "POST /v1/units/remaps", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/remaps/{remap_id}/approve",
        status_code=202,
        summary="Approve a re-mapping",
        description="Người thứ hai duyệt; một công việc chuyển người, hộ, cơ sở và danh sách sang đơn vị mới. The same people and the"
        " same amounts, another unit; run again it changes nothing twice.",
    )
    async def approve(actor: _Checker, remap_id: UUID) -> JobAccepted:
        return JobAccepted(job_id=await remapping.approve(db, actor, remap_id))


def _remap_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "/remaps",
        summary="Re-mappings",
        description="Các lần chuyển đơn vị trong phạm vi của bạn. Newest first. The re-mappings of people in your area.",
    )
    async def listing(actor: _Reader, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> RemapPage:
        scope, params = actor.scope_sql("scope_path")
        async with db.read(actor) as tx:
            rows = await tx.rows(
                f"SELECT * FROM unit_remap WHERE {scope} AND (CAST(:cursor AS uuid) IS NULL OR remap_id < :cursor)"
                " ORDER BY remap_id DESC LIMIT :limit",
                cursor=cursor,
                limit=limit,
                **params,
            )
            items = [await _view(tx, row) for row in rows]
        return RemapPage(items=items, next_cursor=str(rows[-1]["remap_id"]) if len(rows) == limit else None)

    @router.get(
        "/remaps/{remap_id}",
        summary="One re-mapping",
        description="Một lần chuyển đơn vị: tính thử và kết quả. One re-mapping: what it would do, and what it did.",
    )
    async def one(actor: _Reader, remap_id: UUID) -> RemapView:
        async with db.read(actor) as tx:
            return await _view(tx, await remapping.remap_of(tx, remap_id))

    @router.get(
        "/remaps/{remap_id}/units",
        summary="Old units of a re-mapping",
        description="Từng đơn vị cũ: đi đâu, bao nhiêu người. Old unit by unit.",
    )
    async def plan(
        actor: _Reader,
        remap_id: UUID,
        treatment: Annotated[str | None, Query(pattern="^(MOVE|KEPT|SPLIT|CODE_REUSED|NO_SUCCESSOR)$")] = None,
        cursor: Annotated[str | None, Query(description="Path of the last unit of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> PlanPage:
        async with db.read(actor) as tx:
            await remapping.remap_of(tx, remap_id)
            rows = await storage.planned(tx, remap_id, treatment, cursor, limit)
        return PlanPage(items=[PlanUnit(**row) for row in rows], next_cursor=rows[-1]["old_path"] if len(rows) == limit else None)


def _work_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "/work-list/summary",
        summary="The work list by old unit",
        description="Danh sách cần phân xã mới, theo đơn vị cũ bị chia tách. With the communes people can have gone to. You see old"
        " units of your area and those that went into it.",
    )
    async def summary(actor: _Reader, effective_on: _EffectiveOn) -> WorkSummary:
        async with db.read(actor) as tx:
            rows = await work_storage.summary(tx, actor, effective_on)
        return WorkSummary(items=[WorkSummaryUnit(**row) for row in rows])

    @router.get("/work-list", summary="People to be assigned", description="Những người cần phân xã mới. Person by person.")
    async def people(
        actor: _Reader,
        effective_on: _EffectiveOn,
        old_path: Annotated[str | None, Query(examples=["60/593/22924"])] = None,
        state: Annotated[str | None, Query(pattern="^(OPEN|PROPOSED|APPROVED|APPLIED|STALE)$")] = None,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> WorkPage:
        async with db.read(actor) as tx:
            rows = await work_storage.page(tx, actor, effective_on, old_path=old_path, state=state, after=cursor, limit=limit)
        return WorkPage(items=[WorkItem(**row) for row in rows], next_cursor=str(rows[-1]["person_id"]) if len(rows) == limit else None)


def _work(router: APIRouter, db: Database) -> None:
    @router.post(
        "/work-list/proposals",
        summary="Propose new communes, person by person",
        description="Đề xuất xã mới cho từng người. Only communes the old unit went to; the same proposal again changes nothing.",
    )
    async def by_people(actor: _Officer, body: ProposePeople) -> ProposalResult:
        chosen = [(choice.person_id, choice.unit_code) for choice in body.people]
        return ProposalResult(**await unit_work.by_people(db, actor, body.effective_on, chosen))

    @router.post(
        "/work-list/proposals/by-address",
        summary="Propose one commune for a hamlet",
        description="Đề xuất xã mới cho mọi người cùng thôn, xóm, tổ. Whole words of hamlet or address; accents do not matter.",
    )
    async def by_address(actor: _Officer, body: ProposeByAddress) -> ProposalResult:
        return ProposalResult(**await unit_work.by_address(db, actor, body.effective_on, body.old_path, body.words, body.unit_code))

    @router.post(
        "/work-list/proposals/by-file",
        summary="Propose by a file of hamlets or dossier codes",
        description="Tệp CSV hoặc XLSX: `Mã hồ sơ` hoặc `Thôn`, và `Mã xã mới`. Rows that name nobody on the list are said.",
    )
    async def by_file(
        actor: _Officer,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX")],
        effective_on: Annotated[date, Form(examples=["2025-07-01"])],
        old_path: Annotated[str, Form(examples=["60/593/22924"])],
    ) -> ProposalResult:
        content = await file.read()
        return ProposalResult(**await unit_work.by_file(db, actor, effective_on, old_path, content, file.filename or "list"))

    @router.post(
        "/work-list/approve",
        status_code=202,
        summary="Approve proposals",
        description="Người thứ hai duyệt đề xuất của một đơn vị cũ; một công việc chuyển người cùng hộ và hồ sơ. Your own"
        " proposals are left for somebody else.",
    )
    async def approve(actor: _OfficerChecker, body: ApproveWork) -> WorkApproved:
        done = await unit_work.approve(db, actor, body.effective_on, body.old_path, body.people, body.business_date)
        return WorkApproved(**done)
