"""The events heard: people, representatives, units and cut-off markers of the registry; failed payments of disbursement."""

from __future__ import annotations

from typing import Final

from accounts.usecases import check_accounts, cut_off, project
from common.consumer import Incoming, Subscription, latest
from common.contracts import disbursement_v1 as disbursement
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


async def _payment_failed(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(disbursement.PaymentFailed) for event in events]
    await check_accounts.note_failed_payments(tx, latest(parsed, part=lambda event: event.payment_id))


SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(Topic.UNIT, (AdministrativeUnitChanged,), apply=_units),
    Subscription(
        Topic.BENEFICIARY, (BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased), apply=_beneficiaries
    ),
    Subscription(Topic.BENEFICIARY, (RepresentativeAppointed, RepresentativeRevoked), apply=_representatives),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply=_cut_off, barrier=True),
    Subscription(Topic.PAYMENT, (disbursement.PaymentFailed,), apply=_payment_failed),
)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    Topic.BENEFICIARY: (
        EntitlementGranted, EntitlementChanged, EntitlementSuspended, EntitlementResumed, EntitlementEnded, PreferenceRecorded,
    ),
    Topic.PAYMENT: tuple(
        kind for kind in disbursement.PUBLISHES if kind.TOPIC == Topic.PAYMENT and kind is not disbursement.PaymentFailed
    ),
}  # fmt: skip
"""Events on these topics that say nothing of accounts; wishes of the survey are not yet choices of a way to be paid."""
