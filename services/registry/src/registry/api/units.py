"""Routes of administrative units: the tree on a date, one unit's past and future, later changes approved by a second person."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse

from common import etags, idempotency
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api.unit_models import (
    ChangePage,
    ChangeView,
    DecideChange,
    LinkedUnit,
    UnitCount,
    UnitCounts,
    UnitDetail,
    UnitItem,
    UnitItemPage,
)
from registry.domain.units import spoken
from registry.storage import units as storage
from registry.usecases import units

__all__ = ["make_router"]

_Anyone = Annotated[Actor, Depends(require(*(role for role in Role if role is not Role.SYSTEM)))]
_Maker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER))]
_Checker = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, of_a_province=True))]
_Reader = Annotated[Actor, Depends(require(Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.OPERATOR))]
_On = Annotated[date, Query(description="The date of the tree", examples=["2024-09-01"])]


def make_router(db: Database) -> APIRouter:
    """`/v1/units`."""
    router = APIRouter(prefix="/v1/units", tags=["units"])
    _tree(router, db)
    _changes(router, db)
    _one(router, db)  # last: its path takes any word
    return router


def _tree(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Administrative units on a date",
        description="Đơn vị hành chính tại một ngày: ba cấp đến 30/6/2025, hai cấp từ 1/7/2025; tìm theo tên có dấu hoặc không dấu."
        " Public data: not limited to your area.",
    )
    async def units(
        _actor: _Anyone,
        response: Response,
        on: _On,
        parent: Annotated[str | None, Query(description="Path of the unit whose subtree is wanted", examples=["60"])] = None,
        children: Annotated[bool, Query(description="Only the next level below `parent` (without it: the top)")] = False,
        level: Annotated[str | None, Query(pattern="^[a-z_]{2,20}$", examples=["commune"])] = None,
        name: Annotated[str | None, Query(max_length=80, description="Beginning of any word of the name", examples=["phan thiet"])] = None,
        cursor: Annotated[str | None, Query(description="Path of the last unit of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> UnitItemPage:
        key = spoken(name) if name else None
        async with db.read() as tx:
            rows = await storage.page(tx, on, parent=parent, children=children, level=level, name=key or None, after=cursor, limit=limit)
        last = rows[-1]["path"] if len(rows) == limit else None
        return UnitItemPage(items=etags.versioned(response, [UnitItem(**row) for row in rows]), next_cursor=last)

    @router.get(
        "/counts",
        summary="How many units on a date",
        description="Số đơn vị theo cấp và loại: 63 / 696 / 10.035, rồi 34 / 3.321. How many units there are by level and"
        " type: 63 / 696 / 10,035, then 34 / 3,321.",
    )
    async def counts(_actor: _Anyone, on: _On) -> UnitCounts:
        async with db.read() as tx:
            rows = await storage.counts(tx, on)
        levels: dict[str, int] = {}
        for row in rows:
            levels[row["level"]] = levels.get(row["level"], 0) + row["units"]
        return UnitCounts(on=on, levels=levels, types=[UnitCount(**row) for row in rows])


def _one(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{code}",
        summary="One unit, its past and its future",
        description="Một đơn vị tại một ngày: hình thành từ đâu, sau này thành đơn vị nào, mã này từng là của đơn vị nào. A code is used"
        " again: 91 is Kiên Giang until 30 June 2025 and An Giang after.",
    )
    async def one(actor: _Anyone, code: str, on: _On) -> UnitDetail:
        found = await units.one_unit(db, actor, code, on)
        return UnitDetail(
            **found["unit"], predecessors=[LinkedUnit(**row) for row in found["predecessors"]],
            successors=[LinkedUnit(**row) for row in found["successors"]], versions=[UnitItem(**row) for row in found["versions"]],
        )  # fmt: skip


def _change(row: Any) -> ChangeView:
    return ChangeView(**{name: row[name] for name in ChangeView.model_fields})


def _changes(router: APIRouter, db: Database) -> None:
    @router.post(
        "/changes",
        status_code=201,
        response_model=ChangeView,
        summary="Propose a change of units (CSV or XLSX)",
        description="Nộp tệp thay đổi đơn vị: mã, tên, cấp, loại, mã cấp trên, hình thành từ mã cũ (`26068+26071*`, dấu `*` là một phần;"
        " cấp `bãi bỏ` là đơn vị hết). The whole file is checked against the tree of the day before; nothing changes until a second person"
        " approves. 422 names every row at fault.",
    )
    async def propose(
        actor: _Maker,
        key: IdempotencyKey,
        file: Annotated[UploadFile, File(description="One row per unit that begins or ends on the day")],
        effective_on: Annotated[date, Form(examples=["2026-04-30"])],
        legal_basis: Annotated[str, Form(min_length=3, max_length=300, examples=["Nghị quyết 30/2026/QH16"])],
        business_date: Annotated[date, Form(examples=["2026-05-02"])],
    ) -> Response:
        content = await file.read()
        sent = units.ChangeFile(content, file.filename or "units", effective_on, legal_basis, business_date)

        async def effect(tx: Tx) -> tuple[int, ChangeView]:
            return 201, _change(await units.change_of(tx, await units.propose(tx, sent)))

        fields = f"{effective_on}|{legal_basis}|{business_date}|{sent.file_name}|".encode()
        answer = await idempotency.run(db, actor, key, "POST /v1/units/changes", fields + content, effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/changes",
        summary="Changes of units",
        description="Các thay đổi đơn vị đã nộp. Newest first. The changes of units that were handed in.",
    )
    async def listing(_actor: _Reader, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> ChangePage:
        async with db.read(_actor) as tx:
            rows = await tx.rows(
                "SELECT * FROM unit_change WHERE CAST(:cursor AS uuid) IS NULL OR change_id < :cursor ORDER BY change_id DESC LIMIT :limit",
                cursor=cursor,
                limit=limit,
            )
        last = str(rows[-1]["change_id"]) if len(rows) == limit else None
        return ChangePage(items=[_change(row) for row in rows], next_cursor=last)

    @router.get(
        "/changes/{change_id}",
        summary="One change of units",
        description="Một thay đổi đơn vị, từng dòng và tác động. One change of units, row by row, and whom it concerns.",
    )
    async def change(_actor: _Reader, change_id: UUID) -> ChangeView:
        async with db.read(_actor) as tx:
            return _change(await units.change_of(tx, change_id))

    @router.post(
        "/changes/{change_id}/decision",
        summary="Approve or refuse a change of units",
        description="Người thứ hai duyệt hoặc từ chối. Approved: old units end the day before, new ones begin, links are kept, every"
        " unit is published. People are re-mapped by a re-mapping of their own (`POST /v1/units/remaps`).",
    )
    async def decide(actor: _Checker, change_id: UUID, body: DecideChange) -> ChangeView:
        return _change(await units.decide(db, actor, change_id, approve=body.approve, reason=body.reason))
