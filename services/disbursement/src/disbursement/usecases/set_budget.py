"""Budgets: what a unit may spend in a year for a programme from a funding source."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from disbursement.domain.errors import BudgetExceeded, UnknownUnit
from disbursement.storage import budget, ledger, units
from disbursement.usecases.answers import BudgetView

__all__ = ["page", "set_budget"]


async def set_budget(
    tx: Tx, actor: Actor, *, programme: str, funding_source: str, unit_code: str, year: int, amount: int, business_date: date
) -> BudgetView:
    """Set the year's amount (đồng); a revised estimate replaces it, never below what is reserved and spent."""
    path = await units.path_of(tx, unit_code, business_date)
    if path is None:
        raise UnknownUnit(f"{unit_code} on {business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    row = await budget.allot(
        tx,
        budget_id=new_id(),
        programme=programme,
        funding_source=funding_source,
        unit_code=unit_code,
        unit_path=path,
        year=year,
        amount=amount,
    )
    if row is None:
        raise BudgetExceeded("Less than is already reserved and spent", errors=[{"field": "amount", "detail": "below what is in use"}])
    await ledger.allot(tx, row["movement_id"], row["added"], programme, funding_source, business_date)
    await audit.record(tx, "budget.set", "budget", row["budget_id"], {"unit_path": path, "year": year, "amount": amount})
    return BudgetView.of(row)


async def page(db: Database, actor: Actor, after: UUID | None, limit: int) -> list[BudgetView]:
    """Budgets in the caller's scope."""
    scope, params = actor.scope_sql("t.unit_path")
    async with db.read(actor) as tx:
        return [BudgetView.of(row) for row in await budget.page(tx, scope, params, after, limit)]
