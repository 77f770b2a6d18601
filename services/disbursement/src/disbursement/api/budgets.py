"""Routes of budgets."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Cursor, Limit, Maker, Reader, answered, next_cursor
from disbursement.api.forms import BudgetForm, BudgetPage
from disbursement.domain.rulings import RulingKind
from disbursement.usecases import rule, set_budget
from disbursement.usecases.answers import RulingView

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/budgets`."""
    router = APIRouter(prefix="/v1/budgets", tags=["budgets"])

    @router.post(
        "",
        status_code=201,
        response_model=RulingView,
        summary="Propose a year's budget",
        description=(
            "Đề xuất giao hoặc điều chỉnh dự toán năm theo chương trình, nguồn và đơn vị; người thứ hai duyệt tại /v1/rulings. A revised "
            "amount replaces the earlier one once a second person approves it (`POST /v1/rulings/{ruling_id}/approve`)."
        ),
    )
    async def put(form: BudgetForm, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            now = await set_budget.amount_now(
                tx, actor, programme=form.programme.value, funding_source=form.funding_source, unit_code=form.unit_code, year=form.year,
                business_date=form.business_date,
            )  # fmt: skip
            proposal = rule.Proposal(
                RulingKind.BUDGET,
                f"{form.programme.value} {form.funding_source} {form.unit_code} {form.year}",
                form.business_date,
                form.business_date,
                {
                    "funding_source": form.funding_source,
                    "unit_code": form.unit_code,
                    "year": form.year,
                    "amount": form.amount,
                    "replaces": now,
                },
                unit_code=form.unit_code,
                programme=form.programme.value,
            )
            return 201, RulingView.of(await rule.propose(tx, actor, proposal))

        return answered(await idempotency.run(db, actor, key, "POST /v1/budgets", await request.body(), effect))

    @router.get(
        "", summary="Budgets", description="Dự toán, đã giữ chỗ và đã chi. Budgets in your units with what is reserved, spent and left."
    )
    async def page(actor: Reader, cursor: Cursor = None, limit: Limit = 100) -> BudgetPage:
        items = await set_budget.page(db, actor, cursor, limit)
        return BudgetPage(items=items, next_cursor=next_cursor([item.budget_id for item in items], limit))

    return router
