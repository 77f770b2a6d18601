"""Applying good rows of an approved list: accounts to check, and how each person is to be paid."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from accounts.storage import alerts, history, methods
from accounts.storage.accounts import take_record_lock
from accounts.storage.method_sql import METHOD_EVENTS, NEW_ACCOUNT_FROM, NEW_TRUSTED
from common.contracts.accounts_v1 import PayoutMethodChosen
from common.db import Tx
from common.outbox import insert_select
from common.tracing import HERE_SQL

__all__ = ["apply_some"]

_BATCH: Final = """
WITH chosen AS (
    SELECT row_number FROM import_row WHERE import_id = :id AND verdict = 'GOOD' ORDER BY row_number LIMIT :limit
)
"""

# A known account that was refused before is asked about again: the holder may have had it reopened or upgraded.
_ACCOUNTS: Final = f"""
{_BATCH}, wanted AS (
    SELECT DISTINCT ON (r.payee_id, r.provider_code, r.number_blind) r.*, b.unit_code, b.unit_path, f.business_date, f.source, f.consent_on,
           coalesce(nullif(f.consent_evidence, ''), 'import ' || f.import_id) AS consent_evidence
    FROM import_row r JOIN chosen USING (row_number) JOIN import_file f USING (import_id) JOIN beneficiary b USING (beneficiary_id)
    WHERE r.import_id = :id AND r.method = 'ACCOUNT' ORDER BY r.payee_id, r.provider_code, r.number_blind, r.row_number
)
INSERT INTO account AS a (payee_id, payee_kind, via_beneficiary_id, kind, provider_code, partner, number_cipher, number_blind,
                          masked_number, unit_code, unit_path, business_date, source, consent_on, consent_evidence,
                          priority)
SELECT payee_id, payee_kind, beneficiary_id, kind, provider_code, partner, number_cipher, number_blind, masked_number, unit_code, unit_path,
       business_date, source, coalesce(consent_on, business_date), consent_evidence,
       (SELECT least(coalesce(max(o.priority), 0) + 1, 99) FROM account o WHERE o.payee_id = wanted.payee_id)
FROM wanted
ON CONFLICT (payee_id, provider_code, number_blind) DO UPDATE SET
    check_due = true, due_since = now(), next_try_at = now(), attempts = 0, business_date = excluded.business_date,
    traceparent = excluded.traceparent
WHERE NOT a.check_due AND a.status NOT IN ('PENDING_CHECK', 'ACTIVE')
"""

_LINK: Final = f"""
{_BATCH}
UPDATE import_row r SET account_id = a.account_id FROM chosen, account a
WHERE r.import_id = :id AND r.row_number = chosen.row_number AND r.method = 'ACCOUNT'
  AND a.payee_id = r.payee_id AND a.provider_code = r.provider_code AND a.number_blind = r.number_blind
"""

# Who leaves a shared account frees it for the others: they are asked about again.
_FREED: Final = f"""
{_BATCH}, left_accounts AS (
    SELECT DISTINCT a.provider_code, a.number_blind, a.account_id
    FROM import_row r JOIN chosen USING (row_number) JOIN payout_method m USING (beneficiary_id)
    JOIN account a ON a.account_id = m.account_id
    WHERE r.import_id = :id AND m.account_id IS DISTINCT FROM r.account_id
)
UPDATE account o SET check_due = true, due_since = now(), next_try_at = now(), attempts = 0, traceparent = {HERE_SQL}
FROM left_accounts l WHERE o.provider_code = l.provider_code AND o.number_blind = l.number_blind AND o.account_id <> l.account_id
  AND o.reason = 'SHARED_ACCOUNT' AND NOT o.check_due
"""

_METHODS: Final = f"""
{_BATCH}
INSERT INTO payout_method AS m (beneficiary_id, version, payee_id, payee_kind, method, account_id, reason, home_reason_cipher, unit_code,
                                unit_path, business_date)
SELECT r.beneficiary_id, 1, r.payee_id, r.payee_kind, r.method, r.account_id,
       CASE r.method WHEN 'CASH_POST' THEN 'PREFERENCE' WHEN 'CASH_HOME' THEN 'FORCE_MAJEURE' END, r.home_reason_cipher, b.unit_code,
       b.unit_path, f.business_date
FROM import_row r JOIN chosen USING (row_number) JOIN import_file f USING (import_id) JOIN beneficiary b USING (beneficiary_id)
WHERE r.import_id = :id
ON CONFLICT (beneficiary_id) DO UPDATE SET
    version = m.version + 1, payee_id = excluded.payee_id, payee_kind = excluded.payee_kind, method = excluded.method,
    account_id = excluded.account_id, reason = excluded.reason, home_reason_cipher = excluded.home_reason_cipher,
    trusted_account_id = {NEW_TRUSTED}, account_from = {NEW_ACCOUNT_FROM},
    unit_code = excluded.unit_code, unit_path = excluded.unit_path, business_date = excluded.business_date
WHERE (m.payee_id, m.payee_kind, m.method, m.account_id, m.reason)
    IS DISTINCT FROM (excluded.payee_id, excluded.payee_kind, excluded.method, excluded.account_id, excluded.reason)
RETURNING m.beneficiary_id
"""

_DONE: Final = f"""
{_BATCH}
UPDATE import_row r SET verdict = CASE WHEN r.beneficiary_id = ANY(CAST(:changed AS uuid[])) THEN 'APPLIED' ELSE 'UNCHANGED' END,
    retry = false
FROM chosen WHERE r.import_id = :id AND r.row_number = chosen.row_number
"""


async def apply_some(tx: Tx, import_id: UUID, limit: int) -> tuple[int, list[UUID]]:
    """Apply up to `limit` good rows of one import, with events. Returns (rows taken, people whose method changed)."""
    batch = {"id": import_id, "limit": limit}
    await take_record_lock(tx)
    await tx.execute(_ACCOUNTS, **batch)
    await tx.execute(_LINK, **batch)
    await tx.execute(_FREED, **batch)
    changed = [row["beneficiary_id"] for row in await tx.rows(_METHODS, **batch)]
    taken = await tx.execute(_DONE, changed=changed, **batch)
    if changed:
        sent = await tx.row("SELECT created_by, business_date FROM import_file WHERE import_id = :id", id=import_id)
        assert sent is not None
        await insert_select(tx, PayoutMethodChosen, METHOD_EVENTS, changed=changed)
        await history.note_methods(tx, changed, subject=sent["created_by"], in_bulk=True)
        await alerts.look_at_representatives(tx, changed, sent["business_date"])
        await methods.hold_newcomers(tx, sent["business_date"])
    return taken, changed
