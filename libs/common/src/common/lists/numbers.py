"""Numbers of a spreadsheet as text: identifiers digit by digit, dates at the precision their format shows."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from common.lists.raw import tidy

__all__ = ["BUILT_IN_DATES", "number_text", "shown_parts"]

BUILT_IN_DATES: Final = {**dict.fromkeys((14, 15, 16, 22, *range(27, 37), *range(50, 59)), "dmy"), 17: "my"}
"""Number formats that need no definition in the file."""

_NOT_SHOWN: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


def shown_parts(code: str) -> str:
    """What of a date a number format shows: `dmy`, `my`, `y`, or nothing for other numbers."""
    text = _NOT_SHOWN.sub("", code.split(";", maxsplit=1)[0]).lower()
    if "y" not in text and "d" not in text:
        return ""
    return "dmy" if "d" in text else "my" if "m" in text else "y"


def number_text(raw: str, shown: str) -> str:
    """A number as the office would type it; a date at the precision its format shows."""
    if not shown and raw.isascii() and raw.isdigit() and len(raw) <= 15:
        return raw
    try:
        value = float(raw)
    except ValueError:
        return tidy(raw)
    if shown and 1 <= value < 2_958_466:
        days = int(value)
        day = date(1899, 12, 30) + timedelta(days=days if days > 60 else days + 1)
        return day.strftime({"dmy": "%d/%m/%Y", "my": "%m/%Y", "y": "%Y"}[shown])
    if value != value or value in (float("inf"), float("-inf")):
        return raw
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
