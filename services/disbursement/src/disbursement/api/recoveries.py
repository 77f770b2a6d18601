"""Recovery cases: what was paid beyond what is due, and what came back."""

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
from disbursement.domain.recovery import RecoveryState
from disbursement.storage import recoveries
from disbursement.usecases import recover

__all__ = ["routers"]

router = APIRouter(prefix="/v1/recoveries", tags=["recoveries"])
Maker = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
Checker = Annotated[Actor, Depends(require(Role.APPROVER, Role.DEPARTMENT_OFFICER))]


class RecoveryView(BaseModel):
    """One case. `left` is still owed."""

    recovery_id: UUID
    beneficiary_id: UUID
    full_name: str | None
    file_code: str | None
    programme: str
    funding_source: str
    amount: int
    recovered: int
    left: int
    months: list[str]
    state: RecoveryState
    opened_on: date
    unit_code: str
    unit_path: str
    version: int


class ItemView(BaseModel):
    """A month of a benefit line: paid more than is due, or given back."""

    benefit_line: str
    month: str
    paid: int
    due: int
    repaid: int = Field(description="Of it, what came back through this case: where the month is due again it is payable again")


class StepView(BaseModel):
    """What was done, by whom."""

    version: int
    action: str
    state: RecoveryState
    amount: int
    recovered: int
    note: str | None
    actor: str
    at: datetime


class RepaymentView(BaseModel):
    """Money that came back."""

    repayment_id: UUID
    amount: int
    document_number: str
    document_date: date
    state: str
    proposed_by: str
    decided_by: str | None


class RecoveryDetail(RecoveryView):
    """A case with its months, steps and repayments."""

    items: list[ItemView]
    steps: list[StepView]
    repayments: list[RepaymentView]


class RecoveryPage(BaseModel):
    """Cases, oldest first."""

    items: list[RecoveryView]
    next_cursor: UUID | None


class SummaryRow(BaseModel):
    """Cases opened in the year, of one programme, funding source and state."""

    programme: str
    funding_source: str
    state: RecoveryState
    cases: int
    amount: int
    recovered: int


class Summary(BaseModel):
    """For the yearly settlement (Circular 44/2022/TT-BTC Art. 15)."""

    year: int
    rows: list[SummaryRow]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Note(_Form):
    """Why, in words."""

    note: str = Field(min_length=5, max_length=1000, examples=["Đã gửi thông báo 15/TB-UBND"])
    business_date: date = Field(examples=["2024-10-02"])


class WaiverDecision(Note):
    """The second person's word on a waiver."""

    approve: bool


class RepaymentForm(_Form):
    """Money that came back, with its paper."""

    amount: int = Field(gt=0, le=10**12, description="đồng", examples=[500_000])
    document_number: str = Field(min_length=1, max_length=100, examples=["GNT 0081"])
    document_date: date = Field(examples=["2024-10-10"])


class RepaymentDecision(_Form):
    """The second person's word on a repayment."""

    approve: bool
    business_date: date = Field(examples=["2024-10-10"])


def _view(row: Any) -> dict[str, Any]:
    left = max(0, row["amount"] - row["recovered"])
    return {**row, "left": left, "months": [f"{month:%Y-%m}" for month in row["months"]]}


async def _detail(tx: Tx, actor: Actor, recovery_id: UUID) -> RecoveryDetail:
    row = await recoveries.find(tx, actor, recovery_id)
    if row is None:
        raise NotFound("No such recovery case")
    found = await recoveries.items(tx, recovery_id)
    return RecoveryDetail.model_validate(
        {
            **_view(row),
            "items": [{**item, "month": f"{item['month']:%Y-%m}"} for item in found],
            "steps": [dict(step) for step in await recoveries.steps(tx, recovery_id)],
            "repayments": [dict(item) for item in await recoveries.repayments(tx, recovery_id)],
        }
    )


@router.get(
    "", summary="Recovery cases", description="Hồ sơ truy thu trong phạm vi của bạn. What was paid beyond what is due; never netted."
)
async def listing(
    request: Request, actor: Reader, state: RecoveryState | None = None, cursor: Cursor = None, limit: Limit = 50
) -> RecoveryPage:
    """A page of cases."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await recoveries.page(tx, actor, state=state.value if state else None, after=cursor, limit=limit + 1)
    items = [RecoveryView.model_validate(_view(row)) for row in rows[:limit]]
    return RecoveryPage(items=items, next_cursor=items[-1].recovery_id if len(rows) > limit else None)


@router.get(
    "/summary", summary="Recovery in a year", description="Tổng hợp truy thu trong năm, cho quyết toán. By programme, source, state."
)
async def summary(request: Request, actor: Reader, year: Annotated[int, Query(ge=2000, le=2200, examples=[2024])]) -> Summary:
    """Sums for the yearly settlement."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await recoveries.summary(tx, actor, year)
    return Summary(year=year, rows=[SummaryRow.model_validate(dict(row)) for row in rows])


@router.get(
    "/{recovery_id}",
    summary="One case",
    description="Một hồ sơ truy thu: từng tháng, diễn biến, tiền đã thu. One recovery: month by month, what happened, and what came back.",
)
async def one(request: Request, actor: Reader, recovery_id: UUID) -> RecoveryDetail:
    """One case with its months and steps."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        return await _detail(tx, actor, recovery_id)


@router.post(
    "/{recovery_id}/notice",
    summary="The person was told",
    description="Đã thông báo cho người phải hoàn trả. Records that the person who has to give back was told.",
)
async def notify(request: Request, actor: Maker, recovery_id: UUID, body: Note) -> RecoveryDetail:
    """Note that the person knows."""
    db: Database = request.app.state.db
    await recover.notify(db, actor, recovery_id, body.note, body.business_date)
    async with db.read(actor) as tx:
        return await _detail(tx, actor, recovery_id)


@router.post(
    "/{recovery_id}/waiver",
    summary="Propose a waiver",
    description="Đề nghị miễn thu; người thứ hai quyết định. That it need not be given back; a second person decides.",
)
async def propose_waiver(request: Request, actor: Maker, recovery_id: UUID, body: Note) -> RecoveryDetail:
    """Propose that what is left be waived."""
    db: Database = request.app.state.db
    await recover.propose_waiver(db, actor, recovery_id, body.note, body.business_date)
    async with db.read(actor) as tx:
        return await _detail(tx, actor, recovery_id)


@router.post(
    "/{recovery_id}/waiver/decision",
    summary="Decide a waiver",
    description="Quyết định miễn thu hoặc tiếp tục thu. A second person waives it, or lets it go on.",
)
async def decide_waiver(request: Request, actor: Checker, recovery_id: UUID, body: WaiverDecision) -> RecoveryDetail:
    """The second person's word."""
    db: Database = request.app.state.db
    await recover.decide_waiver(db, actor, recovery_id, body.note, body.business_date, approve=body.approve)
    async with db.read(actor) as tx:
        return await _detail(tx, actor, recovery_id)


@router.post(
    "/{recovery_id}/repayments",
    status_code=201,
    response_model=RepaymentView,
    summary="Money came back",
    description="Ghi nhận tiền hoàn trả kèm chứng từ; người thứ hai xác nhận thì mới tính. Counts once a second person confirms.",
)
async def repay(request: Request, actor: Maker, key: IdempotencyKey, recovery_id: UUID, body: RepaymentForm) -> Response:
    """Propose a repayment."""

    async def effect(tx: Tx) -> tuple[int, RepaymentView]:
        row = await recover.propose_repayment(tx, actor, recovery_id, body.amount, body.document_number, body.document_date)
        return 201, RepaymentView.model_validate(dict(row))

    route = f"POST /v1/recoveries/{recovery_id}/repayments"
    return answered(await idempotency.run(request.app.state.db, actor, key, route, await request.body(), effect))


@router.post(
    "/{recovery_id}/repayments/{repayment_id}/decision",
    summary="Confirm a repayment",
    description="Người thứ hai xác nhận tiền hoàn trả. A second person confirms that the money came back.",
)
async def decide_repayment(
    request: Request, actor: Checker, recovery_id: UUID, repayment_id: UUID, body: RepaymentDecision
) -> RecoveryDetail:
    """The second person's word."""
    db: Database = request.app.state.db
    await recover.decide_repayment(db, actor, recovery_id, repayment_id, body.business_date, approve=body.approve)
    async with db.read(actor) as tx:
        return await _detail(tx, actor, recovery_id)


routers: tuple[APIRouter, ...] = (router,)
