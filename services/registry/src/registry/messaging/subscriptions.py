"""The events heard: deaths found by identity-verify, and disbursement's cut-off requests and proposals to suspend."""

from __future__ import annotations

from typing import Final

from common.consumer import Incoming, Subscription
from common.contracts.disbursement_v1 import (
    CutOffRequested,
    PaymentCycleClosed,
    PaymentCycleOpened,
    PaymentListApproved,
    PaymentListComputed,
    SuspensionProposed,
)
from common.contracts.envelope import Event
from common.contracts.identity_verify_v1 import (
    BeneficiaryFoundDeceased,
    BeneficiaryVerificationFailed,
    BeneficiaryVerified,
    CutOffReached,
    RepresentativeFoundDeceased,
    RepresentativeVerificationFailed,
    RepresentativeVerified,
)
from common.db import Tx
from common.topics import Topic
from registry.storage import uncollected
from registry.usecases import cut_off, death_differences

__all__ = ["IGNORED", "SUBSCRIPTIONS"]


async def _deaths(tx: Tx, events: list[Incoming]) -> None:
    found = [event.parse(BeneficiaryFoundDeceased) for event in events]
    # The source may know of a death without its day: then the day of the check is the last it can have been.
    deaths = {
        event.beneficiary_id: (event.beneficiary_id, event.death_date or event.checked_on, event.death_date is not None)
        for event in found
        if event.subject_kind == "BENEFICIARY"
    }
    if deaths:
        await death_differences.told(tx, sorted(deaths.values()), max(event.business_date for event in found))


async def _cut_offs(tx: Tx, events: list[Incoming]) -> None:
    for event in events:
        await cut_off.write_markers(tx, event.parse(CutOffRequested))


async def _uncollected(tx: Tx, events: list[Incoming]) -> None:
    await uncollected.put(tx, "[" + ",".join(event.raw.decode() for event in events) + "]")


SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(Topic.VERIFICATION, (BeneficiaryFoundDeceased,), apply=_deaths),
    Subscription(Topic.CYCLE, (CutOffRequested,), apply=_cut_offs, barrier=True),
    Subscription(Topic.CYCLE, (SuspensionProposed,), apply=_uncollected),
)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    Topic.VERIFICATION: (
        BeneficiaryVerified, BeneficiaryVerificationFailed, RepresentativeVerified, RepresentativeVerificationFailed,
        RepresentativeFoundDeceased, CutOffReached,
    ),
    Topic.CYCLE: (PaymentCycleOpened, PaymentListComputed, PaymentListApproved, PaymentCycleClosed),
}  # fmt: skip
"""On the subscribed topics, deliberately left aside (a dead representative is for identity-verify's own work list)."""
