"""Statutory dates of a month's payment, and working days (pure).

Decree 20/2021/NĐ-CP Art. 34 and Circular 44/2022/TT-BTC Art. 8: before the 25th of the month before, money and list reach the payment
organisation; before the 20th of the month it reports what was paid. Directive 21/CT-TTg: the report of the month before the 5th.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import Final

__all__ = ["DUTIES", "Duty", "due_date", "is_working", "public_days", "shifted", "years_loaded"]

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done before a day of a month: `month_offset` from the month paid, `before_day` exclusive."""

    code: str
    month_offset: int
    before_day: int
    owner: str
    vi: str
    en: str
    legal_ref: str


DUTIES: Final = (
    Duty(
        "MONEY_SENT", -1, 25, "AUTHORITY",
        "Rút dự toán tại Kho bạc và chuyển tiền cho tổ chức chi trả", "Budget withdrawn and money sent to the payment organisation",
        "Nghị định 20/2021/NĐ-CP Điều 34; Thông tư 44/2022/TT-BTC Điều 8",
    ),
    Duty(
        "LIST_HANDED_OVER", -1, 25, "AUTHORITY",
        "Duyệt và chuyển danh sách chi trả", "List approved and handed over",
        "Nghị định 20/2021/NĐ-CP Điều 34; Thông tư 44/2022/TT-BTC Điều 8",
    ),
    Duty(
        "PAYMENT_REPORTED", 0, 20, "PAYMENT_ORGANISATION",
        "Tổ chức chi trả báo cáo và quyết toán danh sách đã chi, chưa chi",
        "Payment organisation reports and settles what was paid and not paid",
        "Nghị định 20/2021/NĐ-CP Điều 34.5; Thông tư 44/2022/TT-BTC Điều 8.4",
    ),
    Duty(
        "MONTH_REPORTED", 1, 5, "AUTHORITY",
        "Báo cáo tháng theo Chỉ thị 21/CT-TTg", "Monthly report under Directive 21",
        "Chỉ thị 21/CT-TTg",
    ),
)  # fmt: skip


@lru_cache(maxsize=1)
def public_days() -> Mapping[date, tuple[bool, str, str]]:
    """Special days of the loaded years: whether worked, name, legal basis."""
    text = resources.files("disbursement").joinpath("catalogue/public_holidays.csv").read_text(encoding="utf-8")
    return {
        date.fromisoformat(row["day"]): (row["worked"] == "t", row["name_vi"], row["legal_basis"])
        for row in csv.DictReader(text.splitlines())
    }


def years_loaded() -> set[int]:
    """Years whose days off are known; in others only Saturdays and Sundays are."""
    return {day.year for day in public_days()}


def is_working(day: date, rulings: Mapping[date, bool]) -> bool:
    """Whether a day is worked. `rulings`: days that two people settled here, which go before what the government announced."""
    if day in rulings:
        return rulings[day]
    if day in public_days():
        return public_days()[day][0]
    return day.weekday() < _SATURDAY


def shifted(month: date, offset: int) -> date:
    """The first day of a month some months away."""
    count = month.year * 12 + month.month - 1 + offset
    return date(count // 12, count % 12 + 1, 1)


def due_date(duty: Duty, month: date, rulings: Mapping[date, bool]) -> date:
    """The last working day strictly before the duty's day."""
    day = shifted(month, duty.month_offset).replace(day=duty.before_day) - timedelta(days=1)
    while not is_working(day, rulings):
        day -= timedelta(days=1)
    return day
