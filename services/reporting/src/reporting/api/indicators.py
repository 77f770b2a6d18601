"""Indicator routes: the catalogue, and every figure by group, unit and period, as JSON, CSV or XLSX."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from common import sheets
from common.clock import today
from common.db import Database
from common.problems import InvalidInput
from reporting.api.parts import Reader, example, text
from reporting.api.schemas import Text
from reporting.domain.indicators import GROUPS, INDICATORS, Indicator, Kind, group_words
from reporting.domain.months import first_of
from reporting.domain.rates import MAX_DECIMALS
from reporting.domain.states import reason_words
from reporting.settings import Settings
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask, Measured, MeasuredRow
from reporting.usecases.reports import unit_for

__all__ = ["indicators_router"]

Form = Literal["json", "csv", "xlsx"]
_SHOWN: Final = (
    "beneficiaries", "collected_people", "wants_people", "declines_people", "force_majeure_people", "opened_people", "registered_people",
    "not_registered_people", "verified_people", "due_people", "listed_people", "paid_people", "by_account_people", "by_account_dong",
    "by_account_dong_year", "bank_people", "wallet_people", "mobile_money_people", "post_people", "home_people", "failed_people",
    "returned_people", "uncollected_people", "unknown_people", "held_people", "unpaid_people", "unpaid_at_end_people", "overdue_people",
    "no_number_or_not_in_database_people", "by_account_rate", "by_account_rate_without_fm", "registered_rate", "data_quality_rate",
)  # fmt: skip
"""What is answered when no codes are named: one readable table."""


class IndicatorAbout(BaseModel):
    """One indicator of the catalogue."""

    model_config = example(
        code="by_account_people", name={"vi": "Đã chi trả qua tài khoản (người)", "en": "Paid by account (people)"}, unit="PEOPLE",
        kind="MONTH", groups=["MERIT", "ALL"], target=None,
    )  # fmt: skip

    code: str
    name: Text
    unit: str = Field(description="PEOPLE, LINES (benefit lines), DONG, PERCENT or UNITS (communes)")
    kind: str = Field(description="STANDING (end of the period), MONTH (its lists), YEAR (year to date) or RATE")
    groups: list[str]
    target: int | None = Field(description="The value it should have, where a rule names one")


class HeldReason(BaseModel):
    """People held for one reason."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    reason_text: Text
    people: int
    lines: int
    dong: int


class IndicatorRow(BaseModel):
    """One group in one unit."""

    model_config = ConfigDict(extra="forbid")

    group: str
    group_text: Text
    unit_code: str
    unit_path: str
    unit_name: str | None
    is_total: bool
    values: dict[str, int | str] = Field(description="By code; rates are text: 27.8")
    held_for: list[HeldReason]
    first_account_month: str | None = Field(description="First month in which somebody there was paid by account")


class IndicatorAnswer(BaseModel):
    """The answer."""

    model_config = example(
        first="2024-09", last="2024-09", unit_path="60", units_on="2024-09-30",
        rows=[
            {
                "group": "MERIT", "group_text": {"vi": "Người có công với cách mạng", "en": "People with revolutionary merit"},
                "unit_code": "60", "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "is_total": True,
                "values": {"due_people": 9137, "by_account_people": 3728, "by_account_rate": "40.8"}, "held_for": [],
                "first_account_month": "2024-09",
            }
        ],
    )  # fmt: skip

    first: str
    last: str
    unit_path: str
    units_on: date
    rows: list[IndicatorRow]


_MONTH: Final = r"^[12]\d{3}-(0[1-9]|1[0-2])$"
Month = Annotated[str, Query(pattern=_MONTH, description="Tháng · the (first) month, YYYY-MM", examples=["2024-09"])]
Until = Annotated[str | None, Query(pattern=_MONTH, description="Đến hết tháng · the last month of a longer period", examples=["2024-09"])]
Unit = Annotated[str | None, Query(pattern=r"^[0-9]+(/[0-9]+)*$", max_length=40, description="Đơn vị · default: your only unit")]
Below = Annotated[
    Literal["NONE", "CHILDREN", "COMMUNES"], Query(description="Chi tiết theo · beside the total: nothing, units directly below, communes")
]
Codes = Annotated[list[str] | None, Query(max_length=len(INDICATORS), description="Mã chỉ tiêu · default: a readable choice")]
Groups = Annotated[list[str] | None, Query(max_length=len(GROUPS), description="Nhóm · MERIT, …, ALL (sum), EACH_ONCE; default: all")]


def _chosen(codes: Sequence[str] | None) -> list[Indicator]:
    for code in codes or ():
        if code not in INDICATORS:
            raise InvalidInput(errors=[{"field": "codes", "detail": f"{code}: see /v1/indicators/catalogue"}])
    return [INDICATORS[code] for code in codes or _SHOWN]


def indicators_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/indicators`."""
    router = APIRouter(prefix="/v1/indicators", tags=["indicators"])

    @router.get(
        "/catalogue",
        summary="All indicators and what each counts · Danh mục chỉ tiêu",
        description="Danh mục chỉ tiêu: mã, tên, đơn vị tính, nhóm áp dụng. Code, name, unit and groups of each; codes never"
        " change their meaning.",
    )
    async def catalogue(actor: Reader) -> list[IndicatorAbout]:
        return [
            IndicatorAbout(
                code=one.code, name=Text(vi=one.vi, en=one.en), unit=one.unit, kind=one.kind, groups=list(one.groups), target=one.target
            )
            for one in INDICATORS.values()
        ]

    @router.get(
        "",
        summary="Indicators by group, unit and period · Chỉ tiêu theo nhóm, đơn vị, kỳ",
        description=(
            "Chỉ tiêu theo nhóm × đơn vị × kỳ, lấy từ số tổng hợp. Counted apart, never mixed; rates half-up to one decimal as published, "
            "two on request. `units_on` names the units of another day. `form`: json, csv or xlsx."
        ),
        response_model=IndicatorAnswer,
        responses=sheets.RESPONSES,
    )
    async def indicators(
        actor: Reader,
        month: Month,
        until: Until = None,
        unit_path: Unit = None,
        below: Below = "CHILDREN",
        group: Groups = None,
        code: Codes = None,
        units_on: Annotated[date | None, Query(description="Cây đơn vị tại ngày · the tree of that day")] = None,
        business_date: Annotated[date | None, Query(description="Ngày hỏi · decides what is overdue; default: today")] = None,
        decimals: Annotated[int, Query(ge=0, le=MAX_DECIMALS)] = 1,
        form: Form = "json",
    ) -> Any:
        first = first_of(month)
        chosen = _chosen(code)
        ask = Ask(
            first=first, last=first_of(until) if until else first, unit_path=unit_for(actor, unit_path), below=below, units_on=units_on,
            as_of=business_date or today(settings), decimals=decimals, due_day=settings.payment_due_day,
            start_by=first_of(settings.account_start_month), codes=frozenset(code) if code else None,
        )  # fmt: skip
        found = await measure(db, actor, ask)
        rows = [row for row in found.rows if not group or row.group in group]
        if form == "json":
            return _answer(found, rows, chosen)
        return _file(form, found, rows, chosen)

    return router


def _figures(row: MeasuredRow, chosen: Sequence[Indicator]) -> dict[str, int | str]:
    return {one.code: row.rates[one.code] if one.kind is Kind.RATE else row.values[one.code] for one in chosen if row.group in one.groups}


def _month(day: date | None) -> str | None:
    return None if day is None else day.strftime("%Y-%m")


def _answer(found: Measured, rows: Sequence[MeasuredRow], chosen: Sequence[Indicator]) -> IndicatorAnswer:
    return IndicatorAnswer(
        first=found.first.strftime("%Y-%m"), last=found.last.strftime("%Y-%m"), unit_path=found.unit_path, units_on=found.units_on,
        rows=[
            IndicatorRow(
                group=row.group, group_text=text(group_words(row.group)), unit_code=row.unit_code, unit_path=row.unit_path,
                unit_name=row.unit_name, is_total=row.is_total, values=_figures(row, chosen),
                held_for=[
                    HeldReason(
                        reason=held.reason, reason_text=text(reason_words(held.reason)), people=held.people, lines=held.lines,
                        dong=held.dong,
                    )
                    for held in row.held_for
                ],
                first_account_month=_month(row.first_account_month),
            )
            for row in rows
        ],
    )  # fmt: skip


def _file(form: Literal["csv", "xlsx"], found: Measured, rows: Sequence[MeasuredRow], chosen: Sequence[Indicator]) -> Response:
    span = f"{found.first:%m/%Y}" + (f" – {found.last:%m/%Y}" if found.last != found.first else "")
    sheet = sheets.Sheet(
        header=["Mã đơn vị", "Đơn vị", "Nhóm", *(one.vi for one in chosen)],
        titles=(f"Chỉ tiêu tháng {span}", f"Đơn vị theo ngày {found.units_on:%d/%m/%Y}"),
        name="Chỉ tiêu",
    )

    async def lines() -> AsyncIterator[Sequence[sheets.Cell]]:
        for row in rows:
            figures = _figures(row, chosen)
            yield [row.unit_code, row.unit_name or row.unit_path, group_words(row.group).vi, *(figures.get(one.code) for one in chosen)]

    return sheets.download(form, f"indicators-{found.first:%Y-%m}-{found.unit_path.replace('/', '-')}", sheet, lines())
