"""What two people's correction books: the money leaves the account on which it rests for the person who has it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from common.db import Tx
from disbursement.domain.ledger import CORRECTION, CORRECTION_OF_WAITING
from disbursement.storage import budget

__all__ = ["ROUND", "post", "reserve"]

ROUND: Final = "1 + (SELECT count(*) FROM ledger_transfer t WHERE t.payment_id = m.payment_id AND t.kind = {kind})"
"""Which transfer of a repeated kind it is, of a row `m` of `payment_moved`."""

# Cash that was not collected waits on its own account until it is rolled over or taken back: the budget has it again only then.
_WAITS: Final = """(EXISTS (SELECT FROM ledger_transfer t WHERE t.payment_id = m.payment_id AND t.kind = 'UNCOLLECT')
        AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.payment_id = m.payment_id AND t.kind IN ('ROLL_OVER', 'TAKE_BACK')))"""
_POST: Final = f"""
INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, payment_id, cycle_id, partner, programme,
                             funding_source, business_date, round)
SELECT :journal_id, '{CORRECTION.kind}', '{CORRECTION.debit}',
       CASE WHEN {_WAITS} THEN '{CORRECTION_OF_WAITING.credit}' ELSE '{CORRECTION.credit}' END, m.amount, m.payment_id, m.cycle_id,
       m.partner, m.programme, m.funding_source, m.business_date, {ROUND.format(kind=f"'{CORRECTION.kind}'")}
FROM payment_moved m ORDER BY m.payment_id
"""
_GIVEN_BACK: Final = f"""
SELECT m.cycle_id, CAST(sum(m.amount) AS bigint) AS amount FROM payment_moved m WHERE NOT {_WAITS} GROUP BY 1 ORDER BY 1
"""


async def post(tx: Tx, journal_id: UUID) -> None:
    """Post the corrections that stand in `payment_moved`."""
    await tx.execute(_POST, journal_id=journal_id)


async def reserve(tx: Tx) -> bool:
    """Reserve again what these had given back to their budgets; False where one of them has not that much left."""
    return all([await budget.reserve_again(tx, row["cycle_id"], row["amount"]) for row in await tx.rows(_GIVEN_BACK)])
