"""Read models from the event log: one `INSERT … SELECT … ON CONFLICT` per model, the same for a batch and for a rebuild.

Each statement reads a range of the log, keeps the highest version of each part, and writes it only over a lower one. So order
does not matter and repeats are harmless.
"""

from __future__ import annotations

from typing import Final

from common.contracts import accounts_v1, disbursement_v1, identity_verify_v1, registry_v1
from common.db import Tx
from reporting.storage import by_month, sums
from reporting.storage.event_log import SeqRange
from reporting.storage.projection import Projection, columns

__all__ = ["PROJECTIONS", "fill", "project", "rebuild_begin", "rebuild_sums", "rebuild_swap"]


# 'YYYY-MM' in JSON is the first of the month in SQL.
_MONTH: Final = "month text = (r.month || '-01')::date"

PROJECTIONS: Final[tuple[Projection, ...]] = (
    *by_month.PROJECTIONS,
    Projection(
        "unit",
        (registry_v1.AdministrativeUnitChanged,),
        ("unit_id",),
        columns(
            "unit_id uuid, version bigint, code text, name text, level text, parent_code text, path text, valid_from date, valid_to date,"
            " formed_from jsonb"
        ),
    ),
    Projection(
        "beneficiary",
        (
            registry_v1.BeneficiaryRegistered,
            registry_v1.BeneficiaryUpdated,
            registry_v1.BeneficiaryMoved,
            registry_v1.BeneficiaryDeceased,
        ),
        ("beneficiary_id",),
        columns(
            "beneficiary_id uuid, version bigint, file_code text, full_name text, unit_code text, unit_path text, programmes text[],"
            " status text, death_date date, merged_into uuid"
        ),
    ),
    Projection(
        "preference",
        (registry_v1.PreferenceRecorded,),
        ("beneficiary_id",),
        columns("beneficiary_id uuid, version bigint, preference text, recorded_on date, unit_path text"),
    ),
    Projection(
        "verification",
        (
            identity_verify_v1.BeneficiaryVerified,
            identity_verify_v1.BeneficiaryVerificationFailed,
            identity_verify_v1.BeneficiaryFoundDeceased,
            identity_verify_v1.RepresentativeVerified,
            identity_verify_v1.RepresentativeVerificationFailed,
            identity_verify_v1.RepresentativeFoundDeceased,
        ),
        ("beneficiary_id", "subject_id"),
        columns(
            "beneficiary_id uuid, subject_id uuid, version bigint, subject_kind text, verdict text, source_status text,"
            " checked_on date, valid_until date, death_date date, unit_path text"
        ),
    ),
    Projection(
        "account",
        (accounts_v1.AccountLinked, accounts_v1.AccountRejected, accounts_v1.AccountClosed),
        ("account_id",),
        columns(
            "account_id uuid, version bigint, payee_id uuid, kind text, provider_code text, partner text, masked_number text,"
            " status text, reason text, unit_path text"
        ),
    ),
    Projection(
        "payout_method",
        (accounts_v1.PayoutMethodChosen,),
        ("beneficiary_id",),
        columns(
            "beneficiary_id uuid, version bigint, payee_id uuid, payee_kind text, method text, account_id uuid, reason text, unit_path text"
        ),
    ),
    Projection(
        "cycle",
        (
            disbursement_v1.PaymentCycleOpened,
            disbursement_v1.CutOffRequested,
            disbursement_v1.PaymentListComputed,
            disbursement_v1.PaymentListApproved,
            disbursement_v1.PaymentCycleClosed,
        ),
        ("cycle_id",),
        columns(
            f"cycle_id uuid, version bigint, state text, {_MONTH}, programme text, funding_source text, unit_code text, unit_path text,"
            " list_id uuid, list_hash text, lines bigint, held bigint, total_amount bigint"
        ),
    ),
    Projection(
        "payment",
        (
            disbursement_v1.PaymentInstructed,
            disbursement_v1.PaymentUnknown,
            disbursement_v1.PaymentSettled,
            disbursement_v1.PaymentFailed,
            disbursement_v1.PaymentReturned,
            disbursement_v1.CashCollected,
            disbursement_v1.PaymentUncollected,
            disbursement_v1.PaymentReissued,
        ),
        ("payment_id",),
        columns(
            "payment_id uuid, version bigint, cycle_id uuid, beneficiary_id uuid, payee_id uuid, payee_kind text, status text,"
            f" attempt integer, reference text, amount bigint, {_MONTH}, months text[], programme text, funding_source text,"
            " channel text, partner text, cash_reason text, reason text, unit_code text, unit_path text, business_date date,"
            " occurred_at timestamptz, benefit_lines text[], replaces jsonb, account_masked text"
        ),
    ),
    Projection(
        "hold",
        (disbursement_v1.PaymentHeld, disbursement_v1.PaymentReleased),
        ("hold_id",),
        columns(
            f"hold_id uuid, version bigint, cycle_id uuid, beneficiary_id uuid, {_MONTH}, programme text, funding_source text,"
            " amount bigint, reason text, actor text, released boolean, unit_code text, unit_path text, business_date date,"
            " benefit_lines text[], months text[], replaces jsonb"
        ),
    ),
    Projection(
        "dues",
        (registry_v1.DuesChanged,),
        ("beneficiary_id",),
        columns("beneficiary_id uuid, version bigint, unit_path text, lines jsonb"),
    ),
    Projection(
        "recovery",
        (disbursement_v1.RecoveryOpened, disbursement_v1.RecoveryChanged),
        ("recovery_id",),
        columns(
            "recovery_id uuid, version bigint, beneficiary_id uuid, programme text, funding_source text, amount bigint, status text,"
            " unit_path text"
        ),
    ),
)


async def project(tx: Tx, span: SeqRange, types: frozenset[str] | None = None, prefix: str = "") -> None:
    """Bring read models and sums up to a range of the log. `types`: event types known to be in it; `prefix`: of fresh tables."""
    async with sums.kept(tx, span, types, prefix):
        await fill(tx, span, types, prefix)


async def fill(tx: Tx, span: SeqRange, types: frozenset[str] | None = None, prefix: str = "") -> None:
    """The read models alone, without the sums."""
    for projection in PROJECTIONS:
        carried = [name for name in projection.types if types is None or name in types]
        if carried:
            await tx.execute(projection.sql(prefix + projection.table), low=span.low, high=span.high, types=carried)


async def rebuild_sums(tx: Tx, prefix: str) -> None:
    """Make the sums of fresh tables, from what `fill` put into the others."""
    await sums.make_all(tx, prefix)


async def rebuild_begin(tx: Tx) -> int:
    """Create empty `rebuild_…` tables beside the serving ones; the mark of this attempt."""
    return int(await tx.value("SELECT rebuild_begin()"))


async def rebuild_swap(tx: Tx, mark: int) -> bool:
    """Put the `rebuild_…` tables in the place of the serving ones (until commit, readers wait); False if they are not this attempt's."""
    return bool(await tx.value("SELECT rebuild_swap(:mark)", mark=mark))
