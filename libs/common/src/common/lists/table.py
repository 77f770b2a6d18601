"""From a file to data rows: which sheet, which header, which rows are people and which are titles, totals, signatures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from unicodedata import normalize

from common.lists.cells import csv_unsafe
from common.lists.headers import APPLIED_FROM, ColumnSpec, Match, fingerprint, guess, header_texts
from common.lists.raw import MAX_COLUMNS, BrokenFile, RawRow
from common.lists.source import Page, pages
from common.names import folded

__all__ = ["Choice", "Layout", "SourceRow", "data_rows", "lay_out"]

_HEADER_ROWS: Final = 30  # a header further down than this is not a list of ours
_LEAST: Final = 3
_SAMPLES: Final = 3
_TOTALS: Final = ("TONG", "CONG", "TONG CONG", "TONG SO")
_SUMS: Final = frozenset({"cộng", "tổng", "tổng cộng", "tổng số", "cộng trang", "tổng cộng trang"})
_TOTAL_STARTS: Final = ("TONG CONG", "TONG SO", "CONG CONG")
_SIGNED: Final = (
    "NGUOI LAP", "LAP BIEU", "LAP BANG", "THU TRUONG", "CHU TICH", "PHO CHU TICH", "TM UBND", "TM UY BAN NHAN DAN", "KT CHU TICH", "KY TEN",
    "KY GHI RO HO TEN", "XAC NHAN", "GIAM DOC", "TRUONG PHONG", "GHI CHU", "CAN BO", "KE TOAN", "UY BAN NHAN DAN", "UBND",
)  # fmt: skip
_DATELINE: Final = re.compile(r"(.* )?NGAY( \S+)? THANG( \S+)? NAM( \S+)?")
_MARK: Final = re.compile(r"\(?(\d{1,3}|[A-Z])\)?")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One data row; `number` is its row in the file as the office sees it, from 1. `faults`: code by column name."""

    number: int
    values: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    cells: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The cell's text, empty when the column or the value is missing."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody decided about a file before: sheet, header row, and which of its columns is which of ours."""

    columns: Mapping[str, int]
    sheet: str | None = None
    header_row: int | None = None
    how: str = "OFFICER"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read. `header_row` is the last row of the header."""

    sheet: str
    header_row: int
    header_rows: int
    headers: tuple[str, ...]
    matches: dict[str, Match]
    missing: tuple[str, ...]
    title: tuple[str, ...]
    fingerprint: str
    samples: tuple[tuple[str, ...], ...] = ()

    @property
    def columns(self) -> dict[str, int]:
        """Our name → column index, of the matches that are used."""
        return {name: match.index for name, match in self.matches.items() if match.confidence >= APPLIED_FROM}

    def as_json(self) -> dict[str, Any]:
        """For the row of the import."""
        return {
            "sheet": self.sheet, "header_row": self.header_row, "header_rows": self.header_rows, "headers": list(self.headers),
            "missing": list(self.missing), "fingerprint": self.fingerprint, "columns": self.columns,
            "matches": {name: [match.index, match.confidence, match.how] for name, match in self.matches.items()},
        }  # fmt: skip


@dataclass(slots=True)
class _Found:
    page: Page
    layout: Layout


def lay_out(
    content: bytes,
    file_name: str,
    columns: Sequence[ColumnSpec],
    *,
    choice: Choice | None = None,
    sheet: str | None = None,
    known: Mapping[str, Mapping[str, int]] | None = None,
) -> tuple[Page, Layout]:
    """Find the table in a file. Raises :class:`BrokenFile` with a reason an officer understands.

    `known`: columns saved for a header's fingerprint. A file with several sheets that are lists must be told which (`sheet`):
    taking one of them would silently leave people out.
    """
    candidates = pages(content, file_name)
    wanted = sheet or (choice.sheet if choice else None)
    if wanted:
        candidates = [page for page in candidates if page.name == wanted]
        if not candidates:
            raise BrokenFile(f"không có trang tính '{wanted}' · there is no visible sheet '{wanted}'")
    found = [_Found(page, layout) for page in candidates if (layout := _lay_out_page(page, columns, choice, known or {})) is not None]
    complete = [item for item in found if not item.layout.missing]
    if len(complete) > 1:
        with_rows = [item for item in complete if next(data_rows(item.page, item.layout, columns), None) is not None] or complete[:1]
        if len(with_rows) > 1:
            names = ", ".join(f"'{item.page.name}'" for item in with_rows)
            raise BrokenFile(
                f"tệp có nhiều trang là danh sách ({names}): hãy chọn trang bằng trường sheet, hoặc gửi từng trang"
                f" · several sheets are lists ({names}): name one in the field `sheet`, or send each by itself"
            )
        complete = with_rows
    best = complete[0] if complete else max(found, key=lambda item: len(item.layout.columns), default=None)
    if best is None:
        wanted_columns = ", ".join(column.headers[0] for column in columns if column.required)
        raise BrokenFile(
            f"không thấy dòng tiêu đề trong {_HEADER_ROWS} dòng đầu; thiếu cột: {wanted_columns}"
            f" · no header row was found in the first {_HEADER_ROWS} rows; these columns are missing"
        )
    return best.page, best.layout


def _lay_out_page(
    page: Page, columns: Sequence[ColumnSpec], choice: Choice | None, known: Mapping[str, Mapping[str, int]]
) -> Layout | None:
    top = list(islice(page.rows(), _HEADER_ROWS + _SAMPLES + 2))
    if choice is not None:
        return _chosen(page, top, columns, choice)
    for at, row in enumerate(top[:_HEADER_ROWS]):  # a form somebody set up before goes before any guess
        if known and fingerprint(header_texts(row, None)) in known:
            return _layout(page, top, at, None, columns, known)
    best: Layout | None = None
    for at, row in enumerate(top[:_HEADER_ROWS]):
        if sum(1 for cell in row.cells if cell) < 2:
            continue
        following = top[at + 1] if at + 1 < len(top) else None
        for second in (None, following):
            if second is None or (second is following and _may_be_header(second)):
                layout = _layout(page, top, at, second, columns, known)
                if len(layout.columns) >= _LEAST - 1 and (best is None or _worth(layout) > _worth(best)):
                    best = layout
        if best is not None and best.header_row < row.number:
            break
    return best


def _worth(layout: Layout) -> tuple[int, int, float]:
    used = [match.confidence for match in layout.matches.values() if match.confidence >= APPLIED_FROM]
    return -len(layout.missing), len(used), sum(used)


def _may_be_header(row: RawRow) -> bool:
    filled = [cell for cell in row.cells if cell]
    return bool(filled) and not _numbering(row.cells) and sum(any(char.isdigit() for char in cell) for cell in filled) * 3 <= len(filled)


def _layout(
    page: Page, top: Sequence[RawRow], at: int, second: RawRow | None, columns: Sequence[ColumnSpec], known: Mapping[str, Mapping[str, int]]
) -> Layout:
    texts = header_texts(top[at], second)
    print_ = fingerprint(texts)
    if print_ in known:
        matches = {name: Match(index, texts[index][0], 1.0, "SAVED") for name, index in known[print_].items() if index < len(texts)}
    else:
        matches = guess(texts, columns)
    return _made(page, top, at, second, texts, matches, columns)


def _chosen(page: Page, top: Sequence[RawRow], columns: Sequence[ColumnSpec], choice: Choice) -> Layout | None:
    place = next((at for at, row in enumerate(top) if row.number == (choice.header_row or 1)), None)
    if place is None:
        raise BrokenFile(f"không có dòng tiêu đề {choice.header_row} · there is no header row {choice.header_row}")
    texts = [(cell, "") for cell in top[place].cells]
    width = max((len(row.cells) for row in top), default=0)
    texts += [("", "")] * (width - len(texts))
    unknown = [name for name, index in choice.columns.items() if not 0 <= index < min(max(width, 1), MAX_COLUMNS)]
    if unknown:
        raise BrokenFile(f"cột không có trong tệp: {', '.join(unknown)} · no such column in the file: {', '.join(unknown)}")
    matches = {name: Match(index, texts[index][0], 1.0, choice.how) for name, index in choice.columns.items()}
    return _made(page, top, place, None, texts, matches, columns)


def _made(
    page: Page, top: Sequence[RawRow], at: int, second: RawRow | None, texts: Sequence[tuple[str, str]], matches: dict[str, Match],
    columns: Sequence[ColumnSpec],
) -> Layout:  # fmt: skip
    last = second or top[at]
    used = {name for name, match in matches.items() if match.confidence >= APPLIED_FROM}
    below = [row for row in top if row.number > last.number and any(row.cells) and not _numbering(row.cells)][:_SAMPLES]
    return Layout(
        sheet=page.name,
        header_row=last.number,
        header_rows=1 if second is None else 2,
        headers=tuple(text for text, _ in texts),
        matches=matches,
        missing=tuple(column.name for column in columns if column.required and column.name not in used),
        title=tuple(" ".join(cell for cell in row.cells if cell) for row in top[:at]),
        fingerprint=fingerprint(texts),
        samples=tuple(tuple(row.cells) for row in below),
    )


def data_rows(page: Page, layout: Layout, columns: Sequence[ColumnSpec], left_out: Counter[str] | None = None) -> Iterator[SourceRow]:
    """The people rows of a table, as a stream; `left_out` counts what was no data row, by kind."""
    left_out = left_out if left_out is not None else Counter()
    places = layout.columns
    required = [column.name for column in columns if column.required]
    by_index = {index: name for name, index in places.items()}
    rows = page.rows()
    for raw in rows:
        if raw.number <= layout.header_row:
            continue
        if not any(raw.cells) and not raw.faults:
            left_out["EMPTY"] += 1
            continue
        values = {name: csv_unsafe(raw.cells[index]) for name, index in places.items() if index < len(raw.cells) and raw.cells[index]}
        kind = _no_person(raw, values, required, places)
        if kind is not None:
            left_out[kind] += 1
            continue
        faults = {by_index[index]: code for index, code in raw.faults.items() if index in by_index} if raw.faults else {}
        yield SourceRow(raw.number, values, faults, raw.hidden, raw.cells)


def _no_person(raw: RawRow, values: Mapping[str, str], required: Sequence[str], places: Mapping[str, int]) -> str | None:
    """Why a row is no data row, or None."""
    if all(name in values for name in required) and not _numbering(raw.cells):
        return "TOTAL" if _sum(raw.cells) else None
    if _numbering(raw.cells):
        return "NUMBERING"
    if raw.faults:
        return None
    filled = [(index, cell) for index, cell in enumerate(raw.cells) if cell]
    first = folded(filled[0][1]) or next((folded(cell) for _, cell in filled if folded(cell)), "")
    if folded(filled[0][1]) in _TOTALS or first.startswith(_TOTAL_STARTS):
        return "TOTAL"
    words = [folded(cell) for _, cell in filled]
    if all(word.startswith(_SIGNED) or _DATELINE.fullmatch(word) for word in words):
        return "SIGNATURE"
    if len(filled) == 1 and (raw.wide or filled[0][0] not in places.values()):
        return "HEADING"
    return None


def _sum(cells: Sequence[str]) -> bool:
    """A total written into the column of names, with its sums. With accents: `Tống Công` is somebody's name."""
    filled = [cell.strip(" :.") for cell in cells if cell]
    return normalize("NFC", filled[0]).casefold() in _SUMS and not any(char.isalpha() for cell in filled[1:] for char in cell)


def _numbering(cells: Sequence[str]) -> bool:
    """The row `(1) (2) (3) …` or `A B 1 2 …` that forms carry under their header."""
    filled = [cell.strip() for cell in cells if cell]
    if len(filled) <= _LEAST or not all(_MARK.fullmatch(cell) for cell in filled):
        return False
    numbers = [int(text) for cell in filled if (text := cell.strip("()")).isdigit()]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
