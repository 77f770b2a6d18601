"""Lists out as CSV (UTF-8 with BOM, for spreadsheets) or XLSX: numbers are text, nothing in a cell runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Literal

import xlsxwriter
from fastapi import Response
from fastapi.responses import StreamingResponse

from common.tabular import csv_safe

__all__ = ["SHEET_RESPONSES", "Format", "sheet"]

Format = Literal["csv", "xlsx"]
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {}, _XLSX: {}}, "description": "CSV (UTF-8 with BOM) or XLSX"}
}


async def sheet(
    rows: AsyncIterator[Sequence[str]], *, title: str, header: Sequence[str], name: str, form: Format, headers: dict[str, str] | None = None
) -> Response:
    """The rows under a title and a header row; CSV is streamed, XLSX written with constant memory."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store", **(headers or {})}
    if form == "csv":
        return StreamingResponse(_csv(rows, title, header), media_type="text/csv; charset=utf-8", headers=disposition)
    return Response(await _xlsx(rows, title, header), media_type=_XLSX, headers=disposition)


async def _csv(rows: AsyncIterator[Sequence[str]], title: str, header: Sequence[str]) -> AsyncIterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\ufeff")
    writer.writerow([title])
    writer.writerow(header)
    async for row in rows:
        writer.writerow([csv_safe(cell) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


async def _xlsx(rows: AsyncIterator[Sequence[str]], title: str, header: Sequence[str]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet("Danh sách")
        bold = book.add_format({"bold": True})
        page.write_string(0, 0, title, bold)
        for column, text in enumerate(header):
            page.write_string(1, column, text, bold)
        number = 2
        async for row in rows:
            for column, cell in enumerate(row):
                page.write_string(number, column, cell)
            number += 1
    return out.getvalue()
