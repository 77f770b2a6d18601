"""An approved list becomes payments, in the transaction that approves it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.db import Tx
from disbursement.storage import payments
from disbursement.usecases.moves_told import told

__all__ = ["create_payments"]


async def create_payments(tx: Tx, cycle_id: UUID, list_id: UUID, business_date: date) -> int:
    """Make a payment of every LISTED line, batches of at most 1,000 per partner, the ledger's reserve, and PaymentInstructed events.

    Set-based: a few statements for any size. Calling it twice for one list is refused by the schema. Returns the number of payments.
    """
    made = await payments.create(tx, cycle_id, list_id, business_date)
    await audit.record(tx, "payments.create", "cycle", cycle_id, told(made, list_id=list_id))
    return sum(moved.payments for moved in made)
