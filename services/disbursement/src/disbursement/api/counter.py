"""The counter: somebody stands there and asks "where is my money?"."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from common.auth import Actor, Role, require
from common.db import Database
from common.letters import plain
from common.months import Month
from disbursement.domain.months import first_day
from disbursement.usecases.look_up import Wanted, at_the_counter

__all__ = ["routers"]

router = APIRouter(prefix="/v1/counter", tags=["counter"])
Officer = Annotated[
    Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR))
]


AsMeant = Annotated[str, BeforeValidator(lambda said: plain(said).strip() if isinstance(said, str) else said)]
"""Pasted from a list: full-width digits, accents behind their letters and characters nobody sees are no other person."""


class Search(BaseModel):
    """Whom to look for: one of dossier code, national number, or the beginning of a name (accents do not matter)."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True,
        json_schema_extra={"example": {"name": "nguyen thi ho", "birth_year": "1950", "month": "2024-09"}},
    )  # fmt: skip

    month: Month
    file_code: AsMeant | None = Field(default=None, min_length=2, max_length=60)
    number: AsMeant | None = Field(
        default=None, pattern=r"^[0-9]{12}$", description="In the body, so that it stands in no log of addresses"
    )
    name: AsMeant | None = Field(default=None, min_length=2, max_length=100)
    birth_year: AsMeant | None = Field(default=None, pattern=r"^[0-9]{4}$")


class AnswerView(BaseModel):
    """Why it is as it is, what is to be done, and who does it."""

    code: str
    vi: str
    en: str
    act_vi: str
    act_en: str
    actor: str | None


class DueView(BaseModel):
    """One programme in the month asked about; đồng."""

    programme: str
    funding_source: str
    due: int
    paid: int
    committed: int = Field(description="On a list or on its way")
    owed_earlier: int = Field(description="Still owed of earlier months: failed, returned or not collected")
    answer: AnswerView


class PaymentRow(BaseModel):
    """One payment; `telling`: how far the person was told of it."""

    payment_id: UUID
    status: str
    amount: int
    month: str
    months: list[str]
    programme: str
    channel: str
    partner: str
    reason: dict[str, Any] | None
    cash_reason: str | None
    occurred_at: datetime
    attempt: int
    complaint_open: bool
    telling: str | None


class PersonView(BaseModel):
    """A person and the state of their money. Account numbers are masked; the national number is not known here."""

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    birth_year: str | None
    unit_code: str
    unit_path: str
    status: str
    method: str | None = Field(description="ACCOUNT, CASH_POST, CASH_HOME; null: not chosen, paid in cash by post")
    method_reason: str | None
    other_payee: bool | None
    payee_name: str | None
    provider_code: str | None
    masked_number: str | None
    account_status: str | None
    due: list[DueView]
    payments: list[PaymentRow]


class Found(BaseModel):
    """People found, at most 20: narrow the search when there are more."""

    month: str
    people: list[PersonView]


@router.post(
    "",
    summary="Where is my money?",
    description="Tra cứu tại quầy theo mã hồ sơ, số định danh hoặc họ tên không dấu: khoản phải chi trong tháng, hình thức nhận, các khoản"
    " đã chi, lý do chưa chi và việc cần làm. A search, hence POST without effect on money; audited, number masked.",
)
async def look_up(request: Request, actor: Officer, form: Search) -> Found:
    """Find people in the caller's units."""
    db: Database = request.app.state.db
    wanted = Wanted(form.file_code, form.number, form.name, form.birth_year)
    people = await at_the_counter(db, actor, wanted, first_day(form.month))
    return Found(month=form.month, people=[PersonView.model_validate({**person, "due": person["months_lines"]}) for person in people])


routers: tuple[APIRouter, ...] = (router,)
