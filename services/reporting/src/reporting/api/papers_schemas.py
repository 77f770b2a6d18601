"""What the routes of statutory reports take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from reporting.api.parts import Form, Short, UnitPath, example
from reporting.api.schemas import Text

__all__ = [
    "Addressed",
    "CalendarRow",
    "CalendarView",
    "ColumnView",
    "DueView",
    "FreezeForm",
    "FrozenPage",
    "FrozenView",
    "HandOverForm",
    "HandedOver",
    "LayoutView",
    "LayoutsView",
    "PreviewView",
    "RowView",
]  # fmt: skip

_COLUMN: Final[dict[str, Any]] = {
    "key": "10", "name": {"vi": "Đã trả qua tài khoản", "en": "Paid by account"}, "kind": "COUNT", "figure": "by_account_people",
}  # fmt: skip
_DUE: Final[dict[str, Any]] = {
    "who": "COMMUNE", "name": {"vi": "Cấp xã gửi Sở", "en": "Commune to the department"}, "months": 1, "day": 5, "before": True,
    "since": None, "until": None,
}  # fmt: skip
_TITLE: Final = {
    "vi": "Báo cáo kết quả chi trả trợ cấp hằng tháng không dùng tiền mặt",
    "en": "Monthly allowances paid without cash: progress",
}
_ROW: Final[dict[str, Any]] = {
    "programme": "MERIT", "unit_path": "60", "label": "Tỉnh Bình Thuận", "is_total": True, "cells": {"9": 9137, "10": 3728, "11": "40.8"},
}  # fmt: skip
_FROZEN: Final[dict[str, Any]] = {
    "report_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", "layout": "directive-21-monthly", "layout_version": 1, "title": _TITLE,
    "edition": 1, "period_first": "2024-09", "period_last": "2024-09", "period": {"vi": "Tháng 9 năm 2024", "en": "September 2024"},
    "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "units_on": "2024-09-30", "business_date": "2024-10-03", "log_seq": 183204,
    "frozen_at": "2024-10-03T02:11:09Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "row_count": 44, "frozen_by": "an.so", "addressees": [], "handed_over": [],
}  # fmt: skip
Month = Annotated[
    str, Field(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", description="First month of the period, YYYY-MM", examples=["2024-09"])
]


class ColumnView(BaseModel):
    """One column of a layout."""

    model_config = example(**_COLUMN)

    key: str
    name: Text
    kind: str = Field(description="COUNT, DONG or RATE")
    figure: str = Field(description="Code of the figure; of INDICATORS the code in the catalogue of indicators")
    share_bp: int | None = Field(default=None, description="The column is this many hundredths of a percent of the figure, half-up")


class DueView(BaseModel):
    """One due day as a rule."""

    model_config = example(**_DUE)

    who: str
    name: Text
    months: int = Field(description="Months after the period's last month")
    day: int
    before: bool = Field(description="Before that day; false: on it at the latest")
    since: date | None
    until: date | None


class BasisView(BaseModel):
    """What a report rests on."""

    vi: str
    en: str
    read: bool = Field(description="False: known from texts that cite it, the text itself was not seen")


class BudgetView(BaseModel):
    """Where the money stands in the state budget, for periods that end from a day to a day."""

    vi: str
    en: str
    since: date | None
    until: date | None


class LayoutView(BaseModel):
    """One statutory report as data."""

    model_config = example(
        code="directive-21-monthly", version=1, digest=_FROZEN["digest"], title=_TITLE, period="MONTH", source="INDICATORS", form_number="",
        groups=["MERIT", "ALL"], to_ministry=True, columns=[_COLUMN], due=[_DUE],
        basis=[{"vi": "Chỉ thị số 21/CT-TTg", "en": "Directive 21/CT-TTg", "read": True}],
        open=[{"vi": "Chưa có mẫu biểu", "en": "The form has not been seen"}],
    )  # fmt: skip

    code: str
    version: int
    digest: str
    title: Text
    period: str
    source: str
    form_number: str = Field(description="Empty: not known; `open` says what must be asked")
    groups: list[str]
    to_ministry: bool
    columns: list[ColumnView]
    due: list[DueView]
    basis: list[BasisView]
    open: list[Text]
    budget: list[BudgetView] = Field(default_factory=list, description="Budget chapter, category, item; empty where none is named")


class LayoutsView(BaseModel):
    """All statutory reports, newest versions."""

    layouts: list[LayoutView]


class FreezeForm(Form):
    """Which report to freeze."""

    model_config = example(layout="directive-21-monthly", period="2024-09", unit_path="60", units_on=None, business_date="2024-10-03")

    layout: str = Field(max_length=60)
    period: Month
    unit_path: UnitPath | None = Field(default=None, description="Default: your only unit")
    units_on: date | None = Field(default=None, description="The tree of units of that day; default: the period's last day")
    business_date: date = Field(description="Ngày lập báo cáo · decides which ministries are competent")


class RowView(BaseModel):
    """One row: a group in a unit (or at a partner)."""

    model_config = example(**_ROW)

    programme: str
    unit_path: str
    label: str
    is_total: bool
    cells: dict[str, int | str] = Field(description="By column key; rates are text as published")


class Addressed(BaseModel):
    """A ministry that is competent on the report's day, the department that reports to it, for which programmes."""

    ministry: Text
    department: Text
    programmes: list[str]
    to: list[str] = Field(default_factory=list, description="Whom the paper is written to; only a province's goes to the ministry itself")


class HandedOver(BaseModel):
    """Who handed the report over."""

    who: str
    handed_on: date
    reference: str


class FrozenView(BaseModel):
    """A frozen report."""

    model_config = example(**_FROZEN, rows=[_ROW])

    report_id: UUID
    layout: str
    layout_version: int
    title: Text
    edition: int = Field(description="1, 2 …: the same report frozen again later")
    period_first: str
    period_last: str
    period: Text
    unit_path: str
    unit_name: str
    units_on: date
    business_date: date
    log_seq: int = Field(description="Everything up to this number of the event log is in it, nothing after")
    frozen_at: datetime
    digest: str = Field(description="SHA-256 over the layout's digest, period, unit, tree and all rows")
    row_count: int
    frozen_by: str
    addressees: list[Addressed]
    handed_over: list[HandedOver]
    rows: list[RowView] | None = Field(default=None, description="Only where one report is read")


class FrozenPage(BaseModel):
    """Frozen reports, newest first."""

    model_config = example(items=[_FROZEN], next_cursor=None)

    items: list[FrozenView]
    next_cursor: UUID | None


class PreviewView(BaseModel):
    """The report as it would be frozen now."""

    model_config = example(layout="directive-21-monthly", unit_path="60", unit_name="Tỉnh Bình Thuận", rows=[_ROW])

    layout: str
    unit_path: str
    unit_name: str
    rows: list[RowView]


class HandOverForm(Form):
    """Who handed the report over, when, under which number."""

    model_config = example(who="DEPARTMENT", handed_on="2024-10-04", reference="1204/BC-SLĐTBXH")

    who: str = Field(max_length=40, description="A step of the layout: COMMUNE, DEPARTMENT …")
    handed_on: date
    reference: Short = Field(description="Số văn bản · number of the letter")


class CalendarRow(BaseModel):
    """One due day of one report."""

    model_config = example(
        layout="directive-21-monthly", title=_TITLE, period={"vi": "Tháng 9 năm 2024", "en": "September 2024"}, period_first="2024-09",
        who="DEPARTMENT", who_text={"vi": "Sở báo cáo UBND tỉnh và Bộ", "en": "Department to the ministry"}, due_on="2024-10-05",
        before=True,         state="LATE", days_late=3, report_id=None, handed_on=None, reference=None,
    )  # fmt: skip

    layout: str
    title: Text
    period: Text
    period_first: str
    who: str
    who_text: Text
    due_on: date
    before: bool = Field(description="Before that day; false: on it at the latest")
    state: str = Field(description="OPEN, FROZEN (not yet handed over), LATE, HANDED_OVER or HANDED_OVER_LATE")
    days_late: int
    report_id: UUID | None
    handed_on: date | None
    reference: str | None


class CalendarView(BaseModel):
    """What a unit has to hand over around a day, newest first."""

    unit_path: str
    on: date
    rows: list[CalendarRow]
