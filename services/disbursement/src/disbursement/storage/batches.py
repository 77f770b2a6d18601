"""Batches on their way to partners: claimed with a lease on database time, withdrawn at the gate, sent, answered, taken over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.contracts.disbursement_v1 import HoldReason, PaymentHeld
from common.db import Tx
from disbursement.domain.cycle import TRANSITIONS, CycleAction
from disbursement.domain.holds import actor_of
from disbursement.domain.payment import OPEN
from disbursement.domain.references import batch_reference_sql
from disbursement.storage.claims import CALLED_OFF, DECLARED_DEAD_SQL
from disbursement.storage.gate import BOOKED_UNSENT_SQL, DISPUTED_LINES_SQL, OVER_LIMIT_SQL, WITHDRAWN_SQL
from disbursement.storage.holds import BENEFIT_LINES, MONTHS

__all__ = [
    "advance_cycle",
    "ask_to_resend",
    "finish",
    "gate",
    "head",
    "hold_withdrawn",
    "instruction_lines",
    "moving",
    "prepare_answer",
    "prepare_submitting",
    "prepare_unknown",
    "prepare_withdrawal",
    "put_off",
    "set_aside",
    "settle_uncertain",
    "split_off",
    "store_request",
    "withdraw",
    "without_partner",
]

_OPEN: Final = ", ".join(f"'{status}'" for status in sorted(OPEN))

# The list's gate over one batch. Each question is computed once, apart: a planner without statistics (a list minutes old has
# none) would otherwise compute the whole gate again for every payment.
_WITHDRAWN: Final = WITHDRAWN_SQL.format(lines="l.line_id = ANY(:line_ids)", allocations="FALSE")
_GATE_SQL: Final = f"""
WITH withdrawn AS MATERIALIZED ({_WITHDRAWN})
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT p.payment_id, 'CANCELLED', withdrawn.reason, now(), 'GATE', CAST(:batch_id AS text)
FROM withdrawn JOIN payment p USING (line_id)
WHERE p.batch_id = :batch_id AND p.status = 'APPROVED'
"""
_LESS_DUE_SQL: Final = f"""
WITH share AS MATERIALIZED (SELECT * FROM allocation WHERE line_id = ANY(:line_ids)),
less AS MATERIALIZED (
    SELECT DISTINCT line_id FROM share s
    WHERE (SELECT d.paid - d.repaid + d.committed FROM due_month_position d
           WHERE d.beneficiary_id = s.beneficiary_id AND d.programme = s.programme AND d.funding_source = s.funding_source
             AND d.benefit_line = s.benefit_line AND d.month = s.month)
        > coalesce((SELECT sum(i.amount) FROM due_interval i
           WHERE i.beneficiary_id = s.beneficiary_id AND i.programme = s.programme AND i.funding_source = s.funding_source
             AND i.benefit_line = s.benefit_line AND i.status = 'DUE'
             AND i.from_month <= s.month AND coalesce(i.to_month, 'infinity') >= s.month), 0)
)
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT p.payment_id, 'CANCELLED', '{HoldReason.STOPPED}', now(), 'GATE', CAST(:batch_id AS text)
FROM less JOIN payment p USING (line_id) WHERE p.batch_id = :batch_id AND p.status = 'APPROVED'
ON CONFLICT (payment_id) DO NOTHING
"""
_OVER_LIMIT: Final = f"""
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT p.payment_id, 'CANCELLED', f.reason, now(), 'GATE', CAST(:batch_id AS text)
FROM ({OVER_LIMIT_SQL.format(lines="l.line_id = ANY(:line_ids)")}) f JOIN payment p USING (line_id)
WHERE p.batch_id = :batch_id AND p.status = 'APPROVED' ON CONFLICT (payment_id) DO NOTHING
"""
_DISPUTED: Final = f"""
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT p.payment_id, 'CANCELLED', f.reason, now(), 'GATE', CAST(:batch_id AS text)
FROM ({DISPUTED_LINES_SQL.format(allocations="o.line_id = ANY(:line_ids)")}) f JOIN payment p USING (line_id)
WHERE p.batch_id = :batch_id AND p.status = 'APPROVED' ON CONFLICT (payment_id) DO NOTHING
"""

_BOOKED: Final = f"""
INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)
SELECT p.payment_id, 'CANCELLED', '{HoldReason.PAYMENT_DISPUTED}', now(), 'GATE', CAST(:batch_id AS text)
FROM payment p WHERE p.batch_id = :batch_id AND p.status = 'APPROVED' AND {BOOKED_UNSENT_SQL}
ON CONFLICT (payment_id) DO UPDATE SET reason = excluded.reason
"""
# Whatever else withdraws it: that its money may have gone is what a person must look at first.


async def gate(tx: Tx, batch_id: UUID, *, business_date: date, grace_days: int, limits: str) -> int:
    """Put the batch's payments that may no longer be sent (the list's own gate, run again) into `payment_move`; how many."""
    rows = await tx.rows("SELECT line_id FROM payment WHERE batch_id = :batch_id AND status = 'APPROVED'", batch_id=batch_id)
    line_ids = [row["line_id"] for row in rows]
    # A batch is a thousand rows of tables of millions: without statistics the planner would read those whole, every time.
    await tx.execute("SET LOCAL enable_seqscan = off")
    found = await tx.execute(_GATE_SQL, batch_id=batch_id, line_ids=line_ids, business_date=business_date, grace_days=grace_days)
    found += await tx.execute(_LESS_DUE_SQL, batch_id=batch_id, line_ids=line_ids)
    found += await tx.execute(_DISPUTED, batch_id=batch_id, line_ids=line_ids)
    found += await tx.execute(_BOOKED, batch_id=batch_id)
    found += await tx.execute(_OVER_LIMIT, batch_id=batch_id, line_ids=line_ids, business_date=business_date, limits=limits)
    await tx.execute("SET LOCAL enable_seqscan = on")
    return found


async def prepare_withdrawal(tx: Tx, batch_id: UUID, references: Sequence[str], reason: str) -> None:
    """Put payments of the batch that cannot be instructed into `payment_move` as CANCELLED."""
    await tx.execute(
        "INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)"
        " SELECT payment_id, 'CANCELLED', :reason, now(), 'GATE', CAST(:batch_id AS text) FROM payment"
        " WHERE batch_id = :batch_id AND reference = ANY(:references)",
        batch_id=batch_id,
        references=list(references),
        reason=reason,
    )


_ACTORS: Final = ", ".join(f"('{reason}','{actor_of(reason)}')" for reason in HoldReason)

_HOLD_SQL: Final = f"""
INSERT INTO hold (cycle_id, list_id, line_id, beneficiary_id, file_code, beneficiary_name, programme, funding_source, amount, months,
                  reason, actor, stage, unit_code, unit_path)
SELECT l.cycle_id, l.list_id, l.line_id, l.beneficiary_id, l.file_code, l.beneficiary_name, l.programme, l.funding_source, l.amount,
       l.months, m.reason, r.actor, 'SENDING', l.unit_code, l.unit_path
FROM payment_moved m JOIN list_line l USING (line_id) JOIN (VALUES {_ACTORS}) AS r (reason, actor) ON r.reason = m.reason
WHERE m.status = 'CANCELLED' AND m.source = 'GATE'
ON CONFLICT (list_id, beneficiary_id) DO NOTHING
"""

_HELD_EVENT_SQL: Final = f"""
SELECT h.beneficiary_id AS key, uuidv7() AS event_id, json_build_object(
    'version', h.version, 'business_date', m.business_date, 'hold_id', h.hold_id, 'cycle_id', h.cycle_id,
    'beneficiary_id', h.beneficiary_id, 'month', to_char(c.month, 'YYYY-MM'), 'programme', h.programme,
    'funding_source', h.funding_source, 'amount', h.amount, 'reason', h.reason, 'actor', h.actor,
    'unit_code', h.unit_code, 'unit_path', h.unit_path, 'released', false, 'benefit_lines', {BENEFIT_LINES},
    'months', {MONTHS}) AS body
FROM payment_moved m JOIN hold h ON h.line_id = m.line_id AND h.stage = 'SENDING' JOIN payment_cycle c ON c.cycle_id = h.cycle_id
WHERE m.status = 'CANCELLED' AND m.source = 'GATE'
"""


async def hold_withdrawn(tx: Tx) -> None:
    """Turn the lines just withdrawn (see :func:`gate`) to HELD, with a hold row and its event."""
    await tx.execute(
        "UPDATE list_line l SET state = 'HELD' FROM payment_moved m"
        " WHERE l.line_id = m.line_id AND m.status = 'CANCELLED' AND m.source = 'GATE'"
    )
    await tx.execute(_HOLD_SQL)
    await outbox.insert_select(tx, PaymentHeld, _HELD_EVENT_SQL)


async def moving(tx: Tx) -> list[UUID]:
    """The payments that stand in `payment_move`."""
    return [row["payment_id"] for row in await tx.rows("SELECT payment_id FROM payment_move")]


_SPLIT_OFF: Final = """
WITH stuck AS (
    SELECT payment_id, amount FROM payment WHERE batch_id = :batch_id AND status = 'APPROVED' AND payment_id = ANY(:payment_ids)
),
own AS (
    INSERT INTO payment_batch (batch_id, cycle_id, list_id, partner, programme, funding_source, number, reference, payments, amount,
                               split_from, failures, last_error, next_at)
    SELECT i.id, b.cycle_id, b.list_id, b.partner, b.programme, b.funding_source, 0, {reference}, s.payments, s.amount,
           coalesce(b.split_from, b.batch_id), b.failures + 1,
           'cannot be withdrawn: its months do not add up to it',
           clock_timestamp() + make_interval(secs => least(:first * power(2, least(b.failures, 20)), :longest))
    FROM payment_batch b, (SELECT count(*) AS payments, sum(amount) AS amount FROM stuck) s, (SELECT uuidv7() AS id) i
    WHERE b.batch_id = :batch_id AND s.payments > 0
    RETURNING batch_id
)
UPDATE payment p SET batch_id = own.batch_id FROM own, stuck WHERE p.payment_id = stuck.payment_id
""".replace("{reference}", batch_reference_sql("i.id"))


async def split_off(tx: Tx, batch_id: UUID, payment_ids: Sequence[UUID], *, first_seconds: int, longest_seconds: int) -> int:
    """Payments that must not be sent and could not be withdrawn leave for a batch of their own that waits, so that the rest can go.

    A debit booked under the batch's reference may still have paid them: `split_from`.
    """
    return await tx.execute(_SPLIT_OFF, batch_id=batch_id, payment_ids=list(payment_ids), first=first_seconds, longest=longest_seconds)


async def without_partner(tx: Tx, partners: Sequence[str]) -> list[RowMapping]:
    """Batches of other partners than these, with a payment that is still to be sent or whose end nobody knows."""
    return list(
        await tx.rows(
            "SELECT b.batch_id, b.partner, b.reference, b.payments FROM payment_batch b"
            " WHERE b.partner <> ALL(CAST(:partners AS text[])) AND EXISTS (SELECT FROM payment p WHERE p.batch_id = b.batch_id"
            f" AND p.status IN ({_OPEN})) ORDER BY b.batch_id",
            partners=list(partners),
        )
    )


async def withdraw(tx: Tx, batch_id: UUID) -> None:
    """Nothing of the batch is left to send."""
    await tx.execute(
        "UPDATE payment_batch SET state = 'WITHDRAWN', lease_owner = NULL, lease_until = NULL WHERE batch_id = :batch_id", batch_id=batch_id
    )


async def prepare_submitting(tx: Tx, batch_id: UUID) -> None:
    """Put the batch's APPROVED payments into `payment_move` as SUBMITTING."""
    await tx.execute(
        "INSERT INTO payment_move (payment_id, to_status, occurred_at, source, source_id)"
        " SELECT payment_id, 'SUBMITTING', now(), 'CLAIM', CAST(:batch_id AS text) FROM payment"
        " WHERE batch_id = :batch_id AND status = 'APPROVED'",
        batch_id=batch_id,
    )


async def instruction_lines(tx: Tx, batch_id: UUID) -> Sequence[RowMapping]:
    """What the partner must know of each payment of a batch, in one stable order."""
    return await tx.rows(
        "SELECT p.reference, p.amount, l.payee_name, p.channel, l.provider_code, l.account_number_token, l.unit_code, l.file_code,"
        " l.beneficiary_name, p.month FROM payment p JOIN list_line l USING (line_id)"
        " WHERE p.batch_id = :batch_id AND p.status = 'APPROVED' ORDER BY p.reference",
        batch_id=batch_id,
    )


async def head(tx: Tx, batch_id: UUID) -> RowMapping:
    """What a batch says of itself as a whole."""
    row = await tx.row(
        "SELECT b.reference, b.number, b.programme, b.funding_source, b.created_at, b.value_date, b.after_cut_off, c.business_date"
        " FROM payment_batch b"
        " JOIN payment_cycle c USING (cycle_id) WHERE b.batch_id = :batch_id",
        batch_id=batch_id,
    )
    if row is None:
        raise LookupError(batch_id)
    return row


async def put_off(tx: Tx, batch_id: UUID, owner: str, error: str, *, first_seconds: int, longest_seconds: int) -> int:
    """The batch cannot be built yet: it stays READY and is tried again after a growing pause. How often it failed so far."""
    return int(
        await tx.value(
            "UPDATE payment_batch SET lease_owner = NULL, lease_until = NULL, last_error = :error, failures = failures + 1,"
            " next_at = clock_timestamp() + make_interval(secs => least(:first * power(2, least(failures, 20)), :longest))"
            " WHERE batch_id = :batch_id AND lease_owner = :owner RETURNING failures",
            batch_id=batch_id,
            owner=owner,
            error=error,
            first=first_seconds,
            longest=longest_seconds,
        )
    )


async def store_request(
    tx: Tx, batch_id: UUID, owner: str, request: bytes | None, digest: bytes | None, *, expected_seconds: int | None = None
) -> None:
    """The batch is about to be sent. `request` (encrypted bytes) is None on a resend: the stored bytes stay.

    `expected_seconds` is how long accepted payments may stay silent; None leaves it to the channel.
    """
    await tx.execute(
        "UPDATE payment_batch SET state = 'SENDING', request = coalesce(CAST(:request AS bytea), request),"
        " request_digest = coalesce(CAST(:digest AS bytea), request_digest), sends = sends + 1, failures = 0, last_error = NULL,"
        " expected_seconds = :expected_seconds WHERE batch_id = :batch_id AND lease_owner = :owner",
        batch_id=batch_id,
        owner=owner,
        request=request,
        digest=digest,
        expected_seconds=expected_seconds,
    )


async def set_aside(tx: Tx, batch_id: UUID, owner: str, error: str, *, first_seconds: int, longest_seconds: int) -> int:
    """The stored request cannot be used: nothing is sent, the batch is uncertain again and not asked for before a growing pause.

    Its payments keep their state and their inquiries. How often it failed so far.
    """
    return int(
        await tx.value(
            "UPDATE payment_batch SET state = 'UNCERTAIN', lease_owner = NULL, lease_until = NULL, last_error = :error,"
            " failures = failures + 1, next_at = clock_timestamp()"
            "   + make_interval(secs => least(:first * power(2, least(failures, 20)), :longest))"
            " WHERE batch_id = :batch_id AND lease_owner = :owner RETURNING failures",
            batch_id=batch_id,
            owner=owner,
            error=error,
            first=first_seconds,
            longest=longest_seconds,
        )
    )


async def finish(tx: Tx, batch_id: UUID, owner: str, state: str, error: str | None) -> bool:
    """Record how a send ended. False when the lease was lost meanwhile: somebody else is finding out what happened."""
    touched = await tx.execute(
        "UPDATE payment_batch SET state = :state, last_error = :error, lease_owner = NULL, lease_until = NULL,"
        " answered_at = CASE WHEN :state = 'SENT' THEN now() END"
        " WHERE batch_id = :batch_id AND lease_owner = :owner AND state = 'SENDING'",
        batch_id=batch_id,
        owner=owner,
        state=state,
        error=error,
    )
    return touched == 1


async def prepare_answer(tx: Tx, batch_id: UUID, refused: dict[str, tuple[str, str]]) -> None:
    """Put the batch's open payments into `payment_move`: accepted → SUBMITTED, refused[reference] → (status, reason)."""
    await tx.execute(
        "INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)"
        " SELECT p.payment_id, coalesce(r.status, 'SUBMITTED'), r.reason, now(), 'ANSWER', CAST(:batch_id AS text)"
        " FROM payment p LEFT JOIN unnest(CAST(:refs AS text[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]))"
        "   AS r (reference, status, reason) ON r.reference = p.reference"
        " WHERE p.batch_id = :batch_id AND p.status IN ('SUBMITTING', 'UNKNOWN') ORDER BY p.payment_id",
        batch_id=batch_id,
        refs=list(refused),
        statuses=[status for status, _ in refused.values()],
        reasons=[reason for _, reason in refused.values()],
    )


async def prepare_unknown(tx: Tx, batch_id: UUID, reason: str, source: str) -> None:
    """Put the batch's SUBMITTING payments into `payment_move` as UNKNOWN."""
    await tx.execute(
        "INSERT INTO payment_move (payment_id, to_status, reason, occurred_at, source, source_id)"
        " SELECT payment_id, 'UNKNOWN', :reason, now(), :source, CAST(:batch_id AS text) FROM payment"
        " WHERE batch_id = :batch_id AND status = 'SUBMITTING' ORDER BY payment_id",
        batch_id=batch_id,
        reason=reason,
        source=source,
    )


async def ask_to_resend(tx: Tx, references: Sequence[str]) -> int:
    """The partner does not know these UNKNOWN payments: their batches go again, same bytes, same reference.

    Only batches whose send has ended (UNCERTAIN); one already answered or in flight is left alone, one set aside waits its pause. Nor
    does one go again of which something was declared dead: its months are payable again, and the bytes would have them paid twice.
    """
    rows = await tx.rows(
        f"UPDATE payment_batch SET state = CASE WHEN {DECLARED_DEAD_SQL} THEN 'UNCERTAIN' ELSE 'RESEND' END,"
        f" last_error = CASE WHEN {DECLARED_DEAD_SQL} THEN :called_off ELSE last_error END, next_at = greatest(next_at, now())"
        " WHERE state = 'UNCERTAIN' AND batch_id IN"
        " (SELECT batch_id FROM payment WHERE reference = ANY(:references) AND status = 'UNKNOWN') RETURNING state",
        references=list(references),
        called_off=CALLED_OFF,
    )
    return sum(row["state"] == "RESEND" for row in rows)


async def settle_uncertain(tx: Tx, partner: str) -> list[UUID]:
    """Uncertain batches without a single UNKNOWN payment have been answered, by inquiry or notice. The cycles concerned."""
    rows = await tx.rows(
        "UPDATE payment_batch b SET state = 'SENT', answered_at = now() WHERE b.partner = :partner AND b.state = 'UNCERTAIN'"
        " AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.batch_id = b.batch_id AND p.status IN ('UNKNOWN', 'SUBMITTING'))"
        " RETURNING b.cycle_id",
        partner=partner,
    )
    return sorted({row["cycle_id"] for row in rows})


async def advance_cycle(tx: Tx, cycle_id: UUID, action: CycleAction) -> None:
    """Move a cycle on by START_SENDING or ALL_SENT if it stands before it; ALL_SENT only when no batch is left to send."""
    if action is CycleAction.ALL_SENT:
        # The last two senders may end at once: each must look after the other has committed, or both see one still sending.
        await tx.execute("SELECT 1 FROM payment_cycle WHERE cycle_id = :cycle_id FOR UPDATE", cycle_id=cycle_id)
    source, target = next((state, reached) for (state, made), reached in TRANSITIONS.items() if made is action)
    await tx.execute(
        "UPDATE payment_cycle c SET state = :target, version = version + 1 WHERE c.cycle_id = :cycle_id AND c.state = :source"
        " AND (NOT CAST(:all_sent AS boolean) OR NOT EXISTS (SELECT 1 FROM payment_batch b WHERE b.cycle_id = c.cycle_id"
        "      AND b.state IN ('READY', 'SENDING', 'RESEND', 'UNCERTAIN')))",
        cycle_id=cycle_id,
        source=source.value,
        target=target.value,
        all_sent=action is CycleAction.ALL_SENT,
    )
