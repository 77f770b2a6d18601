"""The events heard: people and representatives of the registry, and its cut-off markers."""

from __future__ import annotations

from typing import Final

from common.consumer import Incoming, Subscription, latest
from common.contracts.envelope import Event
from common.contracts.registry_v1 import (
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
from identity_verify.usecases import cut_off, project

__all__ = ["IGNORED", "SUBSCRIPTIONS"]


async def _beneficiaries(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(BeneficiaryState) for event in events]
    await project.beneficiaries(tx, latest(parsed, part=lambda event: event.beneficiary_id))


async def _representatives(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(RepresentativeState) for event in events]
    await project.representatives(tx, latest(parsed, part=lambda event: (event.beneficiary_id, event.representative_id)))


async def _cut_off(tx: Tx, events: list[Incoming]) -> None:
    for event in events:
        await cut_off.take_marker(tx, event.parse(CutOffReached))


SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(
        Topic.BENEFICIARY, (BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased), apply=_beneficiaries
    ),
    Subscription(Topic.BENEFICIARY, (RepresentativeAppointed, RepresentativeRevoked), apply=_representatives),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply=_cut_off, barrier=True),
)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    Topic.BENEFICIARY: (
        EntitlementGranted, EntitlementChanged, EntitlementSuspended, EntitlementResumed, EntitlementEnded, PreferenceRecorded,
    ),
}  # fmt: skip
"""Events on these topics that say nothing about who a person is."""
