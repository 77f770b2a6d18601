"""Reading cycles, lines and holds within the caller's units."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.contracts.disbursement_v1 import CycleState
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.storage import cut_off, cycles, lists
from disbursement.usecases.answers import CycleView, ListCheckView

__all__ = ["cycle_of", "holds_of", "lines_of", "own_cycle", "page", "verify_list"]


async def own_cycle(tx: Tx, actor: Actor, cycle_id: UUID) -> RowMapping:
    """The cycle, when the caller's scope and the cycle's unit meet (an officer below sees the cycle, but only own lines)."""
    cycle = await cycles.by_id(tx, cycle_id)
    if cycle is None or not (actor.sees(cycle["unit_path"]) or _below(actor, cycle["unit_path"])):
        raise NotFound("No such cycle")
    return cycle


def _below(actor: Actor, unit_path: str) -> bool:
    return any(path.startswith(unit_path + "/") for path in actor.unit_paths)


async def cycle_of(db: Database, actor: Actor, cycle_id: UUID) -> CycleView:
    """A cycle with its list's figures and how far its inputs are."""
    async with db.read(actor) as tx:
        cycle = await own_cycle(tx, actor, cycle_id)
        head = await cycles.list_of(tx, cycle["list_id"]) if cycle["list_id"] else None
        return CycleView.of(cycle, head, await cut_off.inputs_of(tx, cycle["cut_off_id"]))


async def page(db: Database, actor: Actor, after: UUID | None, limit: int) -> list[CycleView]:
    """Cycles that touch the caller's units (their own, and those of units above), oldest first."""
    scope, params = actor.scope_sql("t.unit_path")
    above = "EXISTS (SELECT FROM unnest(CAST(:own_units AS text[])) AS u WHERE u LIKE t.unit_path || '/%')"
    async with db.read(actor) as tx:
        rows = await cycles.page(tx, f"({scope} OR {above})", params | {"own_units": list(actor.unit_paths)}, after, limit)
        return [CycleView.of(row, row) for row in rows]


async def lines_of(
    db: Database, actor: Actor, cycle_id: UUID, *, after: UUID | None, limit: int, filters: dict[str, Any]
) -> list[RowMapping]:
    """Lines of the cycle's present list in the caller's units, in order of beneficiary id."""
    async with db.read(actor) as tx:
        cycle = await own_cycle(tx, actor, cycle_id)
        if cycle["list_id"] is None:
            return []
        scope, params = actor.scope_sql("unit_path")
        return list(await lists.lines_page(tx, cycle["list_id"], scope, params, after=after, limit=limit, filters=filters))


async def holds_of(
    db: Database, actor: Actor, cycle_id: UUID, *, after: UUID | None, limit: int, filters: dict[str, Any]
) -> list[RowMapping]:
    """Holds of the cycle's present list in the caller's units, in order of beneficiary id."""
    async with db.read(actor) as tx:
        cycle = await own_cycle(tx, actor, cycle_id)
        if cycle["list_id"] is None:
            return []
        scope, params = actor.scope_sql("unit_path")
        return list(await lists.holds_page(tx, cycle["list_id"], scope, params, after=after, limit=limit, filters=filters))


async def verify_list(db: Database, actor: Actor, cycle_id: UUID) -> ListCheckView:
    """Hash the stored list again and compare."""
    async with db.read(actor) as tx:
        cycle = await own_cycle(tx, actor, cycle_id)
        head = await cycles.list_of(tx, cycle["list_id"]) if cycle["list_id"] else None
        if head is None or cycle["state"] == CycleState.OPEN:
            raise NotFound("The cycle has no list yet")
        digest = await lists.hash_of(tx, cycle, head)
        return ListCheckView(
            list_id=head["list_id"],
            list_hash=head["list_hash"],
            recomputed_hash=digest,
            agrees=digest == head["list_hash"],
            lines=head["lines"],
            held=head["held"],
            total_amount=head["total_amount"],
        )
