"""Routes of changes of the law: drafts, checks, what-if, approval by a second person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from common import idempotency, sheets
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.problems import Forbidden, InvalidInput, NotFound
from common.sheets import RESPONSES
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.law_models import (
    ChangePage,
    ChangeView,
    Decision,
    Finding,
    Findings,
    NewChange,
    NewRows,
    Refusal,
    RowsPage,
    Table,
    WhatIfLine,
    WhatIfPage,
    WhatIfPeople,
    WhatIfRequest,
)
from registry.api.models import JobAccepted
from registry.storage import law_changes as storage
from registry.storage import what_ifs
from registry.storage.what_ifs import By
from registry.usecases import law_changes as usecases
from registry.usecases import what_ifs as what_if_usecases
from registry.usecases.law_desk import step

__all__ = ["make_router"]

_READERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR)
_Reader = Annotated[Actor, Depends(require(*_READERS))]
_Author = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
_Asker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_Second = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, of_a_province=True))]


def _whole(actor: Actor) -> None:
    """The law holds for everybody: only an officer of the whole province changes it."""
    if not any("/" not in path for path in actor.unit_paths):
        raise Forbidden("The law of the whole province is not changed from a part of it")


async def _view(tx: Tx, row: Any) -> ChangeView:
    later = await storage.due_to_count(tx, row["change_id"], date.max) if row["state"] == "APPROVED" else []
    counts = await storage.counts(tx, row["change_id"])
    return ChangeView(**row, rows=counts, counts_later=[item["known_from"] for item in later])


def _answer(view: ChangeView, status: int = 200) -> JSONResponse:
    return JSONResponse(view.model_dump(mode="json"), status, headers={"ETag": etag(view.version)})


def make_router(db: Database) -> APIRouter:
    """`/v1/law-changes`."""
    router = APIRouter(prefix="/v1/law-changes", tags=["law"])
    _read(router, db)
    _draft(router, db)
    _rows(router, db)
    _decide(router, db)
    _what_if(router, db)
    return router


def _read(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Changes of the law",
        description="Các thay đổi chính sách: dự thảo, chờ duyệt, đã duyệt, không duyệt. The changes of the law: drafts,"
        " proposed, approved, refused.",
    )
    async def listing(
        actor: _Reader,
        state: Annotated[Literal["DRAFT", "PROPOSED", "APPROVED", "REJECTED", "WITHDRAWN"] | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ChangePage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, state, cursors.decode_id(cursor), limit)
            items = [await _view(tx, row) for row in rows]
        end = [str(rows[-1]["change_id"])] if len(rows) == limit else None
        return ChangePage(items=items, next_cursor=cursors.encode(end))

    @router.get("/{change_id}", response_model=ChangeView, summary="One change", description="Một thay đổi chính sách. With ETag.")
    async def one(actor: _Reader, change_id: UUID) -> Response:
        async with db.read(actor) as tx:
            return _answer(await _view(tx, await usecases.open_change(tx, change_id)))

    @router.get(
        "/{change_id}/rows",
        summary="Its rows",
        description="Các dòng của thay đổi trong một bảng của danh mục. The rows of a change in one table of the catalogue.",
    )
    async def rows(
        actor: _Reader, change_id: UUID, table: Table, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0, limit: Limit = 100
    ) -> RowsPage:
        async with db.read(actor) as tx:
            await usecases.open_change(tx, change_id)
            found = await storage.rows_page(tx, table, change_id, offset, limit)
        return RowsPage(items=[dict(row) for row in found], next_offset=offset + limit if len(found) == limit else None)

    @router.get(
        "/{change_id}/findings",
        summary="What the checks say",
        description="Kết quả kiểm tra dự thảo: khoảng trống, chồng lấn, số lẻ nghìn, giảm mức, bảng thiếu dòng."
        " Gaps, overlaps, amounts that are no multiple of 1,000 đồng, lower amounts, tables that lack a row. An ERROR must be corrected.",
    )
    async def findings(actor: _Reader, change_id: UUID) -> Findings:
        async with db.read(actor) as tx:
            await usecases.open_change(tx, change_id)
            return Findings(items=[Finding(**row) for row in await usecases.findings(tx, change_id)])


def _draft(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=ChangeView,
        summary="Draft a change of the law",
        description="Lập dự thảo thay đổi chính sách. Nothing changes for anybody until a second person has approved it. Department only.",
    )
    async def create(request: Request, actor: _Author, key: IdempotencyKey, body: NewChange) -> Response:
        _whole(actor)

        async def effect(tx: Tx) -> tuple[int, ChangeView]:
            change_id = await usecases.create(tx, body.model_dump())
            return 201, await _view(tx, await usecases.open_change(tx, change_id))

        answer = await idempotency.run(db, actor, key, "POST /v1/law-changes", await request.body(), effect)
        return JSONResponse(answer.body, answer.status, headers={"Location": f"/v1/law-changes/{answer.body['change_id']}"})


def _rows(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{change_id}/rows/{table}",
        response_model=ChangeView,
        summary="Add rows to a draft",
        description="Thêm dòng vào dự thảo; ô trống lấy căn cứ và ngày của dự thảo. All rows or none; 422 names row and field of everything"
        " at fault. `law_change_setting` answers an open question (see `GET /v1/dues/policy-settings`).",
    )
    async def add(actor: _Author, change_id: UUID, table: Table, body: NewRows, if_match: IfMatch = None) -> Response:
        _whole(actor)
        version = version_of(if_match)

        async def effect(tx: Tx) -> ChangeView:
            rows = list(enumerate(body.rows, 1))
            return await _view(tx, await usecases.add_rows(tx, change_id, version, table, rows, replace=body.replace))

        return _answer(await step(db, actor, effect))

    @router.post(
        "/{change_id}/files/{table}",
        response_model=ChangeView,
        summary="Load a table into a draft (CSV or XLSX)",
        description="Nạp cả một bảng từ tệp, ví dụ phụ lục mức trợ cấp ưu đãi: cột Mã đối tượng, Tỷ lệ, Mức trợ cấp."
        " The whole file or nothing; `replace` takes the draft's rows of that table out first.",
    )
    async def load(
        actor: _Author,
        change_id: UUID,
        table: Table,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX with a header row")],
        if_match: IfMatch = None,
        replace: Annotated[bool, Query()] = False,
    ) -> Response:
        _whole(actor)
        version = version_of(if_match)
        rows = await asyncio.to_thread(usecases.read_file, table, await file.read(), file.filename or "table")
        if not rows or len(rows) > 5_000:
            raise InvalidInput(errors=[{"field": "file", "detail": f"{len(rows)} rows: between 1 and 5,000"}])

        async def effect(tx: Tx) -> ChangeView:
            return await _view(tx, await usecases.add_rows(tx, change_id, version, table, rows, replace=replace))

        return _answer(await step(db, actor, effect))

    @router.delete(
        "/{change_id}/rows/{table}",
        response_model=ChangeView,
        summary="Take a table's rows out of a draft",
        description="Bỏ các dòng của một bảng khỏi dự thảo. A table's rows leave the draft.",
    )
    async def take_out(actor: _Author, change_id: UUID, table: Table, if_match: IfMatch = None) -> Response:
        _whole(actor)
        version = version_of(if_match)

        async def effect(tx: Tx) -> ChangeView:
            return await _view(tx, await usecases.take_rows_out(tx, change_id, version, table))

        return _answer(await step(db, actor, effect))


def _decide(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{change_id}/propose",
        response_model=ChangeView,
        summary="Propose a draft",
        description="Trình duyệt dự thảo: từ đây không sửa được nữa. It has rows, no errors, and a what-if of exactly these rows.",
    )
    async def propose(actor: _Author, change_id: UUID, if_match: IfMatch = None) -> Response:
        _whole(actor)
        version = version_of(if_match)

        async def effect(tx: Tx) -> ChangeView:
            return await _view(tx, await usecases.propose(tx, change_id, version))

        return _answer(await step(db, actor, effect))

    @router.post(
        "/{change_id}/approve",
        response_model=ChangeView,
        summary="Approve a change of the law",
        description="Duyệt (người không tham gia lập dự thảo): các dòng có hiệu lực, toàn bộ khoản phải chi được tính lại."
        " Rows count from now on and all dues are computed anew (`job_id`); rows known later count on that day.",
    )
    async def approve(actor: _Second, change_id: UUID, body: Decision, if_match: IfMatch = None) -> Response:
        _whole(actor)
        version = version_of(if_match)

        async def effect(tx: Tx) -> ChangeView:
            return await _view(tx, await usecases.put_in_force(tx, change_id, version, body.business_date))

        return _answer(await step(db, actor, effect))

    @router.post(
        "/{change_id}/reject",
        response_model=ChangeView,
        summary="Refuse a proposed change",
        description="Không duyệt, nêu lý do. It is refused, with the reason.",
    )
    async def reject(actor: _Second, change_id: UUID, body: Refusal, if_match: IfMatch = None) -> Response:
        return await _close(db, actor, change_id, body, version_of(if_match), reject=True)

    @router.post(
        "/{change_id}/withdraw",
        response_model=ChangeView,
        summary="Take a change back",
        description="Người lập rút lại, nêu lý do. Who made it takes it back, with the reason.",
    )
    async def withdraw(actor: _Author, change_id: UUID, body: Refusal, if_match: IfMatch = None) -> Response:
        return await _close(db, actor, change_id, body, version_of(if_match), reject=False)


async def _close(db: Database, actor: Actor, change_id: UUID, body: Refusal, version: int, *, reject: bool) -> Response:
    _whole(actor)

    async def effect(tx: Tx) -> ChangeView:
        return await _view(tx, await usecases.close(tx, change_id, version, body.reason, reject=reject))

    return _answer(await step(db, actor, effect))


_Views = Annotated[list[By] | None, Query(alias="by", min_length=1, max_length=4, description="One or more views, combined")]
_Offset = Annotated[int, Query(ge=0, le=10_000_000)]
_LABEL = {
    "programme": "Chương trình", "line": "Khoản chi", "month": "Tháng", "province": "Tỉnh", "district": "Huyện", "commune": "Xã",
}  # fmt: skip


def _what_if(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{change_id}/what-if",
        status_code=202,
        response_model=JobAccepted,
        summary="Compute what a draft would change",
        description="Tính thử dự thảo trên toàn danh bạ: số người, chi phí mỗi tháng, truy lĩnh; không đụng đến khoản phải chi đang có."
        " A job on the real engine; it writes nothing to the live dues and publishes nothing.",
    )
    async def ask(request: Request, actor: _Asker, key: IdempotencyKey, change_id: UUID, body: WhatIfRequest) -> Response:
        _whole(actor)
        until = date.fromisoformat(body.until_month + "-01")

        async def effect(tx: Tx) -> tuple[int, JobAccepted]:
            return 202, JobAccepted(job_id=await what_if_usecases.request(tx, change_id, body.business_date, until))

        answer = await idempotency.run(db, actor, key, f"POST /v1/law-changes/{change_id}/what-if", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.get(
        "/{change_id}/what-if",
        summary="What a draft would change, in your area",
        description="Kết quả tính thử mới nhất, cộng theo chương trình, khoản chi, tháng, tỉnh, huyện, xã (ghép được)."
        " The last finished what-if; views combine, e.g. `by=commune&by=programme`.",
    )
    async def read(
        actor: _Reader, change_id: UUID, by: _Views = None, programme: str | None = None, offset: _Offset = 0, limit: Limit = 200
    ) -> WhatIfPage:
        views = by or ["programme"]
        async with db.read(actor) as tx:
            row = await _latest(tx, change_id)
            rows = await what_ifs.lines(tx, actor, row, views, programme, offset, limit)
            people = await what_ifs.people(tx, actor, row)
        items = [WhatIfLine(keys=[item[f"k{n}"] for n in range(len(views))], **item) for item in rows]
        return WhatIfPage(
            **{name: row[name] for name in ("what_if_id", "change_id", "change_version", "business_date", "out_of_date")},
            until_month=f"{row['until_month']:%Y-%m}", people=[WhatIfPeople(**item) for item in people], by=list(views), items=items,
            next_offset=offset + limit if len(rows) == limit else None,
        )  # fmt: skip

    @router.get(
        "/{change_id}/what-if/file",
        summary="The same as a file",
        description="Tệp CSV hoặc XLSX của kết quả tính thử trong phạm vi của bạn. What the trial computation found in your"
        " area, as CSV or XLSX.",
        response_class=Response,
        responses=RESPONSES,
    )
    async def file(
        actor: _Reader, change_id: UUID, by: _Views = None, programme: str | None = None,
        kind: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "xlsx",
    ) -> Response:  # fmt: skip
        views: list[By] = by or ["commune", "programme"]
        async with db.read(actor) as tx:
            row = await _latest(tx, change_id)
            title = (await usecases.open_change(tx, change_id))["title_vi"]
        header = [*(_LABEL[view] for view in views), "Số người", "Đang chi", "Theo dự thảo", "Truy lĩnh", "Tăng mỗi tháng", "Các tháng sau"]
        rows = _file_rows(db, actor, row, views, programme)
        return sheets.download(kind, f"tinh-thu-{row['business_date']}", sheets.Sheet(header, [f"Tính thử: {title}"]), rows)


async def _latest(tx: Tx, change_id: UUID) -> Any:
    await usecases.open_change(tx, change_id)
    row = await what_ifs.latest(tx, change_id)
    if row is None:
        raise NotFound("No finished what-if of this change")
    return row


async def _file_rows(db: Database, actor: Actor, row: Any, views: list[By], programme: str | None) -> AsyncIterator[list[sheets.Cell]]:
    offset, at_once = 0, 2_000
    async with db.read(actor) as tx:
        while True:
            rows = await what_ifs.lines(tx, actor, row, views, programme, offset, at_once)
            for item in rows:
                names = ("people", "amount_before", "amount_after", "arrears", "of_the_month", "ahead")
                yield [*(item[f"k{n}"] for n in range(len(views))), *(item[name] for name in names)]
            if len(rows) < at_once:
                return
            offset += at_once
