"""Our side of the comparison with a partner's books."""

from __future__ import annotations

from typing import Any, Final

from common.actor import Actor
from common.db import Tx

__all__ = ["partner_totals"]

_PAYMENTS: Final = """
SELECT p.status, p.channel, count(*) AS payments, sum(p.amount) AS amount
FROM payment p WHERE p.partner = :partner AND {scope} GROUP BY 1, 2 ORDER BY 1, 2
"""

_REST: Final = """
SELECT coalesce((SELECT sum(CASE WHEN t.debit_account = 'SETTLED' THEN t.amount ELSE -t.amount END)
                 FROM ledger_transfer t JOIN payment p USING (payment_id)
                 WHERE t.partner = :partner AND t.kind IN ('SETTLE', 'CORRECT', 'RETURN') AND {scope}), 0) AS ledger_balance,
       (SELECT count(*) FROM quarantine p WHERE p.partner = :partner AND p.state = 'OPEN' AND (p.unit_path IS NULL OR {scope}))
           AS quarantined
"""


async def partner_totals(tx: Tx, actor: Actor, partner: str) -> dict[str, Any]:
    """A partner's payments by status and channel, the ledger's balance with it, and its open quarantine. Amounts in đồng.

    Only of the actor's units; a partner, which has no units, sees all that was given to it.
    The partner's books must equal settled + collected, plus what is itemised as in transit, UNKNOWN or quarantined.
    """
    scope, params = ("TRUE", {}) if actor.partner == partner else actor.scope_sql("p.unit_path")
    rows = await tx.rows(_PAYMENTS.format(scope=scope), partner=partner, **params)
    row = await tx.row(_REST.format(scope=scope), partner=partner, **params)
    return {"by_status": [dict(item) for item in rows], **({name: int(value) for name, value in row.items()} if row else {})}
