"""Reading lists as offices keep them: CSV and XLSX with title rows, Vietnamese headers in many spellings, totals, empty rows.

One importer for all services. What a cell means is the service's business; here is only: which rows are data, and which
cell belongs to which column. Values come out as text, trimmed and NFC; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook

from common.names import folded

__all__ = ["BrokenFile", "ColumnSpec", "SourceRow", "Table", "csv_safe", "parse_amount_vi", "parse_date_vi", "parse_month_vi", "read_rows"]

_HEADER_ROWS: Final = 30  # a header further down than this is not a list of ours
_MAX_ROWS: Final = 1_100_000
_MAX_UNZIPPED: Final = 1024 * 1024 * 1024
_MAX_RATIO: Final = 200
_TOTALS: Final = ("TONG", "CONG", "TONG CONG", "TONG SO")
_DATE: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00:00)?")
_MONTH: Final = re.compile(r"(\d{1,2})[/.\-](\d{4})")
_YEAR: Final = re.compile(r"\d{4}")


class BrokenFile(Exception):
    """The file as a whole cannot be read: not a spreadsheet, no header row, a required column missing."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column we look for, by any of its headers (compared without accents, case and punctuation)."""

    name: str
    headers: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One data row; `number` is its row in the file as the office sees it, from 1."""

    number: int
    values: dict[str, str]

    def get(self, name: str) -> str:
        """The cell's text, empty when the column or the value is missing."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A recognised list. `columns` maps our names to the headers found; `title` holds the rows above the header."""

    header_row: int
    columns: dict[str, str]
    unknown: tuple[str, ...]
    title: tuple[str, ...]
    rows: Iterator[SourceRow]


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y") if (value.hour, value.minute) == (0, 0) else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return " ".join(unicodedata.normalize("NFC", str(value)).replace("\ufeff", "").split())


def _header_key(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", folded(text.replace("/", " ").replace("(", " ").replace(")", " ")))


def _check_zip(content: bytes) -> None:
    """An XLSX is a zip: refuse one that unpacks to far more than it weighs (zip bomb)."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > _MAX_UNZIPPED or size > max(len(content), 1) * _MAX_RATIO:
        raise BrokenFile("bảng tính giải nén lớn bất thường nên bị từ chối · the spreadsheet unpacks to far more than its size: refused")


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        _check_zip(content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = workbook.get_sheet_by_index(0)
    except (CalamineError, zipfile.BadZipFile, IndexError, OSError) as error:
        raise BrokenFile(
            "tệp XLSX không đọc được: hãy mở và lưu lại · this is not a readable XLSX file: open it and save it again"
        ) from error
    offset = sheet.start[0] if sheet.start else 0
    for _ in range(offset):  # leading empty rows are not stored, but count for the row number
        yield []
    for row in sheet.iter_rows():
        yield [_text(cell) for cell in row]


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFile(
            "tệp không phải bảng tính hay văn bản UTF-8: hãy lưu dạng XLSX hoặc 'CSV UTF-8'"
            f" · the file is not UTF-8 text (byte {error.start}): save it as XLSX or 'CSV UTF-8'"
        ) from error
    if "\x00" in text[:4096]:
        raise BrokenFile("tệp không phải bảng tính hay văn bản · the file is not text")
    head = text[:8192]
    delimiter = max(";,\t", key=head.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_text(cell) for cell in row]
    except csv.Error as error:
        raise BrokenFile(f"không đọc được tệp CSV · the CSV cannot be read: {error}") from error


def _match(cells: Sequence[str], columns: Sequence[ColumnSpec]) -> dict[str, int]:
    keys = [_header_key(cell) for cell in cells]
    found: dict[str, int] = {}
    taken: set[int] = set()
    for column in columns:
        wanted = [_header_key(header) for header in column.headers]
        index = next((keys.index(key) for key in wanted if key in keys and keys.index(key) not in taken), None)
        if index is not None:
            found[column.name] = index
            taken.add(index)
    return found


def read_rows(content: bytes, filename: str, columns: Sequence[ColumnSpec]) -> Table:
    """Find the header and yield the data rows. Raises :class:`BrokenFile` with a reason an officer understands."""
    if not content:
        raise BrokenFile("tệp trống · the file is empty")
    source = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    if filename.lower().endswith(".xls") or content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise BrokenFile("không nhận định dạng .xls cũ: hãy lưu dạng .xlsx · the old .xls format is not taken: save the list as .xlsx")
    title: list[str] = []
    best: dict[str, int] = {}
    for number, cells in enumerate(source, start=1):
        found = _match(cells, columns)
        if len(found) >= 3 and all(column.name in found for column in columns if column.required):
            known = set(found.values())
            unknown = tuple(cell for index, cell in enumerate(cells) if cell and index not in known)
            names = {name: cells[index] for name, index in found.items()}
            return Table(number, names, unknown, tuple(title), _rows(source, number, found, columns))
        best = max(best, found, key=len)
        title.append(" ".join(cell for cell in cells if cell))
        if number >= _HEADER_ROWS:
            break
    missing = ", ".join(column.headers[0] for column in columns if column.required and column.name not in best) or "tất cả (all)"
    raise BrokenFile(
        f"không thấy dòng tiêu đề trong {_HEADER_ROWS} dòng đầu; thiếu cột: {missing}"
        f" · no header row was found in the first {_HEADER_ROWS} rows; these columns are missing"
    )


def _rows(source: Iterator[list[str]], header: int, found: dict[str, int], columns: Sequence[ColumnSpec]) -> Iterator[SourceRow]:
    required = [column.name for column in columns if column.required]
    for number, cells in enumerate(source, start=header + 1):
        if number > _MAX_ROWS:
            raise BrokenFile(f"quá {_MAX_ROWS} dòng: hãy tách danh sách · more than {_MAX_ROWS} rows: split the list")
        if not any(cells):
            continue
        values = {name: cells[index] for name, index in found.items() if index < len(cells) and cells[index]}
        first = folded(next(cell for cell in cells if cell))
        if first in _TOTALS and not all(name in values for name in required):
            continue
        if _numbering(cells):
            continue
        yield SourceRow(number, values)


def _numbering(cells: Sequence[str]) -> bool:
    """The row `(1) (2) (3) …` that forms carry under their header."""
    filled = [cell.strip("()") for cell in cells if cell]
    return len(filled) > 3 and filled == [str(index) for index in range(1, len(filled) + 1)]


def parse_date_vi(text: str) -> str | None:
    """`dd/mm/yyyy` (also `.` and `-`), ISO, `mm/yyyy` or `yyyy` → ISO at the precision given; None when it is no date."""
    value = text.strip()
    if found := _DATE.fullmatch(value):
        day, month, year = (int(part) for part in found.groups())
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            return None
    if found := _ISO.fullmatch(value):
        try:
            return date(*(int(part) for part in found.groups())).isoformat()
        except ValueError:
            return None
    if found := _MONTH.fullmatch(value):
        month, year = int(found[1]), int(found[2])
        return f"{year:04d}-{month:02d}" if 1 <= month <= 12 else None
    return value if _YEAR.fullmatch(value) else None


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
    return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
