"""The payment cycle's state machine: one table; every other move is refused (DESIGN §5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import CycleState
from disbursement.domain.errors import IllegalCycleMove

__all__ = ["RECOMPUTABLE", "TRANSITIONS", "CycleAction", "move"]


class CycleAction(StrEnum):
    """What people and workers do to a cycle."""

    COMPUTE = "COMPUTE"
    SUBMIT = "SUBMIT"
    REJECT = "REJECT"
    APPROVE = "APPROVE"
    START_SENDING = "START_SENDING"
    ALL_SENT = "ALL_SENT"
    CLOSE = "CLOSE"


TRANSITIONS: Final[dict[tuple[CycleState, CycleAction], CycleState]] = {
    (CycleState.OPEN, CycleAction.COMPUTE): CycleState.COMPUTED,
    (CycleState.COMPUTED, CycleAction.COMPUTE): CycleState.COMPUTED,
    (CycleState.COMPUTED, CycleAction.SUBMIT): CycleState.SUBMITTED,
    (CycleState.SUBMITTED, CycleAction.REJECT): CycleState.COMPUTED,
    (CycleState.SUBMITTED, CycleAction.APPROVE): CycleState.APPROVED,
    (CycleState.APPROVED, CycleAction.START_SENDING): CycleState.DISBURSING,
    (CycleState.DISBURSING, CycleAction.ALL_SENT): CycleState.SETTLING,
    # A cycle whose list is empty, or whose partners answered at once, may be closed from any state after approval.
    (CycleState.APPROVED, CycleAction.CLOSE): CycleState.CLOSED,
    (CycleState.DISBURSING, CycleAction.CLOSE): CycleState.CLOSED,
    (CycleState.SETTLING, CycleAction.CLOSE): CycleState.CLOSED,
}

RECOMPUTABLE: Final = frozenset(state for state, action in TRANSITIONS if action is CycleAction.COMPUTE)
"""States in which a list may be computed (again): before SUBMITTED."""


def move(state: str, action: CycleAction) -> CycleState:
    """The state after an action. Raises :class:`IllegalCycleMove` for a move that is not in the table."""
    try:
        return TRANSITIONS[CycleState(state), action]
    except KeyError:
        possible = sorted(allowed.value for (at, allowed) in TRANSITIONS if at == state)
        raise IllegalCycleMove(f"{action} is not possible while the cycle is {state}", state=state, possible=possible) from None
