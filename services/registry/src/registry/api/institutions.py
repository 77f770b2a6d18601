"""Routes of social-protection institutions and their residents."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.api.models import Closed
from registry.api.roles import Department, Reader, Writer
from registry.storage import institutions as storage
from registry.usecases import institutions

__all__ = ["make_router"]

_ID = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"


class NewInstitution(Closed):
    """An institution (cơ sở trợ giúp xã hội) and the commune it stands in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"code": "BTXH-01", "name": "Trung tâm Bảo trợ xã hội tổng hợp", "unit_code": "22924", "valid_from": "2015-01-01",
                 "business_date": "2024-08-20"}
            ]
        },
    )  # fmt: skip
    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,39}$")
    name: str = Field(min_length=1, max_length=200)
    unit_code: str
    valid_from: date
    business_date: date


class InstitutionPatch(Closed):
    """Rename or close."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "valid_to": "2024-07-31"}]})
    business_date: date
    name: str | None = Field(default=None, min_length=1, max_length=200)
    valid_to: date | None = None


class InstitutionMade(BaseModel):
    """The institution entered."""

    institution_id: UUID


class InstitutionView(BaseModel):
    """An institution; `path` is its own, below its commune's, and can be somebody's area."""

    institution_id: UUID
    code: str
    name: str
    unit_code: str
    unit_path: str
    path: str
    valid_from: date
    valid_to: date | None
    version: int
    residents: int


class InstitutionPage(BaseModel):
    """A page of institutions."""

    items: list[InstitutionView]
    next_cursor: str | None


class Entering(Closed):
    """Somebody comes to live there from a day on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"business_date": "2024-08-20", "beneficiary_id": _ID, "from_date": "2024-08-01", "decision_number": "7/QĐ"}]
        },
    )
    business_date: date
    beneficiary_id: UUID
    from_date: date
    decision_number: str = Field(min_length=1, max_length=100)


class Leaving(Closed):
    """Somebody leaves; the last day there."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"business_date": "2024-08-20", "beneficiary_id": _ID, "last_day": "2024-08-15"}]}
    )
    business_date: date
    beneficiary_id: UUID
    last_day: date


class ResidentView(BaseModel):
    """Somebody who lives there."""

    beneficiary_id: UUID
    full_name: str
    birth_date: str | None
    masked_number: str | None
    no_number_reason: str | None
    unit_path: str
    from_date: date
    to_date: date | None
    decision_number: str | None


class ResidentPage(BaseModel):
    """A page of residents."""

    items: list[ResidentView]
    next_cursor: str | None


def _answer(row: Any) -> Response:
    view = InstitutionView(**row)
    return JSONResponse(view.model_dump(mode="json"), headers={"ETag": etag(view.version)})


def make_router(db: Database) -> APIRouter:
    """`/v1/institutions`."""
    router = APIRouter(prefix="/v1/institutions", tags=["institutions"])
    _institutions(router, db)
    _residents(router, db)
    return router


def _institutions(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=InstitutionMade,
        summary="Enter an institution",
        description="Thêm cơ sở trợ giúp xã hội. A kind of unit below its commune; department officers only.",
    )
    async def create(request: Request, actor: Department, key: IdempotencyKey, body: NewInstitution) -> Response:
        async def effect(tx: Tx) -> tuple[int, InstitutionMade]:
            made = await institutions.create(tx, body.code, body.name, body.unit_code, body.valid_from, body.business_date)
            return 201, InstitutionMade(institution_id=made)

        answer = await idempotency.run(db, actor, key, "POST /v1/institutions", await request.body(), effect)
        return JSONResponse(answer.body, answer.status, headers={"Location": f"/v1/institutions/{answer.body['institution_id']}"})

    @router.get(
        "",
        summary="Institutions",
        description="Các cơ sở trợ giúp xã hội trong phạm vi của bạn. The social-assistance institutions in your area.",
    )
    async def listing(
        actor: Reader, unit_path: Annotated[str | None, Query(max_length=60)] = None, cursor: Cursor = None, limit: Limit = 100
    ) -> InstitutionPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, unit_path, cursors.decode_id(cursor), limit)
        end = cursors.encode([str(rows[-1]["institution_id"])] if len(rows) == limit else None)
        return InstitutionPage(items=[InstitutionView(**row) for row in rows], next_cursor=end)

    @router.get(
        "/{institution_id}",
        response_model=InstitutionView,
        summary="One institution",
        description="Một cơ sở. One institution with its unit and whether it is open.",
    )
    async def one(actor: Reader, institution_id: UUID) -> Response:
        async with db.read(actor) as tx:
            return _answer(await institutions.seen(tx, institution_id))

    @router.patch(
        "/{institution_id}",
        response_model=InstitutionView,
        summary="Rename or close an institution",
        description="Đổi tên hoặc đóng cơ sở; còn người ở thì không đóng được. Needs `If-Match`. An institution where people"
        " still live cannot be closed.",
    )
    async def patch(actor: Department, institution_id: UUID, body: InstitutionPatch, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        return _answer(await institutions.change(db, actor, institution_id, version, body.name, body.valid_to, body.business_date))


def _residents(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{institution_id}/residents",
        summary="Residents on a date",
        description="Người đang ở cơ sở tại một ngày; số định danh được che. Who lived there on a day; national numbers are masked.",
    )
    async def residents(
        actor: Reader, institution_id: UUID, on: Annotated[date, Query(examples=["2024-09-01"])], cursor: Cursor = None, limit: Limit = 100
    ) -> ResidentPage:
        async with db.read(actor) as tx:
            await institutions.seen(tx, institution_id)
            rows = await storage.residents(tx, institution_id, on, cursors.decode_id(cursor), limit)
        end = cursors.encode([str(rows[-1]["person_id"])] if len(rows) == limit else None)
        return ResidentPage(items=[ResidentView(**(dict(row) | {"beneficiary_id": row["person_id"]})) for row in rows], next_cursor=end)

    @router.post(
        "/{institution_id}/residents",
        status_code=201,
        response_model=Entering,
        summary="Somebody comes to live there",
        description="Vào cơ sở: chế độ tại cộng đồng dừng theo luật; khoản phải chi được tính lại ngay. Allowances paid in the"
        " community stop as the law says; dues are computed anew at once.",
    )
    async def enter(request: Request, actor: Writer, key: IdempotencyKey, institution_id: UUID, body: Entering) -> Response:
        async def effect(tx: Tx) -> tuple[int, Entering]:
            await institutions.enter(tx, institution_id, body.beneficiary_id, body.from_date, body.decision_number, body.business_date)
            return 201, body

        route = f"POST /v1/institutions/{institution_id}/residents"
        answer = await idempotency.run(db, actor, key, route, await request.body(), effect)
        return JSONResponse(answer.body, answer.status)

    @router.post(
        "/{institution_id}/leave",
        response_model=Leaving,
        summary="Somebody leaves",
        description="Rời cơ sở; `last_day` là ngày cuối ở đó. Dues are computed anew at once.",
    )
    async def leave(request: Request, actor: Writer, key: IdempotencyKey, institution_id: UUID, body: Leaving) -> Response:
        async def effect(tx: Tx) -> tuple[int, Leaving]:
            await institutions.leave(tx, institution_id, body.beneficiary_id, body.last_day, body.business_date)
            return 200, body

        answer = await idempotency.run(db, actor, key, f"POST /v1/institutions/{institution_id}/leave", await request.body(), effect)
        return JSONResponse(answer.body, answer.status)
