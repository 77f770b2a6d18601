"""Birth dates at the precision known, and months."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from common.lists.cells import parse_date_vi

__all__ = ["birth_date", "day", "month_text", "months_later", "next_month"]

_OLDEST: Final = 1900
_FULL: Final = len("1950-01-31")


def birth_date(text: str, today: date) -> str | None:
    """A birth date at the precision known (YYYY, YYYY-MM, YYYY-MM-DD); None when unreadable, before 1900 or in the future."""
    parsed = parse_date_vi(text)
    if parsed is None or int(parsed[:4]) < _OLDEST or parsed > today.isoformat():
        return None
    return parsed


def day(text: str) -> date | None:
    """A full date dd/mm/yyyy, or None."""
    parsed = parse_date_vi(text)
    return date.fromisoformat(parsed) if parsed is not None and len(parsed) == _FULL else None


def next_month(value: date) -> date:
    """The first day of the month after."""
    return date(value.year + value.month // 12, value.month % 12 + 1, 1)


def month_text(value: date) -> str:
    """`YYYY-MM`."""
    return value.isoformat()[:7]


def months_later(value: date, months: int) -> date:
    """The same day some months later, or the last day of that month when it has no such day."""
    number = value.year * 12 + value.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    return min(first + timedelta(days=value.day - 1), next_month(first) - timedelta(days=1))
