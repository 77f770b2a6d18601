"""Milestones of units: the day planned, the day reached."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from common import sheets
from common.db import Database, Tx
from common.etags import IfMatch, version_of
from common.idempotency import IdempotencyKey
from reporting.api.parts import (
    BusinessDate,
    Department,
    Form,
    MovedOn,
    Note,
    NowPath,
    Officer,
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
)
from reporting.api.schemas import Text
from reporting.domain.outreach import Milestone, milestone_words
from reporting.usecases import outreach

__all__ = ["Programmes", "Year", "milestones_router"]

Programmes = Annotated[
    str, Field(pattern=r"^[A-Z_]{2,30}$", description="Chương trình · programme; ALL: all of them", examples=["ALL", "MERIT"])
]
Year = Annotated[int, Query(ge=2020, le=2100, examples=[2024])]
_HEADER: Final = (
    "Đơn vị",
    "Tên đơn vị",
    "Mốc",
    "Chương trình",
    "Kế hoạch ban đầu",
    "Kế hoạch",
    "Thực tế",
    "Chậm (ngày)",
    "Căn cứ",
    "Minh chứng",
)
_SENT: Final[dict[str, Any]] = {
    "unit_path": "60/593", "code": "GO_LIVE", "year": 2024, "programme": "ALL", "planned_on": "2023-11-01", "legal_ref": "KH 152/KH-UBND",
}  # fmt: skip
_EXAMPLE: Final[dict[str, Any]] = {
    **_SENT, "milestone_id": "0198c7a0-0000-7000-8000-000000000003", "unit_name": "Thành phố Phan Thiết",
    "code_text": {"vi": "Bắt đầu chi trả qua tài khoản", "en": "Paying by account begins"}, "first_planned_on": "2023-11-01",
    "planned_by": "binh.so", "actual_on": "2024-04-01", "evidence": "Kỳ chi tháng 4/2024", "actual_by": "binh.so", "days_late": 152,
    "late": True, "version": 2, "now_path": None, "moved_on": None,
}  # fmt: skip


class MilestoneForm(Form):
    """What is planned."""

    model_config = example(**_SENT)

    unit_path: UnitPath
    code: Milestone
    year: int = Field(ge=2020, le=2100)
    programme: Programmes = "ALL"
    planned_on: date
    legal_ref: Short | None = Field(default=None, description="The plan or document that names the day")


class MilestoneView(MilestoneForm):
    """One milestone, as it stands on the day asked about."""

    model_config = example(**_EXAMPLE)

    milestone_id: UUID
    unit_name: str | None
    now_path: NowPath = None
    moved_on: MovedOn = None
    code_text: Text
    first_planned_on: date = Field(description="Before anybody postponed it: lateness counts from here")
    planned_by: str
    actual_on: date | None
    evidence: str | None
    actual_by: str | None
    days_late: int = Field(
        description="Days between the first plan and the day reached, or the day asked about while it is not; never below 0"
    )
    late: bool
    version: int


class MilestonePlan(BaseModel):
    """The milestones of a year."""

    model_config = example(year=2024, rows=[_EXAMPLE])

    year: int
    rows: list[MilestoneView]


class PostponementForm(Form):
    """Another day, and the document that says so."""

    model_config = example(planned_on="2024-06-01", legal_ref="CV 1945/SLĐTBXH-BTTN")

    planned_on: date
    legal_ref: Short


class ReachedForm(Form):
    """The day it was reached, and what shows it."""

    model_config = example(actual_on="2024-04-01", evidence="Kỳ chi tháng 4/2024", business_date="2024-04-05")

    actual_on: date
    evidence: Note
    business_date: date


def _view(row: dict[str, Any], day: date) -> MilestoneView:
    late = max(((row["actual_on"] or day) - row["first_planned_on"]).days, 0)
    return MilestoneView.model_validate({**row, "code_text": text(milestone_words(row["code"])), "days_late": late, "late": late > 0})


def milestones_router(db: Database) -> APIRouter:
    """`/v1/milestones`."""
    router = APIRouter(prefix="/v1/milestones", tags=["milestones"])
    _reading(router, db)

    @router.post(
        "", status_code=201, response_model=MilestoneView, summary="Plan a milestone · Giao mốc thời gian",
        description="Sở giao mốc cho đơn vị: xong danh sách, mở tài khoản, xác thực, chi trả … One per unit, year, code, programme.",
    )  # fmt: skip
    async def add(request: Request, actor: Department, form: MilestoneForm, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return _view(await outreach.plan(tx, actor, form.model_dump()), form.planned_on)

        return await created(db, actor, key, "POST /v1/milestones", request, make)

    @router.put(
        "/{milestone_id}/plan", summary="Postpone it · Lùi mốc",
        description="Đổi ngày kế hoạch, kèm văn bản. The first plan stays known and lateness counts from it. Send If-Match.",
    )  # fmt: skip
    async def postpone(
        actor: Department, milestone_id: UUID, form: PostponementForm, response: Response, if_match: IfMatch = None
    ) -> MilestoneView:  # fmt: skip
        row = await outreach.postpone(db, actor, milestone_id, version_of(if_match), form.planned_on, form.legal_ref)
        return tagged(response, _view(row, form.planned_on))

    @router.put(
        "/{milestone_id}/actual", summary="It is reached · Ghi ngày thực tế",
        description="Đơn vị ghi ngày thực tế đạt mốc, kèm minh chứng; sửa được, có lưu vết. The unit says on which day it was"
" reached and what shows it; corrections are kept. Send If-Match.",
    )  # fmt: skip
    async def reach(actor: Officer, milestone_id: UUID, form: ReachedForm, response: Response, if_match: IfMatch = None) -> MilestoneView:
        row = await outreach.reach(
            db, actor, milestone_id, version_of(if_match), actual_on=form.actual_on, evidence=form.evidence, day=form.business_date
        )  # fmt: skip
        return tagged(response, _view(row, form.business_date))

    return router


def _reading(router: APIRouter, db: Database) -> None:
    @router.get(
        "", response_model=None, responses={200: {"model": MilestonePlan, **sheets.RESPONSES[200]}},
        summary="Milestones, planned and actual · Mốc kế hoạch và thực tế",
        description="Mốc của đơn vị và cấp dưới trong năm: kế hoạch, thực tế, chậm bao nhiêu ngày. `form=csv|xlsx` for a file.",
    )  # fmt: skip
    async def plan(
        actor: Reader, business_date: BusinessDate, year: Year, unit_path: UnitQuery = None, code: Milestone | None = None,
        form: Annotated[sheets.Form | None, Query()] = None,
    ) -> MilestonePlan | Response:  # fmt: skip
        rows = [_view(row, business_date) for row in await outreach.planned(db, actor, unit_path, year, code)]
        if form is None:
            return MilestonePlan(year=year, rows=rows)
        title = f"MỐC THỜI GIAN NĂM {year} – đến ngày {dated(business_date)}"
        return table(form, f"moc-{year}", sheets.Sheet(_HEADER, [title], "Mốc"), (_cells(row) for row in rows))


def _cells(row: MilestoneView) -> tuple[sheets.Cell, ...]:
    return (
        row.unit_path, row.unit_name, row.code_text.vi, row.programme, dated(row.first_planned_on), dated(row.planned_on),
        dated(row.actual_on), row.days_late, row.legal_ref, row.evidence,
    )  # fmt: skip
