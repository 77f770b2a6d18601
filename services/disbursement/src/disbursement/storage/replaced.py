"""What later payments and holds of a month leave of its dead payments: told with them, so that what is due is counted once.

A dead payment's months may be due again in full, in part (dues were lowered) or not at all, and a later payment may pay them, or more money
beside them while they were still on their way. Amounts and months of payments do not tell these apart; the months' positions do.
"""

from __future__ import annotations

from typing import Final

from common.db import Tx
from disbursement.domain.payment import DEAD, PAID

__all__ = ["REPLACED_BY_HOLD", "say"]

_DEAD: Final = ", ".join(f"'{status}'" for status in sorted(DEAD))
_PAID: Final = ", ".join(f"'{status}'" for status in sorted(PAID))

# What of a month is due and neither paid nor promised. A month without a loaded rate is due, nobody knows with how much.
_REST: Final = """(
    SELECT CASE WHEN i.unknown THEN a.amount ELSE greatest(i.amount - coalesce((
               SELECT d.paid - d.repaid + d.committed FROM due_month_position d
               WHERE d.beneficiary_id = a.beneficiary_id AND d.programme = a.programme AND d.funding_source = a.funding_source
                 AND d.benefit_line = a.benefit_line AND d.month = a.month), 0), 0) END
    FROM (SELECT coalesce(bool_or(i.status = 'RATE_MISSING'), false) AS unknown,
                 coalesce(sum(i.amount) FILTER (WHERE i.status = 'DUE'), 0) AS amount
          FROM due_interval i
          WHERE i.beneficiary_id = a.beneficiary_id AND i.programme = a.programme AND i.funding_source = a.funding_source
            AND i.benefit_line = a.benefit_line AND i.from_month <= a.month AND coalesce(i.to_month, 'infinity') >= a.month) i)"""

# Of what is due the newest dead payment is said to owe first: an older one only what goes beyond it. A payment that was corrected had been
# tried again in the meantime: it speaks of later ones too. Key by key: the planner knows nothing of how few people have a dead payment.
_SAY: Final = f"""
WITH moved AS MATERIALIZED (
    SELECT m.payment_id, m.source = 'CORRECTION' AS corrected, p.beneficiary_id, p.programme, p.funding_source, p.month
    FROM payment_moved m CROSS JOIN LATERAL (SELECT * FROM payment p WHERE p.payment_id = m.payment_id OFFSET 0) p
), dead AS MATERIALIZED (
    SELECT DISTINCT d.payment_id, d.line_id, m.beneficiary_id, m.programme, m.funding_source, m.month
    FROM moved m CROSS JOIN LATERAL (
        SELECT p.payment_id, p.line_id FROM payment p
        WHERE p.beneficiary_id = m.beneficiary_id AND p.programme = m.programme AND p.funding_source = m.funding_source
          AND p.month = m.month AND p.status IN ({_DEAD}) OFFSET 0) d
), share AS (
    SELECT d.payment_id, least(a.amount, greatest(0, a.rest - coalesce(sum(a.amount) OVER newer, 0))) AS still
    FROM dead d CROSS JOIN LATERAL (
        SELECT a.benefit_line, a.month, a.amount, {_REST} AS rest FROM allocation a
        WHERE a.line_id = d.line_id AND a.state = 'RELEASED' OFFSET 0) a
    WINDOW newer AS (PARTITION BY d.beneficiary_id, d.programme, d.funding_source, d.month, a.benefit_line, a.month
                     ORDER BY d.payment_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), told AS (
    SELECT m.payment_id, jsonb_object_agg(d.payment_id, s.still) AS replaces
    FROM moved m JOIN dead d USING (beneficiary_id, programme, funding_source, month)
    CROSS JOIN LATERAL (SELECT coalesce(sum(s.still), 0) AS still FROM share s WHERE s.payment_id = d.payment_id) s
    WHERE (d.payment_id < m.payment_id OR m.corrected) AND d.payment_id <> m.payment_id GROUP BY m.payment_id
)
UPDATE payment_moved m SET body = CAST(CAST(m.body AS jsonb) || jsonb_build_object('replaces', t.replaces) AS text)
FROM told t WHERE t.payment_id = m.payment_id
"""

# A payment that was corrected after the list was computed was dead for the list: the hold is of its money.
REPLACED_BY_HOLD: Final = f"""(
    SELECT coalesce(jsonb_object_agg(s.payment_id, s.still), jsonb_build_object()) FROM (
        SELECT p.payment_id, coalesce(sum(CASE a.state WHEN 'PAID' THEN a.amount ELSE least(a.amount, {_REST}) END)
                                      FILTER (WHERE NOT a.month = ANY(h.months)), 0) AS still
        FROM payment p JOIN allocation a ON a.line_id = p.line_id
        WHERE p.beneficiary_id = h.beneficiary_id AND p.programme = h.programme AND p.funding_source = h.funding_source
          AND p.month = to_char(c.month, 'YYYY-MM') AND p.cycle_id <> h.cycle_id
          AND CASE WHEN p.status IN ({_DEAD}) THEN a.state = 'RELEASED'
                   WHEN p.status IN ({_PAID}) THEN a.state = 'PAID' AND EXISTS (
                       SELECT FROM payment_history y JOIN payment_list t ON t.list_id = h.list_id
                       WHERE y.payment_id = p.payment_id AND y.source = 'CORRECTION' AND y.recorded_at > t.computed_at)
                   ELSE FALSE END
        GROUP BY p.payment_id) s
)"""
"""Of a row `h` of `hold` in its cycle `c`: the person's payments of the month that were dead when its list was computed, and what is due of
them, or what they paid, beside the months held."""


async def say(tx: Tx) -> None:
    """Write into the events of `payment_moved`, whose effects are made, what they leave of dead payments made before them.

    A corrected one also says it of those made after it.
    """
    await tx.execute(_SAY)
