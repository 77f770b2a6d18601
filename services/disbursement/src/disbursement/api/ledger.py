"""The ledger's trial balance."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from common import clock
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database
from common.problems import InvalidInput
from disbursement.domain.ledger import LedgerAccount
from disbursement.storage import ledger

__all__ = ["routers"]

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])
Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR, Role.INTEGRATOR))]


class BalanceRow(BaseModel):
    """One account's sums, in đồng."""

    account: LedgerAccount
    partner: str | None = Field(description="The payment partner; null for what concerns none (budgets, recovery)")
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


def _moment(at: str | None) -> datetime | None:
    """A moment, or the end of a day. Raises InvalidInput for neither, and for what has not come: nobody knows those books."""
    if at is None:
        return None
    try:
        day = date.fromisoformat(at) if len(at) == len("2024-09-10") else None
        moment = datetime.fromisoformat(at) if day is None else datetime.combine(day, time.max, tzinfo=clock.VIETNAM)
    except ValueError:
        raise _at_is("is neither a day nor a moment", "không phải là ngày hoặc thời điểm") from None
    if moment.tzinfo is None:
        raise _at_is("a moment needs its time zone, e.g. 2024-09-10T17:00:00+07:00", "thời điểm phải có múi giờ, ví dụ ...+07:00")
    if (day or moment.astimezone(clock.VIETNAM).date()) > clock.today() or (day is None and moment > clock.now()):
        raise _at_is("has not come yet", "chưa đến thời điểm này")
    return moment


def _at_is(what: str, what_vi: str) -> InvalidInput:
    return InvalidInput(errors=[{"field": "query.at", "detail": what, "detail_vi": what_vi}])


@router.get(
    "/trial-balance",
    summary="Trial balance",
    description="Bảng cân đối thử tại một thời điểm, theo kỳ, chương trình, nguồn kinh phí, đơn vị chi trả."
    " BUDGET = free, RESERVED = approved lists, IN_TRANSIT = with the partner and not known, SETTLED = with the people,"
    " UNCOLLECTED = waits for the next list, PREFUNDED = money at the partner. `at` shows the books as they stood at any past moment.",
)
async def trial_balance(
    request: Request,
    actor: Reader,
    cycle_id: Annotated[UUID | None, Query(description="Only this cycle")] = None,
    partner: Annotated[str | None, Query(description="Only this partner", examples=["agribank"])] = None,
    programme: Programme | None = None,
    funding_source: Annotated[str | None, Query(examples=["LOCAL_BUDGET"])] = None,
    at: Annotated[
        str | None,
        Query(max_length=40, description="As the books stood then: a day (its end in Việt Nam), or a moment with its time zone"),
    ] = None,
) -> TrialBalance:
    """Debits and credits per account, partner, programme and funding source."""
    db: Database = request.app.state.db
    moment = _moment(at)
    async with db.read(actor) as tx:
        found = await ledger.trial_balance(
            tx,
            cycle_id=cycle_id,
            partner=partner,
            programme=programme.value if programme else None,
            funding_source=funding_source,
            at=moment,
        )
    rows = [BalanceRow.model_validate({**row, "balance": row["debit"] - row["credit"]}) for row in found]
    debit, credit = sum(row.debit for row in rows), sum(row.credit for row in rows)
    return TrialBalance(rows=rows, debit=debit, credit=credit, balanced=debit == credit)


routers: tuple[APIRouter, ...] = (router,)
