"""Routes of the commune police: unclear people, numbers claimed twice, numbers to be issued at home."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from common import idempotency
from common.contracts.identity_verify_v1 import Verdict
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from identity_verify.api.routes import read_cursor
from identity_verify.api.shared import Asker, Cursor, Limit, Officer, Police, Purpose, Requester, next_cursor
from identity_verify.api.work_schemas import (
    ConflictPage,
    IssueMove,
    IssuePage,
    IssueRequestBody,
    IssueView,
    Made,
    SideBySideView,
    WorkPage,
)
from identity_verify.domain.issue_request import IssueState
from identity_verify.usecases import issue_requests, views, work

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """Routes under /v1/verification."""
    router = APIRouter(prefix="/v1/verification", tags=["work list"])
    _add_work_list(router, db)
    _add_issuing(router, db)
    return router


def _add_work_list(router: APIRouter, db: Database) -> None:
    @router.get(
        "/work-list",
        summary="People whose identity somebody must look at",
        description="Danh sách người cần công an cấp xã đối chiếu, kèm kết luận đang đề nghị. Undecided REVIEW, SUSPECTED_IDENTITY and"
        " NOT_FOUND of the caller's units; decide with POST /v1/verifications/{subject_id}/decision. Follow `next_cursor`.",
    )
    async def work_list(
        actor: Officer,
        verdict: Annotated[Verdict | None, Query(description="Only this verdict")] = None,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before", max_length=80)] = None,
        limit: Limit = 50,
    ) -> WorkPage:
        rows = await work.work_list(db, actor, verdict=verdict, after=read_cursor(cursor), limit=limit)
        more = f"{rows[-1]['beneficiary_id']}.{rows[-1]['subject_id']}" if len(rows) == limit else None
        return WorkPage.model_validate({"items": rows, "next_cursor": more})

    @router.get(
        "/work-list/{subject_id}/side-by-side",
        summary="The register's and the source's fields side by side",
        description="Đối chiếu từng trường: sổ đăng ký và CSDL dân cư. For the officer who decides; needs a purpose, and is audited.",
    )
    async def side_by_side(
        actor: Police,
        subject_id: UUID,
        purpose: Purpose,
        beneficiary_id: Annotated[UUID | None, Query(description="For a representative of several people: whose")] = None,
    ) -> SideBySideView:
        whose = beneficiary_id or await views.whose(db, actor, subject_id)
        return SideBySideView.model_validate(await work.side_by_side(db, actor, whose, subject_id, purpose))

    @router.get(
        "/number-conflicts",
        summary="Numbers claimed by several registrations",
        description="Một số định danh có nhiều hồ sơ: hiện cho mọi xã liên quan."
        " Shown to every unit that has one of the registrations, with all of them; the number itself is not shown. Follow `next_cursor`.",
    )
    async def conflicts(
        actor: Officer,
        state: Annotated[Literal["OPEN", "RESOLVED"], Query(description="OPEN until one registration at most claims it")] = "OPEN",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ConflictPage:
        rows = await work.number_conflicts(db, actor, state=state, after=cursor, limit=limit)
        return ConflictPage.model_validate({"items": rows, "next_cursor": next_cursor([row["conflict_id"] for row in rows], limit)})


def _add_issuing(router: APIRouter, db: Database) -> None:
    @router.post(
        "/issue-requests",
        status_code=201,
        response_model=Made,
        summary="Ask the police to issue a number at home",
        description="Đề nghị công an cấp số định danh, căn cước tại nhà cho người không đi lại được. For somebody without a number, or with"
        " one the database does not know. One open request a person.",
    )
    async def ask(actor: Requester, key: IdempotencyKey, body: IssueRequestBody, request: Request) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            new = issue_requests.NewRequest(
                body.beneficiary_id, body.subject_id or body.beneficiary_id, body.reason, body.note, body.business_date
            )
            return 201, Made(request_id=await issue_requests.ask(tx, actor, new))

        answer = await idempotency.run(db, actor, key, "POST /v1/verification/issue-requests", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/issue-requests",
        summary="Requests to issue a number at home",
        description="Các đề nghị cấp số định danh tại nhà của đơn vị. Of the caller's units, oldest first; follow `next_cursor`.",
    )
    async def requests(
        actor: Officer,
        state: Annotated[IssueState | None, Query(description="Only this state")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> IssuePage:
        rows = await issue_requests.page(db, actor, state=state, after=cursor, limit=limit)
        return IssuePage.model_validate({"items": rows, "next_cursor": next_cursor([row["request_id"] for row in rows], limit)})

    @router.get(
        "/issue-requests/{request_id}",
        summary="One request with its steps",
        description="Một đề nghị và các bước đã qua. Its ETag is needed to move it.",
    )
    async def one(actor: Officer, request_id: UUID, response: Response) -> IssueView:
        found = await issue_requests.show(db, actor, request_id)
        response.headers["ETag"] = etag(found["version"])
        return IssueView.model_validate(found)

    @router.post(
        "/issue-requests/{request_id}/moves",
        summary="Take a request to another state",
        description="Công an nhận, hẹn, đến nhà, cấp, từ chối; xã rút đề nghị. Send If-Match with the ETag read. A visit may be repeated;"
        " REGISTERED comes by itself.",
    )
    async def move(actor: Asker, request_id: UUID, body: IssueMove, response: Response, if_match: IfMatch = None) -> IssueView:
        found = await issue_requests.move(
            db,
            actor,
            request_id,
            body.state,
            version=version_of(if_match),
            business_date=body.business_date,
            visit_on=body.visit_on,
        )
        response.headers["ETag"] = etag(found["version"])
        return IssueView.model_validate(found)
