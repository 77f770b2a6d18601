"""Lists as files: CSV and XLSX, written as they go. Every cell is text or a whole number, never a formula.

Nothing lies on the disk meanwhile: cells may be national or account numbers that only an audited reader may see, and a spreadsheet
library that keeps memory flat does so with temporary files. The same rows give the same bytes.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Protocol
from xml.sax.saxutils import escape

from common.lists.cells import csv_safe
from common.lists.raw import letter
from common.streams import StreamingResponse

__all__ = ["MEDIA", "RESPONSES", "Cell", "Form", "Sheet", "download", "stream", "written"]

Cell = str | int | None
Form = Literal["csv", "xlsx"]
MEDIA: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {kind: {} for kind in MEDIA.values()}, "description": "CSV (UTF-8 with BOM) or XLSX"}
}
"""For the OpenAPI document of a route that answers with a file."""

_ROWS_AT_ONCE: Final = 500
_letter = cache(letter)
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PART: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DEFAULT, _BOLD, _AMOUNT, _TEXT, _HEADER = range(5)
_WRAP: Final = 'applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'  # columns are of one width: nothing is cut in them
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5">'
    f'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" {_WRAP}'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1">'
    '<alignment vertical="top"/></xf>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    f'<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" {_WRAP}</cellXfs></styleSheet>'
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands around the rows. With `text`, cells that somebody fills in later keep their leading zeros."""

    header: Sequence[str]
    titles: Sequence[str] = ()
    name: str = "Danh sách"
    text: bool = False


class _Writer(Protocol):
    def begin(self) -> bytes: ...

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes: ...

    def end(self) -> bytes: ...


class _Csv:
    def __init__(self, sheet: Sheet, delimiter: str) -> None:
        self._sheet = sheet
        self._delimiter = delimiter

    def begin(self) -> bytes:
        return b"\xef\xbb\xbf" + self.write([*((title,) for title in self._sheet.titles), self._sheet.header])

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self._delimiter, lineterminator="\r\n")
        writer.writerows([csv_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        return out.getvalue().encode()

    def end(self) -> bytes:
        return b""


class _Drain(io.RawIOBase):
    """A place a zip is written to that is emptied as it fills."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _Xlsx:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._drain = _Drain()
        self._archive = zipfile.ZipFile(self._drain, "w", zipfile.ZIP_DEFLATED)
        self._number = 0

    def begin(self) -> bytes:
        self._part("[Content_Types].xml", _content_types())
        self._part("_rels/.rels", _relations(("officeDocument", "xl/workbook.xml")))
        self._part("xl/workbook.xml", _workbook(self._sheet.name))
        self._part("xl/_rels/workbook.xml.rels", _relations(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")))
        self._part("xl/styles.xml", _STYLES)
        self._rows = self._archive.open(_stamped("xl/worksheets/sheet1.xml"), "w")
        self._rows.write(_sheet_start(self._sheet).encode())
        self._rows.write("".join(self._line([title], _BOLD) for title in self._sheet.titles).encode())
        self._rows.write(self._line(self._sheet.header, _HEADER).encode())
        return self._drain.take()

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        style = _TEXT if self._sheet.text else _DEFAULT
        self._rows.write("".join(self._line(row, style) for row in rows).encode())
        return self._drain.take()

    def end(self) -> bytes:
        self._rows.write(b"</sheetData></worksheet>")
        self._rows.close()
        self._archive.close()
        return self._drain.take()

    def _part(self, name: str, text: str) -> None:
        self._archive.writestr(_stamped(name), text)

    def _line(self, row: Sequence[Cell], style: int) -> str:
        self._number += 1
        cells = "".join(_cell(f"{_letter(index)}{self._number}", cell, style) for index, cell in enumerate(row) if cell not in (None, ""))
        return f'<row r="{self._number}">{cells}</row>'


def _stamped(name: str) -> zipfile.ZipInfo:
    part = zipfile.ZipInfo(name)  # dated 1980, as the format has no "none": the same rows give the same bytes
    part.compress_type = zipfile.ZIP_DEFLATED
    return part


def _cell(place: str, cell: Cell, style: int) -> str:
    if isinstance(cell, int):
        return f'<c r="{place}" s="{_AMOUNT}"><v>{cell}</v></c>'
    text = "".join(sign for sign in str(cell) if sign >= " " or sign in "\t\n\r")  # XML knows no other control characters
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(csv_safe(text))}</t></is></c>'


def _content_types() -> str:
    parts = (
        ("workbook.xml", "sheet.main"),
        ("worksheets/sheet1.xml", "worksheet"),
        ("styles.xml", "styles"),
    )
    named = "".join(f'<Override PartName="/xl/{name}" ContentType="{_PART}.{kind}+xml"/>' for name, kind in parts)
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{named}</Types>'
    )


def _relations(*targets: tuple[str, str]) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _workbook(name: str) -> str:
    return (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{escape(name[:31])}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _sheet_start(sheet: Sheet) -> str:
    head = len(sheet.titles) + 1
    text = f' style="{_TEXT}"' if sheet.text else ""
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        f'<pane ySplit="{head}" topLeftCell="A{head + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{len(sheet.header)}" width="18" customWidth="1"{text}/></cols><sheetData>'
    )


def _writer(form: str, sheet: Sheet, delimiter: str) -> _Writer:
    return _Xlsx(sheet) if form == "xlsx" else _Csv(sheet, delimiter)


def written(form: str, sheet: Sheet, rows: Iterable[Sequence[Cell]], *, delimiter: str = ",") -> bytes:
    """The whole file in memory; `form` is csv or xlsx, `delimiter` is that of a CSV."""
    writer = _writer(form, sheet, delimiter)
    return b"".join([writer.begin(), *(writer.write(chunk) for chunk in _chunks(rows)), writer.end()])


def _chunks(rows: Iterable[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    chunk: list[Sequence[Cell]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def stream(form: str, sheet: Sheet, rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[bytes]:
    """The file in pieces, with a few hundred rows in memory."""
    writer = _writer(form, sheet, ",")
    yield writer.begin()
    chunk: list[Sequence[Cell]] = []
    async for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            yield writer.write(chunk)
            chunk = []
    yield writer.write(chunk) + writer.end()


def download(
    form: str, name: str, sheet: Sheet, rows: AsyncIterator[Sequence[Cell]], headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """The list as an HTTP answer to save as `name`, kept by no cache."""
    about = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store", **(headers or {})}
    return StreamingResponse(stream(form, sheet, rows), media_type=MEDIA[form], headers=about)
