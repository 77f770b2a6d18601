"""A complaint about one payment ("I did not get it"): states, deadline, outcomes (pure)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.problems import Problem

__all__ = [
    "LIVING", "OUTCOME_TEXTS", "TRANSITIONS", "ComplaintAction", "ComplaintExists", "ComplaintKind", "ComplaintOutcome", "ComplaintState",
    "IllegalComplaintMove", "Informant", "NothingPaidYet", "move",
]  # fmt: skip


class IllegalComplaintMove(Problem):
    """The complaint's state does not allow this."""

    type, status = "illegal-complaint-move", 409
    title, title_vi = "The complaint's state does not allow this", "Trạng thái khiếu nại không cho phép thao tác này"


class ComplaintExists(Problem):
    """A complaint about this payment is being worked on."""

    type, status = "complaint-exists", 409
    title, title_vi = "A complaint about this payment is open already", "Khoản chi này đang có khiếu nại chưa giải quyết"


class NothingPaidYet(Problem):
    """Nobody says that this payment arrived: its own reason tells what to do."""

    type, status = "nothing-paid-yet", 409
    title, title_vi = "Nobody says yet that this was paid", "Khoản này chưa được báo là đã chi: xem lý do và việc cần làm của khoản chi"


class ComplaintKind(StrEnum):
    """What the person says."""

    NOT_RECEIVED = "NOT_RECEIVED"
    LESS_RECEIVED = "LESS_RECEIVED"
    TAKEN_BY_OTHER = "TAKEN_BY_OTHER"


class Informant(StrEnum):
    """Who said it."""

    SELF = "SELF"
    RELATIVE = "RELATIVE"
    NEIGHBOUR = "NEIGHBOUR"
    OFFICER = "OFFICER"
    OTHER = "OTHER"


class ComplaintState(StrEnum):
    """Where it stands."""

    OPEN = "OPEN"
    INVESTIGATING = "INVESTIGATING"
    OUTCOME_PROPOSED = "OUTCOME_PROPOSED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"


class ComplaintAction(StrEnum):
    """What people do to it."""

    INVESTIGATE = "INVESTIGATE"
    PROPOSE = "PROPOSE"
    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"


class ComplaintOutcome(StrEnum):
    """What was found."""

    RECEIVED = "RECEIVED"
    KEPT_BY_PAYEE = "KEPT_BY_PAYEE"
    NOT_RECEIVED = "NOT_RECEIVED"
    WRONG_PERSON = "WRONG_PERSON"


_S = ComplaintState
_A = ComplaintAction
LIVING: Final = (_S.OPEN, _S.INVESTIGATING, _S.OUTCOME_PROPOSED)

TRANSITIONS: Final[dict[tuple[ComplaintState, ComplaintAction], ComplaintState]] = {
    (_S.OPEN, _A.INVESTIGATE): _S.INVESTIGATING,
    (_S.INVESTIGATING, _A.INVESTIGATE): _S.INVESTIGATING,
    (_S.INVESTIGATING, _A.PROPOSE): _S.OUTCOME_PROPOSED,
    (_S.OUTCOME_PROPOSED, _A.CONFIRM): _S.CLOSED,
    (_S.OUTCOME_PROPOSED, _A.REFUSE): _S.INVESTIGATING,
    (_S.OPEN, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.INVESTIGATING, _A.WITHDRAW): _S.WITHDRAWN,
}
"""(state, action) → state; every other move is refused."""

OUTCOME_TEXTS: Final[dict[ComplaintOutcome, tuple[str, str]]] = {
    ComplaintOutcome.RECEIVED: (
        "Người hưởng đã nhận được tiền: giải thích, kết thúc", "The person has the money: explain and end it"),
    ComplaintOutcome.KEPT_BY_PAYEE: (
        "Người nhận thay chưa giao tiền: yêu cầu giao lại, xem xét chấm dứt ủy quyền",
        "The payee has not handed it over: have it handed over, consider ending the authorisation"),
    ComplaintOutcome.NOT_RECEIVED: (
        "Tiền chưa đến: yêu cầu đơn vị chi trả tra soát, hoàn trả, rồi chi lại",
        "The money did not arrive: have the partner trace and return it, then pay again"),
    ComplaintOutcome.WRONG_PERSON: (
        "Tiền đến nhầm người: thu hồi qua đơn vị chi trả, rồi chi lại",
        "The money went to somebody else: recall it through the partner, then pay again"),
}  # fmt: skip
"""What was found and what follows, Vietnamese and English. An outcome moves no money: tracing, return and re-issue are their own acts."""


def move(state: str, action: ComplaintAction) -> ComplaintState:
    """The state after an action. Raises IllegalComplaintMove for a move that is not in the table."""
    try:
        return TRANSITIONS[ComplaintState(state), action]
    except KeyError:
        raise IllegalComplaintMove(f"{action} is not possible while the complaint is {state}", state=state) from None
