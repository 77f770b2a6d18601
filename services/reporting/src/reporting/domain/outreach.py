"""Outreach and milestones: what was done to tell people, and the days a plan names (plan 152: 15/7, 31/7, 25/8, 1/9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from reporting.domain.states import Words

__all__ = ["Milestone", "OutreachKind", "milestone_words", "outreach_words"]


class OutreachKind(StrEnum):
    """How people were told."""

    MEETING = "MEETING"
    HOME_VISIT = "HOME_VISIT"
    CALL = "CALL"
    LOUDSPEAKER = "LOUDSPEAKER"
    LEAFLET = "LEAFLET"
    COUNTER = "COUNTER"
    TRAINING = "TRAINING"


_KINDS: Final = {
    OutreachKind.MEETING: Words("Buổi tuyên truyền trực tiếp", "Meeting"),
    OutreachKind.HOME_VISIT: Words("Đến nhà", "Home visits"),
    OutreachKind.CALL: Words("Gọi điện", "Calls"),
    OutreachKind.LOUDSPEAKER: Words("Loa truyền thanh", "Loudspeaker"),
    OutreachKind.LEAFLET: Words("Tờ rơi", "Leaflets"),
    OutreachKind.COUNTER: Words("Bàn hướng dẫn tại điểm chi trả", "Help desk at the pay point"),
    OutreachKind.TRAINING: Words("Tập huấn cán bộ, người dân", "Training"),
}


class Milestone(StrEnum):
    """The steps of a unit's plan."""

    PLAN = "PLAN"
    LISTS = "LISTS"
    ACCOUNTS = "ACCOUNTS"
    VERIFIED = "VERIFIED"
    LISTS_SENT = "LISTS_SENT"
    GO_LIVE = "GO_LIVE"
    OTHER = "OTHER"


_MILESTONES: Final = {
    Milestone.PLAN: Words("Ban hành kế hoạch", "Plan issued"),
    Milestone.LISTS: Words("Xong danh sách đăng ký", "Registration lists done"),
    Milestone.ACCOUNTS: Words("Xong mở tài khoản", "Accounts opened"),
    Milestone.VERIFIED: Words("Xong xác thực, làm sạch dữ liệu", "Data verified and cleaned"),
    Milestone.LISTS_SENT: Words("Gửi danh sách cho đơn vị chi trả và Sở", "Lists sent to the paying unit and the department"),
    Milestone.GO_LIVE: Words("Bắt đầu chi trả qua tài khoản", "Paying by account begins"),
    Milestone.OTHER: Words("Mốc khác", "Another milestone"),
}


def outreach_words(code: str) -> Words:
    """Its name in two languages."""
    return _KINDS[OutreachKind(code)]


def milestone_words(code: str) -> Words:
    """Its name in two languages."""
    return _MILESTONES[Milestone(code)]
