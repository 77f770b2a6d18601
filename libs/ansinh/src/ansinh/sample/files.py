"""Writes the lists as files: XLSX with title rows and merged cells, or CSV with either separator, as offices send them."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from ansinh.sample.names import unaccented
from ansinh.sample.rows import ListRow, Style

__all__ = ["Refused", "Sheet", "write_list"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that must be refused: row number as the spreadsheet shows it, from 1, title rows included."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a list says about itself above the header."""

    unit_code: str
    unit_name: str
    title: str
    month: str


def _grid(
    columns: tuple[tuple[str, ...], ...], rows: list[ListRow], style: Style, sheet: Sheet
) -> tuple[list[list[str]], list[Refused], int]:
    """All rows of the file, the refused ones by row number, and how many title rows there are."""
    year, month = sheet.month.split("-")
    titles = [
        f"ỦY BAN NHÂN DÂN {sheet.unit_name.upper()}",
        f"{sheet.title} - THÁNG {int(month)} NĂM {year}",
        f"Mã đơn vị: {sheet.unit_code}",
        "(Kèm theo Báo cáo của Ủy ban nhân dân cấp xã)",
    ][: style.title_rows]
    grid = [[t] for t in titles]
    if style.title_rows > 2:
        grid.append([])
    head = [c[style.spelling % len(c)] for c in columns]
    if style.headers == "CAPITALS":
        head = [h.upper() for h in head]
    elif style.headers == "NO_ACCENTS":
        head = [unaccented(h).capitalize() for h in head]
    grid.append(head)
    refused = []
    for n, row in enumerate(rows, start=1):
        row.cells[0] = str(n)
        if n % 211 == 0:
            grid.append([])  # somebody left a line free
        grid.append(row.cells)
        if row.refused:
            refused.append(Refused(len(grid), row.refused))
    if style.total_row:
        grid.append([])
        grid.append(["Tổng cộng", "", f"{len(rows)} dòng"])
    return grid, refused, len(titles)


def write_list(
    path: Path, columns: tuple[tuple[str, ...], ...], rows: list[ListRow], style: Style, sheet: Sheet
) -> tuple[Path, list[Refused]]:
    """Writes one list beside `path` with the style's suffix; answers the file's path and the rows that must be refused."""
    grid, refused, titles = _grid(columns, rows, style, sheet)
    if style.decomposed:
        grid = [[c if c.isascii() else unicodedata.normalize("NFD", c) for c in row] for row in grid]
    path.parent.mkdir(parents=True, exist_ok=True)
    if style.xlsx:
        path = path.with_name(path.name + ".xlsx")
        _write_xlsx(path, grid, len(columns), titles, {r.row for r in refused})
    else:
        path = path.with_name(path.name + ".csv")
        _write_csv(path, grid, style)
    return path, refused


def _write_csv(path: Path, grid: list[list[str]], style: Style) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";" if style.semicolon else ",", lineterminator="\r\n").writerows(grid)
    path.write_bytes(text.getvalue().encode("utf-8-sig" if style.bom else "utf-8"))


def _write_xlsx(path: Path, grid: list[list[str]], width: int, titles: int, damaged: set[int]) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False})
    book.set_properties({"created": datetime(2024, 1, 1, tzinfo=UTC)})  # else the same seed would not give the same bytes
    sheet: Any = book.add_worksheet("Danh sách")
    bold = book.add_format({"bold": True, "align": "center"})
    try:
        for r, row in enumerate(grid):
            if r < titles:
                sheet.merge_range(r, 0, r, min(width, 9) - 1, row[0], bold)
                continue
            for c, value in enumerate(row):
                if not value:
                    continue
                if len(value) == 11 and r + 1 in damaged and value.isdigit():
                    sheet.write_number(r, c, int(value))  # the spreadsheet made a number of it: that is how the zero was lost
                else:
                    sheet.write_string(r, c, value)
    finally:
        book.close()
