"""What we hold dead and its partner paid: who says so, and what a difference says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common import outbox
from common.contracts.disbursement_v1 import PaymentReleased, PaymentStatus
from common.db import Tx
from disbursement.domain.payment import CASH, CORRECTIONS, DEAD
from disbursement.storage.gate import BATCHES_OF_DEBIT
from disbursement.storage.holds import BENEFIT_LINES, HOLD_EVENTS, MONTHS
from disbursement.storage.replaced import REPLACED_BY_HOLD

__all__ = [
    "CORRECTED",
    "WAITING_SQL",
    "beyond_sql",
    "confirm_of_break",
    "end_differences",
    "match_batch",
    "prepare",
    "release_holds",
    "spoken_of",
]

_CASH: Final = ", ".join(f"'{channel}'" for channel in sorted(CASH))
CORRECTED: Final = ", ".join(f"'{status}'" for status in sorted({source for source, _ in CORRECTIONS}))
"""What is held dead and may be corrected, as the words of an SQL list."""
# What came back had gone: the one debit of its batch was for it too, and says nothing of where it is now.
_OF_DEBIT: Final = ", ".join(f"'{status}'" for status in sorted({source for source, _ in CORRECTIONS} - {PaymentStatus.RETURNED}))
_DEAD: Final = ", ".join(f"'{status}'" for status in sorted(DEAD))
_UNPAID: Final = ", ".join(f"'{status}'" for status in sorted(DEAD - {PaymentStatus.RETURNED}))


def beyond_sql(condition: str) -> str:
    """What the months of the payment `p` hold, or would hold if it were paid, beyond what is due: another payment paid them meanwhile."""
    return f"""CASE WHEN {condition} THEN (
    SELECT CAST(coalesce(sum(greatest(d.paid - d.repaid - d.waived + d.committed - coalesce(i.amount, 0)
               + CASE WHEN a.state = 'RELEASED' THEN a.amount ELSE 0 END, 0)), 0) AS bigint)
    FROM allocation a JOIN due_month_position d USING (beneficiary_id, programme, funding_source, benefit_line, month)
    LEFT JOIN due_interval i ON i.beneficiary_id = a.beneficiary_id AND i.programme = a.programme AND i.funding_source = a.funding_source
         AND i.benefit_line = a.benefit_line AND i.status = 'DUE' AND i.from_month <= a.month
         AND coalesce(i.to_month, 'infinity') >= a.month
    WHERE a.line_id = p.line_id) END AS beyond_due"""


# Of a batch booked as one debit: those of its payments, held unpaid, that this debit may have paid beside what was sent of it.
_OF_BATCH: Final = f"""(
    SELECT count(*) FROM statement_line s {BATCHES_OF_DEBIT.format(line="s")} JOIN payment q ON q.batch_id = own.batch_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount), 0) AS amount FROM payment x
                        WHERE x.batch_id = s.batch_id AND x.status NOT IN ({_UNPAID}, 'APPROVED')) sent
    WHERE s.statement_id = b.statement_id AND s.line_no = b.line_no AND s.direction = 'OUT' AND q.status IN ({_UNPAID}, 'APPROVED')
      AND q.amount <= b.theirs - sent.amount)"""
WAITING_SQL: Final = f"""CASE WHEN b.state = 'RESOLVED' THEN 0 WHEN b.payment_id IS NULL THEN {_OF_BATCH}
    WHEN b.kind IN ('STATUS_DIFFERS', 'AMOUNT_DIFFERS') AND p.status IN ({_DEAD}, 'APPROVED') THEN 1 ELSE 0 END AS waiting"""
"""How many payments wait for the difference `b` (of the payment `p`): held dead or unsent, their months not paid before it is ended."""


# A withdrawn payment is paid only by the word of somebody who is not us: a booking, a message, or the answer to an investigation.
_SPOKEN_OF: Final = """
SELECT EXISTS (SELECT FROM statement_line s WHERE s.payment_id = p.payment_id AND s.direction = 'OUT')
    OR EXISTS (SELECT FROM payment_batch f JOIN statement_line s ON s.batch_id IN (f.batch_id, f.split_from)
               WHERE f.batch_id = p.batch_id AND s.direction = 'OUT')
    OR EXISTS (SELECT FROM quarantine q WHERE q.payment_id = p.payment_id AND (q.says_paid OR q.reason IN ('NOT_SENT', 'CONTRADICTION')))
    OR EXISTS (SELECT FROM payment_case c WHERE c.payment_id = p.payment_id AND c.kind = 'INVESTIGATION' AND c.answered_on IS NOT NULL)
FROM payment p WHERE p.payment_id = :payment_id
"""


async def spoken_of(tx: Tx, payment_id: UUID) -> bool:
    """Whether its partner ever spoke of this payment: in a statement, in a message, or in its answer to an investigation."""
    return bool(await tx.value(_SPOKEN_OF, payment_id=payment_id))


_CONFIRM: Final = f"""
WITH booked AS (
    SELECT b.*, s.batch_id, s.booked_on FROM reconciliation_break b
    LEFT JOIN statement_line s ON s.statement_id = b.statement_id AND s.line_no = b.line_no WHERE b.break_id = :break_id
), chosen AS (
    SELECT p.payment_id, p.channel, p.amount FROM booked b JOIN payment p ON p.payment_id = b.payment_id WHERE p.status IN ({CORRECTED})
    UNION ALL
    SELECT p.payment_id, p.channel, p.amount FROM booked b {BATCHES_OF_DEBIT.format(line="b")}
    JOIN payment p ON p.batch_id = own.batch_id
    WHERE b.payment_id IS NULL AND p.status IN ({_OF_DEBIT})
), sent AS (
    SELECT coalesce(sum(p.amount), 0) AS amount FROM booked b JOIN payment p ON p.batch_id = b.batch_id
    WHERE b.payment_id IS NULL AND p.status NOT IN ({_UNPAID}, 'APPROVED')
)
INSERT INTO manual_result (payment_id, result, happened_on, note, evidence, correction, state, proposed_by, decided_by, decided_at,
                           decision_note)
SELECT c.payment_id, CASE WHEN c.channel IN ({_CASH}) THEN 'COLLECTED' ELSE 'SETTLED' END, coalesce(b.booked_on, b.opened_on), b.note,
       b.evidence, true, 'CONFIRMED', b.proposed_by, :by, clock_timestamp(), :note
FROM chosen c CROSS JOIN booked b CROSS JOIN sent
-- The one debit of a batch is what was sent of it and these: else it must be said payment by payment which of them were paid.
WHERE b.payment_id IS NOT NULL OR b.theirs - sent.amount = (SELECT sum(amount) FROM chosen)
ORDER BY c.payment_id
RETURNING manual_id
"""


async def confirm_of_break(tx: Tx, break_id: UUID, by: str, note: str) -> list[UUID]:
    """What two people say of a difference, as confirmed corrections of its payment or of its batch's payments that are held dead.

    None where the batch's one debit is not just these and what was sent of it.
    """
    return [row["manual_id"] for row in await tx.rows(_CONFIRM, break_id=break_id, by=by, note=note)]


async def match_batch(tx: Tx, break_id: UUID) -> None:
    """The one debit of a batch is explained: booked again it is a duplicate, and nothing of it is missing."""
    await tx.execute(
        "UPDATE statement_line s SET verdict = 'MATCHED' FROM reconciliation_break b WHERE b.break_id = :id AND b.payment_id IS NULL"
        " AND s.statement_id = b.statement_id AND s.line_no = b.line_no AND s.batch_id IS NOT NULL",
        id=break_id,
    )


async def prepare(tx: Tx, manual_ids: Sequence[UUID]) -> None:
    """Put the payments of these words into `payment_move`, as paid at noon of the day they name."""
    await tx.execute(
        "INSERT INTO payment_move (payment_id, to_status, reason, partner_reference, occurred_at, source, source_id)"
        " SELECT payment_id, result, NULL, NULL, (happened_on + time '12:00') AT TIME ZONE 'Asia/Ho_Chi_Minh', 'CORRECTION',"
        " CAST(manual_id AS text) FROM manual_result WHERE manual_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(manual_ids),
    )


async def release_holds(tx: Tx) -> int:
    """Of what was just corrected (`payment_moved`) and had been withdrawn: nobody is held any more, and it is told; how many."""
    rows = await tx.rows(
        "WITH paid AS (UPDATE list_line l SET state = 'LISTED' FROM payment_moved m WHERE l.line_id = m.line_id AND l.state = 'HELD'"
        "   RETURNING l.line_id)"
        " UPDATE hold h SET released_at = now(), version = h.version + 1 FROM paid"
        " WHERE h.line_id = paid.line_id AND h.released_at IS NULL RETURNING h.hold_id"
    )
    ids = [row["hold_id"] for row in rows]
    if ids:
        sql = HOLD_EVENTS.format(
            lines=BENEFIT_LINES, months=MONTHS, replaced=REPLACED_BY_HOLD, chosen="h.hold_id = ANY(CAST(:ids AS uuid[]))"
        )
        day = await tx.value("SELECT max(business_date) FROM payment_moved")
        await outbox.insert_select(tx, PaymentReleased, sql, ids=ids, business_date=day)
    return len(ids)


async def end_differences(tx: Tx, manual_ids: Sequence[UUID], decided_by: str) -> int:
    """The statement lines that booked what we held dead are explained by confirmed corrections; how many."""
    return await tx.execute(
        "UPDATE reconciliation_break b SET state = 'RESOLVED',"
        " resolution = CASE m.result WHEN 'COLLECTED' THEN 'COLLECTED' ELSE 'PAID' END,"
        " note = m.note, evidence = m.evidence, proposed_by = m.proposed_by, decided_by = :by, decided_at = clock_timestamp(),"
        " version = b.version + 1 FROM manual_result m WHERE m.manual_id = ANY(CAST(:ids AS uuid[])) AND b.payment_id = m.payment_id"
        " AND b.kind = 'STATUS_DIFFERS' AND b.state <> 'RESOLVED'",
        ids=list(manual_ids),
        by=decided_by,
    )
