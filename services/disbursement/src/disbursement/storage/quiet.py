"""Counts of payment work that is not done yet."""

from __future__ import annotations

from common.db import Tx

__all__ = ["payment_counts"]


async def payment_counts(tx: Tx) -> dict[str, int]:
    """Batches not answered, notices not applied, payments UNKNOWN or being sent; all zero when nothing is on its way.

    What was set aside because it cannot be read is counted apart: it waits for a person, not for time.
    """
    row = await tx.row(
        "SELECT (SELECT count(*) FROM payment_batch WHERE state IN ('READY', 'SENDING', 'RESEND')) AS batches_to_send,"
        " (SELECT count(*) FROM partner_notice WHERE state = 'RECEIVED' AND failures = 0) AS notices_waiting,"
        " (SELECT count(*) FROM partner_notice WHERE state = 'RECEIVED' AND failures > 0) AS notices_set_aside,"
        " (SELECT count(*) FROM payment_batch WHERE failures > 0 AND state IN ('UNCERTAIN', 'RESEND')) AS batches_set_aside,"
        " (SELECT count(*) FROM payment WHERE inquire_at IS NOT NULL AND status = 'UNKNOWN') AS payments_unknown"
    )
    return {name: int(value) for name, value in (row or {}).items()}
