"""Moving payments from state to state, set-based: payments, history, allocations, positions, ledger and events together.

A caller fills the session's `payment_move` table (one row per payment) and calls :func:`apply`. Only moves of
`domain.payment.TRANSITIONS` happen; a row whose payment is elsewhere by now is left aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Counter
from sqlalchemy.exc import IntegrityError

from common import audit, outbox, tracing
from common.contracts.disbursement_v1 import PaymentEvent, PaymentStatus
from common.db import Tx
from common.telemetry import get_logger
from disbursement.domain.errors import BudgetExceeded
from disbursement.domain.ledger import POSTINGS, postings_values
from disbursement.domain.payment import (
    CORRECTION_EFFECTS,
    CORRECTIONS,
    DEAD,
    EFFECTS,
    EVENT_TYPES,
    PAID,
    effects_values,
    transitions_values,
)
from disbursement.storage import budget, corrected_books, ledger, recoveries, replaced, traces, uncollected

__all__ = [
    "CANNOT_APPLY",
    "EXPECTED_SECONDS",
    "INQUIRY_SECONDS",
    "EffectMismatch",
    "Moved",
    "apply",
    "correct",
    "event_body_sql",
    "expected_sql",
    "pause_sql",
    "prepare",
    "publish",
]

_log = get_logger(__name__)

INQUIRY_SECONDS: Final = (2, 5, 15, 60, 300, 900, 3_600)
"""Pauses between inquiries about an UNKNOWN payment, the last one repeating, where its partner's lane says nothing else."""

EXPECTED_SECONDS: Final = {"BANK": 1_800, "WALLET": 1_800, "MOBILE_MONEY": 1_800, "CASH_POST": 86_400, "CASH_HOME": 86_400}
"""How long an accepted payment may stay silent before we ask, where its partner names no time; cash is collected in days."""

_TABLES: Final = """
CREATE TEMP TABLE IF NOT EXISTS payment_move (
    payment_id uuid PRIMARY KEY, to_status text NOT NULL, reason text, partner_reference text,
    occurred_at timestamptz NOT NULL, source text NOT NULL, source_id text NOT NULL
) ON COMMIT DELETE ROWS
"""
_MOVED: Final = """
CREATE TEMP TABLE IF NOT EXISTS payment_moved (
    payment_id uuid NOT NULL, line_id uuid NOT NULL, cycle_id uuid NOT NULL, beneficiary_id uuid NOT NULL, partner text NOT NULL,
    programme text NOT NULL, funding_source text NOT NULL, amount bigint NOT NULL, business_date date NOT NULL,
    status text NOT NULL, version integer NOT NULL, reason text, partner_reference text, occurred_at timestamptz NOT NULL,
    source text NOT NULL, source_id text NOT NULL, body text NOT NULL
) ON COMMIT DELETE ROWS
"""


class EffectMismatch(RuntimeError):
    """Payments' allocations do not add up to their amounts, and it cannot be said whose: a defect; nothing is stored."""


CANNOT_APPLY: Final = (EffectMismatch, IntegrityError)
"""What a move raises when our own data is broken: trying it again the same way helps nobody."""

EFFECT_MISMATCHES: Final = Counter("ansinh_disbursement_effect_mismatches_total", "Payments whose months do not add up to them")
"""Any growth is a defect: the payments stand in quarantine."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many payments of one cycle reached a status, their amount in đồng, and the digest of their ids."""

    cycle_id: Any
    status: PaymentStatus
    payments: int
    amount: int
    digest: str


def event_body_sql(alias: str) -> str:
    """The JSON body of a `PaymentEvent` as an SQL expression over a row of `payment`."""
    names = (
        "version", "business_date", "payment_id", "cycle_id", "beneficiary_id", "payee_id", "payee_kind", "status", "attempt",
        "reference", "amount", "month", "months", "programme", "funding_source", "channel", "partner", "cash_reason", "reason",
        "partner_reference", "unit_code", "unit_path", "occurred_at",
    )  # fmt: skip
    pairs = ", ".join(f"'{name}', {alias}.{name}" for name in names)
    settled, line = f"{alias}.status = 'SETTLED'", f"FROM list_line l WHERE l.line_id = {alias}.line_id"
    # Only these tell anything of an account; a look at the line for every payment would be paid by all the others.
    account = (
        f"'account_id', CASE WHEN {alias}.status IN ('FAILED', 'RETURNED') THEN (SELECT l.account_id {line}) END,"
        f" 'account_masked', CASE WHEN {settled} THEN (SELECT l.account_masked {line}) END"
    )
    # Reporting counts benefit lines beside people: the first rows of the allocation's key, a few for each payment.
    lines = (
        "(SELECT coalesce(json_agg(DISTINCT o.benefit_line ORDER BY o.benefit_line), '[]') FROM allocation o"
        f" WHERE o.line_id = {alias}.line_id)"
    )
    batch = f"FROM payment_batch b WHERE b.batch_id = {alias}.batch_id"
    paid_on = f"CAST({alias}.occurred_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date)"
    late_by = f"CASE WHEN {paid_on} > b.value_date THEN 'PAYMENT_ORGANISATION' WHEN b.after_cut_off THEN 'AUTHORITY' END"
    dated = (
        f"'value_date', CASE WHEN {settled} THEN (SELECT b.value_date {batch}) END,"
        f" 'late_by', CASE WHEN {settled} THEN (SELECT {late_by} {batch}) END"
    )
    # None for the moment: what it leaves of dead payments is known once its effects are made (`replaced.say`).
    said = "'replaces', json_build_object()"
    return f"json_build_object('currency', 'VND', {pairs}, {account}, 'benefit_lines', {lines}, {dated}, {said})"


async def prepare(tx: Tx) -> None:
    """Make sure the session's working tables exist and are empty."""
    await tx.execute("SET LOCAL client_min_messages = warning")
    await tx.execute(_TABLES)
    await tx.execute(_MOVED)
    await tx.execute("DELETE FROM payment_move")
    await tx.execute("DELETE FROM payment_moved")


def expected_sql(alias: str) -> str:
    """Seconds after which an accepted payment (a row of `payment`) is asked about: its partner's as of the send, or the channel's."""
    whens = " ".join(f"WHEN '{channel}' THEN {seconds}" for channel, seconds in EXPECTED_SECONDS.items())
    kept = f"(SELECT b.expected_seconds FROM payment_batch b WHERE b.batch_id = {alias}.batch_id)"
    return f"coalesce({kept}, CASE {alias}.channel {whens} END)"


def pause_sql(alias: str, number: str) -> str:
    """Seconds before inquiry `number` (SQL, from 1) about an UNKNOWN row of `payment`: its partner's schedule, the last one repeating."""
    default = f"ARRAY[{', '.join(map(str, INQUIRY_SECONDS))}]"
    return (
        f"(SELECT s.pauses[least({number}, cardinality(s.pauses))] FROM (SELECT coalesce("
        f"(SELECT n.inquiry_seconds FROM partner_lane n WHERE n.partner = {alias}.partner), {default}) AS pauses) s)"
    )


_MOVE: Final = f"""
WITH allowed (from_status, to_status) AS (VALUES {{allowed}}),
moved AS (
    UPDATE payment p
    SET status = m.to_status, version = p.version + 1, reason = m.reason, occurred_at = m.occurred_at,
        partner_reference = coalesce(m.partner_reference, p.partner_reference),
        inquire_at = CASE m.to_status
            WHEN 'UNKNOWN' THEN now() + make_interval(secs => {pause_sql("p", "1")})
            WHEN 'SUBMITTED' THEN now() + make_interval(secs => {expected_sql("p")})
        END
    FROM payment_move m JOIN allowed a ON a.to_status = m.to_status
    WHERE p.payment_id = m.payment_id AND p.status = a.from_status
    RETURNING p.*, m.source, m.source_id
)
INSERT INTO payment_moved
SELECT payment_id, line_id, cycle_id, beneficiary_id, partner, programme, funding_source, amount, business_date,
       status, version, reason, partner_reference, occurred_at, source, source_id, {event_body_sql("moved")}
FROM moved
"""
_MOVE_SQL: Final = _MOVE.format(allowed=transitions_values())
_CORRECT_SQL: Final = _MOVE.format(allowed=transitions_values(CORRECTIONS))

_LOCK_SQL: Final = """
WITH locked AS MATERIALIZED (
    SELECT 1 FROM payment p JOIN payment_move m USING (payment_id) ORDER BY p.payment_id FOR UPDATE OF p
) SELECT count(*) FROM locked
"""

_TOTALS_SQL: Final = (
    f"SELECT cycle_id, status, count(*) AS payments, sum(amount) AS amount, {audit.digest_sql('payment_id')} AS digest"
    " FROM payment_moved GROUP BY 1, 2"
)

_HISTORY_SQL: Final = """
INSERT INTO payment_history (payment_id, version, status, reason, partner_reference, source, source_id, actor, occurred_at)
SELECT payment_id, version, status, reason, partner_reference, source, source_id, :actor, occurred_at FROM payment_moved
"""

_LOCK_POSITIONS_SQL: Final = """
WITH locked AS MATERIALIZED (
    SELECT 1 FROM due_month_position d
    WHERE (d.beneficiary_id, d.programme, d.funding_source) IN
          (SELECT beneficiary_id, programme, funding_source FROM payment_moved WHERE status = ANY(:with_effect))
    ORDER BY d.beneficiary_id, d.programme, d.funding_source, d.benefit_line, d.month FOR UPDATE
) SELECT count(*) FROM locked
"""

_ALLOCATION: Final = """
WITH effect (status, source, target, committed, paid) AS (VALUES {effects}),
changed AS (
    UPDATE allocation a SET state = e.target
    FROM payment_moved m JOIN effect e ON e.status = m.status
    WHERE a.line_id = m.line_id AND a.state = e.source
    RETURNING a.beneficiary_id, a.programme, a.funding_source, a.benefit_line, a.month, a.amount, e.committed, e.paid
),
summed AS (
    SELECT beneficiary_id, programme, funding_source, benefit_line, month,
           sum(amount * committed) AS committed, sum(amount * paid) AS paid, sum(amount) AS amount
    FROM changed GROUP BY 1, 2, 3, 4, 5
),
positioned AS (
    UPDATE due_month_position d SET committed = d.committed + s.committed, paid = d.paid + s.paid,
           waived = least(d.waived, d.paid + s.paid - d.repaid) -- what the partner sends back after all need not be waived
    FROM summed s
    WHERE d.beneficiary_id = s.beneficiary_id AND d.programme = s.programme AND d.funding_source = s.funding_source
      AND d.benefit_line = s.benefit_line AND d.month = s.month
    RETURNING s.amount
)
SELECT coalesce((SELECT sum(amount) FROM changed), 0) AS allocated, coalesce((SELECT sum(amount) FROM positioned), 0) AS positioned
"""
_ALLOCATION_SQL: Final = {
    False: _ALLOCATION.format(effects=effects_values()),
    True: _ALLOCATION.format(effects=effects_values(CORRECTION_EFFECTS)),
}

_LEDGER_SQL: Final = f"""
INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, payment_id, cycle_id, partner, programme,
                             funding_source, business_date, round)
SELECT :journal_id, l.kind, l.debit, l.credit, m.amount, m.payment_id, m.cycle_id, m.partner, m.programme, m.funding_source,
       m.business_date, CASE l.kind WHEN 'RETURN' THEN {corrected_books.ROUND.format(kind="'RETURN'")} ELSE 1 END
FROM payment_moved m JOIN (VALUES {postings_values()}) AS l (status, kind, debit, credit) ON l.status = m.status
"""

_EVENT_TYPE_VALUES: Final = ", ".join(f"('{status}','{name}')" for status, name in EVENT_TYPES.items())
_EVENTS_SQL: Final = f"""
SELECT m.payment_id, m.beneficiary_id AS key, uuidv7() AS event_id, m.body,
       CASE WHEN m.status = 'APPROVED' THEN :first_event ELSE t.type END AS type
FROM payment_moved m JOIN (VALUES {_EVENT_TYPE_VALUES}) AS t (status, type) ON t.status = m.status ORDER BY m.payment_id
"""

# Which moves cannot have their effect: allocations that are not the payment's amount, or months that hold less than they would give.
_BROKEN: Final = f"""
WITH effect (status, source, target, committed, paid) AS (VALUES {effects_values()}),
wanted AS MATERIALIZED (
    SELECT p.payment_id, p.line_id, p.amount, p.status, e.source, e.committed, e.paid
    FROM payment_move m JOIN payment p USING (payment_id) JOIN effect e ON e.status = m.to_status
    JOIN (VALUES {transitions_values()}) AS a (from_status, to_status) ON a.from_status = p.status AND a.to_status = m.to_status
),
share AS MATERIALIZED (
    SELECT w.payment_id, a.beneficiary_id, a.programme, a.funding_source, a.benefit_line, a.month, a.amount, w.committed, w.paid
    FROM wanted w JOIN allocation a ON a.line_id = w.line_id AND a.state = w.source
),
short AS MATERIALIZED (
    SELECT s.beneficiary_id, s.programme, s.funding_source, s.benefit_line, s.month
    FROM share s LEFT JOIN due_month_position d USING (beneficiary_id, programme, funding_source, benefit_line, month)
    GROUP BY 1, 2, 3, 4, 5, d.committed, d.paid, d.repaid
    -- Money that the person gave back and the partner sends back as well is somebody's: a person looks.
    HAVING d.committed IS NULL OR d.committed + sum(s.amount * s.committed) < 0 OR d.paid + sum(s.amount * s.paid) < d.repaid
)
SELECT w.payment_id FROM wanted w
WHERE w.amount <> coalesce((SELECT sum(s.amount) FROM share s WHERE s.payment_id = w.payment_id), 0)
   OR EXISTS (SELECT 1 FROM share s JOIN short USING (beneficiary_id, programme, funding_source, benefit_line, month)
              WHERE s.payment_id = w.payment_id)
"""

_QUARANTINE_BROKEN: Final = """
INSERT INTO quarantine (partner, reason, source, source_id, reference, payment_id, unit_path, said, fingerprint)
SELECT p.partner, 'EFFECT_MISMATCH', CASE WHEN m.source IN ('ANSWER', 'NOTICE', 'INQUIRY', 'STATEMENT', 'MANUAL') THEN m.source
       ELSE 'BATCH' END, m.source_id, p.reference, p.payment_id, p.unit_path,
       jsonb_build_object('status', m.to_status, 'reason', m.reason, 'amount', p.amount, 'partner_reference', m.partner_reference),
       md5(concat_ws('|', 'EFFECT_MISMATCH', p.reference, m.to_status))
FROM payment_move m JOIN payment p USING (payment_id) WHERE p.payment_id = ANY(:broken)
  AND NOT EXISTS (SELECT FROM quarantine e WHERE e.partner = p.partner
                  AND e.fingerprint = md5(concat_ws('|', 'EFFECT_MISMATCH', p.reference, m.to_status)))
ORDER BY p.payment_id
ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO NOTHING
"""


async def _set_broken_aside(tx: Tx) -> int:
    """Take out of `payment_move` what cannot have its effect, for a person to look at; how many. One being sent becomes UNKNOWN."""
    broken = [row["payment_id"] for row in await tx.rows(_BROKEN)]
    if broken:
        await tx.execute(_QUARANTINE_BROKEN, broken=broken)
        await tx.execute(
            "UPDATE payment_move m SET to_status = 'UNKNOWN', reason = 'EFFECT_MISMATCH' FROM payment p"
            " WHERE p.payment_id = m.payment_id AND p.status = 'SUBMITTING' AND m.payment_id = ANY(:broken)",
            broken=broken,
        )
        await tx.execute(
            "DELETE FROM payment_move m USING payment p"
            " WHERE p.payment_id = m.payment_id AND p.status <> 'SUBMITTING' AND m.payment_id = ANY(:broken)",
            broken=broken,
        )
        EFFECT_MISMATCHES.inc(len(broken))
        _log.error("payment.effect_mismatch", payments=len(broken))
    return len(broken)


async def apply(tx: Tx) -> list[Moved]:
    """Make the moves in `payment_move` with all their effects; what was moved, by cycle and status.

    A payment whose allocations are broken is quarantined and the others are moved. Raises EffectMismatch, IntegrityError when it
    cannot be said which are broken.
    """
    await tx.value(_LOCK_SQL)  # senders and appliers meet here: one order for all, or they would lock each other out
    await tx.execute("SAVEPOINT moves")
    try:
        moved = await _apply(tx)
    except CANNOT_APPLY:
        await tx.execute("ROLLBACK TO SAVEPOINT moves")
        if not await _set_broken_aside(tx):
            raise
        moved = await _apply(tx)
    await tx.execute("RELEASE SAVEPOINT moves")
    return moved


async def _apply(tx: Tx) -> list[Moved]:
    await tx.execute("DELETE FROM payment_moved")
    if not await tx.execute(_MOVE_SQL):
        await tx.execute("DELETE FROM payment_move")
        return []
    moved = await publish(tx, "payment.moved")
    await tx.execute("DELETE FROM payment_move")
    return moved


async def correct(tx: Tx) -> list[Moved]:
    """Put right what stands in `payment_move` and is held dead: paid after all, by two people's word; none where it is not.

    Raises BudgetExceeded when what went back to the budget has been promised to others: it must be raised first, for the money is gone.
    """
    await tx.value(_LOCK_SQL)
    await tx.execute("DELETE FROM payment_moved")
    moved = await publish(tx, "payment.corrected", corrected=True) if await tx.execute(_CORRECT_SQL) else []
    await tx.execute("DELETE FROM payment_move")
    return moved


async def publish(
    tx: Tx, journal_source: str, *, first_event: str = EVENT_TYPES[PaymentStatus.APPROVED], corrected: bool = False
) -> list[Moved]:
    """Write history, allocations, ledger and events of what stands in `payment_moved`.

    `first_event` is what is said of payments that were just made; `corrected`: they were held dead and are paid after all.
    """
    totals = [
        Moved(row["cycle_id"], PaymentStatus(row["status"]), int(row["payments"]), int(row["amount"]), row["digest"])
        for row in await tx.rows(_TOTALS_SQL)
    ]
    actor = tx.actor.subject if tx.actor else "system"
    await tx.execute(_HISTORY_SQL, actor=actor)
    await _allocate(tx, totals, corrected=corrected)
    await _post(tx, totals, journal_source, corrected=corrected)
    if any(total.status in EVENT_TYPES for total in totals):
        await replaced.say(tx)
        sql = traces.events_sql(_EVENTS_SQL) if tracing.on() else _EVENTS_SQL
        await outbox.insert_select(tx, PaymentEvent, sql, typed=True, traced=tracing.on(), first_event=first_event)
        await traces.tell(tx)
    if any(total.status is PaymentStatus.UNCOLLECTED for total in totals):
        await uncollected.propose_for_moved(tx)
    if corrected or any(total.status is PaymentStatus.RETURNED for total in totals):
        await recoveries.look_again(tx)
    if corrected and not await corrected_books.reserve(tx):
        raise BudgetExceeded("What went back to the budget has been promised to others: raise the budget first")
    await _settle_budget(tx, totals)
    return totals


async def _settle_budget(tx: Tx, totals: Sequence[Moved]) -> None:
    """Last, because the budget's one row is wanted by every worker."""
    for total in sorted(totals, key=lambda moved: (str(moved.cycle_id), moved.status)):
        if total.status is PaymentStatus.RETURNED:
            await budget.spend(tx, total.cycle_id, -total.amount)
            await budget.release(tx, total.cycle_id, total.amount)
        elif total.status in PAID:
            await budget.spend(tx, total.cycle_id, total.amount)
        elif total.status in DEAD and total.status is not PaymentStatus.UNCOLLECTED:  # that money waits for its roll-over
            await budget.release(tx, total.cycle_id, total.amount)


async def _allocate(tx: Tx, totals: Sequence[Moved], *, corrected: bool) -> None:
    wanted = sum(total.amount for total in totals if total.status in EFFECTS)
    if not wanted:
        return
    await tx.value(_LOCK_POSITIONS_SQL, with_effect=[status.value for status in EFFECTS])
    row = await tx.row(_ALLOCATION_SQL[corrected])
    if row is None or int(row["allocated"]) != wanted or int(row["positioned"]) != wanted:
        raise EffectMismatch(f"payments move {wanted} đồng, allocations {row['allocated'] if row else 0}")


async def _post(tx: Tx, totals: Sequence[Moved], source: str, *, corrected: bool) -> None:
    if not any(total.status in POSTINGS for total in totals):
        return
    journal_id = await ledger.journal(tx, source, await tx.value("SELECT min(source_id) FROM payment_moved"))
    if corrected:
        await corrected_books.post(tx, journal_id)
    else:
        await tx.execute(_LEDGER_SQL, journal_id=journal_id)
