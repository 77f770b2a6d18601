"""SQL of how people are paid that single choices and approved lists share: the cool-down of a changed account, and the event."""

from __future__ import annotations

from typing import Final

from accounts.storage.policy import number_sql

__all__ = ["COLLECTOR", "COOL_DOWN", "METHOD_EVENTS", "NEW_ACCOUNT_FROM", "NEW_TRUSTED"]

COLLECTOR: Final = """LEFT JOIN LATERAL (
    SELECT x.full_name, x.fingerprint, x.number_token FROM representative x
    WHERE {a}.payee_kind <> 'SELF' AND x.representative_id = {a}.payee_id
    ORDER BY x.revoked_on IS NULL DESC, x.beneficiary_id = {a}.via_beneficiary_id DESC, x.beneficiary_id LIMIT 1
) r ON true"""
"""`r`: the payee of an account `{a}` who collects for others, as known now; nothing for somebody's own account. A right that has ended is
told nothing more of whoever held it: another one of the same person is."""

COOL_DOWN: Final = number_sql("COOL_DOWN_DAYS")

# The account in use on the day of the change: the chosen one if it ever was verified and has waited its time, else the one before.
_IN_USE: Final = """(CASE WHEN m.account_id IS NULL OR m.account_from > excluded.business_date
    OR NOT EXISTS (SELECT FROM account t WHERE t.account_id = m.account_id AND t.active_since IS NOT NULL)
    THEN m.trusted_account_id ELSE m.account_id END)"""

# A change counts from the latest day this service has heard of: whoever writes an earlier one saves no waiting.
_CHANGED_ON: Final = """greatest(excluded.business_date, least(CAST(now() AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date),
    greatest((SELECT max(business_date) FROM beneficiary), (SELECT max(business_date) FROM cut_off))))"""

NEW_TRUSTED: Final = f"CASE WHEN excluded.account_id IS NOT DISTINCT FROM m.account_id THEN m.trusted_account_id ELSE {_IN_USE} END"
"""For ON CONFLICT on `payout_method AS m`: kept through times of cash, so that cash in between saves no waiting time."""

NEW_ACCOUNT_FROM: Final = f"""CASE WHEN excluded.account_id IS NULL THEN NULL
    WHEN excluded.account_id = m.account_id THEN m.account_from
    WHEN {_IN_USE} IS NULL OR {_IN_USE} = excluded.account_id THEN NULL
    ELSE {_CHANGED_ON} + {COOL_DOWN} END"""
"""Likewise: from when on the account is used; null at once (a first account, or one that was in use before)."""

METHOD_EVENTS: Final = """
SELECT m.beneficiary_id AS key, uuidv7() AS event_id, json_build_object(
    'version', m.version, 'business_date', m.business_date, 'beneficiary_id', m.beneficiary_id, 'payee_id', m.payee_id,
    'payee_kind', m.payee_kind, 'method', m.method, 'account_id', m.account_id, 'reason', m.reason, 'unit_code', m.unit_code,
    'unit_path', m.unit_path, 'account_from', m.account_from, 'fraud_suspected', m.fraud_suspected,
    'meanwhile_account_id', CASE WHEN m.account_from IS NOT NULL THEN
        (SELECT t.account_id FROM account t WHERE t.account_id = m.trusted_account_id AND t.payee_id = m.payee_id) END) AS body
FROM payout_method m WHERE m.beneficiary_id = ANY(CAST(:changed AS uuid[]))
"""
"""What PayoutMethodChosen carries, for the people in `changed`."""
