"""Our copies of other services' facts, written set-based from event bodies; only a higher version replaces a lower one.

Each function takes the bodies of a poll batch as one JSON array. The same part may come several times and in any
order: the highest version of the batch is taken, then compared with the stored one. A row that a list is made from keeps the trace
context of the event that formed it (`traceparent`; empty where no traces are made).
"""

from __future__ import annotations

from typing import Final

from common.db import Tx
from disbursement.storage import recoveries

__all__ = [
    "put_accounts",
    "put_beneficiaries",
    "put_dues",
    "put_entitlements",
    "put_limits",
    "put_methods",
    "put_representatives",
    "put_units",
    "put_verifications",
]

_UNITS: Final = """
INSERT INTO administrative_unit AS t (unit_id, version, code, name, level, path, valid_from, valid_to)
SELECT DISTINCT ON (unit_id) unit_id, version, code, name, level, path, valid_from, valid_to
FROM json_to_recordset(CAST(:bodies AS json)) AS e (unit_id uuid, version bigint, code text, name text, level text, path text,
                                                    valid_from date, valid_to date)
ORDER BY unit_id, version DESC
ON CONFLICT (unit_id) DO UPDATE SET
    version = excluded.version, code = excluded.code, name = excluded.name, level = excluded.level, path = excluded.path,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to
WHERE excluded.version > t.version
"""

_BENEFICIARIES: Final = """
INSERT INTO beneficiary AS t (beneficiary_id, version, file_code, full_name, birth_date, unit_code, unit_path, status, death_date,
                              identity_fingerprint, unresolved_duplicate, phone_token, number_index, traceparent)
SELECT DISTINCT ON (beneficiary_id) beneficiary_id, version, file_code, full_name, birth_date, unit_code, unit_path, status, death_date,
       identity_fingerprint, coalesce(unresolved_duplicate, false), phone ->> :service, number_index ->> :service,
       CAST(:traces AS jsonb) ->> CAST(beneficiary_id AS text)
FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, version bigint, file_code text, full_name text, birth_date text,
     unit_code text, unit_path text, status text, death_date date, identity_fingerprint text, unresolved_duplicate boolean, phone json,
     number_index json)
ORDER BY beneficiary_id, version DESC
ON CONFLICT (beneficiary_id) DO UPDATE SET
    version = excluded.version, file_code = excluded.file_code, full_name = excluded.full_name, birth_date = excluded.birth_date,
    unit_code = excluded.unit_code, unit_path = excluded.unit_path, status = excluded.status, death_date = excluded.death_date,
    identity_fingerprint = excluded.identity_fingerprint, unresolved_duplicate = excluded.unresolved_duplicate,
    phone_token = excluded.phone_token, number_index = excluded.number_index, traceparent = excluded.traceparent
WHERE excluded.version > t.version
"""

_REPRESENTATIVES: Final = """
INSERT INTO representative AS t (beneficiary_id, representative_id, version, kind, full_name, identity_fingerprint, valid_from, valid_to,
                                 revoked_on, programmes, basis)
SELECT DISTINCT ON (beneficiary_id, representative_id) beneficiary_id, representative_id, version, kind, full_name,
       identity_fingerprint, valid_from, valid_to, revoked_on, coalesce(programmes, '{}'), coalesce(basis, 'STANDING')
FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, representative_id uuid, version bigint, kind text,
     full_name text, identity_fingerprint text, valid_from date, valid_to date, revoked_on date, programmes text[], basis text)
ORDER BY beneficiary_id, representative_id, version DESC
ON CONFLICT (beneficiary_id, representative_id) DO UPDATE SET
    version = excluded.version, kind = excluded.kind, full_name = excluded.full_name,
    identity_fingerprint = excluded.identity_fingerprint, valid_from = excluded.valid_from, valid_to = excluded.valid_to,
    revoked_on = excluded.revoked_on, programmes = excluded.programmes, basis = excluded.basis
WHERE excluded.version > t.version
"""

_ENTITLEMENTS: Final = """
INSERT INTO entitlement_state AS t (entitlement_id, beneficiary_id, version, programme, funding_source, benefit_line, status)
SELECT DISTINCT ON (entitlement_id) entitlement_id, beneficiary_id, version, programme, funding_source, benefit_line, status
FROM json_to_recordset(CAST(:bodies AS json)) AS e (entitlement_id uuid, beneficiary_id uuid, version bigint, programme text,
     funding_source text, benefit_line text, status text)
ORDER BY entitlement_id, version DESC
ON CONFLICT (entitlement_id) DO UPDATE SET
    beneficiary_id = excluded.beneficiary_id, version = excluded.version, programme = excluded.programme,
    funding_source = excluded.funding_source, benefit_line = excluded.benefit_line, status = excluded.status
WHERE excluded.version > t.version
"""

_DUES: Final = """
INSERT INTO dues AS t (beneficiary_id, version, unit_code, unit_path, traceparent)
SELECT DISTINCT ON (beneficiary_id) beneficiary_id, version, unit_code, unit_path, CAST(:traces AS jsonb) ->> CAST(beneficiary_id AS text)
FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, version bigint, unit_code text, unit_path text)
ORDER BY beneficiary_id, version DESC
ON CONFLICT (beneficiary_id) DO UPDATE SET version = excluded.version, unit_code = excluded.unit_code, unit_path = excluded.unit_path,
    traceparent = excluded.traceparent
WHERE excluded.version > t.version
RETURNING beneficiary_id, version
"""

_INTERVALS: Final = """
INSERT INTO due_interval (beneficiary_id, programme, funding_source, benefit_line, from_month, to_month, amount, status, basis,
                          decision_number, explicit_arrears)
SELECT d.beneficiary_id, line.programme, line.funding_source, line.benefit_line, CAST(i.from_month || '-01' AS date),
       CAST(i.to_month || '-01' AS date), i.amount, i.status, i.basis, i.decision_number, i.explicit_arrears
FROM (
    SELECT DISTINCT ON (beneficiary_id) beneficiary_id, lines
    FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, version bigint, lines json)
    JOIN unnest(CAST(:ids AS uuid[])) AS changed (beneficiary_id) USING (beneficiary_id)
    ORDER BY beneficiary_id, version DESC
) d
CROSS JOIN LATERAL json_to_recordset(d.lines) AS line (programme text, funding_source text, benefit_line text, intervals json)
CROSS JOIN LATERAL json_to_recordset(line.intervals) AS i (from_month text, to_month text, amount bigint, status text, basis text,
     decision_number text, explicit_arrears boolean)
"""

_VERIFICATIONS: Final = """
INSERT INTO verification AS t (beneficiary_id, subject_id, subject_kind, version, verdict, source_status, identity_fingerprint, checked_on,
                               valid_until, death_date, grace_until, traceparent)
SELECT DISTINCT ON (beneficiary_id, subject_id) beneficiary_id, subject_id, subject_kind, version, verdict, source_status,
       identity_fingerprint, checked_on, valid_until, death_date, grace_until, CAST(:traces AS jsonb) ->> CAST(beneficiary_id AS text)
FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, subject_id uuid, subject_kind text, version bigint,
     verdict text, source_status text, identity_fingerprint text, checked_on date, valid_until date, death_date date,
     grace_until date)
ORDER BY beneficiary_id, subject_id, version DESC
ON CONFLICT (beneficiary_id, subject_id) DO UPDATE SET
    subject_kind = excluded.subject_kind, version = excluded.version, verdict = excluded.verdict,
    source_status = excluded.source_status, identity_fingerprint = excluded.identity_fingerprint, checked_on = excluded.checked_on,
    valid_until = excluded.valid_until, death_date = excluded.death_date, grace_until = excluded.grace_until,
    traceparent = excluded.traceparent
WHERE excluded.version > t.version
"""

_ACCOUNTS: Final = """
INSERT INTO payout_account AS t (account_id, payee_id, version, kind, provider_code, partner, account_number_token, masked_number,
                                 holder_name, status, reason, traceparent)
SELECT DISTINCT ON (account_id) account_id, payee_id, version, kind, provider_code, partner, account_number ->> :service, masked_number,
       holder_name, status, reason, CAST(:traces AS jsonb) ->> CAST(payee_id AS text)
FROM json_to_recordset(CAST(:bodies AS json)) AS e (account_id uuid, payee_id uuid, version bigint, kind text, provider_code text,
     partner text, account_number json, masked_number text, holder_name text, status text, reason text)
ORDER BY account_id, version DESC
ON CONFLICT (account_id) DO UPDATE SET
    payee_id = excluded.payee_id, version = excluded.version, kind = excluded.kind, provider_code = excluded.provider_code,
    partner = excluded.partner, account_number_token = excluded.account_number_token, masked_number = excluded.masked_number,
    holder_name = excluded.holder_name, status = excluded.status, reason = excluded.reason, traceparent = excluded.traceparent
WHERE excluded.version > t.version
"""

_METHODS: Final = """
INSERT INTO payout_method AS t (beneficiary_id, version, payee_id, payee_kind, method, account_id, reason, account_from,
                                meanwhile_account_id, fraud_suspected, traceparent)
SELECT DISTINCT ON (beneficiary_id) beneficiary_id, version, payee_id, payee_kind, method, account_id, reason, account_from,
       meanwhile_account_id, coalesce(fraud_suspected, false), CAST(:traces AS jsonb) ->> CAST(beneficiary_id AS text)
FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, version bigint, payee_id uuid, payee_kind text, method text,
     account_id uuid, reason text, account_from date, meanwhile_account_id uuid, fraud_suspected boolean)
ORDER BY beneficiary_id, version DESC
ON CONFLICT (beneficiary_id) DO UPDATE SET
    version = excluded.version, payee_id = excluded.payee_id, payee_kind = excluded.payee_kind, method = excluded.method,
    account_id = excluded.account_id, reason = excluded.reason, account_from = excluded.account_from,
    meanwhile_account_id = excluded.meanwhile_account_id, fraud_suspected = excluded.fraud_suspected, traceparent = excluded.traceparent
WHERE excluded.version > t.version
"""

_LIMITS: Final = """
INSERT INTO provider_limit AS t (provider_code, version, per_payment, per_month)
SELECT DISTINCT ON (provider_code) provider_code, version, per_payment, per_month
FROM json_to_recordset(CAST(:bodies AS json)) AS e (provider_code text, version bigint, per_payment bigint, per_month bigint)
ORDER BY provider_code, version DESC
ON CONFLICT (provider_code) DO UPDATE SET
    version = excluded.version, per_payment = excluded.per_payment, per_month = excluded.per_month
WHERE excluded.version > t.version
"""


async def put_units(tx: Tx, bodies: str) -> None:
    """Administrative units (`AdministrativeUnitChanged` bodies as a JSON array)."""
    await tx.execute(_UNITS, bodies=bodies)


async def put_beneficiaries(tx: Tx, bodies: str, service: str) -> None:
    """People (`BeneficiaryState` bodies); of the sealed phone and the number's index only what is for `service` is kept."""
    await tx.execute(_BENEFICIARIES, bodies=bodies, service=service, traces=tx.traces_json())


async def put_representatives(tx: Tx, bodies: str) -> None:
    """Who may collect for whom (`RepresentativeState` bodies)."""
    await tx.execute(_REPRESENTATIVES, bodies=bodies)


async def put_entitlements(tx: Tx, bodies: str) -> None:
    """Which allowances a decision suspended, changed, resumed or ended (`EntitlementState` bodies)."""
    await tx.execute(_ENTITLEMENTS, bodies=bodies)


async def put_dues(tx: Tx, bodies: str) -> None:
    """Everything due to a person: a higher version replaces all of its intervals (`DuesChanged` bodies)."""
    changed = [row["beneficiary_id"] for row in await tx.rows(_DUES, bodies=bodies, traces=tx.traces_json())]
    if not changed:
        return
    await tx.execute("DELETE FROM due_interval WHERE beneficiary_id = ANY(CAST(:ids AS uuid[]))", ids=changed)
    await tx.execute(_INTERVALS, bodies=bodies, ids=changed)
    await recoveries.flag(tx, changed, bodies)


async def put_verifications(tx: Tx, bodies: str) -> None:
    """What the population database said of each subject (`VerificationState` bodies)."""
    await tx.execute(_VERIFICATIONS, bodies=bodies, traces=tx.traces_json())


async def put_accounts(tx: Tx, bodies: str, service: str) -> None:
    """Payout accounts; of the sealed number only the token for `service` is kept (`AccountState` bodies)."""
    await tx.execute(_ACCOUNTS, bodies=bodies, service=service, traces=tx.traces_json())


async def put_methods(tx: Tx, bodies: str) -> None:
    """How each beneficiary is to be paid (`PayoutMethodChosen` bodies)."""
    await tx.execute(_METHODS, bodies=bodies, traces=tx.traces_json())


async def put_limits(tx: Tx, bodies: str) -> None:
    """What one account of each provider may receive (`ProviderLimitsSet` bodies)."""
    await tx.execute(_LIMITS, bodies=bodies)
