"""Budgets: what is allotted, reserved by approved lists, and spent. The schema refuses reserved + spent > amount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["allot", "covering", "of_unit", "page", "release", "reserve", "reserve_again", "spend"]

_KINDS: Final = {
    "RESERVE": "reserved = reserved + :amount",
    "RELEASE": "reserved = reserved - :amount",
    "SPEND": "reserved = reserved - :amount, spent = spent + :amount",
}


async def allot(
    tx: Tx, *, budget_id: UUID, programme: str, funding_source: str, unit_code: str, unit_path: str, year: int, amount: int
) -> RowMapping | None:
    """Set the year's amount of a unit (a revised estimate replaces it). None when that is less than is in use.

    Besides the budget's columns: `added` (đồng more than before, or fewer) and `movement_id`.
    """
    row = await tx.row(
        "INSERT INTO budget AS b (budget_id, programme, funding_source, unit_code, unit_path, year, amount)"
        " VALUES (:budget_id, :programme, :funding_source, :unit_code, :unit_path, :year, :amount)"
        " ON CONFLICT (programme, funding_source, unit_path, year) DO UPDATE SET amount = excluded.amount, version = b.version + 1"
        " WHERE excluded.amount >= b.reserved + b.spent"
        " RETURNING b.*, new.amount - coalesce(old.amount, 0) AS added, uuidv7() AS movement_id",
        budget_id=budget_id,
        programme=programme,
        funding_source=funding_source,
        unit_code=unit_code,
        unit_path=unit_path,
        year=year,
        amount=amount,
    )
    if row is not None:
        await _note(tx, row["budget_id"], None, "ALLOT", amount, movement_id=row["movement_id"])
    return row


async def of_unit(tx: Tx, programme: str, funding_source: str, unit_path: str, year: int) -> RowMapping | None:
    """A unit's own budget of a year."""
    return await tx.row(
        "SELECT * FROM budget WHERE programme = :programme AND funding_source = :funding_source AND unit_path = :unit_path"
        " AND year = :year",
        programme=programme,
        funding_source=funding_source,
        unit_path=unit_path,
        year=year,
    )


async def covering(tx: Tx, programme: str, funding_source: str, unit_path: str, year: int) -> RowMapping | None:
    """The narrowest budget that covers a unit in a year (not locked: :func:`reserve` decides)."""
    return await tx.row(
        "SELECT * FROM budget WHERE programme = :programme AND funding_source = :funding_source AND year = :year"
        " AND (unit_path = :unit_path OR :unit_path LIKE unit_path || '/%') ORDER BY length(unit_path) DESC LIMIT 1",
        programme=programme,
        funding_source=funding_source,
        unit_path=unit_path,
        year=year,
    )


async def reserve(tx: Tx, budget_id: UUID, cycle_id: UUID, amount: int) -> bool:
    """Reserve for a list; False when what is left is not enough."""
    done = await tx.execute(
        "UPDATE budget SET reserved = reserved + :amount, version = version + 1"
        " WHERE budget_id = :budget_id AND reserved + spent + :amount <= amount",
        budget_id=budget_id,
        amount=amount,
    )
    if done:
        await _note(tx, budget_id, cycle_id, "RESERVE", amount)
    return bool(done)


async def release(tx: Tx, cycle_id: UUID, amount: int) -> None:
    """Give back what a cycle reserved and will not spend (withdrawn, failed, uncollected)."""
    await _move(tx, cycle_id, "RELEASE", amount)


async def spend(tx: Tx, cycle_id: UUID, amount: int) -> None:
    """Turn what a cycle reserved into spending (settled, collected)."""
    await _move(tx, cycle_id, "SPEND", amount)


async def reserve_again(tx: Tx, cycle_id: UUID, amount: int) -> bool:
    """Reserve for a cycle what it had given back; False when its budget has not that much left."""
    budget_id = await _budget_of(tx, cycle_id)
    return await reserve(tx, budget_id, cycle_id, amount)


async def _budget_of(tx: Tx, cycle_id: UUID) -> UUID:
    budget_id: UUID | None = await tx.value(
        "SELECT budget_id FROM budget_movement WHERE cycle_id = :cycle_id AND kind = 'RESERVE' LIMIT 1", cycle_id=cycle_id
    )
    if budget_id is None:
        raise RuntimeError(f"cycle {cycle_id} has no reservation")
    return budget_id


async def _move(tx: Tx, cycle_id: UUID, kind: str, amount: int) -> None:
    if amount == 0:
        return
    budget_id = await _budget_of(tx, cycle_id)
    await tx.execute(
        f"UPDATE budget SET {_KINDS[kind]}, version = version + 1 WHERE budget_id = :budget_id", budget_id=budget_id, amount=amount
    )
    await _note(tx, budget_id, cycle_id, kind, amount)


async def _note(tx: Tx, budget_id: UUID, cycle_id: UUID | None, kind: str, amount: int, movement_id: UUID | None = None) -> None:
    await tx.execute(
        "INSERT INTO budget_movement (movement_id, budget_id, cycle_id, kind, amount, made_by)"
        " VALUES (coalesce(CAST(:movement_id AS uuid), uuidv7()), :budget_id, :cycle_id, :kind, :amount, :by)",
        movement_id=movement_id,
        budget_id=budget_id,
        cycle_id=cycle_id,
        kind=kind,
        amount=amount,
        by=tx.actor.subject if tx.actor else "unknown",
    )


async def page(tx: Tx, scope: str, params: dict[str, Any], after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Budgets in the caller's scope, oldest first."""
    return await tx.rows(
        f"SELECT * FROM budget t WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR budget_id > :after) ORDER BY budget_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )
