"""Shadow months: the office's own list beside ours, before a unit goes live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from common import idempotency, sheets
from common.auth import Actor
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.months import Month
from common.problems import NotFound
from common.streams import StreamingResponse
from disbursement.api.common import Checker, Cursor, Limit, Maker, Reader, answered
from disbursement.domain.months import first_day, month_text
from disbursement.domain.shadow import KINDS, DifferenceKind, explain
from disbursement.settings import Settings
from disbursement.storage import shadows
from disbursement.usecases import shadow

__all__ = ["BODY_LIMITS", "make_router"]

BODY_LIMITS: Final = {"/v1/shadow-months": 20 * 1024 * 1024}
"""Bytes: 60,000 rows as XLSX are about 6 MB."""

_AT_ONCE: Final = 2_000
_HEADER: Final = (
    "STT", "Dòng trong tệp", "Mã hồ sơ", "Họ và tên", "Họ tên trong tệp", "Đơn vị", "Loại chênh lệch", "Số tiền hệ thống", "Số tiền đơn vị",
    "Hình thức hệ thống", "Hình thức đơn vị", "TK hệ thống (4 số cuối)", "TK đơn vị (4 số cuối)", "Tháng", "Giải thích", "Explanation",
)  # fmt: skip


class ShadowView(BaseModel):
    """One comparison. `list_hash` is that of the list we would make."""

    shadow_id: UUID
    unit_code: str
    unit_path: str
    programme: str
    funding_source: str
    month: str
    business_date: date
    file_name: str
    list_hash: str
    figures: dict[str, int] = Field(description="rows, theirs_amount, ours, ours_amount, held, same, differences")
    state: str = Field(description="COMPARED, PROPOSED, SIGNED or REFUSED")
    compared_by: str
    compared_at: datetime
    first_month: str | None
    take_over_id: UUID | None
    take_over_state: str | None
    note: str | None
    proposed_by: str | None
    decided_by: str | None
    decision_note: str | None


class SummaryRow(BaseModel):
    """Differences of one unit, kind and reason; đồng on both sides."""

    unit_code: str
    kind: DifferenceKind
    kind_vi: str
    kind_en: str
    why: str
    people: int
    ours_amount: int
    theirs_amount: int


class ShadowDetail(ShadowView):
    """A comparison with its differences by unit and reason."""

    summary: list[SummaryRow]


class ShadowPage(BaseModel):
    """A page of comparisons."""

    items: list[ShadowView]
    next_cursor: UUID | None


class DifferenceView(BaseModel):
    """One difference, explained."""

    number: int
    kind: DifferenceKind
    why: str
    vi: str
    en: str
    beneficiary_id: UUID | None
    row_no: int | None = Field(description="Row of the office's file, from 1")
    file_code: str | None
    full_name: str
    theirs_name: str | None
    unit_code: str
    ours_amount: int | None
    theirs_amount: int | None
    ours_method: str | None
    theirs_method: str | None
    ours_last4: str | None
    theirs_last4: str | None
    months: list[str] | None = Field(description="Months of our amount")
    basis: str | None = Field(description="Our amount: benefit line, month, đồng, legal basis")


class DifferencePage(BaseModel):
    """Differences in order of unit and name."""

    items: list[DifferenceView]
    next_cursor: int | None


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GoLiveForm(_Form):
    """The differences are understood: pay through the platform from a month on."""

    first_month: Month = Field(examples=["2024-10"])
    note: str = Field(min_length=5, max_length=2000, examples=["12 chênh lệch, đã làm rõ từng trường hợp với xã"])
    business_date: date = Field(examples=["2024-09-20"])


class SignOffForm(_Form):
    """The second person's word on what they looked at."""

    approve: bool
    list_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    note: str = Field(min_length=5, max_length=2000)


def _view(row: Any) -> dict[str, Any]:
    first = row["first_month"]
    return {**row, "month": month_text(row["month"]), "first_month": month_text(first) if first else None}


async def _detail(tx: Tx, actor: Actor, shadow_id: UUID) -> ShadowDetail:
    row = await shadows.by_id(tx, actor, shadow_id)
    if row is None:
        raise NotFound("No such comparison")
    found = [
        {**item, "kind_vi": KINDS[DifferenceKind(item["kind"])][0], "kind_en": KINDS[DifferenceKind(item["kind"])][1]}
        for item in await shadows.summary(tx, shadow_id)
    ]
    return ShadowDetail.model_validate({**_view(row), "summary": found})


def _difference(row: RowMapping) -> DifferenceView:
    vi, en = explain(dict(row))
    months = [month_text(month) for month in row["months"]] if row["months"] else None
    return DifferenceView.model_validate({**row, "vi": vi, "en": en, "months": months})


def make_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/shadow-months`."""
    router = APIRouter(prefix="/v1/shadow-months", tags=["shadow-months"])

    @router.post(
        "",
        status_code=201,
        summary="Compare the office's list of a month with ours",
        description="Chạy song song: nộp bảng chi trả của đơn vị (CSV, XLSX) và đối chiếu từng dòng với danh sách hệ thống sẽ lập. Every"
        " difference is explained; nothing is paid and nothing of the trial list stays.",
    )
    async def compare(
        actor: Maker,
        file: Annotated[UploadFile, File(description="The office's own spreadsheet; dossier code, name, amount, way of payment, account")],
        unit_code: Annotated[str, Form(min_length=2, max_length=8, pattern=r"^\d+$")],
        programme: Annotated[Programme, Form()],
        funding_source: Annotated[str, Form(min_length=2, max_length=40)],
        month: Annotated[str, Form(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", examples=["2024-09"])],
        business_date: Annotated[date, Form(examples=["2024-09-20"])],
    ) -> ShadowDetail:
        asked = shadow.Asked(unit_code, programme, funding_source, first_day(month), business_date)
        shadow_id = await shadow.compare_month(db, actor, settings, asked, file.filename or "", await file.read())
        async with db.read(actor) as tx:
            return await _detail(tx, actor, shadow_id)

    _reading(router, db)
    _go_live(router, db)
    return router


def _reading(router: APIRouter, db: Database) -> None:
    """Comparisons and their differences."""

    @router.get("", summary="Comparisons", description="Các lần chạy song song trong phạm vi của bạn. Comparisons in your units.")
    async def listing(actor: Reader, cursor: Cursor = None, limit: Limit = 50) -> ShadowPage:
        async with db.read(actor) as tx:
            rows = await shadows.page(tx, actor, after=cursor, limit=limit + 1)
        items = [ShadowView.model_validate(_view(row)) for row in rows[:limit]]
        return ShadowPage(items=items, next_cursor=items[-1].shadow_id if len(rows) > limit else None)

    @router.get(
        "/{shadow_id}",
        summary="One comparison",
        description="Một lần chạy song song, tổng hợp theo đơn vị và lý do. One comparison, added up by unit and reason.",
    )
    async def one(actor: Reader, shadow_id: UUID) -> ShadowDetail:
        async with db.read(actor) as tx:
            return await _detail(tx, actor, shadow_id)

    @router.get(
        "/{shadow_id}/differences",
        summary="Every difference, explained",
        description="Từng chênh lệch kèm giải thích: tháng, khoản, căn cứ của hệ thống; lý do tạm giữ. Line by line.",
    )
    async def differences(
        actor: Reader, shadow_id: UUID, kind: DifferenceKind | None = None, cursor: int = 0, limit: Limit = 100
    ) -> DifferencePage:
        async with db.read(actor) as tx:
            if await shadows.by_id(tx, actor, shadow_id) is None:
                raise NotFound("No such comparison")
            rows = await shadows.differences(tx, shadow_id, kind=kind, after=cursor, limit=limit + 1)
        items = [_difference(row) for row in rows[:limit]]
        return DifferencePage(items=items, next_cursor=items[-1].number if len(rows) > limit else None)

    @router.get(
        "/{shadow_id}/download",
        summary="The differences as a file",
        description="Tải bảng chênh lệch (CSV hoặc XLSX) để làm việc với xã. Amounts, ways of payment, last four digits, explanation.",
        response_class=StreamingResponse,
        responses=sheets.RESPONSES,
    )
    async def download(actor: Reader, shadow_id: UUID, form: Annotated[sheets.Form, Query()] = "xlsx") -> StreamingResponse:
        async with db.read(actor) as tx:
            row = await shadows.by_id(tx, actor, shadow_id)
        if row is None:
            raise NotFound("No such comparison")
        name = f"shadow-{row['unit_code']}-{month_text(row['month'])}"
        return sheets.download(form, name, sheets.Sheet(_HEADER, name="Chênh lệch"), _rows(db, actor, shadow_id))


def _go_live(router: APIRouter, db: Database) -> None:
    """Proposing the go-live, and signing it off."""

    @router.post(
        "/{shadow_id}/go-live",
        response_model=ShadowDetail,
        summary="Propose the go-live",
        description="Đề nghị tiếp nhận đơn vị từ một tháng, sau khi đã làm rõ chênh lệch. Makes the take-over that a second person signs.",
    )
    async def propose(request: Request, actor: Maker, shadow_id: UUID, form: GoLiveForm, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            await shadow.propose_go_live(tx, actor, shadow_id, first_day(form.first_month), form.note, form.business_date)
            return 200, await _detail(tx, actor, shadow_id)

        return answered(await idempotency.run(db, actor, key, f"POST /v1/shadow-months/{shadow_id}/go-live", await request.body(), effect))

    @router.post(
        "/{shadow_id}/go-live/decision",
        response_model=ShadowDetail,
        summary="Sign the go-live off",
        description="Người thứ hai ký duyệt việc tiếp nhận trên bản đối chiếu đã xem (mã băm). Approves the unit's first platform month.",
    )
    async def decide(request: Request, actor: Checker, shadow_id: UUID, form: SignOffForm, key: IdempotencyKey) -> Response:
        async def effect(tx: Tx) -> tuple[int, BaseModel]:
            await shadow.decide_go_live(tx, actor, shadow_id, form.note, form.list_hash, approve=form.approve)
            return 200, await _detail(tx, actor, shadow_id)

        route = f"POST /v1/shadow-months/{shadow_id}/go-live/decision"
        return answered(await idempotency.run(db, actor, key, route, await request.body(), effect))


async def _rows(db: Database, actor: Actor, shadow_id: UUID) -> AsyncIterator[Sequence[sheets.Cell]]:
    after = 0
    while True:
        async with db.read(actor) as tx:
            rows = await shadows.differences(tx, shadow_id, kind=None, after=after, limit=_AT_ONCE)
        if not rows:
            return
        for row in rows:
            yield _cells(_difference(row))
        after = rows[-1]["number"]


def _cells(item: DifferenceView) -> Sequence[str | int | None]:
    return (
        item.number, item.row_no, item.file_code, item.full_name, item.theirs_name, item.unit_code, KINDS[item.kind][0], item.ours_amount,
        item.theirs_amount, item.ours_method, item.theirs_method, item.ours_last4, item.theirs_last4, ", ".join(item.months or ()), item.vi,
        item.en,
    )  # fmt: skip
