"""Months: 'YYYY-MM' outside, the first of the month inside."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from reporting.domain.errors import BadMonth

__all__ = ["first_of", "last_day", "months_to"]

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def first_of(month: str) -> date:
    """'2024-09' → 2024-09-01. Raises :class:`BadMonth`."""
    match = _MONTH.fullmatch(month)
    if match is None or match[1] == "0000":
        raise BadMonth(errors=[{"field": "month", "detail": "YYYY-MM"}])
    return date(int(match[1]), int(match[2]), 1)


def last_day(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=monthrange(month.year, month.month)[1])


def months_to(last: date) -> list[date]:
    """The months of a year from January on."""
    return [last.replace(month=number) for number in range(1, last.month + 1)]
