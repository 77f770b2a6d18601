"""Partners' statements and the differences they show."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.clock import today
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from disbursement.api.common import Limit, answered
from disbursement.api.webhooks import partners_of
from disbursement.domain.reconciliation import TEXTS, BreakState, LineVerdict, Resolution
from disbursement.storage import reconciliation, statements
from disbursement.usecases import resolve_break
from disbursement.usecases.receive_statement import Sent, receive_signed, receive_upload

__all__ = ["BODY_LIMITS", "routers"]

BODY_LIMITS: Final = {"/v1/statements": 40 * 1024 * 1024}
"""Bytes: a statement of 100,000 lines as CSV is about 12 MB."""

router = APIRouter(prefix="/v1", tags=["statements"])
_BOOKKEEPERS: Final = (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR)
Reader = Annotated[Actor, Depends(require(*_BOOKKEEPERS))]
Uploader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.OPERATOR))]
Proposer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Confirmer = Annotated[Actor, Depends(require(Role.APPROVER, Role.DEPARTMENT_OFFICER, of_a_province=True))]


class StatementView(BaseModel):
    """A statement. Its lines are read by the job; `verdicts` tells what came of them."""

    statement_id: UUID
    job_id: UUID
    partner: str
    source: str = Field(description="SIGNED by the partner, or UPLOAD by the person named")
    form: str | None
    message_id: str | None
    file_name: str
    from_date: date | None
    to_date: date | None
    opening: int | None = Field(description="Balance before, in đồng, where the file tells it")
    closing: int | None
    state: str
    refusal: str | None
    lines: int
    received_by: str
    received_at: datetime


class VerdictRow(BaseModel):
    """Lines of one verdict and direction, and their đồng."""

    verdict: LineVerdict | None
    text_vi: str | None
    text: str | None
    direction: str | None
    lines: int
    amount: int


class StatementDetail(StatementView):
    """A statement with what came of its lines."""

    verdicts: list[VerdictRow]


class StatementPage(BaseModel):
    """Statements, newest first."""

    items: list[StatementView]
    next_cursor: UUID | None


class LineView(BaseModel):
    """One line of a statement. OUT left the paying account, IN came back."""

    line_no: int
    booked_on: date
    amount: int
    currency: str
    direction: str
    reference: str | None
    partner_reference: str | None
    payment_id: UUID | None
    batch_id: UUID | None
    verdict: LineVerdict | None


class LinePage(BaseModel):
    """Lines in order of the file."""

    items: list[LineView]
    next_cursor: int | None


class BreakView(BaseModel):
    """A difference between a statement and our books."""

    break_id: UUID
    statement_id: UUID
    line_no: int | None
    payment_id: UUID | None
    partner: str
    kind: LineVerdict
    text_vi: str
    text: str
    reference: str | None
    ours: int | None = Field(description="đồng in our books")
    theirs: int | None = Field(description="đồng in the statement")
    booked_on: date | None = Field(description="The line's day; null for what no statement tells of")
    direction: str | None = Field(description="OUT: a debit of the partner's, IN: a credit")
    currency: str | None
    partner_reference: str | None = Field(description="The partner's own number of the booking, by which it is found in its books")
    opened_on: date
    age_days: int
    state: BreakState
    resolution: Resolution | None
    payment_status: str | None
    waiting: int = Field(
        description="Payments we hold unpaid that it books as paid (alone, or a batch under its reference): their months are not paid"
        " before it ends"
    )
    beyond_due: int | None = Field(
        description="What the months of a payment held dead would hold beyond what is due if it ends PAID: a recovery case follows"
    )
    note: str | None
    evidence: str | None
    proposed_by: str | None
    decided_by: str | None


class BreakPage(BaseModel):
    """Differences, oldest first."""

    items: list[BreakView]
    next_cursor: UUID | None


class AgeRow(BaseModel):
    """Differences of one partner, kind and age that have not ended."""

    partner: str
    kind: LineVerdict
    age: str = Field(description="Days: 0-3, 4-7, 8-30, 31+")
    breaks: int
    amount: int = Field(description="đồng in question: where the amount differs, by how much; else the whole line")


class Ageing(BaseModel):
    """How old the open differences are."""

    business_date: date
    rows: list[AgeRow]


class Proposal(BaseModel):
    """How the difference ends. PAID, COLLECTED, FAILED and RETURNED change the payment when a second person confirms.

    Where months wait for it, it ends with what became of the money: PAID (COLLECTED for cash), NOT_PAID or PARTNER_RETURNS.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "resolution": "PARTNER_RETURNS",
                "note": "Booked twice; money back on 12/9",
                "evidence": "CV 214/NHNo ngày 10/9/2024",
            }
        },
    )

    resolution: Resolution
    note: str = Field(min_length=5, max_length=1000)
    evidence: str = Field(min_length=5, max_length=1000, description="The paper or file that shows it")
    business_date: date


class Decision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"confirm": True, "note": "Seen the letter", "business_date": "2024-09-12"}}
    )

    confirm: bool
    note: str = Field(min_length=5, max_length=1000)
    business_date: date


def _break(row: dict[str, object], business_date: date) -> BreakView:
    opened = row["opened_on"]
    age = (business_date - opened).days if isinstance(opened, date) else 0
    text_vi, text = TEXTS[LineVerdict(str(row["kind"]))]
    return BreakView.model_validate({**row, "age_days": max(0, age), "text_vi": text_vi, "text": text})


@router.post(
    "/statements",
    status_code=202,
    response_model=StatementView,
    summary="Upload a partner's statement",
    description="Nộp sao kê của đơn vị chi trả (CSV, XLSX, camt.053). The file is kept as it came with who brought it, and a job"
    " compares it with our books: matched, missing, extra, amount differs, duplicate, reversed. The same file again is the same statement.",
)
async def upload(
    request: Request,
    actor: Uploader,
    key: IdempotencyKey,
    file: Annotated[UploadFile, File(description="The statement as the partner gave it")],
    partner: Annotated[str, Form(examples=["agribank"], max_length=40)],
    business_date: Annotated[date, Form(examples=["2024-09-10"])],
    from_date: Annotated[date | None, Form(description="First day it covers; else the file's, else its first booking")] = None,
    to_date: Annotated[date | None, Form(description="Last day it covers")] = None,
) -> Response:
    """Take a statement from a signed-in person."""
    state = request.app.state
    content = await file.read()
    sent = Sent(partner, file.filename or "statement", content, business_date, from_date, to_date)

    async def effect(tx: Tx) -> tuple[int, StatementView]:
        row, _ = await receive_upload(tx, state.db.keyring, partners_of(request), sent)
        return 202, StatementView.model_validate(dict(row))

    about = f"{partner}|{business_date}|{from_date}|{to_date}|".encode()
    return answered(await idempotency.run(state.db, actor, key, "POST /v1/statements", about + content, effect))


@router.post(
    "/webhooks/partners/{partner}/statements",
    status_code=202,
    summary="A partner's signed statement",
    description="Sao kê do đơn vị chi trả gửi, ký theo Standard Webhooks trên nguyên văn. The raw body is the file; its signature is the"
    " partner's, never anonymous. The same bytes again have no further effect.",
)
async def signed(
    request: Request,
    partner: str,
    file_name: Annotated[str, Query(max_length=200, examples=["camt053-20240910.xml"])] = "statement",
    from_date: date | None = None,
    to_date: date | None = None,
) -> StatementView:
    """Take a statement over its signature."""
    state = request.app.state
    sent = Sent(partner, file_name, await request.body(), today(state.settings), from_date, to_date)
    row, _ = await receive_signed(state.db, state.db.keyring, partners_of(request), request.headers, sent)
    return StatementView.model_validate(dict(row))


@router.get(
    "/statements",
    summary="Statements",
    description="Các sao kê đã nhận, mới nhất trước. Those of partners that pay in the caller's units alone, and the caller's own uploads.",
)
async def listing(
    request: Request,
    actor: Reader,
    partner: Annotated[str | None, Query(max_length=40)] = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> StatementPage:
    """A page of statements."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await statements.page(tx, actor, partner=partner, after=cursor, limit=limit + 1)
    items = [StatementView.model_validate(dict(row)) for row in rows[:limit]]
    return StatementPage(items=items, next_cursor=items[-1].statement_id if len(rows) > limit else None)


@router.get(
    "/statements/{statement_id}",
    summary="One statement",
    description="Một sao kê và kết quả đối chiếu từng loại. One statement, and how its lines compare, kind by kind.",
)
async def one(request: Request, actor: Reader, statement_id: UUID) -> StatementDetail:
    """A statement and the verdicts on its lines."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await statements.by_id(tx, actor, statement_id)
        if row is None:
            raise NotFound("No such statement")
        found = await reconciliation.verdicts(tx, statement_id)
    texts = {verdict: {"text_vi": vi, "text": en} for verdict, (vi, en) in TEXTS.items()}
    nothing = {"text_vi": None, "text": None}
    return StatementDetail.model_validate({**row, "verdicts": [{**item, **texts.get(item["verdict"], nothing)} for item in found]})


@router.get(
    "/statements/{statement_id}/lines",
    summary="Lines of a statement",
    description="Từng dòng sao kê và kết quả đối chiếu. The lines of a statement, each with what it was compared to.",
)
async def lines(
    request: Request, actor: Reader, statement_id: UUID, verdict: LineVerdict | None = None, cursor: int = 0, limit: Limit = 100
) -> LinePage:
    """A page of lines."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        if await statements.by_id(tx, actor, statement_id) is None:
            raise NotFound("No such statement")
        rows = await statements.lines_page(tx, statement_id, verdict=verdict.value if verdict else None, after=cursor, limit=limit + 1)
    items = [LineView.model_validate(dict(row)) for row in rows[:limit]]
    return LinePage(items=items, next_cursor=items[-1].line_no if len(rows) > limit else None)


@router.get(
    "/breaks",
    summary="Differences to work off",
    description="Chênh lệch cần xử lý, cũ nhất trước; mỗi chênh lệch do hai người xử lý. `age_days` counts from the day it was found.",
)
async def breaks(
    request: Request,
    actor: Reader,
    business_date: Annotated[date, Query(examples=["2024-09-12"])],
    partner: Annotated[str | None, Query(max_length=40)] = None,
    state: BreakState | None = None,
    kind: LineVerdict | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> BreakPage:
    """A page of differences."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await statements.breaks_page(
            tx,
            actor,
            partner=partner,
            state=state.value if state else None,
            kind=kind.value if kind else None,
            after=cursor,
            limit=limit + 1,
        )
    items = [_break(dict(row), business_date) for row in rows[:limit]]
    return BreakPage(items=items, next_cursor=items[-1].break_id if len(rows) > limit else None)


@router.get(
    "/breaks/ageing",
    summary="How old the differences are",
    description="Tuổi của chênh lệch theo đơn vị chi trả và loại. How long differences have been open, by partner and kind.",
)
async def ageing(request: Request, actor: Reader, business_date: Annotated[date, Query(examples=["2024-09-12"])]) -> Ageing:
    """Open differences by partner, kind and age."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await statements.ageing(tx, actor, business_date)
    return Ageing(business_date=business_date, rows=[AgeRow.model_validate(dict(row)) for row in rows])


@router.post(
    "/breaks/{break_id}/resolution",
    summary="Propose how a difference ends",
    description="Đề xuất cách xử lý chênh lệch, kèm chứng cứ. A second person confirms; until then nothing changes. Of a payment that we"
    " hold unpaid (failed, returned, not collected, withdrawn), PAID says that the bank did pay it (it is booked as paid, its months stay"
    " closed), NOT_PAID that it did not (its months may be paid again).",
)
async def propose(request: Request, actor: Proposer, break_id: UUID, body: Proposal) -> BreakView:
    """The first person's word."""
    db: Database = request.app.state.db
    row = await resolve_break.propose(db, actor, break_id, body.resolution, body.note, body.evidence)
    return _break(dict(row), body.business_date)


@router.post(
    "/breaks/{break_id}/resolution/decision",
    summary="Confirm or refuse the proposal",
    description="Người thứ hai xác nhận hoặc từ chối. PAID, COLLECTED, FAILED and RETURNED then change the payment like a partner's"
    " word; of one that we held dead it is a correction (also of a whole batch booked as one debit).",
)
async def decide(request: Request, actor: Confirmer, break_id: UUID, body: Decision) -> BreakView:
    """The second person's word."""
    db: Database = request.app.state.db
    row = await resolve_break.decide(db, actor, break_id, confirm=body.confirm, note=body.note)
    return _break(dict(row), body.business_date)


routers: tuple[APIRouter, ...] = (router,)
