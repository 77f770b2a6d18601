"""What a cell may say: dates in the forms offices write, months, amounts; and what must not be repeated from it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from common.letters import plain
from common.names import folded

__all__ = ["csv_safe", "csv_unsafe", "hide_numbers", "parse_amount_vi", "parse_date_vi", "parse_month_vi", "short_year"]

_DATE: Final = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})\.?", re.ASCII)
_WORDS: Final = re.compile(r"(?:NGAY\s*(\d{1,2})\s*)?THANG\s*(\d{1,2})\s*(?:NAM|[/\-])\s*(\d{4})", re.ASCII)
_SHORT: Final = re.compile(r"\d{1,2}\s*[/.\-]\s*\d{1,2}\s*[/.\-]\s*\d{2}", re.ASCII)
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00:00(?:\.0+)?Z?)?", re.ASCII)
_ISO_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_MONTH: Final = re.compile(r"[Tt]?(\d{1,2})\s*[/.\-]\s*(\d{4})", re.ASCII)
_YEAR: Final = re.compile(r"\d{4}", re.ASCII)
_SERIAL: Final = re.compile(r"[1-9]\d{4}", re.ASCII)
# Nine or twelve digits in one run, or in groups of three with one kind of separator.
_NATIONAL: Final = re.compile(r"(?<!\d)(?:\d{12}|\d{9}|\d{3}(?P<gap>[ .\-])\d{3}(?P=gap)\d{3}(?:(?P=gap)\d{3})?)(?!\d)", re.ASCII)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def parse_date_vi(text: str) -> str | None:
    """A date → ISO at the precision given (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`); None when it is no date.

    Taken: dd/mm/yyyy (also `.` and `-`), ISO, mm/yyyy, `tháng 9 năm 2024`, `ngày 1 tháng 9 năm 2024`, yyyy, and the day number a
    spreadsheet keeps for a date (five digits, 1927 and later: no year has five). A year of two digits is not guessed.
    """
    value = text.strip()
    if found := _DATE.fullmatch(value):
        return _day(int(found[3]), int(found[2]), int(found[1]))
    if found := _ISO.fullmatch(value):
        return _day(*(int(part) for part in found.groups()))
    if found := _MONTH.fullmatch(value):
        return _month(int(found[2]), int(found[1]))
    if found := _ISO_MONTH.fullmatch(value):
        return _month(int(found[1]), int(found[2]))
    if _SERIAL.fullmatch(value) and value.isascii():
        return (date(1899, 12, 30) + timedelta(days=int(value))).isoformat()
    if _YEAR.fullmatch(value) and value.isascii():
        return value if value != "0000" else None
    return _in_words(value)


def _in_words(value: str) -> str | None:
    if "h" not in value.lower() or len(value) > 60:
        return None
    letters = " ".join(folded(part) or part for part in value.replace(",", " ").split())
    found = _WORDS.fullmatch(letters)
    if found is None:
        return None
    return _month(int(found[3]), int(found[2])) if found[1] is None else _day(int(found[3]), int(found[2]), int(found[1]))


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _month(year: int, month: int) -> str | None:
    return f"{year:04d}-{month:02d}" if 1 <= month <= 12 and year > 0 else None


def short_year(text: str) -> bool:
    """Whether this is a date whose year has two digits: 1-2-50 may be 1950 or 2050."""
    return _SHORT.fullmatch(text.strip()) is not None


def parse_month_vi(text: str) -> date | None:
    """`mm/yyyy` or a date → the first of its month; None when it is neither."""
    parsed = parse_date_vi(text)
    if parsed is None or len(parsed) < len("2024-09"):
        return None
    return date(int(parsed[:4]), int(parsed[5:7]), 1)


def parse_amount_vi(text: str) -> int | None:
    """`1.878.000`, `1,878,000 đ` or `1878000` → whole đồng; None when it is no amount."""
    value = re.sub(r"[\s.,]", "", re.sub(r"(?i)\s*(đồng|đ|vnd|vnđ)$", "", text.strip()))
    return int(value) if value.isascii() and value.isdigit() else None


def csv_safe(value: str) -> str:
    """A cell for a file we write: what a spreadsheet would run as a formula gets a leading apostrophe."""
    return "'" + value if value[:1] in _FORMULA else value


def csv_unsafe(value: str) -> str:
    """What :func:`csv_safe` wrote, read back."""
    return value[1:] if len(value) > 1 and value[0] == "'" and value[1] in _FORMULA else value


def hide_numbers(text: str) -> tuple[str, bool]:
    """The text without what looks like a national number (9 or 12 digits), and whether there was one."""
    text = plain(text)
    if len(text) < 9 or _NATIONAL.search(text) is None:
        return text, False
    return _NATIONAL.sub("***", text), True
