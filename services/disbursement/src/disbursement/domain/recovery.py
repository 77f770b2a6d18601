"""Recovery of what was paid beyond what is due (truy thu): the case's states (pure).

Circular 44/2022/TT-BTC Art. 15: recovered money goes back to the budget and is told of in the yearly settlement. No rule was found
that lets the agency take it from later payments, so nothing is ever netted silently.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.problems import Problem

__all__ = ["LIVING", "TRANSITIONS", "IllegalRecoveryMove", "RecoveryAction", "RecoveryState", "TooMuchRepaid", "move"]


class IllegalRecoveryMove(Problem):
    """The case's state does not allow this."""

    type = "illegal-recovery-move"
    status = 409
    title = "The recovery case's state does not allow this"
    title_vi = "Trạng thái hồ sơ truy thu không cho phép thao tác này"


class TooMuchRepaid(Problem):
    """More would be recovered than is owed."""

    type = "too-much-repaid"
    status = 409
    title = "That is more than is still owed"
    title_vi = "Số tiền vượt quá số còn phải thu"


class RecoveryState(StrEnum):
    """Where a case stands."""

    OPEN = "OPEN"
    NOTIFIED = "NOTIFIED"
    REPAYING = "REPAYING"
    WAIVER_PROPOSED = "WAIVER_PROPOSED"
    REPAID = "REPAID"
    WAIVED = "WAIVED"
    CANCELLED = "CANCELLED"


class RecoveryAction(StrEnum):
    """What people and changes of dues do to a case."""

    NOTIFY = "NOTIFY"
    REPAY = "REPAY"
    REPAY_ALL = "REPAY_ALL"
    PROPOSE_WAIVER = "PROPOSE_WAIVER"
    WAIVE = "WAIVE"
    KEEP = "KEEP"
    RECOUNT = "RECOUNT"
    NOTHING_LEFT = "NOTHING_LEFT"
    REST_LEFT = "REST_LEFT"
    """Part of it came back and the rest is due again: what came back is all there is to recover."""


_S = RecoveryState
_A = RecoveryAction
LIVING: Final = (_S.OPEN, _S.NOTIFIED, _S.REPAYING, _S.WAIVER_PROPOSED)
"""States in which the case can still change."""

TRANSITIONS: Final[dict[tuple[RecoveryState, RecoveryAction], RecoveryState]] = {
    (_S.OPEN, _A.NOTIFY): _S.NOTIFIED,
    **{(state, _A.REPAY): _S.REPAYING for state in (_S.OPEN, _S.NOTIFIED, _S.REPAYING)},
    **{(state, _A.REPAY_ALL): _S.REPAID for state in (_S.OPEN, _S.NOTIFIED, _S.REPAYING)},
    **{(state, _A.PROPOSE_WAIVER): _S.WAIVER_PROPOSED for state in (_S.OPEN, _S.NOTIFIED, _S.REPAYING)},
    (_S.WAIVER_PROPOSED, _A.WAIVE): _S.WAIVED,
    (_S.WAIVER_PROPOSED, _A.KEEP): _S.NOTIFIED,
    **{(state, _A.RECOUNT): state for state in LIVING},
    **{(state, _A.NOTHING_LEFT): _S.CANCELLED for state in LIVING},
    **{(state, _A.REST_LEFT): _S.REPAID for state in LIVING},
}
"""(state, action) → state; every other move is refused."""


def move(state: str, action: RecoveryAction) -> RecoveryState:
    """The state after an action. Raises IllegalRecoveryMove for a move that is not in the table."""
    try:
        return TRANSITIONS[RecoveryState(state), action]
    except KeyError:
        raise IllegalRecoveryMove(f"{action} is not possible while the case is {state}", state=state) from None
