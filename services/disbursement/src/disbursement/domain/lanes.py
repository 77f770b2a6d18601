"""A partner's lane: pauses and their end by two people, and why a batch waits (pure)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.problems import Problem

__all__ = [
    "BREAKER_FAILURES",
    "BREAKER_FIRST_SECONDS",
    "BREAKER_LONGEST_SECONDS",
    "TRANSITIONS",
    "CapTooSmall",
    "IllegalPauseMove",
    "NotReadBack",
    "PauseAction",
    "PauseState",
    "SameResumer",
    "Waiting",
    "move",
]

BREAKER_FAILURES: Final = 3
"""So many failures in a row, of all workers, and the partner is left alone for a while."""
BREAKER_FIRST_SECONDS: Final = 5.0
BREAKER_LONGEST_SECONDS: Final = 30.0


class IllegalPauseMove(Problem):
    """The pause's state does not allow this."""

    type = "illegal-pause-move"
    status = 409
    title = "The pause's state does not allow this"
    title_vi = "Trạng thái tạm dừng không cho phép thao tác này"


class SameResumer(Problem):
    """Sending goes on by the word of two people."""

    type = "same-resumer"
    status = 409
    title = "Another person must confirm that sending goes on"
    title_vi = "Người khác phải xác nhận cho gửi tiếp"


class NotReadBack(Problem):
    """After a restore sending goes on only once everything that may have been sent since has been read back."""

    type = "not-read-back"
    status = 409
    title = "Not everything has been read back since the restore"
    title_vi = "Chưa đọc lại hết dữ liệu sau khi khôi phục"


class CapTooSmall(Problem):
    """A daily cap below one batch would never let a batch go."""

    type = "cap-too-small"
    status = 422
    title = "The daily cap is smaller than one batch"
    title_vi = "Hạn mức ngày nhỏ hơn một lô"


class PauseState(StrEnum):
    """Where a pause stands; nothing is sent under it until it is RESUMED."""

    ACTIVE = "ACTIVE"
    RESUME_PROPOSED = "RESUME_PROPOSED"
    RESUMED = "RESUMED"


class PauseAction(StrEnum):
    """What people do to a pause."""

    PROPOSE_RESUME = "PROPOSE_RESUME"
    CONFIRM_RESUME = "CONFIRM_RESUME"
    KEEP = "KEEP"


TRANSITIONS: Final[dict[tuple[PauseState, PauseAction], PauseState]] = {
    (PauseState.ACTIVE, PauseAction.PROPOSE_RESUME): PauseState.RESUME_PROPOSED,
    (PauseState.RESUME_PROPOSED, PauseAction.CONFIRM_RESUME): PauseState.RESUMED,
    (PauseState.RESUME_PROPOSED, PauseAction.KEEP): PauseState.ACTIVE,
}
"""(state, action) → state; every other move is refused."""


def move(state: str, action: PauseAction) -> PauseState:
    """The state after an action. Raises IllegalPauseMove for a move that is not in the table."""
    try:
        return TRANSITIONS[PauseState(state), action]
    except KeyError:
        raise IllegalPauseMove(f"{action} is not possible while the pause is {state}", state=state) from None


class Waiting(StrEnum):
    """Why nothing is claimed though batches wait."""

    PAUSED = "PAUSED"
    AWAY = "AWAY"
    CUT_OFF = "CUT_OFF"
    CONCURRENCY = "CONCURRENCY"
    DAILY_PAYMENTS = "DAILY_PAYMENTS"
    DAILY_AMOUNT = "DAILY_AMOUNT"
