"""Routes of the calendar: statutory dates, what was done, what is late and whose it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from common.months import Month
from disbursement.api.common import Cursor, Limit, Reader, next_cursor
from disbursement.domain.months import first_day
from disbursement.usecases import view_calendar

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["calendar"])
_On = Annotated[date, Query(description="Business date on which lateness is judged", examples=["2024-08-20"])]


class DutyView(BaseModel):
    """A statutory date."""

    code: str
    vi: str
    en: str
    legal_ref: str
    due: date = Field(description="The last working day before the day the law names")
    done: date | None = Field(description="When it was done; null: not done, or (MONTH_REPORTED) not recorded here")
    late: bool | None = Field(description="Null where it is not known here")
    owner: str = Field(description="Whose it is: AUTHORITY or PAYMENT_ORGANISATION")
    waiting_for: list[str] = Field(description="Partners that have not settled yet")


class SendingView(BaseModel):
    """What went to one partner, and whose lateness it is where something is late."""

    partner: str
    batches: int
    not_sent: int = Field(description="Lô còn chờ gửi. Batches that wait to be sent")
    after_cut_off: int = Field(description="Lô gửi sau giờ chốt: do cơ quan. Batches that went after the partner's cut-off: the office's")
    first_value_date: date | None = Field(description="The day the partner is to pay the first batches on")
    last_value_date: date | None
    paid_late: int = Field(description="Payments made after their value date: the partner's")
    unanswered: int = Field(description="Payments without a result after their value date: the partner's")
    late_by: list[str] = Field(description="Chậm do ai. AUTHORITY (the office), PAYMENT_ORGANISATION (the partner), both or nobody")


class CycleCalendar(BaseModel):
    """One cycle and its statutory dates."""

    cycle_id: UUID
    month: Month
    programme: str
    funding_source: str
    unit_path: str
    kind: str
    sequence: int
    state: str
    duties: list[DutyView]
    sendings: list[SendingView] = Field(description="Đã gửi cho từng đơn vị chi trả, với ngày giá trị. By partner, with their value dates")


class DayOff(BaseModel):
    """A day that is not worked; without a name a Saturday, a Sunday or a day two people settled here."""

    day: date
    name_vi: str | None
    legal_ref: str | None


class CutOffTime(BaseModel):
    """Latest time of a working day; `partner` null: everybody without a time of their own."""

    partner: str | None
    time: str


class MonthCalendar(BaseModel):
    """A month."""

    month: Month
    days_off_known: bool = Field(description="False: days off of a year concerned are not loaded, only Saturdays and Sundays count")
    days_off: list[DayOff]
    working_days: int
    partner_cut_off: list[CutOffTime]
    duties: list[DutyView] = Field(description="The statutory dates of a main list of this month")
    cycles: list[CycleCalendar]
    next_cursor: str | None


@router.get(
    "/calendar",
    summary="Statutory dates of a month",
    description=(
        "Lịch chi trả của tháng: ngày phải xong theo luật (trước ngày 25, ngày 20, ngày 5), ngày nghỉ, giờ chốt của đơn vị chi trả, kỳ nào "
        "chậm và do ai. What is due when, on working days; which cycles are late and whose it is."
    ),
)
async def month(
    request: Request,
    actor: Reader,
    month: Annotated[Month, Query(examples=["2024-09"])],
    on: _On,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> MonthCalendar:
    """A month's calendar."""
    found = await view_calendar.of_month(request.app.state.db, actor, first_day(month), on, after=cursor, limit=limit)
    return MonthCalendar(**found, next_cursor=next_cursor([cycle["cycle_id"] for cycle in found["cycles"]], limit))


@router.get(
    "/cycles/{cycle_id}/calendar",
    summary="Statutory dates of one cycle",
    description="Ngày phải xong, ngày đã xong, có chậm không và do ai. Due dates, done dates, late or not, and whose it is.",
)
async def one(request: Request, cycle_id: UUID, actor: Reader, on: _On) -> CycleCalendar:
    """A cycle's calendar."""
    return CycleCalendar(**await view_calendar.of_cycle(request.app.state.db, actor, cycle_id, on))
