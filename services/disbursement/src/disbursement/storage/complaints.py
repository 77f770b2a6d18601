"""Complaints about payments as rows, and their steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx

__all__ = ["add", "find", "page", "put", "steps", "take_step"]

_VIEW = "SELECT c.*, b.full_name, b.file_code FROM complaint c LEFT JOIN beneficiary b USING (beneficiary_id)"


async def add(tx: Tx, values: dict[str, Any]) -> bool:
    """Open a complaint; False when one about the payment is open."""
    names = ", ".join(values)
    return bool(
        await tx.execute(
            f"INSERT INTO complaint ({names}) VALUES ({', '.join(':' + name for name in values)}) ON CONFLICT DO NOTHING", **values
        )
    )


async def put(tx: Tx, complaint_id: UUID, values: dict[str, Any]) -> None:
    """Change one; its version counts up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE complaint SET {sets}, version = version + 1 WHERE complaint_id = :complaint_id", complaint_id=complaint_id, **values
    )


async def take_step(tx: Tx, complaint_id: UUID, action: str, note: str) -> None:
    """Keep what was done, append-only."""
    await tx.execute(
        "INSERT INTO complaint_step (complaint_id, version, action, state, note, actor)"
        " SELECT complaint_id, version, :action, state, :note, :actor FROM complaint WHERE complaint_id = :complaint_id",
        complaint_id=complaint_id, action=action, note=note, actor=tx.actor.subject if tx.actor else "system",
    )  # fmt: skip


async def find(tx: Tx, actor: Actor, complaint_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One complaint in the actor's units."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.row(f"{_VIEW} WHERE c.complaint_id = :id AND {scope}{' FOR UPDATE OF c' if lock else ''}", id=complaint_id, **params)


async def page(
    tx: Tx, actor: Actor, filters: dict[str, Any], *, overdue_on: date | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Complaints in the actor's units, oldest first. `overdue_on`: only those not ended whose deadline lies before that day."""
    scope, params = actor.scope_sql("c.unit_path")
    chosen = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND c.{name} = :{name}" for name in chosen)
    return await tx.rows(
        f"{_VIEW} WHERE {scope}{where} AND (CAST(:overdue_on AS date) IS NULL"
        " OR (c.due_on < :overdue_on AND c.state NOT IN ('CLOSED', 'WITHDRAWN')))"
        " AND (CAST(:after AS uuid) IS NULL OR c.complaint_id > :after) ORDER BY c.complaint_id LIMIT :limit",
        overdue_on=overdue_on, after=after, limit=limit, **params, **chosen,
    )  # fmt: skip


async def steps(tx: Tx, complaint_id: UUID) -> Sequence[RowMapping]:
    """What was done, oldest first."""
    return await tx.rows("SELECT * FROM complaint_step WHERE complaint_id = :id ORDER BY version", id=complaint_id)
