"""Reading the report before a list is submitted, and saying that it was read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.domain.errors import HashMismatch
from disbursement.storage import prechecks
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["findings", "mark_read", "report"]


async def _head(tx: Tx, actor: Actor, cycle_id: UUID) -> tuple[RowMapping, RowMapping]:
    cycle = await own_cycle(tx, actor, cycle_id)
    head = await prechecks.find(tx, cycle["list_id"]) if cycle["list_id"] else None
    if head is None:
        raise NotFound("The cycle has no list with a pre-check yet")
    return cycle, head


async def report(
    db: Database, actor: Actor, cycle_id: UUID, *, kind: str | None, after: UUID | None, limit: int
) -> tuple[RowMapping, list[RowMapping]]:
    """The head (counts, what it was compared with) and a page of findings in the caller's units."""
    async with db.read(actor) as tx:
        _, head = await _head(tx, actor, cycle_id)
        scope, params = actor.scope_sql("unit_path")
        return head, list(await prechecks.page(tx, head["list_id"], scope, params, kind=kind, after=after, limit=limit))


async def findings(db: Database, actor: Actor, cycle_id: UUID) -> AsyncIterator[RowMapping]:
    """The cycle with its report's head (first), then every finding in the caller's units."""
    async with db.read(actor) as tx:
        cycle, head = await _head(tx, actor, cycle_id)
        yield cycle
        yield head
        scope, params = actor.scope_sql("unit_path")
        async for row in prechecks.stream(tx, head["list_id"], scope, params):
            yield row


async def mark_read(tx: Tx, actor: Actor, cycle_id: UUID, list_hash: str) -> dict[str, Any]:
    """Record that the report of just this list was read. Raises NotFound, HashMismatch."""
    _, head = await _head(tx, actor, cycle_id)
    if head["list_hash"] != list_hash:
        raise HashMismatch("The report is of another list", list_hash=head["list_hash"])
    await prechecks.mark_read(tx, head["list_id"], actor.subject)
    what = audit.Changed.of(head, {"read_by": head["read_by"] or actor.subject}, "read_by", list_id=head["list_id"], counts=head["counts"])
    await audit.record(tx, "precheck.read", "cycle", cycle_id, what)
    after = await prechecks.find(tx, head["list_id"])
    assert after is not None  # it is locked by nobody, but the list stands
    return dict(after)
