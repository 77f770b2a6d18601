"""Reading XLSX as a stream: memory does not grow with the rows, nothing is evaluated, and a bomb is refused before it opens.

A formula's value is the one its program stored; a formula without a stored value is a fault of its cell, never computed here.
Dates come out at the precision their format shows (`mm/yyyy`, `yyyy`), since the hidden day was never meant.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Final
from xml.parsers import expat

from common.lists.numbers import BUILT_IN_DATES, number_text, shown_parts
from common.lists.raw import MAX_CELL, MAX_COLUMNS, MAX_ROWS, BrokenFile, RawRow, tidy

__all__ = ["Sheet", "XlsxBook"]

_CHUNK: Final = 1 << 16
_MAX_UNZIPPED: Final = 1 << 30
_MAX_RATIO: Final = 200
_MAX_PART: Final = 8 << 20  # workbook, relations, styles
_MAX_STRINGS: Final = 4_000_000
_MAX_STRING_CHARS: Final = 100_000_000
_MAX_MERGES: Final = 200_000
_MAX_TEXT: Final = MAX_CELL * 4  # more of one text is not kept, however much comes
_MAX_TOKEN: Final = 1 << 20  # a tag or comment is held whole by the parser until it ends
_LETTERS: Final = re.compile("[A-Z]{1,3}")
_MERGE: Final = re.compile(rb'mergeCell [^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, EOFError, expat.ExpatError, NotImplementedError, RuntimeError,
)  # fmt: skip
_UNREADABLE: Final = "tệp XLSX không đọc được: hãy mở và lưu lại · this is not a readable XLSX file: open it and save it again"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of the book."""

    name: str
    part: str
    visible: bool


@dataclass(frozen=True, slots=True)
class _Merge:
    top: int
    bottom: int
    left: int
    right: int


@lru_cache(maxsize=1_024)
def _column(letters: str) -> int:
    if not _LETTERS.fullmatch(letters):
        raise BrokenFile(_UNREADABLE)
    index = 0
    for char in letters:
        index = index * 26 + ord(char) - 64
    return index - 1


class XlsxBook:
    """An open book. Raises :class:`BrokenFile` for what is no readable spreadsheet."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            self._guard(len(content))
            self._strings: list[str] | None = None
            self._dates: list[str] = []
            self.sheets = self._book()
        except _ERRORS as error:
            raise BrokenFile(_UNREADABLE) from error

    def _guard(self, weight: int) -> None:
        size = sum(item.file_size for item in self._zip.infolist())
        if size > _MAX_UNZIPPED or size > max(weight, 1) * _MAX_RATIO:
            raise BrokenFile(
                "bảng tính giải nén lớn bất thường nên bị từ chối · the spreadsheet unpacks to far more than its size: refused"
            )
        if any(item.flag_bits & 1 for item in self._zip.infolist()):
            raise BrokenFile("bảng tính đặt mật khẩu: hãy bỏ mật khẩu · the spreadsheet has a password: take it off")

    def _parse(self, part: str, start: Any, end: Any = None, text: Any = None, limit: int = _MAX_PART) -> Iterator[None]:
        """Feed one part to handlers, yielding after each chunk."""
        with self._zip.open(part) as stream:
            yield from _feed(stream, start, end, text, limit)

    def _whole(self, part: str, start: Any, limit: int = _MAX_PART) -> None:
        for _ in self._parse(part, start, limit=limit):
            pass

    def _book(self) -> list[Sheet]:
        found: list[tuple[str, str, bool]] = []
        targets: dict[str, str] = {}

        def book(name: str, attrs: dict[str, str]) -> None:
            local = name.rpartition(":")[2]
            if local == "sheet":
                relation = next((value for key, value in attrs.items() if key.rpartition(":")[2] == "id"), "")
                found.append((attrs.get("name", ""), relation, attrs.get("state", "visible") == "visible"))
            elif local == "workbookPr" and attrs.get("date1904", "0") in ("1", "true"):
                raise BrokenFile(
                    "bảng tính dùng lịch 1904: hãy lưu lại theo lịch 1900"
                    " · the spreadsheet counts dates from 1904: save it with the 1900 system"
                )

        def relation(name: str, attrs: dict[str, str]) -> None:
            if name.rpartition(":")[2] == "Relationship":
                target = attrs.get("Target", "")
                targets[attrs.get("Id", "")] = target.lstrip("/") if target.startswith("/") else posixpath.normpath("xl/" + target)

        self._whole("xl/workbook.xml", book)
        self._whole("xl/_rels/workbook.xml.rels", relation)
        if "xl/styles.xml" in self._zip.namelist():
            self._styles()
        names = set(self._zip.namelist())
        sheets = [Sheet(name, targets.get(rel, ""), visible) for name, rel, visible in found]
        sheets = [sheet for sheet in sheets if sheet.part in names]
        if not sheets:
            raise BrokenFile("bảng tính không có trang nào · the spreadsheet has no sheet")
        return sheets

    def _styles(self) -> None:
        formats: dict[int, str] = dict(BUILT_IN_DATES)
        inside = False
        kinds: list[int] = []

        def start(name: str, attrs: dict[str, str]) -> None:
            nonlocal inside
            local = name.rpartition(":")[2]
            if local == "numFmt":
                formats[int(attrs.get("numFmtId", "0"))] = shown_parts(attrs.get("formatCode", ""))
            elif local in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
                inside = local == "cellXfs"
            elif local == "xf" and inside:
                kinds.append(int(attrs.get("numFmtId", "0")))

        self._whole("xl/styles.xml", start)
        self._dates = [formats.get(kind, "") for kind in kinds]

    def _shared(self) -> list[str]:
        if self._strings is not None:
            return self._strings
        strings: list[str] = []
        part = next((name for name in self._zip.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
        if part is not None:
            for _ in self._parse(part, *_string_handlers(strings), limit=_MAX_UNZIPPED):
                pass
        self._strings = strings
        return strings

    def _merges(self, sheet: Sheet) -> list[_Merge]:
        """Merged ranges stand behind the rows in the file: one pass before reading them."""
        found: list[_Merge] = []
        tail, seen = b"", 0
        with self._zip.open(sheet.part) as stream:
            while chunk := stream.read(_CHUNK * 4):
                seen += len(chunk)
                if seen > _MAX_UNZIPPED:
                    raise BrokenFile("bảng tính quá lớn · the spreadsheet is too large")
                text = tail + chunk
                end = 0
                if b"mergeCell " in text:
                    for hit in _MERGE.finditer(text):
                        left, top, right, bottom = _column(hit[1].decode()), int(hit[2]), _column(hit[3].decode()), int(hit[4])
                        found.append(_Merge(top, bottom, left, right))
                        end = hit.end()
                    if len(found) > _MAX_MERGES:
                        raise BrokenFile("quá nhiều ô gộp · too many merged cells")
                tail = text[max(end, len(text) - 200) :]
        return sorted(found, key=lambda item: item.top)

    def count(self, sheet: Sheet) -> int:
        """How many rows the sheet has, about: for showing progress."""
        found, tail = 0, b""
        with self._zip.open(sheet.part) as stream:
            while chunk := stream.read(_CHUNK * 4):
                text = tail + chunk
                found += text.count(b"row r=") + text.count(b"<row>")
                tail = text[-5:] if not text.endswith((b"row r=", b"<row>")) else b""
        return found

    def rows(self, sheet: Sheet) -> Iterator[RawRow]:
        """The sheet's rows that exist, in order; merged cells repeat their value downwards."""
        try:
            reader = _SheetReader(self._shared(), self._dates)
            rows = _filled(self._drained(sheet, reader), self._merges(sheet))
            yield from rows
        except _ERRORS as error:
            raise BrokenFile(_UNREADABLE) from error

    def _drained(self, sheet: Sheet, reader: _SheetReader) -> Iterator[RawRow]:
        for _ in self._parse(sheet.part, reader.start, reader.end, reader.text, _MAX_UNZIPPED):
            yield from reader.ready
            reader.ready.clear()


def _feed(stream: IO[bytes], start: Any, end: Any, text: Any, limit: int) -> Iterator[None]:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text

    def no_doctype(*_: object) -> None:  # entities of its own are how XML is made to explode
        raise BrokenFile(_UNREADABLE)

    parser.StartDoctypeDeclHandler = no_doctype
    seen = begun = 0
    while chunk := stream.read(_CHUNK):
        seen += len(chunk)
        if seen > limit:
            raise BrokenFile("bảng tính quá lớn · the spreadsheet is too large")
        parser.Parse(chunk, False)
        begun = max(begun, parser.CurrentByteIndex)  # -1 while a tag or comment waits for its end
        if seen - begun > _MAX_TOKEN:
            raise BrokenFile(_UNREADABLE)
        yield None
    parser.Parse(b"", True)
    yield None


def _string_handlers(strings: list[str]) -> tuple[Any, Any, Any]:
    parts: list[str] = []
    taking = phonetic = False
    chars = size = 0

    def start(name: str, _attrs: dict[str, str]) -> None:
        nonlocal taking, phonetic
        local = name.rpartition(":")[2]
        if local == "t":
            taking = not phonetic
        elif local == "rPh":
            phonetic = True

    def end(name: str) -> None:
        nonlocal taking, phonetic, chars, size
        local = name.rpartition(":")[2]
        if local == "t":
            taking = False
        elif local == "rPh":
            phonetic = False
        elif local == "si":
            value = "".join(parts)
            parts.clear()
            size = 0
            value = tidy(value) if len(value) <= _MAX_TEXT else value[:_MAX_TEXT]
            strings.append(value)
            chars += len(value)
            if len(strings) > _MAX_STRINGS or chars > _MAX_STRING_CHARS:
                raise BrokenFile("bảng tính quá nhiều chữ: hãy tách danh sách · too much text in the spreadsheet: split the list")

    def text(data: str) -> None:
        nonlocal size
        if taking and size <= _MAX_TEXT:
            parts.append(data)
            size += len(data)

    return start, end, text


class _SheetReader:
    """Handlers that turn the XML of a sheet into rows."""

    def __init__(self, strings: list[str], dates: list[str]) -> None:
        self.ready: list[RawRow] = []
        self._strings, self._dates = strings, dates
        self._row = 0
        self._hidden = False
        self._cells: list[str] = []
        self._faults: dict[int, str] = {}
        self._next = 0
        self._index, self._kind, self._style = 0, "n", 0
        self._formula = self._taking = self._phonetic = False
        self._parts: list[str] = []
        self._size = 0

    def start(self, name: str, attrs: dict[str, str]) -> None:
        """An element begins."""
        local = name if ":" not in name else name.rpartition(":")[2]
        if local == "c":
            place = attrs.get("r", "").rstrip("0123456789")
            self._index = _column(place) if place else self._next
            self._next = self._index + 1
            self._kind, self._style = attrs.get("t", "n"), int(attrs.get("s", "0"))
            self._formula, self._size = False, 0
            self._parts.clear()
        elif local in ("v", "t"):
            self._taking = not self._phonetic
        elif local == "f":
            self._formula = True
        elif local == "rPh":
            self._phonetic = True
        elif local == "row":
            number = int(attrs["r"]) if "r" in attrs else self._row + 1
            if number <= self._row or number > MAX_ROWS:
                raise BrokenFile(f"dòng {number} sai thứ tự hoặc quá {MAX_ROWS} dòng · row {number} is out of order or beyond {MAX_ROWS}")
            self._row, self._hidden = number, attrs.get("hidden", "0") in ("1", "true")
            self._cells, self._faults, self._next = [], {}, 0

    def text(self, data: str) -> None:
        """Text of the element."""
        if self._taking and self._size <= _MAX_TEXT:
            self._parts.append(data)
            self._size += len(data)

    def end(self, name: str) -> None:
        """An element ends."""
        local = name if ":" not in name else name.rpartition(":")[2]
        if local in ("v", "t"):
            self._taking = False
        elif local == "c":
            self._cell()
        elif local == "rPh":
            self._phonetic = False
        elif local == "row":
            self.ready.append(RawRow(self._row, self._cells, self._hidden, False, self._faults))

    def _cell(self) -> None:
        raw = "".join(self._parts) if len(self._parts) != 1 else self._parts[0]
        fault = None
        if self._kind == "e":
            raw, fault = "", "FORMULA_ERROR"
        elif self._formula and not raw.strip() and self._kind != "str":
            fault = "FORMULA_NO_VALUE"
        if not raw and fault is None:
            return
        if self._index >= MAX_COLUMNS:
            raise BrokenFile(f"quá {MAX_COLUMNS} cột · more than {MAX_COLUMNS} columns")
        value = self._value(raw) if raw else ""
        if len(value) > MAX_CELL:
            value, fault = value[:MAX_CELL], "CELL_TOO_LONG"
        cells = self._cells
        while len(cells) < self._index:
            cells.append("")
        if len(cells) == self._index:
            cells.append(value)
        else:
            cells[self._index] = value
        if fault is not None:
            self._faults[self._index] = fault

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            index = int(raw)
            if not 0 <= index < len(self._strings):
                raise BrokenFile(_UNREADABLE)
            return self._strings[index]
        if self._kind == "n":
            shown = self._dates[self._style] if self._style < len(self._dates) else ""
            return number_text(raw, shown)
        if self._kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        return tidy(raw)


def _filled(rows: Iterator[RawRow], merges: list[_Merge]) -> Iterator[RawRow]:
    """Repeat merged values downwards; a row that has nothing of its own stays empty."""
    place = 0
    active: dict[int, tuple[int, str, str | None]] = {}
    for row in rows:
        starting: list[_Merge] = []
        while place < len(merges) and merges[place].top <= row.number:
            if merges[place].top == row.number:
                starting.append(merges[place])
            place += 1
        for item in starting:
            row.wide = row.wide or item.right - item.left >= 2
        if active and any(row.cells):
            for column, (last, value, fault) in list(active.items()):
                if row.number > last:
                    del active[column]
                    continue
                if not row.at(column):
                    row.cells += [""] * (column + 1 - len(row.cells))
                    row.cells[column] = value
                    if fault is not None:
                        row.faults[column] = fault
        for item in starting:
            if item.bottom > item.top and item.left < MAX_COLUMNS and (row.at(item.left) or item.left in row.faults):
                active[item.left] = (item.bottom, row.at(item.left), row.faults.get(item.left))
        yield row
