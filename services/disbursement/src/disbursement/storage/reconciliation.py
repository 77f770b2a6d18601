"""Statement lines against payments: set-based, a chunk of lines at a time, each chunk judged and stored in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from disbursement.domain.payment import DEAD

__all__ = ["add_lines", "find_missing", "judge", "link", "open_breaks", "told_by", "verdicts"]

LINE_COLUMNS: Final = (
    "statement_id", "line_no", "booked_on", "amount", "currency", "direction", "reference", "partner_reference",
)  # fmt: skip

_CHUNK: Final = "s.statement_id = :statement_id AND s.line_no > :after AND s.line_no <= :until"

_LINK_PAYMENTS: Final = f"""
UPDATE statement_line s SET payment_id = p.payment_id
FROM payment p WHERE {_CHUNK} AND p.reference = s.reference AND p.partner = :partner
"""
# Some banks book a whole batch as one debit under the batch's reference.
_LINK_BATCHES: Final = f"""
UPDATE statement_line s SET batch_id = b.batch_id
FROM payment_batch b WHERE {_CHUNK} AND s.payment_id IS NULL AND b.reference = s.reference AND b.partner = :partner
"""

# What the lines say of payments that are not where the statement says they are. That money came back makes its months payable again: a
# file that one person brought does not say so alone, two people end the difference. A credit after a debit in one statement says that the
# money came back, also where nobody told of the payment before; not where it went out once more after that.
_WENT_AGAIN: Final = """
    SELECT FROM statement_line x WHERE x.payment_id = s.payment_id AND x.statement_id = s.statement_id AND x.line_no > s.line_no
    AND x.direction = 'OUT' AND x.amount = s.amount AND x.currency = s.currency"""
_TOLD: Final = f"""
SELECT DISTINCT ON (p.payment_id, s.direction) s.line_no, p.reference, s.amount, s.currency, s.direction, s.partner_reference, s.booked_on,
       p.channel
FROM statement_line s JOIN payment p USING (payment_id)
WHERE {_CHUNK} AND s.amount = p.amount AND s.currency = 'VND'
  AND CASE WHEN s.direction = 'OUT' THEN p.status IN ('SUBMITTING', 'SUBMITTED', 'UNKNOWN')
           WHEN p.status IN ('SUBMITTING', 'SUBMITTED', 'UNKNOWN') AND p.channel NOT IN ('CASH_POST', 'CASH_HOME') THEN EXISTS (
               SELECT 1 FROM statement_line x
               WHERE x.statement_id = s.statement_id AND x.payment_id = s.payment_id AND x.line_no < s.line_no
                 AND x.direction = 'OUT' AND x.amount = s.amount AND x.currency = s.currency)
           ELSE p.status = 'SETTLED' END
  AND (s.direction = 'OUT' OR NOT (CAST(:unsigned AS boolean) OR EXISTS ({_WENT_AGAIN})))
ORDER BY p.payment_id, s.direction, s.line_no
"""

_DEAD: Final = ", ".join(f"'{status}'" for status in sorted(DEAD))
_TOLD_AGAIN: Final = """(x.statement_id <> s.statement_id AND x.direction = s.direction AND x.amount = s.amount
                       AND coalesce(x.partner_reference = s.partner_reference, false) AND x.booked_on = s.booked_on)"""

# A debit is the second one when an earlier debit of the same payment stands in any statement and no credit between undid it.
# A camt.054 tells of a booking that a statement repeats later: the two kinds are counted apart. A line of another statement with the
# bank's same number, day, amount and direction is this booking told again (periods overlap, or another form of the same statement).
# What came back and went out again has arrived, and of two debits before one credit only one came back: while we hold it returned, its
# months are not paid before a person has looked.
_JUDGE: Final = f"""
UPDATE statement_line s SET verdict = CASE
    WHEN s.payment_id IS NOT NULL THEN (
        SELECT CASE
            WHEN s.amount <> p.amount OR s.currency <> 'VND' THEN 'AMOUNT_DIFFERS'
            WHEN s.direction = 'OUT' AND p.status = 'RETURNED' AND o.earlier_out > 0 AND o.earlier_out >= o.earlier_in THEN 'STATUS_DIFFERS'
            WHEN s.direction = 'OUT' AND o.earlier_out > o.earlier_in THEN 'DUPLICATE'
            WHEN s.direction = 'OUT' AND (p.status IN ('SETTLED', 'COLLECTED', 'RETURNED') OR o.any_in) THEN 'MATCHED'
            WHEN s.direction = 'OUT' THEN 'STATUS_DIFFERS'
            WHEN o.earlier_in > 0 AND o.earlier_in >= o.earlier_out THEN 'EXTRA'
            WHEN EXISTS ({_WENT_AGAIN}) THEN 'EXTRA'
            WHEN p.status = 'RETURNED' OR (p.status IN ({_DEAD}) AND o.earlier_out > o.earlier_in) THEN 'REVERSED'
            WHEN CAST(:unsigned AS boolean) AND p.status = 'SETTLED' THEN 'RETURN_UNCONFIRMED'
            ELSE 'EXTRA' END
        FROM payment p, LATERAL (
            SELECT count(*) FILTER (WHERE e.direction = 'OUT' AND e.earlier) AS earlier_out,
                   count(*) FILTER (WHERE e.direction = 'IN' AND e.earlier) AS earlier_in,
                   coalesce(bool_or(e.direction = 'IN'), false) AS any_in
            FROM (
                SELECT x.direction, (x.statement_id = s.statement_id AND x.line_no < s.line_no)
                       OR (x.statement_id <> s.statement_id AND h.received_at < this.received_at) AS earlier
                FROM statement_line x JOIN statement h USING (statement_id), statement this
                WHERE this.statement_id = s.statement_id AND (h.form = 'CAMT054') = (this.form = 'CAMT054')
                  AND x.payment_id = s.payment_id AND x.amount = p.amount
                  AND (x.statement_id, x.line_no) <> (s.statement_id, s.line_no) AND NOT {_TOLD_AGAIN}
            ) e
        ) o
        WHERE p.payment_id = s.payment_id)
    WHEN s.batch_id IS NOT NULL THEN (
        SELECT CASE
            WHEN s.direction = 'IN' THEN 'EXTRA'
            WHEN EXISTS (SELECT 1 FROM statement_line x WHERE x.batch_id = s.batch_id AND x.verdict = 'MATCHED'
                         AND (x.statement_id, x.line_no) <> (s.statement_id, s.line_no) AND NOT {_TOLD_AGAIN}) THEN 'DUPLICATE'
            WHEN s.currency = 'VND' AND s.amount = (SELECT coalesce(sum(p.amount), 0) FROM payment p WHERE p.batch_id = s.batch_id
                                                    AND p.status IN ('SETTLED', 'COLLECTED', 'RETURNED')) THEN 'MATCHED'
            ELSE 'AMOUNT_DIFFERS' END)
    ELSE 'EXTRA' END
WHERE {_CHUNK}
"""

_BREAKS: Final = f"""
INSERT INTO reconciliation_break (statement_id, line_no, payment_id, partner, kind, reference, ours, theirs, unit_path, opened_on)
SELECT s.statement_id, s.line_no, s.payment_id, :partner, s.verdict, s.reference,
       coalesce(p.amount, (SELECT sum(q.amount) FROM payment q WHERE q.batch_id = s.batch_id)), s.amount, p.unit_path,
       CAST(:business_date AS date)
FROM statement_line s LEFT JOIN payment p USING (payment_id)
WHERE {_CHUNK} AND s.verdict NOT IN ('MATCHED', 'REVERSED')
ON CONFLICT DO NOTHING
"""

_MISSING: Final = """
INSERT INTO reconciliation_break (statement_id, payment_id, partner, kind, reference, ours, unit_path, opened_on)
SELECT :statement_id, p.payment_id, p.partner, 'MISSING', p.reference, p.amount, p.unit_path, CAST(:business_date AS date)
FROM payment p
WHERE p.partner = :partner AND p.status IN ('SETTLED', 'COLLECTED')
  AND p.occurred_at >= CAST(:from_date AS date) - interval '7 hours' AND p.occurred_at < CAST(:to_date AS date) + interval '17 hours'
  AND NOT EXISTS (SELECT 1 FROM statement_line s WHERE s.payment_id = p.payment_id AND s.direction = 'OUT')
  AND NOT EXISTS (SELECT 1 FROM statement_line s WHERE s.batch_id = p.batch_id AND s.verdict = 'MATCHED')
ON CONFLICT DO NOTHING
"""

_EXPLAINED: Final = """
UPDATE reconciliation_break b SET state = 'RESOLVED', resolution = 'LATER_STATEMENT', decided_at = now(), version = b.version + 1
WHERE b.state <> 'RESOLVED' AND b.partner = :partner AND CASE b.kind
  WHEN 'RETURN_UNCONFIRMED' THEN EXISTS (SELECT 1 FROM payment p WHERE p.payment_id = b.payment_id AND p.status = 'RETURNED')
  WHEN 'MISSING' THEN EXISTS (SELECT 1 FROM statement_line s WHERE s.statement_id = :statement_id AND s.verdict = 'MATCHED'
              AND (s.payment_id = b.payment_id OR s.batch_id = (SELECT p.batch_id FROM payment p WHERE p.payment_id = b.payment_id)))
  ELSE FALSE END
"""


async def add_lines(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY lines (columns :data:`LINE_COLUMNS`); how many."""
    return await tx.copy("statement_line", LINE_COLUMNS, rows)


async def link(tx: Tx, statement_id: UUID, partner: str, after: int, until: int) -> None:
    """Find the payment or the batch of this partner behind each line of a chunk (`after` < line number ≤ `until`)."""
    for sql in (_LINK_PAYMENTS, _LINK_BATCHES):
        await tx.execute(sql, statement_id=statement_id, partner=partner, after=after, until=until)


async def told_by(tx: Tx, statement_id: UUID, after: int, until: int, *, unsigned: bool) -> Sequence[RowMapping]:
    """Lines that tell something new of a payment: a debit of one still open, and (where the partner signed) a credit of one settled."""
    return await tx.rows(_TOLD, statement_id=statement_id, after=after, until=until, unsigned=unsigned)


async def judge(tx: Tx, statement_id: UUID, after: int, until: int, *, unsigned: bool) -> None:
    """Give every line of a chunk its verdict, against payments as they stand now."""
    await tx.execute(_JUDGE, statement_id=statement_id, after=after, until=until, unsigned=unsigned)


async def open_breaks(tx: Tx, statement_id: UUID, partner: str, after: int, until: int, business_date: date) -> int:
    """Open a difference for every line of the chunk that needs a person; how many."""
    return await tx.execute(_BREAKS, statement_id=statement_id, partner=partner, after=after, until=until, business_date=business_date)


async def find_missing(tx: Tx, statement: RowMapping) -> tuple[int, int]:
    """Payments we hold paid in the period (Vietnamese days) that no statement tells of, and earlier ones this one explains.

    Returns (opened, explained). A statement that names no period proves nothing missing, nor do single bookings (camt.054).
    """
    about = {"statement_id": statement["statement_id"], "partner": statement["partner"]}
    explained = await tx.execute(_EXPLAINED, **about)
    if statement["from_date"] is None or statement["to_date"] is None or statement["form"] == "CAMT054":
        return 0, explained
    opened = await tx.execute(
        _MISSING, from_date=statement["from_date"], to_date=statement["to_date"], business_date=statement["business_date"], **about
    )
    return opened, explained


async def verdicts(tx: Tx, statement_id: UUID) -> Sequence[RowMapping]:
    """Lines and đồng by verdict and direction, and what is missing."""
    return await tx.rows(
        "SELECT verdict, direction, count(*) AS lines, CAST(sum(amount) AS bigint) AS amount FROM statement_line"
        " WHERE statement_id = :id GROUP BY 1, 2"
        " UNION ALL SELECT 'MISSING', NULL, count(*), CAST(sum(ours) AS bigint) FROM reconciliation_break"
        " WHERE statement_id = :id AND kind = 'MISSING' HAVING count(*) > 0 ORDER BY 1, 2",
        id=statement_id,
    )
