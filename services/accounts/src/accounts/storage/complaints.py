"""Complaints of fees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["add", "find", "move", "page"]


async def add(tx: Tx, **values: Any) -> None:
    """Store a complaint with the unit its beneficiary has now."""
    await tx.execute(
        "INSERT INTO fee_complaint (complaint_id, beneficiary_id, unit_code, unit_path, provider_code, kind, amount, charged_on,"
        " details_cipher, offered, business_date, created_by)"
        " SELECT :complaint_id, b.beneficiary_id, b.unit_code, b.unit_path, :provider_code, :kind, :amount, :charged_on, :details,"
        " :offered, :business_date, :by FROM beneficiary b WHERE b.beneficiary_id = :beneficiary_id",
        **values,
    )


async def find(tx: Tx, complaint_id: UUID, scope: str, scope_params: dict[str, Any], *, lock: bool = False) -> RowMapping | None:
    """A complaint in scope."""
    return await tx.row(
        f"SELECT * FROM fee_complaint c WHERE complaint_id = :id AND {scope}" + (" FOR NO KEY UPDATE" if lock else ""),
        id=complaint_id,
        **scope_params,
    )


async def page(
    tx: Tx, *, state: str | None, provider: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of complaints in scope."""
    return await tx.rows(
        f"SELECT * FROM fee_complaint c WHERE {scope} AND (CAST(:state AS text) IS NULL OR state = :state)"
        " AND (CAST(:provider AS text) IS NULL OR provider_code = :provider)"
        " AND (CAST(:after AS uuid) IS NULL OR complaint_id > :after) ORDER BY complaint_id LIMIT :limit",
        state=state,
        provider=provider,
        after=after,
        limit=limit,
        **scope_params,
    )


async def move(tx: Tx, complaint_id: UUID, *, state: str, answer: str | None, refunded: int | None, by: str) -> None:
    """Set its state with the provider's answer."""
    await tx.execute(
        "UPDATE fee_complaint SET state = :state, answer = coalesce(:answer, answer), refunded = coalesce(:refunded, refunded),"
        " changed_by = :by, version = version + 1 WHERE complaint_id = :id",
        id=complaint_id,
        state=state,
        answer=answer,
        refunded=refunded,
        by=by,
    )
