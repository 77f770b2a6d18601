"""Holds: lines withdrawn after the list was computed, and the events that tell of everyone held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.contracts.disbursement_v1 import PaymentHeld, PaymentReleased
from common.db import Tx
from disbursement.domain.holds import HOLDS
from disbursement.storage.gate import DISPUTED_LINES_SQL, OVER_LIMIT_SQL, WITHDRAWN_SQL
from disbursement.storage.replaced import REPLACED_BY_HOLD

__all__ = ["BENEFIT_LINES", "HOLD_EVENTS", "MONTHS", "hold_lines", "release_paid", "tell_holds", "withdrawals"]

_ACTORS: Final = ", ".join(f"('{reason}', '{text.actor}')" for reason, text in HOLDS.items())

_HOLD_LINES: Final = f"""
WITH withdrawn AS (
    SELECT w.line_id, w.reason FROM unnest(CAST(:line_ids AS uuid[]), CAST(:reasons AS text[])) AS w (line_id, reason)
), lines AS (
    UPDATE list_line l SET state = 'HELD' FROM withdrawn w WHERE w.line_id = l.line_id AND l.state = 'LISTED'
    RETURNING l.*, w.reason
)
INSERT INTO hold (cycle_id, list_id, line_id, beneficiary_id, file_code, beneficiary_name, programme, funding_source, amount, months,
                  reason, actor, detail, stage, unit_code, unit_path)
SELECT l.cycle_id, l.list_id, l.line_id, l.beneficiary_id, l.file_code, l.beneficiary_name, l.programme, l.funding_source, l.amount,
       l.months, l.reason, a.actor, NULL, 'APPROVAL', l.unit_code, l.unit_path
FROM lines l JOIN (VALUES {_ACTORS}) AS a (reason, actor) ON a.reason = l.reason
"""

BENEFIT_LINES: Final = """(
    SELECT coalesce(json_agg(DISTINCT i.benefit_line ORDER BY i.benefit_line), '[]') FROM due_interval i
    WHERE i.beneficiary_id = h.beneficiary_id AND i.programme = h.programme AND i.funding_source = h.funding_source
      AND EXISTS (SELECT FROM unnest(h.months) AS m (month) WHERE m.month BETWEEN i.from_month AND coalesce(i.to_month, 'infinity'))
)"""
"""Of a row `h` of `hold`: what stands due in its months, as JSON; reporting counts benefit lines beside people."""

MONTHS: Final = """(
    SELECT coalesce(json_agg(to_char(m.month, 'YYYY-MM') ORDER BY m.month), '[]') FROM unnest(h.months) AS m (month)
)"""
"""Of a row `h` of `hold`: the benefit months held, as JSON; what a later list holds or pays of them is the same money."""

HOLD_EVENTS: Final = """
SELECT h.beneficiary_id AS key, uuidv7() AS event_id, json_build_object(
    'version', h.version, 'business_date', CAST(:business_date AS date), 'hold_id', h.hold_id, 'cycle_id', h.cycle_id,
    'beneficiary_id', h.beneficiary_id, 'month', to_char(c.month, 'YYYY-MM'), 'programme', h.programme,
    'funding_source', h.funding_source, 'amount', h.amount, 'reason', h.reason, 'actor', h.actor, 'unit_code', h.unit_code,
    'unit_path', h.unit_path, 'released', h.released_at IS NOT NULL, 'benefit_lines', {lines}, 'months', {months},
    'replaces', {replaced}) AS body
FROM hold h JOIN payment_cycle c USING (cycle_id)
WHERE {chosen}
ORDER BY h.hold_id
"""
"""Bodies of `PaymentHeld` or `PaymentReleased`.

Fill `lines` with :data:`BENEFIT_LINES`, `months` with :data:`MONTHS`, `replaced` with `replaced.REPLACED_BY_HOLD`, `chosen` with a choice
of `hold h`.
"""


async def withdrawals(tx: Tx, list_id: UUID, *, business_date: date, grace_days: int, limits: str) -> Sequence[RowMapping]:
    """Listed lines of a list that may no longer be paid: `line_id, reason` (the gate run again). `limits` as for `lists.compute`."""
    sql = WITHDRAWN_SQL.format(lines="l.list_id = :list_id", allocations="al.list_id = :list_id")
    found = list(await tx.rows(sql, list_id=list_id, business_date=business_date, grace_days=grace_days))
    disputed = await tx.rows(DISPUTED_LINES_SQL.format(allocations="o.list_id = :list_id"), list_id=list_id)
    known = {row["line_id"] for row in found}
    found += [row for row in disputed if row["line_id"] not in known]
    known |= {row["line_id"] for row in disputed}
    over = OVER_LIMIT_SQL.format(lines="l.list_id = :list_id")
    more = await tx.rows(over, list_id=list_id, business_date=business_date, limits=limits)
    return [*found, *(row for row in more if row["line_id"] not in known)]


async def hold_lines(tx: Tx, withdrawn: Sequence[RowMapping]) -> int:
    """Withdraw lines to HELD with their reasons; the number withdrawn."""
    return await tx.execute(_HOLD_LINES, line_ids=[w["line_id"] for w in withdrawn], reasons=[w["reason"] for w in withdrawn])


async def tell_holds(tx: Tx, list_id: UUID, business_date: date) -> int:
    """One `PaymentHeld` per held person of a list; the number of events."""
    sql = HOLD_EVENTS.format(
        lines=BENEFIT_LINES, months=MONTHS, replaced=REPLACED_BY_HOLD, chosen="h.list_id = :list_id AND h.released_at IS NULL"
    )
    return await outbox.insert_select(tx, PaymentHeld, sql, list_id=list_id, business_date=business_date)


_RELEASE: Final = """
UPDATE hold h SET released_at = now(), version = h.version + 1
FROM list_line l
WHERE l.list_id = :list_id AND l.state = 'LISTED' AND h.beneficiary_id = l.beneficiary_id AND h.programme = l.programme
  AND h.funding_source = l.funding_source AND h.released_at IS NULL AND h.list_id <> :list_id
  AND EXISTS (SELECT FROM payment_list p WHERE p.list_id = h.list_id AND p.state = 'APPROVED')
RETURNING h.hold_id
"""


async def release_paid(tx: Tx, list_id: UUID, business_date: date) -> int:
    """Release earlier holds of everyone this list pays, with `PaymentReleased`; how many."""
    ids = [row["hold_id"] for row in await tx.rows(_RELEASE, list_id=list_id)]
    if ids:
        sql = HOLD_EVENTS.format(
            lines=BENEFIT_LINES, months=MONTHS, replaced=REPLACED_BY_HOLD, chosen="h.hold_id = ANY(CAST(:ids AS uuid[]))"
        )
        await outbox.insert_select(tx, PaymentReleased, sql, ids=ids, business_date=business_date)
    return len(ids)
