"""Payments, their timelines, a cycle's progress and closing, and totals to compare with a partner's books."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.contracts.disbursement_v1 import Channel, PaymentStatus
from common.db import Database
from common.problems import Forbidden, NotFound
from disbursement.domain.payment_errors import PaymentNotFound
from disbursement.domain.reasons import text_of
from disbursement.domain.story import told
from disbursement.storage import cycles, partner_totals, payments, stories, traces
from disbursement.usecases.close_cycle import close_cycle

__all__ = ["routers"]

_VIEWERS: Final = (
    Role.COMMUNE_OFFICER,
    Role.DISTRICT_OFFICER,
    Role.DEPARTMENT_OFFICER,
    Role.APPROVER,
    Role.AUDITOR,
    Role.INTEGRATOR,
    Role.OPERATOR,
)
Viewer = Annotated[Actor, Depends(require(*_VIEWERS))]
Closer = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR))]
_BOOKKEEPERS: Final = (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR, Role.INTEGRATOR, Role.PARTNER)
Totals = Annotated[Actor, Depends(require(*_BOOKKEEPERS))]
Cursor = Annotated[UUID | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows in a page")]

router = APIRouter(prefix="/v1", tags=["payments"])


class ReasonView(BaseModel):
    """A reason code with its texts, the role that must act, and what that role does next."""

    code: str
    text: str
    text_vi: str
    actor: str
    next_step: str
    next_step_vi: str


class PaymentView(BaseModel):
    """One payment. Account numbers are not shown; amounts are whole đồng."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "payment_id": "01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b11",
                "cycle_id": "01920e5c-0000-7000-8000-000000000001",
                "beneficiary_id": "5c1f6d1e-2d3a-5c55-8a1e-0a8c6e2f7d01",
                "status": "SETTLED",
                "reference": "01920E5C6C1D7A549C0E2F6F0D6A1B11001",
                "amount": 2055000,
                "month": "2024-09",
                "months": ["2024-09"],
                "channel": "BANK",
                "partner": "agribank",
            }
        }
    )

    payment_id: UUID
    cycle_id: UUID
    beneficiary_id: UUID
    payee_id: UUID
    payee_kind: str
    status: PaymentStatus
    attempt: int
    reference: str
    batch_reference: str
    amount: int
    month: str
    months: list[str]
    programme: str
    funding_source: str
    channel: Channel
    partner: str
    cash_reason: str | None
    reason: ReasonView | None
    partner_reference: str | None
    unit_code: str
    unit_path: str
    occurred_at: datetime
    version: int


class PaymentPage(BaseModel):
    """A page of payments; `next` is the cursor of the page after, null at the end."""

    items: list[PaymentView]
    next_cursor: UUID | None


class TimelineStep(BaseModel):
    """One state of a payment: who said so, on what ground."""

    version: int
    status: PaymentStatus
    reason: ReasonView | None
    partner_reference: str | None
    source: str = Field(description="LIST, GATE, CLAIM, ANSWER, NOTICE, INQUIRY or TAKE_OVER")
    source_id: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class StoryStep(BaseModel):
    """One thing that happened around a payment, in words. `ref`: batch, file, document, months; whatever identifies it."""

    at: datetime
    kind: str
    vi: str
    en: str
    by: str | None
    amount: int | None
    ref: str | None


class Timeline(BaseModel):
    """Every state a payment was in, oldest first; and its whole story."""

    payment: PaymentView
    steps: list[TimelineStep]
    story: list[StoryStep] = Field(
        description="List, approval, batch, states, ledger, statement lines, who was told, complaints, recovery: in the order of time"
    )
    traces: list[str] = Field(
        description="Mã vết: của chính khoản chi, rồi của việc lập danh sách, của thông tin, xác minh và tài khoản đã dẫn đến khoản chi;"
        " trống khi không ghi vết. Ids of traces: the payment's own, the list's, then those of what the registry, the verification and"
        " the accounts said that it was made from; empty where no traces are made"
    )


class ProgressRow(BaseModel):
    """Payments of one status and channel."""

    status: PaymentStatus
    channel: Channel
    payments: int
    amount: int


class Progress(BaseModel):
    """How far a cycle's payments are."""

    cycle_id: UUID
    state: str
    payments: int
    amount: int
    final: int
    rows: list[ProgressRow]


class PartnerTotals(BaseModel):
    """Our books with one partner."""

    partner: str
    by_status: list[ProgressRow]
    ledger_balance: int = Field(description="Net settled and not returned, from the ledger, in đồng")
    quarantined: int


class ClosedCycle(BaseModel):
    """A closed cycle."""

    cycle_id: UUID
    state: str
    version: int


_FINAL: Final = {"SETTLED", "COLLECTED", "FAILED", "RETURNED", "UNCOLLECTED", "CANCELLED"}


def _view(row: Any) -> PaymentView:
    return PaymentView.model_validate({**row, "reason": text_of(row["reason"])})


@router.get("/payments", summary="List payments", description="Danh sách khoản chi trả. Payments in the caller's units, by cursor.")
async def list_payments(
    request: Request,
    actor: Viewer,
    cycle_id: UUID | None = None,
    status: PaymentStatus | None = None,
    beneficiary_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PaymentPage:
    """A page of payments."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await payments.list_page(
            tx, actor, cycle_id=cycle_id, status=status, beneficiary_id=beneficiary_id, after=cursor, limit=limit + 1
        )
    items = [_view(row) for row in rows[:limit]]
    return PaymentPage(items=items, next_cursor=items[-1].payment_id if len(rows) > limit else None)


@router.get("/payments/{payment_id}", summary="One payment", description="Một khoản chi trả. 404 when it is not in the caller's units.")
async def one_payment(request: Request, actor: Viewer, payment_id: UUID) -> PaymentView:
    """One payment."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await payments.by_id(tx, actor, payment_id)
    if row is None:
        raise PaymentNotFound()
    return _view(row)


@router.get(
    "/payments/{payment_id}/timeline",
    summary="What happened to a payment",
    description="Diễn biến của một khoản chi trả: lập danh sách, duyệt, gửi, kết quả, ghi sổ, sao kê, báo tin, khiếu nại, truy thu. Every"
    " state with who said so, and the whole story in Vietnamese and English.",
)
async def payment_timeline(request: Request, actor: Viewer, payment_id: UUID) -> Timeline:
    """Every state of a payment."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await payments.by_id(tx, actor, payment_id)
        if row is None:
            raise PaymentNotFound()
        steps = await payments.timeline(tx, payment_id)
        facts = await stories.of_payment(tx, payment_id)
        led = await traces.of_payment(tx, payment_id)
    story = [StoryStep.model_validate({**fact, **dict(zip(("vi", "en"), told(fact["kind"], fact["code"]), strict=True))}) for fact in facts]
    views = [TimelineStep.model_validate({**step, "reason": text_of(step["reason"])}) for step in steps]
    return Timeline(payment=_view(row), steps=views, story=story, traces=led)


@router.get(
    "/cycles/{cycle_id}/progress",
    summary="How far a cycle's payments are",
    description="Tiến độ chi trả của kỳ. Counts and amounts by status and channel, in the caller's units.",
)
async def cycle_progress(request: Request, actor: Viewer, cycle_id: UUID) -> Progress:
    """Counts and amounts by status and channel."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        cycle = await cycles.by_id(tx, cycle_id)
        rows = [ProgressRow.model_validate(dict(row)) for row in await payments.progress(tx, actor, cycle_id)]
    if cycle is None or not (actor.sees(cycle["unit_path"]) or rows):
        raise NotFound("No such cycle")
    return Progress(
        cycle_id=cycle_id,
        state=cycle["state"],
        payments=sum(row.payments for row in rows),
        amount=sum(row.amount for row in rows),
        final=sum(row.payments for row in rows if row.status in _FINAL),
        rows=rows,
    )


@router.post(
    "/cycles/{cycle_id}/close",
    summary="Close a cycle",
    description="Đóng kỳ chi trả. Refused with 409 while a payment is open or a partner's word about it is in quarantine.",
)
async def close(request: Request, actor: Closer, cycle_id: UUID) -> ClosedCycle:
    """Close a cycle whose payments all ended."""
    return ClosedCycle.model_validate(await close_cycle(request.app.state.db, actor, cycle_id))


@router.get(
    "/partners/{partner}/totals",
    summary="Our books with a partner",
    description="Số liệu của hệ thống với một đơn vị chi trả, để đối chiếu. In the caller's units; a partner sees all of its own only.",
)
async def totals(request: Request, actor: Totals, partner: str) -> PartnerTotals:
    """Totals by status and channel, for comparison with the partner's books."""
    if actor.partner is not None and actor.partner != partner:
        raise NotFound("No such partner")
    if actor.partner is None and actor.has(Role.PARTNER):
        raise Forbidden("The token names no partner")
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        return PartnerTotals.model_validate({"partner": partner, **await partner_totals.partner_totals(tx, actor, partner)})


routers: tuple[APIRouter, ...] = (router,)
