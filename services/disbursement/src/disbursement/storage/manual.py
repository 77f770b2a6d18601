"""What people say of payments: UNKNOWN ones that wait for a person, results by two, words that were set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.storage.corrections import beyond_sql

__all__ = ["add", "decide", "find", "lock_payment", "page", "propose_dismissal", "quarantined", "resolve_word", "unknown_page"]

_UNKNOWN: Final = """
SELECT p.payment_id, p.reference, p.partner, p.channel, p.amount, p.month, p.programme, p.beneficiary_id, p.unit_code, p.unit_path,
       p.reason, p.inquiries, p.inquire_at, h.recorded_at AS unknown_since, b.reference AS batch_reference, b.state AS batch_state,
       b.last_error, extract(epoch FROM now() - h.recorded_at)::bigint AS seconds,
       extract(epoch FROM now() - h.recorded_at) >= coalesce(n.person_after_seconds, 3600) AS for_person,
       m.manual_id, c.case_id
FROM payment p JOIN payment_batch b USING (batch_id) JOIN payment_history h ON h.payment_id = p.payment_id AND h.version = p.version
LEFT JOIN partner_lane n ON n.partner = p.partner
LEFT JOIN manual_result m ON m.payment_id = p.payment_id AND m.state = 'PROPOSED'
LEFT JOIN payment_case c ON c.payment_id = p.payment_id AND c.kind = 'INVESTIGATION' AND c.state NOT IN ('CLOSED', 'CANCELLED')
WHERE p.status = 'UNKNOWN' AND {where} ORDER BY p.payment_id LIMIT :limit
"""


_BEYOND: Final = beyond_sql("m.correction")


async def unknown_page(
    tx: Tx, actor: Actor, *, partner: str | None, for_person: bool, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """UNKNOWN payments in the actor's units; `for_person`: only those that waited longer than their partner's limit."""
    scope, params = actor.scope_sql("p.unit_path")
    conditions: list[str] = [scope]
    if partner is not None:
        conditions.append("p.partner = :partner")
        params["partner"] = partner
    if for_person:
        conditions.append("h.recorded_at <= now() - make_interval(secs => coalesce(n.person_after_seconds, 3600))")
    if after is not None:
        conditions.append("p.payment_id > :after")
        params["after"] = after
    return await tx.rows(_UNKNOWN.format(where=" AND ".join(conditions)), limit=limit, **params)


async def lock_payment(tx: Tx, actor: Actor, payment_id: UUID) -> RowMapping | None:
    """One payment in the actor's units, locked."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.row(
        f"SELECT p.* FROM payment p WHERE p.payment_id = :payment_id AND {scope} FOR UPDATE", payment_id=payment_id, **params
    )


async def add(tx: Tx, values: Mapping[str, Any]) -> RowMapping | None:
    """A first person's word; None when one about this payment already waits."""
    names = ", ".join(values)
    holders = ", ".join(f":{name}" for name in values)
    return await tx.row(
        f"INSERT INTO manual_result ({names}) VALUES ({holders}) ON CONFLICT (payment_id) WHERE state = 'PROPOSED' DO NOTHING RETURNING *",
        **values,
    )


async def find(tx: Tx, actor: Actor, manual_id: UUID) -> RowMapping | None:
    """A word about a payment in the actor's units, locked together with the payment."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.row(
        f"SELECT m.*, p.reference, p.amount, p.partner, p.channel, p.status AS payment_status, p.unit_path, {_BEYOND}"
        f" FROM manual_result m JOIN payment p USING (payment_id) WHERE m.manual_id = :manual_id AND {scope} FOR UPDATE OF m",
        manual_id=manual_id,
        **params,
    )


async def decide(tx: Tx, manual_id: UUID, state: str, by: str, note: str) -> None:
    """Record the second person's word."""
    await tx.execute(
        "UPDATE manual_result SET state = :state, decided_by = :by, decided_at = clock_timestamp(), decision_note = :note"
        " WHERE manual_id = :manual_id",
        manual_id=manual_id,
        state=state,
        by=by,
        note=note,
    )


async def page(tx: Tx, actor: Actor, *, state: str | None, payment_id: UUID | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """People's words about payments in the actor's units, oldest first."""
    scope, params = actor.scope_sql("p.unit_path")
    return await tx.rows(
        f"SELECT m.*, p.reference, p.amount, p.partner, p.channel, p.status AS payment_status, {_BEYOND}"
        f" FROM manual_result m JOIN payment p USING (payment_id) WHERE {scope}"
        " AND (CAST(:state AS text) IS NULL OR m.state = :state)"
        " AND (CAST(:payment_id AS uuid) IS NULL OR m.payment_id = :payment_id)"
        " AND (CAST(:after AS uuid) IS NULL OR m.manual_id > :after) ORDER BY m.manual_id LIMIT :limit",
        state=state,
        payment_id=payment_id,
        after=after,
        limit=limit,
        **params,
    )


async def quarantined(tx: Tx, actor: Actor, quarantine_id: UUID) -> RowMapping | None:
    """An open word that was set aside, in the actor's units or about no payment of ours, locked."""
    scope, params = actor.scope_sql("q.unit_path")
    return await tx.row(
        "SELECT q.*, (SELECT p.status FROM payment p WHERE p.payment_id = q.payment_id) AS payment_status FROM quarantine q"
        f" WHERE q.quarantine_id = :id AND q.state = 'OPEN' AND (q.unit_path IS NULL OR {scope}) FOR UPDATE",
        id=quarantine_id,
        **params,
    )


async def propose_dismissal(tx: Tx, quarantine_id: UUID, by: str, note: str) -> None:
    """The first person's word that a word that was set aside counts for nothing."""
    await tx.execute(
        "UPDATE quarantine SET dismissal_by = :by, dismissal_note = :note, dismissal_at = clock_timestamp()"
        " WHERE quarantine_id = :id AND state = 'OPEN'",
        id=quarantine_id,
        by=by,
        note=note,
    )


async def resolve_word(tx: Tx, quarantine_id: UUID, outcome: str, by: str, note: str) -> None:
    """A word that was set aside ends."""
    await tx.execute(
        "UPDATE quarantine SET state = 'RESOLVED', outcome = :outcome, note = :note, resolved_by = :by, resolved_at = clock_timestamp()"
        " WHERE quarantine_id = :id AND state = 'OPEN'",
        id=quarantine_id,
        outcome=outcome,
        by=by,
        note=note,
    )
