"""Payment cycles and the heads of their lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.contracts.disbursement_v1 import CycleState
from common.db import Tx

__all__ = [
    "add",
    "add_list",
    "by_id",
    "decide_list",
    "finish_list",
    "list_of",
    "move",
    "next_sequence",
    "page",
    "set_cut_off",
    "submit_list",
]


async def next_sequence(tx: Tx, month: date, programme: str, funding_source: str, unit_path: str) -> int:
    """The number the next cycle of this month, programme, funding source and unit would have; 1 is the main one."""
    return int(
        await tx.value(
            "SELECT coalesce(max(sequence), 0) + 1 FROM payment_cycle WHERE month = :month AND programme = :programme"
            " AND funding_source = :funding_source AND unit_path = :unit_path",
            month=month,
            programme=programme,
            funding_source=funding_source,
            unit_path=unit_path,
        )
    )


async def add(tx: Tx, **columns: Any) -> bool:
    """Insert a cycle (columns of `payment_cycle`); False when it exists."""
    return bool(
        await tx.execute(
            "INSERT INTO payment_cycle (cycle_id, month, programme, funding_source, unit_code, unit_path, kind, sequence, state,"
            " business_date, cut_off_id, opened_by, selection, covers_to, two_months_basis) VALUES (:cycle_id, :month, :programme,"
            " :funding_source, :unit_code, :unit_path, :kind, :sequence, 'OPEN', :business_date, :cut_off_id, :opened_by, :selection,"
            " :covers_to, :two_months_basis)"
            " ON CONFLICT (month, programme, funding_source, unit_path, sequence) DO NOTHING",
            **columns,
        )
    )


async def by_id(tx: Tx, cycle_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One cycle; `lock` keeps others from moving it until this transaction ends."""
    return await tx.row(f"SELECT * FROM payment_cycle WHERE cycle_id = :id {'FOR UPDATE' if lock else ''}", id=cycle_id)


async def move(tx: Tx, cycle_id: UUID, state: CycleState, *, list_id: UUID | None = None) -> RowMapping:
    """Write the new state (its rightness is checked by `domain.cycle.move`); the row as it is now."""
    row = await tx.row(
        "UPDATE payment_cycle SET state = :state, version = version + 1, list_id = coalesce(CAST(:list_id AS uuid), list_id),"
        " closed_by = CASE WHEN :state = 'CLOSED' THEN :by ELSE closed_by END,"
        " closed_at = CASE WHEN :state = 'CLOSED' THEN now() ELSE closed_at END WHERE cycle_id = :id RETURNING *",
        id=cycle_id,
        state=state.value,
        list_id=list_id,
        by=tx.actor.subject if tx.actor else None,
    )
    if row is None:
        raise LookupError(cycle_id)
    return row


async def set_cut_off(tx: Tx, cycle_id: UUID, cut_off_id: UUID) -> RowMapping:
    """Give the cycle another cut-off; the row as it is now."""
    row = await tx.row(
        "UPDATE payment_cycle SET cut_off_id = :cut_off_id, version = version + 1 WHERE cycle_id = :id RETURNING *",
        id=cycle_id,
        cut_off_id=cut_off_id,
    )
    if row is None:
        raise LookupError(cycle_id)
    return row


async def page(tx: Tx, scope: str, params: dict[str, Any], after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Cycles in the caller's scope with the head of their list, oldest first."""
    return await tx.rows(
        "SELECT t.*, l.list_hash, l.lines, l.held, l.withdrawn, l.total_amount, l.held_amount,"
        " l.submitted_by, l.decided_by, l.reason, coalesce(l.reasons, '{}') AS reasons, l.approved_on FROM payment_cycle t"
        " LEFT JOIN payment_list l ON l.list_id = t.list_id"
        f" WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR t.cycle_id > :after) ORDER BY t.cycle_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )


async def add_list(tx: Tx, *, list_id: UUID, cycle_id: UUID, cut_off_id: UUID, business_date: date, by: str) -> int:
    """Insert the head of a list under the cycle's next number, figures to come; supersedes the one before. The number."""
    await tx.execute(
        "UPDATE payment_list SET state = 'SUPERSEDED' WHERE cycle_id = :cycle_id AND state IN ('COMPUTED', 'REJECTED')", cycle_id=cycle_id
    )
    return int(
        await tx.value(
            "INSERT INTO payment_list (list_id, cycle_id, number, state, cut_off_id, list_hash, lines, held, total_amount, held_amount,"
            " business_date, computed_by) SELECT :list_id, :cycle_id, coalesce(max(number), 0) + 1, 'COMPUTED', :cut_off_id, '', 0, 0, 0,"
            " 0, :business_date, :by FROM payment_list WHERE cycle_id = :cycle_id RETURNING number",
            list_id=list_id,
            cycle_id=cycle_id,
            cut_off_id=cut_off_id,
            business_date=business_date,
            by=by,
        )
    )


async def finish_list(tx: Tx, list_id: UUID, *, list_hash: str, lines: int, held: int, total_amount: int, held_amount: int) -> None:
    """Write the figures of a list that was just computed."""
    await tx.execute(
        "UPDATE payment_list SET list_hash = :list_hash, lines = :lines, held = :held, total_amount = :total_amount,"
        " held_amount = :held_amount WHERE list_id = :list_id",
        list_id=list_id,
        list_hash=list_hash,
        lines=lines,
        held=held,
        total_amount=total_amount,
        held_amount=held_amount,
    )


async def list_of(tx: Tx, list_id: UUID) -> RowMapping | None:
    """The head of a list."""
    return await tx.row("SELECT * FROM payment_list WHERE list_id = :id", id=list_id)


async def submit_list(tx: Tx, list_id: UUID, by: str) -> None:
    """Record the maker; a decision on an earlier submission is gone."""
    await tx.execute(
        "UPDATE payment_list SET state = 'SUBMITTED', submitted_by = :by, submitted_at = now(), decided_by = NULL, decided_at = NULL,"
        " reason = NULL WHERE list_id = :id",
        id=list_id,
        by=by,
    )


async def decide_list(
    tx: Tx,
    list_id: UUID,
    state: str,
    by: str,
    reason: str | None,
    *,
    withdrawn: int = 0,
    approved_on: date | None = None,
    reasons: Sequence[str] = (),
) -> None:
    """Record the checker's decision, and how many lines the gate withdrew at approval."""
    await tx.execute(
        "UPDATE payment_list SET state = :state, decided_by = :by, decided_at = now(), reason = :reason, withdrawn = :withdrawn,"
        " approved_on = :approved_on, reasons = CAST(:reasons AS text[]) WHERE list_id = :id",
        id=list_id,
        state=state,
        by=by,
        reason=reason,
        withdrawn=withdrawn,
        approved_on=approved_on,
        reasons=[str(item) for item in reasons],
    )
