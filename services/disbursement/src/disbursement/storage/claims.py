"""Which batch goes next: claims on the database's clock, within the partner's lane, and the take-over of claims that ran out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import restored
from common.contracts.disbursement_v1 import PaymentStatus
from common.db import Tx
from disbursement.domain.partner_hours import Moment
from disbursement.domain.payment import DEAD

__all__ = [
    "CALLED_OFF",
    "DECLARED_DEAD_SQL",
    "being_sent",
    "call_off",
    "claim",
    "hold_claim",
    "let_go",
    "partners_to_ask",
    "partners_to_send",
    "stopped",
    "take_over_expired",
]

_GIVEN_BACK: Final = ", ".join(f"'{status}'" for status in sorted(DEAD - {PaymentStatus.CANCELLED}))
DECLARED_DEAD_SQL: Final = f"EXISTS (SELECT FROM payment d WHERE d.batch_id = payment_batch.batch_id AND d.status IN ({_GIVEN_BACK}))"
"""Whether the stored bytes of a row of `payment_batch` hold a payment whose months were given back: a second copy might pay it."""

CALLED_OFF: Final = "not sent again: some of its payments were declared dead, and the stored request holds them"
"""Why a batch that its partner does not know waits for people."""

# A pause over the batch, its first batch not answered yet (or not ended, where the lane waits for results), and what is left of the day.
# A file that was delivered holds nobody up: its acknowledgement may take days.
_PAUSED: Final = """EXISTS (
    SELECT 1 FROM lane_pause w WHERE w.state <> 'RESUMED' AND (w.partner IS NULL OR w.partner = b.partner)
    AND (w.programme IS NULL OR w.programme = b.programme) AND (w.cycle_id IS NULL OR w.cycle_id = b.cycle_id))"""
_FIRST_IS_OUT: Final = """EXISTS (
    SELECT 1 FROM payment_batch f WHERE f.cycle_id = b.cycle_id AND f.partner = b.partner AND f.number = 1 AND f.batch_id <> b.batch_id
    AND f.failures = 0 AND (f.state IN ('READY', 'SENDING', 'RESEND') OR (f.state = 'UNCERTAIN' AND f.file_name IS NULL)
         OR (f.answered_at + make_interval(secs => :first_wait) > clock_timestamp() AND EXISTS (
             SELECT 1 FROM payment p WHERE p.batch_id = f.batch_id AND p.status IN ('SUBMITTING', 'SUBMITTED', 'UNKNOWN')))))"""
_CLAIM: Final = f"""
UPDATE payment_batch SET lease_owner = :owner, lease_until = clock_timestamp() + make_interval(secs => :seconds),
    started_at = CASE state WHEN 'READY' THEN clock_timestamp() ELSE started_at END,
    value_date = CASE state WHEN 'READY' THEN CAST(:value_date AS date) ELSE value_date END,
    after_cut_off = CASE state WHEN 'READY' THEN CAST(:after_cut_off AS boolean) ELSE after_cut_off END
WHERE batch_id = (
    SELECT batch_id FROM payment_batch b WHERE partner = :partner AND state IN ('READY', 'RESEND') AND next_at <= now()
    AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND NOT {_PAUSED}
    AND (state = 'RESEND' OR (NOT CAST(:waits AS boolean) AND
        (NOT CAST(:first_alone AS boolean) OR number = 1 OR NOT {_FIRST_IS_OUT})
        AND payments <= coalesce(CAST(:payments_left AS bigint), payments) AND amount <= coalesce(CAST(:amount_left AS bigint), amount)))
    ORDER BY next_at, batch_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING batch_id, cycle_id, reference
"""


async def claim(
    tx: Tx, lane: RowMapping, owner: str, lease_seconds: int, *, moment: Moment, payments_left: int | None, amount_left: int | None
) -> RowMapping | None:
    """Claim the next batch to send over a lane (locked by the caller); None when there is none that may go.

    A batch sent before goes again whatever the day's cap and the partner's hours say: it was counted and dated when it first went.
    """
    return await tx.row(
        _CLAIM,
        owner=owner,
        seconds=lease_seconds,
        partner=lane["partner"],
        first_alone=lane["first_batch_payments"] is not None,
        first_wait=lane["first_batch_wait_seconds"],
        value_date=moment.value_date,
        after_cut_off=moment.after_cut_off,
        waits=moment.waits_until is not None,
        payments_left=payments_left,
        amount_left=amount_left,
    )


_HOLD_CLAIM: Final = f"""
UPDATE payment_batch b SET lease_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE batch_id = :batch_id AND lease_owner = :owner AND lease_until > clock_timestamp() AND state IN ('READY', 'RESEND') AND NOT {_PAUSED}
RETURNING batch_id, cycle_id, reference, state, request, request_digest, payments, traceparent,
    state = 'RESEND' OR EXISTS (SELECT FROM database_restore d WHERE d.found_at > b.created_at) AS again,
    (SELECT business_date FROM payment_cycle c WHERE c.cycle_id = b.cycle_id) AS business_date
"""


async def hold_claim(tx: Tx, batch_id: UUID, owner: str, lease_seconds: int) -> RowMapping | None:
    """Lock a batch we claimed; None when the claim ran out or a pause came over it meanwhile.

    `again`: its partner has it already, or may have it, as a database that was put back to the past does not know.
    """
    return await tx.row(_HOLD_CLAIM, batch_id=batch_id, owner=owner, seconds=lease_seconds)


async def stopped(tx: Tx, batch_id: UUID) -> bool:
    """Whether nothing of this batch may leave now: a stop stands over it, or it is not known whether the database was put back to the past.

    The stops are locked against new ones until the transaction ends.
    """
    await tx.execute("LOCK TABLE lane_pause IN SHARE MODE")
    paused = await tx.value(f"SELECT {_PAUSED} FROM payment_batch b WHERE batch_id = :batch_id", batch_id=batch_id)
    return bool(paused) or not await restored.known(tx)


async def let_go(tx: Tx, batch_id: UUID, owner: str) -> None:
    """Give a claim back unsent."""
    await tx.execute(
        "UPDATE payment_batch SET lease_owner = NULL, lease_until = NULL,"
        " started_at = CASE WHEN state = 'READY' THEN NULL ELSE started_at END"
        " WHERE batch_id = :batch_id AND lease_owner = :owner AND state IN ('READY', 'RESEND')",
        batch_id=batch_id,
        owner=owner,
    )


async def call_off(tx: Tx, batch_id: UUID, owner: str) -> bool:
    """Whether a batch that was to go again must not, because some of it was declared dead meanwhile: it is uncertain again, for people."""
    touched = await tx.execute(
        "UPDATE payment_batch SET state = 'UNCERTAIN', lease_owner = NULL, lease_until = NULL, last_error = :why"
        f" WHERE batch_id = :batch_id AND lease_owner = :owner AND state = 'RESEND' AND {DECLARED_DEAD_SQL}",
        batch_id=batch_id,
        owner=owner,
        why=CALLED_OFF,
    )
    return touched == 1


async def being_sent(tx: Tx, references: Sequence[str]) -> bool:
    """Whether a batch of these payments is on its way to its partner this moment; none of them sets out before the transaction ends."""
    rows = await tx.rows(
        "SELECT state FROM payment_batch WHERE batch_id IN (SELECT batch_id FROM payment WHERE reference = ANY(:references))"
        " ORDER BY batch_id FOR SHARE",
        references=list(references),
    )
    return any(row["state"] == "SENDING" for row in rows)


async def take_over_expired(tx: Tx, partner: str) -> UUID | None:
    """Take one batch whose sender's lease ran out; its payments are to be inquired, never simply sent again."""
    row = await tx.row(
        "UPDATE payment_batch SET state = 'UNCERTAIN', lease_owner = NULL, lease_until = NULL, last_error = 'lease expired'"
        " WHERE batch_id = (SELECT batch_id FROM payment_batch WHERE partner = :partner AND state = 'SENDING'"
        "   AND lease_until < clock_timestamp() ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING batch_id",
        partner=partner,
    )
    return None if row is None else row["batch_id"]


async def partners_to_send(tx: Tx) -> frozenset[str]:
    """Partners with a batch that may be due to go, or one whose sender's lease ran out: all of them in one look."""
    rows = await tx.rows(
        "SELECT DISTINCT partner FROM payment_batch WHERE state IN ('READY', 'RESEND', 'SENDING')"
        " AND CASE state WHEN 'SENDING' THEN lease_until < clock_timestamp() ELSE next_at <= now() END"
    )
    return frozenset(row["partner"] for row in rows)


async def partners_to_ask(tx: Tx, partners: Sequence[str]) -> frozenset[str]:
    """Those of `partners` with a payment due for an inquiry, or a batch of unknown outcome that may have been answered meanwhile."""
    rows = await tx.rows(
        "SELECT partner FROM unnest(CAST(:partners AS text[])) AS t (partner) WHERE EXISTS ("
        "   SELECT 1 FROM payment p WHERE p.partner = t.partner AND p.inquire_at <= now() AND p.status IN ('UNKNOWN', 'SUBMITTED'))"
        " OR EXISTS (SELECT 1 FROM payment_batch b WHERE b.partner = t.partner AND b.state = 'UNCERTAIN')",
        partners=list(partners),
    )
    return frozenset(row["partner"] for row in rows)
