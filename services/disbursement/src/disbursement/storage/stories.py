"""Everything known of one payment, from all tables, as one ordered list of facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["of_payment"]

# `rank` orders what one transaction wrote at one moment, as it follows from one another.
_STORY: Final = """
WITH p AS (SELECT * FROM payment WHERE payment_id = :payment_id),
line AS (SELECT l.* FROM list_line l JOIN p USING (line_id)),
facts AS (
    SELECT h.recorded_at AS at, 10 AS rank, 'HELD_BEFORE' AS kind, h.reason AS code, h.actor AS by, h.amount,
           to_char(h.month, 'YYYY-MM') AS ref
    FROM (SELECT d.*, c.month, s.computed_at AS recorded_at
          FROM hold d JOIN payment_cycle c USING (cycle_id) JOIN payment_list s ON s.list_id = d.list_id
          WHERE d.beneficiary_id = (SELECT beneficiary_id FROM p) AND d.programme = (SELECT programme FROM p)
            AND d.funding_source = (SELECT funding_source FROM p) AND s.state = 'APPROVED' AND s.list_id <> (SELECT list_id FROM p)
            AND s.computed_at < (SELECT created_at FROM p)) h
    UNION ALL
    SELECT s.computed_at, 20, 'LISTED', l.cash_reason, s.computed_by, l.amount,
           (SELECT string_agg(a.benefit_line || ' ' || to_char(a.month, 'MM/YYYY') || ': ' || a.amount, '; '
                              ORDER BY a.month, a.benefit_line)
            FROM allocation a WHERE a.line_id = l.line_id)
    FROM line l JOIN payment_list s USING (list_id)
    UNION ALL
    SELECT s.submitted_at, 30, 'LIST_SUBMITTED', NULL, s.submitted_by, s.total_amount, left(s.list_hash, 16)
    FROM payment_list s WHERE s.list_id = (SELECT list_id FROM p) AND s.submitted_at IS NOT NULL
    UNION ALL
    SELECT s.decided_at, 40, 'LIST_APPROVED', NULL, s.decided_by, s.total_amount, left(s.list_hash, 16)
    FROM payment_list s WHERE s.list_id = (SELECT list_id FROM p) AND s.state = 'APPROVED' AND s.decided_at IS NOT NULL
    UNION ALL
    SELECT b.created_at, 50, 'BATCHED', NULL, p.partner, b.amount, b.reference || ' · ' || b.payments
    FROM p JOIN payment_batch b USING (batch_id)
    UNION ALL
    SELECT x.recorded_at, 60, 'STATUS_' || x.status, x.reason, x.actor, p.amount,
           coalesce(x.partner_reference, x.source || ' ' || x.source_id)
    FROM payment_history x JOIN p USING (payment_id)
    UNION ALL
    SELECT j.posted_at, 70, 'LEDGER', t.kind, j.actor, t.amount, t.debit_account || ' ← ' || t.credit_account
    FROM ledger_transfer t JOIN ledger_journal j USING (journal_id) JOIN p USING (payment_id)
    UNION ALL
    SELECT q.created_at, 65, 'SET_ASIDE', q.reason, q.partner, p.amount, q.source FROM quarantine q JOIN p USING (payment_id)
    UNION ALL
    SELECT s.received_at, 75, 'STATEMENT_LINE', l.verdict, s.partner, l.amount, s.file_name || ' · ' || l.line_no
    FROM statement_line l JOIN statement s USING (statement_id) JOIN p USING (payment_id)
    UNION ALL
    SELECT coalesce(b.decided_at, s.received_at), 76, 'DIFFERENCE_' || b.state, b.kind, coalesce(b.decided_by, b.proposed_by, s.partner),
           coalesce(b.theirs, b.ours), b.resolution
    FROM reconciliation_break b JOIN statement s USING (statement_id) JOIN p USING (payment_id)
    UNION ALL
    SELECT coalesce(t.told_at, t.sent_at, t.created_at), 80, 'TELLING_' || t.state, t.occasion, coalesce(s.handed_over_by, s.made_by), NULL,
           coalesce(t.error, t.route)
    FROM telling t LEFT JOIN telling_sheet s USING (sheet_id) JOIN p USING (payment_id)
    UNION ALL
    SELECT x.at, 85, 'COMPLAINT_' || x.action, coalesce(CASE WHEN x.action IN ('PROPOSE', 'CONFIRM') THEN c.outcome END, c.kind), x.actor,
           NULL, x.note
    FROM complaint c JOIN complaint_step x USING (complaint_id) JOIN p USING (payment_id)
    UNION ALL
    SELECT n.created_at, 90, 'NEXT_ATTEMPT', n.status, n.partner, n.amount, n.reference
    FROM payment n JOIN p ON p.line_id = n.line_id AND n.attempt > p.attempt
    UNION ALL
    SELECT x.at, 95, 'RECOVERY_' || x.action, x.state, x.actor, x.amount, x.note
    FROM recovery_case r JOIN recovery_step x USING (recovery_id)
    WHERE r.beneficiary_id = (SELECT beneficiary_id FROM p) AND r.programme = (SELECT programme FROM p)
      AND r.funding_source = (SELECT funding_source FROM p)
      AND EXISTS (SELECT FROM recovery_item i JOIN line l ON i.month = ANY(l.months) WHERE i.recovery_id = r.recovery_id)
)
SELECT at, kind, code, by, amount, ref FROM facts ORDER BY at, rank, kind
"""


async def of_payment(tx: Tx, payment_id: UUID) -> Sequence[RowMapping]:
    """Facts (`at, kind, code, by, amount, ref`) about a payment in the order in which they happened."""
    return await tx.rows(_STORY, payment_id=payment_id)
