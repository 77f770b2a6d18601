"""The ledger's accounts and the transfers each change of a payment posts (pure).

One transfer row debits one account and credits another with one amount, so debits equal credits by construction; rows
are only ever added. Amounts are whole đồng.

* `EXPENDITURE` (debit side): budget bound or spent by approved payments.
* `PAYABLE` (credit side): approved and not yet known to be with the person, or known not to be.
* `PARTNER` (credit side, per partner): what the partner has paid out for us, to be settled with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import PaymentStatus

__all__ = ["POSTINGS", "LedgerAccount", "Posting", "TransferKind", "postings_values"]


class LedgerAccount(StrEnum):
    """Accounts of the ledger; each is kept per partner, programme, funding source and cycle."""

    EXPENDITURE = "EXPENDITURE"
    PAYABLE = "PAYABLE"
    PARTNER = "PARTNER"


class TransferKind(StrEnum):
    """Why a transfer was posted; a payment has at most one of each."""

    RESERVE = "RESERVE"
    SETTLE = "SETTLE"
    RELEASE = "RELEASE"
    RETURN = "RETURN"


@dataclass(frozen=True)
class Posting:
    """One transfer to post when a payment reaches a status."""

    kind: TransferKind
    debit: LedgerAccount
    credit: LedgerAccount


_A = LedgerAccount
_SETTLE: Final = Posting(TransferKind.SETTLE, _A.PAYABLE, _A.PARTNER)
_RELEASE: Final = Posting(TransferKind.RELEASE, _A.PAYABLE, _A.EXPENDITURE)

POSTINGS: Final[dict[PaymentStatus, Posting]] = {
    PaymentStatus.APPROVED: Posting(TransferKind.RESERVE, _A.EXPENDITURE, _A.PAYABLE),
    PaymentStatus.SETTLED: _SETTLE,
    PaymentStatus.COLLECTED: _SETTLE,
    PaymentStatus.FAILED: _RELEASE,
    PaymentStatus.UNCOLLECTED: _RELEASE,
    PaymentStatus.CANCELLED: _RELEASE,
    PaymentStatus.RETURNED: Posting(TransferKind.RETURN, _A.PARTNER, _A.EXPENDITURE),
}
"""Status reached → transfer. SUBMITTING, SUBMITTED and UNKNOWN move no money: PAYABLE stays until somebody knows."""


def postings_values() -> str:
    """:data:`POSTINGS` as rows (status, kind, debit, credit) of an SQL VALUES list."""
    return ", ".join(f"('{status}','{p.kind}','{p.debit}','{p.credit}')" for status, p in POSTINGS.items())
