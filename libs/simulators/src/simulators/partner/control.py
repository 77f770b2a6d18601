"""Control routes: arm scripts, read the books. For tests, the demo and people who look; no partner has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.concurrency import iterate_in_threadpool

from simulators.partner import statements, views
from simulators.partner.files import content_type
from simulators.partner.runtime import Runtime
from simulators.partner.scripts import ScriptRequest

__all__ = ["HoldRequest", "StatementRequest", "control_routes"]

_Limit = Annotated[int, Query(ge=1, le=10_000)]


class StatementRequest(BaseModel):
    """Which lines: of one partner or all, booked from `since` to before `until`."""

    model_config = ConfigDict(extra="forbid")

    partner: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    form: Literal["BOOKS", "CSV", "XLSX", "CAMT053", "CAMT054"] = Field(
        default="BOOKS",
        description="BOOKS: our own columns, all partners; else one partner's statement as banks hand it out",
    )
    missing: int = Field(default=0, ge=0, description="So many booked lines are left out")
    extra: int = Field(default=0, ge=0, description="So many lines of nobody are put in")
    amount: int = Field(default=0, ge=0, description="So many lines say 1,000 đồng more")
    duplicate: int = Field(default=0, ge=0, description="So many lines stand twice")
    seed: int = 1

    @model_validator(mode="after")
    def _one_partner(self) -> StatementRequest:
        if self.form != "BOOKS" and self.partner is None:
            raise ValueError("a bank's statement is of one partner")
        return self


class HoldRequest(BaseModel):
    """Whether results wait."""

    model_config = ConfigDict(extra="forbid")

    held: bool


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

    @router.post("/hold", summary="Let all results wait (accepted, not settled), or let them come")
    async def hold(request: HoldRequest) -> dict[str, bool]:
        runtime.held = request.held
        runtime.wake()
        return {"held": runtime.held}

    _paper_routes(router, runtime, known)
    return router


def _paper_routes(router: APIRouter, runtime: Runtime, known: Callable[[str | None], None]) -> None:
    """What a person fetches at a bank: answers to files, and statements."""
    books = runtime.config.books

    @router.get("/notices/{number}/body", summary="A notice's bytes: what a person fetches at a bank that has no API")
    async def notice_body(number: int) -> Response:
        body = await asyncio.to_thread(views.notice_body, books, number)
        if body is None:
            raise HTTPException(404, "no such notice")
        return Response(body, media_type=content_type(body))

    @router.post("/statement", response_model=None, summary="The booked lines as a file; scripted differences are named in x-differences")
    async def statement(request: StatementRequest) -> Response:
        known(request.partner)
        since = request.since.timestamp() if request.since else 0.0
        until = request.until.timestamp() if request.until else float("inf")
        if request.form != "BOOKS":
            return await asyncio.to_thread(_statement, books, request, since, until)
        lines = iterate_in_threadpool(views.statement(books, request.partner, since, until))
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8")


def _statement(books: Path, request: StatementRequest, since: float, until: float) -> Response:
    wanted = {kind: getattr(request, kind) for kind in ("missing", "extra", "amount", "duplicate")}
    lines = statements.booked(books, request.partner or "", since, until)
    if sum(wanted.values()) - wanted["extra"] > sum(line.amount > 0 for line in lines):
        raise HTTPException(400, "more differences than lines")
    lines, differences = statements.with_differences(lines, wanted, request.seed)
    content = statements.as_file(request.form, request.partner or "", lines)
    return Response(content, media_type=statements.MEDIA_TYPES[request.form], headers={"x-differences": orjson.dumps(differences).decode()})
