"""Statutory reports: layouts, what is due, freeze, read as JSON, CSV, XLSX, PDF or a page, hand over, make again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import RowMapping

from common import paper, pdf, sheets
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from reporting.api.paper_text import paper as on_paper
from reporting.api.paper_text import period_of_head, sheet, sheet_rows
from reporting.api.papers_schemas import (
    Addressed,
    BasisView,
    BudgetView,
    CalendarRow,
    CalendarView,
    ColumnView,
    DueView,
    FreezeForm,
    FrozenPage,
    FrozenView,
    HandedOver,
    HandOverForm,
    LayoutsView,
    LayoutView,
    PreviewView,
    RowView,
)
from reporting.api.parts import BusinessDate, Cursor, Limit, Officer, Reader, UnitQuery, created, text
from reporting.api.schemas import JobAccepted
from reporting.domain.addressing import Letter
from reporting.domain.indicators import group_words
from reporting.domain.states import reason_words, source_words, state_words
from reporting.domain.statutory import Layout
from reporting.settings import Settings
from reporting.storage.statutory import layouts, newest
from reporting.usecases import papers, statutory_again
from reporting.usecases.reports import unit_for

__all__ = ["papers_router"]

_MAKERS: Final = (Role.DEPARTMENT_OFFICER, Role.AUDITOR, Role.OPERATOR)
Checker = Annotated[Actor, Depends(require(*_MAKERS))]
Code = Annotated[str, Query(max_length=60, description="Mã báo cáo · code of the layout", examples=["directive-21-monthly"])]
PeriodQuery = Annotated[str, Query(description="Tháng đầu kỳ · first month of the period, YYYY-MM", examples=["2024-09"])]
UnitsOn = Annotated[date | None, Query(description="Địa giới của ngày · the tree of units of that day; default: the period's last day")]
FileForm = Literal["pdf", "html", "xlsx", "csv"]
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"application/pdf": {}, "text/html": {}, **{kind: {} for kind in sheets.MEDIA.values()}},
        "description": "PDF, a page to print, XLSX or CSV (UTF-8 with BOM)",
    }
}


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _layout(one: Layout) -> LayoutView:
    return LayoutView(
        code=one.code, version=one.version, digest=one.digest, title=text(one.title), period=one.period, source=one.source,
        form_number=one.form_number, groups=list(one.groups), to_ministry=one.to_ministry,
        columns=[ColumnView(key=c.key, name=text(c.words), kind=c.kind, figure=c.figure, share_bp=c.share_bp) for c in one.columns],
        due=[
            DueView(who=d.who, name=text(d.words), months=d.months, day=d.day, before=d.strict, since=d.since, until=d.until)
            for d in one.dues
        ],
        basis=[BasisView(vi=b.vi, en=b.en, read=b.read) for b in one.basis], open=[text(words) for words in one.open],
        budget=[BudgetView(vi=b.words.vi, en=b.words.en, since=b.since, until=b.until) for b in one.budget],
    )  # fmt: skip


def _frozen(head: Any, letters: Sequence[Letter], rows: Any = None) -> FrozenView:
    layout = layouts()[head["layout"], head["layout_version"]]
    same = ("report_id", "layout", "layout_version", "edition", "unit_path", "unit_name", "units_on", "business_date", "log_seq",
            "frozen_at", "digest", "row_count", "frozen_by")  # fmt: skip
    return FrozenView(
        **{name: head[name] for name in same}, title=text(layout.title), period_first=_month(head["period_first"]),
        period_last=_month(head["period_last"]), period=text(period_of_head(layout, head).label),
        addressees=[
            Addressed(**one, to=list(letter.to)) for one, letter in zip(head["addressees"] if letters else [], letters, strict=True)
        ],
        handed_over=[HandedOver.model_validate(one) for one in head["handed_over"]],
        rows=None if rows is None else [RowView(**row) for row in rows],
    )  # fmt: skip


def papers_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/papers/…`."""
    router = APIRouter(prefix="/v1/papers", tags=["statutory reports"])
    _add_what_is_due(router, db)
    _add_freezing(router, db)
    _add_unpaid(router, db)
    _add_reading(router, db)
    return router


def _add_what_is_due(router: APIRouter, db: Database) -> None:
    @router.get(
        "/layouts",
        summary="Các báo cáo theo quy định · Statutory reports",
        description="Cột, chỉ tiêu, hạn nộp, căn cứ và điều còn bỏ ngỏ của từng báo cáo. Layouts are data: columns, figures, due days, "
        "what each rests on, and what is open. A form number that is not known is empty, never invented.",
    )
    async def all_layouts(_actor: Reader) -> LayoutsView:
        return LayoutsView(layouts=[_layout(one) for one in newest().values()])

    @router.get(
        "/calendar",
        summary="Lịch nộp báo cáo của đơn vị, báo cáo nào trễ · What a unit has to hand over, and what is late",
        description="Mỗi báo cáo đơn vị này phải nộp: kỳ sắp đến hạn và hai kỳ trước, hạn, đã nộp ngày nào, trễ mấy ngày; không hỏi kỳ "
        "trước kỳ chi trả đầu tiên. Of each report that is this unit's own to hand over: the coming period and the two before, by when, "
        "handed over on which day, days late; nothing from before the unit's first payment cycle.",
    )
    async def due_calendar(actor: Reader, on: BusinessDate, unit_path: UnitQuery = None) -> CalendarView:
        states = await papers.calendar(db, actor, unit_path, on)
        rows = [
            CalendarRow(
                layout=one.layout.code, title=text(one.layout.title), period=text(one.period.label), period_first=_month(one.period.first),
                who=one.due.who, who_text=text(one.due.words), due_on=one.day, before=one.due.strict, state=one.state,
                days_late=one.days_late, report_id=one.report_id, handed_on=one.handed_on, reference=one.reference,
            )
            for one in states
        ]  # fmt: skip
        return CalendarView(unit_path=unit_for(actor, unit_path), on=on, rows=rows)


def _add_freezing(router: APIRouter, db: Database) -> None:
    @router.get(
        "/preview",
        summary="Xem trước báo cáo theo số liệu lúc này · The report as it would be frozen now",
        description="Không lưu gì. Nothing is kept. `units_on` tells an old month by the units of a later day, or the other way round; "
        "totals stay the same, and who cannot be placed has a row of their own.",
    )
    async def preview(
        actor: Reader, layout: Code, period: PeriodQuery, business_date: BusinessDate, unit_path: UnitQuery = None, units_on: UnitsOn = None
    ) -> PreviewView:
        wanted = papers.wanted_of(actor, layout, period, unit_path, units_on, business_date)
        name, rows = await papers.preview(db, actor, wanted)
        return PreviewView(layout=layout, unit_path=wanted.unit_path, unit_name=name, rows=[RowView(**row) for row in rows])

    @router.post(
        "",
        status_code=201,
        response_model=FrozenView,
        summary="Cố định báo cáo · Freeze a report",
        description="Lưu báo cáo với số liệu của một thời điểm: số nhật ký, phiên bản biểu, SHA-256; không sửa được về sau, lập lại thì "
        "thành lần mới. Kept with its figures as of one number of the event log, never changed; freezing again makes a new edition.",
    )
    async def freeze(request: Request, form: FreezeForm, actor: Officer, key: IdempotencyKey) -> Response:
        wanted = papers.wanted_of(actor, form.layout, form.period, form.unit_path, form.units_on, form.business_date)

        async def make(tx: Tx) -> BaseModel:
            made = await papers.freeze(tx, actor, wanted)
            return _frozen(made.head, made.letters, made.rows)

        return await created(db, actor, key, "POST /v1/papers", request, make)

    @router.post(
        "/{report_id}/handed-over",
        summary="Ghi nhận đã nộp báo cáo · Note that a report was handed over",
        description="Ai nộp, ngày nào, số văn bản. Who, when, under which number; each step once. Late days follow from the due day.",
    )
    async def hand_over(report_id: UUID, form: HandOverForm, actor: Officer) -> FrozenView:
        done = await papers.hand_over(db, actor, report_id, form.who, form.handed_on, form.reference)
        return _frozen(done.head, done.letters, done.rows)

    @router.post(
        "/{report_id}/again",
        status_code=202,
        summary="Lập lại báo cáo từ nhật ký để đối chiếu · Make a report again from the log and compare",
        description="Tính lại từ nhật ký sự kiện đến đúng số đã cố định, so SHA-256 và từng ô; kết quả ở công việc. A job: read models are "
        "made afresh up to the report's number in the log, and the result says whether the digest is the same.",
    )
    async def again(report_id: UUID, actor: Checker, business_date: BusinessDate) -> JobAccepted:
        return JobAccepted(job_id=await statutory_again.request_again(db, actor, report_id, business_date))


_UNPAID: Final = (
    "Tổ chức chi trả", "Nhóm", "Nguồn", "Mã đơn vị", "Mã hồ sơ", "Họ và tên", "Số tiền", "Trả cho tháng", "Tình trạng", "Lý do",
    "Mã tham chiếu",
)  # fmt: skip


def _as_written(month: str) -> str:
    """'2024-09' → '09/2024'."""
    return f"{month[5:7]}/{month[:4]}"


async def _unpaid_rows(rows: AsyncIterator[RowMapping]) -> AsyncIterator[list[sheets.Cell]]:
    async for row in rows:
        yield [
            row["partner"], group_words(row["programme"]).vi, source_words(row["funding_source"]).vi, row["unit_path"], row["file_code"],
            row["full_name"], row["amount"], ", ".join(_as_written(one) for one in row["months"]), state_words(row["status"]).vi,
            reason_words(row["reason"]).vi, row["reference"],
        ]  # fmt: skip


def _add_unpaid(router: APIRouter, db: Database) -> None:
    @router.get(
        "/unpaid-list",
        response_class=Response,
        responses=sheets.RESPONSES,
        summary="Danh sách chưa trả của tổ chức chi trả · Who was not paid by the payment organisations",
        description="Kèm báo cáo trước ngày 20: người chưa trả, tiền còn lại, lý do; không có số định danh, số tài khoản; mỗi lần lấy đều "
        "ghi nhật ký. With the report before the 20th: who was not paid, the money left, why. No numbers of people or accounts; audited.",
    )
    async def unpaid(
        actor: Officer,
        month: Annotated[str, Query(description="Tháng · month, YYYY-MM", examples=["2024-09"])],
        unit_path: UnitQuery = None,
        partner: Annotated[str | None, Query(max_length=40, description="Only this partner")] = None,
        form: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx",
    ) -> Response:
        unit = await papers.unpaid_asked(db, actor, month, unit_path, partner)
        sheet = sheets.Sheet(_UNPAID, (f"Danh sách chưa trả tháng {_as_written(month)}, đơn vị {unit}",), "Chưa trả")
        return sheets.download(form, f"chua-tra-{month}", sheet, _unpaid_rows(papers.each_unpaid(db, actor, month, unit, partner)))


def _add_reading(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Các báo cáo đã cố định · Frozen reports",
        description="Của đơn vị mình và cấp dưới, mới nhất trước. Of your units, newest first; follow `next_cursor`.",
    )
    async def listed(
        actor: Reader,
        layout: Annotated[str | None, Query(max_length=60)] = None,
        period: Annotated[str | None, Query(max_length=7)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> FrozenPage:
        rows = await papers.list_frozen(db, actor, layout, period, cursor, limit)
        return FrozenPage(
            items=[_frozen(row, letters) for row, letters in rows], next_cursor=rows[-1][0]["report_id"] if len(rows) == limit else None
        )

    @router.get(
        "/{report_id}",
        summary="Một báo cáo đã cố định · One frozen report",
        description="Số liệu như lúc cố định, kể cả khi đã có tin mới. The figures as they were frozen, whatever was heard since.",
    )
    async def one(report_id: UUID, actor: Reader) -> FrozenView:
        found = await papers.open_report(db, actor, report_id)
        return _frozen(found.head, found.letters, found.rows)

    @router.get(
        "/{report_id}/file",
        response_class=Response,
        responses=_FILES,
        summary="Báo cáo thành tệp PDF, XLSX, CSV hoặc trang in · The report as a file",
        description="PDF và trang in theo thể thức văn bản, mỗi bộ nhận nhóm của mình (`addressee` 0, 1 …); XLSX, CSV đủ mọi nhóm. PDF and "
        "page to one addressee each; the tables hold all groups.",
    )
    async def as_file(
        report_id: UUID,
        actor: Reader,
        form: Annotated[FileForm, Query(description="pdf, html, xlsx or csv")] = "pdf",
        addressee: Annotated[int, Query(ge=0, le=9, description="Which of the competent ministries, in the report's order")] = 0,
    ) -> Response:
        found = await papers.open_report(db, actor, report_id)
        name = f"{found.head['layout']}-{_month(found.head['period_first'])}-{found.head['unit_path'].replace('/', '-')}"
        if form in ("xlsx", "csv"):
            return sheets.download(form, name, sheet(found), sheet_rows(found.layout, papers.each_row(db, actor, report_id)))
        try:
            made = on_paper(found, addressee)
        except IndexError as error:
            raise NotFound("The report has no such addressee") from error
        several = f"-{addressee + 1}" if len(found.letters) > 1 else ""
        return pdf.answer(made, name + several) if form == "pdf" else paper.answer(made)
