"""Reading a small table that an office sends, at once: header found, columns recognised, titles and totals left out.

The reader is that of `common.lists`; here it is offered without staging, mapping and approval, for answers and exchange files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.lists.cells import csv_safe, parse_amount_vi, parse_date_vi, parse_month_vi
from common.lists.headers import ColumnSpec
from common.lists.raw import BrokenFile
from common.lists.table import SourceRow, data_rows, lay_out

__all__ = ["BrokenFile", "ColumnSpec", "SourceRow", "Table", "csv_safe", "parse_amount_vi", "parse_date_vi", "parse_month_vi", "read_rows"]


@dataclass(frozen=True, slots=True)
class Table:
    """A recognised list. `columns` maps our names to the headers found; `title` holds the rows above the header."""

    header_row: int
    columns: dict[str, str]
    unknown: tuple[str, ...]
    title: tuple[str, ...]
    rows: Iterator[SourceRow]


def read_rows(content: bytes, filename: str, columns: Sequence[ColumnSpec]) -> Table:
    """Find the header and yield the data rows. Raises :class:`BrokenFile` with a reason an officer understands."""
    page, layout = lay_out(content, filename, columns)
    if layout.missing:
        missing = ", ".join(column.headers[0] for column in columns if column.name in layout.missing)
        raise BrokenFile(f"thiếu cột: {missing} · these columns are missing from the header in row {layout.header_row}: {missing}")
    used = layout.columns
    names = {name: layout.headers[index] for name, index in used.items()}
    unknown = tuple(text for index, text in enumerate(layout.headers) if text and index not in used.values())
    return Table(layout.header_row, names, unknown, layout.title, data_rows(page, layout, columns))
