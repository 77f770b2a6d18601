"""Routes of attachments: scans go in once, and every reading of one is audited."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.purposes import Purpose
from registry.api.paper_cells import Maker, Reader
from registry.api.paper_models import AttachmentView
from registry.domain.attachments import SUFFIXES, media_type_of
from registry.usecases import attachments

__all__ = ["make_router"]

_BINARY = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in SUFFIXES}


def make_router(db: Database) -> APIRouter:
    """`/v1/attachments`."""
    router = APIRouter(prefix="/v1/attachments", tags=["attachments"])

    @router.post(
        "",
        status_code=201,
        response_model=AttachmentView,
        summary="Attach a scan (PDF, JPEG, PNG)",
        description="Tải lên bản chụp quyết định, giấy ủy quyền, giấy chứng tử, hồ sơ. Told by its first bytes, stored encrypted; what is"
        " attached never changes. The answer's id is named by decisions, moves, events and appointments.",
    )
    async def upload(
        request: Request,
        actor: Maker,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="PDF, JPEG or PNG")],
        kind: Annotated[Literal["DECISION", "AUTHORISATION", "CERTIFICATE", "DOSSIER", "EVIDENCE"], Form(examples=["DECISION"])],
        unit_code: Annotated[str, Form(description="Unit whose paper it is", examples=["22924"])],
        business_date: Annotated[date, Form(examples=["2024-08-20"])],
    ) -> Response:
        content = await file.read()
        media_type = media_type_of(content, file.content_type)

        async def effect(tx: Tx) -> tuple[int, AttachmentView]:
            row = await attachments.store(tx, kind, media_type, content, unit_code, business_date)
            return 201, AttachmentView(**(dict(row) | {"sha256": bytes(row["sha256"]).hex()}))

        fields = f"{kind}|{unit_code}|{business_date}|".encode()
        answer = await idempotency.run(db, actor, key, "POST /v1/attachments", fields + content, effect)
        headers = {"Location": f"/v1/attachments/{answer.body['attachment_id']}"}
        return JSONResponse(answer.body, status_code=answer.status, headers=headers)

    @router.get(
        "/{attachment_id}",
        summary="One attachment",
        description="Thông tin một tệp đính kèm, không có nội dung. What is known of an attachment, without its content.",
    )
    async def one(actor: Reader, attachment_id: UUID) -> AttachmentView:
        row = await attachments.read(db, actor, attachment_id)
        return AttachmentView(**(row | {"sha256": bytes(row["sha256"]).hex()}))

    @router.get(
        "/{attachment_id}/content",
        summary="Read an attachment",
        description="Nội dung tệp đính kèm. The purpose is written to the audit log with the reader.",
        response_class=Response,
        responses={200: {"content": _BINARY, "description": "The file"}},
    )
    async def content(actor: Reader, attachment_id: UUID, purpose: Purpose) -> Response:
        row = await attachments.read(db, actor, attachment_id, purpose)
        name = f"attachment-{attachment_id}.{SUFFIXES[row['media_type']]}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(row["content"], media_type=row["media_type"], headers=headers)

    return router
