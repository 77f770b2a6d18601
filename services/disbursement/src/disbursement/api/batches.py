"""Batches, and what people do with those that travel as files."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, paper
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.purposes import Purpose
from common.streams import StreamingResponse
from disbursement.api.common import Limit, answered
from disbursement.api.payment_order import payment_order
from disbursement.api.webhooks import partners_of
from disbursement.domain.file_errors import PayerNotSet
from disbursement.storage import batch_files, notices
from disbursement.usecases import handle_files

__all__ = ["BODY_LIMITS", "routers"]

BODY_LIMITS: Final = {"/v1/batches": 8 * 1024 * 1024}
"""Bytes: the acknowledgement of a file of 1,000 payments is about 1 MB."""

_TYPES: Final = {
    "xml": "application/xml",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
router = APIRouter(prefix="/v1/batches", tags=["batches"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Carrier = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]
Confirmer = Annotated[Actor, Depends(require(Role.APPROVER, Role.DEPARTMENT_OFFICER))]


class BatchView(BaseModel):
    """One batch. UNCERTAIN: handed over, and nobody has said what becomes of it."""

    batch_id: UUID
    cycle_id: UUID
    partner: str
    programme: str
    funding_source: str
    number: int
    reference: str = Field(description="The partner's idempotency key; of a file its message id")
    state: str = Field(description="READY, SENDING, UNCERTAIN, RESEND, SENT or WITHDRAWN")
    payments: int
    amount: int
    sends: int = Field(description="How often it went out, or was made ready for a person")
    file_name: str | None = Field(description="Unset: it goes to an API")
    sha256: str | None = Field(description="Fingerprint of the stored bytes")
    last_error: str | None
    created_at: datetime
    answered_at: datetime | None
    value_date: date | None = Field(description="Ngày giá trị. The day the partner is to pay on; null until it is sent")
    after_cut_off: bool = Field(description="Gửi sau giờ chốt. It went after the partner's cut-off")


class FileStep(BaseModel):
    """What was done with the file."""

    kind: str = Field(description="READY, UPLOADED, DOWNLOADED, UPLOAD_ASKED or ACKNOWLEDGED")
    actor: str
    at: datetime
    note: str | None
    sha256: str


class BroughtAnswer(BaseModel):
    """An unsigned answer to the file, as a person brought it."""

    notice_id: UUID
    state: str = Field(description="RECEIVED (being read), WAITING (for a second person), APPLIED or REFUSED")
    results: int | None = Field(description="How many results it holds, once read")
    received_at: datetime
    brought_by: str
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None


class AnswerDecision(BaseModel):
    """The second person's word about an unsigned answer that declares payments dead."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "notice_id": "01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b11",
                "confirm": True,
                "note": "Đã đối chiếu với bản gốc của ngân hàng",
            }
        },
    )

    notice_id: UUID
    confirm: bool
    note: str = Field(min_length=5, max_length=1000)


class BatchDetail(BatchView):
    """A batch, what its file carries (withdrawn payments left out), and who did what with it."""

    business_date: date
    sent_payments: int
    sent_amount: int
    steps: list[FileStep]
    answers: list[BroughtAnswer] = Field(description="Unsigned answers that people brought, oldest first")


class BatchPage(BaseModel):
    """Batches in order of their ids."""

    items: list[BatchView]
    next_cursor: UUID | None


class UploadAgain(BaseModel):
    """Why the same file goes again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "Ngân hàng báo chưa nhận được tệp, biên bản làm việc 12/9/2024"}}
    )

    reason: str = Field(min_length=10, max_length=500)


@router.get("", summary="Batches", description="Các lô chi trả, theo kỳ, đối tác và trạng thái. Batches of the caller's cycles, by cursor.")
async def listing(
    request: Request,
    actor: Reader,
    cycle_id: UUID | None = None,
    partner: Annotated[str | None, Query(max_length=40, examples=["agribank"])] = None,
    state: Annotated[str | None, Query(max_length=20, examples=["UNCERTAIN"])] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> BatchPage:
    """A page of batches."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await batch_files.page(tx, actor, cycle_id=cycle_id, partner=partner, state=state, after=cursor, limit=limit + 1)
    items = [BatchView.model_validate(dict(row)) for row in rows[:limit]]
    return BatchPage(items=items, next_cursor=items[-1].batch_id if len(rows) > limit else None)


@router.get(
    "/{batch_id}", summary="One batch", description="Một lô chi trả và ai đã làm gì với tệp của lô. 404 outside the caller's units."
)
async def one(request: Request, actor: Reader, batch_id: UUID) -> BatchDetail:
    """A batch with its steps."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        return await _detail(tx, actor, batch_id)


async def _detail(tx: Tx, actor: Actor, batch_id: UUID) -> BatchDetail:
    row = await handle_files.found(tx, actor, batch_id, file=False)
    steps = [dict(step) for step in await batch_files.steps(tx, batch_id)]
    answers = [dict(answer) for answer in await notices.brought(tx, batch_id)]
    return BatchDetail.model_validate({**row, "steps": steps, "answers": answers})


@router.get(
    "/{batch_id}/file",
    response_class=Response,
    summary="Take a batch's file out",
    description="Tải tệp của lô để nộp cho ngân hàng không có API; nêu mục đích, có ghi nhật ký. The exact bytes stored before anything"
    " left; they hold whole account numbers. Its payments wait as UNKNOWN for the bank's acknowledgement or statement.",
)
async def file(
    request: Request,
    actor: Carrier,
    batch_id: UUID,
    purpose: Purpose,
) -> Response:
    """The file."""
    state = request.app.state
    name, content = await handle_files.take_file(state.db, actor, state.db.keyring, batch_id, purpose)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=_TYPES[name.rsplit(".", 1)[-1]], headers=headers)


@router.get(
    "/{batch_id}/payment-order",
    response_class=StreamingResponse,
    summary="The payment order as a paper",
    description="Ủy nhiệm chi để in và ký: số tiền bằng chữ, dấu vân tay của tệp. 409 until the file is made and our account configured.",
)
async def order(request: Request, actor: Reader, batch_id: UUID) -> StreamingResponse:
    """The paper to sign."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await handle_files.found(tx, actor, batch_id)
    known = partners_of(request).get(row["partner"])
    if known is None or known.payer is None:
        raise PayerNotSet()
    return paper.answer(payment_order(dict(row), known.payer))


@router.post(
    "/{batch_id}/upload",
    response_model=BatchDetail,
    summary="Upload the same file again",
    description="Gửi lại đúng tệp cũ, cùng mã tệp; chỉ con người quyết định. Same bytes, same message id: a bank takes a message id once.",
)
async def upload(request: Request, actor: Carrier, key: IdempotencyKey, batch_id: UUID, body: UploadAgain) -> Response:
    """A person's decision; the worker then uploads."""

    async def effect(tx: Tx) -> tuple[int, BatchDetail]:
        await handle_files.upload_again(tx, actor, partners_of(request), batch_id, body.reason)
        return 200, await _detail(tx, actor, batch_id)

    db: Database = request.app.state.db
    return answered(await idempotency.run(db, actor, key, f"POST /v1/batches/{batch_id}/upload", await request.body(), effect))


@router.post(
    "/{batch_id}/acknowledgement",
    status_code=202,
    response_model=BatchDetail,
    summary="Bring the bank's answer to a file",
    description="Nộp tệp xác nhận của ngân hàng (pain.002 hoặc tệp kết quả). Read by the worker like a signed notice: what is not ours or"
    " not understood goes to quarantine, the rest is applied. Nobody signed it: where it declares a payment failed, returned or not"
    " collected it waits (`answers`) for a second person. The same bytes again have no further effect.",
)
async def acknowledgement(
    request: Request,
    actor: Carrier,
    key: IdempotencyKey,
    batch_id: UUID,
    file: Annotated[UploadFile, File(description="As the bank gave it")],
) -> Response:
    """Store what a person brought."""
    content, name = await file.read(), file.filename or "acknowledgement"
    db: Database = request.app.state.db
    keyring = request.app.state.db.keyring

    async def effect(tx: Tx) -> tuple[int, BatchDetail]:
        await handle_files.bring_acknowledgement(tx, actor, keyring, batch_id, name, content)
        return 202, await _detail(tx, actor, batch_id)

    return answered(await idempotency.run(db, actor, key, f"POST /v1/batches/{batch_id}/acknowledgement", content, effect))


@router.post(
    "/{batch_id}/acknowledgement/decision",
    summary="Confirm or refuse an unsigned answer",
    description="Người thứ hai xác nhận hoặc bác tệp trả lời không có chữ ký số mà báo khoản chi không thành. Confirmed: the worker applies"
    " it like a notice. Refused: it counts for nothing.",
)
async def decide(request: Request, actor: Confirmer, batch_id: UUID, body: AnswerDecision) -> BatchDetail:
    """The second person's word."""
    db: Database = request.app.state.db
    await handle_files.decide_acknowledgement(db, actor, batch_id, body.notice_id, body.note, confirm=body.confirm)
    async with db.read(actor) as tx:
        return await _detail(tx, actor, batch_id)


routers: tuple[APIRouter, ...] = (router,)
