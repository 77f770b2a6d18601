"""Approvals of a list, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["add", "clear", "delegations", "of_list"]


async def of_list(tx: Tx, list_id: UUID) -> Sequence[RowMapping]:
    """Who approved so far, in order of the stages."""
    return await tx.rows(
        "SELECT stage, role, approved_by, on_behalf_of, approved_on FROM list_approval WHERE list_id = :list_id ORDER BY stage",
        list_id=list_id,
    )


async def add(tx: Tx, list_id: UUID, stage: int, role: str, by: str, *, on_behalf_of: str | None, list_hash: str, on: date) -> bool:
    """Record one stage; False when this person (or whom they stand in for) has approved another stage of it."""
    return bool(
        await tx.execute(
            "INSERT INTO list_approval (list_id, stage, role, approved_by, on_behalf_of, list_hash, approved_on)"
            " VALUES (:list_id, :stage, :role, :by, :on_behalf_of, :list_hash, :on) ON CONFLICT DO NOTHING",
            list_id=list_id,
            stage=stage,
            role=role,
            by=by,
            on_behalf_of=on_behalf_of,
            list_hash=list_hash,
            on=on,
        )
    )


async def clear(tx: Tx, list_id: UUID) -> None:
    """The list goes back or is submitted anew: stages begin again (the audit log keeps what was)."""
    await tx.execute("DELETE FROM list_approval WHERE list_id = :list_id", list_id=list_id)


async def delegations(tx: Tx, delegate: str, days: Sequence[date]) -> Sequence[RowMapping]:
    """Rights to approve that others handed to somebody, in force on each of these days: `delegator, unit_paths`."""
    return await tx.rows(
        "SELECT body ->> 'delegator' AS delegator, ARRAY(SELECT jsonb_array_elements_text(body -> 'unit_paths')) AS unit_paths FROM ruling"
        " WHERE kind = 'DELEGATION' AND state = 'APPROVED' AND body ->> 'delegate' = :delegate"
        " AND valid_from <= :first AND valid_to >= :last"
        " ORDER BY valid_from, ruling_id",
        delegate=delegate,
        first=min(days),
        last=max(days),
    )
