"""Opening whatever an office sends: XLSX, old XLS, CSV in the encodings seen. Rows come as a stream."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from common.lists.raw import MAX_CELL, MAX_COLUMNS, MAX_ROWS, BrokenFile, RawRow, tidy
from common.lists.xls import check_reach
from common.lists.xlsx import Sheet, XlsxBook

__all__ = ["Page", "pages"]

_XLS: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_XLS_BYTES: Final = 20_000_000
_MAX_RECORD: Final = MAX_CELL * MAX_COLUMNS * 2
"""Characters of one record of a text file, however many lines it takes."""
_VIETNAMESE: Final = frozenset(
    "ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ"
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
    "\u00a0–—‘’“”…•₫°"
)
_NO_TEXT: Final = (
    "tệp không phải bảng tính hay văn bản UTF-8: hãy lưu dạng XLSX hoặc 'CSV UTF-8'"
    " · the file is not UTF-8 text: save it as XLSX or 'CSV UTF-8'"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A visible sheet, or the one table of a text file. `rows()` starts from the top each time it is called."""

    name: str
    book: XlsxBook | CalamineWorkbook | None
    content: bytes
    encoding: str = ""

    def rows(self) -> Iterator[RawRow]:
        """The rows, as they stand."""
        if isinstance(self.book, XlsxBook):
            return self.book.rows(self._sheet(self.book))
        if self.book is not None:
            return _xls_rows(self.book, self.name)
        return _csv_rows(self.content, self.encoding)

    def count(self) -> int:
        """How many rows there are, about."""
        if isinstance(self.book, XlsxBook):
            return self.book.count(self._sheet(self.book))
        return self.content.count(b"\n") if self.book is None else 0

    def _sheet(self, book: XlsxBook) -> Sheet:
        return next(sheet for sheet in book.sheets if sheet.name == self.name)


def pages(content: bytes, file_name: str) -> list[Page]:
    """The visible sheets. Raises :class:`BrokenFile` with a reason an officer understands."""
    if not content:
        raise BrokenFile("tệp trống · the file is empty")
    if content[:4] == b"PK\x03\x04":
        book = XlsxBook(content)
        found = [Page(sheet.name, book, b"") for sheet in book.sheets if sheet.visible]
        if not found:
            raise BrokenFile("mọi trang tính đều bị ẩn · every sheet is hidden")
        return found
    if content[:8] == _XLS or file_name.lower().endswith(".xls"):
        return _xls_pages(content)
    return [Page("", None, content, _encoding(content))]


def _xls_pages(content: bytes) -> list[Page]:
    old = "không đọc được tệp .xls cũ: hãy lưu dạng .xlsx · this old .xls file cannot be read: save the list as .xlsx"
    if len(content) > _XLS_BYTES or content[:8] != _XLS:
        raise BrokenFile(old)
    try:
        check_reach(content)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    except (CalamineError, OSError, ValueError) as error:
        raise BrokenFile(old) from error
    except BaseException as error:  # a panic of the parser is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise BrokenFile(old) from error
    if not names:
        raise BrokenFile(old)
    return [Page(name, book, b"") for name in names]


def _xls_rows(book: CalamineWorkbook, name: str) -> Iterator[RawRow]:
    try:
        sheet = book.get_sheet_by_name(name)
        first = sheet.start[0] if sheet.start else 0
        left = sheet.start[1] if sheet.start else 0
        for number, cells in enumerate(sheet.iter_rows(), start=first + 1):
            if len(cells) + left > MAX_COLUMNS:
                raise BrokenFile(f"quá {MAX_COLUMNS} cột · more than {MAX_COLUMNS} columns")
            yield _cut(number, [""] * left + [_xls_text(cell) for cell in cells])
    except (CalamineError, OSError, ValueError) as error:
        raise BrokenFile(str(error)) from error


def _xls_text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime, date)):
        return value.strftime("%d/%m/%Y")
    return tidy(str(value))


def _cut(number: int, cells: list[str]) -> RawRow:
    row = RawRow(number, cells)
    for index, cell in enumerate(cells):
        if len(cell) > MAX_CELL:
            cells[index] = cell[:MAX_CELL]
            row.faults[index] = "CELL_TOO_LONG"
    return row


def _encoding(content: bytes) -> str:
    """The encoding that reads the whole file, or a refusal that says how to save it."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _tried(content, "utf-16") or _refuse()
    if _tried(content, "utf-8-sig"):
        if b"\x00" in content[:4096]:
            raise BrokenFile("tệp không phải bảng tính hay văn bản · the file is not text")
        return "utf-8-sig"
    if b"\x00" not in content and _tried(content, "cp1258"):
        text = tidy(content[:200_000].decode("cp1258", "ignore"))
        if all(char.isascii() or char in _VIETNAMESE for char in text):
            return "cp1258"
        raise BrokenFile(
            "tệp dùng bảng mã cũ (TCVN3, VNI hoặc khác): hãy chuyển sang Unicode rồi lưu XLSX hoặc 'CSV UTF-8'"
            " · the file is not UTF-8 (an old Vietnamese font, another encoding): convert it to Unicode, save it as XLSX or 'CSV UTF-8'"
        )
    return _refuse()


def _refuse() -> str:
    raise BrokenFile(_NO_TEXT)


def _tried(content: bytes, encoding: str) -> str | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), 1 << 20):
            decoder.decode(content[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return encoding


class _Lines:
    """Lines of a text file for a reader that says, by `taken`, when a record ended; one without end is not held."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(_MAX_RECORD):
            self.taken += len(line)
            if self.taken >= _MAX_RECORD:
                raise BrokenFile("một dòng dài bất thường nên bị từ chối · one row is too long: the file is refused")
            yield line


def _csv_rows(content: bytes, encoding: str) -> Iterator[RawRow]:
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    head = stream.read(8192)
    stream.seek(0)
    delimiter = max(";,\t|", key=head.count)
    hint = head[:5].lower()
    if hint.startswith("sep=") and len(hint) == 5:
        delimiter = hint[4]
    number = 0
    lines = _Lines(stream)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=1):
            lines.taken = 0
            if number > MAX_ROWS:
                raise BrokenFile(f"quá {MAX_ROWS} dòng: hãy tách danh sách · more than {MAX_ROWS} rows: split the list")
            if number == 1 and hint.startswith("sep="):
                continue
            if len(cells) > MAX_COLUMNS and any(cell.strip() for cell in cells[MAX_COLUMNS:]):
                raise BrokenFile(f"quá {MAX_COLUMNS} cột · more than {MAX_COLUMNS} columns")
            yield _cut(number, [tidy(cell) for cell in cells[:MAX_COLUMNS]])
    except csv.Error as error:
        raise BrokenFile(
            f"không đọc được tệp CSV sau dòng {number}: {error} · the CSV cannot be read after row {number}: {error}"
        ) from error
