"""Administrative units."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from common.auth import Actor, Role, require
from common.db import Database
from registry.api.models import UnitPage, UnitView

__all__ = ["make_router"]

_Anyone = Annotated[Actor, Depends(require(*(role for role in Role if role is not Role.SYSTEM)))]


def make_router(db: Database) -> APIRouter:
    """`/v1/units`."""
    router = APIRouter(prefix="/v1/units", tags=["units"])

    @router.get(
        "",
        summary="Administrative units on a date",
        description="Đơn vị hành chính tại một ngày: ba cấp đến 30/6/2025, hai cấp từ 1/7/2025. Public data: not limited to your area.",
    )
    async def units(
        _actor: _Anyone,
        on: Annotated[date, Query(description="The date of the tree", examples=["2024-09-01"])],
        parent: Annotated[str | None, Query(description="Path of the unit whose subtree is wanted", examples=["60"])] = None,
        level: Annotated[str | None, Query(pattern="^(province|district|commune)$")] = None,
        cursor: Annotated[str | None, Query(description="Path of the last unit of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> UnitPage:
        async with db.read() as tx:
            rows = await tx.rows(
                "SELECT code, name, level, parent_code, path, valid_from, valid_to FROM administrative_unit"
                " WHERE valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)"
                " AND (CAST(:parent AS text) IS NULL OR path = :parent OR path LIKE :below)"
                " AND (CAST(:level AS text) IS NULL OR level = :level)"
                ' AND (CAST(:cursor AS text) IS NULL OR path COLLATE "C" > :cursor) ORDER BY path COLLATE "C" LIMIT :limit',
                on=on,
                parent=parent,
                below=f"{parent}/%",
                level=level,
                cursor=cursor,
                limit=limit,
            )
        last = rows[-1]["path"] if len(rows) == limit else None
        return UnitPage(items=[UnitView(**row) for row in rows], next_cursor=last)

    return router
