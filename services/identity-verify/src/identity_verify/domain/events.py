"""Which event tells a verdict: six types, chosen by who was checked and what was found."""

from __future__ import annotations

from typing import Final

from common.contracts.identity_verify_v1 import (
    BeneficiaryFoundDeceased,
    BeneficiaryVerificationFailed,
    BeneficiaryVerified,
    RepresentativeFoundDeceased,
    RepresentativeVerificationFailed,
    RepresentativeVerified,
    Verdict,
    VerificationState,
)

__all__ = ["event_type"]

_TYPES: Final[dict[tuple[str, Verdict], type[VerificationState]]] = {
    ("BENEFICIARY", Verdict.VERIFIED): BeneficiaryVerified,
    ("BENEFICIARY", Verdict.DECEASED): BeneficiaryFoundDeceased,
    ("REPRESENTATIVE", Verdict.VERIFIED): RepresentativeVerified,
    ("REPRESENTATIVE", Verdict.DECEASED): RepresentativeFoundDeceased,
}
_OTHERWISE: Final[dict[str, type[VerificationState]]] = {
    "BENEFICIARY": BeneficiaryVerificationFailed,
    "REPRESENTATIVE": RepresentativeVerificationFailed,
}


def event_type(kind: str, verdict: Verdict) -> type[VerificationState]:
    """The event class that carries a verdict on a beneficiary or representative."""
    return _TYPES.get((kind, verdict), _OTHERWISE[kind])
