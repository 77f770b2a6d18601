"""Dated budget codes for State Treasury files."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.periods import InOrder
from disbursement.api.common import Maker, ProvinceChecker, Reader, answered
from disbursement.storage import budget_codes
from disbursement.usecases import set_budget_codes

__all__ = ["routers"]

router = APIRouter(prefix="/v1/budget-codes", tags=["budgets"])


class CodesForm(InOrder):
    """Codes of the state budget's table of contents for one programme and funding source, from a day."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "programme": "SOCIAL_ASSISTANCE",
                "funding_source": "LOCAL_BUDGET",
                "valid_from": "2024-01-01",
                "level": "2",
                "chapter": "424",
                "category": "370",
                "item": "398",
                "legal_ref": "Thông tư 324/2016/TT-BTC; dự toán 2024 của Sở",
            }
        },
    )

    programme: str = Field(pattern=r"^[A-Z_]{3,40}$")
    funding_source: str = Field(pattern=r"^[A-Z_]{3,40}$")
    valid_from: date
    valid_to: date | None = None
    level: str = Field(pattern=r"^[0-9]{1,2}$", description="Mã cấp ngân sách")
    chapter: str = Field(pattern=r"^[0-9]{3}$", description="Mã chương")
    category: str = Field(pattern=r"^[0-9]{3}$", description="Mã loại")
    item: str = Field(pattern=r"^[0-9]{3}$", description="Mã khoản")
    economic_item: str | None = Field(default=None, pattern=r"^[0-9]{4}$", description="Mã nội dung kinh tế (tiểu mục)")
    source_code: str | None = Field(default=None, pattern=r"^[0-9]{2}$", description="Mã nguồn ngân sách")
    legal_ref: str = Field(min_length=5, max_length=300, description="The ground: circular, estimate, decision")


class CodesView(BaseModel):
    """Codes, who set them, and the question the law leaves open about them, if any."""

    code_id: UUID
    programme: str
    funding_source: str
    valid_from: date
    valid_to: date | None
    level: str
    chapter: str
    category: str
    item: str
    economic_item: str | None
    source_code: str | None
    legal_ref: str
    question_vi: str | None
    question_en: str | None
    state: str
    proposed_by: str
    decided_by: str | None


class CodesPage(BaseModel):
    """All codes: a few rows."""

    items: list[CodesView]


class CodesDecision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"approve": True}})

    approve: bool


@router.get("", summary="Budget codes", description="Mã nội dung ngân sách theo chương trình, có ngày hiệu lực. All, with open questions.")
async def listing(request: Request, actor: Reader) -> CodesPage:
    """All codes."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        return CodesPage(items=[CodesView.model_validate(dict(row)) for row in await budget_codes.listing(tx)])


@router.post(
    "",
    status_code=201,
    response_model=CodesView,
    summary="Propose budget codes",
    description="Đề xuất mã ngân sách của một chương trình từ một ngày, kèm căn cứ. A second person approves; not used before.",
)
async def propose(request: Request, actor: Maker, key: IdempotencyKey, body: CodesForm) -> Response:
    """The first person's word."""

    async def effect(tx: Tx) -> tuple[int, CodesView]:
        return 201, CodesView.model_validate(dict(await set_budget_codes.propose_codes(tx, actor, body.model_dump())))

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/budget-codes", await request.body(), effect))


@router.post(
    "/{code_id}/decision",
    summary="Decide budget codes",
    description="Duyệt hoặc từ chối mã ngân sách do người khác đề xuất. Approve or refuse codes that somebody else proposed.",
)
async def decide(request: Request, actor: ProvinceChecker, code_id: UUID, body: CodesDecision) -> CodesView:
    """The second person's word."""
    return CodesView.model_validate(dict(await set_budget_codes.decide_codes(request.app.state.db, actor, code_id, approve=body.approve)))


routers: tuple[APIRouter, ...] = (router,)
