"""What two people settle for a time, and the questions the law leaves to the province with the answer that holds meanwhile (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["SETTINGS", "RulingKind", "Setting", "allowed", "strictest"]


class RulingKind(StrEnum):
    """Kinds of rulings; each is proposed by one person, approved by another, and dated."""

    SETTING = "SETTING"
    ROUTE = "ROUTE"
    APPROVAL_POLICY = "APPROVAL_POLICY"
    DELEGATION = "DELEGATION"
    CALENDAR_DAY = "CALENDAR_DAY"
    BUDGET = "BUDGET"
    LANE = "LANE"


@dataclass(frozen=True, slots=True)
class Setting:
    """A question, the answer until two people give another, and what answers are possible (a pattern)."""

    default: str
    pattern: str
    question_vi: str
    question_en: str
    legal_ref: str | None = None


_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d"
_WARN: Final = "OFF|WARN|REFUSE"

SETTINGS: Final[dict[str, Setting]] = {
    "TWO_MONTHS_OTHER_PROGRAMMES": Setting(
        "NOT_ALLOWED",
        "ALLOWED|NOT_ALLOWED",
        "Có được chi trả gộp hai tháng (Tết, thiên tai, dịch bệnh) cho đối tượng ngoài người có công không?",
        "May two months be paid together (Tết, disaster, epidemic) to others than people with merit?",
        "Thông tư 44/2022/TT-BTC Điều 8.3 (người có công)",
    ),
    "PREFUNDING_CHECK": Setting(
        "WARN",
        _WARN,
        "Khi duyệt, tiền đã chuyển cho tổ chức chi trả chưa đủ thì cảnh báo hay không cho duyệt?",
        "When money sent to the payment organisation does not cover the list: warn at approval, or refuse?",
        "Nghị định 20/2021/NĐ-CP Điều 34; Thông tư 44/2022/TT-BTC Điều 8",
    ),
    "PRECHECK": Setting(
        "OFF",
        _WARN,
        "Phải có báo cáo kiểm tra trước khi trình danh sách không?",
        "Must the pre-check have been read before a list is submitted?",
    ),
    "UNUSUAL_TOTAL_PERCENT": Setting(
        "20",
        r"[1-9]\d{0,2}",
        "Tổng tiền của xã khác tháng trước bao nhiêu phần trăm thì bất thường?",
        "From how many percent of change against last month is a unit's total unusual?",
    ),
    "UNUSUAL_AMOUNT_TIMES": Setting(
        "5",
        r"[1-9]\d?",
        "Một khoản chi gấp bao nhiêu lần mức trung vị của danh sách thì bất thường?",
        "From how many times the list's median is one payment unusual?",
    ),
    "PARTNER_CUT_OFF": Setting(
        "16:00",
        _CLOCK,
        "Giờ muộn nhất trong ngày làm việc để đơn vị chi trả xử lý trong ngày (riêng từng đơn vị: PARTNER_CUT_OFF.<tên>)",
        "Latest time of a working day at which a partner still pays the same day (one partner: PARTNER_CUT_OFF.<name>)",
    ),
    "PARTNER_OPENS": Setting(
        "00:00",
        _CLOCK,
        "Từ giờ nào trong ngày làm việc đơn vị chi trả nhận lệnh (riêng từng đơn vị: PARTNER_OPENS.<tên>)?",
        "From which time of a working day does a partner take orders (one partner: PARTNER_OPENS.<name>)?",
    ),
    "PARTNER_DAYS": Setting(
        "MON_FRI",
        "MON_FRI|MON_SAT|EVERY_DAY",
        "Đơn vị chi trả làm việc những ngày nào: thứ 2–6, thứ 2–7 hay mọi ngày (riêng từng đơn vị: PARTNER_DAYS.<tên>)?",
        "On which days does a partner work: Monday to Friday, to Saturday, or every day (one partner: PARTNER_DAYS.<name>)?",
    ),
    "PARTNER_AFTER_CUT_OFF": Setting(
        "NEXT_VALUE_DATE",
        "NEXT_VALUE_DATE|WAIT",
        "Sau giờ chốt: gửi ngay, ghi ngày giá trị là ngày làm việc kế tiếp, hay chờ đến ngày đó mới gửi "
        "(riêng từng đơn vị: PARTNER_AFTER_CUT_OFF.<tên>)?",
        "After the cut-off: send at once, marked with the next working day as its value date, or wait for that day "
        "(one partner: PARTNER_AFTER_CUT_OFF.<name>)?",
    ),
}


def strictest(answers: Collection[str]) -> str:
    """Of answers to a question about warning and refusing, the one that lets the least pass."""
    return max(answers, key=_WARN.split("|").index)


def allowed(code: str, value: str) -> bool:
    """Whether a setting exists and may have this value. `PARTNER_CUT_OFF.agribank` is `PARTNER_CUT_OFF` for one partner."""
    setting = SETTINGS.get(code.split(".", maxsplit=1)[0])
    if setting is None or ("." in code and not code.startswith("PARTNER_")):
        return False
    return re.fullmatch(setting.pattern, value) is not None
