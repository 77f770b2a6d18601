"""Partners' results, judged set-based: integrity, one result per payment, what is believed and what is set aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from common.db import Tx
from disbursement.domain.payment import readings_values

__all__ = ["COLUMNS", "judge", "load", "prepare", "prepare_moves", "quarantine_judged"]

COLUMNS: Final = (
    "ordinal", "partner", "source", "source_id", "reference", "status", "amount", "currency", "reason", "partner_reference", "occurred_at",
    "said", "message_id",
)  # fmt: skip

_TABLES: Final = (
    """
CREATE TEMP TABLE IF NOT EXISTS result_in (
    ordinal integer NOT NULL, partner text NOT NULL, source text NOT NULL, source_id text NOT NULL, reference text NOT NULL,
    status text NOT NULL, amount bigint, currency text, reason text, partner_reference text, occurred_at timestamptz, said text NOT NULL,
    message_id text, broken text
) ON COMMIT DELETE ROWS
""",
    """
CREATE TEMP TABLE IF NOT EXISTS result_judged (
    ordinal integer NOT NULL, partner text NOT NULL, source text NOT NULL, source_id text NOT NULL, reference text NOT NULL,
    status text NOT NULL, reason text, partner_reference text, occurred_at timestamptz, said text NOT NULL,
    payment_id uuid, unit_path text, current text, set_aside text, reading text, target text
) ON COMMIT DELETE ROWS
""",
)


async def prepare(tx: Tx) -> None:
    """Make sure the session's working tables exist and are empty."""
    for table in _TABLES:
        await tx.execute(table)
    await tx.execute("DELETE FROM result_in")
    await tx.execute("DELETE FROM result_judged")


# An acknowledgement answers one message of ours. Where it gives no amount of a payment, the message's own is meant.
_FILL_SQL: Final = """
UPDATE result_in r SET amount = p.amount, currency = 'VND'
FROM payment p JOIN payment_batch b USING (batch_id)
WHERE r.message_id <> r.reference AND r.amount IS NULL AND r.currency IS NULL
  AND p.reference = r.reference AND b.reference = r.message_id AND b.partner = r.partner
"""
# A rejection (of a file, or of payments in it) is believed only if the file can have been handed over no more than once: a bank that
# refuses the second copy says nothing of the first, which it may be paying. A database that was put back to the past does not know what it
# had handed over.
_MAYBE_AGAIN: Final = """
b.file_name IS NOT NULL AND (EXISTS (SELECT FROM database_restore d WHERE d.found_at > b.created_at)
    OR 1 < (SELECT count(*) FILTER (WHERE s.kind = 'DOWNLOADED') + CASE WHEN bool_or(s.kind = 'READY') THEN 0 ELSE b.sends END
            FROM batch_file_step s WHERE s.batch_id = b.batch_id))
"""
# A word about a whole message is believed only with the control sum we sent.
_BROKEN_SQL: Final = f"""
UPDATE result_in r SET broken = CASE
    WHEN r.amount <> (SELECT sum(p.amount) FROM payment p WHERE p.batch_id = b.batch_id AND p.status <> 'CANCELLED') THEN 'AMOUNT_DIFFERS'
    WHEN r.status = 'FAILED' AND ({_MAYBE_AGAIN}) THEN 'REJECTED_AFTER_RESEND' END
FROM payment_batch b WHERE r.message_id = r.reference AND b.reference = r.reference AND b.partner = r.partner
"""
_SPREAD_SQL: Final = """
INSERT INTO result_in (ordinal, partner, source, source_id, reference, status, amount, currency, reason, partner_reference, occurred_at,
                       said, message_id)
SELECT r.ordinal, r.partner, r.source, r.source_id, p.reference, r.status, p.amount, 'VND', r.reason, r.partner_reference, r.occurred_at,
       r.said, r.message_id
FROM result_in r JOIN payment_batch b ON b.reference = r.reference AND b.partner = r.partner JOIN payment p USING (batch_id)
WHERE r.message_id = r.reference AND r.broken IS NULL AND p.status <> 'CANCELLED'
  AND NOT EXISTS (SELECT 1 FROM result_in n WHERE n.reference = p.reference AND n.message_id = r.message_id AND n.source_id = r.source_id)
"""
_SPREAD_OUT_SQL: Final = """
DELETE FROM result_in r USING payment_batch b
WHERE r.message_id = r.reference AND r.broken IS NULL AND b.reference = r.reference AND b.partner = r.partner
"""


async def load(tx: Tx, rows: Iterable[tuple[Any, ...]], *, messages: bool) -> int:
    """COPY results (columns :data:`COLUMNS`) in, and lock the payments they name, in one order for all workers.

    `messages`: some speak of whole messages, which are spread over the payments in them that are not named themselves.
    """
    count = await tx.copy("result_in", COLUMNS, rows)
    if messages:
        for sql in (_FILL_SQL, _BROKEN_SQL, _SPREAD_SQL, _SPREAD_OUT_SQL):
            await tx.execute(sql)
    await tx.value(
        "WITH locked AS MATERIALIZED (SELECT 1 FROM payment WHERE reference IN (SELECT reference FROM result_in)"
        " ORDER BY payment_id FOR UPDATE) SELECT count(*) FROM locked"
    )
    return count


# That a payment arrived is an old word that comes late, if it arrived before it came back. After that it is news: it was paid all the same,
# or once more.
_CAME_BACK: Final = (
    "(SELECT max(h.occurred_at) FROM payment_history h WHERE h.payment_id = c.payment_id AND h.status IN ('SETTLED', 'RETURNED'))"
)
_JUDGE_SQL: Final = f"""
WITH reading (current, channel, status, reading, target) AS (VALUES {readings_values()}),
again AS MATERIALIZED (
    SELECT b.batch_id FROM payment_batch b WHERE {_MAYBE_AGAIN} AND b.batch_id IN (
        SELECT p.batch_id FROM result_in r JOIN payment p USING (reference) WHERE r.status = 'FAILED' AND r.source = 'NOTICE')
),
checked AS (
    SELECT r.ordinal, r.partner, r.source, r.source_id, r.reference, r.status, r.reason, r.partner_reference, r.occurred_at, r.said,
        p.payment_id, p.unit_path, p.status AS current, v.reading, v.target,
        CASE
            WHEN r.broken IS NOT NULL THEN r.broken
            WHEN p.payment_id IS NULL THEN 'REFERENCE_UNKNOWN'
            WHEN p.partner <> r.partner THEN 'PARTNER_DIFFERS'
            WHEN r.amount IS DISTINCT FROM p.amount THEN 'AMOUNT_DIFFERS'
            WHEN r.currency IS DISTINCT FROM 'VND' THEN 'CURRENCY_DIFFERS'
            WHEN r.status = 'FAILED' AND r.source = 'NOTICE' AND p.batch_id IN (SELECT batch_id FROM again) THEN 'REJECTED_AFTER_RESEND'
        END AS doubt,
        CASE r.status WHEN 'RETURNED' THEN 'SETTLED' WHEN 'RECEIVED' THEN NULL WHEN 'UNRECOGNISED' THEN NULL ELSE r.status END AS final
    FROM result_in r
    LEFT JOIN payment p ON p.reference = r.reference
    LEFT JOIN reading v ON v.current = p.status AND v.channel = p.channel AND v.status = r.status
),
disagreeing AS (
    SELECT reference FROM checked WHERE doubt IS NULL AND final IS NOT NULL GROUP BY reference HAVING count(DISTINCT final) > 1
    UNION
    SELECT reference FROM checked WHERE doubt IS NULL AND status IN ('SETTLED', 'RETURNED') GROUP BY reference
    HAVING max(occurred_at) FILTER (WHERE status = 'SETTLED') > max(occurred_at) FILTER (WHERE status = 'RETURNED')
)
INSERT INTO result_judged
SELECT c.ordinal, c.partner, c.source, c.source_id, c.reference, c.status, c.reason, c.partner_reference, c.occurred_at, c.said,
       c.payment_id, c.unit_path, c.current,
       CASE
           WHEN c.doubt IS NOT NULL THEN c.doubt
           WHEN c.final IS NOT NULL AND c.reference IN (SELECT reference FROM disagreeing) THEN 'CONTRADICTION'
           WHEN c.reading IN ('CONTRADICTION', 'NOT_SENT', 'WRONG_CHANNEL') THEN c.reading
           WHEN c.current = 'RETURNED' AND c.status = 'SETTLED' AND c.occurred_at > {_CAME_BACK} THEN 'CONTRADICTION'
           WHEN c.status = 'UNRECOGNISED' THEN 'UNRECOGNISED_CODE'
       END,
       c.reading, c.target
FROM checked c
"""


async def judge(tx: Tx) -> None:
    """Judge every row of `result_in` into `result_judged`."""
    await tx.execute(_JUDGE_SQL)


_MOVES_SQL: Final = """
INSERT INTO payment_move (payment_id, to_status, reason, partner_reference, occurred_at, source, source_id)
SELECT DISTINCT ON (j.payment_id)
       j.payment_id,
       CASE WHEN :wave = 1 AND j.status = 'RETURNED' THEN 'SETTLED' ELSE j.target END,
       CASE WHEN :wave = 1 AND j.status = 'RETURNED' THEN NULL ELSE j.reason END,
       j.partner_reference, coalesce(j.occurred_at, now()), j.source, j.source_id
FROM result_judged j
WHERE j.reading = 'APPLY' AND (j.set_aside IS NULL OR j.set_aside = 'UNRECOGNISED_CODE')
  AND (:wave = 1 OR j.status = 'RETURNED')
  AND NOT (:wave = 1 AND j.status = 'RETURNED' AND j.current = 'SETTLED')
ORDER BY j.payment_id,
         CASE j.status WHEN 'RETURNED' THEN 4 WHEN 'RECEIVED' THEN 1 WHEN 'UNRECOGNISED' THEN 2 ELSE 3 END DESC, j.ordinal
"""


async def prepare_moves(tx: Tx, wave: int) -> int:
    """Put one move per payment into `payment_move`; how many.

    Wave 1 takes every payment to what was said of it; a return whose settlement we had not seen implies the settlement.
    Wave 2 then takes the returned ones from SETTLED to RETURNED.
    """
    return await tx.execute(_MOVES_SQL, wave=wave)


# The same word while it is open is counted on its row. Said again after a person dismissed it, it stands again, and how often it was
# dismissed: what a partner insists on is looked at anew. Not where two people made it a result; nor where it only answers our own asking.
_QUARANTINE_SQL: Final = """
WITH words AS (
    SELECT DISTINCT ON (partner, fingerprint) * FROM (
        SELECT *, md5(concat_ws('|', set_aside, reference, said)) AS fingerprint FROM result_judged WHERE set_aside IS NOT NULL) x
    ORDER BY partner, fingerprint, ordinal
), put AS (
    INSERT INTO quarantine (partner, reason, source, source_id, reference, payment_id, unit_path, said, fingerprint, dismissed_before,
                            says_paid)
    SELECT w.partner, w.set_aside, w.source, w.source_id, w.reference, w.payment_id, w.unit_path, CAST(w.said AS jsonb), w.fingerprint, b.n,
           w.payment_id IS NOT NULL AND w.status IN ('SETTLED', 'COLLECTED') AND w.set_aside <> 'PARTNER_DIFFERS'
    FROM words w CROSS JOIN LATERAL (
        SELECT count(*) AS n, coalesce(bool_or(e.outcome = 'ACCEPTED'), false) AS accepted FROM quarantine e
        WHERE e.partner = w.partner AND e.fingerprint = w.fingerprint AND e.state = 'RESOLVED'
    ) b
    WHERE NOT b.accepted AND (b.n = 0 OR w.source <> 'INQUIRY')
    ORDER BY w.ordinal
    ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO UPDATE SET repeats = quarantine.repeats + 1
    RETURNING repeats = 0 AS new
)
SELECT count(*) FROM put WHERE new
"""


async def quarantine_judged(tx: Tx) -> int:
    """Set aside what was not believed; the same word again is the same row while that is open. How many are new (or stand again)."""
    return int(await tx.value(_QUARANTINE_SQL))
