"""Routes of duplicates ("trùng lĩnh")."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from common.auth import Actor, Role, require
from common.db import Database
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.duplicate_models import CandidatePage, CandidateView, DecisionAnswer, DecisionProposal, ScanRequest
from registry.api.models import JobAccepted
from registry.storage import duplicates as storage
from registry.usecases import duplicates

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.COMMUNE_POLICE))]
_Proposer = Annotated[Actor, Depends(require(*_OFFICERS, Role.COMMUNE_POLICE))]
_Approver = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER))]
_Scanner = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]


def _view(row: Any) -> CandidateView:
    proposal = row["proposal"]
    if proposal is not None and proposal["effective_month"]:
        proposal = proposal | {"effective_month": proposal["effective_month"][:7]}
    return CandidateView(**(dict(row) | {"proposal": proposal}))


def make_router(db: Database) -> APIRouter:
    """`/v1/duplicates`."""
    router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"])
    _find(router, db)
    _decide(router, db)
    return router


def _find(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Pairs that may be one person",
        description="Danh sách nghi trùng lĩnh: hai hồ sơ cạnh nhau, số định danh được che. Both communes of a pair see it. `strong` pairs"
        " hold the payment of the file registered later until two people have decided.",
    )
    async def listing(
        actor: _Reader,
        state: Annotated[str | None, Query(examples=["OPEN"])] = None,
        strong: bool | None = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> CandidatePage:
        async with db.read(actor) as tx:
            after = cursors.decode_id(cursor)
            rows = await storage.page(tx, actor, after=after, limit=limit, state=state, strong=strong, person_id=beneficiary_id)
        last = [str(rows[-1]["candidate_id"])] if len(rows) == limit else None
        return CandidatePage(items=[_view(row) for row in rows], next_cursor=cursors.encode(last))

    @router.post(
        "/scan",
        status_code=202,
        summary="Compare everybody",
        description="So sánh toàn bộ danh bạ. People are compared whenever they change; this compares all of them, as a job.",
    )
    async def scan(actor: _Scanner, body: ScanRequest) -> JobAccepted:
        return JobAccepted(job_id=await duplicates.request_scan(db, actor, body.business_date))

    @router.get(
        "/{candidate_id}",
        summary="One pair",
        description="Một cặp hồ sơ nghi trùng, kèm lý do và đề xuất đang chờ. Two dossiers that may be one person, why, and"
        " the proposal that waits.",
    )
    async def one(actor: _Reader, candidate_id: UUID) -> CandidateView:
        async with db.read(actor) as tx:
            return _view(await duplicates.seen(tx, candidate_id))


def _decide(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{candidate_id}/proposal",
        status_code=201,
        summary="Propose a decision",
        description="Đề xuất xử lý: không trùng, xác nhận trùng, gộp hồ sơ, hoàn tác gộp. Nothing changes before a second person approves.",
    )
    async def propose(actor: _Proposer, candidate_id: UUID, body: DecisionProposal) -> CandidateView:
        month = date.fromisoformat(body.effective_month + "-01") if body.effective_month else None
        proposal = duplicates.Proposal(body.kind, body.note, body.business_date, body.survivor_id, month, tuple(body.take_fields))
        return _view(await duplicates.propose(db, actor, candidate_id, proposal))

    @router.post(
        "/{candidate_id}/decision",
        summary="Approve or refuse the proposal",
        description="Người thứ hai duyệt hoặc bác đề xuất; phải nhìn thấy cả hai hồ sơ. A merge moves allowances, representatives,"
        " household and preference to the file that goes on and computes the dues of both anew;"
        " it can be undone while nothing has changed since.",
    )
    async def decide(actor: _Approver, candidate_id: UUID, body: DecisionAnswer) -> CandidateView:
        return _view(await duplicates.decide(db, actor, candidate_id, approve=body.approve))
