"""Prefunding, fees and settlement statements with payment partners."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, paper
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.periods import InOrder
from common.problems import NotFound
from common.streams import StreamingResponse
from disbursement.api.common import Cursor, Limit, answered
from disbursement.api.settlement_paper import settlement_paper
from disbursement.storage import cycles, settlements
from disbursement.usecases import settle_partner

__all__ = ["routers"]

router = APIRouter(prefix="/v1", tags=["settlements"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
Maker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Checker = Annotated[Actor, Depends(require(Role.APPROVER, of_a_province=True))]
PartnerFilter = Annotated[str | None, Query(max_length=40, examples=["agribank"])]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FeeForm(InOrder, _Form):
    """A partner's fee on the sums it pays."""

    partner: str = Field(max_length=40, examples=["vnpost"])
    programme: Programme
    basis_points: int = Field(ge=0, le=1000, description="Hundredths of a percent of what is paid; 75 is 0.75 %", examples=[75])
    from_date: date = Field(examples=["2024-01-01"])
    to_date: date | None = None
    contract_number: str = Field(min_length=1, max_length=100, examples=["12/HĐ-LĐTBXH"])


class MovementForm(_Form):
    """Money that went to a partner, or came back, with its paper."""

    kind: Literal["PREFUND", "MONEY_BACK", "FEE_PAID"]
    cycle_id: UUID
    partner: str = Field(max_length=40, examples=["vnpost"])
    amount: int = Field(gt=0, le=10**15, description="đồng", examples=[12_000_000_000])
    document_number: str = Field(min_length=1, max_length=100, examples=["UNC 0457/2024"])
    document_date: date = Field(examples=["2024-08-23"])
    note: str | None = Field(default=None, max_length=1000)


class SettlementForm(_Form):
    """A cycle to be settled with a partner."""

    cycle_id: UUID
    partner: str = Field(max_length=40, examples=["vnpost"])
    number: str = Field(min_length=1, max_length=100, description="Number of the paper", examples=["09/2024/QT-VNPOST"])
    business_date: date = Field(examples=["2024-09-20"])


class Decision(_Form):
    """The second person's word."""

    approve: bool
    business_date: date = Field(examples=["2024-08-23"])


class FeeView(BaseModel):
    """A fee agreement."""

    fee_id: UUID
    partner: str
    programme: str
    basis_points: int
    from_date: date
    to_date: date | None
    contract_number: str
    state: str
    proposed_by: str
    decided_by: str | None


class MovementView(BaseModel):
    """A movement of money."""

    movement_id: UUID
    kind: str
    cycle_id: UUID
    partner: str
    programme: str
    funding_source: str
    amount: int
    document_number: str
    document_date: date
    note: str | None
    state: str
    proposed_by: str
    decided_by: str | None


class SettlementView(BaseModel):
    """What a partner did with a cycle. listed = paid + failed + returned + uncollected + withdrawn, in payments and in đồng."""

    settlement_id: UUID
    cycle_id: UUID
    partner: str
    programme: str
    funding_source: str
    number: str
    business_date: date
    listed_payments: int
    listed_amount: int
    paid_payments: int
    paid_amount: int
    failed_payments: int
    failed_amount: int
    returned_payments: int
    returned_amount: int
    uncollected_payments: int
    uncollected_amount: int
    withdrawn_payments: int
    withdrawn_amount: int
    prefunded: int
    to_be_returned: int = Field(description="Prefunded and not paid out")
    fee_basis_points: int
    fee: int = Field(description="On what was paid, borne by the agency")
    state: str
    proposed_by: str
    decided_by: str | None


class FeePage(BaseModel):
    """Fee agreements."""

    items: list[FeeView]
    next_cursor: UUID | None


class MovementPage(BaseModel):
    """Movements of money."""

    items: list[MovementView]
    next_cursor: UUID | None


class SettlementPage(BaseModel):
    """Settlement statements."""

    items: list[SettlementView]
    next_cursor: UUID | None


@router.post(
    "/fees",
    status_code=201,
    summary="Propose a partner's fee",
    description="Đề xuất mức phí chi trả; người thứ hai duyệt. What a partner is paid for paying; a second person approves.",
)
async def propose_fee(request: Request, actor: Maker, body: FeeForm) -> FeeView:
    """Propose a fee."""
    return FeeView.model_validate(dict(await settle_partner.propose_fee(request.app.state.db, actor, body.model_dump())))


@router.post(
    "/fees/{fee_id}/decision",
    summary="Decide a fee",
    description="Duyệt hoặc từ chối mức phí. Approve or refuse a fee that somebody else proposed.",
)
async def decide_fee(request: Request, actor: Checker, fee_id: UUID, body: Decision) -> FeeView:
    """Decide a fee."""
    return FeeView.model_validate(dict(await settle_partner.decide_fee(request.app.state.db, actor, fee_id, approve=body.approve)))


@router.get("/fees", summary="Fees", description="Mức phí đã thỏa thuận với các đơn vị chi trả. The fees agreed with the partners.")
async def fees(request: Request, actor: Reader, partner: PartnerFilter = None, cursor: Cursor = None, limit: Limit = 50) -> FeePage:
    """A page of fee agreements."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await settlements.page(tx, "fee_agreement", actor, partner=partner, cycle_id=None, after=cursor, limit=limit + 1)
    items = [FeeView.model_validate(dict(row)) for row in rows[:limit]]
    return FeePage(items=items, next_cursor=items[-1].fee_id if len(rows) > limit else None)


@router.post(
    "/money-movements",
    status_code=201,
    response_model=MovementView,
    summary="Propose a movement of money",
    description="Đề xuất chuyển kinh phí cho đơn vị chi trả (trước ngày 25), tiền hoàn trả, hoặc trả phí, kèm số chứng từ. A second person"
    " decides; only then the ledger moves.",
)
async def propose_movement(request: Request, actor: Maker, key: IdempotencyKey, body: MovementForm) -> Response:
    """Propose a movement."""

    async def effect(tx: Tx) -> tuple[int, MovementView]:
        return 201, MovementView.model_validate(dict(await settle_partner.propose_movement(tx, actor, body.model_dump())))

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/money-movements", await request.body(), effect))


@router.post(
    "/money-movements/{movement_id}/decision",
    summary="Decide a movement",
    description="Duyệt hoặc từ chối; duyệt thì ghi sổ. Approved, it is booked in the ledger.",
)
async def decide_movement(request: Request, actor: Checker, movement_id: UUID, body: Decision) -> MovementView:
    """Decide a movement."""
    row = await settle_partner.decide_movement(request.app.state.db, actor, movement_id, body.business_date, approve=body.approve)
    return MovementView.model_validate(dict(row))


@router.get(
    "/money-movements",
    summary="Movements of money",
    description="Các lần chuyển tiền với đơn vị chi trả. Money sent to partners, given back, and paid as fees.",
)
async def movements(
    request: Request, actor: Reader, partner: PartnerFilter = None, cycle_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 50
) -> MovementPage:
    """A page of movements."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await settlements.page(tx, "money_movement", actor, partner=partner, cycle_id=cycle_id, after=cursor, limit=limit + 1)
    items = [MovementView.model_validate(dict(row)) for row in rows[:limit]]
    return MovementPage(items=items, next_cursor=items[-1].movement_id if len(rows) > limit else None)


@router.post(
    "/settlements",
    status_code=201,
    response_model=SettlementView,
    summary="Propose a settlement statement",
    description="Lập quyết toán một kỳ với một đơn vị chi trả. 409 while payments, quarantined words or differences about it are open.",
)
async def propose_settlement(request: Request, actor: Maker, key: IdempotencyKey, body: SettlementForm) -> Response:
    """Propose a settlement."""

    async def effect(tx: Tx) -> tuple[int, SettlementView]:
        row = await settle_partner.propose_settlement(tx, actor, body.cycle_id, body.partner, body.number, body.business_date)
        return 201, SettlementView.model_validate(dict(row))

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/settlements", await request.body(), effect))


@router.post(
    "/settlements/{settlement_id}/decision",
    summary="Decide a settlement",
    description="Duyệt hoặc từ chối quyết toán. Approve or refuse a settlement that somebody else made.",
)
async def decide_settlement(request: Request, actor: Checker, settlement_id: UUID, body: Decision) -> SettlementView:
    """Decide a settlement."""
    row = await settle_partner.decide_settlement(request.app.state.db, actor, settlement_id, approve=body.approve)
    return SettlementView.model_validate(dict(row))


@router.get("/settlements", summary="Settlement statements", description="Các bản quyết toán. The settlements of cycles with partners.")
async def listing(
    request: Request, actor: Reader, partner: PartnerFilter = None, cycle_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 50
) -> SettlementPage:
    """A page of settlements."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await settlements.page(tx, "settlement", actor, partner=partner, cycle_id=cycle_id, after=cursor, limit=limit + 1)
    items = [SettlementView.model_validate(dict(row)) for row in rows[:limit]]
    return SettlementPage(items=items, next_cursor=items[-1].settlement_id if len(rows) > limit else None)


@router.get(
    "/settlements/{settlement_id}/paper",
    response_class=StreamingResponse,
    summary="The settlement as a paper",
    description="Bản quyết toán để in và ký: quốc hiệu, số tiền bằng chữ, chữ ký. A page to print.",
)
async def settlement_as_paper(request: Request, actor: Reader, settlement_id: UUID) -> StreamingResponse:
    """The paper to sign."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        row = await settlements.find(tx, "settlement", settlement_id)
        cycle = await cycles.by_id(tx, row["cycle_id"]) if row else None
    if row is None or cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such settlement")
    return paper.answer(settlement_paper(dict(row), cycle["month"]))


routers: tuple[APIRouter, ...] = (router,)
