"""Cash lists, custody and proofs as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx

__all__ = ["add_entry", "add_evidence", "add_proofs", "balance", "entries", "evidence", "list_lines", "unproven"]

_LINES: Final = """
SELECT l.beneficiary_name, l.payee_name, l.payee_kind, l.file_code, p.amount, p.months, p.channel, p.cash_reason, p.status, p.reference,
       l.unit_path, r.collected_on, r.kind AS proof
FROM payment p JOIN list_line l USING (line_id) LEFT JOIN cash_proof r USING (payment_id)
WHERE p.cycle_id = :cycle_id AND p.channel IN ('CASH_POST', 'CASH_HOME') AND p.status <> 'CANCELLED'
  AND (CAST(:channel AS text) IS NULL OR p.channel = :channel)
  AND (p.unit_path = :unit_path OR p.unit_path LIKE :unit_path || '/%')
ORDER BY l.unit_path COLLATE "C", p.channel, l.beneficiary_name COLLATE "C", p.payment_id
"""

_BALANCE: Final = """
WITH held AS (
    SELECT unit_path, sum(CASE kind WHEN 'RECEIVED' THEN amount WHEN 'FOUND' THEN amount ELSE -amount END) AS held,
           sum(amount) FILTER (WHERE kind = 'RECEIVED') AS received, sum(amount) FILTER (WHERE kind = 'GIVEN_BACK') AS given_back,
           coalesce(sum(amount) FILTER (WHERE kind = 'LOST'), 0) - coalesce(sum(amount) FILTER (WHERE kind = 'FOUND'), 0) AS lost
    FROM custody_entry WHERE cycle_id = :cycle_id AND partner = :partner GROUP BY 1
), paid AS (
    SELECT p.unit_path, sum(p.amount) FILTER (WHERE p.status = 'COLLECTED') AS collected,
           sum(p.amount) FILTER (WHERE p.status = 'COLLECTED' AND r.payment_id IS NULL) AS unproven,
           count(*) FILTER (WHERE p.status = 'COLLECTED' AND r.payment_id IS NULL) AS unproven_payments
    FROM payment p LEFT JOIN cash_proof r USING (payment_id)
    WHERE p.cycle_id = :cycle_id AND p.partner = :partner AND p.channel IN ('CASH_POST', 'CASH_HOME') GROUP BY 1
)
SELECT x.unit_path, CAST(coalesce(h.received, 0) AS bigint) AS received, CAST(coalesce(h.given_back, 0) AS bigint) AS given_back,
       CAST(coalesce(h.lost, 0) AS bigint) AS lost, CAST(coalesce(p.collected, 0) AS bigint) AS collected,
       CAST(coalesce(p.unproven, 0) AS bigint) AS unproven, coalesce(p.unproven_payments, 0) AS unproven_payments,
       CAST(coalesce(h.held, 0) - coalesce(p.collected, 0) AS bigint) AS in_hand
FROM (SELECT unit_path FROM held UNION SELECT unit_path FROM paid) x
LEFT JOIN held h USING (unit_path) LEFT JOIN paid p USING (unit_path)
WHERE {scope} ORDER BY x.unit_path COLLATE "C"
"""


def list_lines(tx: Tx, cycle_id: UUID, unit_path: str, channel: str | None) -> AsyncIterator[RowMapping]:
    """Who is to be paid in cash in a unit and below, as a stream in the order of the printed list."""
    return tx.stream(_LINES, cycle_id=cycle_id, unit_path=unit_path, channel=channel)


async def add_entry(tx: Tx, values: Mapping[str, Any]) -> RowMapping | None:
    """Write one entry of the custody log; None when its document is there already."""
    names = ", ".join(values)
    return await tx.row(
        f"INSERT INTO custody_entry ({names}) VALUES ({', '.join(':' + name for name in values)}) ON CONFLICT DO NOTHING RETURNING *",
        **values,
    )


async def entries(tx: Tx, actor: Actor, cycle_id: UUID, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """The custody log of a cycle in the actor's units, oldest first."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.rows(
        f"SELECT c.* FROM custody_entry c WHERE c.cycle_id = :cycle_id AND {scope}"
        " AND (CAST(:after AS uuid) IS NULL OR c.entry_id > :after) ORDER BY c.entry_id LIMIT :limit",
        cycle_id=cycle_id,
        after=after,
        limit=limit,
        **params,
    )


async def balance(tx: Tx, actor: Actor, cycle_id: UUID, partner: str) -> Sequence[RowMapping]:
    """Per unit: received, collected by people, given back, lost, still in hand; and what is collected without proof. In đồng."""
    scope, params = actor.scope_sql("x.unit_path")
    return await tx.rows(_BALANCE.format(scope=scope), cycle_id=cycle_id, partner=partner, **params)


async def add_evidence(tx: Tx, values: Mapping[str, Any]) -> UUID:
    """Keep a scan; the same bytes for the same cycle are one."""
    names = ", ".join(values)
    found: UUID = await tx.value(
        f"WITH added AS (INSERT INTO cash_evidence ({names}) VALUES ({', '.join(':' + name for name in values)})"
        " ON CONFLICT (cycle_id, sha256) DO NOTHING RETURNING evidence_id)"
        " SELECT evidence_id FROM added UNION ALL"
        " SELECT evidence_id FROM cash_evidence WHERE cycle_id = :cycle_id AND sha256 = :sha256 LIMIT 1",
        **values,
    )
    return found


async def evidence(tx: Tx, actor: Actor, evidence_id: UUID) -> RowMapping | None:
    """A scan with its encrypted bytes, in the actor's units."""
    scope, params = actor.scope_sql("e.unit_path")
    return await tx.row(f"SELECT e.* FROM cash_evidence e WHERE e.evidence_id = :id AND {scope}", id=evidence_id, **params)


_GIVEN: Final = (
    "unnest(CAST(:references AS text[]), CAST(:days AS date[]), CAST(:collectors AS text[]), CAST(:kinds AS text[]))"
    " WITH ORDINALITY AS g (reference, collected_on, collected_by, kind, n)"
)


async def unproven(tx: Tx, actor: Actor, cycle_id: UUID, proofs: Mapping[str, Any]) -> list[int]:
    """Row numbers (from 1) that name no collected cash payment of this cycle in the actor's units."""
    scope, params = actor.scope_sql("p.unit_path")
    rows = await tx.rows(
        f"SELECT g.n FROM {_GIVEN} LEFT JOIN payment p ON p.reference = g.reference AND p.cycle_id = :cycle_id"
        f" AND p.status = 'COLLECTED' AND {scope} WHERE p.payment_id IS NULL ORDER BY g.n",
        cycle_id=cycle_id,
        **proofs,
        **params,
    )
    return [row["n"] for row in rows]


async def add_proofs(tx: Tx, proofs: Mapping[str, Any], *, paid_by: str, evidence_id: UUID | None, by: str) -> int:
    """Store proofs of collection; a payment's first proof stands. How many are new."""
    return await tx.execute(
        "INSERT INTO cash_proof (payment_id, collected_on, collected_by, kind, paid_by, evidence_id, recorded_by)"
        f" SELECT p.payment_id, g.collected_on, g.collected_by, g.kind, :paid_by, :evidence_id, :by FROM {_GIVEN}"
        " JOIN payment p ON p.reference = g.reference ORDER BY p.payment_id ON CONFLICT (payment_id) DO NOTHING",
        paid_by=paid_by,
        evidence_id=evidence_id,
        by=by,
        **proofs,
    )
