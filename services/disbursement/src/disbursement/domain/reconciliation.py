"""What a statement line says against our books, and how a difference is ended (pure).

The verdicts are those a treasurer knows: matched, missing, extra, amount differs, duplicate, reversed; plus a status that differs
(the partner booked what we hold to be dead) and a return that nobody signed, because that is how somebody would be paid twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from disbursement.domain.payment import ResultStatus
from disbursement.domain.reconciliation_errors import IllegalBreakMove

__all__ = ["BREAKS", "TEXTS", "TRANSITIONS", "BreakAction", "BreakState", "LineVerdict", "Resolution", "move", "result_of"]


class LineVerdict(StrEnum):
    """What became of one line, or (MISSING) of one of our payments that no line tells of."""

    MATCHED = "MATCHED"
    REVERSED = "REVERSED"
    MISSING = "MISSING"
    EXTRA = "EXTRA"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    DUPLICATE = "DUPLICATE"
    STATUS_DIFFERS = "STATUS_DIFFERS"
    RETURN_UNCONFIRMED = "RETURN_UNCONFIRMED"


BREAKS: Final = frozenset(LineVerdict) - {LineVerdict.MATCHED, LineVerdict.REVERSED}
"""Verdicts that need a person."""

TEXTS: Final[dict[LineVerdict, tuple[str, str]]] = {
    LineVerdict.MATCHED: ("Khớp", "Matched"),
    LineVerdict.REVERSED: ("Đã hoàn lại", "Reversed: the money came back"),
    LineVerdict.MISSING: ("Sao kê không có: ta ghi đã chi", "Missing: we say paid, no statement tells of it"),
    LineVerdict.EXTRA: ("Sao kê thừa: không có khoản chi tương ứng", "Extra: no payment of ours stands behind it"),
    LineVerdict.AMOUNT_DIFFERS: ("Lệch số tiền", "The amount differs"),
    LineVerdict.DUPLICATE: ("Ghi sổ hai lần", "Booked twice"),
    LineVerdict.STATUS_DIFFERS: ("Đơn vị chi trả ghi đã chi, ta ghi không chi được", "Booked by the partner although we hold it dead"),
    LineVerdict.RETURN_UNCONFIRMED: (
        "Sao kê không có chữ ký số báo tiền hoàn lại: chờ hai người xác nhận",
        "A statement nobody signed says that the money came back: two people confirm",
    ),
}
"""Vietnamese and English, for operators."""


class BreakState(StrEnum):
    """A difference waits, was answered by one person, and ends when a second one confirms."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    RESOLVED = "RESOLVED"


class BreakAction(StrEnum):
    """What people and later statements do to a difference."""

    PROPOSE = "PROPOSE"
    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    EXPLAINED = "EXPLAINED"


TRANSITIONS: Final[dict[tuple[BreakState, BreakAction], BreakState]] = {
    (BreakState.OPEN, BreakAction.PROPOSE): BreakState.PROPOSED,
    (BreakState.PROPOSED, BreakAction.CONFIRM): BreakState.RESOLVED,
    (BreakState.PROPOSED, BreakAction.REFUSE): BreakState.OPEN,
    # A later statement tells of the payment that was missing.
    (BreakState.OPEN, BreakAction.EXPLAINED): BreakState.RESOLVED,
    (BreakState.PROPOSED, BreakAction.EXPLAINED): BreakState.RESOLVED,
}


class Resolution(StrEnum):
    """How a difference was ended. The first four change the payment, by the second person's word and with evidence.

    NOT_PAID: the partner did not pay what we hold unpaid; the payment stays as it is and its months may be paid again.
    """

    PAID = "PAID"
    COLLECTED = "COLLECTED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"
    NOT_PAID = "NOT_PAID"
    PARTNER_CORRECTS = "PARTNER_CORRECTS"
    PARTNER_RETURNS = "PARTNER_RETURNS"
    NOT_OURS = "NOT_OURS"
    LATER_STATEMENT = "LATER_STATEMENT"


_RESULTS: Final = {
    Resolution.PAID: ResultStatus.SETTLED,
    Resolution.COLLECTED: ResultStatus.COLLECTED,
    Resolution.FAILED: ResultStatus.FAILED,
    Resolution.RETURNED: ResultStatus.RETURNED,
}


def result_of(resolution: Resolution) -> ResultStatus | None:
    """What a resolution says of the payment; None when it changes nothing there."""
    return _RESULTS.get(resolution)


def move(state: str, action: BreakAction) -> BreakState:
    """The state after an action. Raises IllegalBreakMove for a move that is not in the table."""
    try:
        return TRANSITIONS[BreakState(state), action]
    except KeyError:
        raise IllegalBreakMove(f"{action} is not possible while the difference is {state}", state=state) from None
