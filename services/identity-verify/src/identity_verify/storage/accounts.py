"""The payees' accounts, masked, as lists for the police show them. Copied from accounts; nothing here decides a payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from common.contracts.accounts_v1 import AccountState
from common.db import Tx

__all__ = ["upsert"]

_UPSERT: Final = """
INSERT INTO account_copy AS c (account_id, payee_id, version, provider_code, masked_number, status)
SELECT * FROM unnest(CAST(:account_id AS uuid[]), CAST(:payee_id AS uuid[]), CAST(:version AS bigint[]), CAST(:provider_code AS text[]),
    CAST(:masked_number AS text[]), CAST(:status AS text[]))
ON CONFLICT (account_id) DO UPDATE SET payee_id = excluded.payee_id, version = excluded.version, provider_code = excluded.provider_code,
    masked_number = excluded.masked_number, status = excluded.status
WHERE excluded.version > c.version
"""


async def upsert(tx: Tx, events: Sequence[AccountState]) -> None:
    """Store higher versions (at most one event per account)."""
    ordered = sorted(events, key=lambda event: event.account_id)
    names = ("account_id", "payee_id", "version", "provider_code", "masked_number")
    columns = {name: [getattr(event, name) for event in ordered] for name in names}
    await tx.execute(_UPSERT, **columns, status=[event.status.value for event in ordered])
