"""Budget codes for the State Treasury: dated, proposed by one person and approved by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from disbursement.domain.budget_codes import BudgetCodes

__all__ = ["decide", "find", "listing", "propose", "unanswered", "valid_on"]


async def valid_on(tx: Tx, programme: str, funding_source: str, day: date) -> BudgetCodes | None:
    """The approved codes of a programme and funding source on a day; None when nobody approved any. The latest to begin counts."""
    row = await tx.row(
        "SELECT level, chapter, category, item, economic_item, source_code FROM budget_code"
        " WHERE programme = :programme AND funding_source = :funding_source AND state = 'APPROVED'"
        " AND valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day) ORDER BY valid_from DESC, code_id DESC LIMIT 1",
        programme=programme,
        funding_source=funding_source,
        day=day,
    )
    return None if row is None else BudgetCodes(**row)


async def listing(tx: Tx) -> Sequence[RowMapping]:
    """All codes, by programme and day. They are a few dozen rows at most."""
    return await tx.rows("SELECT * FROM budget_code ORDER BY programme, funding_source, valid_from, code_id")


async def unanswered(tx: Tx, day: date) -> Sequence[RowMapping]:
    """Questions the law leaves open: codes that ended with one before a day, and nobody approved others for that day."""
    return await tx.rows(
        "SELECT DISTINCT ON (programme, funding_source) programme, funding_source, valid_to, legal_ref, question_vi, question_en"
        " FROM budget_code c WHERE state = 'APPROVED' AND question_vi IS NOT NULL AND valid_to < :day AND NOT EXISTS ("
        " SELECT FROM budget_code n WHERE n.programme = c.programme AND n.funding_source = c.funding_source AND n.state = 'APPROVED'"
        " AND n.valid_from <= :day AND (n.valid_to IS NULL OR n.valid_to >= :day)) ORDER BY programme, funding_source, valid_to DESC",
        day=day,
    )


async def find(tx: Tx, code_id: UUID) -> RowMapping | None:
    """One row of codes, locked."""
    return await tx.row("SELECT * FROM budget_code WHERE code_id = :id FOR UPDATE", id=code_id)


async def propose(tx: Tx, values: Mapping[str, Any]) -> RowMapping | None:
    """Store proposed codes (names are ours); None when others of the same programme, source and first day are not rejected."""
    names = ", ".join(values)
    return await tx.row(
        f"INSERT INTO budget_code ({names}) VALUES ({', '.join(':' + name for name in values)})"
        " ON CONFLICT (programme, funding_source, valid_from) WHERE state <> 'REJECTED' DO NOTHING RETURNING *",
        **values,
    )


async def decide(tx: Tx, code_id: UUID, state: str, decided_by: str) -> RowMapping:
    """Approve or reject proposed codes."""
    row = await tx.row(
        "UPDATE budget_code SET state = :state, decided_by = :by, decided_at = now() WHERE code_id = :id RETURNING *",
        id=code_id,
        state=state,
        by=decided_by,
    )
    if row is None:
        raise LookupError(code_id)
    return row
