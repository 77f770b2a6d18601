"""The events heard: people, representatives, units and cut-off markers of the registry; failed payments of disbursement; what the
police said of accounts."""

from __future__ import annotations

from typing import Final

from accounts.usecases import check_accounts, cut_off, project
from common.consumer import Incoming, Subscription, latest
from common.contracts import disbursement_v1 as disbursement
from common.contracts import identity_verify_v1 as identity
from common.contracts.envelope import Event
from common.contracts.registry_v1 import (
    AdministrativeUnitChanged,
    BeneficiaryDeceased,
    BeneficiaryMoved,
    BeneficiaryRegistered,
    BeneficiaryState,
    BeneficiaryUpdated,
    CutOffReached,
    EntitlementChanged,
    EntitlementEnded,
    EntitlementGranted,
    EntitlementResumed,
    EntitlementSuspended,
    PreferenceRecorded,
    RepresentativeAppointed,
    RepresentativeRevoked,
    RepresentativeState,
)
from common.db import Tx
from common.topics import Topic

__all__ = ["IGNORED", "SUBSCRIPTIONS"]


async def _beneficiaries(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(BeneficiaryState) for event in events]
    await project.beneficiaries(tx, latest(parsed, part=lambda event: event.beneficiary_id))


async def _representatives(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(RepresentativeState) for event in events]
    await project.representatives(tx, latest(parsed, part=lambda event: (event.beneficiary_id, event.representative_id)))


async def _units(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(AdministrativeUnitChanged) for event in events]
    await project.units(tx, latest(parsed, part=lambda event: event.unit_id))


async def _cut_off(tx: Tx, events: list[Incoming]) -> None:
    for event in events:
        await cut_off.take_marker(tx, event.parse(CutOffReached))


async def _preferences(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(PreferenceRecorded) for event in events]
    await project.preferences(tx, latest(parsed, part=lambda event: event.beneficiary_id))


async def _payment_failed(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(disbursement.PaymentFailed) for event in events]
    await check_accounts.note_failed_payments(tx, latest(parsed, part=lambda event: event.payment_id))


async def _verified(tx: Tx, events: list[Incoming]) -> None:
    # Few verdicts say something of an account: the others, a province's a month, are not even read.
    parsed = [event.parse(identity.VerificationState) for event in events if b'"account"' in event.raw]
    await check_accounts.note_police_answers(tx, latest(parsed, part=lambda event: (event.beneficiary_id, event.subject_id)))


async def _paid(tx: Tx, events: list[Incoming]) -> None:
    settled = [event.parse(disbursement.PaymentSettled) for event in events if event.type == "PaymentSettled"]
    returned = [event.parse(disbursement.PaymentReturned) for event in events if event.type == "PaymentReturned"]
    both: list[disbursement.PaymentSettled | disbursement.PaymentReturned] = [*settled, *returned]
    await project.payments(tx, latest(both, part=lambda event: event.payment_id))
    await check_accounts.note_failed_payments(tx, latest(returned, part=lambda event: event.payment_id))


_VERDICTS: Final = tuple(kind for kind in identity.PUBLISHES if issubclass(kind, identity.VerificationState))

SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(Topic.UNIT, (AdministrativeUnitChanged,), apply=_units),
    Subscription(
        Topic.BENEFICIARY, (BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased), apply=_beneficiaries
    ),
    Subscription(Topic.BENEFICIARY, (RepresentativeAppointed, RepresentativeRevoked), apply=_representatives),
    Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply=_preferences),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply=_cut_off, barrier=True),
    Subscription(Topic.VERIFICATION, _VERDICTS, apply=_verified),
    Subscription(Topic.PAYMENT, (disbursement.PaymentFailed,), apply=_payment_failed),
    Subscription(Topic.PAYMENT, (disbursement.PaymentSettled, disbursement.PaymentReturned), apply=_paid),
)

_PAYMENTS: Final = (disbursement.PaymentFailed, disbursement.PaymentSettled, disbursement.PaymentReturned)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    Topic.BENEFICIARY: (EntitlementGranted, EntitlementChanged, EntitlementSuspended, EntitlementResumed, EntitlementEnded),
    Topic.VERIFICATION: (identity.CutOffReached,),
    Topic.PAYMENT: tuple(kind for kind in disbursement.PUBLISHES if kind.TOPIC == Topic.PAYMENT and kind not in _PAYMENTS),
}
"""Events on these topics that say nothing of accounts."""
