"""Routes of accounts: progress, accounts, providers, how people are paid, cut-offs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from accounts.api.schemas import AccountPage, AccountView, MethodRequest, MethodView, ProgressView
from accounts.usecases import views
from accounts.usecases.choose_method import Choice, choose_method, present_method
from common.auth import Actor, Role, require
from common.contracts.accounts_v1 import AccountStatus
from common.db import Database
from common.etags import IfMatch, etag, version_of
from common.problems import NotFound

__all__ = ["OFFICERS", "WATCHERS", "make_router", "version_of"]

OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
WATCHERS = (*OFFICERS, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.OPERATOR)
_Watcher = Annotated[Actor, Depends(require(*WATCHERS))]
_Reader = Annotated[Actor, Depends(require(*OFFICERS, Role.APPROVER, Role.AUDITOR))]
_Officer = Annotated[Actor, Depends(require(*OFFICERS))]
_BeneficiaryId = Annotated[UUID, Path(description="Person id of the beneficiary")]


def make_router(db: Database) -> APIRouter:
    """All routes under /v1 except imports."""
    router = APIRouter(prefix="/v1", tags=["accounts"])
    _add_views(router, db)
    _add_methods(router, db)
    return router


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "/progress",
        summary="Progress of account linking",
        description="Tiến độ liên kết tài khoản. Accounts by status and reason, ways to be paid, rows that wait; in the caller's units.",
    )
    async def progress(actor: _Watcher) -> ProgressView:
        return ProgressView(**await views.progress(db, actor))

    @router.get(
        "/accounts",
        summary="Payout accounts",
        description="Danh sách tài khoản chi trả (số tài khoản được che). Filter by status; follow `next_cursor` until it is null.",
    )
    async def accounts(
        actor: _Reader,
        status: Annotated[AccountStatus | None, Query(description="Only this status")] = None,
        cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AccountPage:
        rows = await views.account_page(db, actor, status=status, after=cursor, limit=limit)
        last = str(rows[-1]["account_id"]) if len(rows) == limit else None
        return AccountPage(items=[AccountView.model_validate(row) for row in rows], next_cursor=last)


def _add_methods(router: APIRouter, db: Database) -> None:
    @router.get(
        "/beneficiaries/{beneficiary_id}/payout-method",
        summary="How a person is paid",
        description="Hình thức nhận tiền hiện tại của một người. The ETag is needed to change it.",
    )
    async def method(actor: _Reader, beneficiary_id: _BeneficiaryId, response: Response) -> MethodView:
        found = await present_method(db, actor, beneficiary_id)
        if found is None:
            raise NotFound("Nothing was chosen for this person: paid in cash by post", headers={"ETag": '"0"'})
        response.headers["ETag"] = etag(found["version"])
        return MethodView.model_validate(found)

    @router.put(
        "/beneficiaries/{beneficiary_id}/payout-method",
        summary="Change how a person is paid",
        description="Đổi hình thức nhận tiền: tiền mặt, hoặc một tài khoản đã kiểm tra của người nhận. Send If-Match with the ETag read"
        ' ("0" when nothing was chosen). New account numbers come by list, with approval of a second person.',
    )
    async def choose(
        actor: _Officer,
        beneficiary_id: _BeneficiaryId,
        body: MethodRequest,
        response: Response,
        if_match: IfMatch = None,
    ) -> MethodView:
        choice = Choice(body.method, body.payee_id, body.account_id, body.home_reason, body.business_date)
        await choose_method(db, actor, beneficiary_id, choice, version_of(if_match))
        found = await present_method(db, actor, beneficiary_id)
        assert found is not None
        response.headers["ETag"] = etag(found["version"])
        return MethodView.model_validate(found)
