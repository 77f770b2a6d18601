"""What a provider's answer to a name inquiry means for an account (domain facts §5.2, §6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common import names
from common.contracts.accounts_v1 import AccountStatus

__all__ = ["INQUIRY_FORBIDDEN", "PAYMENT_FAILURES", "SHARED", "Answer", "Outcome", "judge"]

SHARED: Final = "SHARED_ACCOUNT"
"""Reason of accounts that several payees claim."""

_PASSING: Final = frozenset({names.NameVerdict.MATCH, names.NameVerdict.MATCH_UNACCENTED})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a partner. `status` and `id_match` are its words; an unknown word is no answer."""

    status: str
    holder_name: str | None = None
    id_match: str = "NOT_GIVEN"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The account's new state and, where it is not ACTIVE, why."""

    status: AccountStatus
    reason: str | None
    holder_name: str | None


_REFUSALS: Final[dict[str, tuple[AccountStatus, str]]] = {
    "NOT_FOUND": (AccountStatus.REJECTED, "NOT_FOUND"),
    "CLOSED": (AccountStatus.CLOSED, "CLOSED"),
    "DORMANT": (AccountStatus.DORMANT, "DORMANT"),
    "NOT_UPGRADED": (AccountStatus.NOT_UPGRADED, "NOT_UPGRADED"),
    "UNSUPPORTED": (AccountStatus.NEEDS_REVIEW, "INQUIRY_UNSUPPORTED"),
}

PAYMENT_FAILURES: Final[dict[str, tuple[AccountStatus, str]]] = {
    "ACCOUNT_CLOSED": (AccountStatus.CLOSED, "CLOSED"),
    "ACCOUNT_INVALID": (AccountStatus.REJECTED, "NOT_FOUND"),
    "ACCOUNT_NOT_FOUND": (AccountStatus.REJECTED, "NOT_FOUND"),
    "ACCOUNT_BLOCKED": (AccountStatus.DORMANT, "DORMANT"),
    "NAME_DIFFERS": (AccountStatus.REJECTED, "NAME_DIFFERS"),
    "ID_DIFFERS": (AccountStatus.REJECTED, "ID_DIFFERS"),
    "NOT_UPGRADED": (AccountStatus.NOT_UPGRADED, "NOT_UPGRADED"),
}
"""What a failed payment says of the account it was for; other reasons say nothing of it."""


INQUIRY_FORBIDDEN: Final = Outcome(AccountStatus.NEEDS_REVIEW, "INQUIRY_FORBIDDEN", None)
"""The number came from VNeID and may not be handed on: people confirm the account by other evidence."""


def judge(payee_name: str, answer: Answer) -> Outcome | None:
    """The account's state after an answer, or None where the partner gave none that can be used (ask again)."""
    if answer.status in _REFUSALS:
        status, reason = _REFUSALS[answer.status]
        return Outcome(status, reason, answer.holder_name)
    if answer.status != "OK" or not answer.holder_name:
        return None
    name = names.compare(payee_name, answer.holder_name)
    if name is names.NameVerdict.MISMATCH:
        return Outcome(AccountStatus.REJECTED, "NAME_DIFFERS", answer.holder_name)
    if answer.id_match == "MISMATCH":
        return Outcome(AccountStatus.REJECTED, "ID_DIFFERS", answer.holder_name)
    if name not in _PASSING:
        return Outcome(AccountStatus.NEEDS_REVIEW, "NAME_REVIEW", answer.holder_name)
    if answer.id_match != "MATCH":
        # Unaccented names prove nothing by themselves: a neighbour Lê Thị Hoa's account reads as Lê Thị Hoà's.
        return Outcome(AccountStatus.NEEDS_REVIEW, "ID_NOT_CONFIRMED", answer.holder_name)
    return Outcome(AccountStatus.ACTIVE, None, answer.holder_name)
