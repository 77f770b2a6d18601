"""Reading the ledger. It is written by `storage.payment_moves` only, and by nobody twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["trial_balance"]

_SQL: Final = """
SELECT account, partner, programme, funding_source,
       sum(amount) FILTER (WHERE side = 'DEBIT') AS debit, sum(amount) FILTER (WHERE side = 'CREDIT') AS credit
FROM ledger_entry WHERE (CAST(:cycle_id AS uuid) IS NULL OR cycle_id = :cycle_id)
GROUP BY account, partner, programme, funding_source ORDER BY account, partner, programme, funding_source
"""


async def trial_balance(tx: Tx, cycle_id: UUID | None) -> Sequence[RowMapping]:
    """Debits and credits per account, partner, programme and funding source, in đồng; of one cycle or of all."""
    return await tx.rows(_SQL, cycle_id=cycle_id)
