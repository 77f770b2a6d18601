"""The ledger's trial balance."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from common.auth import Actor, Role, require
from common.db import Database
from disbursement.storage import ledger

__all__ = ["routers"]

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR, Role.INTEGRATOR))]


class BalanceRow(BaseModel):
    """One account's sums, in đồng."""

    account: str
    partner: str
    programme: str
    funding_source: str
    debit: int
    credit: int
    balance: int = Field(description="debit − credit")


class TrialBalance(BaseModel):
    """All accounts; `debit` equals `credit`, always."""

    rows: list[BalanceRow]
    debit: int
    credit: int
    balanced: bool


@router.get(
    "/trial-balance",
    summary="Trial balance",
    description="Bảng cân đối thử. EXPENDITURE = bound or spent, PAYABLE = open payments, PARTNER = paid out for us; of one cycle or all.",
)
async def trial_balance(
    request: Request, actor: Reader, cycle_id: Annotated[UUID | None, Query(description="Only this cycle")] = None
) -> TrialBalance:
    """Debits and credits per account, partner, programme and funding source."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        found = await ledger.trial_balance(tx, cycle_id)
    rows = [
        BalanceRow.model_validate(
            {**row, "debit": row["debit"] or 0, "credit": row["credit"] or 0, "balance": (row["debit"] or 0) - (row["credit"] or 0)}
        )
        for row in found
    ]
    debit, credit = sum(row.debit for row in rows), sum(row.credit for row in rows)
    return TrialBalance(rows=rows, debit=debit, credit=credit, balanced=debit == credit)


routers: tuple[APIRouter, ...] = (router,)
