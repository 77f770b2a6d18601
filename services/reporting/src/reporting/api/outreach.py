"""The outreach log: counts of what was done to tell people, never who was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
    Cursor,
    Form,
    Limit,
    Note,
    Outreacher,
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
)  # fmt: skip
from reporting.api.schemas import Text
from reporting.domain.outreach import OutreachKind, outreach_words
from reporting.usecases import outreach

__all__ = ["outreach_router"]

_HEADER: Final = (
    "Đơn vị", "Tên đơn vị", "Hình thức", "Ngày", "Đơn vị tổ chức", "Nội dung", "Số buổi", "Số hộ", "Số người", "Số đăng ký tài khoản",
    "Ghi chú", "Đã rút",
)  # fmt: skip
_SENT: Final[dict[str, Any]] = {
    "unit_path": "60/593/22924", "kind": "MEETING", "held_on": "2024-04-12", "organiser": "Mặt trận Tổ quốc phường",
    "topic": "Nhận trợ cấp qua tài khoản", "sessions": 2, "households": None, "people": 140, "registered": 37, "note": None,
}  # fmt: skip
_EXAMPLE: Final[dict[str, Any]] = {
    **_SENT, "outreach_id": "0198c7a0-0000-7000-8000-000000000002", "unit_name": "Phường Phú Trinh",
    "kind_text": {"vi": "Buổi tuyên truyền trực tiếp", "en": "Meeting"}, "made_by": "an.xa", "withdrawn_by": None, "withdrawn_why": None,
    "version": 1,
}  # fmt: skip
First = Annotated[date, Query(alias="from", description="Từ ngày · first day", examples=["2024-01-01"])]
Last = Annotated[date, Query(alias="to", description="Đến ngày · last day", examples=["2024-09-30"])]


class OutreachForm(Form):
    """What was done, in counts."""

    model_config = example(**_SENT)

    unit_path: UnitPath
    kind: OutreachKind
    held_on: date
    organiser: Short = Field(description="Cơ quan, đoàn thể tổ chức · the body that did it, not a person")
    topic: Short
    sessions: int = Field(default=1, ge=1, le=10_000, description="Số buổi, lượt · sessions, rounds")
    households: int | None = Field(default=None, ge=0, le=1_000_000)
    people: int = Field(ge=0, le=10_000_000, description="Số người · people reached")
    registered: int | None = Field(
        default=None, ge=0, le=10_000_000, description="Trong đó đăng ký nhận qua tài khoản · of these, registered"
    )
    note: Note | None = None


class OutreachView(OutreachForm):
    """One activity."""

    model_config = example(**_EXAMPLE)

    outreach_id: UUID
    unit_name: str | None
    kind_text: Text
    made_by: str
    withdrawn_by: str | None
    withdrawn_why: str | None
    version: int


class OutreachPage(BaseModel):
    """A page of activities."""

    model_config = example(items=[_EXAMPLE], next_cursor=None)

    items: list[OutreachView]
    next_cursor: UUID | None


class OutreachRow(BaseModel):
    """Activities of one kind in one next lower unit; kind null: all kinds."""

    unit_path: str
    unit_name: str | None
    is_total: bool
    kind: OutreachKind | None
    kind_text: Text | None
    entries: int
    sessions: int
    people: int = Field(description="A person told twice counts twice")
    households: int
    registered: int
    units: int = Field(description="Different units that did something")


class OutreachSummary(BaseModel):
    """Counts by unit and kind."""

    model_config = example(rows=[{
        "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "is_total": True, "kind": "MEETING",
        "kind_text": {"vi": "Buổi tuyên truyền trực tiếp", "en": "Meeting"}, "entries": 6, "sessions": 12, "people": 1400, "households": 0,
        "registered": 310, "units": 6}])  # fmt: skip

    rows: list[OutreachRow]


class WithdrawalForm(Form):
    """Why it is taken back."""

    model_config = example(why="Nhập trùng với mục ngày 12/4")

    why: Note


def _view(row: dict[str, Any]) -> OutreachView:
    return OutreachView.model_validate({**row, "kind_text": text(outreach_words(row["kind"]))})


def outreach_router(db: Database) -> APIRouter:
    """`/v1/outreach`."""
    router = APIRouter(prefix="/v1/outreach", tags=["outreach"])
    _reading(router, db)

    @router.post(
        "", status_code=201, response_model=OutreachView, summary="Log an activity · Ghi hoạt động tuyên truyền",
        description="Ghi buổi tuyên truyền, đến nhà, gọi điện …: chỉ ghi số lượng, không ghi tên hay số của người dân."
" Meetings, visits, calls: counts only, no names and no numbers of people.",
    )  # fmt: skip
    async def add(request: Request, actor: Outreacher, form: OutreachForm, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return _view(await outreach.log(tx, actor, form.model_dump()))

        return await created(db, actor, key, "POST /v1/outreach", request, make)

    @router.post(
        "/{outreach_id}/withdrawal", summary="Take an entry back · Rút mục ghi nhầm",
        description="Rút mục ghi nhầm: vẫn thấy nhưng không tính nữa. The entry stays visible and counts no more. Send"
" If-Match.",
    )  # fmt: skip
    async def withdraw(
        actor: Outreacher, outreach_id: UUID, form: WithdrawalForm, response: Response, if_match: IfMatch = None
    ) -> OutreachView:  # fmt: skip
        return tagged(response, _view(await outreach.withdraw(db, actor, outreach_id, version_of(if_match), form.why)))

    return router


def _reading(router: APIRouter, db: Database) -> None:
    @router.get(
        "", summary="The outreach log · Sổ tuyên truyền",
        description="Hoạt động tuyên truyền của đơn vị và cấp dưới giữa hai ngày. With those taken back.",
    )  # fmt: skip
    async def listing(
        actor: Reader, first: First, last: Last, unit_path: UnitQuery = None, kind: OutreachKind | None = None, cursor: Cursor = None,
        limit: Limit = 50,
    ) -> OutreachPage:  # fmt: skip
        rows = await outreach.page(db, actor, unit_path, first, last, kind=kind, after=cursor, limit=limit)
        return OutreachPage(items=[_view(row) for row in rows], next_cursor=next_cursor(rows, limit, "outreach_id"))

    @router.get(
        "/summary", summary="Outreach counted · Tổng hợp tuyên truyền",
        description="Số buổi, số hộ, số người theo đơn vị cấp dưới và hình thức. “12 buổi tại 6 huyện”: `sessions`, `units` of the total.",
    )  # fmt: skip
    async def counted(actor: Reader, first: First, last: Last, unit_path: UnitQuery = None) -> OutreachSummary:
        rows = await outreach.counted(db, actor, unit_path, first, last)
        return OutreachSummary(
            rows=[OutreachRow(**row, kind_text=text(outreach_words(row["kind"])) if row["kind"] else None) for row in rows]
        )

    @router.get(
        "/file", response_class=Response, responses=sheets.RESPONSES, summary="The log as a file · Tải sổ tuyên truyền",
        description="Sổ tuyên truyền dạng CSV hoặc XLSX. As in the list.",
    )  # fmt: skip
    async def file(
        actor: Reader, first: First, last: Last, unit_path: UnitQuery = None, form: Annotated[sheets.Form, Query()] = "xlsx"
    ) -> Response:  # fmt: skip
        async def cells() -> AsyncIterator[tuple[sheets.Cell, ...]]:
            after = None
            while rows := await outreach.page(db, actor, unit_path, first, last, kind=None, after=after, limit=500):
                after = rows[-1]["outreach_id"]
                for row in rows:
                    yield (
                        row["unit_path"], row["unit_name"], outreach_words(row["kind"]).vi, dated(row["held_on"]), row["organiser"],
                        row["topic"], row["sessions"], row["households"], row["people"], row["registered"], row["note"],
                        "x" if row["withdrawn_by"] else "",
                    )  # fmt: skip

        title = f"SỔ TUYÊN TRUYỀN – từ {dated(first)} đến {dated(last)}"
        return sheets.download(form, f"tuyen-truyen-{first}-{last}", sheets.Sheet(_HEADER, [title], "Tuyên truyền"), cells())
