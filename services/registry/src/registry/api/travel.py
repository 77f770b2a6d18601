"""Routes of registration lists on their way from the commune to the district or the department."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from common.auth import Actor, Role, require
from common.db import Database
from common.etags import IfMatch, etag, version_of
from common.masking import FreeText
from registry.usecases import travel

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Sender = Annotated[Actor, Depends(require(*_OFFICERS))]
_Receiver = Annotated[Actor, Depends(require(Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR))]
_State = Literal["SUBMITTED", "RECEIVED", "RETURNED", "ACCEPTED", "WITHDRAWN"]
_ID = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"


class SubmitList(BaseModel):
    """A checked import, submitted to the unit above."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"import_id": _ID, "number": "15/DS-UBND", "business_date": "2024-08-20"}]}
    )
    import_id: UUID
    number: str = Field(min_length=1, max_length=100, description="The list's number in the commune's books")
    note: FreeText | None = Field(default=None, max_length=500)
    business_date: date


class SubmitAgain(BaseModel):
    """A returned list, submitted again; `import_id` names the corrected file, if there is one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-26"}]})
    import_id: UUID | None = None
    business_date: date


class ReturnReason(BaseModel):
    """Why a list goes back; `row` names a row of the file."""

    model_config = ConfigDict(extra="forbid")
    row: int | None = Field(default=None, ge=1)
    reason: FreeText = Field(min_length=3, max_length=500)


class ReturnList(BaseModel):
    """The reasons a list goes back for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reasons": [{"row": 12, "reason": "Thiếu giấy xác nhận khuyết tật"}]}]}
    )
    reasons: Annotated[list[ReturnReason], Field(min_length=1, max_length=1_000)]


class SubmittedListView(BaseModel):
    """A list on its way: who has it, since when, until when."""

    list_id: UUID
    import_id: UUID
    import_state: str
    file_name: str
    programme: str
    rows_total: int
    rows_good: int
    rows_refused: int
    number: str
    note: str | None
    unit_code: str
    unit_path: str
    to_unit_code: str
    to_unit_path: str
    state: _State
    round: int = Field(description="1 when first submitted; grows each time it is submitted again")
    due_on: date = Field(description="The office above should have answered by this day")
    submitted_on: date
    submitted_by: str
    submitted_at: datetime
    received_by: str | None
    received_at: datetime | None
    returned_by: str | None
    returned_at: datetime | None
    return_reasons: list[dict[str, Any]] | None = Field(description="Of the last return")
    accepted_by: str | None
    accepted_at: datetime | None
    version: int


class SubmittedListPage(BaseModel):
    """Lists in the order submitted."""

    items: list[SubmittedListView]
    next_cursor: str | None


def _view(row: Any, response: Response) -> SubmittedListView:
    response.headers["ETag"] = etag(row["version"])
    return SubmittedListView(**row)


def make_router(db: Database) -> APIRouter:
    """`/v1/submitted-lists`."""
    router = APIRouter(prefix="/v1/submitted-lists", tags=["submitted lists"])
    _sending(router, db)
    _receiving(router, db)
    _reading(router, db)
    return router


def _sending(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        summary="Submit a list to the office above",
        description="Trình danh sách lên cấp trên. The import has to be checked; it can be approved only once the office above has it.",
    )
    async def submit(actor: _Sender, body: SubmitList, response: Response) -> SubmittedListView:
        row = await travel.submit(db, actor, body.import_id, body.number, body.note, body.business_date)
        response.headers["Location"] = f"/v1/submitted-lists/{row['list_id']}"
        return _view(row, response)

    @router.post(
        "/{list_id}/submit",
        summary="Submit a returned list again",
        description="Trình lại danh sách đã bị trả, kèm tệp đã sửa nếu có. Needs `If-Match`. A list that was returned goes up"
        " again, with the mended file if there is one.",
    )
    async def again(actor: _Sender, list_id: UUID, body: SubmitAgain, response: Response, if_match: IfMatch = None) -> SubmittedListView:
        version = version_of(if_match)
        return _view(await travel.submit_again(db, actor, list_id, version, body.import_id, body.business_date), response)

    @router.post(
        "/{list_id}/withdraw",
        summary="Take a list back",
        description="Rút danh sách trước khi cấp trên tiếp nhận, hoặc sau khi bị trả. Needs `If-Match`. Before the unit above"
        " has received it, or after it was returned.",
    )
    async def withdraw(actor: _Sender, list_id: UUID, response: Response, if_match: IfMatch = None) -> SubmittedListView:
        return _view(await travel.withdraw(db, actor, list_id, version_of(if_match)), response)


def _receiving(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{list_id}/receive",
        summary="Receive a list",
        description="Tiếp nhận danh sách; người tiếp nhận khác người trình. Needs `If-Match`. Approving its import accepts the list.",
    )
    async def receive(actor: _Receiver, list_id: UUID, response: Response, if_match: IfMatch = None) -> SubmittedListView:
        return _view(await travel.receive(db, actor, list_id, version_of(if_match)), response)

    @router.post(
        "/{list_id}/return",
        summary="Return a list with reasons",
        description="Trả lại danh sách kèm lý do, của cả danh sách hoặc từng dòng. Needs `If-Match`. Reasons are given for the"
        " whole list or row by row.",
    )
    async def give_back(
        actor: _Receiver, list_id: UUID, body: ReturnList, response: Response, if_match: IfMatch = None
    ) -> SubmittedListView:
        reasons = [item.model_dump() for item in body.reasons]
        return _view(await travel.return_list(db, actor, list_id, version_of(if_match), reasons), response)


def _reading(router: APIRouter, db: Database) -> None:
    @router.get("", summary="Submitted lists", description="Danh sách đã trình, đi hoặc đến đơn vị của bạn. Sent from or to your units.")
    async def listing(
        actor: _Reader,
        state: _State | None = None,
        overdue_on: Annotated[date | None, Query(description="Only those not answered by their day, seen on this day")] = None,
        cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> SubmittedListPage:
        rows = await travel.listing(db, actor, state=state, overdue_on=overdue_on, after=cursor, limit=limit)
        last = str(rows[-1]["list_id"]) if len(rows) == limit else None
        return SubmittedListPage(items=[SubmittedListView(**row) for row in rows], next_cursor=last)

    @router.get(
        "/{list_id}",
        summary="One submitted list",
        description="Trạng thái, ai giữ, hạn trả lời. Its state, who holds it and by when it has to be answered; with an ETag.",
    )
    async def one(actor: _Reader, list_id: UUID, response: Response) -> SubmittedListView:
        return _view(await travel.one(db, actor, list_id), response)
