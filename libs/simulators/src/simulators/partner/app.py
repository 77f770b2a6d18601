"""HTTP a partner offers to the platform: batches, inquiries, name inquiries."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from pydantic import BaseModel, ValidationError

from simulators.partner.books import accept, accept_file, inquire
from simulators.partner.control import control_routes
from simulators.partner.face_routes import face_routes
from simulators.partner.messages import Inquiries, NameInquiries
from simulators.partner.name_inquiry import WorldMissingError, name_inquiry, with_quirks
from simulators.partner.runtime import Runtime
from simulators.partner.scripts import Behaviour, Phase, Script
from simulators.serving import health
from simulators.sms.app import DDL, sms_routes
from simulators.sqlite_lane import Lane
from simulators.webhooks import BadSignatureError, verify

__all__ = ["create_app"]

_MAX_BODY = 64 * 1024 * 1024
_OVERSIZE_CHUNKS, _CHUNK = 16, 1024 * 1024
_SLOW_PIECES = 20
_ANSWER = frozenset({Phase.ANSWER})
MessageT = TypeVar("MessageT", bound=BaseModel)


def create_app(runtime: Runtime) -> FastAPI:
    """The partners as one application; it settles and delivers from its start to its end (a test that does both by hand starts nothing)."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runtime.start()
        yield
        await runtime.close()

    app = FastAPI(title="Payment partners (simulator)", version="1", lifespan=lifespan)
    health(app)
    if runtime.config.sms_token:
        books = runtime.config.books.with_name("sms-books.sqlite")
        app.include_router(sms_routes(Lane(books, DDL, runtime.config.synchronous), runtime.config.sms_token))
    app.include_router(control_routes(runtime))
    app.include_router(_partner_routes(runtime))

    async def script_of(partner: str, route: str) -> Script | None:
        return await _script(runtime, partner, route)

    app.include_router(face_routes(runtime, _body, script_of, _instead, _spoilt))
    return app


def _partner_routes(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/{partner}/v1", tags=["partner"])

    @router.post("/batches", summary="Take a batch: 202 when it lies in the books; signed with the outbound secret")
    async def batches(partner: str, request: Request) -> Response:
        body = await _believed_body(runtime, partner, request, always=True)
        script = await _script(runtime, partner, "batches")
        early = await _instead(script)
        if early is not None:
            return early
        answer = await runtime.lane.run(
            lambda connection: accept(
                connection,
                runtime.config,
                runtime.scripts,
                partner,
                body,
                runtime.clock(),
                script,
            )
        )
        if answer.booked:
            runtime.wake()
        return await _spoilt(script, Response(answer.body, answer.status, media_type="application/json"))

    @router.put("/files/{name}", summary="Take a file (pain.001, XLSX, CSV): 202 when it lies in the books; its answer comes as a file")
    async def files(partner: str, name: str, request: Request) -> Response:
        return await take_file(runtime, partner, await _believed_body(runtime, partner, request, always=True))

    @router.post("/inquiries", summary="What the books say of references; NOT_FOUND may still arrive")
    async def inquiries(partner: str, request: Request) -> Response:
        asked = _message(Inquiries, await _believed_body(runtime, partner, request))
        return await _answered(
            runtime,
            partner,
            "inquiries",
            lambda connection: inquire(
                connection,
                partner,
                asked.references,
                runtime.clock(),
            ),
        )

    @router.post("/name-inquiries", summary="Whose account is it: up to 1,000 at once")
    async def name_inquiries(partner: str, request: Request) -> Response:
        asked = _message(NameInquiries, await _believed_body(runtime, partner, request))
        return await _answered(
            runtime,
            partner,
            "name-inquiries",
            lambda connection: name_inquiry(
                connection,
                runtime.world,
                partner,
                asked.accounts,
                runtime.config.open_holder_name,
            ),
        )

    return router


async def take_file(runtime: Runtime, partner: str, body: bytes) -> Response:
    """A file as the platform uploads it, or as a person hands it in."""
    script = await _script(runtime, partner, "batches")
    early = await _instead(script)
    if early is not None:
        return early
    answer = await runtime.lane.run(
        lambda connection: accept_file(
            connection,
            runtime.config,
            runtime.scripts,
            partner,
            body,
            runtime.clock(),
            script,
        )
    )
    runtime.wake()
    return await _spoilt(script, Response(answer.body, answer.status, media_type="application/json"))


async def _answered(runtime: Runtime, partner: str, route: str, read: Callable[[sqlite3.Connection], list[dict[str, Any]]]) -> Response:
    script = await _script(runtime, partner, route)
    early = await _instead(script)
    if early is not None:
        return early
    try:
        results = await runtime.lane.run(read)
    except WorldMissingError:
        raise HTTPException(503, "no account data yet") from None
    answer = Response(orjson.dumps({"results": with_quirks(script, results)}), media_type="application/json")
    return await _spoilt(script, answer)


async def _believed_body(runtime: Runtime, partner: str, request: Request, *, always: bool = False) -> bytes:
    """Body of a request from the platform. A signature that is there must be right; on batches it must be there."""
    settings = runtime.config.partners.get(partner)
    if settings is None:
        raise HTTPException(404, f"no partner {partner}")
    body = await _body(request)
    if always or settings.signed_inquiries or "webhook-signature" in request.headers:
        try:
            verify([settings.outbound_secret], request.headers, body, runtime.clock())
        except BadSignatureError as error:
            raise HTTPException(401, str(error)) from None
    return body


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_BODY:
            raise HTTPException(413, "body is larger than 64 MiB")
    return bytes(body)


def _message(model: type[MessageT], body: bytes) -> MessageT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise HTTPException(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


async def _script(runtime: Runtime, partner: str, route: str) -> Script | None:
    taken = await runtime.lane.run(lambda connection: runtime.scripts.take(connection, partner, route, _ANSWER, runtime.clock()))
    return taken.get(Phase.ANSWER)


async def _instead(script: Script | None) -> Response | None:
    """The answer of a fault that comes before anything is booked."""
    if script is None:
        return None
    if script.behaviour is Behaviour.OUTAGE:
        return JSONResponse({"message": "away"}, 503)
    if script.behaviour is Behaviour.ERROR_500:
        return JSONResponse({"message": "internal error"}, 500)
    if script.behaviour is Behaviour.REDIRECT:
        return RedirectResponse("/elsewhere", 307)
    if script.behaviour is Behaviour.TIMEOUT_BEFORE_ACCEPT:
        await asyncio.sleep(script.seconds)
        return JSONResponse({"message": "gateway timeout"}, 504)
    return None


async def _spoilt(script: Script | None, answer: Response) -> Response:
    """The answer of a fault that comes after the booking, else the true one."""
    if script is None:
        return answer
    if script.behaviour is Behaviour.TIMEOUT_AFTER_ACCEPT:
        await asyncio.sleep(script.seconds)
        return JSONResponse({"message": "gateway timeout"}, 504)
    if script.behaviour is Behaviour.ERROR_500_AFTER_ACCEPT:
        return JSONResponse({"message": "internal error"}, 500)
    if script.behaviour is Behaviour.NOT_FOUND_THEN_ACCEPTED:
        return JSONResponse({"message": "gateway timeout"}, 504)
    if script.behaviour is Behaviour.NONSENSE_ANSWER:
        return HTMLResponse("<html><body>Hệ thống đang bảo trì</body></html>", 200)
    if script.behaviour is Behaviour.OVERSIZED:
        return StreamingResponse(_padded(bytes(answer.body)), answer.status_code, media_type="application/json")
    if script.behaviour is Behaviour.SLOW_BODY:
        return StreamingResponse(_trickled(bytes(answer.body), script.seconds), answer.status_code, media_type="application/json")
    return answer


async def _padded(body: bytes) -> AsyncIterator[bytes]:
    """The true answer behind many megabytes of white space: still JSON, for whoever reads that far."""
    for _ in range(_OVERSIZE_CHUNKS):
        yield b" " * _CHUNK
    yield body


async def _trickled(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    step = -(-len(body) // _SLOW_PIECES)
    for start in range(0, len(body), step):
        yield body[start : start + step]
        await asyncio.sleep(seconds / _SLOW_PIECES)
