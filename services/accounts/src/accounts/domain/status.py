"""How a payout account's status may change, by what changes it. One table; every other move is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from common.contracts.accounts_v1 import AccountStatus

__all__ = ["TRANSITIONS", "Cause", "allowed", "transitions_values"]

_S = AccountStatus
_ANSWERS: Final = frozenset(AccountStatus) - {_S.PENDING_CHECK}


class Cause(StrEnum):
    """What changes a status."""

    ANSWER = "ANSWER"
    """The provider answered a name inquiry."""
    SHARED = "SHARED"
    """Several payees claim the account."""
    PAYMENT = "PAYMENT"
    """A payment failed or came back and says why."""
    POLICE = "POLICE"
    """The police say that it is not the person's."""
    REVIEW = "REVIEW"
    """Two people decided."""


TRANSITIONS: Final[Mapping[Cause, Mapping[AccountStatus, frozenset[AccountStatus]]]] = {
    # A closed account may be opened again by its bank, a mobile-money account upgraded: the provider's word is a fact.
    Cause.ANSWER: dict.fromkeys(AccountStatus, _ANSWERS),
    Cause.SHARED: {status: frozenset({_S.NEEDS_REVIEW}) for status in (_S.ACTIVE, _S.NEEDS_REVIEW, _S.REJECTED)},
    Cause.PAYMENT: {status: frozenset({_S.CLOSED, _S.REJECTED, _S.DORMANT, _S.NOT_UPGRADED}) for status in (_S.ACTIVE, _S.NEEDS_REVIEW)},
    Cause.POLICE: {status: frozenset({_S.NEEDS_REVIEW}) for status in (_S.ACTIVE, _S.NEEDS_REVIEW)},
    # People may accept what no machine could decide; never an account that the provider says is closed or not there.
    Cause.REVIEW: {
        _S.NEEDS_REVIEW: frozenset({_S.ACTIVE, _S.REJECTED}),
        _S.PENDING_CHECK: frozenset({_S.ACTIVE, _S.REJECTED}),
        _S.ACTIVE: frozenset({_S.REJECTED}),
    },
}


def allowed(cause: Cause, old: AccountStatus, new: AccountStatus) -> bool:
    """Whether this cause may make this move."""
    return new in TRANSITIONS[cause].get(old, frozenset())


def transitions_values(cause: Cause) -> str:
    """The table of one cause as SQL VALUES rows `(old, new)`."""
    moves = sorted((old.value, new.value) for old, targets in TRANSITIONS[cause].items() for new in targets)
    return ", ".join(f"('{old}', '{new}')" for old, new in moves)
