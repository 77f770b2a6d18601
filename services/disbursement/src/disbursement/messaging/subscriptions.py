"""The table of what disbursement listens to: literal, so that nothing is handled by accident."""

from __future__ import annotations

from typing import Final

from common.consumer import Subscription
from common.contracts.accounts_v1 import (
    AccountClosed,
    AccountLinked,
    AccountOpeningChanged,
    AccountRejected,
    PayoutMethodChosen,
    ProviderLimitsSet,
)
from common.contracts.envelope import Event
from common.contracts.identity_verify_v1 import (
    BeneficiaryFoundDeceased,
    BeneficiaryVerificationFailed,
    BeneficiaryVerified,
    RepresentativeFoundDeceased,
    RepresentativeVerificationFailed,
    RepresentativeVerified,
)
from common.contracts.registry_v1 import (
    AdministrativeUnitChanged,
    BeneficiaryDeceased,
    BeneficiaryMoved,
    BeneficiaryRegistered,
    BeneficiaryUpdated,
    CutOffReached,
    DuesChanged,
    EntitlementChanged,
    EntitlementEnded,
    EntitlementGranted,
    EntitlementResumed,
    EntitlementSuspended,
    PreferenceRecorded,
    RepresentativeAppointed,
    RepresentativeRevoked,
)
from common.topics import Topic
from disbursement.messaging import cut_off, projections
from disbursement.storage.cut_off import EXPECTED_TOPICS

__all__ = ["IGNORED", "SUBSCRIPTIONS"]

SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Subscription(Topic.UNIT, (AdministrativeUnitChanged,), projections.units),
    Subscription(
        Topic.BENEFICIARY, (BeneficiaryRegistered, BeneficiaryUpdated, BeneficiaryMoved, BeneficiaryDeceased), projections.beneficiaries
    ),
    Subscription(Topic.BENEFICIARY, (RepresentativeAppointed, RepresentativeRevoked), projections.representatives),
    Subscription(
        Topic.BENEFICIARY, (EntitlementSuspended, EntitlementResumed, EntitlementChanged, EntitlementEnded), projections.entitlements
    ),
    Subscription(Topic.DUES, (DuesChanged,), projections.dues),
    Subscription(
        Topic.VERIFICATION,
        (
            BeneficiaryVerified,
            BeneficiaryVerificationFailed,
            BeneficiaryFoundDeceased,
            RepresentativeVerified,
            RepresentativeVerificationFailed,
            RepresentativeFoundDeceased,
        ),
        projections.verifications,
    ),
    Subscription(Topic.PAYOUT, (AccountLinked, AccountRejected, AccountClosed), projections.accounts),
    Subscription(Topic.PAYOUT, (PayoutMethodChosen,), projections.methods),
    Subscription(Topic.PAYOUT, (ProviderLimitsSet,), projections.limits),
    *(Subscription(topic, (CutOffReached,), cut_off.reached, barrier=True) for topic in EXPECTED_TOPICS),
)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {
    # A new allowance reaches us as dues; the wish for an account reaches us as the payout method.
    Topic.BENEFICIARY: (EntitlementGranted, PreferenceRecorded),
    Topic.PAYOUT: (AccountOpeningChanged,),
}
"""Events on subscribed topics that we know and leave aside."""
