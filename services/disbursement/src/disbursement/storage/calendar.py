"""What was done of a cycle and when, and the special days that two people settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["done", "prefunding", "sendings", "special_days"]

# Money counts as sent when the approved movements cover what goes through prefunded partners; a month counts as reported when every
# partner that had payments of the cycle has an approved settlement statement.
_DONE: Final = """
SELECT t.cycle_id, t.month, t.programme, t.funding_source, t.unit_path, t.kind, t.sequence, t.state, l.approved_on AS list_handed_over,
       n.needed, m.sent, CASE WHEN l.approved_on IS NOT NULL AND coalesce(m.sent, 0) >= n.needed THEN coalesce(m.last, l.approved_on) END
           AS money_sent,
       s.partners, s.settled, CASE WHEN s.partners > 0 AND s.partners = s.settled THEN s.last END AS payment_reported, s.missing
FROM payment_cycle t
LEFT JOIN payment_list l ON l.list_id = t.list_id AND l.state = 'APPROVED'
LEFT JOIN LATERAL (
    SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS needed FROM list_line x
    WHERE x.list_id = l.list_id AND x.state = 'LISTED' AND x.route = 'PAYMENT_ORG'
) n ON true
LEFT JOIN LATERAL (
    SELECT CAST(sum(amount) AS bigint) AS sent, max(document_date) AS last FROM money_movement y
    WHERE y.cycle_id = t.cycle_id AND y.kind = 'PREFUND' AND y.state = 'APPROVED'
) m ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS partners, count(z.partner) AS settled, max(z.business_date) AS last,
           array_agg(b.partner ORDER BY b.partner) FILTER (WHERE z.partner IS NULL) AS missing
    FROM (SELECT DISTINCT partner FROM payment_batch WHERE cycle_id = t.cycle_id) b
    LEFT JOIN settlement z ON z.cycle_id = t.cycle_id AND z.partner = b.partner AND z.state = 'APPROVED'
) s ON true
WHERE {chosen} ORDER BY t.cycle_id LIMIT :limit
"""

_PREFUNDING: Final = """
SELECT n.partner, n.needed, coalesce(m.sent, 0) AS sent
FROM (SELECT partner, CAST(sum(amount) AS bigint) AS needed FROM list_line
      WHERE list_id = :list_id AND state = 'LISTED' AND route = 'PAYMENT_ORG' GROUP BY partner) n
LEFT JOIN (SELECT partner, CAST(sum(amount) AS bigint) AS sent FROM money_movement
           WHERE cycle_id = :cycle_id AND kind = 'PREFUND' AND state = 'APPROVED' GROUP BY partner) m USING (partner)
WHERE n.needed > coalesce(m.sent, 0) ORDER BY n.partner
"""


async def done(
    tx: Tx, *, scope: str = "TRUE", params: dict[str, Any] | None = None, month: date | None = None, cycle_id: UUID | None = None,
    after: UUID | None = None, limit: int = 1,
) -> Sequence[RowMapping]:  # fmt: skip
    """Cycles of a month (or one cycle) with what was done and on which business date; None while it is not done."""
    chosen = (
        f"{scope} AND (CAST(:month AS date) IS NULL OR t.month = :month) AND (CAST(:cycle_id AS uuid) IS NULL OR t.cycle_id = :cycle_id)"
        " AND (CAST(:after AS uuid) IS NULL OR t.cycle_id > :after)"
    )
    return await tx.rows(_DONE.format(chosen=chosen), month=month, cycle_id=cycle_id, after=after, limit=limit, **(params or {}))


async def prefunding(tx: Tx, cycle_id: UUID, list_id: UUID) -> Sequence[RowMapping]:
    """Partners whose approved prefunding of the cycle does not cover what the list gives them: `partner, needed, sent` (đồng)."""
    return await tx.rows(_PREFUNDING, cycle_id=cycle_id, list_id=list_id)


# A partner is late with what was not answered for, or was paid, after its value date. Cash is collected in days: nobody is late with it.
_SENDINGS: Final = """
SELECT b.cycle_id, b.partner, count(*) AS batches, count(*) FILTER (WHERE b.value_date IS NULL AND b.state = 'READY') AS not_sent,
       count(*) FILTER (WHERE b.after_cut_off) AS after_cut_off,
       min(b.value_date) AS first_value_date, max(b.value_date) AS last_value_date,
       CAST(coalesce(sum(p.paid_late), 0) AS bigint) AS paid_late, CAST(coalesce(sum(p.unanswered), 0) AS bigint) AS unanswered
FROM payment_batch b
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.status = 'SETTLED' AND CAST(p.occurred_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) > b.value_date)
               AS paid_late,
           count(*) FILTER (WHERE p.status IN ('SUBMITTING', 'SUBMITTED', 'UNKNOWN') AND CAST(:on AS date) > b.value_date) AS unanswered
    FROM payment p WHERE p.batch_id = b.batch_id AND p.channel NOT LIKE 'CASH%'
) p ON true
WHERE b.cycle_id = ANY(CAST(:cycle_ids AS uuid[])) AND b.state <> 'WITHDRAWN'
GROUP BY b.cycle_id, b.partner ORDER BY b.cycle_id, b.partner
"""


async def sendings(tx: Tx, cycle_ids: Sequence[UUID], on: date) -> Sequence[RowMapping]:
    """Cycles' batches by partner: how many went after the cut-off (ours), how many payments the partner is late with on a day."""
    return await tx.rows(_SENDINGS, cycle_ids=list(cycle_ids), on=on)


async def special_days(tx: Tx) -> dict[date, bool]:
    """Days that two people settled: whether worked; the latest word counts."""
    rows = await tx.rows(
        "SELECT valid_from AS day, body ->> 'day_kind' = 'WORKING' AS worked FROM ruling"
        " WHERE kind = 'CALENDAR_DAY' AND state = 'APPROVED' ORDER BY decided_at"
    )
    return {row["day"]: row["worked"] for row in rows}
