"""Events of accounts whose state changed: the number goes out sealed for the one service that pays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from accounts.domain.policy import VneidUse
from accounts.storage import directory, policy
from common import outbox
from common.contracts.accounts_v1 import AccountClosed, AccountLinked, AccountRejected, AccountState, AccountStatus, ProviderLimitsSet
from common.db import Tx
from common.ids import new_id, stable_id

__all__ = ["publish_accounts", "publish_limits"]

PAYER: Final = "disbursement"
_TYPES: Final[dict[AccountStatus, type[AccountState]]] = {
    AccountStatus.ACTIVE: AccountLinked,
    AccountStatus.NEEDS_REVIEW: AccountRejected,
    AccountStatus.REJECTED: AccountRejected,
    AccountStatus.CLOSED: AccountClosed,
    AccountStatus.DORMANT: AccountClosed,
    AccountStatus.NOT_UPGRADED: AccountClosed,
}


async def publish_accounts(tx: Tx, rows: Sequence[RowMapping]) -> None:
    """Add one event per account row, carrying its full state.

    The number of an account known from VNeID is left out where it may not be paid into: the payer then pays in cash.
    """
    if not rows:
        return
    keyring = tx.db.keyring
    if keyring is None:
        raise RuntimeError("accounts needs its keyring")
    kept_back = any(row["source"] == "VNEID" for row in rows) and await policy.text(tx, VneidUse.PAYMENT) != "ALLOW"
    event_ids = [new_id() for _ in rows]
    events = []
    for event_id, row in zip(event_ids, rows, strict=True):
        number = keyring.decrypt("account_number", row["number_cipher"])
        status = AccountStatus(row["status"])
        events.append(
            _TYPES[status](
                version=row["version"],
                business_date=row["business_date"],
                payee_id=row["payee_id"],
                account_id=row["account_id"],
                kind=row["kind"],
                provider_code=row["provider_code"],
                partner=row["partner"],
                account_number={}
                if kept_back and row["source"] == "VNEID"
                else {PAYER: keyring.seal(PAYER, event_id, "account_number", number)},
                masked_number=row["masked_number"],
                holder_name=row["holder_name"],
                status=status,
                reason=row["reason"],
                unit_code=row["unit_code"],
                unit_path=row["unit_path"],
            )
        )
    await outbox.add(tx, events, event_ids=event_ids)


async def publish_limits(tx: Tx, business_date: date) -> int:
    """Say the limits of every provider whose limits changed since they were last said; how many. Payment keeps to them."""
    events = [
        ProviderLimitsSet(
            version=row["limits_version"],
            business_date=business_date,
            provider_id=stable_id("provider", row["code"]),
            provider_code=row["code"],
            per_payment=row["limit_per_payment"],
            per_month=row["limit_per_month"],
        )
        for row in await directory.take_limits(tx)
    ]
    if events:
        await outbox.add(tx, events)
    return len(events)
