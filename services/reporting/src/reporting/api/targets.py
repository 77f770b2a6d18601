"""Targets per unit and year, progress, ranking, reminders."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from common import sheets
from common.db import Database, Tx
from common.etags import IfMatch, version_of
from common.idempotency import IdempotencyKey
from reporting.api.milestones import Programmes, Year
from reporting.api.parts import (
    BusinessDate,
    Department,
    Form,
    MovedOn,
    NowPath,
    Reader,
    Short,
    UnitPath,
    UnitQuery,
    created,
    dated,
    example,
    table,
    tagged,
    text,
)  # fmt: skip
from reporting.api.reports import Month
from reporting.api.schemas import Text
from reporting.domain.indicators import INDICATORS, group_words
from reporting.domain.months import first_of
from reporting.domain.target import reads_as
from reporting.settings import Settings
from reporting.usecases import targets
from reporting.usecases.measured import Deadlines

__all__ = ["targets_router"]

Code = Annotated[str, Field(pattern=r"^[a-z_]{3,60}$", description="Mã chỉ tiêu · code of the indicator (GET /v1/indicators)")]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2, description="Giá trị phải đạt · a percentage, or a count")]
_HEADER: Final = (
    "Đơn vị",
    "Tên đơn vị",
    "Chỉ tiêu",
    "Nhóm",
    "Đơn vị tính",
    "Phải đạt",
    "Đã đạt",
    "Đạt?",
    "Còn thiếu",
    "Hạn",
    "Văn bản giao",
)
_SENT: Final[dict[str, Any]] = {
    "unit_path": "60/593", "year": 2024, "indicator": "by_account_rate", "programme": "ALL", "value": "60.00", "due_on": "2024-12-31",
    "legal_ref": "33/KH-SLĐTBXH",
}  # fmt: skip
_STORED: Final[dict[str, Any]] = {
    **_SENT, "target_id": "0198c7a0-0000-7000-8000-000000000007", "unit_name": "Thành phố Phan Thiết", "set_by": "binh.so",
    "withdrawn": False, "version": 1, "now_path": None, "moved_on": None,
}  # fmt: skip
_WORDS: Final[dict[str, Any]] = {
    "indicator_text": {"vi": "Tỷ lệ chi trả qua tài khoản", "en": "Paid by account, of people due"},
    "programme_text": {"vi": "Cộng các nhóm", "en": "All groups, summed"}, "measured_in": "%",
}  # fmt: skip
_PROGRESS: Final[dict[str, Any]] = {
    **_STORED, **_WORDS, "measured": "41.30", "is_met": False, "needed": 2240, "late": False, "days_left": 102,
}  # fmt: skip


class TargetForm(Form):
    """What a unit is to reach."""

    model_config = example(**_SENT)

    unit_path: UnitPath
    year: int = Field(ge=2020, le=2100)
    indicator: Code
    programme: Programmes = "ALL"
    value: Amount
    due_on: date = Field(description="Within the year, or early in the next (Tết)")
    legal_ref: Short | None = Field(default=None, description="Văn bản giao chỉ tiêu · the document that sets it")


class ChangeForm(Form):
    """The new value, day and document; withdrawn: it counts no more."""

    model_config = example(value="55.00", due_on="2024-12-31", legal_ref="CV 1945/SLĐTBXH", withdrawn=False)

    value: Amount
    due_on: date
    legal_ref: Short
    withdrawn: bool = False


class StoredTarget(BaseModel):
    """A target as it stands."""

    target_id: UUID
    unit_path: str
    unit_name: str | None
    now_path: NowPath = None
    moved_on: MovedOn = None
    year: int
    indicator: str
    programme: str
    value: Decimal
    due_on: date
    legal_ref: str | None
    set_by: str
    withdrawn: bool
    version: int


class PastTarget(BaseModel):
    """An earlier value, and until when it stood."""

    version: int
    value: Decimal
    due_on: date
    legal_ref: str | None
    set_by: str
    withdrawn: bool
    at: datetime


class TargetDetail(StoredTarget):
    """A target with its earlier values."""

    model_config = example(**_STORED, past=[])

    past: list[PastTarget]


class TargetProgress(StoredTarget):
    """A target against what is measured."""

    indicator_text: Text
    programme_text: Text
    measured_in: str = Field(description="%, người, đồng …")
    measured: Decimal | None = Field(description="Null: nobody was counted in this unit in the month (a rate of nobody)")
    is_met: bool | None
    needed: int | None = Field(description="Còn thiếu bao nhiêu người (đồng, xã) · how many more it takes; too many, where less is better")
    late: bool
    days_left: int


class ProgressReport(BaseModel):
    """Targets of a unit and below."""

    model_config = example(year=2024, month="2024-09", business_date="2024-09-20", rows=[_PROGRESS])

    year: int
    month: str
    business_date: date
    rows: list[TargetProgress]


class RankRow(BaseModel):
    """One unit's place."""

    rank: int = Field(description="Equal values share a rank")
    unit_path: str
    unit_name: str | None
    measured: Decimal
    target: Decimal | None
    is_met: bool | None
    people_due: int


class Ranking(BaseModel):
    """Units, best first."""

    model_config = example(
        month="2024-09", indicator="by_account_rate", programme="ALL", indicator_text=_WORDS["indicator_text"], measured_in="%",
        rows=[{"rank": 1, "unit_path": "60/593", "unit_name": "Thành phố Phan Thiết", "measured": "41.30", "target": "60.00",
               "is_met": False, "people_due": 12001}],
    )  # fmt: skip

    month: str
    indicator: str
    programme: str
    indicator_text: Text
    measured_in: str
    rows: list[RankRow]


class Reminder(BaseModel):
    """One thing that is behind, or due soon."""

    kind: Literal["TARGET", "MILESTONE", "OBSTACLE", "CYCLE", "REPORT"]
    unit_path: str
    unit_name: str | None
    due_on: date
    days_left: int = Field(description="Below 0: late by so many days")
    vi: str
    en: str


class Reminders(BaseModel):
    """The most urgent first."""

    model_config = example(
        business_date="2024-09-20",
        rows=[{"kind": "REPORT", "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "due_on": "2024-10-04", "days_left": 14,
               "vi": "Báo cáo tháng theo Chỉ thị 21", "en": "Monthly report under Directive 21"}],
    )  # fmt: skip

    business_date: date
    rows: list[Reminder]


def _progress(row: dict[str, Any]) -> TargetProgress:
    known = INDICATORS[row["indicator"]]
    words = {"indicator_text": Text(vi=known.vi, en=known.en), "programme_text": text(group_words(row["programme"]))}
    return TargetProgress.model_validate({**row, **words, "measured_in": reads_as(known)})


def targets_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/targets`."""
    router = APIRouter(prefix="/v1/targets", tags=["targets"])
    by = Deadlines(settings.payment_due_day, first_of(settings.account_start_month))
    _reading(router, db, by)
    _comparing(router, db, by)
    _setting(router, db)
    return router


def _reading(router: APIRouter, db: Database, by: Deadlines) -> None:
    @router.get(
        "", response_model=None, responses={200: {"model": ProgressReport, **sheets.RESPONSES[200]}},
        summary="Targets and progress · Chỉ tiêu và tiến độ",
        description="Chỉ tiêu giao cho đơn vị và cấp dưới so với số đo được của tháng: đạt chưa, còn thiếu. `form` for a file.",
    )  # fmt: skip
    async def listing(
        actor: Reader, business_date: BusinessDate, year: Year, month: Month, unit_path: UnitQuery = None,
        indicator: Annotated[str | None, Query(max_length=60)] = None, programme: Annotated[str | None, Query(max_length=30)] = None,
        form: Annotated[sheets.Form | None, Query()] = None,
    ) -> ProgressReport | Response:  # fmt: skip
        found = await targets.progress(
            db, actor, unit_path, year, month, business_date, by, indicator=indicator, programme=programme
        )  # fmt: skip
        rows = [_progress(row) for row in found]
        if form is None:
            return ProgressReport(year=year, month=month, business_date=business_date, rows=rows)
        title = f"CHỈ TIÊU NĂM {year} – số liệu tháng {month}, đến ngày {dated(business_date)}"
        return table(form, f"chi-tieu-{year}", sheets.Sheet(_HEADER, [title], "Chỉ tiêu"), (_cells(row) for row in rows))


def _cells(row: TargetProgress) -> tuple[sheets.Cell, ...]:
    reached = "" if row.is_met is None else "Đạt" if row.is_met else "Chưa đạt"
    return (
        row.unit_path, row.unit_name, row.indicator_text.vi, row.programme_text.vi, row.measured_in, _number(row.value),
        None if row.measured is None else _number(row.measured), reached, row.needed, dated(row.due_on), row.legal_ref,
    )  # fmt: skip


def _number(value: Decimal) -> sheets.Cell:
    return int(value) if value == value.to_integral_value() else f"{value:f}".replace(".", ",")


def _comparing(router: APIRouter, db: Database, by: Deadlines) -> None:
    @router.get(
        "/ranking", summary="Units ranked · Xếp hạng đơn vị",
        description="Xếp hạng đơn vị cấp dưới theo một chỉ tiêu; bằng nhau thì cùng hạng; đơn vị không có ai thuộc diện thì không xếp."
        " `communes=true`: all communes; a unit with nobody due has no rank.",
    )  # fmt: skip
    async def ranked(
        actor: Reader, business_date: BusinessDate, month: Month,
        indicator: Annotated[str, Query(max_length=60, examples=["by_account_rate"])], unit_path: UnitQuery = None,
        programme: Annotated[str, Query(max_length=30)] = "ALL", *, communes: bool = False,
    ) -> Ranking:  # fmt: skip
        rows = await targets.ranking(db, actor, unit_path, month, business_date, by, indicator, programme, communes=communes)
        known = INDICATORS[indicator]
        return Ranking(
            month=month, indicator=indicator, programme=programme, indicator_text=Text(vi=known.vi, en=known.en),
            measured_in=reads_as(known),
            rows=[RankRow.model_validate(row) for row in rows],
        )  # fmt: skip

    @router.get(
        "/reminders", summary="What is behind · Nhắc việc chậm, sắp đến hạn",
        description="Chỉ tiêu chưa đạt, mốc, vướng mắc, danh sách chi, báo cáo: quá hạn hoặc đến hạn trong 30 ngày. Targets"
" missed, milestones, obstacles, lists and reports that are late or due within 30 days, the most urgent"
" first.",
    )  # fmt: skip
    async def reminded(actor: Reader, business_date: BusinessDate, month: Month, unit_path: UnitQuery = None) -> Reminders:
        rows = await targets.reminders(db, actor, unit_path, month, business_date, by)
        return Reminders(business_date=business_date, rows=[Reminder.model_validate(row) for row in rows])


def _setting(router: APIRouter, db: Database) -> None:
    @router.post(
        "", status_code=201, response_model=TargetDetail, summary="Set a target · Giao chỉ tiêu",
        description="Sở giao chỉ tiêu năm cho đơn vị. One per unit, year, indicator and group; change it by PUT.",
    )  # fmt: skip
    async def add(request: Request, actor: Department, form: TargetForm, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return TargetDetail.model_validate(await targets.set_target(tx, actor, form.model_dump()))

        return await created(db, actor, key, "POST /v1/targets", request, make)

    @router.get("/{target_id}", summary="One target · Một chỉ tiêu", description="Một chỉ tiêu và các giá trị trước đây. With its ETag.")
    async def one(actor: Reader, target_id: UUID, response: Response) -> TargetDetail:
        return tagged(response, TargetDetail.model_validate(await targets.one(db, actor, target_id)))

    @router.put(
        "/{target_id}", summary="Change a target · Điều chỉnh chỉ tiêu",
        description="Điều chỉnh giá trị, hạn, văn bản, hoặc rút chỉ tiêu; giá trị cũ vẫn xem được. Its value, day or document"
" changes, or it is withdrawn; earlier values stay readable. Send If-Match.",
    )  # fmt: skip
    async def change(actor: Department, target_id: UUID, form: ChangeForm, response: Response, if_match: IfMatch = None) -> TargetDetail:
        return tagged(
            response, TargetDetail.model_validate(await targets.change(db, actor, target_id, version_of(if_match), form.model_dump()))
        )
