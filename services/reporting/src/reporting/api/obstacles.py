"""The register of obstacles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
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
    Cursor,
    Form,
    Limit,
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
    next_cursor,
    tagged,
    text,
)
from reporting.api.schemas import Text
from reporting.domain.obstacle import Category, Level, State, age, category_words, level_words, state_words
from reporting.settings import Settings
from reporting.usecases import obstacles

__all__ = ["obstacles_router"]

_HEADER: Final = (
    "Đơn vị", "Tên đơn vị", "Nhóm vướng mắc", "Nội dung", "Chi tiết", "Số người", "Cấp đang xử lý", "Trạng thái", "Ngày nêu", "Hạn trả lời",
    "Số ngày", "Quá hạn", "Trả lời", "Văn bản", "Ngày trả lời", "Ngày xong",
)  # fmt: skip
_EXAMPLE: Final[dict[str, Any]] = {
    "obstacle_id": "0198c7a0-0000-7000-8000-000000000001", "unit_path": "60/593/22924", "unit_name": "Phường Phú Trinh",
    "now_path": None, "moved_on": None,
    "category": "NO_IDENTITY", "category_text": {"vi": "Chưa có CCCD, mã định danh", "en": "No identity card or number"},
    "title": "12 cụ nằm tại nhà chưa làm được CCCD", "detail": "Đề nghị công an đến nhà thu nhận hồ sơ", "people": 12, "level": "PROVINCE",
    "level_text": {"vi": "Cấp tỉnh", "en": "Province"}, "addressed_to": None, "state": "OPEN",
    "state_text": {"vi": "Chờ trả lời", "en": "Waits for an answer"}, "raised_on": "2024-09-03", "raised_by": "an.xa",
    "level_since": "2024-09-10", "due_on": "2024-09-25", "days_open": 17, "days_at_level": 10, "age": "8-30", "overdue": False,
    "answer": None,
    "answer_document": None, "answered_by": None, "answered_on": None, "closed_by": None, "closed_on": None, "version": 2,
}  # fmt: skip


class ObstacleView(BaseModel):
    """One obstacle, as it stands on the day asked about."""

    model_config = example(**_EXAMPLE)

    obstacle_id: UUID
    unit_path: str
    unit_name: str | None
    now_path: NowPath = None
    moved_on: MovedOn = None
    category: Category
    category_text: Text
    title: str
    detail: str
    people: int | None = Field(description="How many people it touches")
    level: Level = Field(description="Whose turn it is to answer")
    level_text: Text
    addressed_to: str | None = Field(description="The body above that was asked")
    state: State
    state_text: Text
    raised_on: date
    raised_by: str
    level_since: date
    due_on: date = Field(description="By when an answer is expected at this level")
    days_open: int
    days_at_level: int
    age: str = Field(description="0-7, 8-30, 31-90 or 91+ days")
    overdue: bool
    answer: str | None
    answer_document: str | None
    answered_by: str | None
    answered_on: date | None
    closed_by: str | None
    closed_on: date | None
    version: int


class StepView(BaseModel):
    """What was done, by whom."""

    version: int
    action: str
    level: Level
    state: State
    note: str
    on_day: date
    actor: str
    at: datetime


class ObstacleDetail(ObstacleView):
    """An obstacle with its steps."""

    model_config = example(**_EXAMPLE, steps=[
        {"version": 1, "action": "RAISE", "level": "COMMUNE", "state": "OPEN", "note": "12 cụ nằm tại nhà chưa làm được CCCD",
         "on_day": "2024-09-03", "actor": "an.xa", "at": "2024-09-03T02:00:00Z"}])  # fmt: skip

    steps: list[StepView]


class ObstaclePage(BaseModel):
    """A page of obstacles."""

    model_config = example(items=[_EXAMPLE], next_cursor=None)

    items: list[ObstacleView]
    next_cursor: UUID | None


class ObstacleForm(Form):
    """What stands in the way."""

    model_config = example(
        unit_path="60/593/22924", category="NO_IDENTITY", title="12 cụ nằm tại nhà chưa làm được CCCD",
        detail="Đề nghị công an đến nhà thu nhận hồ sơ", people=12, level="COMMUNE", raised_on="2024-09-03",
    )  # fmt: skip

    unit_path: UnitPath
    category: Category
    title: Short
    detail: Note
    people: int | None = Field(default=None, ge=0, le=10_000_000)
    level: Level = Field(default=Level.COMMUNE, description="Cấp cần trả lời trước tiên · who is asked first")
    addressed_to: Short | None = Field(default=None, description="Needed for the ministry: which one", examples=["Bộ Y tế"])
    raised_on: date


class EscalationForm(Form):
    """Why it is passed upward."""

    model_config = example(note="Vượt thẩm quyền của xã", addressed_to=None, business_date="2024-09-10")

    note: Note
    addressed_to: Short | None = Field(default=None, description="Needed for the ministry: which one", examples=["Bộ Nội vụ"])
    business_date: date


class AnswerForm(Form):
    """The answer."""

    model_config = example(text="Công an xã đến từng nhà trong tuần 38", document=None, business_date="2024-09-16")

    text: Note
    document: Short | None = Field(
        default=None, description="Number and date of the document; needed from a ministry", examples=["1391/SLĐTBXH"]
    )
    business_date: date


class ClosingForm(Form):
    """Whether the answer helped."""

    model_config = example(helped=True, note="Đã làm xong CCCD cho cả 12 cụ", business_date="2024-09-27")

    helped: bool
    note: Note
    business_date: date


class SummaryRow(BaseModel):
    """Obstacles of one category at one level in one state."""

    category: Category
    category_text: Text
    level: Level
    level_text: Text
    state: State
    state_text: Text
    obstacles: int
    people: int
    overdue: int
    days_7: int = Field(description="Open for 0-7 days")
    days_30: int = Field(description="8-30 days")
    days_90: int = Field(description="31-90 days")
    days_more: int = Field(description="91 days and more")
    oldest_days: int


class ObstacleSummary(BaseModel):
    """Counts by category, level and state, with age groups."""

    model_config = example(
        unit_path="60", business_date="2024-09-20",
        rows=[{**{k: _EXAMPLE[k] for k in ("category", "category_text", "level", "level_text", "state", "state_text")},
               "obstacles": 3, "people": 41, "overdue": 1, "days_7": 1, "days_30": 1, "days_90": 1, "days_more": 0, "oldest_days": 40}],
    )  # fmt: skip

    unit_path: str | None
    business_date: date
    rows: list[SummaryRow]


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "category_text": text(category_words(row["category"])), "level_text": text(level_words(row["level"])),
        "state_text": text(state_words(row["state"])),
    }  # fmt: skip


def _view(row: dict[str, Any], day: date) -> dict[str, Any]:
    end = min(row["closed_on"] or day, day)
    at_level = min(row["answered_on"] or day, day)
    days = max((end - row["raised_on"]).days, 0)
    late = row["state"] == State.OPEN and row["due_on"] < day
    waited = max((at_level - row["level_since"]).days, 0)
    return {**row, **_texts(row), "days_open": days, "days_at_level": waited, "age": age(days), "overdue": late}


def _detail(row: dict[str, Any], day: date) -> ObstacleDetail:
    return ObstacleDetail.model_validate(_view(row, day))


def obstacles_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/obstacles`."""
    router = APIRouter(prefix="/v1/obstacles", tags=["obstacles"])
    _reading(router, db)
    _raising(router, db, settings)
    _deciding(router, db, settings)
    return router


def _reading(router: APIRouter, db: Database) -> None:
    @router.get(
        "", summary="Obstacles · Sổ khó khăn, vướng mắc",
        description="Vướng mắc của đơn vị và cấp dưới, cũ nhất trước; lọc theo nhóm, cấp, trạng thái, quá hạn. Obstacles of"
" the unit and those below it, the oldest first; by category, level, state, or only the late ones.",
    )  # fmt: skip
    async def listing(
        actor: Reader, business_date: BusinessDate, unit_path: UnitQuery = None, category: Category | None = None,
        level: Level | None = None, state: State | None = None, *, overdue: bool = False, cursor: Cursor = None, limit: Limit = 50,
    ) -> ObstaclePage:  # fmt: skip
        chosen = {"category": category, "level": level, "state": state}
        rows = await obstacles.page(
            db, actor, unit_path, day=business_date, overdue=overdue, chosen=chosen, after=cursor, limit=limit
        )  # fmt: skip
        items = [ObstacleView.model_validate(_view(row, business_date)) for row in rows]
        return ObstaclePage(items=items, next_cursor=next_cursor(rows, limit, "obstacle_id"))

    @router.get(
        "/summary", summary="Obstacles counted · Tổng hợp vướng mắc",
        description="Số vướng mắc theo nhóm, cấp đang xử lý, trạng thái và ngày. By category, level, state, age; `overdue` waits too long.",
    )  # fmt: skip
    async def counted(actor: Reader, business_date: BusinessDate, unit_path: UnitQuery = None) -> ObstacleSummary:
        rows = await obstacles.summary(db, actor, unit_path, business_date)
        found = [SummaryRow.model_validate({**row, **_texts(row)}) for row in rows]
        return ObstacleSummary(unit_path=unit_path, business_date=business_date, rows=found)

    @router.get(
        "/file", response_class=Response, responses=sheets.RESPONSES, summary="Obstacles as a file · Tải sổ vướng mắc",
        description="Sổ vướng mắc dạng CSV hoặc XLSX, để gửi cấp trên. Filters as in the list.",
    )  # fmt: skip
    async def file(
        actor: Reader, business_date: BusinessDate, unit_path: UnitQuery = None, level: Level | None = None, state: State | None = None,
        form: Annotated[sheets.Form, Query()] = "xlsx",
    ) -> Response:  # fmt: skip
        title = f"KHÓ KHĂN, VƯỚNG MẮC – đến ngày {dated(business_date)}"
        rows = obstacles.every(db, actor, unit_path, day=business_date, chosen={"level": level, "state": state})
        return sheets.download(form, f"vuong-mac-{business_date}", sheets.Sheet(_HEADER, [title], "Vướng mắc"), _cells(rows, business_date))

    @router.get(
        "/{obstacle_id}", summary="One obstacle · Một vướng mắc", description="Một vướng mắc và từng bước xử lý. With its steps and ETag."
    )
    async def one(actor: Reader, obstacle_id: UUID, business_date: BusinessDate, response: Response) -> ObstacleDetail:
        return tagged(response, _detail(await obstacles.one(db, actor, obstacle_id), business_date))


async def _cells(rows: AsyncIterator[dict[str, Any]], day: date) -> AsyncIterator[tuple[sheets.Cell, ...]]:
    async for found in rows:
        row = _view(found, day)
        yield (
            row["unit_path"], row["unit_name"], row["category_text"].vi, row["title"], row["detail"], row["people"], row["level_text"].vi,
            row["state_text"].vi, dated(row["raised_on"]), dated(row["due_on"]), row["days_open"], "x" if row["overdue"] else "",
            row["answer"], row["answer_document"], dated(row["answered_on"]), dated(row["closed_on"]),
        )  # fmt: skip


def _raising(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "", status_code=201, response_model=ObstacleDetail, summary="Raise an obstacle · Nêu vướng mắc",
        description="Ghi một khó khăn, vướng mắc của đơn vị. No names, no personal numbers in the text: long numbers are masked.",
    )  # fmt: skip
    async def add(request: Request, actor: Officer, form: ObstacleForm, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return _detail(await obstacles.raise_obstacle(tx, actor, form.model_dump(), settings.obstacle_days), form.raised_on)

        return await created(db, actor, key, "POST /v1/obstacles", request, make)


def _deciding(router: APIRouter, db: Database, settings: Settings) -> None:
    @router.post(
        "/{obstacle_id}/escalation", summary="Pass it upward · Chuyển cấp trên",
        description="Chuyển cấp trên: xã → (huyện, đến 30/6/2025) → tỉnh → bộ. By an officer of the level it waits at. Send If-Match.",
    )  # fmt: skip
    async def escalate(
        actor: Officer, obstacle_id: UUID, form: EscalationForm, response: Response, if_match: IfMatch = None
    ) -> ObstacleDetail:
        row = await obstacles.escalate(
            db, actor, obstacle_id, version_of(if_match), note=form.note, addressed_to=form.addressed_to, day=form.business_date,
            days=settings.obstacle_days,
        )  # fmt: skip
        return tagged(response, _detail(row, form.business_date))

    @router.post(
        "/{obstacle_id}/answer", summary="Answer it · Trả lời",
        description="Trả lời vướng mắc; trả lời của bộ phải ghi số văn bản. By an officer of the level it waits at. Send If-Match.",
    )  # fmt: skip
    async def reply(actor: Officer, obstacle_id: UUID, form: AnswerForm, response: Response, if_match: IfMatch = None) -> ObstacleDetail:
        row = await obstacles.answer(
            db, actor, obstacle_id, version_of(if_match), text=form.text, document=form.document, day=form.business_date
        )  # fmt: skip
        return tagged(response, _detail(row, form.business_date))

    @router.post(
        "/{obstacle_id}/closing", summary="Did it help? · Xác nhận kết quả",
        description="Đơn vị xác nhận trả lời có giải quyết được không; không phải người đã trả lời. `helped=false` opens it again at the"
        " same level. Never by the person who answered. Send If-Match.",
    )  # fmt: skip
    async def close(actor: Officer, obstacle_id: UUID, form: ClosingForm, response: Response, if_match: IfMatch = None) -> ObstacleDetail:
        row = await obstacles.close(
            db, actor, obstacle_id, version_of(if_match), note=form.note, helped=form.helped, day=form.business_date,
            days=settings.obstacle_days,
        )  # fmt: skip
        return tagged(response, _detail(row, form.business_date))
