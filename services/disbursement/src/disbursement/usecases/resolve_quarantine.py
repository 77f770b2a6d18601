"""A person looked at a partner's word that was set aside."""

from __future__ import annotations

from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database
from common.problems import NotFound
from disbursement.storage import notices

__all__ = ["resolve_quarantine"]


async def resolve_quarantine(db: Database, actor: Actor, quarantine_id: UUID, note: str) -> None:
    """Mark a quarantined word as looked at. Changes no payment. Raises NotFound when there is no open one in the actor's units."""
    async with db.transaction(actor) as tx:
        if not await notices.resolve(tx, actor, quarantine_id):
            raise NotFound("No such open quarantine entry")
        await audit.record(tx, "quarantine.resolve", "quarantine", quarantine_id, {"note": note})
