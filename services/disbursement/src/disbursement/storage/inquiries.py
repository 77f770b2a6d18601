"""Which payments must be asked about, and when to ask again (database time)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from disbursement.storage.payment_moves import expected_sql, pause_sql

__all__ = ["any_due", "claim_due", "lost_by_partner", "postpone"]

_CLAIM_SQL: Final = f"""
UPDATE payment p
SET inquiries = p.inquiries + 1,
    inquire_at = now() + make_interval(secs =>
        CASE WHEN p.status = 'UNKNOWN' THEN {pause_sql("p", "p.inquiries + 2")} ELSE {expected_sql("p")} END)
WHERE p.payment_id IN (
    SELECT payment_id FROM payment
    WHERE partner = :partner AND inquire_at <= now() AND status IN ('UNKNOWN', 'SUBMITTED')
    ORDER BY inquire_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING p.reference, p.status
"""


async def any_due(tx: Tx, partner: str) -> bool:
    """Whether anything is due for an inquiry now."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT 1 FROM payment WHERE partner = :partner AND inquire_at <= now() AND status IN ('UNKNOWN', 'SUBMITTED'))",
            partner=partner,
        )
    )


async def claim_due(tx: Tx, partner: str, limit: int) -> Sequence[RowMapping]:
    """Take payments of a partner that are due for an inquiry, and set when to ask next if this one brings nothing."""
    return await tx.rows(_CLAIM_SQL, partner=partner, limit=limit)


async def postpone(tx: Tx, partner: str, seconds: float) -> None:
    """Nobody answers: ask about nothing of this partner for a while."""
    await tx.execute(
        "UPDATE payment SET inquire_at = now() + make_interval(secs => :seconds)"
        " WHERE partner = :partner AND inquire_at < now() + make_interval(secs => :seconds)",
        partner=partner,
        seconds=seconds,
    )


async def lost_by_partner(tx: Tx, references: Sequence[str], source_id: str) -> int:
    """Quarantine payments the partner accepted and now does not know; how many are new, or stand again after somebody dismissed that.

    Nothing else tells that these people are not paid.
    """
    return await tx.execute(
        "INSERT INTO quarantine (partner, reason, source, source_id, reference, payment_id, unit_path, said, fingerprint, dismissed_before)"
        " SELECT p.partner, 'LOST_BY_PARTNER', 'INQUIRY', :source_id, p.reference, p.payment_id, p.unit_path,"
        "        jsonb_build_object('status', 'NOT_FOUND'), f.fingerprint,"
        "        (SELECT count(*) FROM quarantine e WHERE e.partner = p.partner AND e.fingerprint = f.fingerprint AND e.state = 'RESOLVED')"
        " FROM payment p JOIN payment_batch b USING (batch_id)"
        " CROSS JOIN LATERAL (SELECT md5('LOST_BY_PARTNER|' || p.reference) AS fingerprint) f"
        " WHERE p.reference = ANY(:references) AND (p.status = 'SUBMITTED' OR (p.status = 'UNKNOWN' AND b.state = 'SENT'))"
        " ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO NOTHING",
        references=list(references),
        source_id=source_id,
    )
