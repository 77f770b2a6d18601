"""After a restore: which payments may have left since then, what their partners say of them, and what is still to be read back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.topics import Topic
from disbursement.domain.payment import DEAD
from disbursement.domain.references import batch_reference_sql

__all__ = [
    "answered",
    "begin",
    "booked_out",
    "claim_questions",
    "hold_lost",
    "missing",
    "open_restore",
    "restores",
    "sent_batches",
    "split_sent",
    "stop_sending",
    "told_again",
]


async def stop_sending(tx: Tx, restore_id: UUID) -> None:
    """Everything is paused, by the platform itself, in the transaction that noted the restore."""
    await tx.execute(
        "INSERT INTO lane_pause (kind, reason, detail, paused_by) VALUES ('RESTORE', 'DATABASE_RESTORED',"
        " jsonb_build_object('restore_id', CAST(:id AS text)), :by)",
        id=str(restore_id),
        by=tx.actor.subject if tx.actor else "system",
    )


async def open_restore(tx: Tx) -> RowMapping | None:
    """The oldest restore under whose pause nothing is sent, once its own events have been read back."""
    return await tx.row(
        "SELECT r.restore_id, r.found_at, r.read_at, p.pause_id, p.detail ? 'questions' AS begun"
        " FROM database_restore r JOIN lane_pause p ON p.kind = 'RESTORE' AND p.detail ->> 'restore_id' = CAST(r.restore_id AS text)"
        " WHERE p.state <> 'RESUMED' AND r.read_at IS NOT NULL ORDER BY r.found_at LIMIT 1"
    )


# Consumers take only higher versions: what we say from now on must be higher than what was said in the future that is gone.
_RAISE: Final = (
    ("payment", "payment_id", Topic.PAYMENT, "payment_id", "status"),
    ("hold", "hold_id", Topic.PAYMENT, "hold_id", "hold_id"),
    ("recovery_case", "recovery_id", Topic.PAYMENT, "recovery_id", "recovery_id"),
    ("payment_cycle", "cycle_id", Topic.CYCLE, "cycle_id", "state"),
)
# Money that can have moved since: everything of cycles not closed, unless it is dead and no word of a partner can wake it. What we
# published as paid is asked about also where it stands dead again: two people had corrected it, and its months must not be paid again.
_QUESTIONS: Final = """
INSERT INTO restore_question (restore_id, reference, partner, payment_id)
SELECT :restore_id, p.reference, p.partner, p.payment_id FROM payment p JOIN payment_cycle c USING (cycle_id)
WHERE c.state <> 'CLOSED' AND p.status NOT IN ('FAILED', 'RETURNED', 'CANCELLED')
   OR p.status IN ('FAILED', 'CANCELLED') AND p.payment_id IN (
       SELECT CAST(CAST(body AS jsonb) ->> 'payment_id' AS uuid) FROM lost_event WHERE restore_id = :restore_id AND topic = :topic
       AND CAST(body AS jsonb) ->> 'status' IN ('SETTLED', 'COLLECTED'))
"""
# Its partner may not say so again: it answers no inquiry, or its statement of these days is of other bookings, or it says once more what
# was corrected. Our own word that it was paid keeps its months closed until two people have looked.
_CORRECTED: Final = f"""
INSERT INTO quarantine (partner, reason, source, source_id, reference, payment_id, unit_path, said, fingerprint, says_paid)
SELECT p.partner, 'CONTRADICTION', 'MANUAL', CAST(CAST(:restore_id AS uuid) AS text), p.reference, p.payment_id, p.unit_path,
       jsonb_build_object('status', e.status, 'corrected_before_restore', true), md5(concat_ws('|', 'CORRECTED', :restore_id, p.reference)),
       true
FROM (SELECT DISTINCT ON (1) CAST(body ->> 'payment_id' AS uuid) AS payment_id, body ->> 'status' AS status
      FROM (SELECT CAST(body AS jsonb) AS body FROM lost_event WHERE restore_id = :restore_id AND topic = :topic) l
      WHERE body ? 'payment_id' ORDER BY 1, CAST(body ->> 'version' AS bigint) DESC) e
JOIN payment p ON p.payment_id = e.payment_id AND p.status IN ({", ".join(f"'{status}'" for status in sorted(DEAD))})
WHERE e.status IN ('SETTLED', 'COLLECTED') ORDER BY p.payment_id
ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO NOTHING
"""
_LOST: Final = """
INSERT INTO restore_question (restore_id, reference, partner, beneficiary_id, programme, funding_source, months, amount, unit_path, said)
SELECT DISTINCT ON (e.body ->> 'reference') :restore_id, e.body ->> 'reference', e.body ->> 'partner',
       CAST(e.body ->> 'beneficiary_id' AS uuid), e.body ->> 'programme', e.body ->> 'funding_source',
       ARRAY(SELECT jsonb_array_elements_text(e.body -> 'months')), CAST(e.body ->> 'amount' AS bigint), e.body ->> 'unit_path',
       e.body ->> 'status'
FROM (SELECT CAST(body AS jsonb) AS body FROM lost_event WHERE restore_id = :restore_id AND topic = :topic) e
WHERE e.body ? 'payment_id' AND NOT EXISTS (SELECT FROM payment p WHERE p.reference = e.body ->> 'reference')
ORDER BY e.body ->> 'reference', CAST(e.body ->> 'version' AS bigint) DESC
"""


# The moment the database was put back to is not later than what it knows as published: its relay published nothing before it looked.
# Where it knows of nothing published, money that it knows of left after it was approved; where of neither, a month is asked for.
_DAYS: Final = """
UPDATE lane_pause p SET detail = p.detail || jsonb_build_object(
    'statements_from', CAST(m.moment AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date),
    'statements_to', CAST(r.found_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date))
FROM database_restore r CROSS JOIN LATERAL (SELECT coalesce(
    (SELECT max(o.published_at) FROM outbox o WHERE o.published_at < r.found_at),
    (SELECT min(b.created_at) FROM restore_question q JOIN payment x USING (payment_id) JOIN payment_batch b USING (batch_id)
     WHERE q.restore_id = r.restore_id),
    r.found_at - interval '31 days') AS moment) m
WHERE p.pause_id = :pause_id AND r.restore_id = :restore_id
"""


async def begin(tx: Tx, restore: RowMapping) -> int:
    """Raise versions above what was published, and note every payment that must be asked about; how many."""
    restore_id = restore["restore_id"]
    for table, column, topic, name, only in _RAISE:
        await tx.execute(
            f"UPDATE {table} t SET version = e.version FROM (SELECT CAST(CAST(body AS jsonb) ->> '{name}' AS uuid) AS id,"
            " max(CAST(CAST(body AS jsonb) ->> 'version' AS bigint)) AS version FROM lost_event"
            f" WHERE restore_id = :restore_id AND topic = :topic AND CAST(body AS jsonb) ->> '{only}' IS NOT NULL GROUP BY 1) e"
            f" WHERE t.{column} = e.id AND t.version < e.version",
            restore_id=restore_id,
            topic=topic,
        )
    asked = await tx.execute(_QUESTIONS, restore_id=restore_id, topic=Topic.PAYMENT)
    await tx.execute(_CORRECTED, restore_id=restore_id, topic=Topic.PAYMENT)
    lost = await tx.execute(_LOST, restore_id=restore_id, topic=Topic.PAYMENT)
    await tx.execute(
        "UPDATE lane_pause SET detail = detail || jsonb_build_object('questions', CAST(:asked AS integer), 'lost', CAST(:lost AS integer))"
        " WHERE pause_id = :pause_id",
        asked=asked + lost,
        lost=lost,
        pause_id=restore["pause_id"],
    )
    await tx.execute(_DAYS, pause_id=restore["pause_id"], restore_id=restore_id)
    return asked + lost


async def claim_questions(tx: Tx, restore_id: UUID, partner: str, limit: int, again_seconds: int) -> Sequence[RowMapping]:
    """References to ask a partner about now; the same are not asked about again for a while."""
    return await tx.rows(
        "UPDATE restore_question q SET asked_at = clock_timestamp(), next_at = clock_timestamp() + make_interval(secs => :again)"
        " WHERE (restore_id, reference) IN (SELECT restore_id, reference FROM restore_question WHERE restore_id = :restore_id"
        "   AND partner = :partner AND answer IS NULL AND next_at <= clock_timestamp() ORDER BY reference LIMIT :limit"
        "   FOR UPDATE SKIP LOCKED)"
        " RETURNING q.reference, q.payment_id, (SELECT p.status FROM payment p WHERE p.payment_id = q.payment_id) AS status",
        restore_id=restore_id,
        partner=partner,
        limit=limit,
        again=again_seconds,
    )


async def answered(tx: Tx, restore_id: UUID, answers: dict[str, str], settled_after: int) -> None:
    """Keep answers. That a payment we have lost is not there is believed once the longest request has ended (`settled_after` seconds)."""
    await tx.execute(
        "UPDATE restore_question q SET answer = a.answer, answered_at = clock_timestamp()"
        " FROM unnest(CAST(:references AS text[]), CAST(:answers AS text[])) AS a (reference, answer), database_restore r"
        " WHERE q.restore_id = :restore_id AND r.restore_id = q.restore_id AND q.reference = a.reference AND (a.answer <> 'NOT_FOUND'"
        "   OR q.payment_id IS NOT NULL OR q.asked_at > r.found_at + make_interval(secs => :settled_after))",
        references=list(answers),
        answers=list(answers.values()),
        restore_id=restore_id,
        settled_after=settled_after,
    )


async def sent_batches(tx: Tx, references: Sequence[str]) -> Sequence[UUID]:
    """The batches in which payments stand as not sent that their partner knows; locked."""
    rows = await tx.rows(
        "SELECT batch_id FROM payment_batch WHERE state = 'READY' AND batch_id IN"
        " (SELECT batch_id FROM payment WHERE reference = ANY(:references) AND status = 'APPROVED') ORDER BY batch_id FOR UPDATE",
        references=list(references),
    )
    return [row["batch_id"] for row in rows]


_SPLIT: Final = """
WITH sent AS (
    SELECT payment_id, amount FROM payment WHERE batch_id = :batch_id AND status = 'APPROVED' AND reference = ANY(:references)
),
own AS (
    INSERT INTO payment_batch (batch_id, cycle_id, list_id, partner, programme, funding_source, number, reference, payments, amount,
                               started_at, lease_owner, lease_until)
    SELECT i.id, b.cycle_id, b.list_id, b.partner, b.programme, b.funding_source, 0, {reference}, s.payments, s.amount,
           clock_timestamp(), :owner, clock_timestamp() + interval '1 minute'
    FROM payment_batch b, (SELECT count(*) AS payments, sum(amount) AS amount FROM sent) s, (SELECT uuidv7() AS id) i
    WHERE b.batch_id = :batch_id
    RETURNING batch_id
),
moved AS (UPDATE payment p SET batch_id = own.batch_id FROM own, sent WHERE p.payment_id = sent.payment_id)
SELECT batch_id FROM own
""".replace("{reference}", batch_reference_sql("i.id"))


_WHOLE: Final = """
UPDATE payment_batch b SET started_at = clock_timestamp(), lease_owner = :owner, lease_until = clock_timestamp() + interval '1 minute'
WHERE b.batch_id = :batch_id
  AND NOT EXISTS (SELECT FROM payment p WHERE p.batch_id = b.batch_id AND p.status = 'APPROVED' AND p.reference <> ALL(:references))
RETURNING b.batch_id
"""


async def split_sent(tx: Tx, batch_id: UUID, references: Sequence[str], owner: str) -> UUID:
    """Payments that their partner knows leave a batch that stands as not sent for a batch of their own, which `owner` has claimed.

    Where the partner knows all of them it is the batch itself, under the reference that the partner knows it by.
    """
    if await tx.row(_WHOLE, batch_id=batch_id, references=list(references), owner=owner) is not None:
        return batch_id
    split: UUID = await tx.value(_SPLIT, batch_id=batch_id, references=list(references), owner=owner)
    return split


# What a partner has or may have under a reference that we have lost is money for these months; only a definite no frees them.
_HOLD_LOST: Final = """
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT DISTINCT p.payment_id, 'CANCELLED', 'DATA_PARKED', now(), 'GATE', CAST(:batch_id AS text)
FROM payment p JOIN restore_question q ON q.beneficiary_id = p.beneficiary_id AND q.programme = p.programme
     AND q.funding_source = p.funding_source AND q.months && p.months AND q.reference <> p.reference
WHERE p.batch_id = :batch_id AND p.status = 'APPROVED' AND q.payment_id IS NULL
  AND coalesce(q.answer, '') NOT IN ('NOT_FOUND', 'FAILED', 'RETURNED', 'UNCOLLECTED')
ON CONFLICT (payment_id) DO NOTHING
"""


async def hold_lost(tx: Tx, batch_id: UUID) -> int:
    """Put the batch's payments into `payment_move` as CANCELLED whose months a lost payment may have paid; how many."""
    return await tx.execute(_HOLD_LOST, batch_id=batch_id)


# What a statement books as paid out although it stands here as not sent, while sending stands still for a restore: payment by payment, or
# a whole batch under its own reference.
_BOOKED_OUT: Final = """
WITH line AS (
    SELECT s.payment_id, s.batch_id, s.amount FROM statement_line s
    WHERE s.statement_id = :statement_id AND s.line_no > :after AND s.line_no <= :until AND s.direction = 'OUT' AND s.currency = 'VND'
)
SELECT p.reference FROM line JOIN payment p ON p.payment_id = line.payment_id AND p.amount = line.amount WHERE p.status = 'APPROVED'
UNION
SELECT p.reference FROM line JOIN payment p ON p.batch_id = line.batch_id
WHERE p.status = 'APPROVED'
  AND line.amount = (SELECT sum(o.amount) FROM payment o WHERE o.batch_id = line.batch_id AND o.status = 'APPROVED')
"""


async def booked_out(tx: Tx, statement_id: UUID, after: int, until: int) -> list[str] | None:
    """References of payments standing as not sent that these lines book as paid out, during a restore; None before partners are asked."""
    begun = await tx.value(
        "SELECT bool_and(detail ? 'questions') FROM lane_pause WHERE kind = 'RESTORE' AND state <> 'RESUMED'",
    )
    if begun is None:
        return []
    rows = await tx.rows(_BOOKED_OUT, statement_id=statement_id, after=after, until=until)
    return None if rows and not begun else [row["reference"] for row in rows]


async def told_again(tx: Tx, statement_id: UUID, from_date: date | None, to_date: date | None) -> None:
    """The bytes of a statement we have came once more: while a restore is read back that says that nothing was booked since."""
    await tx.execute(
        "UPDATE lane_pause p SET detail = p.detail || jsonb_build_object('again', coalesce(p.detail -> 'again', '[]') || a.one)"
        " FROM (SELECT jsonb_build_array(jsonb_build_object('statement_id', CAST(:id AS text), 'from_date', CAST(:from_date AS date),"
        "   'to_date', CAST(:to_date AS date))) AS one) a"
        " WHERE p.kind = 'RESTORE' AND p.state <> 'RESUMED' AND NOT coalesce(p.detail -> 'again', '[]') @> a.one",
        id=str(statement_id),
        from_date=from_date,
        to_date=to_date,
    )


# A statement speaks of the time that is gone when it covers it: from the day the database was put back to, to the day that was found. A
# sheet with lines of other days than it is said to cover is of another period. Single bookings (camt.054) do not say there were no others.
_STATEMENT: Final = """
SELECT FROM statement s
LEFT JOIN jsonb_to_recordset(coalesce(w.detail -> 'again', '[]')) AS a (statement_id uuid, from_date date, to_date date)
    ON a.statement_id = s.statement_id AND s.form IN ('CSV', 'XLSX')
CROSS JOIN LATERAL (SELECT coalesce(a.from_date, s.from_date) AS first, coalesce(a.to_date, s.to_date) AS last) d
WHERE s.partner = q.partner AND s.state = 'RECONCILED' AND s.form <> 'CAMT054' AND (s.received_at > r.found_at
        OR coalesce(w.detail -> 'again', '[]') @> jsonb_build_array(jsonb_build_object('statement_id', CAST(s.statement_id AS text))))
  AND d.first <= coalesce(CAST(w.detail ->> 'statements_from' AS date), CAST(r.found_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date))
  AND d.last >= CAST(r.found_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date)
  AND (s.form = 'CAMT053'
       OR NOT EXISTS (SELECT FROM statement_line l WHERE l.statement_id = s.statement_id AND l.booked_on NOT BETWEEN d.first AND d.last))
"""


async def missing(tx: Tx, restore_id: UUID) -> dict[str, int]:
    """What is still to be read back: `events` (1: own events), `inquiries` by partner, `statements` by partner. Empty: everything is."""
    row = await tx.row(
        "SELECT r.read_at IS NULL OR NOT EXISTS (SELECT FROM lane_pause p WHERE p.detail ->> 'restore_id' = CAST(r.restore_id AS text)"
        " AND p.detail ? 'questions') AS unread FROM database_restore r WHERE r.restore_id = :restore_id",
        restore_id=restore_id,
    )
    found: dict[str, int] = {"events": 1} if row is None or row["unread"] else {}
    rows = await tx.rows(
        f"SELECT q.partner, q.open, NOT EXISTS ({_STATEMENT}) AS no_statement"
        " FROM (SELECT partner, count(*) FILTER (WHERE answer IS NULL) AS open FROM restore_question WHERE restore_id = :restore_id"
        "   GROUP BY partner) q JOIN database_restore r ON r.restore_id = :restore_id"
        " JOIN lane_pause w ON w.kind = 'RESTORE' AND w.detail ->> 'restore_id' = CAST(r.restore_id AS text) ORDER BY 1",
        restore_id=restore_id,
    )
    found |= {f"inquiries:{each['partner']}": each["open"] for each in rows if each["open"]}
    return found | {f"statement:{each['partner']}": 1 for each in rows if each["no_statement"]}


async def restores(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Restores, newest first, with their pause and how far they are read back."""
    return await tx.rows(
        "SELECT r.restore_id, r.found_at, r.read_at, r.lost_events, p.pause_id, p.state AS pause_state,"
        " CAST(p.detail ->> 'statements_from' AS date) AS statements_from, CAST(p.detail ->> 'statements_to' AS date) AS statements_to,"
        " (SELECT count(*) FROM restore_question q WHERE q.restore_id = r.restore_id) AS questions,"
        " (SELECT count(*) FROM restore_question q WHERE q.restore_id = r.restore_id AND q.answer IS NOT NULL) AS answered,"
        " (SELECT count(*) FROM restore_question q WHERE q.restore_id = r.restore_id AND q.payment_id IS NULL) AS lost_payments"
        " FROM database_restore r JOIN lane_pause p ON p.kind = 'RESTORE' AND p.detail ->> 'restore_id' = CAST(r.restore_id AS text)"
        " ORDER BY r.found_at DESC LIMIT :limit",
        limit=limit,
    )
