"""The ledger's accounts and the transfers each change posts (pure).

One transfer row moves one amount from one account (credit) to another (debit), so debits equal credits by construction; rows
are only ever added. Amounts are whole đồng.

The appropriation, payment by payment:
`BUDGET` → `RESERVED` (list approved) → `IN_TRANSIT` (handed to the partner) → `SETTLED` (with the person), or back to `BUDGET`
(failed, withdrawn, returned; and from there to `SETTLED` where two people correct what was wrongly told, or a withdrawal of what was paid
all the same), or `UNCOLLECTED` (cash nobody fetched) until it is rolled over to a later list or taken back, or corrected too.

The money, partner by partner (Decree 20/2021 Art. 34, Circular 44/2022/TT-BTC Art. 7–8):
`TREASURY` → `PREFUNDED` (before the 25th) → `PAID_OUT` and `TO_BE_RETURNED` (settlement statement) → `TREASURY`.
`FEE` is owed to the partner on what was paid (`FEE_PAYABLE`); `RECOVERY` is owed by people paid too much (`RECOVERED` when it came back).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import PaymentStatus

__all__ = [
    "CORRECTION",
    "CORRECTION_OF_WAITING",
    "MONEY_POSTINGS",
    "POSTINGS",
    "LedgerAccount",
    "Posting",
    "TransferKind",
    "postings_values",
]


class LedgerAccount(StrEnum):
    """Accounts of the ledger; each is kept per partner, programme, funding source and cycle where these apply."""

    GRANTED = "GRANTED"
    BUDGET = "BUDGET"
    RESERVED = "RESERVED"
    IN_TRANSIT = "IN_TRANSIT"
    SETTLED = "SETTLED"
    UNCOLLECTED = "UNCOLLECTED"
    TREASURY = "TREASURY"
    PREFUNDED = "PREFUNDED"
    PAID_OUT = "PAID_OUT"
    TO_BE_RETURNED = "TO_BE_RETURNED"
    FEE = "FEE"
    FEE_PAYABLE = "FEE_PAYABLE"
    RECOVERY = "RECOVERY"
    RECOVERED = "RECOVERED"


class TransferKind(StrEnum):
    """Why a transfer was posted; a payment has at most one of each, but comes back and is corrected as often as it is said."""

    RESERVE = "RESERVE"
    SEND = "SEND"
    SETTLE = "SETTLE"
    FAIL = "FAIL"
    CANCEL = "CANCEL"
    UNCOLLECT = "UNCOLLECT"
    ROLL_OVER = "ROLL_OVER"
    TAKE_BACK = "TAKE_BACK"
    RETURN = "RETURN"
    CORRECT = "CORRECT"
    ALLOT = "ALLOT"
    PREFUND = "PREFUND"
    PAY_OUT = "PAY_OUT"
    SURPLUS = "SURPLUS"
    MONEY_BACK = "MONEY_BACK"
    FEE_DUE = "FEE_DUE"
    FEE_PAID = "FEE_PAID"
    RECOVERY_OPENED = "RECOVERY_OPENED"
    RECOVERY_CANCELLED = "RECOVERY_CANCELLED"
    RECOVERY_PAID = "RECOVERY_PAID"


@dataclass(frozen=True)
class Posting:
    """One transfer: `debit` receives, `credit` gives."""

    kind: TransferKind
    debit: LedgerAccount
    credit: LedgerAccount


_A = LedgerAccount
_K = TransferKind
_SETTLE: Final = Posting(_K.SETTLE, _A.SETTLED, _A.IN_TRANSIT)

POSTINGS: Final[dict[PaymentStatus, Posting]] = {
    PaymentStatus.APPROVED: Posting(_K.RESERVE, _A.RESERVED, _A.BUDGET),
    PaymentStatus.SUBMITTING: Posting(_K.SEND, _A.IN_TRANSIT, _A.RESERVED),
    PaymentStatus.SETTLED: _SETTLE,
    PaymentStatus.COLLECTED: _SETTLE,
    PaymentStatus.FAILED: Posting(_K.FAIL, _A.BUDGET, _A.IN_TRANSIT),
    PaymentStatus.UNCOLLECTED: Posting(_K.UNCOLLECT, _A.UNCOLLECTED, _A.IN_TRANSIT),
    PaymentStatus.CANCELLED: Posting(_K.CANCEL, _A.BUDGET, _A.RESERVED),
    PaymentStatus.RETURNED: Posting(_K.RETURN, _A.BUDGET, _A.SETTLED),
}
"""Status reached → transfer. SUBMITTED and UNKNOWN move nothing: what is IN_TRANSIT stays there until somebody knows."""

CORRECTION: Final = Posting(_K.CORRECT, _A.SETTLED, _A.BUDGET)
"""Two people's correction of what we held dead: what went back to the budget is with the person."""
CORRECTION_OF_WAITING: Final = Posting(_K.CORRECT, _A.SETTLED, _A.UNCOLLECTED)
"""The same of cash that still waits, neither rolled over nor taken back: the budget never had it again."""

MONEY_POSTINGS: Final[dict[TransferKind, Posting]] = {
    posting.kind: posting
    for posting in (
        Posting(_K.ROLL_OVER, _A.BUDGET, _A.UNCOLLECTED),
        Posting(_K.TAKE_BACK, _A.BUDGET, _A.UNCOLLECTED),
        Posting(_K.ALLOT, _A.BUDGET, _A.GRANTED),
        Posting(_K.PREFUND, _A.PREFUNDED, _A.TREASURY),
        Posting(_K.PAY_OUT, _A.PAID_OUT, _A.PREFUNDED),
        Posting(_K.SURPLUS, _A.TO_BE_RETURNED, _A.PREFUNDED),
        Posting(_K.MONEY_BACK, _A.TREASURY, _A.TO_BE_RETURNED),
        Posting(_K.FEE_DUE, _A.FEE, _A.FEE_PAYABLE),
        Posting(_K.FEE_PAID, _A.FEE_PAYABLE, _A.TREASURY),
        Posting(_K.RECOVERY_OPENED, _A.RECOVERY, _A.SETTLED),
        Posting(_K.RECOVERY_CANCELLED, _A.SETTLED, _A.RECOVERY),
        Posting(_K.RECOVERY_PAID, _A.RECOVERED, _A.RECOVERY),
    )
}
"""Transfers that follow no payment's status. An allotment that is lowered is posted the other way round."""


def postings_values() -> str:
    """:data:`POSTINGS` as rows (status, kind, debit, credit) of an SQL VALUES list."""
    return ", ".join(f"('{status}','{p.kind}','{p.debit}','{p.credit}')" for status, p in POSTINGS.items())
