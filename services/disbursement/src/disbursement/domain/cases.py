"""Investigation (tra soát) and recall (thu hồi) of a payment at its partner: states, outcomes, and what each outcome means (pure).

A case changes no payment. What it finds does: by the partner's own notice or statement, or by two people with evidence.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import PaymentStatus
from common.problems import Problem
from disbursement.domain.payment import CASH, ResultStatus

__all__ = [
    "LIVING",
    "MANUAL_RESULTS",
    "OUTCOMES",
    "REQUIRES",
    "STATUS_OUTCOMES",
    "TEXTS",
    "TRANSITIONS",
    "CaseAction",
    "CaseExists",
    "CaseKind",
    "CaseOutcome",
    "CaseState",
    "IllegalCaseMove",
    "OutcomeNeedsResult",
    "ResultNotPossible",
    "ResultProposed",
    "SameWitness",
    "WordNotOurs",
    "move",
    "outcome_of",
]


class IllegalCaseMove(Problem):
    """The case's state or kind does not allow this."""

    type = "illegal-case-move"
    status = 409
    title = "The case's state does not allow this"
    title_vi = "Trạng thái hồ sơ tra soát không cho phép thao tác này"


class CaseExists(Problem):
    """The payment has a living case of this kind."""

    type = "case-exists"
    status = 409
    title = "The payment already has such a case"
    title_vi = "Khoản chi đã có hồ sơ loại này đang xử lý"


class OutcomeNeedsResult(Problem):
    """The outcome says something of the payment that our books do not say yet: two people, or the partner's word, first."""

    type = "outcome-needs-result"
    status = 409
    title = "Two people or the partner must first say so of the payment"
    title_vi = "Cần kết quả của đơn vị chi trả hoặc của hai người trước khi kết luận"


class ResultProposed(Problem):
    """A result of this payment waits for a second person, or this one was decided."""

    type = "result-proposed"
    status = 409
    title = "A result was already proposed or decided"
    title_vi = "Kết quả đã được đề xuất hoặc đã quyết định"


class ResultNotPossible(Problem):
    """The payment cannot get this result: its channel or state does not allow it."""

    type = "result-not-possible"
    status = 409
    title = "The payment cannot get this result"
    title_vi = "Khoản chi không thể nhận kết quả này"


class SameWitness(Problem):
    """What became of a payment is said by two people."""

    type = "same-witness"
    status = 409
    title = "Another person must confirm what you said of the payment"
    title_vi = "Người khác phải xác nhận kết quả bạn đề xuất"


class WordNotOurs(Problem):
    """The word set aside is about no payment of ours: it can only be dismissed."""

    type = "word-not-ours"
    status = 409
    title = "This word is about no payment of ours"
    title_vi = "Thông tin này không thuộc khoản chi nào của hệ thống"


class CaseKind(StrEnum):
    """What is asked of the partner."""

    INVESTIGATION = "INVESTIGATION"
    RECALL = "RECALL"


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "OPEN"
    SENT = "SENT"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class CaseAction(StrEnum):
    """What people do with a case."""

    SEND = "SEND"
    REMIND = "REMIND"
    ANSWER = "ANSWER"
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"


class CaseOutcome(StrEnum):
    """How a case ended."""

    PAID = "PAID"
    NOT_PAID = "NOT_PAID"
    RETURNED = "RETURNED"
    CREDITED_ELSEWHERE = "CREDITED_ELSEWHERE"
    REFUSED = "REFUSED"
    NO_FUNDS = "NO_FUNDS"


_S, _A, _O = CaseState, CaseAction, CaseOutcome
LIVING: Final = (_S.OPEN, _S.SENT, _S.ANSWERED)
"""States in which the case can still change."""

TRANSITIONS: Final[dict[tuple[CaseState, CaseAction], CaseState]] = {
    (_S.OPEN, _A.SEND): _S.SENT,
    (_S.ANSWERED, _A.SEND): _S.SENT,
    (_S.SENT, _A.REMIND): _S.SENT,
    (_S.SENT, _A.ANSWER): _S.ANSWERED,
    **{(state, _A.CLOSE): _S.CLOSED for state in LIVING},
    **{(state, _A.CANCEL): _S.CANCELLED for state in LIVING},
}
"""(state, action) → state; every other move is refused."""

OUTCOMES: Final[dict[CaseKind, frozenset[CaseOutcome]]] = {
    CaseKind.INVESTIGATION: frozenset({_O.PAID, _O.NOT_PAID, _O.RETURNED, _O.CREDITED_ELSEWHERE}),
    CaseKind.RECALL: frozenset({_O.RETURNED, _O.REFUSED, _O.NO_FUNDS}),
}

REQUIRES: Final[dict[CaseOutcome, frozenset[PaymentStatus]]] = {
    _O.PAID: frozenset({PaymentStatus.SETTLED, PaymentStatus.COLLECTED}),
    _O.NOT_PAID: frozenset({PaymentStatus.FAILED, PaymentStatus.UNCOLLECTED, PaymentStatus.RETURNED, PaymentStatus.CANCELLED}),
    _O.RETURNED: frozenset({PaymentStatus.RETURNED}),
}
"""What our books must say before the outcome may stand; the others say nothing of the payment's state."""

STATUS_OUTCOMES: Final[dict[CaseKind, dict[PaymentStatus, CaseOutcome]]] = {
    CaseKind.INVESTIGATION: {
        PaymentStatus.SETTLED: _O.PAID,
        PaymentStatus.COLLECTED: _O.PAID,
        PaymentStatus.FAILED: _O.NOT_PAID,
        PaymentStatus.UNCOLLECTED: _O.NOT_PAID,
        PaymentStatus.RETURNED: _O.RETURNED,
    },
    CaseKind.RECALL: {PaymentStatus.RETURNED: _O.RETURNED},
}
"""What ends a case by itself when the payment reaches it after the case was opened: the partner's notice or statement answers it."""

TEXTS: Final[dict[CaseOutcome, tuple[str, str]]] = {
    _O.PAID: ("Đã chi đúng lệnh", "Paid as instructed"),
    _O.NOT_PAID: ("Không chi được", "Not paid"),
    _O.RETURNED: ("Tiền đã hoàn trả", "The money came back"),
    _O.CREDITED_ELSEWHERE: ("Ghi có sai người hưởng: lập hồ sơ thu hồi", "Credited to somebody else: open a recall"),
    _O.REFUSED: ("Người nhận hoặc đơn vị từ chối hoàn trả: lập hồ sơ truy thu", "Refused: recovery from the payee"),
    _O.NO_FUNDS: ("Tài khoản không còn tiền: lập hồ sơ truy thu", "No money left in the account: recovery from the payee"),
}

MANUAL_RESULTS: Final = (
    ResultStatus.SETTLED,
    ResultStatus.COLLECTED,
    ResultStatus.FAILED,
    ResultStatus.UNCOLLECTED,
    ResultStatus.RETURNED,
)
"""What two people may say of a payment."""


def move(state: str, action: CaseAction) -> CaseState:
    """The state after an action. Raises IllegalCaseMove for a move that is not in the table."""
    try:
        return TRANSITIONS[CaseState(state), action]
    except KeyError:
        raise IllegalCaseMove(f"{action} is not possible while the case is {state}", state=state) from None


def outcome_of(kind: str, outcome: CaseOutcome, status: str, channel: str) -> None:
    """Check that a case may end so. Raises IllegalCaseMove (wrong kind or channel), OutcomeNeedsResult (our books say otherwise)."""
    if outcome not in OUTCOMES[CaseKind(kind)]:
        raise IllegalCaseMove(f"{kind} does not end {outcome}", outcome=outcome)
    if outcome is CaseOutcome.CREDITED_ELSEWHERE and channel in CASH:
        raise IllegalCaseMove("Cash is credited to no account", outcome=outcome)
    needed = REQUIRES.get(outcome)
    if needed is not None and status not in needed:
        raise OutcomeNeedsResult(f"The payment is {status}", payment_status=status, needed=sorted(needed))
