"""Routes of budgets."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from disbursement.api.common import Cursor, Limit, Maker, Reader, answered, next_cursor
from disbursement.api.forms import BudgetForm, BudgetPage
from disbursement.usecases import set_budget
from disbursement.usecases.answers import BudgetView

__all__ = ["make_router"]


def make_router(db: Database) -> APIRouter:
    """`/v1/budgets`."""
    router = APIRouter(prefix="/v1/budgets", tags=["budgets"])

    @router.post(
        "",
        status_code=201,
        response_model=BudgetView,
        summary="Set a year's budget",
        description="Giao dự toán năm theo chương trình, nguồn và đơn vị. A revised amount replaces the earlier one.",
    )
    async def put(form: BudgetForm, request: Request, actor: Maker, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            return 201, await set_budget.set_budget(
                tx,
                actor,
                programme=form.programme.value,
                funding_source=form.funding_source,
                unit_code=form.unit_code,
                year=form.year,
                amount=form.amount,
                business_date=form.business_date,
            )

        return answered(await idempotency.run(db, actor, key, "POST /v1/budgets", await request.body(), effect))

    @router.get(
        "", summary="Budgets", description="Dự toán, đã giữ chỗ và đã chi. Budgets in your units with what is reserved, spent and left."
    )
    async def page(actor: Reader, cursor: Cursor = None, limit: Limit = 100) -> BudgetPage:
        items = await set_budget.page(db, actor, cursor, limit)
        return BudgetPage(items=items, next_cursor=next_cursor([item.budget_id for item in items], limit))

    return router
