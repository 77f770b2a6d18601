"""Telling the beneficiary: of what, by which way, in which words, and what counts as proof (pure).

Plan 152 of the province (domain facts R62, R63, R66): people fear that whoever collects for them keeps the money or says nothing, and
many have no telephone. So every payment is told, to the beneficiary and not to the payee; by SMS where there is a phone, on the
commune's printed list where there is none. No text names the programme, the category or the reason of a hold: they tell of health.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentStatus

__all__ = [
    "ASK_SECONDS", "OCCASIONS", "OCCASION_TEXTS", "SILENT_HOLDS", "STATE_TEXTS", "TRANSITIONS", "Amounts", "Content", "Occasion", "Route",
    "TellingState", "in_quiet_hours", "message", "sentence", "transitions_values", "unaccented",
]  # fmt: skip

Amounts = Literal["ALWAYS", "OTHER_PAYEE", "NEVER"]


class Occasion(StrEnum):
    """What a person is told of."""

    PAID = "PAID"
    COLLECTED = "COLLECTED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"
    UNCOLLECTED = "UNCOLLECTED"
    HELD = "HELD"


class Route(StrEnum):
    """How: by telephone, or by the commune's printed list."""

    SMS = "SMS"
    LIST = "LIST"


class TellingState(StrEnum):
    """Where one telling stands. Told is only DELIVERED (the operator's receipt) and HANDED_OVER (the signed list is filed)."""

    READY = "READY"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    TO_PRINT = "TO_PRINT"
    PRINTED = "PRINTED"
    HANDED_OVER = "HANDED_OVER"


_S = TellingState
TRANSITIONS: Final[frozenset[tuple[TellingState, TellingState]]] = frozenset({
    (_S.READY, _S.SENDING),
    (_S.SENDING, _S.SENT),
    (_S.SENDING, _S.UNKNOWN),       # no answer: asked for under the same reference
    (_S.SENDING, _S.READY),         # the gateway was not reached at all
    (_S.SENDING, _S.DELIVERED),
    (_S.UNKNOWN, _S.SENT),
    (_S.UNKNOWN, _S.DELIVERED),
    (_S.UNKNOWN, _S.READY),         # the gateway does not know it: the same text again, under the same reference
    (_S.SENT, _S.DELIVERED),
    (_S.READY, _S.TO_PRINT),        # no usable phone: on to the list
    (_S.SENDING, _S.TO_PRINT),
    (_S.UNKNOWN, _S.TO_PRINT),
    (_S.SENT, _S.TO_PRINT),         # no receipt, or not deliverable
    (_S.TO_PRINT, _S.PRINTED),
    (_S.PRINTED, _S.HANDED_OVER),
    (_S.PRINTED, _S.TO_PRINT),      # not met at home: on the next list
    (_S.HANDED_OVER, _S.TO_PRINT),  # not met after all: somebody else replaced the signed copy and says so
})  # fmt: skip
"""Every allowed move (from, to)."""

OCCASIONS: Final[dict[PaymentStatus, Occasion]] = {
    PaymentStatus.SETTLED: Occasion.PAID,
    PaymentStatus.COLLECTED: Occasion.COLLECTED,
    PaymentStatus.FAILED: Occasion.FAILED,
    PaymentStatus.RETURNED: Occasion.RETURNED,
    PaymentStatus.UNCOLLECTED: Occasion.UNCOLLECTED,
}
"""Which state of a payment is told as what."""

SILENT_HOLDS: Final = (HoldReason.DECEASED, HoldReason.FRAUD_SUSPECTED, HoldReason.SUSPECTED_IDENTITY)
"""Holds that no text tells of: a family in mourning, and people of whom it is not known who answers their phone. An officer goes."""

ASK_SECONDS: Final = (10, 60, 300, 900, 3_600)
"""Pauses between two questions to the gateway, the last one repeating."""

OCCASION_TEXTS: Final[dict[Occasion, tuple[str, str]]] = {
    Occasion.PAID: ("Đã chuyển khoản", "Paid by account"),
    Occasion.COLLECTED: ("Đã nhận tiền mặt", "Cash collected"),
    Occasion.FAILED: ("Chi không thành công", "Payment failed"),
    Occasion.RETURNED: ("Tiền bị hoàn trả", "Money came back"),
    Occasion.UNCOLLECTED: ("Chưa đến nhận", "Not collected"),
    Occasion.HELD: ("Chưa chi kỳ này", "Not paid this time"),
}
STATE_TEXTS: Final[dict[TellingState, tuple[str, str]]] = {
    _S.READY: ("Chờ gửi tin nhắn", "Waiting to be sent"),
    _S.SENDING: ("Đang gửi tin nhắn", "Being sent"),
    _S.UNKNOWN: ("Chưa rõ tổng đài đã nhận tin chưa", "Not known whether the gateway took it"),
    _S.SENT: ("Đã gửi, chờ báo phát", "Sent, waiting for the receipt"),
    _S.DELIVERED: ("Máy người nhận đã nhận tin", "Delivered to the telephone"),
    _S.TO_PRINT: ("Chờ in danh sách của xã", "Waiting for the commune's list"),
    _S.PRINTED: ("Đã in, chờ danh sách có ký nhận", "Printed, waiting for the signed list"),
    _S.HANDED_OVER: ("Đã báo, có ký nhận", "Told, with signature"),
}

_INTO: Final = {
    Channel.BANK: "tài khoản ngân hàng",
    Channel.WALLET: "ví điện tử",
    Channel.MOBILE_MONEY: "tài khoản tiền di động",
    Channel.CASH_POST: "bưu điện",
    Channel.CASH_HOME: "nhà",
}
_MARKS: Final = str.maketrans("đĐ", "dD")


@dataclass(frozen=True, slots=True)
class Content:
    """What one telling is about; `payee_name` only where somebody else is paid."""

    occasion: Occasion
    name: str
    month: str
    amount: int
    channel: Channel | None
    payee_name: str | None


def transitions_values() -> str:
    """:data:`TRANSITIONS` as rows of an SQL VALUES list."""
    return ", ".join(f"('{source}','{target}')" for source, target in sorted(TRANSITIONS))


def unaccented(text: str) -> str:
    """The text in ASCII letters: an SMS with accents costs more than twice as many parts and old telephones show it broken."""
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char)).translate(_MARKS)
    return bare.encode("ascii", "replace").decode()


def sentence(content: Content, amounts: Amounts) -> str:
    """What happened, in one sentence; the sum only where it helps to see that something is missing."""
    year, number = content.month.split("-")
    shown = amounts == "ALWAYS" or (amounts == "OTHER_PAYEE" and content.payee_name is not None)
    money = f"tiền an sinh tháng {int(number)}/{year}"
    sum_ = f"{money} ({content.amount:,} đồng)".replace(",", ".") if shown and content.amount else money
    other = content.payee_name
    match content.occasion:
        case Occasion.PAID if other:
            return f"{sum_} đã chuyển cho người nhận thay là {other}"
        case Occasion.COLLECTED if other:
            return f"{sum_} đã giao cho người nhận thay là {other}"
        case Occasion.PAID:
            return f"{sum_} đã chuyển vào {_INTO.get(content.channel, 'tài khoản') if content.channel else 'tài khoản'}"
        case Occasion.COLLECTED:
            return f"{sum_} đã được nhận tại {_INTO.get(content.channel, 'điểm chi trả') if content.channel else 'điểm chi trả'}"
        case Occasion.UNCOLLECTED:
            return f"{money} chưa có người đến nhận, sẽ chi vào kỳ sau"
        case Occasion.RETURNED:
            return f"{money} bị ngân hàng trả lại, chưa đến tay ông/bà"
        case Occasion.FAILED:
            return f"{money} chưa chuyển được"
        case Occasion.HELD:
            return f"{money} chưa chi kỳ này"


_WHAT_NOW: Final = {
    Occasion.PAID: "Chưa nhận được, xin báo UBND xã.",
    Occasion.COLLECTED: "Nếu chưa nhận được, xin báo UBND xã.",
}


def message(content: Content, amounts: Amounts, *, ascii_only: bool) -> str:
    """The whole SMS: whom it is for, what happened, what to do."""
    what = sentence(content, amounts)
    text = f"{content.name}: {what}. {_WHAT_NOW.get(content.occasion, 'Mời ông/bà liên hệ UBND xã.')}"
    return unaccented(text) if ascii_only else text


def in_quiet_hours(hour: int, quiet_from: int, quiet_to: int) -> bool:
    """Whether no telephone may ring at this hour (0–23, Viet Nam). `quiet_from` = `quiet_to`: never quiet."""
    if quiet_from <= quiet_to:
        return quiet_from <= hour < quiet_to
    return hour >= quiet_from or hour < quiet_to
