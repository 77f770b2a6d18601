"""HTTP of partners with a contract of their own: the same books and the same scripts behind other paths, words and signatures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import ValidationError

from simulators.partner.books import Answer, accept_batch, inquire
from simulators.partner.faces import FACES, Face, Unreadable
from simulators.partner.runtime import Runtime
from simulators.partner.scripts import Script
from simulators.webhooks import BadSignatureError

__all__ = ["face_routes"]

_PATHS = {
    "wallet_query": ("/v1/disbursements", "/v1/disbursements/query"),
    "wallet_ipn": ("/v2/payouts", "/v2/payouts/query"),
    "mobile_money": ("/api/payouts", "/api/payouts/status"),
}
ReadBody = Callable[[Request], Awaitable[bytes]]
TakeScript = Callable[[str, str], Awaitable[Script | None]]
Instead = Callable[[Script | None], Awaitable[Response | None]]
Spoilt = Callable[[Script | None, Response], Awaitable[Response]]


def face_routes(runtime: Runtime, read: ReadBody, script_of: TakeScript, instead: Instead, spoilt: Spoilt) -> APIRouter:
    """Routes of every face, each for the partners whose row names it. The functions given are those of the default contract."""
    router = APIRouter(prefix="/{partner}", tags=["partner"])
    for name, (orders, inquiries) in _PATHS.items():
        _routes(router, runtime, name, (orders, inquiries), read, script_of, instead, spoilt)
    return router


def _routes(
    router: APIRouter,
    runtime: Runtime,
    name: str,
    paths: tuple[str, str],
    read: ReadBody,
    script_of: TakeScript,
    instead: Instead,
    spoilt: Spoilt,
) -> None:
    face = FACES[name]

    async def take(partner: str, request: Request) -> Response:
        body = await _believed(runtime, name, face, partner, request, read)
        try:
            batch = face.batch(body, runtime.config.partners[partner].provider_code or partner.upper())
        except (Unreadable, ValidationError, KeyError, TypeError) as error:
            raise HTTPException(400, f"unreadable: {type(error).__name__}") from None
        script = await script_of(partner, "batches")
        early = await instead(script)
        if early is not None:
            return early
        answer = await runtime.lane.run(
            lambda connection: accept_batch(connection, runtime.config, runtime.scripts, partner, batch, body, runtime.clock(), script)
        )
        if answer.booked:
            runtime.wake()
        return await spoilt(script, _worded(face, answer))

    async def tell(partner: str, request: Request) -> Response:
        body = await _believed(runtime, name, face, partner, request, read)
        try:
            references = face.asked(body)
        except Unreadable as error:
            raise HTTPException(400, str(error)) from None
        script = await script_of(partner, "inquiries")
        early = await instead(script)
        if early is not None:
            return early
        found: list[dict[str, Any]] = await runtime.lane.run(lambda connection: inquire(connection, partner, references, runtime.clock()))
        return await spoilt(script, Response(orjson.dumps(face.found(found)), media_type="application/json"))

    router.post(paths[0], summary=f"{name}: take a batch of orders")(take)
    router.post(paths[1], summary=f"{name}: what the books say of orders")(tell)


async def _believed(runtime: Runtime, name: str, face: Face, partner: str, request: Request, read: ReadBody) -> bytes:
    settings = runtime.config.partners.get(partner)
    if settings is None or settings.channel != name:
        raise HTTPException(404, f"no partner {partner} that speaks {name}")
    body = await read(request)
    try:
        face.believe(settings, request.headers, body)
    except BadSignatureError as error:
        raise HTTPException(401, str(error)) from None
    return body


def _worded(face: Face, answer: Answer) -> Response:
    content = orjson.dumps(face.answered(orjson.loads(answer.body))) if answer.status < 300 else answer.body
    return Response(content, answer.status, media_type="application/json")
