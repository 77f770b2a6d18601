"""What the register's officers did about people who did not collect three months in a row. No allowance is stopped from here."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound
from disbursement.domain.errors import ProposalClosed
from disbursement.storage import uncollected

__all__ = ["close", "page"]


async def page(db: Database, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> list[RowMapping]:
    """Proposals in the caller's units, oldest first."""
    async with db.read(actor) as tx:
        return list(await uncollected.page(tx, actor, state=state, after=after, limit=limit))


async def close(
    tx: Tx, actor: Actor, proposal_id: UUID, *, taken_up: bool, decision_number: str | None, note: str | None, business_date: date
) -> RowMapping:
    """Taken up (with the number of the decision in the register) or dismissed (with a reason). Raises NotFound, ProposalClosed."""
    row = await uncollected.find(tx, proposal_id, lock=True)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such proposal")
    if taken_up and not decision_number:
        raise InvalidInput(errors=[{"field": "decision_number", "detail": "the decision in the register"}])
    if not taken_up and not note:
        raise InvalidInput(errors=[{"field": "note", "detail": "why nothing is suspended"}])
    state = "TAKEN_UP" if taken_up else "DISMISSED"
    closed = await uncollected.close(tx, proposal_id, state, by=actor.subject, on=business_date, decision_number=decision_number, note=note)
    if closed is None:
        raise ProposalClosed(f"It is {row['state']}", state=row["state"])
    what = audit.Changed.of(row, closed, "state", "decision_number", "version")
    await audit.record(tx, "suspension.close", "suspension_proposal", proposal_id, what)
    after = await uncollected.find(tx, proposal_id)
    if after is None:
        raise LookupError(proposal_id)
    return after
