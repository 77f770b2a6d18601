"""Routes of the exchange with the Social Insurance."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency, sheets
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.purposes import GivenPurpose
from common.sheets import RESPONSES
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.domain.insurance import HEADER
from registry.storage import insurance as storage
from registry.usecases import insurance, plan_lists

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Officer = Annotated[Actor, Depends(require(*_OFFICERS))]
_Decider = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR))]
_SEX: Final = {"M": "Nam", "F": "Nữ"}


class NewInsuranceList(BaseModel):
    """Whom to ask about."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"unit_code": "593", "business_date": "2024-08-20", "programmes": ["SOCIAL_ASSISTANCE"]}]},
    )
    unit_code: str
    business_date: date
    programmes: Annotated[list[Programme], Field(min_length=1, max_length=4)]


class InsuranceListCreated(BaseModel):
    """The frozen list."""

    list_id: UUID


class InsuranceListView(BaseModel):
    """A list sent to the Social Insurance."""

    list_id: UUID
    unit_code: str
    unit_path: str
    programmes: list[str]
    business_date: date
    people: int
    sha256: str = Field(description="Of the people and their order: the file can be taken out again and is the same list")
    created_by: str
    created_at: datetime


class InsuranceListPage(BaseModel):
    """A page of lists."""

    items: list[InsuranceListView]
    next_cursor: str | None


class RefusedAnswerRow(BaseModel):
    """A row that was not taken."""

    row_number: int
    line: int | None
    reasons: list[dict[str, Any]]


class InsuranceAnswerView(BaseModel):
    """An answer and what it would change, or changed."""

    answer_id: UUID
    list_id: UUID
    file_name: str
    told_on: date
    people: int = Field(description="People on the list sent")
    lines_answered: int
    people_drawing: int
    rows_good: int
    rows_refused: int
    state: Literal["CHECKED", "APPLIED", "REFUSED"]
    created_by: str
    created_at: datetime
    decided_by: str | None
    refused: list[RefusedAnswerRow] = []


class AnswerLoaded(BaseModel):
    """The answer was checked and waits for a second person."""

    answer_id: UUID


class AnswerDecision(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True, "business_date": "2024-08-25"}]})
    approve: bool
    business_date: date


def _answer(row: Any, refused: Any = ()) -> InsuranceAnswerView:
    plain = {name: row[name] for name in InsuranceAnswerView.model_fields if name in row}
    return InsuranceAnswerView(**plain, refused=[RefusedAnswerRow(**item) for item in refused])


def make_router(db: Database) -> APIRouter:
    """`/v1/insurance-lists` and `/v1/insurance-answers`."""
    router = APIRouter(prefix="/v1", tags=["social insurance"])
    _lists(router, db)
    _answers(router, db)
    return router


def _lists(router: APIRouter, db: Database) -> None:
    @router.post(
        "/insurance-lists",
        status_code=201,
        response_model=InsuranceListCreated,
        summary="Freeze a list for the Social Insurance",
        description="Lập danh sách gửi Bảo hiểm xã hội đối chiếu. The people of a unit's programmes, numbered, as they stand now.",
    )
    async def freeze(request: Request, actor: _Officer, key: IdempotencyKey, body: NewInsuranceList) -> Response:
        async def effect(tx: Tx) -> tuple[int, InsuranceListCreated]:
            programmes = [item.value for item in body.programmes]
            return 201, InsuranceListCreated(list_id=await insurance.freeze(tx, body.unit_code, programmes, body.business_date))

        answer = await idempotency.run(db, actor, key, "POST /v1/insurance-lists", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status, headers={"Location": f"/v1/insurance-lists/{answer.body['list_id']}"})

    @router.get(
        "/insurance-lists",
        summary="Lists sent",
        description="Các danh sách đã lập, trong phạm vi của bạn. The lists made in your area for the Social Insurance.",
    )
    async def listing(actor: _Reader, cursor: Cursor = None, limit: Limit = 100) -> InsuranceListPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, cursors.decode_id(cursor), limit)
        last = [str(rows[-1]["list_id"])] if len(rows) == limit else None
        return InsuranceListPage(items=[InsuranceListView(**row) for row in rows], next_cursor=cursors.encode(last))

    @router.get(
        "/insurance-lists/{list_id}",
        summary="One list",
        description="Một danh sách đã gửi. One list that was sent: its unit, its programmes, how many people.",
    )
    async def one(actor: _Reader, list_id: UUID) -> InsuranceListView:
        async with db.read(actor) as tx:
            return InsuranceListView(**await insurance.seen(tx, list_id))

    @router.get(
        "/insurance-lists/{list_id}/file",
        summary="The list as a file to be filled in",
        description="Tệp để cơ quan BHXH điền kết quả: CÓ/KHÔNG, loại chế độ, mức hưởng, tháng. Numbers are masked unless `whole_numbers`"
        " with a purpose.",
        response_class=Response,
        responses=RESPONSES,
    )
    async def file(
        actor: _Reader, list_id: UUID, kind: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "xlsx",
        whole_numbers: Annotated[bool, Query()] = False, purpose: GivenPurpose = None,
    ) -> Response:  # fmt: skip
        async with db.read(actor) as tx:
            row = await insurance.seen(tx, list_id)
        if whole_numbers:
            await plan_lists.allow_whole_numbers(db, actor, f"insurance-list {list_id}", row["unit_path"], purpose)
        title = f"Danh sách đối chiếu với Bảo hiểm xã hội {list_id} ({row['people']} người)"
        return sheets.download(kind, f"insurance-{list_id}", sheets.Sheet(HEADER, [title]), _lines(db, actor, list_id, whole=whole_numbers))


async def _lines(db: Database, actor: Actor, list_id: UUID, *, whole: bool) -> AsyncIterator[list[sheets.Cell]]:
    async with db.read(actor) as tx:
        async for row in storage.lines(tx, list_id):
            number = row["masked_number"]
            if whole and row["national_number"] is not None and db.keyring is not None:
                number = db.keyring.decrypt("national_number", row["national_number"])
            born = "/".join(reversed((row["birth_date"] or "").split("-")))
            yield [row["line"], row["full_name"], born, _SEX.get(row["sex"], ""), number, row["unit_code"], "", "", "", "", ""]


def _answers(router: APIRouter, db: Database) -> None:
    @router.post(
        "/insurance-lists/{list_id}/answers",
        status_code=201,
        response_model=AnswerLoaded,
        summary="Load the Social Insurance's answer",
        description="Nạp kết quả đối chiếu (CSV/XLSX). Rows are checked against the list sent; a second person approves.",
    )
    async def load(
        actor: _Officer, key: IdempotencyKey, list_id: UUID, file: Annotated[UploadFile, File(description="The list, filled in")],
        told_on: Annotated[date, Form(description="Date of the answer", examples=["2024-08-25"])],
    ) -> Response:  # fmt: skip
        content = await file.read()
        answer = insurance.Answer(content, file.filename or "answer", told_on)

        async def effect(tx: Tx) -> tuple[int, AnswerLoaded]:
            return 201, AnswerLoaded(answer_id=await insurance.load(tx, list_id, answer))

        route = f"POST /v1/insurance-lists/{list_id}/answers"
        done = await idempotency.run(db, actor, key, route, f"{told_on}|".encode() + content, effect)
        return JSONResponse(done.body, status_code=done.status, headers={"Location": f"/v1/insurance-answers/{done.body['answer_id']}"})

    @router.get(
        "/insurance-answers/{answer_id}",
        summary="One answer",
        description="Kết quả đối chiếu đã nạp, các dòng không nhận và lý do. The answer as it was loaded, the rows that were"
        " not taken and why.",
    )
    async def one(actor: _Reader, answer_id: UUID) -> InsuranceAnswerView:
        async with db.read(actor) as tx:
            return _answer(await insurance.seen_answer(tx, answer_id), await storage.refused_rows(tx, answer_id))

    @router.post(
        "/insurance-answers/{answer_id}/decision",
        summary="Approve or refuse an answer",
        description="Người thứ hai duyệt hoặc từ chối kết quả đối chiếu. What people draw elsewhere is known from then on and"
        " their dues are computed anew.",
    )
    async def decide(actor: _Decider, answer_id: UUID, body: AnswerDecision) -> InsuranceAnswerView:
        row = await insurance.decide(db, actor, answer_id, approve=body.approve, business_date=body.business_date)
        return _answer(row)
