"""HTTP of the SMS gateway: messages, receipts, books, and what to do wrong next. Lives in the partner simulator's process."""

from __future__ import annotations

import hmac
import sqlite3
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from simulators.sqlite_lane import Lane, transaction

__all__ = ["DDL", "sms_routes"]

DDL = """
CREATE TABLE IF NOT EXISTS sms (
    reference TEXT PRIMARY KEY, phone TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, code TEXT, taken INTEGER NOT NULL DEFAULT 1,
    at TEXT NOT NULL
);
"""
_PHONE_LENGTH = 10


class _Message(BaseModel):
    reference: str = Field(min_length=1, max_length=40)
    to: str = Field(min_length=1, max_length=20)
    text: str = Field(min_length=1, max_length=600)


class _Messages(BaseModel):
    messages: list[_Message] = Field(min_length=1, max_length=500)


class _References(BaseModel):
    references: list[str] = Field(min_length=1, max_length=5_000)


class _Script(BaseModel):
    """Next requests go wrong: OUTAGE before anything is taken, LOST_ANSWER after it was taken, NONSENSE; or texts are not delivered."""

    model_config = ConfigDict(extra="forbid")
    behaviour: Literal["OUTAGE", "LOST_ANSWER", "NONSENSE", "UNDELIVERED", "NO_RECEIPT"]
    requests: int = Field(default=1, ge=1)


class _State:
    def __init__(self) -> None:
        self.left: dict[str, int] = {}

    def take(self, behaviour: str) -> bool:
        """Whether this fault is due now; it is used up by one."""
        if not self.left.get(behaviour):
            return False
        self.left[behaviour] -= 1
        return True


def sms_routes(lane: Lane, token: str, prefix: str = "/sms") -> APIRouter:
    """The gateway under `prefix`; `lane` holds its own books (:data:`DDL`)."""
    router = APIRouter(prefix=prefix, tags=["sms"])
    state = _State()

    def door(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "bearer token missing or wrong")

    believed = Depends(door)

    @router.post("/v1/messages", summary="Take texts; a reference is taken once, whatever comes after it", dependencies=[believed])
    async def messages(asked: _Messages) -> Response:
        if state.take("OUTAGE"):
            return JSONResponse({"message": "away"}, 503)
        fate = "FAILED" if state.take("UNDELIVERED") else "ACCEPTED" if state.take("NO_RECEIPT") else "DELIVERED"
        results = await lane.run(lambda connection: _take(connection, asked.messages, fate))
        if state.take("LOST_ANSWER"):
            return JSONResponse({"message": "gateway timeout"}, 504)
        if state.take("NONSENSE"):
            return HTMLResponse("<html><body>Hệ thống đang bảo trì</body></html>", 200)
        return JSONResponse({"results": results})

    @router.post("/v1/receipts", summary="What became of texts", dependencies=[believed])
    async def receipts(asked: _References) -> Response:
        if state.take("OUTAGE"):
            return JSONResponse({"message": "away"}, 503)
        return JSONResponse({"results": await lane.run(lambda connection: _receipts(connection, asked.references))})

    @router.post("/control/script", summary="What to do wrong next")
    async def script(wanted: _Script) -> dict[str, int]:
        state.left[wanted.behaviour] = wanted.requests
        return state.left

    @router.get("/control/books", summary="Every text that was taken; `taken`: how often its reference came")
    async def books() -> dict[str, Any]:
        return {"messages": await lane.run(_books)}

    return router


def _take(connection: sqlite3.Connection, messages: list[_Message], fate: str) -> list[dict[str, str | None]]:
    results: list[dict[str, str | None]] = []
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    with transaction(connection):
        for message in messages:
            if len(message.to) != _PHONE_LENGTH or not message.to.isdigit():
                results.append({"reference": message.reference, "status": "REFUSED", "code": "BAD_NUMBER"})
                continue
            connection.execute(
                "INSERT INTO sms (reference, phone, body, state, code, at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (reference) DO UPDATE SET taken = taken + 1",
                (message.reference, message.to, message.text, fate, "ABSENT" if fate == "FAILED" else None, at),
            )
            results.append({"reference": message.reference, "status": "ACCEPTED", "code": None})
    return results


def _receipts(connection: sqlite3.Connection, references: list[str]) -> list[dict[str, str | None]]:
    marks = ",".join("?" * len(references))
    rows = connection.execute(f"SELECT reference, state, code FROM sms WHERE reference IN ({marks})", references).fetchall()
    found = {reference: {"reference": reference, "status": state, "code": code} for reference, state, code in rows}
    return [found.get(reference, {"reference": reference, "status": "NOT_FOUND", "code": None}) for reference in references]


def _books(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    names = ("reference", "phone", "text", "state", "taken", "at")
    rows = connection.execute("SELECT reference, phone, body, state, taken, at FROM sms ORDER BY at, reference LIMIT 10000")
    return [dict(zip(names, row, strict=True)) for row in rows]
