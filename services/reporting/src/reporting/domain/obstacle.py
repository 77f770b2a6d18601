"""Obstacles: what stands in the way, who has to answer it, and how it is passed upward (plan 152, "khó khăn, vướng mắc").

A commune says what it cannot solve; each level answers or passes it on: commune → (district, until it ended on 1 July 2025) →
province → ministry. The level says whose turn it is.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from common.actor import Role
from reporting.domain.errors import NoLevelAbove, NotYourLevel, ObstacleState
from reporting.domain.states import Words

__all__ = ["ACTIONS", "AGES", "ANSWERERS", "Action", "Category", "Level", "State", "age", "category_words", "level_above", "level_words",
           "move", "must_answer", "state_words"]  # fmt: skip

DISTRICTS_ENDED: Final = date(2025, 7, 1)


class Category(StrEnum):
    """What kind of obstacle; from the reports of the pilot provinces."""

    NO_IDENTITY = "NO_IDENTITY"
    DATA = "DATA"
    ACCOUNT_OPENING = "ACCOUNT_OPENING"
    NETWORK = "NETWORK"
    FEES = "FEES"
    AUTHORISATION = "AUTHORISATION"
    UNWILLING = "UNWILLING"
    NO_PHONE = "NO_PHONE"
    STAFF = "STAFF"
    FUNDING = "FUNDING"
    PARTNER = "PARTNER"
    SOFTWARE = "SOFTWARE"
    LAW = "LAW"
    OTHER = "OTHER"


_CATEGORIES: Final = {
    Category.NO_IDENTITY: Words("Chưa có CCCD, mã định danh", "No identity card or number"),
    Category.DATA: Words("Dữ liệu sai, thiếu, trùng", "Wrong, missing or doubled data"),
    Category.ACCOUNT_OPENING: Words("Mở tài khoản", "Opening accounts"),
    Category.NETWORK: Words("Thiếu ATM, điểm giao dịch, sóng di động", "Few ATMs, counters or mobile signal"),
    Category.FEES: Words("Phí mở, duy trì, rút tiền", "Fees of opening, keeping, withdrawing"),
    Category.AUTHORISATION: Words("Ủy quyền, giám hộ, lo người nhận thay giữ tiền", "Authorisation, guardianship, fear of the proxy"),
    Category.UNWILLING: Words("Người dân chưa muốn đổi, ngại công nghệ", "People do not want to change"),
    Category.NO_PHONE: Words("Không có điện thoại thông minh", "No smartphone"),
    Category.STAFF: Words("Thiếu cán bộ, quá tải", "Too few officers"),
    Category.FUNDING: Words("Kinh phí, chi phí chi trả", "Funding"),
    Category.PARTNER: Words("Ngân hàng, bưu điện, tổ chức chi trả", "Bank, post, payment organisation"),
    Category.SOFTWARE: Words("Phần mềm, kết nối", "Software and links"),
    Category.LAW: Words("Quy định chưa rõ, chồng chéo", "Unclear or conflicting rules"),
    Category.OTHER: Words("Khác", "Other"),
}


class Level(StrEnum):
    """Whose turn it is to answer."""

    COMMUNE = "COMMUNE"
    DISTRICT = "DISTRICT"
    PROVINCE = "PROVINCE"
    MINISTRY = "MINISTRY"


_LEVELS: Final = {
    Level.COMMUNE: Words("Cấp xã", "Commune"),
    Level.DISTRICT: Words("Cấp huyện", "District"),
    Level.PROVINCE: Words("Cấp tỉnh", "Province"),
    Level.MINISTRY: Words("Bộ", "Ministry"),
}

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
ANSWERERS: Final = {
    Level.COMMUNE: _OFFICERS,
    Level.DISTRICT: _OFFICERS[1:],
    Level.PROVINCE: _OFFICERS[2:],
    Level.MINISTRY: _OFFICERS[2:],
}
"""Who answers at a level. A ministry has no account here: the department writes down what it answered, with the document."""


class State(StrEnum):
    """Open: waits for an answer. Answered: waits for the unit to say whether it helped. Closed: it did."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


_STATES: Final = {
    State.OPEN: Words("Chờ trả lời", "Waits for an answer"),
    State.ANSWERED: Words("Đã trả lời, chờ đơn vị xác nhận", "Answered; waits for the unit's word"),
    State.CLOSED: Words("Đã xong", "Closed"),
}


class Action(StrEnum):
    """What people do to an obstacle."""

    ESCALATE = "ESCALATE"
    ANSWER = "ANSWER"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"


ACTIONS: Final = {
    (State.OPEN, Action.ESCALATE): State.OPEN,
    (State.OPEN, Action.ANSWER): State.ANSWERED,
    (State.ANSWERED, Action.CLOSE): State.CLOSED,
    (State.ANSWERED, Action.REOPEN): State.OPEN,
}
"""The state machine; every other move is refused."""

AGES: Final = (7, 30, 90)
"""Days at which an obstacle passes into the next age group."""


def move(state: str, action: Action) -> State:
    """The next state. Raises :class:`ObstacleState`."""
    found = ACTIONS.get((State(state), action))
    if found is None:
        raise ObstacleState(f"{action} is not possible while it is {state}", state=state)
    return found


def level_above(level: str, day: date) -> Level:
    """The next level up on a day. Raises :class:`NoLevelAbove` at the ministry."""
    order = [Level.COMMUNE, *([Level.DISTRICT] if day < DISTRICTS_ENDED else []), Level.PROVINCE, Level.MINISTRY]
    if level == Level.MINISTRY:
        raise NoLevelAbove
    if level not in order:  # raised to a district that has ended since
        return Level.PROVINCE
    return order[order.index(Level(level)) + 1]


def must_answer(roles: frozenset[Role], level: str) -> None:
    """Raises :class:`NotYourLevel` unless one of the roles answers at the level."""
    if roles.isdisjoint(ANSWERERS[Level(level)]):
        raise NotYourLevel(f"It waits at {level}", level=level)


def age(days: int) -> str:
    """The age group: 0-7, 8-30, 31-90, 91+."""
    low = 0
    for high in AGES:
        if days <= high:
            return f"{low}-{high}"
        low = high + 1
    return f"{low}+"


def category_words(code: str) -> Words:
    """Its name in two languages."""
    return _CATEGORIES[Category(code)]


def level_words(code: str) -> Words:
    """Its name in two languages."""
    return _LEVELS[Level(code)]


def state_words(code: str) -> Words:
    """Its name in two languages."""
    return _STATES[State(code)]
