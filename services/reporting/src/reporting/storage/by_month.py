"""Read models of facts by month: the highest version whose business date lies in the month (see `storage.standings`)."""

from __future__ import annotations

from typing import Final

from common.contracts import accounts_v1, disbursement_v1, identity_verify_v1, registry_v1
from reporting.storage.projection import Projection, columns

__all__ = ["PROJECTIONS"]

_MONTH: Final = (("month", "text", "CAST(date_trunc('month', CAST(l.body ->> 'business_date' AS date)) AS date)"),)

PROJECTIONS: Final[tuple[Projection, ...]] = (
    Projection(
        "beneficiary_month",
        (
            registry_v1.BeneficiaryRegistered,
            registry_v1.BeneficiaryUpdated,
            registry_v1.BeneficiaryMoved,
            registry_v1.BeneficiaryDeceased,
        ),
        ("beneficiary_id", "month"),
        (
            *columns("beneficiary_id uuid, version bigint, unit_path text, programmes text[], status text"),
            ("doubtful", "boolean", "coalesce(CAST(l.body ->> 'unresolved_duplicate' AS boolean), FALSE)"),
            ("merged", "boolean", "l.body ->> 'merged_into' IS NOT NULL"),
            *_MONTH,
        ),
    ),
    Projection(
        "preference_month",
        (registry_v1.PreferenceRecorded,),
        ("beneficiary_id", "month"),
        columns("beneficiary_id uuid, version bigint, preference text") + _MONTH,
    ),
    Projection(
        "verification_month",
        (
            identity_verify_v1.BeneficiaryVerified,
            identity_verify_v1.BeneficiaryVerificationFailed,
            identity_verify_v1.BeneficiaryFoundDeceased,
        ),
        ("beneficiary_id", "subject_id", "month"),
        columns("beneficiary_id uuid, subject_id uuid, version bigint, verdict text") + _MONTH,
    ),
    Projection(
        "payout_method_month",
        (accounts_v1.PayoutMethodChosen,),
        ("beneficiary_id", "month"),
        columns("beneficiary_id uuid, version bigint, payee_id uuid, method text, account_id uuid") + _MONTH,
    ),
    Projection(
        "account_month",
        (accounts_v1.AccountLinked, accounts_v1.AccountRejected, accounts_v1.AccountClosed),
        ("account_id", "month"),
        columns("account_id uuid, version bigint, payee_id uuid, status text, reason text") + _MONTH,
    ),
    Projection(
        "opening_month",
        (accounts_v1.AccountOpeningChanged,),
        ("request_id", "month"),
        columns("request_id uuid, version bigint, payee_id uuid, beneficiary_id uuid, status text") + _MONTH,
    ),
    Projection(
        "recovery_month",
        (disbursement_v1.RecoveryOpened, disbursement_v1.RecoveryChanged),
        ("recovery_id", "month"),
        (
            *columns("recovery_id uuid, version bigint, beneficiary_id uuid, programme text, amount bigint, status text, unit_path text"),
            ("recovered", "bigint", "coalesce(r.recovered, 0)"),
            *_MONTH,
        ),
    ),
)
