"""Investigation (tra soát) and recall (thu hồi) of payments at their partners."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from common import paper
from common.auth import Actor, Role, require
from common.db import Database
from common.problems import InvalidInput, NotFound
from common.streams import StreamingResponse
from disbursement.api.case_paper import case_letter
from disbursement.api.common import Limit
from disbursement.domain.cases import TEXTS, CaseAction, CaseKind, CaseOutcome, CaseState
from disbursement.storage import cases
from disbursement.usecases import run_cases

__all__ = ["routers"]

router = APIRouter(prefix="/v1", tags=["payment cases"])
Viewer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Worker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseForm(_Form):
    """What is asked of the partner, and why."""

    kind: CaseKind = Field(description="INVESTIGATION: what became of it; RECALL: give back what was credited")
    reason: str = Field(min_length=5, max_length=1000, examples=["Người hưởng báo chưa nhận được tiền"])
    business_date: date = Field(examples=["2024-09-10"])


class LetterForm(_Form):
    """The letter that went out."""

    number: str = Field(min_length=1, max_length=100, examples=["214/SLĐTBXH-BTXH"])
    dated: date = Field(examples=["2024-09-10"])
    due_on: date = Field(description="The partner is to answer by this day", examples=["2024-09-17"])


class ReminderForm(_Form):
    """The partner was reminded."""

    due_on: date
    note: str = Field(min_length=5, max_length=1000)


class AnswerForm(_Form):
    """What the partner wrote."""

    number: str = Field(min_length=1, max_length=100, description="Number of its letter", examples=["311/NHNo-KT"])
    answered_on: date
    answer: str = Field(min_length=5, max_length=2000)


class CloseForm(_Form):
    """What the case found. PAID, NOT_PAID and RETURNED need our books to say so first: by the partner's word or by two people."""

    outcome: CaseOutcome
    note: str = Field(min_length=5, max_length=1000)


class NoteForm(_Form):
    """Why."""

    note: str = Field(min_length=5, max_length=1000)


class CaseView(BaseModel):
    """A case. `overdue`: the answer was due before the business date asked for."""

    case_id: UUID
    payment_id: UUID
    kind: CaseKind
    partner: str
    reference: str
    amount: int
    payment_status: str
    reason: str
    state: CaseState
    opened_by: str
    opened_on: date
    letter_number: str | None
    letter_date: date | None
    due_on: date | None
    reminders: int
    answer: str | None
    answer_number: str | None
    answered_on: date | None
    outcome: CaseOutcome | None
    outcome_text: str | None
    outcome_text_vi: str | None
    closed_by: str | None
    closed_at: datetime | None
    version: int


class Step(BaseModel):
    """One step of a case."""

    version: int
    action: str
    state: CaseState
    note: str | None
    actor: str
    taken_at: datetime


class CaseDetail(CaseView):
    """A case with every step."""

    steps: list[Step]


class CasePage(BaseModel):
    """Cases, oldest first."""

    items: list[CaseView]
    next_cursor: UUID | None


def _fields(row: Any) -> dict[str, Any]:
    vi, en = TEXTS[CaseOutcome(row["outcome"])] if row["outcome"] else (None, None)
    return {**row, "outcome_text_vi": vi, "outcome_text": en}


def _view(row: Any) -> CaseView:
    return CaseView.model_validate(_fields(row))


@router.post(
    "/payments/{payment_id}/cases",
    status_code=201,
    summary="Open an investigation or a recall",
    description="Lập hồ sơ tra soát hoặc thu hồi. One living case of a kind for a payment; it changes no payment by itself.",
)
async def open_case(request: Request, actor: Worker, payment_id: UUID, body: CaseForm) -> CaseView:
    """Open a case."""
    return _view(await run_cases.open_case(request.app.state.db, actor, payment_id, body.kind, body.reason, body.business_date))


@router.get(
    "/payment-cases",
    summary="Investigations and recalls",
    description="Hồ sơ tra soát, thu hồi, cũ nhất trước. Tracing and recall cases, the oldest first; `overdue_on` lists"
    " those whose answer was due before that day.",
)
async def listing(
    request: Request,
    actor: Viewer,
    kind: CaseKind | None = None,
    state: CaseState | None = None,
    partner: Annotated[str | None, Query(max_length=40)] = None,
    payment_id: UUID | None = None,
    overdue_on: date | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> CasePage:
    """A page of cases."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await cases.page(
            tx, actor, kind=kind, state=state, partner=partner, payment_id=payment_id, overdue_on=overdue_on, after=cursor, limit=limit + 1
        )
    items = [_view(row) for row in rows[:limit]]
    return CasePage(items=items, next_cursor=items[-1].case_id if len(rows) > limit else None)


@router.get("/payment-cases/{case_id}", summary="One case", description="Một hồ sơ và các bước xử lý. With every step.")
async def one(request: Request, actor: Viewer, case_id: UUID) -> CaseDetail:
    """A case with its steps."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await cases.find(tx, actor, case_id)
        if row is None:
            raise NotFound("No such case")
        steps = await cases.steps(tx, case_id)
    return CaseDetail.model_validate({**_fields(row), "steps": [dict(step) for step in steps]})


@router.post(
    "/payment-cases/{case_id}/letter",
    summary="The letter went out",
    description="Ghi số, ngày công văn và hạn trả lời; in bằng GET cùng địa chỉ. From now on the case can be overdue.",
)
async def send(request: Request, actor: Worker, case_id: UUID, body: LetterForm) -> CaseView:
    """Record the letter."""
    if body.due_on < body.dated:
        raise InvalidInput("The answer is due before the letter", errors=[{"field": "due_on", "detail": "not before `dated`"}])
    values = {"letter_number": body.number, "letter_date": body.dated, "due_on": body.due_on}
    return _view(await run_cases.take_step(request.app.state.db, actor, case_id, CaseAction.SEND, body.number, values))


@router.get(
    "/payment-cases/{case_id}/letter",
    summary="The letter to print",
    description="In công văn tra soát hoặc thu hồi: quốc hiệu, số tiền bằng chữ, chữ ký. HTML to print.",
    response_class=StreamingResponse,
)
async def letter(request: Request, actor: Viewer, case_id: UUID) -> StreamingResponse:
    """The letter as a page to print."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await cases.find(tx, actor, case_id)
    if row is None:
        raise NotFound("No such case")
    return paper.answer(case_letter(dict(row)))


@router.post(
    "/payment-cases/{case_id}/reminders",
    summary="The partner was reminded",
    description="Ghi nhắc trả lời và hạn mới. The deadline moves to `due_on`.",
)
async def remind(request: Request, actor: Worker, case_id: UUID, body: ReminderForm) -> CaseView:
    """Record a reminder."""
    return _view(await run_cases.take_step(request.app.state.db, actor, case_id, CaseAction.REMIND, body.note, {"due_on": body.due_on}))


@router.post(
    "/payment-cases/{case_id}/answer",
    summary="The partner answered",
    description="Ghi trả lời của đơn vị chi trả. Then close the case, or propose a result with its `case_id`.",
)
async def answer(request: Request, actor: Worker, case_id: UUID, body: AnswerForm) -> CaseView:
    """Record the partner's answer."""
    values = {"answer": body.answer, "answer_number": body.number, "answered_on": body.answered_on}
    return _view(await run_cases.take_step(request.app.state.db, actor, case_id, CaseAction.ANSWER, body.number, values))


@router.post(
    "/payment-cases/{case_id}/close",
    summary="End a case",
    description="Kết thúc hồ sơ. PAID, NOT_PAID and RETURNED are refused until our books say so (partner's word, or two people).",
)
async def close(request: Request, actor: Worker, case_id: UUID, body: CloseForm) -> CaseView:
    """End a case."""
    return _view(await run_cases.close_case(request.app.state.db, actor, case_id, body.outcome, body.note))


@router.post("/payment-cases/{case_id}/cancel", summary="Withdraw a case", description="Hủy hồ sơ lập nhầm. With the reason.")
async def cancel(request: Request, actor: Worker, case_id: UUID, body: NoteForm) -> CaseView:
    """Withdraw a case."""
    return _view(await run_cases.take_step(request.app.state.db, actor, case_id, CaseAction.CANCEL, body.note, {}))


routers: tuple[APIRouter, ...] = (router,)
