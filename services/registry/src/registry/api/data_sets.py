"""Routes of data sets for a ministry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from common import idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.purposes import PurposeText
from common.streams import StreamingResponse
from registry.api import cursors
from registry.api.cursors import Cursor, Limit
from registry.storage import data_sets as storage
from registry.usecases import data_sets

__all__ = ["make_router"]

_User = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.INTEGRATOR))]
_Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.INTEGRATOR, Role.AUDITOR))]


class NewDataSet(BaseModel):
    """Everything below a unit, or what changed after an earlier data set."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"unit_code": "60", "business_date": "2024-08-20", "purpose": "Báo cáo Bộ quý III/2024"}]},
    )
    unit_code: str = Field(examples=["60"])
    business_date: date
    purpose: PurposeText
    whole_numbers: bool = Field(default=False, description="Whole national numbers; every download is audited")
    since: UUID | None = Field(default=None, description="A data set of the same unit: only what changed after it")


class DataSetOrdered(BaseModel):
    """The data set is being built."""

    data_set_id: UUID
    job_id: UUID


class PartView(BaseModel):
    """One part, to be checked after download."""

    part: int
    records: int
    sha256: str


class DataSetView(BaseModel):
    """A data set; with its manifest once it is built."""

    data_set_id: UUID
    kind: Literal["FULL", "DELTA"]
    schema_version: str
    since: UUID | None
    unit_code: str
    unit_path: str
    whole_numbers: bool
    purpose: str
    business_date: date
    job_id: UUID
    state: Literal["BUILDING", "READY"]
    manifest: dict[str, Any] | None = Field(description="Counts, position in the change feed, SHA-256 of the whole")
    parts: list[PartView] = []
    created_by: str
    created_at: datetime


class DataSetPage(BaseModel):
    """A page of data sets."""

    items: list[DataSetView]
    next_cursor: str | None


def _view(row: Any, parts: Any = ()) -> DataSetView:
    plain = {name: row[name] for name in DataSetView.model_fields if name in row}
    return DataSetView(**plain, since=row["since_id"], parts=[PartView(**part) for part in parts])


def make_router(db: Database) -> APIRouter:
    """`/v1/data-sets`."""
    router = APIRouter(prefix="/v1/data-sets", tags=["data sets"])
    _order(router, db)
    _download(router, db)
    return router


def _order(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=DataSetOrdered,
        summary="Build a data set",
        description="Lập bộ dữ liệu đầy đủ, hoặc phần thay đổi kể từ một bộ trước. Built by a job from one snapshot; records are"
        " JSON lines in parts, the manifest holds counts and SHA-256.",
    )
    async def order(request: Request, actor: _User, key: IdempotencyKey, body: NewDataSet) -> Response:
        async def effect(tx: Tx) -> tuple[int, DataSetOrdered]:
            return 202, DataSetOrdered(**await data_sets.order(tx, data_sets.Order(**body.model_dump())))

        answer = await idempotency.run(db, actor, key, "POST /v1/data-sets", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status, headers={"Location": f"/v1/data-sets/{answer.body['data_set_id']}"})

    @router.get("", summary="Data sets", description="Các bộ dữ liệu đã lập, trong phạm vi của bạn. The data sets made in your area.")
    async def listing(actor: _Reader, cursor: Cursor = None, limit: Limit = 100) -> DataSetPage:
        async with db.read(actor) as tx:
            rows = await storage.page(tx, actor, cursors.decode_id(cursor), limit)
        last = [str(rows[-1]["data_set_id"])] if len(rows) == limit else None
        return DataSetPage(items=[_view(row) for row in rows], next_cursor=cursors.encode(last))


def _download(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{data_set_id}",
        summary="One data set and its manifest",
        description="Bộ dữ liệu, bản kê và các phần. The data set, its manifest and its parts.",
    )
    async def one(actor: _Reader, data_set_id: UUID) -> DataSetView:
        async with db.read(actor) as tx:
            return _view(await data_sets.seen(tx, data_set_id), await storage.parts(tx, data_set_id))

    @router.get(
        "/{data_set_id}/parts/{part}",
        summary="One part",
        description="Một phần của bộ dữ liệu, dạng dòng JSON. A broken download goes on with the part it lacks. 409 while the"
        " data set is being built.",
        response_class=Response,
        responses={200: {"content": {"application/x-ndjson": {}}, "description": "One JSON record a line"}},
    )
    async def part(actor: _User, data_set_id: UUID, part: int) -> Response:
        return Response(await data_sets.read_part(db, actor, data_set_id, part), media_type="application/x-ndjson")

    @router.get(
        "/{data_set_id}/file",
        summary="The whole data set",
        description="Toàn bộ dữ liệu trong một tệp dòng JSON. Its SHA-256 stands in the manifest.",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}, "description": "One JSON record a line"}},
    )
    async def file(actor: _User, data_set_id: UUID) -> StreamingResponse:
        async with db.read(actor) as tx:
            row = data_sets.opened(await data_sets.seen(tx, data_set_id))
        count = row["manifest"]["parts"]
        first = await data_sets.read_part(db, actor, data_set_id, 1) if count else b""  # refused before the answer begins

        async def body() -> AsyncIterator[bytes]:
            yield first
            for number in range(2, count + 1):
                yield await data_sets.read_part(db, actor, data_set_id, number)

        headers = {"Content-Disposition": f'attachment; filename="{data_set_id}.ndjson"'}
        return StreamingResponse(body(), media_type="application/x-ndjson", headers=headers)
