"""How each beneficiary is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.storage.applying import METHOD_EVENTS
from common.contracts.accounts_v1 import PayoutMethodChosen
from common.db import Tx
from common.outbox import insert_select

__all__ = ["choose", "find", "free_shared", "move", "payee"]

_CHOOSE: Final = """
INSERT INTO payout_method AS m (beneficiary_id, version, payee_id, payee_kind, method, account_id, reason, home_reason_cipher, unit_code,
                                unit_path, business_date)
SELECT b.beneficiary_id, 1, :payee_id, :payee_kind, :method, :account_id, :reason, :home_reason, b.unit_code, b.unit_path, :business_date
FROM beneficiary b WHERE b.beneficiary_id = :beneficiary_id
ON CONFLICT (beneficiary_id) DO UPDATE SET version = m.version + 1, payee_id = excluded.payee_id, payee_kind = excluded.payee_kind,
    method = excluded.method, account_id = excluded.account_id, reason = excluded.reason, home_reason_cipher = excluded.home_reason_cipher,
    unit_code = excluded.unit_code, unit_path = excluded.unit_path, business_date = excluded.business_date
RETURNING m.version
"""


async def find(tx: Tx, beneficiary_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """The present choice of one beneficiary."""
    sql = (
        "SELECT m.*, a.status AS account_status, a.masked_number, a.provider_code FROM payout_method m"
        " LEFT JOIN account a USING (account_id) WHERE m.beneficiary_id = :id"
    )
    return await tx.row(sql + (" FOR UPDATE OF m" if lock else ""), id=beneficiary_id)


async def payee(tx: Tx, beneficiary_id: UUID, payee_id: UUID, account_id: UUID | None) -> tuple[str | None, bool]:
    """(kind of the payee: SELF, a representative's kind, None for a stranger; whether the account, if any, is this payee's)."""
    kind = (
        "SELF"
        if payee_id == beneficiary_id
        else await tx.value(
            "SELECT kind FROM representative WHERE beneficiary_id = :b AND representative_id = :p AND revoked_on IS NULL",
            b=beneficiary_id,
            p=payee_id,
        )
    )
    own = account_id is None or bool(
        await tx.value("SELECT true FROM account WHERE account_id = :a AND payee_id = :p AND status = 'ACTIVE'", a=account_id, p=payee_id)
    )
    return kind, own


async def choose(tx: Tx, beneficiary_id: UUID, *, business_date: date, **choice: Any) -> int:
    """Store a choice and its event; the new version. `choice`: payee_id, payee_kind, method, account_id, reason, home_reason."""
    version = await tx.value(_CHOOSE, beneficiary_id=beneficiary_id, business_date=business_date, **choice)
    await insert_select(tx, PayoutMethodChosen, METHOD_EVENTS, changed=[beneficiary_id])
    return int(version)


async def move(tx: Tx, beneficiary_ids: Sequence[UUID]) -> None:
    """Take choices along to the unit their beneficiary moved to, with events."""
    rows = await tx.rows(
        "UPDATE payout_method m SET unit_code = b.unit_code, unit_path = b.unit_path, business_date = b.business_date,"
        " version = m.version + 1 FROM beneficiary b WHERE m.beneficiary_id = b.beneficiary_id"
        " AND b.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND m.unit_path <> b.unit_path RETURNING m.beneficiary_id",
        ids=list(beneficiary_ids),
    )
    if rows:
        await insert_select(tx, PayoutMethodChosen, METHOD_EVENTS, changed=[row["beneficiary_id"] for row in rows])


async def free_shared(tx: Tx, account_id: UUID) -> None:
    """Ask again about accounts that were shared with this one, which its payee has left."""
    await tx.execute(
        "UPDATE account o SET check_due = true, due_since = now(), next_try_at = now(), attempts = 0 FROM account l"
        " WHERE l.account_id = :id AND o.provider_code = l.provider_code AND o.number_blind = l.number_blind"
        " AND o.account_id <> l.account_id AND o.reason = 'SHARED_ACCOUNT' AND NOT o.check_due",
        id=account_id,
    )
