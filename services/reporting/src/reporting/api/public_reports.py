"""Published figures: publish with a role; read without signing in, as JSON, CSV or a page. No personal data, small cells hidden."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from common import paper, sheets
from common.auth import Actor, Role, require
from common.clock import VIETNAM
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.paper import Fields, Paper, Table
from common.paper import Text as Paragraph
from reporting.api.parts import Form, UnitPath, created, example
from reporting.domain.indicators import group_words
from reporting.settings import Settings
from reporting.usecases import public_reports

__all__ = ["PUBLIC", "public_pages_router", "public_router"]

PUBLIC: Final = ("/v1/public/",)
"""Served to anybody: what a role has published, and nothing else."""

Publisher = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
Province = Annotated[str, Path(pattern=r"^[0-9]{2}$", description="Mã tỉnh · province code", examples=["60"])]
Month = Annotated[str, Path(pattern=r"^\d{4}-\d{2}$", description="Tháng · month", examples=["2024-09"])]
_ROW: Final[dict[str, Any]] = {
    "group": "MERIT", "group_name": "Người có công với cách mạng", "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "is_total": True,
    "due_people": 9137, "by_account_people": 3728, "other_people": 5409, "by_account_rate": "40.8", "by_account_dong": 10397392000,
    "in_cash_dong": 15085701000,
}  # fmt: skip
_VIEW: Final[dict[str, Any]] = {
    "month": "2024-09", "unit_path": "60", "unit_name": "Tỉnh Bình Thuận", "edition": 1, "threshold": 5, "hidden": "null", "rows": [_ROW],
    "published_at": "2024-10-08T02:00:00Z", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}  # fmt: skip
_HIDDEN: Final = "*"


class PublicRow(BaseModel):
    """One group in one unit. Null: hidden, too few people or needed to protect another cell."""

    model_config = example(**_ROW)

    group: str
    group_name: str
    unit_path: str
    unit_name: str
    is_total: bool
    due_people: int | None = Field(description="People to be paid in the month")
    by_account_people: int | None = Field(description="Of these paid by account, wallet or mobile money")
    other_people: int | None = Field(description="All others: paid in cash, or not yet paid")
    by_account_rate: str | None = Field(description="Percent, half-up, one decimal")
    by_account_dong: int | None = Field(description="Hidden too where few people got it")
    in_cash_dong: int | None = Field(description="Paid in cash; hidden too where few people got it, however many others there are")


class PublicView(BaseModel):
    """What is published of a month."""

    model_config = example(**_VIEW)

    month: str
    unit_path: str
    unit_name: str
    edition: int
    threshold: int = Field(description="Fewer people than this are not shown")
    published_at: datetime
    digest: str
    hidden: str = Field(default="null", description="How a hidden figure looks")
    rows: list[PublicRow]


class PublicMonth(BaseModel):
    """A published month."""

    model_config = example(month="2024-09", unit_path="60", unit_name="Tỉnh Bình Thuận", edition=1, published_at="2024-10-08T02:00:00Z")

    month: str
    unit_path: str
    unit_name: str
    edition: int
    published_at: datetime


class PublicMonths(BaseModel):
    """What is published, newest first."""

    items: list[PublicMonth]


class PublishForm(Form):
    """Which month to publish."""

    model_config = example(month="2024-09", unit_path="60", business_date="2024-10-08")

    month: str = Field(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", examples=["2024-09"])
    unit_path: UnitPath | None = Field(default=None, description="A whole province; default: your only unit")
    business_date: date = Field(description="After the month's end")


def _view(row: RowMapping) -> PublicView:
    return PublicView(
        month=f"{row['month']:%Y-%m}",
        rows=[PublicRow(**one, group_name=group_words(one["group"]).vi) for one in row["rows"]],
        **{name: row[name] for name in ("unit_path", "unit_name", "edition", "threshold", "published_at", "digest")},
    )


_HEADER: Final = (
    "Nhóm",
    "Mã đơn vị",
    "Đơn vị",
    "Số người phải trả",
    "Qua tài khoản",
    "Còn lại",
    "Tỷ lệ %",
    "Qua tài khoản (đồng)",
    "Tiền mặt (đồng)",
)


def _cells(row: PublicRow) -> list[str | int]:
    figures = (row.due_people, row.by_account_people, row.other_people, row.by_account_rate, row.by_account_dong, row.in_cash_dong)
    return [_HIDDEN if figure is None else figure.replace(".", ",") if isinstance(figure, str) else figure for figure in figures]


def _note(view: PublicView) -> str:
    return (
        f"Dấu {_HIDDEN}: số liệu dưới {view.threshold} người hoặc được ẩn để không suy ra số đó · {_HIDDEN}: fewer than {view.threshold} "
        "people, or hidden so that such a figure cannot be computed"
    )


def _csv(view: PublicView) -> Response:
    rows = [[row.group_name, row.unit_path, row.unit_name, *_cells(row)] for row in view.rows]
    sheet = sheets.Sheet(_HEADER, (f"Kết quả chi trả tháng {view.month} – {view.unit_name}", _note(view)))
    about = {"Content-Disposition": f'attachment; filename="cong-khai-{view.unit_path}-{view.month}.csv"'}
    return Response(sheets.written("csv", sheet, rows), media_type=sheets.MEDIA["csv"], headers=about)


def _page(view: PublicView) -> Paper:
    """Narrow tables, one after another: people, then money of each group, so that a telephone shows them whole."""
    month, on = date.fromisoformat(view.month + "-01"), view.published_at.astimezone(VIETNAM)
    body: list[Paragraph | Fields | Table] = []
    for group, name in dict.fromkeys((row.group, row.group_name) for row in view.rows):
        rows = [(row.unit_name + (" (cộng)" if row.is_total else ""), _cells(row)) for row in view.rows if row.group == group]
        body += [
            Paragraph(f"{name} · {group_words(group).en}"),
            Table(["Đơn vị", "Phải trả", "Qua tài khoản", "Còn lại", "Tỷ lệ %"], [[unit, *cells[:4]] for unit, cells in rows]),
            Table(["Đơn vị", "Qua tài khoản (đồng)", "Tiền mặt (đồng)"], [[unit, *cells[4:]] for unit, cells in rows]),
        ]
    return Paper(
        title="Công khai kết quả chi trả trợ cấp hằng tháng",
        subtitle=f"Tháng {month.month} năm {month.year} · Monthly allowances paid, public figures",
        authority=f"UBND {view.unit_name.upper()}",
        body=[
            *body,
            Paragraph(_note(view)),
            Paragraph(f"Công bố lần {view.edition}, {on:%d/%m/%Y}. Không có dữ liệu cá nhân · No personal data."),
        ],
    )


def public_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/public-reports` to publish, `/v1/public/…` to read."""
    router = APIRouter(prefix="/v1", tags=["public figures"])

    @router.post(
        "/public-reports",
        status_code=201,
        response_model=PublicView,
        summary="Công bố số liệu một tháng · Publish a month's figures",
        description="Cả tỉnh, sau khi hết tháng; ô ít người được ẩn, kể cả ô dùng để suy ra ô ẩn; công bố lại thành lần mới. A whole "
        "province, once the month is over. Small cells are hidden, and as many others as it takes that none can be computed.",
    )
    async def publish(request: Request, form: PublishForm, actor: Publisher, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return _view(
                await public_reports.publish(tx, actor, form.month, form.unit_path, form.business_date, settings.public_small_cell)
            )

        return await created(db, actor, key, "POST /v1/public-reports", request, make)

    @router.get(
        "/public/months",
        summary="Các tháng đã công bố · Published months",
        description="Không cần đăng nhập. No sign-in; newest first.",
    )
    async def months(limit: Annotated[int, Query(ge=1, le=200)] = 60) -> PublicMonths:
        rows = await public_reports.published_months(db, limit)
        return PublicMonths(items=[PublicMonth(**dict(row) | {"month": f"{row['month']:%Y-%m}"}) for row in rows])

    @router.get(
        "/public/{province}/{month}",
        response_model=PublicView,
        responses={200: {"content": {"text/csv": {}}, "description": "Published figures"}},
        summary="Số liệu công khai của một tháng · A month's public figures",
        description="Không cần đăng nhập, không có dữ liệu cá nhân; ô ẩn là null. No sign-in, no personal data; hidden cells are null.",
    )
    async def one(request: Request, province: Province, month: Month, form: Annotated[Literal["json", "csv"], Query()] = "json") -> Any:
        view = _view(await public_reports.published(db, province, month))
        tag = f'"{view.digest[:32]}-{form}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        answer = _csv(view) if form == "csv" else Response(view.model_dump_json(), media_type="application/json")
        answer.headers.update({"ETag": tag, "Cache-Control": "public, max-age=300"})
        return answer

    return router


def public_pages_router(db: Database) -> APIRouter:
    """`/pages/public/…`: the same as a page that needs no script."""
    router = APIRouter(include_in_schema=False)

    @router.get("/pages/public/{province}/{month}")
    async def page(province: Province, month: Month) -> Response:
        return paper.answer(_page(_view(await public_reports.published(db, province, month))))

    return router
