"""Calendar months: 'YYYY-MM' outside, the first day of the month inside."""

from __future__ import annotations

from datetime import date

__all__ = ["first_day", "month_text", "next_month"]


def first_day(month: str) -> date:
    """The first day of 'YYYY-MM'. Raises ValueError on any other text."""
    year, separator, number = month.partition("-")
    if separator != "-" or len(year) != 4 or len(number) != 2:
        raise ValueError(f"not a month: {month!r}")
    return date(int(year), int(number), 1)


def month_text(day: date) -> str:
    """'YYYY-MM' of a date."""
    return f"{day.year:04d}-{day.month:02d}"


def next_month(day: date) -> date:
    """The first day of the following month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
