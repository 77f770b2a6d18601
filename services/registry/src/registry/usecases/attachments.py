"""Attachments: taken once, read with a purpose."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from registry.domain.errors import UnknownUnit
from registry.storage import attachments as storage
from registry.storage import catalogue
from registry.usecases.decisions import needs

__all__ = ["read", "store"]


async def store(tx: Tx, kind: str, media_type: str, content: bytes, unit_code: str, business_date: date) -> Any:
    """Keep one scan for a unit; its row. Raises UnknownUnit, NotFound for a unit outside the caller's area."""
    actor, _ = needs(tx)
    unit = await catalogue.unit_of(tx, unit_code, business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    row = await storage.insert(tx, kind, media_type, content, unit, actor.subject)
    detail = {"kind": kind, "bytes": len(content), "sha256": bytes(row["sha256"]).hex()}
    await audit.record(tx, "attachment.store", "attachment", row["attachment_id"], audit.Created(detail))
    return row


async def read(db: Database, actor: Actor, attachment_id: UUID, purpose: str | None = None) -> dict[str, Any]:
    """One attachment of the caller's area; with a purpose its content, and the reading is audited. Raises NotFound."""
    async with db.transaction(actor) as tx:
        row: dict[str, Any] = await storage.find(tx, actor, attachment_id, content=purpose is not None)
        if purpose is not None:
            await audit.record(tx, "attachment.read", "attachment", attachment_id, audit.Read(purpose, {"kind": row["kind"]}))
    return row
