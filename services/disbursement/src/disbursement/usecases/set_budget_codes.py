"""Budget codes of State Treasury files: one person proposes them with their legal ground, another approves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.domain.file_errors import CodesExist
from disbursement.domain.settlement_errors import AlreadyDecided, SameDecider
from disbursement.storage import budget_codes

__all__ = ["decide_codes", "propose_codes"]


async def propose_codes(tx: Tx, actor: Actor, values: Mapping[str, Any]) -> RowMapping:
    """The first person's word. Raises CodesExist."""
    row = await budget_codes.propose(tx, {**values, "proposed_by": actor.subject})
    if row is None:
        raise CodesExist()
    await audit.record(tx, "budget_code.propose", "budget_code", row["code_id"], audit.Created({**values, "state": "PROPOSED"}))
    return row


async def decide_codes(db: Database, actor: Actor, code_id: UUID, *, approve: bool) -> RowMapping:
    """The second person's word. Raises NotFound, SameDecider, AlreadyDecided."""
    async with db.transaction(actor) as tx:
        row = await budget_codes.find(tx, code_id)
        if row is None:
            raise NotFound("No such budget codes")
        if row["state"] != "PROPOSED":
            raise AlreadyDecided(f"It is {row['state']}", state=row["state"])
        if row["proposed_by"] == actor.subject:
            raise SameDecider()
        decided = await budget_codes.decide(tx, code_id, "APPROVED" if approve else "REJECTED", actor.subject)
        what = audit.Changed.of(row, decided, "state", proposed_by=row["proposed_by"])
        await audit.record(tx, "budget_code.decide", "budget_code", code_id, what)
        return decided
