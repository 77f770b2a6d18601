"""Routes of account lists."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from accounts.api.schemas import ApproveImports, ImportAccepted, ImportPage, ImportView, JobAccepted
from accounts.domain.rows import REASONS
from accounts.usecases import importing, views
from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.tabular import csv_safe

__all__ = ["make_router"]

_Maker = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.INTEGRATOR))]
_Checker = Annotated[Actor, Depends(require(Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Reader = Annotated[
    Actor,
    Depends(
        require(
            Role.COMMUNE_OFFICER,
            Role.DISTRICT_OFFICER,
            Role.DEPARTMENT_OFFICER,
            Role.APPROVER,
            Role.AUDITOR,
            Role.INTEGRATOR,
            Role.OPERATOR,
        )
    ),
]
_CSV_HEADER = ("dòng", "mã hồ sơ", "họ và tên", "số tài khoản", "kết quả", "cột", "mã lỗi", "lý do – reason")


def make_router(db: Database) -> APIRouter:
    """`/v1/imports`."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])
    _add_receive(router, db)
    _add_approve(router, db)
    _add_views(router, db)
    return router


def _add_receive(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=ImportAccepted,
        summary="Send an account list (CSV or XLSX)",
        description="Gửi danh sách đăng ký nhận qua tài khoản. The file is stored encrypted and checked row by row by a job; good rows"
        " wait for a second person's approval, refused rows stand in the error list, rows of people not registered yet wait for them."
        " The same bytes sent again change nothing. A file that is no list is refused at once (422).",
    )
    async def receive(
        actor: _Maker,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX with a header row")],
        unit_code: Annotated[str, Form(description="Unit the list is of, on the business date", examples=["22924"])],
        business_date: Annotated[date, Form(examples=["2024-08-20"])],
        dry_run: Annotated[bool, Form(description="Check only; can never be approved")] = False,
    ) -> Response:
        content = await file.read()
        upload = importing.Upload(content, file.filename or "list", unit_code, business_date, dry_run)
        fields = f"{unit_code}|{business_date}|{dry_run}|{upload.file_name}|".encode()

        async def effect(tx: Tx) -> tuple[int, ImportAccepted]:
            return 202, ImportAccepted(**await importing.receive(tx, upload))

        answer = await idempotency.run(db, actor, key, "POST /v1/imports", fields + content, effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_approve(router: APIRouter, db: Database) -> None:
    @router.post(
        "/approve",
        status_code=202,
        summary="Approve lists",
        description="Duyệt nhiều danh sách cùng lúc (người duyệt khác người gửi). All or none; they are applied in the order received.",
    )
    async def approve(actor: _Checker, body: ApproveImports) -> JobAccepted:
        return JobAccepted(job_id=await importing.approve(db, actor, body.import_ids))

    @router.post(
        "/{import_id}/approve", status_code=202, summary="Approve one list", description="Duyệt một danh sách; a second person has to."
    )
    async def approve_one(actor: _Checker, import_id: UUID) -> JobAccepted:
        return JobAccepted(job_id=await importing.approve(db, actor, [import_id]))


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get("", summary="Imports", description="Các danh sách đã gửi, trong phạm vi của bạn.")
    async def listing(
        actor: _Reader,
        state: Annotated[str | None, Query(examples=["CHECKED"])] = None,
        cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> ImportPage:
        rows = await views.import_page(db, actor, state=state, after=cursor, limit=limit)
        last = str(rows[-1]["import_id"]) if len(rows) == limit else None
        return ImportPage(items=[ImportView.model_validate(row) for row in rows], next_cursor=last)

    @router.get("/{import_id}", summary="One import", description="Trạng thái và số dòng của một danh sách.")
    async def one(actor: _Reader, import_id: UUID) -> ImportView:
        return ImportView.model_validate(await views.one_import(db, actor, import_id))

    @router.get(
        "/{import_id}/errors",
        summary="Refused and waiting rows (CSV)",
        description="Tệp CSV các dòng bị từ chối hoặc đang chờ: row, file code, name, masked account number, column, reason.",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "CSV, UTF-8 with BOM"}},
    )
    async def errors(actor: _Reader, import_id: UUID) -> StreamingResponse:
        await views.one_import(db, actor, import_id)
        headers = {"Content-Disposition": f'attachment; filename="errors-{import_id}.csv"'}
        return StreamingResponse(_error_csv(db, actor, import_id), media_type="text/csv; charset=utf-8", headers=headers)


async def _error_csv(db: Database, actor: Actor, import_id: UUID) -> AsyncIterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CSV_HEADER)
    yield "\ufeff"
    async for row in views.import_rows(db, actor, import_id):
        field, text = REASONS[row["reason"]]
        who = [row["row_number"], csv_safe(row["file_code"]), csv_safe(row["beneficiary_name"]), row["masked_number"] or ""]
        writer.writerow([*who, row["verdict"], field, row["reason"], text])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()
