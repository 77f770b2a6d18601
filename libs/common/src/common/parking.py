"""Parked events: seen by operators, replayed when one asks and another approves (maker ≠ checker)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from common import audit
from common.auth import Actor, Role, require
from common.db import Database
from common.problems import Conflict, InvalidInput, NotFound

__all__ = ["parked_router"]


class ParkedView(BaseModel):
    """One parked event, without its body."""

    id: int
    consumer: str
    topic: str
    key: UUID
    event_id: UUID
    type: str
    error: str
    parked_at: datetime
    requested_by: str | None
    approved_by: str | None
    replayed_at: datetime | None


class ParkedPage(BaseModel):
    """One page; `next_cursor` is the cursor of the following one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [], "next_cursor": None}]})

    items: list[ParkedView]
    next_cursor: str | None


_Second = Annotated[Actor, Depends(require(Role.OPERATOR, Role.APPROVER, of_a_province=True))]


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()):
        raise InvalidInput("not a cursor of this list", errors=[{"field": "cursor", "detail": "use `next_cursor` of the page before"}])
    return int(cursor)


def parked_router(db: Database) -> APIRouter:
    """`GET /v1/parked-events`, and replay per key in two steps."""
    router = APIRouter(prefix="/v1/parked-events", tags=["operation"])

    @router.get(
        "",
        summary="Events that could not be applied",
        description="Sự kiện chưa áp dụng được, kèm lý do. The later events of a key wait behind its first. Follow `next_cursor` until"
        " it is null.",
    )
    async def parked(
        _actor: Annotated[Actor, Depends(require(Role.OPERATOR, Role.AUDITOR))],
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before", max_length=20)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> ParkedPage:
        async with db.read() as tx:
            rows = await tx.rows(
                "SELECT * FROM parked_event WHERE id > :after AND replayed_at IS NULL ORDER BY id LIMIT :limit",
                after=_read_cursor(cursor),
                limit=limit,
            )
        items = [ParkedView(**{name: row[name] for name in ParkedView.model_fields}) for row in rows]
        return ParkedPage(items=items, next_cursor=str(items[-1].id) if len(items) == limit else None)

    @router.post(
        "/{key}/replay",
        status_code=202,
        summary="Ask for the replay of a key's parked events",
        description="Đề nghị phát lại; người khác duyệt. A second person must approve.",
    )
    async def ask(key: UUID, actor: Annotated[Actor, Depends(require(Role.OPERATOR))]) -> dict[str, int]:
        async with db.transaction(actor) as tx:
            rows = await tx.rows(
                "UPDATE parked_event p SET requested_by = :subject FROM (SELECT id, requested_by FROM parked_event"
                "   WHERE key = :key AND replayed_at IS NULL AND approved_by IS NULL ORDER BY id FOR UPDATE) o"
                " WHERE p.id = o.id RETURNING o.id, o.requested_by",
                key=key,
                subject=actor.subject,
            )
            if not rows:
                raise NotFound("Nothing is parked under this key")
            before, after = {"requested_by": rows[0]["requested_by"]}, {"requested_by": actor.subject}
            what = audit.Bulk.of([row["id"] for row in rows], before=before, after=after)
            await audit.record(tx, "parked.replay_requested", "parked_event", key, what)
        return {"events": len(rows)}

    @router.post(
        "/{key}/replay/approve",
        status_code=202,
        summary="Approve a replay",
        description="Duyệt phát lại (khác người đề nghị). Not by the person who asked.",
    )
    async def approve(key: UUID, actor: _Second) -> dict[str, int]:
        async with db.transaction(actor) as tx:
            rows = await tx.rows(
                "UPDATE parked_event p SET approved_by = :subject FROM (SELECT id, approved_by FROM parked_event"
                "   WHERE key = :key AND replayed_at IS NULL AND requested_by <> :subject ORDER BY id FOR UPDATE) o"
                " WHERE p.id = o.id RETURNING o.id, o.approved_by, p.requested_by",
                key=key,
                subject=actor.subject,
            )
            if not rows:
                raise Conflict("Nothing waits for your approval: the replay must be asked for by somebody else first")
            before, after = {"approved_by": rows[0]["approved_by"]}, {"approved_by": actor.subject}
            what = audit.Bulk.of([row["id"] for row in rows], before=before, after=after, requested_by=rows[0]["requested_by"])
            await audit.record(tx, "parked.replay_approved", "parked_event", key, what)
        return {"events": len(rows)}

    return router
