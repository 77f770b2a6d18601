"""Whose turn it is with somebody who is not paid yet, and what is to be done. What a hold says comes with the hold; the rest is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.actor import Role
from reporting.domain.states import PersonState, Words

__all__ = ["ROLES_WITH_TURNS", "TURNS", "WAITING", "Turn", "act_words", "role_words", "states_of", "turn_of"]


@dataclass(frozen=True, slots=True)
class Turn:
    """The role that must act on a state, and the act."""

    role: str
    act: Words


TURNS: Final = {
    PersonState.RELEASED: Turn(
        Role.DEPARTMENT_OFFICER, Words("Đưa vào danh sách bổ sung hoặc kỳ sau", "Put on a supplementary or the next list")
    ),
    PersonState.FAILED: Turn(
        Role.COMMUNE_OFFICER,
        Words("Liên hệ người nhận, sửa tài khoản hoặc chuyển sang tiền mặt", "Ask the payee, mend the account or change to cash"),
    ),
    PersonState.RETURNED: Turn(
        Role.COMMUNE_OFFICER,
        Words("Liên hệ người nhận, sửa tài khoản hoặc chuyển sang tiền mặt", "Ask the payee, mend the account or change to cash"),
    ),
    PersonState.UNCOLLECTED: Turn(
        Role.COMMUNE_OFFICER,
        Words("Đến thăm, hỏi lý do; đề nghị trả tại nhà nếu cần", "Visit and ask why; propose payment at home where needed"),
    ),
    PersonState.UNKNOWN: Turn(
        Role.PARTNER, Words("Trả lời tra soát; không chi lại khi chưa rõ", "Answer the inquiry; nothing is paid again before")
    ),
    PersonState.CANCELLED: Turn(
        Role.DEPARTMENT_OFFICER, Words("Quyết định chi lại hoặc chuyển kỳ sau", "Decide to pay again or with the next list")
    ),
    PersonState.IN_PROGRESS: Turn(Role.PARTNER, Words("Chi trả và báo kết quả", "Pay and report the result")),
}
"""State → turn. `HELD` is missing: its role is the hold's own `actor`."""

WAITING: Final = (
    PersonState.HELD, PersonState.RELEASED, PersonState.FAILED, PersonState.RETURNED, PersonState.UNCOLLECTED, PersonState.CANCELLED,
    PersonState.UNKNOWN, PersonState.IN_PROGRESS,
)  # fmt: skip
"""Everything that is not 'the money is with the person'."""

_HOLDS: Final = {
    "DECEASED": Words(
        "Ghi nhận ngày mất; phần chưa nhận trả cho người thừa kế", "Record the date of death; what is unpaid goes to an heir"
    ),
    "STOPPED": Words("Kiểm tra quyết định dừng hoặc điều chỉnh", "Check the decision that stopped or changed the allowance"),
    "SUSPENDED": Words("Quyết định tiếp tục hoặc chấm dứt trợ cấp", "Decide to resume or end the allowance"),
    "SUSPECTED_IDENTITY": Words("Xác minh nhân thân và sửa số định danh", "Establish who the person is and correct the number"),
    "DUPLICATE": Words("Quyết định hồ sơ nào là đúng", "Decide which file stands"),
    "DATA_PARKED": Words("Xử lý và chạy lại sự kiện bị giữ", "Mend and replay the parked event"),
    "RATE_MISSING": Words("Nạp mức trợ cấp theo văn bản hiện hành", "Load the rate with its legal basis"),
    "NOT_VERIFIED": Words("Xác thực lại với CSDL quốc gia về dân cư", "Verify again in the population database"),
    "ACCOUNT_CHANGED": Words("Xác nhận hình thức nhận tiền", "Confirm how to pay"),
    "FRAUD_SUSPECTED": Words("Kiểm tra và kết luận", "Investigate and decide"),
    "ACCOUNT_LIMIT_EXCEEDED": Words(
        "Lập danh sách bổ sung để chi tiền mặt, hoặc thỏa thuận mức cao hơn", "Open a supplementary list for cash, or agree a higher limit"
    ),
    "PAYMENT_DISPUTED": Words("Hỏi đơn vị chi trả bằng văn bản", "Ask the partner in writing"),
    "WITHDRAWN": Words("Nêu lý do và quyết định kỳ sau", "Give the reason and decide for the next list"),
}

_ROLES: Final = {
    Role.COMMUNE_OFFICER: Words("Cán bộ xã, phường", "Commune officer"),
    Role.DISTRICT_OFFICER: Words("Cán bộ huyện", "District officer"),
    Role.DEPARTMENT_OFFICER: Words("Cán bộ Sở", "Department officer"),
    Role.APPROVER: Words("Người duyệt", "Approver"),
    Role.COMMUNE_POLICE: Words("Công an xã, phường", "Commune police"),
    Role.PARTNER: Words("Đơn vị chi trả", "Payment organisation"),
    Role.OPERATOR: Words("Kỹ thuật vận hành", "Operator of the platform"),
    Role.SYSTEM: Words("Hệ thống", "The platform"),
}

ROLES_WITH_TURNS: Final = tuple(role.value for role in _ROLES)


def role_words(role: str | None) -> Words | None:
    """The words for whose turn it is; a role we do not know yet is shown by its code."""
    if role is None:
        return None
    return _ROLES[Role(role)] if role in ROLES_WITH_TURNS else Words(role, role)


def act_words(state: str, reason: str | None) -> Words | None:
    """What is to be done; None for who is paid, and for a hold whose reason we do not know yet."""
    if state == PersonState.HELD:
        return _HOLDS.get(reason or "")
    turn = TURNS.get(PersonState(state))
    return turn.act if turn else None


def states_of(role: str) -> tuple[str, ...]:
    """The states in which it can be a role's turn."""
    if role == Role.SYSTEM:
        return (PersonState.IN_PROGRESS.value,)
    return (PersonState.HELD.value, *(state.value for state, turn in TURNS.items() if turn.role == role))


def turn_of(state: str) -> str | None:
    """The role whose turn it is by the state alone; None for who is paid, and for a hold (the hold names it)."""
    turn = TURNS.get(PersonState(state))
    return turn.role if turn else None
