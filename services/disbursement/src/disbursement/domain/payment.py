"""The life of one payment: states, moves, and what a partner's word does to it (pure).

`TRANSITIONS` is the only list of moves. The set-based SQL joins against :func:`transitions_values`, made from the same
table, so that a move missing here is refused in bulk work as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import Channel, PaymentStatus
from disbursement.domain.payment_errors import IllegalPaymentMove

__all__ = [
    "BY_ACCOUNT",
    "CASH",
    "CORRECTIONS",
    "CORRECTION_EFFECTS",
    "DEAD",
    "DEADLY",
    "EFFECTS",
    "EVENT_TYPES",
    "KEEPS_CLOSED",
    "OPEN",
    "PAID",
    "TRANSITIONS",
    "Effect",
    "Reading",
    "ResultStatus",
    "corrects",
    "effects_values",
    "move",
    "read_result",
    "readings_values",
    "status_of_result",
    "transitions_values",
]

_S = PaymentStatus

BY_ACCOUNT: Final = frozenset({Channel.BANK, Channel.WALLET, Channel.MOBILE_MONEY})
CASH: Final = frozenset({Channel.CASH_POST, Channel.CASH_HOME})

TRANSITIONS: Final[frozenset[tuple[PaymentStatus, PaymentStatus]]] = frozenset({
    (_S.APPROVED, _S.SUBMITTING),      # a worker claimed its batch; the bytes are stored
    (_S.APPROVED, _S.CANCELLED),       # withdrawn at the gate before anything was sent
    (_S.SUBMITTING, _S.SUBMITTED),     # the partner accepted it
    (_S.SUBMITTING, _S.UNKNOWN),       # no answer, or none we can read
    (_S.SUBMITTING, _S.SETTLED),       # an instant partner was quicker than our own record of the send
    (_S.SUBMITTING, _S.FAILED),
    (_S.SUBMITTING, _S.COLLECTED),
    (_S.SUBMITTING, _S.UNCOLLECTED),
    (_S.UNKNOWN, _S.SUBMITTED),
    (_S.UNKNOWN, _S.SETTLED),
    (_S.UNKNOWN, _S.FAILED),
    (_S.UNKNOWN, _S.COLLECTED),
    (_S.UNKNOWN, _S.UNCOLLECTED),
    (_S.SUBMITTED, _S.UNKNOWN),        # the partner answered with something we do not know
    (_S.SUBMITTED, _S.SETTLED),
    (_S.SUBMITTED, _S.FAILED),
    (_S.SUBMITTED, _S.COLLECTED),
    (_S.SUBMITTED, _S.UNCOLLECTED),
    (_S.SETTLED, _S.RETURNED),         # came back after it had arrived
})  # fmt: skip
"""Every allowed move (from, to); anything else is refused with a problem answer."""

CORRECTIONS: Final[frozenset[tuple[PaymentStatus, PaymentStatus]]] = frozenset({
    (_S.FAILED, _S.SETTLED),
    (_S.FAILED, _S.COLLECTED),
    (_S.CANCELLED, _S.SETTLED),        # withdrawn here, and paid by the partner all the same: it spoke of it
    (_S.CANCELLED, _S.COLLECTED),
    (_S.RETURNED, _S.SETTLED),         # told to have come back, and it did not, or went out once more
    (_S.UNCOLLECTED, _S.COLLECTED),
})  # fmt: skip
"""What two people with evidence may put right where a partner wrongly told that it was not paid, or paid what we had withdrawn. No word of
a partner, notice, inquiry or statement moves a payment so."""

OPEN: Final = frozenset({_S.APPROVED, _S.SUBMITTING, _S.SUBMITTED, _S.UNKNOWN})
"""Not final: the cycle cannot be closed, the allocation stays committed."""

PAID: Final = frozenset({_S.SETTLED, _S.COLLECTED})
"""The money is with the person: the allocation is paid."""

DEAD: Final = frozenset({_S.FAILED, _S.RETURNED, _S.UNCOLLECTED, _S.CANCELLED})
"""Definitely not with the person: the allocation is released, once."""


EVENT_TYPES: Final[dict[PaymentStatus, str]] = {
    _S.APPROVED: "PaymentInstructed",
    _S.UNKNOWN: "PaymentUnknown",
    _S.SETTLED: "PaymentSettled",
    _S.FAILED: "PaymentFailed",
    _S.CANCELLED: "PaymentFailed",     # definitely not paid; `status` tells that it was never sent
    _S.RETURNED: "PaymentReturned",
    _S.COLLECTED: "CashCollected",
    _S.UNCOLLECTED: "PaymentUncollected",
}  # fmt: skip
"""Status reached → event said. SUBMITTING and SUBMITTED are ours alone."""


@dataclass(frozen=True)
class Effect:
    """What reaching a status does to the payment's allocations and to their months' positions."""

    source: str
    target: str
    committed: int
    """-1: the amount leaves *committed*."""
    paid: int
    """+1 or -1: the amount enters or leaves *paid*."""


_TO_PAID: Final = Effect("COMMITTED", "PAID", -1, 1)
_TO_RELEASED: Final = Effect("COMMITTED", "RELEASED", -1, 0)

EFFECTS: Final[dict[PaymentStatus, Effect]] = {
    _S.SETTLED: _TO_PAID,
    _S.COLLECTED: _TO_PAID,
    _S.FAILED: _TO_RELEASED,
    _S.UNCOLLECTED: _TO_RELEASED,
    _S.CANCELLED: _TO_RELEASED,
    _S.RETURNED: Effect("PAID", "RELEASED", 0, -1),
}


CORRECTION_EFFECTS: Final[dict[PaymentStatus, Effect]] = {wanted: Effect("RELEASED", "PAID", 0, 1) for _, wanted in sorted(CORRECTIONS)}
"""A corrected payment's months were given back: they are paid now, also where another payment has paid them meanwhile (recovery)."""


class ResultStatus(StrEnum):
    """What a partner says of one reference, in the words of our default contract."""

    NOT_FOUND = "NOT_FOUND"
    RECEIVED = "RECEIVED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"
    COLLECTED = "COLLECTED"
    UNCOLLECTED = "UNCOLLECTED"
    UNRECOGNISED = "UNRECOGNISED"
    """Our name for a word or code that is in nobody's map: UNKNOWN, and a person looks."""


DEADLY: Final = frozenset({ResultStatus.FAILED, ResultStatus.UNCOLLECTED, ResultStatus.RETURNED})
"""Results that give a payment's months back, so that they are paid again: one person's unsigned file does not say so alone."""


class Reading(StrEnum):
    """What one result means for a payment in a given state."""

    APPLY = "APPLY"
    NO_EFFECT = "NO_EFFECT"
    CONTRADICTION = "CONTRADICTION"
    NOT_SENT = "NOT_SENT"
    WRONG_CHANNEL = "WRONG_CHANNEL"


KEEPS_CLOSED: Final = frozenset({Reading.CONTRADICTION, Reading.NOT_SENT})
"""Words that keep the months of a dead or unsent payment closed while they wait for a person (`storage.gate`), beside those that say
that it was paid and are not believed for their amount, currency or channel."""

_TARGET: Final[dict[ResultStatus, PaymentStatus]] = {
    ResultStatus.RECEIVED: _S.SUBMITTED,
    ResultStatus.SETTLED: _S.SETTLED,
    ResultStatus.FAILED: _S.FAILED,
    ResultStatus.RETURNED: _S.RETURNED,
    ResultStatus.COLLECTED: _S.COLLECTED,
    ResultStatus.UNCOLLECTED: _S.UNCOLLECTED,
    ResultStatus.UNRECOGNISED: _S.UNKNOWN,
}


def status_of_result(result: ResultStatus) -> PaymentStatus | None:
    """The payment status a result asks for; None for NOT_FOUND, which is no result at all."""
    return _TARGET.get(result)


def move(current: PaymentStatus, wanted: PaymentStatus) -> PaymentStatus:
    """Return `wanted` if the move is in :data:`TRANSITIONS`.

    Raises IllegalPaymentMove otherwise.
    """
    if (current, wanted) not in TRANSITIONS:
        raise IllegalPaymentMove(detail=f"{current} → {wanted}", current=str(current), wanted=str(wanted))
    return wanted


def read_result(current: PaymentStatus, channel: Channel, result: ResultStatus) -> Reading:
    """Say what a partner's result does to a payment in `current`.

    Late and repeated words have no effect; a word that cannot be true together with what we hold is a contradiction
    for a person to look at. RETURNED on a payment whose settlement we have not seen implies that settlement, so the
    caller applies SETTLED first. A SETTLED of after the return is no old word: times are compared where words are judged
    (`storage.results`).
    """
    target = _TARGET.get(result)
    if target is None:
        return Reading.NO_EFFECT
    if (channel in CASH and result in {ResultStatus.SETTLED, ResultStatus.RETURNED}) or (
        channel in BY_ACCOUNT and result in {ResultStatus.COLLECTED, ResultStatus.UNCOLLECTED}
    ):
        return Reading.WRONG_CHANNEL
    if current is _S.APPROVED or (current is _S.CANCELLED and target is not _S.FAILED):
        return Reading.NOT_SENT
    if current == target or (current, result) in _NO_NEWS:
        return Reading.NO_EFFECT
    if (current, target) in TRANSITIONS or (target is _S.RETURNED and current in OPEN):
        return Reading.APPLY
    return Reading.CONTRADICTION


_FINAL: Final = PAID | DEAD
_NO_NEWS: Final = frozenset(
    {(status, ResultStatus.RECEIVED) for status in _FINAL}
    | {(status, ResultStatus.UNRECOGNISED) for status in _FINAL}
    | {(_S.RETURNED, ResultStatus.SETTLED), (_S.CANCELLED, ResultStatus.FAILED)}
)
"""(status, result) pairs that say nothing new: an old word that arrives late."""


def corrects(current: PaymentStatus, channel: Channel, result: ResultStatus) -> bool:
    """Whether this result would put right what we hold dead, wrongly told so or withdrawn: only two people may say so."""
    paid = _S.COLLECTED if channel in CASH else _S.SETTLED
    return _TARGET.get(result) is paid and (current, paid) in CORRECTIONS


def transitions_values(moves: frozenset[tuple[PaymentStatus, PaymentStatus]] = TRANSITIONS) -> str:
    """:data:`TRANSITIONS` (or :data:`CORRECTIONS`) as the rows of an SQL VALUES list, for joins in set-based updates."""
    return ", ".join(f"('{source}','{target}')" for source, target in sorted(moves))


def effects_values(effects: Mapping[PaymentStatus, Effect] = EFFECTS) -> str:
    """:data:`EFFECTS` (or :data:`CORRECTION_EFFECTS`) as rows (status, from, to, committed, paid) of an SQL VALUES list."""
    return ", ".join(f"('{status}','{e.source}','{e.target}',{e.committed},{e.paid})" for status, e in effects.items())


def readings_values() -> str:
    """:func:`read_result` for every case, as rows (status, channel, result, reading, target) of an SQL VALUES list."""
    return ", ".join(
        f"('{status}','{channel}','{result}','{read_result(status, channel, result)}','{_TARGET[result]}')"
        for status in PaymentStatus
        for channel in Channel
        for result in _TARGET
    )
