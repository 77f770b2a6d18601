"""History of how people are paid and of their accounts' states: one row per change, never changed afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["changes_of_day", "note_accounts", "note_methods", "page"]

_METHODS: Final = """
INSERT INTO account_change (business_date, what, beneficiary_id, payee_id, account_id, version, state, reason, subject, in_bulk)
SELECT m.business_date, 'METHOD', m.beneficiary_id, m.payee_id, m.account_id, m.version, m.method, m.reason, :subject, :in_bulk
FROM payout_method m WHERE m.beneficiary_id = ANY(CAST(:ids AS uuid[]))
"""
_ACCOUNTS: Final = """
INSERT INTO account_change (business_date, what, beneficiary_id, payee_id, account_id, version, state, reason, subject, in_bulk)
SELECT a.business_date, 'STATUS', a.via_beneficiary_id, a.payee_id, a.account_id, a.version, a.status, a.reason, :subject, :in_bulk
FROM account a WHERE a.account_id = ANY(CAST(:ids AS uuid[]))
"""


async def note_methods(tx: Tx, beneficiary_ids: Sequence[UUID], *, subject: str, in_bulk: bool) -> None:
    """Keep how these people are to be paid from now on. `in_bulk`: a list that a second person approved."""
    await tx.execute(_METHODS, ids=list(beneficiary_ids), subject=subject, in_bulk=in_bulk)


async def note_accounts(tx: Tx, account_ids: Sequence[UUID], *, subject: str) -> None:
    """Keep the state these accounts have now."""
    await tx.execute(_ACCOUNTS, ids=list(account_ids), subject=subject, in_bulk=len(account_ids) > 1)


async def changes_of_day(tx: Tx, subject: str, business_date: date) -> int:
    """How many people's way to be paid one user changed on a business date, or today by the clock, other than by approved lists.

    By the clock too: the business date is what the user writes.
    """
    return int(
        await tx.value(
            "SELECT count(DISTINCT beneficiary_id) FROM account_change WHERE what = 'METHOD' AND subject = :subject"
            " AND NOT in_bulk AND (business_date = :day"
            "   OR at >= date_trunc('day', now() AT TIME ZONE 'Asia/Ho_Chi_Minh') AT TIME ZONE 'Asia/Ho_Chi_Minh')",
            subject=subject,
            day=business_date,
        )
    )


async def page(tx: Tx, beneficiary_id: UUID, *, after: int, limit: int) -> Sequence[RowMapping]:
    """One page of one person's history, oldest first; account numbers masked."""
    params: dict[str, Any] = {"id": beneficiary_id, "after": after, "limit": limit}
    return await tx.rows(
        "SELECT c.*, a.provider_code, a.masked_number FROM account_change c LEFT JOIN account a USING (account_id)"
        " WHERE c.beneficiary_id = :id AND c.change_id > :after ORDER BY c.change_id LIMIT :limit",
        **params,
    )
