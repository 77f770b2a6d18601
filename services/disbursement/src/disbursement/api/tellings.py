"""Who was told of what: SMS, printed lists and the signed copies of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, paper
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.etags import IfMatch, version_of
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from common.purposes import Purpose
from disbursement.api.common import Cursor, Limit, Reader, answered
from disbursement.api.telling_paper import telling_paper
from disbursement.domain.telling import OCCASION_TEXTS, STATE_TEXTS, Occasion, Route, TellingState
from disbursement.storage import tellings
from disbursement.usecases import tell
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["BODY_LIMITS", "routers"]

BODY_LIMITS: Final = {"/v1/telling-sheets": 12 * 1024 * 1024}
"""Bytes: a scan of a commune's signed list."""

router = APIRouter(prefix="/v1", tags=["tellings"])
_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
Officer = Annotated[Actor, Depends(require(*_OFFICERS))]
Proofs = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR))]


class TellingView(BaseModel):
    """One person and one thing they are told of. `other_payee`: somebody else is paid for them."""

    telling_id: UUID
    cycle_id: UUID
    beneficiary_id: UUID
    payment_id: UUID | None
    hold_id: UUID | None
    occasion: Occasion
    occasion_vi: str
    occasion_en: str
    route: Route
    state: TellingState
    state_vi: str
    state_en: str
    beneficiary_name: str
    file_code: str | None
    payee_name: str | None
    other_payee: bool
    month: str
    amount: int
    unit_code: str
    unit_path: str
    text: str | None = Field(description="The SMS as it was sent; telephone numbers are not shown")
    sends: int
    error: str | None
    sent_at: datetime | None
    told_at: datetime | None
    sheet_id: UUID | None


class TellingPage(BaseModel):
    """A page of tellings."""

    items: list[TellingView]
    next_cursor: UUID | None


class SummaryRow(BaseModel):
    """People of one unit, occasion, way and state; of them, where somebody else is paid."""

    unit_path: str
    occasion: Occasion
    route: Route
    state: TellingState
    people: int
    other_payee: int


class Summary(BaseModel):
    """How far the telling of a cycle is. Told: DELIVERED and HANDED_OVER."""

    cycle_id: UUID
    people: int
    told: int
    rows: list[SummaryRow]


class SheetForm(BaseModel):
    """Which unit's people to print."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"unit_code": "22924", "business_date": "2024-09-10"}})

    unit_code: str = Field(min_length=2, max_length=8, pattern=r"^\d+$")
    business_date: date


class ReplacedProof(BaseModel):
    """A signed copy that another one took the place of, and why."""

    version: int = Field(description="Of the list while this copy stood: GET …/proof?version= reads it")
    handed_over_on: date
    handed_over_by: str
    proof_name: str
    reason: str
    replaced_by: str
    replaced_at: datetime


class SheetView(BaseModel):
    """A printed list. `digest` stands on the paper too."""

    sheet_id: UUID
    cycle_id: UUID
    unit_code: str
    unit_path: str
    number: int
    rows: int
    digest: str
    state: str = Field(description="PRINTED, or HANDED_OVER once the signed copy is filed")
    made_by: str
    made_at: datetime
    handed_over_on: date | None
    handed_over_by: str | None
    proof_name: str | None
    version: int = Field(description="Goes into If-Match when the signed copy is replaced")
    replaced: list[ReplacedProof] = Field(description="Signed copies that were replaced, oldest first")


class SheetPage(BaseModel):
    """A page of lists."""

    items: list[SheetView]
    next_cursor: UUID | None


class HandedOver(BaseModel):
    """What the signed copy proves."""

    told: int
    not_met: int = Field(description="People named as not met: they wait for the next list")


def _view(row: Any) -> TellingView:
    occasion, state = OCCASION_TEXTS[Occasion(row["occasion"])], STATE_TEXTS[TellingState(row["state"])]
    texts = {"occasion_vi": occasion[0], "occasion_en": occasion[1], "state_vi": state[0], "state_en": state[1]}
    return TellingView.model_validate({**row, **texts})


@router.get(
    "/tellings",
    summary="Who was told of what",
    description="Ai đã được báo, báo gì, bằng cách nào. Told with proof: DELIVERED (receipt of the operator) or HANDED_OVER (signed list).",
)
async def listing(
    request: Request,
    actor: Reader,
    cycle_id: UUID | None = None,
    payment_id: UUID | None = None,
    beneficiary_id: UUID | None = None,
    occasion: Occasion | None = None,
    state: TellingState | None = None,
    other_payee: Annotated[bool | None, Query(description="Only where somebody else is paid (or is not)")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> TellingPage:
    """A page of tellings in the caller's units."""
    db: Database = request.app.state.db
    filters = {"cycle_id": cycle_id, "payment_id": payment_id, "beneficiary_id": beneficiary_id, "occasion": occasion, "state": state,
               "other_payee": other_payee}  # fmt: skip
    async with db.read(actor) as tx:
        rows = await tellings.page(tx, actor, filters, after=cursor, limit=limit + 1)
    items = [_view(row) for row in rows[:limit]]
    return TellingPage(items=items, next_cursor=items[-1].telling_id if len(rows) > limit else None)


@router.get(
    "/cycles/{cycle_id}/tellings",
    summary="How far people are told",
    description="Tiến độ báo cho người hưởng trong kỳ, theo xã. Counts by unit, occasion, way and state, in the caller's units.",
)
async def progress(request: Request, actor: Reader, cycle_id: UUID) -> Summary:
    """Counts of a cycle."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        await own_cycle(tx, actor, cycle_id)
        rows = [SummaryRow.model_validate(dict(row)) for row in await tellings.summary(tx, actor, cycle_id)]
    told = sum(row.people for row in rows if row.state in {TellingState.DELIVERED, TellingState.HANDED_OVER})
    return Summary(cycle_id=cycle_id, people=sum(row.people for row in rows), told=told, rows=rows)


@router.post(
    "/cycles/{cycle_id}/telling-sheets",
    status_code=201,
    response_model=SheetView,
    summary="Make a commune's list of people to be told",
    description="Lập danh sách báo tin của xã cho người không có điện thoại. Everyone in the unit not reached by SMS; print it at"
    " `/v1/telling-sheets/{sheet_id}/paper`, have it signed, file the copy at `/proof`.",
)
async def make_sheet(request: Request, actor: Officer, cycle_id: UUID, form: SheetForm, key: IdempotencyKey) -> Response:
    """Put everybody who waits on one list."""
    db: Database = request.app.state.db

    async def effect(tx: Tx) -> tuple[int, BaseModel]:
        sheet_id = await tell.make_sheet(tx, actor, cycle_id, form.unit_code, form.business_date)
        return 201, SheetView.model_validate(dict(await tellings.sheet_by_id(tx, actor, sheet_id) or {}))

    route = f"POST /v1/cycles/{cycle_id}/telling-sheets"
    return answered(await idempotency.run(db, actor, key, route, await request.body(), effect))


@router.get(
    "/telling-sheets",
    summary="Printed lists",
    description="Các danh sách báo tin đã in, và danh sách nào còn thiếu bản ký nhận. Which were printed, and which"
    " still lack the signed copy.",
)
async def sheets(
    request: Request,
    actor: Reader,
    cycle_id: UUID | None = None,
    state: Annotated[str | None, Query(pattern="^(PRINTED|HANDED_OVER)$")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SheetPage:
    """A page of lists in the caller's units."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        rows = await tellings.sheets_page(tx, actor, cycle_id=cycle_id, state=state, after=cursor, limit=limit + 1)
    items = [SheetView.model_validate(dict(row)) for row in rows[:limit]]
    return SheetPage(items=items, next_cursor=items[-1].sheet_id if len(rows) > limit else None)


@router.get(
    "/telling-sheets/{sheet_id}/paper",
    summary="The list to print",
    description="Danh sách để in: từng người, báo gì, chỗ ký nhận. One page of HTML with the national heading; names no programme.",
    response_class=Response,
)
async def sheet_paper(request: Request, actor: Officer, sheet_id: UUID) -> Response:
    """The paper."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        sheet = await tellings.sheet_by_id(tx, actor, sheet_id)
        if sheet is None:
            raise NotFound("No such list")
        rows = await tellings.of_sheet(tx, sheet_id)
    return paper.answer(telling_paper(sheet, rows))


@router.post(
    "/telling-sheets/{sheet_id}/proof",
    summary="File the signed copy",
    description="Nộp bản danh sách có ký nhận (ảnh chụp hoặc PDF). Proof that people were told; those named in `not_met` wait for the next"
    " list. The copy is kept encrypted.",
)
async def hand_over(
    request: Request,
    actor: Officer,
    sheet_id: UUID,
    file: Annotated[UploadFile, File(description="PDF, JPEG or PNG of the signed list, 10 MB at most")],
    handed_over_on: Annotated[date, Form(description="Day on which people were told", examples=["2024-09-12"])],
    not_met: Annotated[list[UUID] | None, Form(description="`telling_id` of people who were not met")] = None,
) -> HandedOver:
    """Take the signed copy."""
    db: Database = request.app.state.db
    return HandedOver.model_validate(
        await tell.hand_over_sheet(
            db, actor, sheet_id, on=handed_over_on, name=file.filename or "", content=await file.read(), not_met=not_met or []
        )
    )


@router.post(
    "/telling-sheets/{sheet_id}/proof/corrections",
    summary="Replace the signed copy",
    description="Thay bản ký nhận nộp sai bằng bản đúng: người khác với người đã nộp, nêu lý do. The copy before is kept. Send If-Match"
    " with the list's `version`. People named in `not_met` were not told after all: they wait for the next list.",
)
async def replace_proof(
    request: Request,
    actor: Officer,
    sheet_id: UUID,
    file: Annotated[UploadFile, File(description="PDF, JPEG or PNG of the signed list, 10 MB at most")],
    handed_over_on: Annotated[date, Form(description="Day on which people were told", examples=["2024-09-12"])],
    reason: Annotated[str, Form(min_length=5, max_length=1000, description="What was wrong with the filed copy")],
    not_met: Annotated[list[UUID] | None, Form(description="`telling_id` of people who were not met")] = None,
    if_match: IfMatch = None,
) -> HandedOver:
    """Take the right copy."""
    db: Database = request.app.state.db
    content = await file.read()
    return HandedOver.model_validate(
        await tell.correct_proof(
            db, actor, sheet_id, version=version_of(if_match), on=handed_over_on, name=file.filename or "", content=content,
            not_met=not_met or [], reason=reason,
        )
    )  # fmt: skip


@router.get(
    "/telling-sheets/{sheet_id}/proof",
    summary="Read the signed copy",
    description="Xem bản ký nhận, phải nêu mục đích; mỗi lần xem được ghi nhật ký. Audited. The signed list; say what for,"
    " each look is in the audit log.",
    response_class=Response,
)
async def read_proof(
    request: Request,
    actor: Proofs,
    sheet_id: UUID,
    purpose: Purpose,
    version: Annotated[int | None, Query(ge=1, le=10_000, description="A replaced copy, by its version; else the one that stands")] = None,
) -> Response:
    """The filed copy."""
    db: Database = request.app.state.db
    name, content = await tell.open_proof(db, actor, sheet_id, purpose, version)
    kind = "pdf" if content.startswith(b"%PDF") else "png" if content.startswith(b"\x89PNG") else "jpg"
    headers = {"Content-Disposition": f'attachment; filename="{sheet_id}.{kind}"', "Cache-Control": "no-store", "X-File-Name": _ascii(name)}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _ascii(name: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "_" for char in name)[:100]


routers: tuple[APIRouter, ...] = (router,)
