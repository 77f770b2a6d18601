"""The gate: what evidence means for payment. Nobody is starved: only a definite negative holds, all else is paid in cash.

The tables here are the rule; `storage.gate` hands them to SQL as VALUES, so that a province is decided in one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import HoldReason
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import BeneficiaryStatus

__all__ = [
    "GRACE_NOTE",
    "MOOT_AFTER_DEATH",
    "REPRESENTATIVE_REFUSED",
    "STATUS_HOLDS",
    "VERDICT_RULES",
    "CashReason",
    "VerdictRule",
    "verdict_rule",
]

GRACE_NOTE: Final = "EVIDENCE_IN_GRACE"
"""Marks a line paid on evidence that ran out while the population database was away."""


class CashReason(StrEnum):
    """Why somebody is paid in cash although not chosen (an account's own reason is `ACCOUNT_<reason>`)."""

    NO_ACCOUNT = "NO_ACCOUNT"
    NO_ID = "NO_ID"
    NOT_IN_POPULATION_DB = "NOT_IN_POPULATION_DB"
    IDENTITY_REVIEW = "IDENTITY_REVIEW"
    REPRESENTATIVE_NOT_VERIFIED = "REPRESENTATIVE_NOT_VERIFIED"
    REPRESENTATIVE_NOT_VALID = "REPRESENTATIVE_NOT_VALID"
    ACCOUNT_COOLING_DOWN = "ACCOUNT_COOLING_DOWN"
    ACCOUNT_LIMIT_EXCEEDED = "ACCOUNT_LIMIT_EXCEEDED"
    """More than the provider lets the account receive in a payment, a day or a month: seen before anything is sent."""
    HEIR_WITHOUT_ACCOUNT = "HEIR_WITHOUT_ACCOUNT"
    REISSUED_IN_CASH = "REISSUED_IN_CASH"


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """A verdict holds, or forces cash, or (both None) lets the chosen method stand."""

    hold: HoldReason | None = None
    cash: CashReason | None = None


VERDICT_RULES: Final[dict[Verdict, VerdictRule]] = {
    Verdict.VERIFIED: VerdictRule(),
    Verdict.REVIEW: VerdictRule(cash=CashReason.IDENTITY_REVIEW),
    Verdict.NOT_FOUND: VerdictRule(cash=CashReason.NOT_IN_POPULATION_DB),
    Verdict.NO_ID: VerdictRule(cash=CashReason.NO_ID),
    Verdict.SUSPECTED_IDENTITY: VerdictRule(hold=HoldReason.SUSPECTED_IDENTITY),
    Verdict.DECEASED: VerdictRule(hold=HoldReason.DECEASED),
    Verdict.UNANSWERED: VerdictRule(hold=HoldReason.NOT_VERIFIED),
}

STATUS_HOLDS: Final[dict[BeneficiaryStatus, HoldReason | None]] = {
    BeneficiaryStatus.ACTIVE: None,
    BeneficiaryStatus.DECEASED: HoldReason.DECEASED,
    BeneficiaryStatus.MISSING: HoldReason.STOPPED,
    BeneficiaryStatus.LEFT: HoldReason.STOPPED,
}
"""Every status we know and what it holds with; None pays. A word that is not here is held NOT_VERIFIED."""

MOOT_AFTER_DEATH: Final = (Verdict.DECEASED, Verdict.UNANSWERED)
"""Verdicts on a dead person that hold nothing once the registry recorded the death and appointed an heir: the heir's count."""

REPRESENTATIVE_REFUSED: Final = (Verdict.SUSPECTED_IDENTITY, Verdict.DECEASED)
"""Verdicts with which a representative is not paid; the beneficiary then gets cash at the post."""


def verdict_rule(
    verdict: Verdict | None, valid_until: date | None, business_date: date, grace_days: int, grace_until: date | None = None
) -> tuple[VerdictRule, str | None]:
    """The rule for one person's evidence, and the note to put on the line.

    `verdict` None means no evidence at all. VERIFIED evidence counts until `valid_until`, then with a note for `grace_days`, and
    until `grace_until` where two people approved that.
    """
    if verdict is None:
        return VERDICT_RULES[Verdict.UNANSWERED], None
    if verdict is not Verdict.VERIFIED or valid_until is None or business_date <= valid_until:
        return VERDICT_RULES[verdict], None
    if business_date <= max(valid_until + timedelta(days=grace_days), grace_until or valid_until):
        return VERDICT_RULES[verdict], GRACE_NOTE
    return VERDICT_RULES[Verdict.UNANSWERED], None
