"""Routes of the report before a list is submitted, and of making a list again from its inputs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, paper, sheets
from common.db import Tx
from common.idempotency import IdempotencyKey
from common.months import Month
from common.streams import StreamingResponse
from disbursement.api.common import Cursor, Limit, Maker, Reader, answered, next_cursor
from disbursement.api.settlement_paper import PROGRAMME_NAMES
from disbursement.domain.months import month_text
from disbursement.usecases import precheck, verify_list
from disbursement.usecases.answers import JobView

__all__ = ["router"]

router = APIRouter(prefix="/v1/cycles", tags=["cycles"])
Kind = Literal["NEW", "GONE", "AMOUNT_CHANGED", "ACCOUNT_CHANGED", "SHARED_ACCOUNT", "UNUSUAL_AMOUNT", "UNUSUAL_TOTAL", "MONTHS_WAIT"]
KINDS: Final[dict[str, tuple[str, str]]] = {
    "NEW": ("Mới so với tháng trước", "New since last month"),
    "GONE": ("Không còn so với tháng trước", "Gone since last month"),
    "AMOUNT_CHANGED": ("Thay đổi số tiền", "Amount changed"),
    "ACCOUNT_CHANGED": ("Thay đổi tài khoản, hình thức hoặc người nhận", "Account, way or payee changed"),
    "SHARED_ACCOUNT": ("Một tài khoản nhận cho nhiều người", "One account for several people"),
    "UNUSUAL_AMOUNT": ("Số tiền bất thường (nhiều lần mức trung vị)", "Unusual amount (many times the median)"),
    "MONTHS_WAIT": ("Có tháng chờ bên cạnh các tháng được chi", "Months that wait beside others that are paid"),
    "UNUSUAL_TOTAL": ("Tổng tiền của xã bất thường", "Unusual total of a unit"),
}
_ON_PAPER: Final = 2_000
"""Findings on the printed report at most; the spreadsheet has all."""


class FindingView(BaseModel):
    """Something to look at before submitting."""

    finding_id: UUID
    kind: Kind
    kind_vi: str
    kind_en: str
    beneficiary_id: UUID | None
    file_code: str | None
    name: str | None
    unit_code: str
    unit_path: str
    before: int | None = Field(description="đồng on the list before (UNUSUAL_AMOUNT: the median)")
    now: int | None = Field(description="đồng on this list")
    detail: str | None


class PrecheckView(BaseModel):
    """The report of one list."""

    list_id: UUID
    list_hash: str
    compared_month: Month | None = Field(description="Month of the main list it was compared with; null: there is none before")
    counts: dict[str, int] = Field(description="Findings by kind, of the whole list")
    read_by: str | None
    read_at: datetime | None
    items: list[FindingView]
    next_cursor: str | None


class ReadForm(BaseModel):
    """Which list's report was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    list_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


def _finding(row: Any) -> FindingView:
    vi, en = KINDS[row["kind"]]
    own = {name: row[name] for name in FindingView.model_fields if name not in ("kind_vi", "kind_en")}
    return FindingView(kind_vi=vi, kind_en=en, **own)


def _view(head: Any, rows: list[Any], limit: int) -> PrecheckView:
    month = month_text(head["compared_month"]) if head["compared_month"] else None
    own = {name: head[name] for name in ("list_id", "list_hash", "counts", "read_by", "read_at")}
    cursor = next_cursor([row["finding_id"] for row in rows], limit)
    return PrecheckView(compared_month=month, items=[_finding(row) for row in rows], next_cursor=cursor, **own)


@router.get(
    "/{cycle_id}/precheck",
    summary="Report before submitting",
    description=(
        "Báo cáo kiểm tra trước khi trình: so với danh sách chính kỳ trước (mới, hết, đổi số tiền, đổi tài khoản), một tài khoản cho nhiều "
        "người, số tiền và tổng bất thường. Made with the list and stored with its hash."
    ),
)
async def report(
    request: Request, cycle_id: UUID, actor: Reader, kind: Annotated[Kind | None, Query()] = None, cursor: Cursor = None, limit: Limit = 100
) -> PrecheckView:
    """A page of the report."""
    head, rows = await precheck.report(request.app.state.db, actor, cycle_id, kind=kind, after=cursor, limit=limit)
    return _view(head, rows, limit)


@router.post(
    "/{cycle_id}/precheck/read",
    response_model=PrecheckView,
    summary="Say that the report was read",
    description="Xác nhận đã xem báo cáo kiểm tra của đúng danh sách này. The setting PRECHECK may ask for it before a list is submitted.",
)
async def read(request: Request, cycle_id: UUID, form: ReadForm, actor: Maker, key: IdempotencyKey) -> Response:
    """Mark the report as read."""

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 200, _view(await precheck.mark_read(tx, actor, cycle_id, form.list_hash), [], 1)

    route = f"POST /v1/cycles/{cycle_id}/precheck/read"
    return answered(await idempotency.run(request.app.state.db, actor, key, route, await request.body(), effect))


_COLUMNS: Final = ("Nội dung", "Kind", "Mã hồ sơ", "Họ tên", "Đơn vị", "Trước (đồng)", "Nay (đồng)", "Chi tiết")


@router.get(
    "/{cycle_id}/precheck.xlsx",
    summary="Report before submitting, as a spreadsheet",
    description="Báo cáo kiểm tra dạng bảng tính: mọi nội dung trong phạm vi của bạn. Every finding in your units.",
    response_class=Response,
)
async def spreadsheet(request: Request, cycle_id: UUID, actor: Reader) -> StreamingResponse:
    """The report as XLSX."""
    rows = precheck.findings(request.app.state.db, actor, cycle_id)
    cycle, head = await anext(rows), await anext(rows)
    month = month_text(cycle["month"])
    sheet = sheets.Sheet(_COLUMNS, [f"Kiểm tra danh sách tháng {month}", f"Mã băm {head['list_hash']}"], "Kiểm tra")
    return sheets.download("xlsx", f"kiem-tra-{month}", sheet, _lines(rows))


async def _lines(rows: AsyncIterator[Any]) -> AsyncIterator[Sequence[sheets.Cell]]:
    async for row in rows:
        yield (
            KINDS[row["kind"]][0], row["kind"], row["file_code"], row["name"], row["unit_code"], row["before"], row["now"], row["detail"],
        )  # fmt: skip


async def _first(rows: AsyncIterator[Any], most: int) -> tuple[list[Any], bool]:
    found: list[Any] = []
    async for row in rows:
        if len(found) == most:
            return found, True
        found.append(row)
    return found, False


@router.get(
    "/{cycle_id}/precheck/paper",
    summary="Report before submitting, to print",
    description="Báo cáo kiểm tra để in và ký. A page to print and sign; long reports are cut and say so, the spreadsheet has all.",
    response_class=HTMLResponse,
)
async def printed(
    request: Request, cycle_id: UUID, actor: Reader, on: Annotated[date, Query(description="Date on the paper")]
) -> StreamingResponse:
    """The report as a paper."""
    rows = precheck.findings(request.app.state.db, actor, cycle_id)
    cycle, head = await anext(rows), await anext(rows)
    found, cut = await _first(rows, _ON_PAPER)
    compared = month_text(head["compared_month"]) if head["compared_month"] else "không có"
    body: list[paper.Text | paper.Fields | paper.Table] = [
        paper.Fields([("Mã băm danh sách", head["list_hash"]), ("So với danh sách tháng", compared), ("Phạm vi", cycle["unit_path"])]),
        paper.Table(["Nội dung", "Số trường hợp"], [(KINDS[kind][0], count) for kind, count in sorted(head["counts"].items())]),
        paper.Table(
            ["Nội dung", "Mã hồ sơ", "Họ tên", "Đơn vị", "Trước", "Nay", "Chi tiết"],
            [
                (KINDS[row["kind"]][0], row["file_code"] or "", row["name"] or "", row["unit_code"],
                 "" if row["before"] is None else row["before"], "" if row["now"] is None else row["now"], row["detail"] or "")
                for row in found
            ],
        ),
    ]  # fmt: skip
    if cut:
        body.append(paper.Text(f"Chỉ in {_ON_PAPER} trường hợp đầu; bảng tính có đầy đủ."))
    return paper.answer(
        paper.Paper(
            title="Kiểm tra danh sách chi trả trước khi trình",
            subtitle=f"Tháng {cycle['month']:%m/%Y} · {PROGRAMME_NAMES.get(cycle['programme'], cycle['programme'])}",
            authority="CƠ QUAN CHI TRẢ",
            number="",
            place_and_date=f"Ngày {on:%d} tháng {on:%m} năm {on:%Y}",
            body=body,
            signatures=[paper.Signature("NGƯỜI LẬP", name=head["read_by"] or ""), paper.Signature("NGƯỜI KIỂM TRA")],
        )
    )


@router.post(
    "/{cycle_id}/verify-list",
    status_code=202,
    response_model=JobView,
    summary="Make the list again from its cut-off",
    description=(
        "Lập lại danh sách từ dữ liệu đã chốt và so mã băm. A job whose result says: the stored lines' hash, whether the kept inputs are "
        "untouched, the hash of the list made of them again, and whether all agree. Also `./ansinh verify-list CYCLE`."
    ),
)
async def verify(request: Request, cycle_id: UUID, actor: Reader, key: IdempotencyKey) -> Response:
    """Queue the verification."""

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        return 202, await verify_list.request_verification(tx, actor, cycle_id)

    route = f"POST /v1/cycles/{cycle_id}/verify-list"
    return answered(await idempotency.run(request.app.state.db, actor, key, route, await request.body(), effect))
