"""Lists as files: CSV as a stream, XLSX through a temporary file. Every cell is text or a number, never a formula."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import xlsxwriter
from fastapi.responses import StreamingResponse

from common.tabular import csv_safe

__all__ = ["Cell", "answer"]

Cell = str | int | None
_CHUNK: Final = 1 << 16
_ROWS_AT_ONCE: Final = 500
_IN_MEMORY: Final = 4_000_000
_MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def answer(kind: str, name: str, title: str, header: Sequence[str], rows: AsyncIterator[Sequence[Cell]]) -> StreamingResponse:
    """A list as a download. `title` stands above the header, as offices expect; numbers with leading zeros stay text."""
    body = _csv(title, header, rows) if kind == "csv" else _xlsx(title, header, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return StreamingResponse(body, media_type=_MEDIA[kind], headers=headers)


def _safe(cell: Cell) -> Any:
    return csv_safe(cell) if isinstance(cell, str) else "" if cell is None else cell


async def _csv(title: str, header: Sequence[str], rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_safe(title)])
    writer.writerow(header)
    yield "\ufeff"
    count = 0
    async for row in rows:
        writer.writerow([_safe(cell) for cell in row])
        count += 1
        if count % _ROWS_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


async def _xlsx(title: str, header: Sequence[str], rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        options = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(file, options)
        sheet = book.add_worksheet("Danh sách")
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, title, bold)
        for column, text in enumerate(header):
            sheet.write_string(1, column, text, bold)
        number = 2
        async for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(number, column, cell)
                elif cell:
                    sheet.write_string(number, column, cell)
            number += 1
        await asyncio.to_thread(book.close)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk
