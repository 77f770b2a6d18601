"""How each beneficiary is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.storage import alerts, history
from accounts.storage.method_sql import COOL_DOWN, METHOD_EVENTS, NEW_ACCOUNT_FROM, NEW_TRUSTED
from common import audit
from common.contracts.accounts_v1 import PayoutMethodChosen
from common.db import Tx
from common.outbox import insert_select
from common.tracing import HERE_SQL

__all__ = ["changed", "choose", "fall_over", "find", "free_shared", "hold_newcomers", "move", "payee", "say"]

_CHOOSE: Final = f"""
INSERT INTO payout_method AS m (beneficiary_id, version, payee_id, payee_kind, method, account_id, reason, home_reason_cipher, unit_code,
                                unit_path, business_date)
SELECT b.beneficiary_id, 1, :payee_id, :payee_kind, :method, :account_id, :reason, :home_reason, b.unit_code, b.unit_path, :business_date
FROM beneficiary b WHERE b.beneficiary_id = :beneficiary_id
ON CONFLICT (beneficiary_id) DO UPDATE SET version = m.version + 1, payee_id = excluded.payee_id, payee_kind = excluded.payee_kind,
    method = excluded.method, account_id = excluded.account_id, reason = excluded.reason, home_reason_cipher = excluded.home_reason_cipher,
    trusted_account_id = {NEW_TRUSTED}, account_from = {NEW_ACCOUNT_FROM},
    unit_code = excluded.unit_code, unit_path = excluded.unit_path, business_date = excluded.business_date
RETURNING m.version
"""

# An account that was never verified is not left for another: the person or the office wrote a wrong number and is asked.
_FALL_OVER: Final = f"""
UPDATE payout_method m SET account_id = n.account_id, version = m.version + 1, reason = 'NEXT_ACCOUNT', trusted_account_id = NULL,
    business_date = a.business_date,
    account_from = CASE WHEN n.active_since + {COOL_DOWN} > a.business_date THEN n.active_since + {COOL_DOWN} END
FROM account a CROSS JOIN LATERAL (
    SELECT o.account_id, o.active_since FROM account o
    WHERE o.payee_id = a.payee_id AND o.account_id <> a.account_id AND o.status = 'ACTIVE' ORDER BY o.priority, o.account_id LIMIT 1
) n
WHERE m.account_id = a.account_id AND a.account_id = ANY(CAST(:ids AS uuid[])) AND a.active_since IS NOT NULL
  AND a.status IN ('CLOSED', 'REJECTED', 'DORMANT', 'NOT_UPGRADED')
RETURNING m.beneficiary_id
"""


async def find(tx: Tx, beneficiary_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """The present choice of one beneficiary."""
    sql = (
        "SELECT m.*, a.status AS account_status, a.masked_number, a.provider_code FROM payout_method m"
        " LEFT JOIN account a USING (account_id) WHERE m.beneficiary_id = :id"
    )
    return await tx.row(sql + (" FOR UPDATE OF m" if lock else ""), id=beneficiary_id)


def changed(now: RowMapping | None, **chosen: Any) -> audit.Changed:
    """For the audit log: how somebody was to be paid (`now`, None before any choice), and is."""
    return audit.Changed({name: now[name] if now is not None else None for name in chosen}, chosen)


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
    await say(tx, [beneficiary_id], subject=_subject(tx), in_bulk=False)
    await alerts.look_at_representatives(tx, [beneficiary_id], business_date)
    await alerts.look_at_user(tx, _subject(tx), business_date)
    held = await hold_newcomers(tx, business_date)
    return int(version) + (beneficiary_id in held)


async def hold_newcomers(tx: Tx, business_date: date) -> list[UUID]:
    """Hold whoever has come to an account, a representative or a user under suspicion, and say so; who that was."""
    held = await alerts.hold_newcomers(tx, business_date)
    await say(tx, held, subject=_subject(tx), in_bulk=True)
    return held


async def say(tx: Tx, beneficiary_ids: Sequence[UUID], *, subject: str, in_bulk: bool) -> None:
    """Publish how these people are to be paid now, and keep it in the history."""
    if beneficiary_ids:
        await insert_select(tx, PayoutMethodChosen, METHOD_EVENTS, changed=list(beneficiary_ids))
        await history.note_methods(tx, beneficiary_ids, subject=subject, in_bulk=in_bulk)


async def fall_over(tx: Tx, account_ids: Sequence[UUID]) -> None:
    """Whoever's account came to its end is paid into the payee's next account in order of priority, if there is a verified one.

    Without one nothing changes here: the person is paid in cash, with the account's own reason.
    """
    rows = await tx.rows(_FALL_OVER, ids=list(account_ids))
    await say(tx, [row["beneficiary_id"] for row in rows], subject=_subject(tx), in_bulk=True)


def _subject(tx: Tx) -> str:
    return tx.actor.subject if tx.actor is not None else "system:accounts"


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
        "UPDATE account o SET check_due = true, due_since = now(), next_try_at = now(), attempts = 0,"
        f" traceparent = {HERE_SQL} FROM account l"
        " WHERE l.account_id = :id AND o.provider_code = l.provider_code AND o.number_blind = l.number_blind"
        " AND o.account_id <> l.account_id AND o.reason = 'SHARED_ACCOUNT' AND NOT o.check_due",
        id=account_id,
    )
