"""Routes of the provider directory, of settings, and of changes that a second person approves."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from accounts.api.directory_models import (
    AnyChange,
    ChangePage,
    ChangeProposed,
    ChangeView,
    Contract,
    ContractPage,
    Decision,
    ProviderDetail,
    ProviderType,
    ProviderView,
    Setting,
)
from accounts.api.guards import Checker, Cursor, Limit, Senior, Watcher, next_cursor
from accounts.domain.directory import Directory
from accounts.usecases import directory as uc
from common import clock, etags, idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey

__all__ = ["directory_router"]

_On = Annotated[date | None, Query(description="As of this day; today when not given", examples=["2024-08-20"])]


def directory_router(db: Database, known: Directory) -> APIRouter:
    """`/v1/providers`, `/v1/provider-contracts`, `/v1/settings`, `/v1/change-requests`."""
    router = APIRouter(prefix="/v1", tags=["directory"])
    _add_reads(router, db, known)
    _add_changes(router, db, known)
    return router


def _add_reads(router: APIRouter, db: Database, known: Directory) -> None:
    @router.get(
        "/providers",
        summary="Provider directory",
        description="Danh mục ngân hàng, ví điện tử, tiền di động, bưu điện: tên, BIN, khả năng, hạn mức theo ngày. `name` finds one by any"
        " name offices write; `partner` tells who pays into its accounts.",
    )
    async def providers(
        _actor: Watcher,
        response: Response,
        name: Annotated[str | None, Query(description="Free text as offices write it, e.g. Liên Việt", max_length=100)] = None,
        type_code: Annotated[str | None, Query(alias="type", examples=["BANK"])] = None,
        on: _On = None,
    ) -> list[ProviderView]:
        codes = None
        if name is not None:
            await uc.refresh(db, known)
            found = known.find(name)
            codes = [] if found is None else [found.code]
        rows = await uc.providers(db, on or clock.today(), type_code=type_code, codes=codes)
        return etags.versioned(response, [ProviderView.model_validate(row) for row in rows])

    @router.get("/provider-types", summary="Kinds of provider", description="Danh mục loại tổ chức cung ứng (danh mục mở). An open list.")
    async def types(_actor: Watcher, response: Response) -> list[ProviderType]:
        return etags.versioned(response, [ProviderType.model_validate(row) for row in await uc.provider_types(db)])

    @router.get(
        "/providers/{code}",
        summary="One provider",
        description="Một tổ chức: tên và BIN theo thời gian, tên gọi khác, ưu đãi phí. With all dated names, BINs, aliases, fee offers.",
    )
    async def provider(_actor: Watcher, code: str, on: _On = None) -> ProviderDetail:
        return ProviderDetail.model_validate(await uc.one_provider(db, code.upper(), on or clock.today()), from_attributes=True)

    @router.get(
        "/provider-contracts",
        summary="Contracts with providers",
        description="Hợp đồng của đơn vị với tổ chức cung ứng: chương trình, phạm vi, phí (phần vạn của số đã trả), thời hạn."
        " A unit's contracts with providers: programme, scope, fee (hundredths of a percent of what is paid),"
        " term.",
    )
    async def contracts(
        actor: Watcher,
        provider_code: Annotated[str | None, Query(examples=["AGRIBANK"])] = None,
        on: Annotated[date | None, Query(description="Only those in force on this day")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ContractPage:
        rows = await uc.contracts(db, actor, on=on, provider_code=provider_code, after=cursor, limit=limit)
        return ContractPage(items=[Contract.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "contract_id"))

    @router.get(
        "/settings",
        summary="Settings and their questions",
        description="Tham số nghiệp vụ kèm câu hỏi còn để ngỏ và căn cứ. Values change by a change request that a second person approves.",
    )
    async def settings(_actor: Watcher) -> list[Setting]:
        return [Setting.model_validate(row) for row in await uc.settings(db)]


def _add_changes(router: APIRouter, db: Database, known: Directory) -> None:
    @router.get(
        "/change-requests",
        summary="Proposed and decided changes",
        description="Đề nghị thay đổi danh mục, hợp đồng, tham số, theo thứ tự gửi. Proposed changes of the catalogue, of"
        " contracts and settings, in order of sending.",
    )
    async def listing(
        actor: Watcher,
        state: Annotated[Literal["PROPOSED", "APPROVED", "REFUSED"] | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ChangePage:
        rows = await uc.changes(db, actor, state=state, after=cursor, limit=limit)
        return ChangePage(items=[ChangeView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "request_id"))

    @router.post(
        "/change-requests",
        status_code=201,
        response_model=ChangeProposed,
        summary="Propose a change of the directory, a contract or a setting",
        description="Cán bộ Sở đề nghị; có hiệu lực khi người thứ hai duyệt. Takes effect when another person approves it.",
    )
    async def propose(actor: Senior, key: IdempotencyKey, change: AnyChange) -> Response:
        async def effect(tx: Tx) -> tuple[int, ChangeProposed]:
            body = change.body.model_dump(mode="json", exclude_none=False)
            return 201, ChangeProposed(request_id=await uc.propose(tx, change.kind, body, change.business_date))

        sent = orjson.dumps(change.model_dump(mode="json"))
        answer = await idempotency.run(db, actor, key, "POST /v1/change-requests", sent, effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/change-requests/{request_id}/decision",
        summary="Approve or refuse a change",
        description="Người thứ hai duyệt hoặc từ chối. Who proposed it may not decide it.",
    )
    async def decide(actor: Checker, request_id: UUID, body: Decision) -> ChangeView:
        found = await uc.decide(db, actor, request_id, approve=body.approve, note=body.note, known=known)
        return ChangeView.model_validate(found)
