"""Our side of the comparison with a partner's books."""

from __future__ import annotations

from typing import Any, Final

from common.db import Tx

__all__ = ["partner_totals"]

_SQL: Final = """
SELECT status, channel, count(*) AS payments, sum(amount) AS amount
FROM payment WHERE partner = :partner GROUP BY 1, 2 ORDER BY 1, 2
"""


async def partner_totals(tx: Tx, partner: str) -> dict[str, Any]:
    """A partner's payments by status and channel, the ledger's balance with it, and its open quarantine. Amounts in đồng.

    The partner's books must equal settled + collected, plus what is itemised as in transit, UNKNOWN or quarantined.
    """
    rows = await tx.rows(_SQL, partner=partner)
    row = await tx.row(
        "SELECT coalesce((SELECT sum(CASE WHEN credit_account = 'PARTNER' THEN amount ELSE -amount END) FROM ledger_transfer"
        "  WHERE partner = :partner AND 'PARTNER' IN (debit_account, credit_account)), 0) AS ledger_balance,"
        " (SELECT count(*) FROM quarantine WHERE partner = :partner AND state = 'OPEN') AS quarantined",
        partner=partner,
    )
    return {"by_status": [dict(item) for item in rows], **({name: int(value) for name, value in row.items()} if row else {})}
