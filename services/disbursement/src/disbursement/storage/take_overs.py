"""First platform month per unit and programme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["by_id", "closed_until", "decide", "page", "propose"]


async def propose(
    tx: Tx, *, take_over_id: UUID, unit_code: str, unit_path: str, programme: str, first_month: date, business_date: date, by: str
) -> bool:
    """Insert a proposal; False when the unit already has one for the programme."""
    return bool(
        await tx.execute(
            "INSERT INTO take_over (take_over_id, unit_code, unit_path, programme, first_month, state, business_date, proposed_by)"
            " VALUES (:id, :unit_code, :unit_path, :programme, :first_month, 'PROPOSED', :business_date, :by)"
            " ON CONFLICT (unit_path, programme) WHERE state <> 'REJECTED' DO NOTHING",
            id=take_over_id,
            unit_code=unit_code,
            unit_path=unit_path,
            programme=programme,
            first_month=first_month,
            business_date=business_date,
            by=by,
        )
    )


async def closed_until(tx: Tx, unit_path: str, programme: str) -> date | None:
    """The first platform month that an approved take-over of a unit above already set: months before it are closed. None when none did."""
    value: date | None = await tx.value(
        "SELECT first_month FROM take_over WHERE state = 'APPROVED' AND programme = :programme AND :path LIKE unit_path || '/%'"
        " ORDER BY length(unit_path) DESC LIMIT 1",
        programme=programme,
        path=unit_path,
    )
    return value


async def by_id(tx: Tx, take_over_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One take-over."""
    return await tx.row(f"SELECT * FROM take_over WHERE take_over_id = :id {'FOR UPDATE' if lock else ''}", id=take_over_id)


async def decide(tx: Tx, take_over_id: UUID, state: str, by: str, reason: str | None) -> None:
    """Record the second person's decision."""
    await tx.execute(
        "UPDATE take_over SET state = :state, decided_by = :by, decided_at = now(), reason = :reason WHERE take_over_id = :id",
        id=take_over_id,
        state=state,
        by=by,
        reason=reason,
    )


async def page(tx: Tx, scope: str, params: dict[str, Any], after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Take-overs in the caller's scope, oldest first."""
    return await tx.rows(
        f"SELECT * FROM take_over t WHERE {scope}"
        " AND (CAST(:after AS uuid) IS NULL OR take_over_id > :after) ORDER BY take_over_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )
