"""Routes of list imports."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from common import idempotency
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from common.tabular import csv_safe
from registry.api.models import ApproveImports, ImportAccepted, ImportPage, ImportView, JobAccepted
from registry.storage import imports
from registry.usecases import importing

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
_VIEW = (
    "import_id, job_id, programme, unit_code, unit_path, file_name, business_date, dry_run, state, refusal->>'detail' AS refusal,"
    " rows_total, rows_good, rows_refused,"
    " CASE WHEN state = 'APPLIED' THEN rows_good ELSE 0 END AS rows_applied, created_by, created_at, approved_by, applied_at"
)


async def _visible(tx: Tx, actor: Actor, import_id: UUID) -> Any:
    row = await tx.row(f"SELECT {_VIEW} FROM import_file WHERE import_id = :id", id=import_id)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such import")
    return row


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
        summary="Send a list (CSV or XLSX)",
        description="Gửi danh sách. The file is stored encrypted and checked row by row by a job; good rows wait for"
        " a second person's approval, refused rows stand in the error list. The same bytes sent again change nothing."
        " A file that is no list is refused at once (422).",
    )
    async def receive(
        actor: _Maker,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX with a header row")],
        programme: Annotated[Programme, Form(examples=["SOCIAL_ASSISTANCE"])],
        unit_code: Annotated[str, Form(description="Unit the list is of, on the business date", examples=["22924"])],
        business_date: Annotated[date, Form(examples=["2024-08-20"])],
        dry_run: Annotated[bool, Form(description="Check only; can never be approved")] = False,
    ) -> Response:
        content = await file.read()
        await asyncio.to_thread(importing.read_list, content, file.filename or "list")  # refused here when it is no list
        upload = importing.Upload(content, file.filename or "list", programme.value, unit_code, business_date, dry_run)
        fields = f"{programme.value}|{unit_code}|{business_date}|{dry_run}|{upload.file_name}|".encode()

        async def effect(tx: Tx) -> tuple[int, ImportAccepted]:
            return 202, ImportAccepted(**await importing.receive(tx, upload))

        answer = await idempotency.run(db, actor, key, "POST /v1/imports", fields + content, effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get("", summary="Imports", description="Các danh sách đã gửi, trong phạm vi của bạn.")
    async def listing(
        actor: _Reader,
        state: Annotated[str | None, Query(examples=["CHECKED"])] = None,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> ImportPage:
        async with db.read(actor) as tx:
            scope, params = actor.scope_sql("unit_path")
            rows = await tx.rows(
                f"SELECT {_VIEW} FROM import_file WHERE {scope} AND file_name <> 'api' AND (CAST(:state AS text) IS NULL OR state = :state)"
                " AND (CAST(:cursor AS uuid) IS NULL OR import_id > :cursor) ORDER BY import_id LIMIT :limit",
                state=state,
                cursor=cursor,
                limit=limit,
                **params,
            )
        last = str(rows[-1]["import_id"]) if len(rows) == limit else None
        return ImportPage(items=[ImportView(**row) for row in rows], next_cursor=last)

    @router.get("/{import_id}", summary="One import", description="Trạng thái và số dòng của một danh sách.")
    async def one(actor: _Reader, import_id: UUID) -> ImportView:
        async with db.read(actor) as tx:
            return ImportView(**await _visible(tx, actor, import_id))

    @router.get(
        "/{import_id}/errors",
        summary="Refused and flagged rows (CSV)",
        description="Tệp CSV các dòng bị từ chối hoặc cần xem lại: row, dossier code, name, masked number, field,"
        " reason in Vietnamese and English.",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "CSV, UTF-8 with BOM"}},
    )
    async def errors(actor: _Reader, import_id: UUID) -> StreamingResponse:
        async with db.read(actor) as tx:
            await _visible(tx, actor, import_id)
        headers = {"Content-Disposition": f'attachment; filename="errors-{import_id}.csv"'}
        return StreamingResponse(_error_csv(db, actor, import_id), media_type="text/csv; charset=utf-8", headers=headers)


def _add_approve(router: APIRouter, db: Database) -> None:
    @router.post(
        "/approve",
        status_code=202,
        summary="Approve lists",
        description="Duyệt nhiều danh sách cùng lúc (người duyệt khác người gửi). All or none; they are applied in the order received.",
    )
    async def approve(actor: _Checker, body: ApproveImports) -> JobAccepted:
        return JobAccepted(job_id=await importing.approve_lists(db, actor, body.import_ids))

    @router.post(
        "/{import_id}/approve", status_code=202, summary="Approve one list", description="Duyệt một danh sách; a second person has to."
    )
    async def approve_one(actor: _Checker, import_id: UUID) -> JobAccepted:
        return JobAccepted(job_id=await importing.approve_lists(db, actor, [import_id]))


async def _error_csv(db: Database, actor: Actor, import_id: UUID) -> AsyncIterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["dòng", "mã hồ sơ", "họ và tên", "số định danh", "kết quả", "cột", "mã lỗi", "lý do", "reason"])
    yield "\ufeff"
    async with db.read(actor) as tx:
        async for row in imports.errors_of(tx, import_id):
            who = [row["row_number"], csv_safe(row["file_code"] or ""), csv_safe(row["full_name"] or ""), row["masked_number"] or ""]
            for verdict, items in (("REFUSED", row["reasons"]), ("WARNING", row["warnings"])):
                for item in items:
                    texts = (csv_safe(item["detail_vi"]), csv_safe(item["detail"]))
                    writer.writerow([*who, verdict, item["field"], item["code"], *texts])
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
