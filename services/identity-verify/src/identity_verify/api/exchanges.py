"""Routes of lists for the police: make, download with a purpose, take answers, approve them by another person, close."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.sealing import Keyring
from identity_verify.api.exchange_schemas import AnswersView, ClosedView, ExchangeMade, ExchangePage, ExchangeRequest, ExchangeView
from identity_verify.api.shared import Approver, Carrier, Cursor, Limit, Officer, Purpose, next_cursor
from identity_verify.settings import Settings
from identity_verify.usecases import exchanges

__all__ = ["make_router"]

_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def make_router(db: Database, settings: Settings) -> APIRouter:
    """Routes under /v1/verification/exchanges and /v1/verification/answers."""
    router = APIRouter(prefix="/v1/verification", tags=["file exchange"])
    keyring = db.keyring
    if keyring is None:
        raise RuntimeError("files for the police need the service's keys")
    _add_lists(router, db, settings)
    _add_files(router, db, keyring)
    _add_answers(router, db)
    return router


def _add_lists(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/exchanges",
        status_code=201,
        response_model=ExchangeMade,
        summary="Make a list for the police",
        description="Lập danh sách đề nghị công an xác thực: những người của đơn vị đang chờ."
        " They are not asked about online until they are answered or the list is closed.",
    )
    async def create(actor: Carrier, key: IdempotencyKey, body: ExchangeRequest, request: Request) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            made = await exchanges.create(tx, actor, settings, unit_path=body.unit_path, business_date=body.business_date, limit=body.limit)
            return 201, ExchangeMade(exchange_id=made)

        answer = await idempotency.run(db, actor, key, "POST /v1/verification/exchanges", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/exchanges",
        summary="Lists for the police",
        description="Các danh sách đã lập của đơn vị. Lists of the caller's units, oldest first; follow `next_cursor`.",
    )
    async def lists(actor: Officer, cursor: Cursor = None, limit: Limit = 50) -> ExchangePage:
        items = [ExchangeView.model_validate(dict(row)) for row in await exchanges.page(db, actor, after=cursor, limit=limit)]
        return ExchangePage(items=items, next_cursor=next_cursor([item.exchange_id for item in items], limit))

    @router.get("/exchanges/{exchange_id}", summary="One list", description="Một danh sách và số dòng đã trả lời. One list, rows answered.")
    async def one(actor: Officer, exchange_id: UUID) -> ExchangeView:
        return ExchangeView.model_validate(dict(await exchanges.show(db, actor, exchange_id)))

    @router.post(
        "/exchanges/{exchange_id}/close",
        summary="Close a list",
        description="Kết thúc danh sách: người chưa có câu trả lời được xác thực lại theo cách khác. No more answers are expected.",
    )
    async def close(actor: Carrier, exchange_id: UUID) -> ClosedView:
        return ClosedView(unanswered=await exchanges.close(db, actor, exchange_id))


def _add_files(router: APIRouter, db: Database, keyring: Keyring) -> None:
    @router.get(
        "/exchanges/{exchange_id}/file",
        response_class=Response,
        summary="Download a list for the police, with whole national numbers",
        description="Tải danh sách giao công an (có số định danh đầy đủ): cần nêu mục đích, được ghi nhật ký. The file is made for this"
        " download and not kept; accounts in it are masked.",
    )
    async def download(
        actor: Carrier,
        exchange_id: UUID,
        purpose: Purpose,
        form: Annotated[Literal["xlsx", "csv"], Query(description="xlsx or csv")] = "xlsx",
    ) -> Response:
        name, content = await exchanges.download(db, keyring, actor, exchange_id, form, purpose)
        return Response(content, media_type=_TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @router.post(
        "/exchanges/{exchange_id}/answers",
        status_code=202,
        summary="Send back a list with the police's answers",
        description="Nạp tệp công an đã trả lời (CSV hoặc XLSX). Rows are read one by one: those that cannot be read are named, the others"
        " wait for another person's approval. The same bytes again change nothing.",
    )
    async def answers(
        actor: Carrier, exchange_id: UUID, file: Annotated[UploadFile, File(description="The list, answered: CSV (UTF-8) or XLSX")]
    ) -> AnswersView:
        content = await file.read()
        return AnswersView.model_validate(
            await exchanges.take_answers(db, keyring, actor, exchange_id, file.filename or "answers.xlsx", content)
        )


def _add_answers(router: APIRouter, db: Database) -> None:
    @router.get("/answers/{answer_id}", summary="A file of answers", description="Một tệp trả lời và các dòng không đọc được. One file.")
    async def one(actor: Officer, answer_id: UUID) -> AnswersView:
        return AnswersView.model_validate(await exchanges.one_answer(db, actor, answer_id))

    @router.post(
        "/answers/{answer_id}/approve",
        status_code=202,
        summary="Approve answers, so that they are recorded",
        description="Duyệt tệp trả lời (khác người nạp). Not by the person who sent the file; a job records them.",
    )
    async def approve(actor: Approver, answer_id: UUID) -> AnswersView:
        return AnswersView.model_validate(await exchanges.approve(db, actor, answer_id, accept=True))

    @router.post(
        "/answers/{answer_id}/refuse",
        summary="Refuse answers",
        description="Từ chối tệp trả lời (khác người nạp). Nothing of it is recorded.",
    )
    async def refuse(actor: Approver, answer_id: UUID) -> AnswersView:
        return AnswersView.model_validate(await exchanges.approve(db, actor, answer_id, accept=False))
