"""Which service applies which events, said once more since the command uses no service's code; a test holds it to the services' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.contracts.catalogue import publications
from common.topics import Topic

__all__ = ["HEARS"]

_PEOPLE: Final = ("BeneficiaryRegistered", "BeneficiaryUpdated", "BeneficiaryMoved", "BeneficiaryDeceased",
                  "RepresentativeAppointed", "RepresentativeRevoked", "CutOffReached")  # fmt: skip
_VERDICTS: Final = ("BeneficiaryVerified", "BeneficiaryVerificationFailed", "BeneficiaryFoundDeceased",
                    "RepresentativeVerified", "RepresentativeVerificationFailed", "RepresentativeFoundDeceased")  # fmt: skip
_ACCOUNTS: Final = ("AccountLinked", "AccountRejected", "AccountClosed")
_TABLE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "registry": {Topic.VERIFICATION: ("BeneficiaryFoundDeceased",), Topic.CYCLE: ("CutOffRequested", "SuspensionProposed")},
    "identity-verify": {Topic.BENEFICIARY: _PEOPLE, Topic.PAYOUT: _ACCOUNTS},
    "accounts": {
        Topic.UNIT: ("AdministrativeUnitChanged",),
        Topic.BENEFICIARY: (*_PEOPLE, "PreferenceRecorded"),
        Topic.VERIFICATION: _VERDICTS,
        Topic.PAYMENT: ("PaymentFailed", "PaymentSettled", "PaymentReturned"),
    },
    "disbursement": {
        Topic.UNIT: ("AdministrativeUnitChanged",),
        Topic.BENEFICIARY: (*_PEOPLE, "EntitlementSuspended", "EntitlementResumed", "EntitlementChanged", "EntitlementEnded"),
        Topic.DUES: ("DuesChanged", "CutOffReached"),
        Topic.VERIFICATION: (*_VERDICTS, "CutOffReached"),
        Topic.PAYOUT: (*_ACCOUNTS, "PayoutMethodChosen", "ProviderLimitsSet", "CutOffReached"),
    },
}

HEARS: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    **{service: frozenset((topic, kind) for topic, kinds in topics.items() for kind in kinds) for service, topics in _TABLE.items()},
    "reporting": frozenset((each.topic, each.event.type_name()) for each in publications()),
}
"""Service → (topic, event) pairs that it applies; reporting applies all there are."""
