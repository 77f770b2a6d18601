"""The rolling plan of name inquiries: changed and failed accounts each month, the rest a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.audit import digest_sql
from common.db import Tx
from common.tracing import HERE_SQL

__all__ = ["any_before", "mark", "note_plan", "pending", "plan", "plans"]

# Urgent: whose way to be paid changed since the last plan, or which failed lately and may be used again. The rest: the longest not
# asked about, so many that everything is asked about within the months of the setting. Accounts that nobody chose, and those that
# people object to, are left alone.
_MARK: Final = f"""
WITH last AS (
    SELECT coalesce(max(business_date), '-infinity') AS day FROM recheck_plan WHERE business_date < :day
), used AS (
    SELECT a.account_id, a.checked_on, a.ask_officer IS NOT NULL OR a.status IN ('DORMANT', 'NOT_UPGRADED')
           OR (a.checked_on < m.business_date AND m.business_date > last.day) AS urgent
    FROM account a JOIN payout_method m USING (account_id) CROSS JOIN last
    WHERE NOT a.check_due AND a.recheck_on IS NULL AND a.status <> 'PENDING_CHECK' AND a.objection IS NULL
      AND (a.checked_on IS NULL OR a.checked_on < :day)
), ranked AS (
    SELECT DISTINCT ON (account_id) account_id, urgent, checked_on FROM used ORDER BY account_id, urgent DESC
), chosen AS (
    SELECT account_id, urgent FROM ranked WHERE urgent
    UNION ALL
    (SELECT account_id, urgent FROM ranked WHERE NOT urgent ORDER BY checked_on NULLS FIRST, account_id
     LIMIT (SELECT CAST(ceil(count(DISTINCT m.account_id) / CAST(:months AS numeric)) AS integer) FROM payout_method m
            WHERE m.account_id IS NOT NULL))
), marked AS (
    UPDATE account a SET recheck_on = :day, next_try_at = now() + CASE WHEN c.urgent THEN interval '0' ELSE interval '1 millisecond' END,
        attempts = 0, traceparent = {HERE_SQL}
    FROM chosen c WHERE a.account_id = c.account_id
    RETURNING c.urgent, a.account_id
)
SELECT count(*) FILTER (WHERE urgent) AS urgent, count(*) FILTER (WHERE NOT urgent) AS rolling, {digest_sql("account_id")} AS digest
FROM marked
"""

_PENDING: Final = """
SELECT a.partner, count(*) AS waiting, rate.per_second, s.failing_since, i.next_free_at,
       CASE WHEN rate.per_second IS NULL THEN NULL
            ELSE greatest(now(), coalesce(i.next_free_at, now()))
                 + make_interval(secs => CAST(count(*) / rate.per_second AS double precision)) END AS expected_end
FROM account a LEFT JOIN partner_state s USING (partner) LEFT JOIN inquiry_pace i USING (partner)
LEFT JOIN LATERAL (SELECT min(v.inquiries_per_second) AS per_second FROM provider v WHERE v.partner = a.partner) rate ON true
WHERE a.check_due OR a.recheck_on IS NOT NULL
GROUP BY a.partner, rate.per_second, s.failing_since, i.next_free_at ORDER BY a.partner
"""


async def plan(tx: Tx, month: str) -> RowMapping | None:
    """The plan of a month."""
    return await tx.row("SELECT * FROM recheck_plan WHERE month = :month", month=month)


async def any_before(tx: Tx, day: date) -> bool:
    """Whether an account somebody is paid into was last asked about before a day."""
    return bool(
        await tx.value(
            "SELECT 1 FROM account a WHERE a.checked_on < :day AND a.status <> 'PENDING_CHECK'"
            " AND EXISTS (SELECT FROM payout_method m WHERE m.account_id = a.account_id) LIMIT 1",
            day=day,
        )
    )


async def mark(tx: Tx, day: date, months: int) -> tuple[dict[str, int], str]:
    """Mark what is asked about again as of a business date: how many urgent and rolling, and the digest of the accounts."""
    row = await tx.row(_MARK, day=day, months=months)
    assert row is not None
    return {name: int(row[name]) for name in ("urgent", "rolling")}, row["digest"]


async def note_plan(tx: Tx, *, plan_id: UUID, month: str, day: date, urgent: int, rolling: int, by: str) -> None:
    """Keep what was planned."""
    await tx.execute(
        "INSERT INTO recheck_plan (plan_id, month, business_date, urgent, rolling, created_by)"
        " VALUES (:plan_id, :month, :day, :urgent, :rolling, :by)",
        plan_id=plan_id,
        month=month,
        day=day,
        urgent=urgent,
        rolling=rolling,
        by=by,
    )


async def plans(tx: Tx) -> Sequence[RowMapping]:
    """The plans, latest first."""
    return await tx.rows("SELECT * FROM recheck_plan ORDER BY month DESC LIMIT 24")


async def pending(tx: Tx) -> Sequence[RowMapping]:
    """Per partner: how many accounts wait to be asked about, its rate, and when they will be done at that rate."""
    return await tx.rows(_PENDING)
