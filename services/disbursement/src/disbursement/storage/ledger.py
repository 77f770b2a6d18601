"""Writing what follows no payment's status, rolling uncollected money over, and reading the ledger at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.ids import new_id
from disbursement.domain.ledger import MONEY_POSTINGS, TransferKind
from disbursement.storage import budget

__all__ = ["allot", "free_uncollected", "journal", "post", "trial_balance"]


async def journal(tx: Tx, source: str, source_id: str) -> UUID:
    """Open a journal entry: who posts, and because of what."""
    journal_id = new_id()
    await tx.execute(
        "INSERT INTO ledger_journal (journal_id, source, source_id, actor) VALUES (:journal_id, :source, :source_id, :actor)",
        journal_id=journal_id,
        source=source,
        source_id=source_id,
        actor=tx.actor.subject if tx.actor else "system",
    )
    return journal_id


async def post(
    tx: Tx,
    journal_id: UUID,
    kind: TransferKind,
    *,
    subject_id: UUID,
    amount: int,
    programme: str,
    funding_source: str,
    business_date: date,
    partner: str | None = None,
    cycle_id: UUID | None = None,
) -> None:
    """Post one transfer of :data:`MONEY_POSTINGS`; an amount below zero goes the other way, zero is not posted.

    The schema refuses the same kind twice for one subject, partner and cycle.
    """
    if amount == 0:
        return
    posting = MONEY_POSTINGS[kind]
    debit, credit = (posting.debit, posting.credit) if amount > 0 else (posting.credit, posting.debit)
    await tx.execute(
        "INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, subject_id, cycle_id, partner,"
        " programme, funding_source, business_date) VALUES (:journal_id, :kind, :debit, :credit, :amount, :subject_id, :cycle_id,"
        " :partner, :programme, :funding_source, :business_date)",
        journal_id=journal_id,
        kind=kind.value,
        debit=debit.value,
        credit=credit.value,
        amount=abs(amount),
        subject_id=subject_id,
        cycle_id=cycle_id,
        partner=partner,
        programme=programme,
        funding_source=funding_source,
        business_date=business_date,
    )


async def allot(tx: Tx, movement_id: UUID, amount: int, programme: str, funding_source: str, business_date: date) -> None:
    """Post what an allotment adds to the budget (or, below zero, takes from it)."""
    journal_id = await journal(tx, "budget.allot", str(movement_id))
    await post(
        tx, journal_id, TransferKind.ALLOT, subject_id=movement_id, amount=amount, programme=programme,
        funding_source=funding_source, business_date=business_date,
    )  # fmt: skip


_FREE: Final = """
WITH freed AS (
    INSERT INTO ledger_transfer (journal_id, kind, debit_account, credit_account, amount, payment_id, cycle_id, partner, programme,
                                 funding_source, business_date)
    SELECT :journal_id, :kind, :debit, :credit, p.amount, p.payment_id, p.cycle_id, p.partner, p.programme, p.funding_source,
           CAST(:business_date AS date)
    FROM (
        -- Locked: two people may correct it to COLLECTED this very moment, and then nothing of it waits.
        SELECT p.* FROM payment p
        WHERE p.status = 'UNCOLLECTED' AND {chosen}
          AND NOT EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.payment_id = p.payment_id AND t.kind IN ('ROLL_OVER', 'TAKE_BACK'))
        ORDER BY p.payment_id FOR UPDATE OF p
    ) p
    RETURNING cycle_id, amount
)
SELECT cycle_id, CAST(sum(amount) AS bigint) AS amount, count(*) AS payments FROM freed GROUP BY cycle_id ORDER BY cycle_id
"""

_BY_LIST: Final = """EXISTS (
          SELECT 1 FROM list_line l JOIN allocation n ON n.line_id = l.line_id
          JOIN allocation o ON o.line_id = p.line_id AND o.benefit_line = n.benefit_line AND o.month = n.month
          WHERE l.list_id = :list_id AND l.state = 'LISTED' AND l.beneficiary_id = p.beneficiary_id
          AND l.programme = p.programme AND l.funding_source = p.funding_source)"""
_BY_CYCLE: Final = "p.cycle_id = :cycle_id AND p.partner = :partner"


async def free_uncollected(
    tx: Tx, *, business_date: date, list_id: UUID | None = None, cycle_id: UUID | None = None, partner: str | None = None
) -> tuple[int, int]:
    """Give uncollected money back to its budget: rolled over to a list that pays the person again, or taken back from a partner.

    Exactly one of `list_id` and (`cycle_id`, `partner`). Each payment is freed once (schema). Returns (payments, đồng).
    """
    kind = TransferKind.ROLL_OVER if list_id else TransferKind.TAKE_BACK
    posting = MONEY_POSTINGS[kind]
    journal_id = await journal(tx, "uncollected.roll_over" if list_id else "uncollected.take_back", str(list_id or cycle_id))
    chosen = _BY_LIST if list_id else _BY_CYCLE
    which = {"list_id": list_id} if list_id else {"cycle_id": cycle_id, "partner": partner}
    rows = await tx.rows(
        _FREE.format(chosen=chosen),
        journal_id=journal_id,
        kind=kind.value,
        debit=posting.debit.value,
        credit=posting.credit.value,
        business_date=business_date,
        **which,
    )
    for row in rows:
        await budget.release(tx, row["cycle_id"], row["amount"])
    return sum(row["payments"] for row in rows), sum(row["amount"] for row in rows)


_BALANCE: Final = """
SELECT e.account, e.partner, e.programme, e.funding_source,
       CAST(coalesce(sum(e.amount) FILTER (WHERE e.side = 'DEBIT'), 0) AS bigint) AS debit,
       CAST(coalesce(sum(e.amount) FILTER (WHERE e.side = 'CREDIT'), 0) AS bigint) AS credit
FROM ledger_entry e JOIN ledger_journal j USING (journal_id)
WHERE (CAST(:cycle_id AS uuid) IS NULL OR e.cycle_id = :cycle_id)
  AND (CAST(:partner AS text) IS NULL OR e.partner = :partner)
  AND (CAST(:programme AS text) IS NULL OR e.programme = :programme)
  AND (CAST(:funding_source AS text) IS NULL OR e.funding_source = :funding_source)
  AND (CAST(:at AS timestamptz) IS NULL OR j.posted_at <= :at)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 NULLS FIRST, 3, 4
"""


async def trial_balance(
    tx: Tx, *, cycle_id: UUID | None, partner: str | None, programme: str | None, funding_source: str | None, at: datetime | None
) -> Sequence[RowMapping]:
    """Debits and credits per account, partner, programme and funding source, in đồng, as they stood at a moment (now)."""
    return await tx.rows(_BALANCE, cycle_id=cycle_id, partner=partner, programme=programme, funding_source=funding_source, at=at)
