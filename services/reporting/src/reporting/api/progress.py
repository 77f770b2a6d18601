"""A month's progress: once as JSON, and as a stream of server-sent events that survives a broken line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from common.auth import Actor, require
from common.db import Database
from common.streams import StreamingResponse
from reporting.api import schemas
from reporting.api.reports import READERS, Month, Unit
from reporting.domain.states import state_words
from reporting.usecases.progress import Feed, Picture, snapshot
from reporting.usecases.reports import unit_for

__all__ = ["progress_router"]

_Reader = Annotated[Actor, Depends(require(*READERS))]
_RETRY_MS: Final = 3_000
_SEND_SECONDS: Final = 180.0
"""Longer than a reader's life in the feed: a browser that takes nothing any more is let go too."""


class CycleRow(BaseModel):
    """One payment cycle."""

    model_config = ConfigDict(extra="forbid")

    cycle_id: UUID
    state: str = Field(description="OPEN, COMPUTED, SUBMITTED, APPROVED, DISBURSING, SETTLING or CLOSED")
    programme: str
    funding_source: str
    unit_path: str
    lines: int = Field(description="Lines of the whole cycle's list")
    held: int
    total_amount: int


class Progress(BaseModel):
    """The whole picture of a month in a unit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "month": "2024-09", "unit_path": "60", "as_of": "2024-09-05T03:00:00Z",
                "cycles": [
                    {
                        "cycle_id": "0198c7a0-0000-7000-8000-000000000001", "state": "DISBURSING", "programme": "MERIT",
                        "funding_source": "CENTRAL_BUDGET", "unit_path": "60", "lines": 9100, "held": 37, "total_amount": 25400000000,
                    }
                ],
                "states": [
                    {
                        "state": "PAID_BY_ACCOUNT", "state_text": {"vi": "Đã chi trả qua tài khoản", "en": "Paid by account"},
                        "programme": "MERIT", "people": 3728, "amount": 10400000000,
                    }
                ],
            }
        },
    )  # fmt: skip

    month: str
    unit_path: str
    as_of: datetime = Field(description="When this was looked up")
    cycles: list[CycleRow] = Field(description="Cycles that pay people of the unit")
    states: list[schemas.StateRow] = Field(description="Everybody due in the unit, by state")


def _shown(picture: Picture) -> Progress:
    states = []
    for row in picture.body["states"]:
        words = state_words(row["state"])
        states.append(row | {"state_text": {"vi": words.vi, "en": words.en}})
    return Progress.model_validate(picture.body | {"states": states})


class _Events(StreamingResponse):
    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(TimeoutError):  # the reader comes back with the last id
            async with asyncio.timeout(_SEND_SECONDS):
                await super().__call__(scope, receive, send)


async def _texts(pictures: AsyncGenerator[Picture | None]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(pictures):
        yield f"retry: {_RETRY_MS}\n\n".encode()
        async for picture in pictures:
            if picture is None:
                yield b": nothing new\n\n"
            else:
                body = orjson.dumps(_shown(picture).model_dump(mode="json"))
                yield b"id: " + picture.id.encode() + b"\nevent: progress\ndata: " + body + b"\n\n"


def progress_router(db: Database, feed: Feed) -> APIRouter:
    """`/v1/reports/progress` and `/v1/reports/progress/events`."""
    router = APIRouter(prefix="/v1/reports/progress", tags=["pages"])

    @router.get(
        "",
        summary="How far the month's cycles are",
        description="Tiến độ chi trả của tháng: trạng thái các kỳ và số người theo tình trạng. Everybody due by state, and the cycles.",
    )
    async def once(actor: _Reader, month: Month, unit_path: Unit = None) -> Progress:
        return _shown(await snapshot(db, month, unit_for(actor, unit_path)))

    @router.get(
        "/events",
        summary="The same as it happens (server-sent events)",
        description="Tiến độ trực tiếp. Each event is the whole picture; with `Last-Event-ID` nothing comes until it changes. "
        "The stream ends after two minutes: come back after `retry` milliseconds. 429: too many windows of one caller.",
        response_class=_Events,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def live(
        actor: _Reader,
        month: Month,
        unit_path: Unit = None,
        last_event_id: Annotated[str | None, Header(max_length=64, description="Id of the latest event seen")] = None,
    ) -> _Events:
        pictures = feed.follow(actor, month, unit_path, last_event_id)
        return _Events(_texts(pictures), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return router
