"""Payments: made from an approved list in one statement, and read for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.domain.references import batch_reference_sql, payment_reference_sql
from disbursement.storage.payment_moves import Moved, event_body_sql, prepare, publish

__all__ = ["by_id", "create", "list_page", "open_count", "progress", "timeline"]

_LANES: Final = """
INSERT INTO partner_lane (partner)
SELECT DISTINCT partner FROM list_line WHERE list_id = :list_id AND cycle_id = :cycle_id AND state = 'LISTED'
ON CONFLICT DO NOTHING
"""
"""Every partner of a list has a lane: its sizes cut the batches."""

_CREATE_SQL: Final = f"""
WITH lane AS MATERIALIZED (
    SELECT partner, batch_payments AS size, coalesce(least(first_batch_payments, batch_payments), 0) AS first FROM partner_lane
),
placed AS (
    SELECT l.*, row_number() OVER (PARTITION BY l.partner ORDER BY l.unit_path COLLATE "C", l.line_id) - 1 AS place
    FROM list_line l WHERE l.list_id = :list_id AND l.cycle_id = :cycle_id AND l.state = 'LISTED'
),
numbered AS (
    SELECT p.*, CASE WHEN p.place < lane.first THEN 0 ELSE (p.place - lane.first) / lane.size + sign(lane.first)::integer END AS number
    FROM placed p JOIN lane USING (partner)
),
batch AS MATERIALIZED (
    SELECT partner, programme, funding_source, number, uuidv7() AS batch_id, count(*) AS payments, sum(amount) AS amount
    FROM numbered GROUP BY 1, 2, 3, 4
),
stored_batch AS (
    INSERT INTO payment_batch (batch_id, cycle_id, list_id, partner, programme, funding_source, number, reference, payments, amount)
    SELECT batch_id, :cycle_id, :list_id, partner, programme, funding_source, number + 1, {batch_reference_sql("batch_id")},
           payments, amount
    FROM batch
),
stored AS (
    INSERT INTO payment (payment_id, line_id, attempt, reference, batch_id, cycle_id, list_id, beneficiary_id, payee_id, payee_kind,
                         programme, funding_source, channel, partner, amount, month, months, cash_reason, unit_code, unit_path,
                         business_date, status, occurred_at)
    SELECT uuidv7(), n.line_id, n.attempt, {payment_reference_sql("n.line_id", "n.attempt")}, b.batch_id, n.cycle_id, n.list_id,
           n.beneficiary_id, n.payee_id, n.payee_kind, n.programme, n.funding_source, n.channel, n.partner, n.amount,
           to_char(c.month, 'YYYY-MM'), array(SELECT to_char(m, 'YYYY-MM') FROM unnest(n.months) AS m ORDER BY m),
           n.cash_reason, n.unit_code, n.unit_path, CAST(:business_date AS date), 'APPROVED', now()
    FROM numbered n
    JOIN batch b ON b.partner = n.partner AND b.programme = n.programme AND b.funding_source = n.funding_source AND b.number = n.number
    JOIN payment_cycle c ON c.cycle_id = n.cycle_id
    ORDER BY b.batch_id, n.line_id
    RETURNING *
)
INSERT INTO payment_moved
SELECT s.payment_id, s.line_id, s.cycle_id, s.beneficiary_id, s.partner, s.programme, s.funding_source, s.amount, s.business_date,
       s.status, s.version, s.reason, s.partner_reference, s.occurred_at, 'LIST', CAST(:list_id AS text), {event_body_sql("s")}
FROM stored s
"""


async def create(tx: Tx, cycle_id: UUID, list_id: UUID, business_date: date) -> list[Moved]:
    """Payments, batches, ledger reserve and PaymentInstructed (re-issue: PaymentReissued) events of every LISTED line of an approved list.

    A second call for the same list and attempts is refused by the schema (one payment per line and attempt).
    """
    await prepare(tx)
    await tx.execute(_LANES, list_id=list_id, cycle_id=cycle_id)
    await tx.execute(_CREATE_SQL, cycle_id=cycle_id, list_id=list_id, business_date=business_date)
    reissue = await tx.value("SELECT kind = 'REISSUE' FROM payment_cycle WHERE cycle_id = :id", id=cycle_id)
    return await publish(tx, "list.approved", first_event="PaymentReissued" if reissue else "PaymentInstructed")


_VIEW: Final = """
SELECT p.payment_id, p.cycle_id, p.beneficiary_id, p.payee_id, p.payee_kind, p.status, p.attempt, p.reference, p.amount, p.month,
       p.months, p.programme, p.funding_source, p.channel, p.partner, p.cash_reason, p.reason, p.partner_reference, p.unit_code,
       p.unit_path, p.occurred_at, p.version, b.reference AS batch_reference
FROM payment p JOIN payment_batch b USING (batch_id)
"""


async def list_page(
    tx: Tx,
    actor: Actor,
    *,
    cycle_id: UUID | None,
    status: str | None,
    beneficiary_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Payments in the actor's units, ordered by id, after a cursor."""
    scope, params = actor.scope_sql("p.unit_path")
    conditions: list[str] = [scope]
    for column, value in (("cycle_id", cycle_id), ("status", status), ("beneficiary_id", beneficiary_id)):
        if value is not None:
            conditions.append(f"p.{column} = :{column}")
            params[column] = value
    if after is not None:
        conditions.append("p.payment_id > :after")
        params["after"] = after
    return await tx.rows(f"{_VIEW} WHERE {' AND '.join(conditions)} ORDER BY p.payment_id LIMIT :limit", limit=limit, **params)


async def by_id(tx: Tx, actor: Actor, payment_id: UUID) -> RowMapping | None:
    """One payment, if it is in the actor's units."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.row(f"{_VIEW} WHERE p.payment_id = :payment_id AND {scope}", payment_id=payment_id, **params)


async def timeline(tx: Tx, payment_id: UUID) -> Sequence[RowMapping]:
    """Every state the payment was in, oldest first."""
    return await tx.rows(
        "SELECT version, status, reason, partner_reference, source, source_id, actor, occurred_at, recorded_at"
        " FROM payment_history WHERE payment_id = :payment_id ORDER BY version",
        payment_id=payment_id,
    )


async def progress(tx: Tx, actor: Actor, cycle_id: UUID) -> Sequence[RowMapping]:
    """Counts and amounts of a cycle's payments by status and channel, in the actor's units."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.rows(
        "SELECT p.status, p.channel, count(*) AS payments, sum(p.amount) AS amount"
        f" FROM payment p WHERE p.cycle_id = :cycle_id AND {scope} GROUP BY 1, 2 ORDER BY 1, 2",
        cycle_id=cycle_id,
        **params,
    )


async def open_count(tx: Tx, cycle_id: UUID) -> dict[str, Any]:
    """What keeps a cycle from closing: payments without a final state, and open quarantine about its payments."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM payment WHERE cycle_id = :cycle_id"
        "          AND status IN ('APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN')) AS open_payments,"
        " (SELECT count(*) FROM quarantine q JOIN payment p USING (payment_id) WHERE p.cycle_id = :cycle_id AND q.state = 'OPEN')"
        "   AS open_quarantine",
        cycle_id=cycle_id,
    )
    return {name: int(value) for name, value in (row or {}).items()}
