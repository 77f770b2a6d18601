"""Complaints about payments: "I did not get it"."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from disbursement.api.common import Cursor, Limit, Reader, answered
from disbursement.domain.complaint import LIVING, OUTCOME_TEXTS, ComplaintKind, ComplaintOutcome, ComplaintState, Informant
from disbursement.settings import Settings
from disbursement.storage import complaints
from disbursement.usecases import complain

__all__ = ["make_router"]

Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
Decider = Annotated[Actor, Depends(require(Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER))]
_NOTE = Field(min_length=5, max_length=1000, description="What was said or found, in words")


class ComplaintView(BaseModel):
    """One complaint. `overdue`: not ended on the day asked about, after its deadline."""

    complaint_id: UUID
    payment_id: UUID
    beneficiary_id: UUID
    full_name: str | None
    file_code: str | None
    kind: ComplaintKind
    told_by: Informant
    note: str
    state: ComplaintState
    opened_on: date
    due_on: date
    overdue: bool
    investigation: str | None
    outcome: ComplaintOutcome | None
    outcome_vi: str | None
    outcome_en: str | None
    evidence: str | None
    proposed_by: str | None
    decided_by: str | None
    closed_on: date | None
    unit_code: str
    unit_path: str
    opened_by: str
    version: int


class StepView(BaseModel):
    """What was done, by whom."""

    version: int
    action: str
    state: ComplaintState
    note: str
    actor: str
    at: datetime


class ComplaintDetail(ComplaintView):
    """A complaint with its steps."""

    steps: list[StepView]


class ComplaintPage(BaseModel):
    """A page of complaints."""

    items: list[ComplaintView]
    next_cursor: UUID | None


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ComplaintForm(_Form):
    """What the person says."""

    kind: ComplaintKind
    told_by: Informant
    note: str = _NOTE
    business_date: date = Field(examples=["2024-09-12"])


class InvestigationForm(_Form):
    """What is being done to find out."""

    note: str = _NOTE
    investigation: str | None = Field(
        default=None, max_length=100, description="Number or id of the tracing request (tra soát) to the partner", examples=["TS-2024-0031"]
    )


class OutcomeForm(_Form):
    """What was found."""

    outcome: ComplaintOutcome
    note: str = _NOTE
    evidence: str = Field(min_length=5, max_length=1000, description="The paper or file that shows it")


class DecisionForm(_Form):
    """The second person's word."""

    confirm: bool
    note: str = _NOTE
    business_date: date = Field(examples=["2024-09-20"])


class WithdrawalForm(_Form):
    """Why the person takes it back."""

    note: str = _NOTE
    business_date: date = Field(examples=["2024-09-14"])


def _view(row: Any, day: date | None = None) -> dict[str, Any]:
    texts = OUTCOME_TEXTS[ComplaintOutcome(row["outcome"])] if row["outcome"] else (None, None)
    overdue = day is not None and row["state"] in LIVING and row["due_on"] < day
    return {**row, "outcome_vi": texts[0], "outcome_en": texts[1], "overdue": overdue}


async def _detail(tx: Tx, actor: Actor, complaint_id: UUID) -> ComplaintDetail:
    row = await complaints.find(tx, actor, complaint_id)
    if row is None:
        raise NotFound("No such complaint")
    return ComplaintDetail.model_validate({**_view(row), "steps": [dict(step) for step in await complaints.steps(tx, complaint_id)]})


async def _seen(db: Database, actor: Actor, complaint_id: UUID) -> ComplaintDetail:
    async with db.read(actor) as tx:
        return await _detail(tx, actor, complaint_id)


def make_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/payments/{payment_id}/complaints` and `/v1/complaints`."""
    router = APIRouter(prefix="/v1", tags=["complaints"])

    @router.post(
        "/payments/{payment_id}/complaints",
        status_code=201,
        response_model=ComplaintDetail,
        summary="I did not get it",
        description="Người hưởng báo chưa nhận được tiền (hoặc nhận thiếu, bị người khác lấy). Opens a case with a deadline.",
    )
    async def open_one(request: Request, actor: Officer, payment_id: UUID, form: ComplaintForm, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            complaint_id = await complain.open_complaint(
                tx, actor, payment_id, kind=form.kind, told_by=form.told_by, note=form.note, business_date=form.business_date,
                days=settings.complaint_days,
            )  # fmt: skip
            return 201, await _detail(tx, actor, complaint_id)

        route = f"POST /v1/payments/{payment_id}/complaints"
        return answered(await idempotency.run(db, actor, key, route, await request.body(), effect))

    @router.get(
        "/complaints",
        summary="Complaints",
        description="Khiếu nại về khoản chi trong phạm vi của bạn, cũ nhất trước. `overdue=true`: past the deadline on the business date.",
    )
    async def listing(
        actor: Reader,
        business_date: Annotated[date, Query(examples=["2024-09-20"])],
        state: ComplaintState | None = None,
        payment_id: UUID | None = None,
        *,
        overdue: bool = False,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ComplaintPage:
        filters = {"state": state, "payment_id": payment_id}
        async with db.read(actor) as tx:
            rows = await complaints.page(tx, actor, filters, overdue_on=business_date if overdue else None, after=cursor, limit=limit + 1)
        items = [ComplaintView.model_validate(_view(row, business_date)) for row in rows[:limit]]
        return ComplaintPage(items=items, next_cursor=items[-1].complaint_id if len(rows) > limit else None)

    @router.get("/complaints/{complaint_id}", summary="One complaint", description="Một khiếu nại và từng bước giải quyết. With its steps.")
    async def one(actor: Reader, complaint_id: UUID) -> ComplaintDetail:
        return await _seen(db, actor, complaint_id)

    _steps(router, db)
    return router


def _steps(router: APIRouter, db: Database) -> None:
    """What people do to a complaint."""

    @router.post(
        "/complaints/{complaint_id}/investigation",
        summary="Look into it",
        description="Xác minh: ghi việc đã làm và số yêu cầu tra soát. May be repeated; each word is kept.",
    )
    async def investigate(actor: Officer, complaint_id: UUID, form: InvestigationForm) -> ComplaintDetail:
        await complain.investigate(db, actor, complaint_id, form.note, form.investigation)
        return await _seen(db, actor, complaint_id)

    @router.post(
        "/complaints/{complaint_id}/outcome",
        summary="Propose the outcome",
        description="Đề xuất kết luận kèm chứng cứ. A second person confirms; an outcome moves no money by itself.",
    )
    async def propose(actor: Officer, complaint_id: UUID, form: OutcomeForm) -> ComplaintDetail:
        await complain.propose(db, actor, complaint_id, form.outcome, form.note, form.evidence)
        return await _seen(db, actor, complaint_id)

    @router.post(
        "/complaints/{complaint_id}/outcome/decision",
        summary="Confirm or refuse the outcome",
        description="Người thứ hai xác nhận hoặc trả lại kết luận. Refused: back to investigation.",
    )
    async def decide(actor: Decider, complaint_id: UUID, form: DecisionForm) -> ComplaintDetail:
        await complain.decide(db, actor, complaint_id, form.note, form.business_date, confirm=form.confirm)
        return await _seen(db, actor, complaint_id)

    @router.post(
        "/complaints/{complaint_id}/withdrawal", summary="Take it back", description="Người hưởng rút khiếu nại. Only before an outcome."
    )
    async def withdraw(actor: Officer, complaint_id: UUID, form: WithdrawalForm) -> ComplaintDetail:
        await complain.withdraw(db, actor, complaint_id, form.note, form.business_date)
        return await _seen(db, actor, complaint_id)
