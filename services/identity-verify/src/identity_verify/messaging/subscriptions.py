"""The events heard: people and representatives of the registry, its cut-off markers; and accounts, for lists for the police."""

from __future__ import annotations

from typing import Final

from common.consumer import Incoming, Subscription, latest
from common.contracts import accounts_v1
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


async def _accounts(tx: Tx, events: list[Incoming]) -> None:
    parsed = [event.parse(accounts_v1.AccountState) for event in events]
    await project.accounts_of_payees(tx, latest(parsed, part=lambda event: event.account_id))


SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(
        Topic.BENEFICIARY, (BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased), apply=_beneficiaries
    ),
    Subscription(Topic.BENEFICIARY, (RepresentativeAppointed, RepresentativeRevoked), apply=_representatives),
    Subscription(Topic.BENEFICIARY, (CutOffReached,), apply=_cut_off, barrier=True),
    Subscription(Topic.PAYOUT, (accounts_v1.AccountLinked, accounts_v1.AccountRejected, accounts_v1.AccountClosed), apply=_accounts),
)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    Topic.BENEFICIARY: (
        EntitlementGranted, EntitlementChanged, EntitlementSuspended, EntitlementResumed, EntitlementEnded, PreferenceRecorded,
    ),
    Topic.PAYOUT: (
        accounts_v1.PayoutMethodChosen, accounts_v1.AccountOpeningChanged, accounts_v1.ProviderLimitsSet, accounts_v1.CutOffReached,
    ),
}  # fmt: skip
"""Events on these topics that say nothing about who a person is, or which account is whose."""
