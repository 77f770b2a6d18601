"""Asking the police to issue a number at home to somebody who cannot travel: reasons, states, moves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["FINAL", "TRANSITIONS", "IssueReason", "IssueState", "may_move"]


class IssueReason(StrEnum):
    """Why the person does not come to the office; nothing here names an illness."""

    CANNOT_TRAVEL = "CANNOT_TRAVEL"
    LIVES_ALONE = "LIVES_ALONE"
    REMOTE_PLACE = "REMOTE_PLACE"
    IN_INSTITUTION = "IN_INSTITUTION"
    NO_BIRTH_PAPERS = "NO_BIRTH_PAPERS"
    OTHER = "OTHER"


class IssueState(StrEnum):
    """How far a request is. REGISTERED is reached by itself, when the register knows the person's number."""

    REQUESTED = "REQUESTED"
    ACCEPTED = "ACCEPTED"
    VISITED = "VISITED"
    ISSUED = "ISSUED"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


_OPEN: Final = frozenset({IssueState.REQUESTED, IssueState.ACCEPTED, IssueState.VISITED, IssueState.ISSUED})
FINAL: Final = frozenset(IssueState) - _OPEN

TRANSITIONS: Final[dict[IssueState, frozenset[IssueState]]] = {
    IssueState.REQUESTED: frozenset({IssueState.ACCEPTED, IssueState.REFUSED, IssueState.WITHDRAWN, IssueState.REGISTERED}),
    IssueState.ACCEPTED: frozenset({IssueState.VISITED, IssueState.REFUSED, IssueState.WITHDRAWN, IssueState.REGISTERED}),
    # Somebody not at home is visited again.
    IssueState.VISITED: frozenset({IssueState.VISITED, IssueState.ISSUED, IssueState.REFUSED, IssueState.WITHDRAWN, IssueState.REGISTERED}),
    IssueState.ISSUED: frozenset({IssueState.REGISTERED, IssueState.WITHDRAWN}),
}
"""Every move there is; any other is refused."""


def may_move(at: IssueState, to: IssueState) -> bool:
    """Whether a request may go from one state to another."""
    return to in TRANSITIONS.get(at, frozenset())
