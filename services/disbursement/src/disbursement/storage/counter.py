"""People at the counter: found by code, name or number index within the officer's units, with everything about their money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx

__all__ = ["due_of", "find_people", "holds_of", "months_of", "payments_of"]

_PEOPLE: Final = """
SELECT b.beneficiary_id, b.file_code, b.full_name, left(b.birth_date, 4) AS birth_year, b.unit_code, b.unit_path, b.status,
       m.method, m.payee_kind, m.payee_id <> b.beneficiary_id AS other_payee, r.full_name AS payee_name, a.masked_number, a.provider_code,
       a.status AS account_status, m.reason AS method_reason
FROM beneficiary b
LEFT JOIN payout_method m USING (beneficiary_id)
LEFT JOIN representative r ON r.beneficiary_id = b.beneficiary_id AND r.representative_id = m.payee_id
LEFT JOIN payout_account a ON a.account_id = m.account_id
"""

# Per programme and source: what the month's dues say, paid and committed, and the state of the newest cycle over the person's unit.
_DUE: Final = """
SELECT i.beneficiary_id, i.programme, i.funding_source,
       CAST(sum(CASE WHEN i.status = 'DUE' THEN i.amount ELSE 0 END) AS bigint) AS due, bool_or(i.status = 'RATE_MISSING') AS rate_missing,
       CAST(coalesce(sum(p.paid - p.repaid), 0) AS bigint) AS paid, CAST(coalesce(sum(p.committed), 0) AS bigint) AS committed,
       (SELECT c.state FROM payment_cycle c WHERE c.month = :month AND c.programme = i.programme AND c.funding_source = i.funding_source
          AND (b.unit_path = c.unit_path OR b.unit_path LIKE c.unit_path || '/%') ORDER BY c.sequence DESC LIMIT 1) AS cycle_state,
       (SELECT t.first_month > :month FROM take_over t WHERE t.state = 'APPROVED' AND t.programme = i.programme
          AND (b.unit_path = t.unit_path OR b.unit_path LIKE t.unit_path || '/%') ORDER BY length(t.unit_path) DESC LIMIT 1)
       AS before_take_over
FROM beneficiary b
JOIN due_interval i ON i.beneficiary_id = b.beneficiary_id AND i.from_month <= :month AND coalesce(i.to_month, 'infinity') >= :month
LEFT JOIN due_month_position p ON p.beneficiary_id = i.beneficiary_id AND p.programme = i.programme AND p.funding_source = i.funding_source
     AND p.benefit_line = i.benefit_line AND p.month = :month
WHERE b.beneficiary_id = ANY(CAST(:ids AS uuid[]))
GROUP BY i.beneficiary_id, i.programme, i.funding_source, b.unit_path ORDER BY 1, 2, 3
"""


async def find_people(tx: Tx, actor: Actor, wanted: dict[str, Any], limit: int) -> Sequence[RowMapping]:
    """People in the actor's units. `wanted`: `file_code`, `indexes` (of a number), `name` (folded, a prefix) and `birth_year`."""
    scope, params = actor.scope_sql("b.unit_path")
    conditions = [scope]
    if wanted.get("file_code"):
        conditions.append("b.file_code = :file_code")
    if wanted.get("indexes"):
        conditions.append("b.number_index = ANY(:indexes)")
    if wanted.get("name"):
        conditions.append("b.name_folded LIKE :name || '%'")  # folded names hold letters and spaces only
    if wanted.get("birth_year"):
        conditions.append("left(b.birth_date, 4) = :birth_year")
    given = {name: value for name, value in wanted.items() if value}
    return await tx.rows(
        f"{_PEOPLE} WHERE {' AND '.join(conditions)} ORDER BY b.name_folded, b.beneficiary_id LIMIT :limit", limit=limit, **params, **given
    )


async def due_of(tx: Tx, ids: Sequence[UUID], month: date) -> Sequence[RowMapping]:
    """What the month's dues say of people, by programme and source."""
    return await tx.rows(_DUE, ids=list(ids), month=month)


async def payments_of(tx: Tx, ids: Sequence[UUID], limit: int) -> Sequence[RowMapping]:
    """The newest payments of each person."""
    return await tx.rows(
        "SELECT p.* FROM unnest(CAST(:ids AS uuid[])) AS x (beneficiary_id) CROSS JOIN LATERAL ("
        " SELECT q.beneficiary_id, q.payment_id, q.status, q.amount, q.month, q.months, q.programme, q.funding_source, q.channel,"
        " q.partner, q.reason, q.cash_reason, q.occurred_at, q.attempt,"
        " EXISTS (SELECT FROM complaint c WHERE c.payment_id = q.payment_id AND c.state"
        " NOT IN ('CLOSED', 'WITHDRAWN')) AS complaint_open, (SELECT t.state FROM telling t WHERE t.payment_id = q.payment_id"
        " ORDER BY t.created_at DESC LIMIT 1) AS telling"
        " FROM payment q WHERE q.beneficiary_id = x.beneficiary_id ORDER BY q.created_at DESC, q.payment_id DESC LIMIT :limit) p",
        ids=list(ids), limit=limit,
    )  # fmt: skip


async def holds_of(tx: Tx, ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Holds of people that nobody has released, newest first; of lists that were approved or still may be."""
    return await tx.rows(
        "SELECT h.beneficiary_id, h.programme, h.funding_source, h.reason, h.amount, h.months, h.actor, c.month FROM hold h"
        " JOIN payment_cycle c USING (cycle_id) JOIN payment_list s ON s.list_id = h.list_id"
        " WHERE h.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND h.released_at IS NULL AND s.state IN ('COMPUTED', 'SUBMITTED', 'APPROVED')"
        " ORDER BY h.hold_id DESC",
        ids=list(ids),
    )


async def months_of(tx: Tx, ids: Sequence[UUID], before: date) -> Sequence[RowMapping]:
    """What is still owed of earlier months: due − paid − committed of positions the platform knows."""
    return await tx.rows(
        "SELECT p.beneficiary_id, p.programme, p.funding_source, CAST(sum(i.amount - p.paid + p.repaid - p.committed) AS bigint) AS owed"
        " FROM due_month_position p JOIN due_interval i ON i.beneficiary_id = p.beneficiary_id AND i.programme = p.programme"
        "  AND i.funding_source = p.funding_source AND i.benefit_line = p.benefit_line AND i.from_month <= p.month"
        "  AND coalesce(i.to_month, 'infinity') >= p.month AND i.status = 'DUE'"
        " WHERE p.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND p.month < :before"
        "  AND i.amount > p.paid - p.repaid + p.committed GROUP BY 1, 2, 3",
        ids=list(ids), before=before,
    )  # fmt: skip
