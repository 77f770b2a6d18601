"""What was granted, owed and paid to one person, from the read models and the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from reporting.storage.lines import held_again, left_of_hold, nothing_due

__all__ = ["dues", "entitlements", "files", "holds", "payments", "person"]

# Type names stand in the text: the index of the log is for exactly these.
_ENTITLEMENTS: Final = """
SELECT DISTINCT ON (entitlement_id) r.entitlement_id, r.programme, r.benefit_line, r.decision_number, r.decision_date, r.from_month,
       r.to_month, r.status
FROM event_log AS l CROSS JOIN LATERAL jsonb_to_record(l.body) AS r (
    entitlement_id uuid, version bigint, programme text, benefit_line text, decision_number text, decision_date date, from_month text,
    to_month text, status text
)
WHERE l.key = ANY(:ids)
  AND l.type IN ('EntitlementGranted', 'EntitlementChanged', 'EntitlementSuspended', 'EntitlementResumed', 'EntitlementEnded')
ORDER BY entitlement_id, r.version DESC
"""
_DUES: Final = """
SELECT DISTINCT ON (key) body -> 'lines' AS lines FROM event_log WHERE key = ANY(:ids) AND type = 'DuesChanged'
ORDER BY key, CAST(body ->> 'version' AS bigint) DESC
"""
_FILES: Final = """
WITH RECURSIVE file (beneficiary_id) AS (
    SELECT CAST(:id AS uuid)
    UNION SELECT b.beneficiary_id FROM file AS f JOIN beneficiary AS b ON b.merged_into = f.beneficiary_id
)
SELECT beneficiary_id FROM file
"""
_PAYMENTS: Final = """
SELECT p.month, p.months, p.programme, p.amount, p.status, p.channel, p.partner, p.attempt, p.reason, p.cash_reason, p.payee_kind,
       p.reference, p.occurred_at, p.account_masked
FROM payment AS p
WHERE p.beneficiary_id = ANY(:ids) AND p.month BETWEEN :first AND :last ORDER BY p.month, p.programme, p.attempt, p.payment_id
"""


async def person(tx: Tx, actor: Actor, beneficiary_id: UUID) -> RowMapping | None:
    """Somebody of the actor's units."""
    scope, params = actor.scope_sql("b.unit_path")
    return await tx.row(
        "SELECT b.beneficiary_id, b.file_code, b.full_name, b.unit_path, b.status FROM beneficiary AS b"
        f" WHERE b.beneficiary_id = :id AND {scope}",
        id=beneficiary_id,
        **params,
    )


async def files(tx: Tx, beneficiary_id: UUID) -> list[UUID]:
    """The person's file, and those that two people merged into it: what was paid under them was paid to this person."""
    return [row["beneficiary_id"] for row in await tx.rows(_FILES, id=beneficiary_id)]


async def entitlements(tx: Tx, ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """What decisions granted, as last told; benefit lines are neutral codes, never a health fact."""
    rows = await tx.rows(_ENTITLEMENTS, ids=list(ids))
    return sorted(rows, key=lambda row: (row["programme"], row["from_month"], row["benefit_line"]))


async def dues(tx: Tx, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What is owed, line by line, as last told."""
    return [line for row in await tx.rows(_DUES, ids=list(ids)) for line in row["lines"]]


async def payments(tx: Tx, ids: Sequence[UUID], first: date, last: date) -> Sequence[RowMapping]:
    """Every attempt to pay, in order."""
    return await tx.rows(_PAYMENTS, ids=list(ids), first=first, last=last)


async def holds(tx: Tx, ids: Sequence[UUID], first: date, last: date) -> Sequence[RowMapping]:
    """What is held, was not released and is still due; what several lists of a month hold, once."""
    return await tx.rows(
        f"SELECT month, programme, rest AS amount, reason FROM hold AS h CROSS JOIN LATERAL (SELECT {left_of_hold('h')} AS rest) AS r"
        " WHERE beneficiary_id = ANY(:ids) AND month BETWEEN :first AND :last AND NOT released AND rest IS NOT NULL"
        f" AND NOT {held_again('h')} AND NOT {nothing_due('h')} ORDER BY month, programme",
        ids=list(ids), first=first, last=last,
    )  # fmt: skip
