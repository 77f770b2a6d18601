"""The routes of lists, the same in every service: `/v1/imports`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import create_model

from common import idempotency, sheets
from common.actor import Actor, Role
from common.auth import require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.lists import desk, storage, verdicts
from common.lists.models import ApproveImports, ImportAccepted, ImportView, JobAccepted
from common.lists.profile import ListProfile, Upload
from common.lists.routes_rows import add_mapping, add_waiting
from common.purposes import GivenPurpose
from common.streams import StreamingResponse

__all__ = ["lists_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Maker = Annotated[Actor, Depends(require(*_OFFICERS, Role.INTEGRATOR))]
_Checker = Annotated[Actor, Depends(require(Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.OPERATOR))]


def lists_router(
    db: Database, profile: ListProfile, *, what: str, own_form: Callable[..., dict[str, str]], view: type[ImportView] = ImportView
) -> APIRouter:
    """`what` names the lists in the descriptions; `own_form` reads the service's own form fields (its columns of `import_file`)."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])
    _add_receive(router, db, profile, what, own_form)
    _add_approve(router, db, profile)
    add_waiting(router, db, profile)  # before the routes with an import's id in the path
    add_mapping(router, db, profile)
    _add_views(router, db, profile, view)
    _add_files(router, db, profile)
    return router


def _add_receive(router: APIRouter, db: Database, profile: ListProfile, what: str, own_form: Callable[..., dict[str, str]]) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=ImportAccepted,
        summary=f"Send a list ({what}): XLSX, XLS or CSV",
        description="Gửi danh sách. The file is stored encrypted and checked row by row by a job; good rows wait for approval, refused"
        " rows wait for a correction. Its columns are recognised by their headers: see and set them at /mapping. The same bytes sent"
        " again for the same unit change nothing. A file that is no list is refused at once (422).",
    )
    async def receive(
        actor: _Maker,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="XLSX, XLS or CSV with a header row")],
        unit_code: Annotated[str, Form(description="Unit the list is of, on the business date", examples=["22924"])],
        business_date: Annotated[date, Form(examples=["2024-08-20"])],
        dry_run: Annotated[bool, Form(description="Check only; can never be approved")] = False,
        sheet: Annotated[str, Form(max_length=100, description="Which sheet, when several of the file are lists")] = "",
        own: dict[str, str] = Depends(own_form),
    ) -> Response:
        content = await file.read()
        upload = Upload(content, file.filename or "list", unit_code, business_date, dry_run, sheet, own)
        received = await desk.look(db, actor, profile, upload)
        fields = f"{sorted(own.items())}|{unit_code}|{business_date}|{dry_run}|{sheet}|{upload.file_name}|".encode()

        async def effect(tx: Tx) -> tuple[int, ImportAccepted]:
            return 202, ImportAccepted(**await desk.receive(tx, profile, received))

        answer = await idempotency.run(db, actor, key, "POST /v1/imports", fields + content, effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_approve(router: APIRouter, db: Database, profile: ListProfile) -> None:
    @router.post(
        "/approve",
        status_code=202,
        summary="Approve lists",
        description="Duyệt nhiều danh sách cùng lúc (người duyệt khác người gửi). All or none; they are applied in the order received.",
    )
    async def approve(actor: _Checker, body: ApproveImports) -> JobAccepted:
        return JobAccepted(job_id=await desk.approve(db, actor, profile, body.import_ids))

    @router.post(
        "/{import_id}/approve",
        status_code=202,
        summary="Approve one list",
        description="Duyệt một danh sách (người duyệt khác người gửi). A second person has to.",
    )
    async def approve_one(actor: _Checker, import_id: UUID) -> JobAccepted:
        return JobAccepted(job_id=await desk.approve(db, actor, profile, [import_id]))


def _add_views(router: APIRouter, db: Database, profile: ListProfile, view: type[ImportView]) -> None:
    page = create_model("ImportPage", __doc__="Imports, newest last.", items=(list[view], ...), next_cursor=(str | None, ...))  # type: ignore[valid-type]

    @router.get("", response_model=page, summary="Imports", description="Các danh sách đã gửi, trong phạm vi của bạn. In your area.")
    async def listing(
        actor: _Reader,
        state: Annotated[str | None, Query(examples=["CHECKED"])] = None,
        cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> dict[str, Any]:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, profile, state=state, after=cursor, limit=limit, scope=actor.scope_sql("f.unit_path"))
        last = str(rows[-1]["import_id"]) if len(rows) == limit else None
        return {"items": [dict(row) for row in rows], "next_cursor": last}

    @router.get(
        "/{import_id}",
        response_model=view,
        summary="One import",
        description="Trạng thái và số dòng của một danh sách. State and counts; the ETag is needed to set its columns.",
    )
    async def one(actor: _Reader, import_id: UUID, response: Response) -> dict[str, Any]:
        async with db.read(actor) as tx:
            row = await desk.seen(tx, profile, import_id)
        response.headers["ETag"] = f'"{row["version"]}"'
        return dict(row)


def _add_files(router: APIRouter, db: Database, profile: ListProfile) -> None:
    @router.get(
        "/{import_id}/errors",
        summary="Refused and flagged rows (CSV)",
        description="Tệp CSV các dòng bị từ chối, đang chờ hoặc cần xem lại: row, dossier code, name, masked number, field,"
        " reason in Vietnamese and English.",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}, "description": "CSV, UTF-8 with BOM"}},
    )
    async def errors(actor: _Reader, import_id: UUID) -> StreamingResponse:
        async with db.read(actor) as tx:
            await desk.seen(tx, profile, import_id)
        headers = {"Content-Disposition": f'attachment; filename="errors-{import_id}.csv"'}
        rows = verdicts.error_csv(db, actor, profile, import_id)
        return StreamingResponse(rows, media_type=sheets.MEDIA["csv"], headers=headers)

    @router.get(
        "/{import_id}/verdicts",
        summary="The list with its verdicts (CSV or XLSX)",
        description="Danh sách kèm kết quả và lý do cạnh từng dòng, để sửa và gửi lại. Numbers are masked and columns we do not know left"
        " empty; with `purpose` the rows are as you sent them, and the reading is audited. The corrected file can be sent as it is.",
        response_class=StreamingResponse,
        responses=sheets.RESPONSES,
    )
    async def verdict_rows(
        actor: _Maker,
        import_id: UUID,
        kind: Annotated[str, Query(alias="format", pattern="^(csv|xlsx)$")] = "xlsx",
        only: Annotated[str, Query(pattern="^(refused|all)$")] = "all",
        purpose: GivenPurpose = None,
    ) -> StreamingResponse:
        rows = await verdicts.verdict_file(db, actor, profile, import_id, kind=kind, only_refused=only == "refused", purpose=purpose)
        headers = {"Content-Disposition": f'attachment; filename="verdicts-{import_id}.{kind}"'}
        return StreamingResponse(rows, media_type=sheets.MEDIA[kind], headers=headers)
