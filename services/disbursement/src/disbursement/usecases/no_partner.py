"""Batches whose partner is no longer configured: nobody sends them and nobody asks about them, so a person must hear of it."""

from __future__ import annotations

from typing import Final

from common.telemetry import get_logger
from disbursement.domain.reasons import PARTNER_GONE
from disbursement.storage import batches, notices
from disbursement.usecases.payment_context import PaymentContext
from disbursement.usecases.set_aside import SET_ASIDE

__all__ = ["no_partner_round"]

_log: Final = get_logger(__name__)


async def no_partner_round(context: PaymentContext) -> bool:
    """Set every such batch aside for a person; it stands again at the next round while its partner is not back. A worker's loop."""
    async with context.db.transaction(context.actor) as tx:
        orphans = await batches.without_partner(tx, list(context.lanes))
        for row in orphans:
            await notices.quarantine_one(
                tx,
                partner=row["partner"],
                reason=PARTNER_GONE,
                source="BATCH",
                source_id=str(row["batch_id"]),
                said={"batch_reference": row["reference"], "payments": row["payments"], "error": f"no partner {row['partner']}"},
                fingerprint=f"{PARTNER_GONE}|{row['batch_id']}",
            )
    for row in orphans:
        SET_ASIDE.labels("batch", row["partner"]).inc()
        _log.error("batch.partner_gone", batch=row["reference"], partner=row["partner"])
    return False
