"""Routes of campaigns: gifts of a resolution to everybody on a list taken on a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, sheets
from common.auth import Actor
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from common.months import Month
from common.sheets import RESPONSES
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.roles import Checker, Department, Reader, Writer
from registry.storage import campaigns as storage
from registry.usecases import campaigns as usecases
from registry.usecases.law_desk import step

__all__ = ["make_router"]

_State = Literal["LISTED", "PROPOSED", "GIVEN", "LEFT_OUT"]


class NewCampaign(Closed):
    """Which gift, in which area, for whom on which day."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"code": "GIFT_263", "unit_path": "68", "snapshot_on": "2025-08-30", "late_until": "2025-09-15", "payee": "HOUSEHOLD_HEAD",
                 "business_date": "2025-08-31"}
            ]
        },
    )  # fmt: skip
    code: str = Field(pattern="^[A-Z][A-Z0-9_]{1,39}$", description="A one-off rule of kind CAMPAIGN; a new one comes by a law change")
    unit_path: str = Field(pattern="^[0-9/]{1,60}$")
    snapshot_on: date = Field(description="Who lives, and is due a sum of a named programme, on this day")
    late_until: date | None = Field(default=None, description="Last day of late additions; else the end of the rule")
    payee: Literal["PERSON", "HOUSEHOLD_HEAD"] = Field(description="HOUSEHOLD_HEAD: the head of the household collects for all members")
    business_date: date


class Answer(Closed):
    """What the second person says; the maker may withdraw."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "APPROVE", "business_date": "2025-08-31"}]})
    action: Literal["APPROVE", "REJECT", "WITHDRAW"]
    business_date: date
    reason: FreeText | None = Field(default=None, min_length=3, max_length=300)


class Late(Closed):
    """Somebody whom the list missed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"person_id": "0199c0de-0000-7000-8000-000000000001", "reason": "Vắng mặt khi chốt", "business_date": "2025-09-10"}
            ]
        },
    )  # fmt: skip
    person_id: UUID
    reason: FreeText = Field(min_length=3, max_length=300)
    business_date: date


class LateAnswer(Closed):
    """Given or refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True, "business_date": "2025-09-11"}]})
    approve: bool
    business_date: date


class CampaignView(BaseModel):
    """A campaign."""

    campaign_id: UUID
    rule_code: str
    title_vi: str
    title_en: str
    legal_basis: str
    snapshot_on: date
    late_until: date
    payee: str
    amount_vnd: int = Field(description="For each person")
    funding_source: str
    benefit_line: str
    month: Month
    for_programmes: list[str] | None = Field(description="Null: every citizen in the register")
    unit_path: str
    state: Literal["LISTING", "LISTED", "APPROVED", "GIVEN", "REJECTED", "WITHDRAWN"]
    listed_at: datetime | None
    version: int
    business_date: date
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class CampaignPage(BaseModel):
    """Campaigns, newest first."""

    items: list[CampaignView]
    next_cursor: str | None


class Member(BaseModel):
    """A person on the list."""

    person_id: UUID
    file_code: str | None
    full_name: str
    unit_code: str
    unit_path: str
    payee_id: UUID
    payee_name: str
    state: _State
    left_out: Literal["HAS_IT", "DECEASED", "REFUSED", "OTHER_FILE"] | None
    late: bool
    reason: str | None
    added_by: str
    approved_by: str | None


class Members(BaseModel):
    """A page."""

    items: list[Member]
    next_cursor: str | None


class CommuneProgress(BaseModel):
    """Where a commune stands."""

    unit_path: str
    unit_code: str
    listed: int
    given: int
    waiting: int
    late_proposed: int
    late_given: int
    payees: int = Field(description="Who collects: heads of households, or the people themselves")
    amount_given: int
    deceased: int = Field(description="Left out: died before the day")
    has_it: int = Field(description="Left out: has the gift of this resolution by another list")
    other_file: int = Field(description="Left out: another file of the same person may exist")
    refused: int


class Progress(BaseModel):
    """By commune of your area; what partners have paid out is in the reports of programme CAMPAIGN."""

    state: str
    people_given: int
    amount_given: int
    communes: list[CommuneProgress]


def _view(row: Any) -> CampaignView:
    return CampaignView(**(dict(row) | {"month": f"{row['month']:%Y-%m}"}))


def _answer(row: Any) -> JSONResponse:
    view = _view(row)
    return JSONResponse(view.model_dump(mode="json"), headers={"ETag": etag(view.version)})


def make_router(db: Database) -> APIRouter:
    """`/v1/campaigns`."""
    router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
    _orders(router, db)
    _lists(router, db)
    _late(router, db)
    return router


def _orders(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=CampaignView,
        summary="Order a campaign's list",
        description="Lập danh sách của một đợt chi một lần (Nghị quyết 263, 418): ai có tên vào ngày chốt, mỗi người một suất."
        " A job takes the list from the register; nothing is due to anybody before a second person has approved it. Department only.",
    )
    async def order(request: Request, actor: Department, key: IdempotencyKey, body: NewCampaign) -> Response:
        async def effect(tx: Tx) -> tuple[int, CampaignView]:
            campaign_id = await usecases.start(tx, usecases.NewCampaign(**body.model_dump()))
            return 202, _view(await usecases.seen(tx, campaign_id))

        answer = await idempotency.run(db, actor, key, "POST /v1/campaigns", await request.body(), effect)
        return JSONResponse(answer.body, answer.status, headers={"Location": f"/v1/campaigns/{answer.body['campaign_id']}"})

    @router.get("", summary="Campaigns", description="Các đợt chi một lần. Newest first. The campaigns of one-off payments.")
    async def listing(actor: Reader, cursor: Cursor = None, limit: Limit = 50) -> CampaignPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, cursors.decode_id(cursor), limit)
        end = [str(rows[-1]["campaign_id"])] if len(rows) == limit else None
        return CampaignPage(items=[_view(row) for row in rows], next_cursor=cursors.encode(end))

    @router.get("/{campaign_id}", response_model=CampaignView, summary="One campaign", description="Một đợt chi. With ETag.")
    async def one(actor: Reader, campaign_id: UUID) -> Response:
        async with db.read(actor) as tx:
            return _answer(await usecases.seen(tx, campaign_id))

    @router.post(
        "/{campaign_id}/decision",
        response_model=CampaignView,
        summary="Approve, reject or withdraw a list",
        description="Duyệt hoặc không duyệt (người khác người lập), hoặc rút lại (người lập). Approval makes the gift due to everybody on"
        " the list, by a job.",
    )
    async def decide(actor: Checker, campaign_id: UUID, body: Answer, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)

        async def effect(tx: Tx) -> Any:
            return await usecases.answer(tx, campaign_id, version, body.action, body.business_date, body.reason)

        return _answer(await step(db, actor, effect))


def _lists(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{campaign_id}/people",
        summary="The list, in your area",
        description="Danh sách trong phạm vi của bạn: ai được nhận, ai nhận thay cả hộ, ai không có tên và vì sao. Who is"
        " given it, who collects for the whole household, and who is left out and why.",
    )
    async def people(actor: Reader, campaign_id: UUID, state: _State | None = None, cursor: Cursor = None, limit: Limit = 100) -> Members:
        async with db.read(actor) as tx:
            await usecases.seen(tx, campaign_id)
            rows = await storage.members_page(tx, actor, campaign_id, state, cursors.decode(cursor, 2), limit)
        end = [rows[-1]["unit_path"], str(rows[-1]["person_id"])] if len(rows) == limit else None
        return Members(items=[Member(**row) for row in rows], next_cursor=cursors.encode(end))

    @router.get(
        "/{campaign_id}/people/file",
        summary="The list as a file",
        description="Tệp CSV hoặc XLSX theo xã, theo người nhận. A CSV or XLSX file in order of commune and of who collects.",
        response_class=Response,
        responses=RESPONSES,
    )
    async def file(
        actor: Reader,
        campaign_id: UUID,
        kind: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "xlsx",
        state: _State | None = None,
    ) -> Response:
        async with db.read(actor) as tx:
            row = await usecases.seen(tx, campaign_id)
        header = ["STT", "Mã đơn vị", "Họ và tên người nhận", "Họ và tên người được hưởng", "Mã hồ sơ", "Số tiền", "Trạng thái", "Ghi chú"]
        rows = _rows(db, actor, row, state)
        sheet = sheets.Sheet(header, [f"{row['title_vi']} ({row['legal_basis']})"])
        return sheets.download(kind, f"dot-chi-{row['rule_code'].lower()}", sheet, rows)

    @router.get(
        "/{campaign_id}/progress",
        summary="Progress by commune",
        description="Tiến độ theo xã: có tên, đã ghi khoản chi, chờ, bổ sung muộn, không có tên theo lý do. By commune:"
        " listed, booked as due, waiting, added late, and left out by reason.",
    )
    async def progress(actor: Reader, campaign_id: UUID) -> Progress:
        async with db.read(actor) as tx:
            row = await usecases.seen(tx, campaign_id)
            communes = [CommuneProgress(**item) for item in await storage.progress(tx, actor, campaign_id)]
        given, amount = sum(item.given for item in communes), sum(item.amount_given for item in communes)
        return Progress(state=row["state"], people_given=given, amount_given=amount, communes=communes)


_STATES = {"LISTED": "Có tên", "PROPOSED": "Đề nghị bổ sung", "GIVEN": "Đã ghi khoản chi", "LEFT_OUT": "Không có tên"}
_WHY = {
    "HAS_IT": "đã có ở danh sách khác", "DECEASED": "mất trước ngày chốt", "REFUSED": "không duyệt bổ sung",
    "OTHER_FILE": "nghi trùng hồ sơ",
    None: "",
}  # fmt: skip


async def _rows(db: Database, actor: Actor, campaign: Any, state: str | None) -> AsyncIterator[list[sheets.Cell]]:
    number = 0
    async with db.read(actor) as tx:
        async for row in storage.members_stream(tx, actor, campaign["campaign_id"], state):
            number += 1
            amount = 0 if row["state"] == "LEFT_OUT" else campaign["amount_vnd"]
            yield [
                number, row["unit_code"], row["payee_name"], row["full_name"], row["file_code"], amount, _STATES[row["state"]],
                _WHY[row["left_out"]] or row["reason"],
            ]  # fmt: skip


def _late(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{campaign_id}/late",
        status_code=201,
        summary="Propose a late addition",
        description="Đề nghị bổ sung người bị sót, đến hết ngày `late_until`; người thứ hai duyệt. For people who were left"
        " out, until the end of `late_until`; a second person approves.",
    )
    async def add(request: Request, actor: Writer, key: IdempotencyKey, campaign_id: UUID, body: Late) -> Response:
        async def effect(tx: Tx) -> tuple[int, LateView]:
            row = await usecases.add_late(tx, campaign_id, body.person_id, body.reason, body.business_date)
            return 201, LateView(**{name: row[name] for name in LateView.model_fields})

        answer = await idempotency.run(db, actor, key, f"POST /v1/campaigns/{campaign_id}/late", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.post(
        "/{campaign_id}/late/{person_id}/decision",
        summary="Give or refuse a late addition",
        description="Duyệt hoặc không duyệt bổ sung (người khác người đề nghị). By somebody other than who proposed it.",
    )
    async def decide(actor: Checker, campaign_id: UUID, person_id: UUID, body: LateAnswer) -> LateView:
        async def effect(tx: Tx) -> Any:
            return await usecases.answer_late(tx, campaign_id, person_id, approve=body.approve, business_date=body.business_date)

        row = await step(db, actor, effect)
        return LateView(**{name: row[name] for name in LateView.model_fields})


class LateView(BaseModel):
    """A late addition."""

    person_id: UUID
    payee_id: UUID
    state: _State
    left_out: str | None
    reason: str | None
    added_by: str
    approved_by: str | None
