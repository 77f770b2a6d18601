"""Routes of change requests: name, number, birth date, death."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.masking import FreeText
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.storage import change_requests as storage
from registry.usecases import change_requests

__all__ = ["make_router"]

_OFFICERS = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_Asker = Annotated[Actor, Depends(require(*_OFFICERS, Role.COMMUNE_POLICE, Role.INTEGRATOR))]
_Decider = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER))]
_Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.COMMUNE_POLICE, Role.INTEGRATOR))]


class NewChangeRequest(BaseModel):
    """What should change, and on what ground. Left-out fields stay; a death, or another date of one, is asked for by itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "business_date": "2024-08-20",
                    "ground": "CCCD cấp ngày 02/8/2024",
                    "national_number": "060150001234",
                },
                {"business_date": "2024-08-20", "ground": "Giấy chứng tử số 12/2024", "death_date": "2024-08-11"},
            ]
        },
    )
    business_date: date
    ground: FreeText = Field(min_length=5, max_length=500, description="The paper the change rests on")
    full_name: str | None = Field(default=None, min_length=1, max_length=200)
    birth_date: str | None = Field(default=None, description="YYYY, YYYY-MM or YYYY-MM-DD")
    national_number: str | None = Field(default=None, description="12 digits: issued since, or corrected")
    death_date: date | None = None


class Accepted(BaseModel):
    """The request waits for a second person."""

    request_id: UUID


class ChangeAnswer(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True, "business_date": "2024-08-20"}]})
    approve: bool
    business_date: date
    answer: FreeText | None = Field(default=None, max_length=500, description="The reason of a refusal")


class FieldView(BaseModel):
    """One field side by side."""

    field: str
    before: str | None = Field(description="What the requester saw")
    now: str | None = Field(description="What the register says now")
    wanted: str | None


class ChangeRequestView(BaseModel):
    """A request: old and new side by side, numbers masked."""

    request_id: UUID
    beneficiary_id: UUID
    file_code: str | None
    unit_code: str
    unit_path: str
    kind: Literal["IDENTITY", "DEATH"]
    fields: list[FieldView]
    ground: str
    business_date: date
    state: Literal["PENDING", "APPROVED", "REFUSED", "WITHDRAWN"]
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    answer: str | None


class ChangeRequestPage(BaseModel):
    """A page of requests."""

    items: list[ChangeRequestView]
    next_cursor: str | None


def _view(row: Any) -> ChangeRequestView:
    wanted = {name: row[name] for name in ("full_name", "birth_date", "masked_number", "death_date") if row[name] is not None}

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    fields = [
        FieldView(field="national_number" if name == "masked_number" else name, before=row["before"].get(name),
            now=text(row[f"now_{name}"]),
               wanted=text(value))
        for name, value in wanted.items()
    ]  # fmt: skip
    plain = {name: row[name] for name in ChangeRequestView.model_fields if name != "fields"}
    return ChangeRequestView(**plain, fields=fields)


def make_router(db: Database) -> APIRouter:
    """`/v1/beneficiaries/{id}/change-requests` and `/v1/change-requests`."""
    router = APIRouter(prefix="/v1", tags=["change requests"])
    _ask(router, db)
    _decide(router, db)
    return router


def _ask(router: APIRouter, db: Database) -> None:
    @router.post(
        "/beneficiaries/{beneficiary_id}/change-requests",
        status_code=201,
        response_model=Accepted,
        summary="Ask for a change of name, number, birth date, or for a death to be recorded",
        description="Đề nghị sửa họ tên, số định danh, ngày sinh; ghi nhận qua đời hoặc sửa ngày mất đã ghi."
        " A death, or another date of one recorded, is asked for by itself. Nothing changes before a second person approves; one request"
        " per person waits at a time (409).",
    )
    async def ask(request: Request, actor: _Asker, key: IdempotencyKey, beneficiary_id: UUID, body: NewChangeRequest) -> Response:
        async def effect(tx: Tx) -> tuple[int, Accepted]:
            wanted = change_requests.Wanted(**body.model_dump())
            return 201, Accepted(request_id=await change_requests.ask(tx, beneficiary_id, wanted))

        route = f"POST /v1/beneficiaries/{beneficiary_id}/change-requests"
        answer = await idempotency.run(db, actor, key, route, await request.body(), effect)
        return JSONResponse(
            answer.body, status_code=answer.status, headers={"Location": f"/v1/change-requests/{answer.body['request_id']}"}
        )

    @router.get(
        "/change-requests",
        summary="Change requests",
        description="Các yêu cầu thay đổi trong phạm vi của bạn, cũ và mới cạnh nhau. The requests in your area, the old and"
        " the new side by side.",
    )
    async def listing(
        actor: _Reader,
        state: Annotated[str | None, Query(examples=["PENDING"])] = None,
        kind: Annotated[str | None, Query(examples=["IDENTITY"])] = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ChangeRequestPage:
        async with db.read(actor) as tx:
            rows = await storage.page(
                tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state, kind=kind, person_id=beneficiary_id
            )
        last = [str(rows[-1]["request_id"])] if len(rows) == limit else None
        return ChangeRequestPage(items=[_view(row) for row in rows], next_cursor=cursors.encode(last))

    @router.get(
        "/change-requests/{request_id}",
        summary="One change request",
        description="Một yêu cầu thay đổi, số định danh được che. One request; national numbers are masked.",
    )
    async def one(actor: _Reader, request_id: UUID) -> ChangeRequestView:
        async with db.read(actor) as tx:
            return _view(await change_requests.seen(tx, request_id))


def _decide(router: APIRouter, db: Database) -> None:
    @router.post(
        "/change-requests/{request_id}/decision",
        summary="Approve or refuse a change",
        description="Người thứ hai duyệt hoặc từ chối. Approval makes the change by the usual rules (numbers stay unique, the month of"
        " death stays due; another date of a death has dues computed anew, and what was paid beyond it becomes a"
        " recovery); 409 when the file changed after the request.",
    )
    async def decide(actor: _Decider, request_id: UUID, body: ChangeAnswer) -> ChangeRequestView:
        return _view(
            await change_requests.decide(db, actor, request_id, approve=body.approve, answer=body.answer, business_date=body.business_date)
        )

    @router.post(
        "/change-requests/{request_id}/withdraw",
        summary="Withdraw one's own request",
        description="Người yêu cầu rút lại yêu cầu. Who asked takes the request back.",
    )
    async def withdraw(actor: _Asker, request_id: UUID) -> ChangeRequestView:
        return _view(await change_requests.withdraw(db, actor, request_id))
