"""Partners' lanes: limits as data, what is used of them, and the pauses that stand. All on the database's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.outside import Breaker
from disbursement.domain.lanes import BREAKER_FAILURES, BREAKER_FIRST_SECONDS, BREAKER_LONGEST_SECONDS
from disbursement.domain.reasons import AWAITING_ACKNOWLEDGEMENT

__all__ = [
    "BREAKER",
    "add_pause",
    "book_turn",
    "change",
    "counts",
    "find",
    "find_pause",
    "lock",
    "pauses",
    "set_pause",
    "stand_in",
    "standing_stops",
    "stop_if_abnormal",
    "take_turn",
    "used_today",
]

BREAKER: Final = Breaker(
    "partner_lane", "partner", first_seconds=BREAKER_FIRST_SECONDS, longest_seconds=BREAKER_LONGEST_SECONDS, threshold=BREAKER_FAILURES
)
"""In the lane's row, on the database's clock: all workers hold back together, and one of them tries first when the pause is over."""

_DAY_START: Final = "(date_trunc('day', clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh') AT TIME ZONE 'Asia/Ho_Chi_Minh')"


async def lock(tx: Tx, partner: str) -> RowMapping:
    """The lane of a partner, locked: claims of all workers pass here one after the other. Made with its defaults when it is new."""
    sql = (
        "SELECT *, next_turn_at <= clock_timestamp() AS has_turn, coalesce(open_until > clock_timestamp(), false) AS left_alone"
        " FROM partner_lane WHERE partner = :partner FOR UPDATE"
    )
    row = await tx.row(sql, partner=partner)
    if row is None:
        await tx.execute("INSERT INTO partner_lane (partner) VALUES (:partner) ON CONFLICT DO NOTHING", partner=partner)
        row = await tx.row(sql, partner=partner)
    if row is None:
        raise LookupError(partner)
    return row


async def find(tx: Tx, partner: str) -> RowMapping | None:
    """A partner's lane as it is kept; None while nobody has used or changed it."""
    return await tx.row("SELECT * FROM partner_lane WHERE partner = :partner", partner=partner)


async def stand_in(tx: Tx, partner: str) -> RowMapping:
    """A partner's lane, made with its defaults where it is not kept yet (for a transaction that writes)."""
    return await find(tx, partner) or await lock(tx, partner)


async def change(tx: Tx, partner: str, values: Mapping[str, Any], by: str) -> RowMapping:
    """Set columns of a lane (names are ours) and count its version up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    row = await tx.row(
        f"UPDATE partner_lane SET {sets}, version = version + 1, changed_by = :by, changed_at = clock_timestamp()"
        " WHERE partner = :partner RETURNING *",
        partner=partner,
        by=by,
        **values,
    )
    if row is None:
        raise LookupError(partner)
    return row


async def book_turn(tx: Tx, partner: str, requests_per_minute: int | None) -> None:
    """A request goes out now: when the next may."""
    if requests_per_minute is not None:
        await tx.execute(
            "UPDATE partner_lane SET next_turn_at = greatest(next_turn_at, clock_timestamp()) + make_interval(secs => 60.0 / :rate)"
            " WHERE partner = :partner",
            partner=partner,
            rate=requests_per_minute,
        )


async def take_turn(tx: Tx, partner: str) -> bool:
    """Book the turn of one inquiry; False when the partner is left alone for a while, or its rate does not allow one now."""
    lane = await lock(tx, partner)
    if lane["left_alone"] or (lane["requests_per_minute"] is not None and not lane["has_turn"]):
        return False
    await book_turn(tx, partner, lane["requests_per_minute"])
    return True


async def used_today(tx: Tx, partner: str) -> RowMapping:
    """Payments, đồng and batches taken to be sent since midnight in Vietnam, and batches under way now."""
    row = await tx.row(
        "SELECT coalesce(sum(payments), 0)::bigint AS payments, coalesce(sum(amount), 0)::bigint AS amount, count(*) AS batches,"
        " (SELECT count(*) FROM payment_batch u WHERE u.partner = :partner AND u.lease_until > clock_timestamp()) AS under_way"
        f" FROM payment_batch WHERE partner = :partner AND state <> 'WITHDRAWN' AND started_at >= {_DAY_START}",
        partner=partner,
    )
    if row is None:
        raise LookupError(partner)
    return row


# Only what was sent after people last let it go on counts: they have seen what was before. Files wait for their acknowledgement.
_STOP: Final = """
WITH since AS (
    SELECT coalesce(max(resumed_at), '-infinity') AS at FROM lane_pause
    WHERE kind = 'ABNORMAL' AND partner = :partner AND cycle_id = :cycle_id AND state = 'RESUMED'
),
sent AS (
    SELECT coalesce(sum(payments), 0) AS payments FROM payment_batch, since
    WHERE cycle_id = :cycle_id AND partner = :partner AND started_at > since.at AND state NOT IN ('READY', 'WITHDRAWN')
),
bad AS (
    SELECT count(*) FILTER (WHERE p.status = 'FAILED') AS failed, count(*) FILTER (WHERE p.status = 'UNKNOWN') AS unknown
    FROM payment p JOIN payment_batch b USING (batch_id), since
    WHERE p.partner = :partner AND p.cycle_id = :cycle_id AND b.started_at > since.at
      AND (p.status = 'FAILED' OR (p.status = 'UNKNOWN' AND p.reason IS DISTINCT FROM :awaited
           AND p.occurred_at < now() - make_interval(secs => :unknown_seconds)))
)
INSERT INTO lane_pause (kind, partner, cycle_id, reason, detail, paused_by)
SELECT 'ABNORMAL', :partner, :cycle_id, 'ABNORMAL_FAILURES',
       jsonb_build_object('sent', sent.payments, 'failed', bad.failed, 'unknown', bad.unknown, 'stop_percent', CAST(:percent AS integer)),
       :by
FROM sent, bad
WHERE sent.payments >= :from_payments AND (bad.failed + bad.unknown) * 100 > sent.payments * :percent
ON CONFLICT (partner, cycle_id) WHERE kind = 'ABNORMAL' AND state <> 'RESUMED' DO NOTHING
RETURNING pause_id, detail
"""


async def stop_if_abnormal(tx: Tx, lane: RowMapping, cycle_id: UUID, by: str) -> RowMapping | None:
    """Stop a partner for a cycle when too many of its payments failed or stayed UNKNOWN; the stop made, or None."""
    if lane["stop_percent"] is None:
        return None
    return await tx.row(
        _STOP,
        partner=lane["partner"],
        cycle_id=cycle_id,
        unknown_seconds=lane["stop_unknown_seconds"],
        percent=lane["stop_percent"],
        from_payments=lane["stop_from_payments"],
        awaited=AWAITING_ACKNOWLEDGEMENT,
        by=by,
    )


_PAUSE: Final = """
SELECT w.*, coalesce(s.steps, '[]') AS steps, s.steps -> -1 ->> 'note' AS resume_note
FROM lane_pause w LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('kind', t.kind, 'actor', t.actor, 'note', t.note, 'at', t.at) ORDER BY t.step_id) AS steps
    FROM lane_pause_step t WHERE t.pause_id = w.pause_id
) s ON TRUE
"""


async def add_pause(tx: Tx, *, partner: str | None, programme: str | None, reason: str, by: str) -> RowMapping:
    """A person stops a partner, a programme, both together, or everything."""
    row = await tx.row(
        "INSERT INTO lane_pause (kind, partner, programme, reason, paused_by) VALUES ('MANUAL', :partner, :programme, :reason, :by)"
        " RETURNING pause_id",
        partner=partner,
        programme=programme,
        reason=reason,
        by=by,
    )
    if row is None:
        raise LookupError(reason)
    return await _pause(tx, row["pause_id"])


async def find_pause(tx: Tx, pause_id: UUID) -> RowMapping | None:
    """One pause, locked."""
    return await tx.row(f"{_PAUSE} WHERE w.pause_id = :pause_id FOR UPDATE OF w", pause_id=pause_id)


async def set_pause(tx: Tx, pause_id: UUID, values: Mapping[str, Any], *, step: str, by: str, note: str) -> RowMapping:
    """Set columns of a pause (names are ours), and keep who said it with which words; `resumed_at` follows the state."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE lane_pause SET {sets}, resumed_at = CASE WHEN :state = 'RESUMED' THEN clock_timestamp() END WHERE pause_id = :pause_id",
        pause_id=pause_id,
        **values,
    )
    await tx.execute(
        "INSERT INTO lane_pause_step (pause_id, kind, actor, note) VALUES (:pause_id, :step, :by, :note)",
        pause_id=pause_id,
        step=step,
        by=by,
        note=note,
    )
    return await _pause(tx, pause_id)


async def _pause(tx: Tx, pause_id: UUID) -> RowMapping:
    row = await tx.row(f"{_PAUSE} WHERE w.pause_id = :pause_id", pause_id=pause_id)
    if row is None:
        raise LookupError(pause_id)
    return row


async def pauses(
    tx: Tx, *, partner: str | None = None, standing: bool = True, after: UUID | None = None, limit: int = 200
) -> Sequence[RowMapping]:
    """Pauses that stand (or all), oldest first; of one partner also those over every partner."""
    return await tx.rows(
        f"{_PAUSE} WHERE (NOT CAST(:standing AS boolean) OR state <> 'RESUMED')"
        " AND (CAST(:partner AS text) IS NULL OR partner IS NULL OR partner = :partner)"
        " AND (CAST(:after AS uuid) IS NULL OR pause_id > :after) ORDER BY pause_id LIMIT :limit",
        partner=partner,
        standing=standing,
        after=after,
        limit=limit,
    )


async def standing_stops(tx: Tx) -> dict[tuple[str, str], int]:
    """How many stops stand, by kind and partner (* where over all partners)."""
    rows = await tx.rows(
        "SELECT kind, coalesce(partner, '*') AS partner, count(*) AS n FROM lane_pause WHERE state <> 'RESUMED' GROUP BY 1, 2"
    )
    return {(row["kind"], row["partner"]): int(row["n"]) for row in rows}


_COUNTS: Final = """
SELECT count(*) FILTER (WHERE state IN ('READY', 'RESEND')) AS to_send,
       coalesce(sum(payments) FILTER (WHERE state IN ('READY', 'RESEND')), 0)::bigint AS payments_to_send,
       coalesce(sum(amount) FILTER (WHERE state IN ('READY', 'RESEND')), 0)::bigint AS amount_to_send,
       count(*) FILTER (WHERE state = 'SENDING') AS sending, count(*) FILTER (WHERE state = 'UNCERTAIN') AS uncertain,
       count(*) FILTER (WHERE failures > 0 AND state IN ('READY', 'UNCERTAIN', 'RESEND')) AS set_aside,
       coalesce(max(payments) FILTER (WHERE state = 'READY'), 0) AS largest_payments,
       coalesce(max(amount) FILTER (WHERE state = 'READY'), 0)::bigint AS largest_amount,
       (SELECT count(*) FROM payment p WHERE p.partner = :partner AND p.status = 'UNKNOWN') AS unknown_payments
FROM payment_batch WHERE partner = :partner AND state IN ('READY', 'SENDING', 'RESEND', 'UNCERTAIN')
"""


async def counts(tx: Tx, partner: str) -> RowMapping:
    """Batches on their way, and the largest that waits (a cap below it would never let it go)."""
    row = await tx.row(_COUNTS, partner=partner)
    if row is None:
        raise LookupError(partner)
    return row
