"""Budgets: what a unit may spend in a year for a programme from a funding source."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from disbursement.domain.errors import BudgetExceeded, RulingOutOfStep, UnknownUnit
from disbursement.storage import budget, ledger, units
from disbursement.usecases.answers import BudgetView

__all__ = ["amount_now", "page", "set_budget"]


async def amount_now(
    tx: Tx, actor: Actor, *, programme: str, funding_source: str, unit_code: str, year: int, business_date: date
) -> int | None:
    """The year's amount as it stands, which a proposal would replace; None when there is no such budget yet."""
    path = await units.path_of(tx, unit_code, business_date)
    row = await budget.of_unit(tx, programme, funding_source, path, year) if path is not None and actor.sees(path) else None
    return row["amount"] if row else None


async def set_budget(
    tx: Tx,
    actor: Actor,
    *,
    programme: str,
    funding_source: str,
    unit_code: str,
    year: int,
    amount: int,
    business_date: date,
    replaces: int | None,
) -> BudgetView:
    """Set the year's amount (đồng), as two people settled; a revised estimate replaces it, never below what is reserved and spent.

    `replaces` is the amount that the proposal was made against (None: there was none).
    """
    path = await units.path_of(tx, unit_code, business_date)
    if path is None:
        raise UnknownUnit(f"{unit_code} on {business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    if not actor.sees(path):
        raise NotFound("No such unit in your scope")
    now = await budget.of_unit(tx, programme, funding_source, path, year)
    if (now["amount"] if now else None) != replaces:
        raise RulingOutOfStep("Somebody changed the amount since it was proposed", amount=now["amount"] if now else None)
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
    what = audit.Changed({"amount": now["amount"] if now else None}, {"amount": amount}, {"unit_path": path, "year": year})
    await audit.record(tx, "budget.set", "budget", row["budget_id"], what)
    return BudgetView.of(row)


async def page(db: Database, actor: Actor, after: UUID | None, limit: int) -> list[BudgetView]:
    """Budgets in the caller's scope."""
    scope, params = actor.scope_sql("t.unit_path")
    async with db.read(actor) as tx:
        return [BudgetView.of(row) for row in await budget.page(tx, scope, params, after, limit)]
