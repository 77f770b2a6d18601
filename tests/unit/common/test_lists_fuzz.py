"""Whatever bytes come: rows, or a refusal in words. Never another exception, never endless work."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import xlsxwriter
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from common.lists.cells import hide_numbers, parse_amount_vi, parse_date_vi, parse_month_vi
from common.lists.headers import ColumnSpec, guess, header_texts
from common.lists.raw import BrokenFile, RawRow
from common.lists.table import data_rows, lay_out

COLUMNS = (
    ColumnSpec("code", ("Mã hồ sơ",), required=True), ColumnSpec("name", ("Họ và tên",), required=True),
    ColumnSpec("born", ("Ngày sinh",)), ColumnSpec("number", ("Số CCCD",)),
)  # fmt: skip
HEADER = ["Mã hồ sơ", "Họ và tên", "Ngày sinh", "Số CCCD"]
CELLS = st.one_of(
    st.text(max_size=40), st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(),
    st.sampled_from(["=1+1", "Tổng cộng", "(1)", "31/02/1950", "060190000001", "X" * 3000, "\x00", "\ufeff", "́", "a\nb", "NaN", "1E999"]),
)  # fmt: skip


def consume(content: bytes, name: str) -> int:
    try:
        page, layout = lay_out(content, name, COLUMNS)
        return sum(1 for _ in data_rows(page, layout, COLUMNS))
    except BrokenFile:
        return -1


def workbook(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"nan_inf_to_errors": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2024, 1, 1, tzinfo=UTC)})
        sheet = book.add_worksheet()
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(index, column, cell)
    return out.getvalue()


BASE = workbook([HEADER, ["A-1", "Trần Thị Hoà", "1950", "060190000001"], ["A-2", "Lê Văn An", 18324, 60190000001]])


@seed(1)
@settings(max_examples=150, deadline=2_000)
@given(st.binary(max_size=4_000), st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a"]))
def test_any_bytes(content: bytes, name: str) -> None:
    consume(content, name)
    consume(b"PK\x03\x04" + content, name)
    consume(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content, name)


@seed(2)
@settings(max_examples=80, deadline=4_000)
@given(st.lists(st.lists(CELLS, max_size=6), max_size=8))
def test_any_cells(rows: list[list[Any]]) -> None:
    good = ["A-1", "Trần Thị Hoà", "1950", "060190000001"]
    assert consume(workbook([HEADER, *rows, good]), "a.xlsx") >= 1


@seed(3)
@settings(max_examples=120, deadline=4_000)
@given(st.data())
def test_mutated_workbooks(data: st.DataObject) -> None:
    content = bytearray(BASE)
    kind = data.draw(st.sampled_from(["cut", "flip", "part"]))
    if kind == "cut":
        consume(bytes(content[: data.draw(st.integers(0, len(content)))]), "a.xlsx")
        return
    if kind == "flip":
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        consume(bytes(content), "a.xlsx")
        return
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as old, zipfile.ZipFile(out, "w") as new:
        chosen = data.draw(st.sampled_from(old.namelist()))
        for item in old.namelist():
            text = old.read(item)
            if item == chosen:
                at = data.draw(st.integers(0, len(text)))
                text = text[:at] + data.draw(st.binary(max_size=30)) + text[data.draw(st.integers(at, len(text))) :]
            new.writestr(item, text)
    consume(out.getvalue(), "a.xlsx")


@seed(4)
@settings(max_examples=200, deadline=1_000)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=12))
def test_any_headers(pairs: list[tuple[str, str]]) -> None:
    texts = header_texts(RawRow(1, [top for top, _ in pairs]), RawRow(2, [bottom for _, bottom in pairs]))
    found = guess(texts, COLUMNS)
    assert len({match.index for match in found.values()}) == len(found)


@seed(5)
@settings(max_examples=300, deadline=1_000)
@given(st.text(max_size=80))
def test_any_text_as_date_amount_or_prose(text: str) -> None:
    parsed = parse_date_vi(text)
    assert parsed is None or len(parsed) in (4, 7, 10)
    assert parse_month_vi(text) is None or parse_month_vi(text).day == 1
    parse_amount_vi(text)
    assert hide_numbers(hide_numbers(text)[0]) == (hide_numbers(text)[0], False)
