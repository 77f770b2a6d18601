"""Control routes: arm scripts, read the books. For tests, the demo and people who look; no partner has them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import iterate_in_threadpool

from simulators.partner import views
from simulators.partner.runtime import Runtime
from simulators.partner.scripts import ScriptRequest

__all__ = ["StatementRequest", "control_routes"]

_Limit = Annotated[int, Query(ge=1, le=10_000)]


class StatementRequest(BaseModel):
    """Which lines: of one partner or all, booked from `since` to before `until`."""

    model_config = ConfigDict(extra="forbid")

    partner: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def control_routes(runtime: Runtime) -> APIRouter:
    """Routes under /control."""
    router = APIRouter(prefix="/control", tags=["control"])
    books = runtime.config.books

    def known(partner: str | None) -> None:
        if partner not in (None, "*") and partner not in runtime.config.partners:
            raise HTTPException(404, f"no partner {partner}")

    @router.post("/script", summary="Arm a behaviour for the next batches or inquiries of a partner (or of all: *)")
    async def arm(request: ScriptRequest) -> dict[str, int]:
        known(request.partner)
        return {"id": await runtime.lane.run(lambda connection: runtime.scripts.add(connection, request, runtime.clock()))}

    @router.get("/script", summary="Armed behaviours")
    async def armed() -> dict[str, list[dict[str, Any]]]:
        return {"scripts": await runtime.lane.run(runtime.scripts.waiting)}

    @router.delete("/script", summary="Disarm the behaviours of one partner, or all")
    async def disarm(partner: str | None = None) -> dict[str, int]:
        return {"removed": await runtime.lane.run(lambda connection: runtime.scripts.clear(connection, partner))}

    @router.get("/books", summary="Totals by partner and state, and whether all is settled and told")
    async def totals(partner: str | None = None) -> dict[str, Any]:
        known(partner)
        return await asyncio.to_thread(views.totals, books, partner)

    @router.get("/books/payments", summary="Payments in the books, by id")
    async def payments(partner: str | None = None, state: str | None = None, after: int = 0, limit: _Limit = 1000) -> dict[str, Any]:
        known(partner)
        return await asyncio.to_thread(views.payments, books, partner, state, after, limit)

    @router.get("/doubles", summary="References and entries that must not be (both empty), and destinations paid several times")
    async def doubles() -> dict[str, Any]:
        return await asyncio.to_thread(views.doubles, books)

    @router.get("/notices", summary="Notices, by id")
    async def notices(partner: str | None = None, after: int = 0, limit: _Limit = 1000) -> dict[str, Any]:
        known(partner)
        return await asyncio.to_thread(views.notices, books, partner, after, limit)

    @router.post("/statement", summary="CSV of the booked lines, reversals as negative amounts")
    async def statement(request: StatementRequest) -> StreamingResponse:
        known(request.partner)
        since = request.since.timestamp() if request.since else 0.0
        until = request.until.timestamp() if request.until else float("inf")
        lines = iterate_in_threadpool(views.statement(books, request.partner, since, until))
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8")

    return router
