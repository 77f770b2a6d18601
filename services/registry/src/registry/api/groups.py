"""Routes of groups (poor, near-poor …) and of the lists that change them."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from common.problems import NotFound
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.roles import Checker, Department, Province, Reader, Writer
from registry.storage import group_lists, groups
from registry.usecases import groups as usecases

__all__ = ["make_router"]

_LIST: JsonDict = {
    "unit_code": "22924", "from_date": "2024-01-01", "decision_number": "45/QĐ-UBND", "business_date": "2024-08-20",
    "rows": [{"household_code": "H-22924-001", "group": "POOR", "action": "START"}],
}  # fmt: skip


class NewGroup(Closed):
    """A group asked for; a second person adds it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"code": "ESCAPED_POVERTY", "name_vi": "Hộ mới thoát nghèo", "name_en": "Household out of poverty lately",
                 "exclusive_set": "POVERTY", "legal_basis": "Nghị định 07/2021/NĐ-CP"}
            ]
        },
    )  # fmt: skip
    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")
    name_vi: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    exclusive_set: str | None = Field(default=None, max_length=40, description="Groups of one set exclude each other on a day")
    legal_basis: str = Field(min_length=1, max_length=300)


class GroupView(BaseModel):
    """One group."""

    code: str
    name_vi: str
    name_en: str
    exclusive_set: str | None
    legal_basis: str | None


class GroupRequestView(NewGroup):
    """A group asked for."""

    request_id: UUID
    state: Literal["PENDING", "APPROVED", "REJECTED"]
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class GroupsView(BaseModel):
    """All groups, and what was asked for."""

    groups: list[GroupView]
    requests: list[GroupRequestView]


class RequestMade(BaseModel):
    """The request waits for a second person."""

    request_id: UUID


class RowIn(Closed):
    """Who goes into a group or out of it: a household by its code or a person by the dossier code."""

    household_code: str | None = Field(default=None, max_length=60)
    file_code: str | None = Field(default=None, max_length=60)
    group: str = Field(max_length=60, examples=["POOR"])
    action: Literal["START", "END"] = "START"


class NewList(Closed):
    """A list of changes, or the result of a full review of a unit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_LIST]})
    unit_code: str
    mode: Literal["CHANGES", "FULL_REVIEW"] = "CHANGES"
    groups: list[str] = Field(default_factory=list, max_length=20, description="FULL_REVIEW: who is not listed leaves these groups")
    from_date: date
    decision_number: str = Field(min_length=1, max_length=100)
    business_date: date
    rows: Annotated[list[RowIn], Field(max_length=5_000)]


class ListTaken(BaseModel):
    """The list waits for a second person."""

    list_id: UUID
    already_taken: bool = Field(default=False, description="The same file was sent before: nothing was changed")


class ListView(BaseModel):
    """A list and what came of it."""

    list_id: UUID
    unit_code: str
    unit_path: str
    mode: str
    groups: list[str]
    from_date: date
    decision_number: str
    business_date: date
    file_name: str | None
    state: Literal["PENDING", "APPROVED", "REJECTED"]
    rows_good: int
    rows_refused: int
    started: int
    ended: int
    people_affected: int
    dues_changed: int
    rejection: str | None
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class ListPage(BaseModel):
    """A page of lists."""

    items: list[ListView]
    next_cursor: str | None


class RowView(BaseModel):
    """One row and its verdict."""

    row_number: int
    code: str
    subject: Literal["HOUSEHOLD", "PERSON"]
    group_code: str
    action: str
    verdict: Literal["GOOD", "REFUSED", "APPLIED", "UNCHANGED"]
    reasons: list[dict[str, Any]]


class RowPage(BaseModel):
    """A page of rows."""

    items: list[RowView]
    next_cursor: int | None


class Approval(Closed):
    """On which business date the list is approved."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-21"}]})
    business_date: date


class Rejection(Approval):
    """Why a list is sent back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-21", "reason": "Thiếu thôn 3"}]})
    reason: FreeText = Field(min_length=3, max_length=300)


def make_router(db: Database) -> APIRouter:
    """`/v1/groups` and `/v1/group-lists`."""
    router = APIRouter(prefix="/v1", tags=["groups"])
    _groups(router, db)
    _receive(router, db)
    _decide(router, db)
    return router


def _groups(router: APIRouter, db: Database) -> None:
    @router.get(
        "/groups",
        summary="Groups",
        description="Danh mục nhóm (hộ nghèo, hộ cận nghèo …) và các đề nghị thêm nhóm. The groups (poor households, near-poor"
        " households …) and the requests for new ones.",
    )
    async def listing(actor: Reader) -> GroupsView:
        async with db.read(actor) as tx:
            known, asked = await groups.all_groups(tx), await group_lists.requests(tx)
        return GroupsView(groups=[GroupView(**row) for row in known], requests=[GroupRequestView(**row) for row in asked])

    @router.post(
        "/groups",
        status_code=202,
        response_model=RequestMade,
        summary="Ask for a group",
        description="Đề nghị thêm một nhóm; người thứ hai duyệt. Department officers only; the code is for ever.",
    )
    async def ask(request: Request, actor: Department, key: IdempotencyKey, body: NewGroup) -> Response:
        async def effect(tx: Tx) -> tuple[int, RequestMade]:
            return 202, RequestMade(request_id=await usecases.request_group(tx, usecases.NewGroup(**body.model_dump())))

        answer = await idempotency.run(db, actor, key, "POST /v1/groups", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.post(
        "/groups/requests/{request_id}/approve",
        summary="Add a group asked for",
        description="Duyệt thêm nhóm (người khác người đề nghị). By somebody other than who asked for the group.",
    )
    async def approve(actor: Province, request_id: UUID) -> list[GroupView]:
        return [GroupView(**row) for row in await usecases.decide_group(db, actor, request_id, approve=True)]

    @router.post(
        "/groups/requests/{request_id}/reject",
        summary="Refuse a group asked for",
        description="Không duyệt thêm nhóm. The group asked for is not added.",
    )
    async def reject(actor: Province, request_id: UUID) -> list[GroupView]:
        return [GroupView(**row) for row in await usecases.decide_group(db, actor, request_id, approve=False)]


def _receive(router: APIRouter, db: Database) -> None:
    @router.post(
        "/group-lists",
        status_code=202,
        response_model=ListTaken,
        summary="List changes of groups",
        description="Danh sách thay đổi nhóm (hộ hoặc người). Every row is checked at once; a second person approves, then dues follow.",
    )
    async def take(request: Request, actor: Writer, key: IdempotencyKey, body: NewList) -> Response:
        head = usecases.ListHead(
            body.unit_code, body.mode, tuple(body.groups), body.from_date, body.decision_number, body.business_date
        )  # fmt: skip
        usecases.check_head(head)
        rows = [(number, {name: str(value or "") for name, value in row.model_dump().items()}) for number, row in enumerate(body.rows, 1)]

        async def effect(tx: Tx) -> tuple[int, ListTaken]:
            list_id, again = await usecases.receive(tx, head, rows)
            return 202, ListTaken(list_id=list_id, already_taken=again)

        answer = await idempotency.run(db, actor, key, "POST /v1/group-lists", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.post(
        "/group-lists/file",
        status_code=202,
        response_model=ListTaken,
        summary="Send a review result (CSV or XLSX)",
        description="Tệp kết quả rà soát hộ nghèo, cận nghèo: cột Mã hộ (hoặc Mã hồ sơ), Họ tên, Diện, Biến động."
        " FULL_REVIEW: households of the unit that are not listed leave the named groups. The same bytes again change nothing.",
    )
    async def take_file(
        actor: Writer,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="CSV (UTF-8) or XLSX with a header row")],
        unit_code: Annotated[str, Form(examples=["22924"])],
        from_date: Annotated[date, Form(examples=["2024-01-01"])],
        decision_number: Annotated[str, Form(min_length=1, max_length=100, examples=["45/QĐ-UBND"])],
        business_date: Annotated[date, Form(examples=["2024-08-20"])],
        mode: Annotated[Literal["CHANGES", "FULL_REVIEW"], Form()] = "CHANGES",
        groups: Annotated[str, Form(description="Codes with commas, for FULL_REVIEW", examples=["POOR,NEAR_POOR"])] = "",
    ) -> Response:
        content = await file.read()
        rows = await asyncio.to_thread(usecases.read_file, content, file.filename or "list")
        named = tuple(sorted({code.strip() for code in groups.split(",") if code.strip()}))
        fields = f"{unit_code}|{mode}|{','.join(named)}|{from_date}|{decision_number}|{business_date}|".encode()
        head = usecases.ListHead(
            unit_code, mode, named, from_date, decision_number, business_date, (file.filename or "list")[:200],
            hashlib.sha256(fields + content).digest(),
        )  # fmt: skip
        usecases.check_head(head)

        async def effect(tx: Tx) -> tuple[int, ListTaken]:
            list_id, again = await usecases.receive(tx, head, rows)
            return 202, ListTaken(list_id=list_id, already_taken=again)

        answer = await idempotency.run(db, actor, key, "POST /v1/group-lists/file", fields + content, effect)
        return JSONResponse(answer.body, answer.status)


def _decide(router: APIRouter, db: Database) -> None:
    @router.get(
        "/group-lists",
        summary="Group lists",
        description="Các danh sách thay đổi nhóm trong phạm vi của bạn. The lists of changes of groups in your area.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["PENDING", "APPROVED", "REJECTED"] | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ListPage:
        async with db.read(actor) as tx:
            rows = await group_lists.page(tx, actor, state, cursors.decode_id(cursor), limit)
        end = cursors.encode([str(rows[-1]["list_id"])] if len(rows) == limit else None)
        return ListPage(items=[ListView(**row) for row in rows], next_cursor=end)

    @router.get("/group-lists/{list_id}", summary="One group list", description="Một danh sách và kết quả. One list and what came of it.")
    async def one(actor: Reader, list_id: UUID) -> ListView:
        async with db.read(actor) as tx:
            return ListView(**await _seen(tx, actor, list_id))

    @router.get(
        "/group-lists/{list_id}/rows", summary="Rows and verdicts", description="Từng dòng và kết quả kiểm tra. Reasons in both languages."
    )
    async def rows(
        actor: Reader,
        list_id: UUID,
        verdict: Annotated[Literal["GOOD", "REFUSED", "APPLIED", "UNCHANGED"] | None, Query()] = None,
        cursor: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> RowPage:
        async with db.read(actor) as tx:
            await _seen(tx, actor, list_id)
            found = await groups.rows_of(tx, list_id, verdict, cursor, limit)
        return RowPage(items=[RowView(**row) for row in found], next_cursor=found[-1]["row_number"] if len(found) == limit else None)

    @router.post(
        "/group-lists/{list_id}/approve",
        summary="Approve a group list",
        description="Duyệt danh sách (người khác người lập): thay đổi nhóm và tính lại khoản phải chi của người liên quan,"
        " cùng một lúc. By somebody other than who made it: groups change and the dues of the people concerned are"
        " computed anew, all at once.",
    )
    async def approve(actor: Checker, list_id: UUID, body: Approval) -> ListView:
        return ListView(**await usecases.decide(db, actor, list_id, body.business_date, None))

    @router.post(
        "/group-lists/{list_id}/reject",
        summary="Send a group list back",
        description="Trả lại danh sách, nêu lý do. The list goes back, with the reason.",
    )
    async def reject(actor: Checker, list_id: UUID, body: Rejection) -> ListView:
        return ListView(**await usecases.decide(db, actor, list_id, body.business_date, body.reason))


async def _seen(tx: Tx, actor: Any, list_id: UUID) -> Any:
    row = await group_lists.find(tx, list_id)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such list")
    return row
