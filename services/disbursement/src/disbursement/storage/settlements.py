"""Fees, money movements and settlement statements as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx

__all__ = ["add", "basis_points", "decide", "figures", "find", "page", "waiting"]

_TABLES: Final = {"fee_agreement": "fee_id", "money_movement": "movement_id", "settlement": "settlement_id"}

_FIGURES: Final = """
SELECT count(*) AS listed_payments, coalesce(sum(amount), 0) AS listed_amount,
       count(*) FILTER (WHERE status IN ('SETTLED', 'COLLECTED')) AS paid_payments,
       coalesce(sum(amount) FILTER (WHERE status IN ('SETTLED', 'COLLECTED')), 0) AS paid_amount,
       count(*) FILTER (WHERE status = 'FAILED') AS failed_payments,
       coalesce(sum(amount) FILTER (WHERE status = 'FAILED'), 0) AS failed_amount,
       count(*) FILTER (WHERE status = 'RETURNED') AS returned_payments,
       coalesce(sum(amount) FILTER (WHERE status = 'RETURNED'), 0) AS returned_amount,
       count(*) FILTER (WHERE status = 'UNCOLLECTED') AS uncollected_payments,
       coalesce(sum(amount) FILTER (WHERE status = 'UNCOLLECTED'), 0) AS uncollected_amount,
       count(*) FILTER (WHERE status = 'CANCELLED') AS withdrawn_payments,
       coalesce(sum(amount) FILTER (WHERE status = 'CANCELLED'), 0) AS withdrawn_amount,
       (SELECT coalesce(sum(m.amount), 0) FROM money_movement m WHERE m.cycle_id = :cycle_id AND m.partner = :partner
        AND m.kind = 'PREFUND' AND m.state = 'APPROVED') AS prefunded
FROM payment WHERE cycle_id = :cycle_id AND partner = :partner
"""

_WAITING: Final = """
SELECT (SELECT count(*) FROM payment WHERE cycle_id = :cycle_id AND partner = :partner
        AND status IN ('APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN')) AS open_payments,
       (SELECT count(*) FROM quarantine q JOIN payment p USING (payment_id)
        WHERE p.cycle_id = :cycle_id AND p.partner = :partner AND q.state = 'OPEN') AS open_quarantine,
       (SELECT count(*) FROM reconciliation_break b JOIN payment p USING (payment_id)
        WHERE p.cycle_id = :cycle_id AND p.partner = :partner AND b.state <> 'RESOLVED') AS open_differences
"""


async def figures(tx: Tx, cycle_id: UUID, partner: str) -> dict[str, int]:
    """What became of a cycle's payments with a partner, and what it was prefunded with; payments and đồng."""
    row = await tx.row(_FIGURES, cycle_id=cycle_id, partner=partner)
    return {name: int(value) for name, value in (row or {}).items()}


async def waiting(tx: Tx, cycle_id: UUID, partner: str) -> dict[str, int]:
    """What keeps the cycle from being settled with a partner."""
    row = await tx.row(_WAITING, cycle_id=cycle_id, partner=partner)
    return {name: int(value) for name, value in (row or {}).items()}


async def basis_points(tx: Tx, partner: str, programme: str, day: date) -> int:
    """The agreed fee on a day, in hundredths of a percent; 0 where none is agreed."""
    found = await tx.value(
        "SELECT basis_points FROM fee_agreement WHERE partner = :partner AND programme = :programme AND state = 'APPROVED'"
        " AND from_date <= :day AND coalesce(to_date, 'infinity') >= :day ORDER BY from_date DESC, fee_id DESC LIMIT 1",
        partner=partner,
        programme=programme,
        day=day,
    )
    return int(found or 0)


async def add(tx: Tx, table: str, values: Mapping[str, Any]) -> RowMapping | None:
    """Store a proposal (column names are ours); None when the schema knows it already."""
    names = ", ".join(values)
    return await tx.row(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in values)}) ON CONFLICT DO NOTHING RETURNING *", **values
    )


async def find(tx: Tx, table: str, row_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One row; with `lock` for a decision."""
    return await tx.row(f"SELECT * FROM {table} WHERE {_TABLES[table]} = :id{' FOR UPDATE' if lock else ''}", id=row_id)


async def decide(tx: Tx, table: str, row_id: UUID, state: str, by: str) -> RowMapping | None:
    """Write the second person's word; None when it was decided meanwhile."""
    return await tx.row(
        f"UPDATE {table} SET state = :state, decided_by = :by, decided_at = now() WHERE {_TABLES[table]} = :id AND state = 'PROPOSED'"
        " RETURNING *",
        id=row_id,
        state=state,
        by=by,
    )


async def page(
    tx: Tx, table: str, actor: Actor, *, partner: str | None, cycle_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Rows in order of their ids; what belongs to a cycle only where the actor sees the cycle's unit."""
    key = _TABLES[table]
    scope, params = actor.scope_sql("c.unit_path")
    seen = "TRUE" if table == "fee_agreement" else f"EXISTS (SELECT 1 FROM payment_cycle c WHERE c.cycle_id = t.cycle_id AND {scope})"
    of_cycle = "" if table == "fee_agreement" else " AND (CAST(:cycle_id AS uuid) IS NULL OR t.cycle_id = :cycle_id)"
    known = params if table != "fee_agreement" else {}
    if of_cycle:
        known = {**known, "cycle_id": cycle_id}
    return await tx.rows(
        f"SELECT t.* FROM {table} t WHERE {seen} AND (CAST(:partner AS text) IS NULL OR t.partner = :partner){of_cycle}"
        f" AND (CAST(:after AS uuid) IS NULL OR t.{key} > :after) ORDER BY t.{key} LIMIT :limit",
        partner=partner,
        after=after,
        limit=limit,
        **known,
    )
