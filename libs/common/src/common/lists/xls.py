"""How far the cells of an old .xls file reach, before its parser makes room for all of them.

The parser lays out a rectangle from the first to the last cell of a sheet: two cells in a file of a few kilobytes can ask for more memory
than a machine has. The file is a small file system (MS-CFB) whose stream `Workbook` is a row of records (MS-XLS).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from common.lists.raw import MAX_COLUMNS, BrokenFile

__all__ = ["MAX_AREA", "check_reach"]

MAX_AREA: Final = 4_000_000
"""Cells a sheet may span: 65,536 rows of 61 columns."""
_MAX_ROWS: Final = 65_536
_END: Final = 0xFFFFFFFA  # from here on no sector but a mark
_CELLS: Final = frozenset({0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x0206, 0x027E, 0x0406})
_SHEETS: Final = frozenset({0x0009, 0x0209, 0x0409, 0x0809})
_DIMENSIONS: Final = 0x0200
_MULTIPLE: Final = 0x00BD


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _chain(first: int, table: Sequence[int], read: Callable[[int], bytes]) -> bytes:
    found, sector = [], first
    while sector < _END:
        found.append(read(sector))
        if len(found) > len(table):
            raise ValueError("a chain of sectors runs in a circle")
        sector = table[sector]
    return b"".join(found)


def _streams(content: bytes) -> Iterator[bytes]:
    """The workbook streams of a compound file. Raises struct.error, IndexError, ValueError where it is damaged."""
    size, small = 1 << struct.unpack_from("<H", content, 30)[0], 1 << struct.unpack_from("<H", content, 32)[0]
    directory, cutoff, small_table, next_list = (struct.unpack_from("<I", content, at)[0] for at in (48, 56, 60, 68))
    if size not in (512, 4096) or small != 64:
        raise ValueError("sectors of another size")

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    lists = list(_numbers(content[76:512]))
    while next_list < _END and len(lists) * size <= len(content) + 109 * size:
        *more, next_list = _numbers(sector(next_list))
        lists += more
    table = [number for item in lists if item < _END for number in _numbers(sector(item))]
    small_sectors = _numbers(_chain(small_table, table, sector))
    entries = _chain(directory, table, sector)
    inside = b""
    for at in range(0, len(entries) - 127, 128):
        entry = entries[at : at + 128]
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le", "replace").casefold()
        first, length = struct.unpack_from("<IQ", entry, 116)
        length &= 0xFFFFFFFF
        if entry[66] == 5:
            inside = _chain(first, table, sector)
        elif entry[66] == 2 and name in ("workbook", "book"):
            mini = inside  # the root, which holds short streams, is the first entry
            short = lambda number, mini=mini: mini[number * small : (number + 1) * small]  # noqa: E731
            yield (_chain(first, small_sectors, short) if length < cutoff else _chain(first, table, sector))[:length]


@dataclass(slots=True)
class _Reach:
    """From the first to the last cell of a sheet."""

    top: int = _MAX_ROWS
    bottom: int = 0
    left: int = 1 << 16
    right: int = 0

    def take(self, row: int, first: int, last: int) -> bool:
        """Take a cell in; whether the sheet may still be read."""
        self.top, self.bottom = min(self.top, row), max(self.bottom, row)
        self.left, self.right = min(self.left, first), max(self.right, last)
        return (self.bottom - self.top + 1) * (self.right - self.left + 1) <= MAX_AREA and self.right < MAX_COLUMNS


def _fits(stream: bytes) -> bool:
    at, reach = 0, _Reach()
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + length]
        at += 4 + length
        if kind in _SHEETS:
            reach = _Reach()
        elif kind == _DIMENSIONS and len(body) >= 10:
            wide = len(body) >= 14
            _, rows, _, columns = struct.unpack_from("<IIHH" if wide else "<HHHH", body)
            if rows > _MAX_ROWS or columns > MAX_COLUMNS:
                return False
        elif kind in _CELLS and len(body) >= 4:
            row, first = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MULTIPLE else first
            if not reach.take(row, first, max(first, last)):
                return False
    return True


def check_reach(content: bytes) -> None:
    """Raises BrokenFile when a sheet spans more than may be read, ValueError when the file is damaged."""
    try:
        fits = all(_fits(stream) for stream in _streams(content))
    except (struct.error, IndexError) as error:
        raise ValueError(str(error)) from error
    if not fits:
        raise BrokenFile(
            "ô có dữ liệu nằm quá xa trong tệp .xls: hãy chép danh sách sang tệp .xlsx mới"
            " · cells of this .xls file lie too far apart: copy the list to a new .xlsx file"
        )
