"""Lists as files: read back as written, nothing runs, nothing on the disk, the same rows the same bytes."""

from __future__ import annotations

import asyncio
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from common.sheets import Cell, Sheet, stream, written
from common.tabular import ColumnSpec, read_rows

HEADER = ("Mã hồ sơ", "Họ và tên", "Số tiền")
COLUMNS = (ColumnSpec("code", ("Mã hồ sơ",), required=True), ColumnSpec("name", ("Họ và tên",)), ColumnSpec("amount", ("Số tiền",)))
ROWS: tuple[tuple[Cell, ...], ...] = (("00123", "Lê Thị Hòa & <b>", 1_500_000), ("X-2", "=1+1", None), ("X-3", "", 0))


def _cells(content: bytes) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_a_workbook_is_read_back_as_it_was_written() -> None:
    content = written("xlsx", Sheet(HEADER, ["Danh sách", "Tháng 9"], "Kết quả"), ROWS)
    assert CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names == ["Kết quả"]
    assert _cells(content) == [
        ["Danh sách", "", ""], ["Tháng 9", "", ""], list(HEADER),
        ["00123", "Lê Thị Hòa & <b>", 1_500_000.0], ["X-2", "'=1+1", ""], ["X-3", "", 0.0],
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_our_own_reader_takes_it(form: str) -> None:
    table = read_rows(written(form, Sheet(HEADER, ["Danh sách"]), ROWS[:1]), f"x.{form}", COLUMNS)
    [row] = table.rows
    assert row.values == {"code": "00123", "name": "Lê Thị Hòa & <b>", "amount": "1500000"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_pieces_and_whole_are_the_same_bytes_every_time(form: str) -> None:
    rows = [(f"{number:05}", "Nguyễn Văn Đức", number) for number in range(1_201)]

    async def pieces() -> list[bytes]:
        async def each() -> AsyncIterator[Sequence[Cell]]:
            for row in rows:
                yield row

        return [piece async for piece in stream(form, Sheet(HEADER), each())]

    found = asyncio.run(pieces())
    assert len(found) >= 4
    assert b"".join(found) == written(form, Sheet(HEADER), rows) == written(form, Sheet(HEADER), rows)


def test_nothing_lies_on_the_disk_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    assert written("xlsx", Sheet(HEADER), [("060190000001", "A", 1)] * 2_000)


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=5))
def test_any_text_gives_a_workbook_that_opens(rows: list[list[str]]) -> None:
    assert len(_cells(written("xlsx", Sheet(HEADER), rows))) >= 1


def test_long_words_of_a_header_and_a_cell_are_not_cut_by_the_next_column() -> None:
    data = written("xlsx", Sheet(["Chưa có số định danh hoặc chưa có trong CSDL dân cư"], ["Tiêu đề"]), [("Đối tượng bảo trợ xã hội",)])
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        styles = ET.fromstring(parts.read("xl/styles.xml")).findall(".//{*}cellXfs/{*}xf")
        cells = ET.fromstring(parts.read("xl/worksheets/sheet1.xml")).findall(".//{*}c")
    wrapped = [styles[int(cell.attrib["s"])].find("{*}alignment[@wrapText='1']") is not None for cell in cells]
    assert wrapped == [False, True, True], "a title runs on over the empty cells beside it"
