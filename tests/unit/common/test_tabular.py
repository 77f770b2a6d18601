"""Lists as offices keep them."""

from __future__ import annotations

import io
import unicodedata

import pytest
import xlsxwriter

from common.tabular import BrokenFile, ColumnSpec, csv_safe, parse_amount_vi, parse_date_vi, parse_month_vi, read_rows

COLUMNS = (
    ColumnSpec("code", ("Mã hồ sơ", "Mã HS"), required=True),
    ColumnSpec("name", ("Họ và tên", "Họ tên"), required=True),
    ColumnSpec("number", ("Số CCCD/định danh", "CCCD", "Số định danh cá nhân")),
    ColumnSpec("born", ("Ngày sinh", "Ngày, tháng, năm sinh")),
)


def xlsx(rows: list[list[object]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for index, row in enumerate(rows):
            sheet.write_row(index, 0, row)
    return buffer.getvalue()


ROWS: list[list[object]] = [
    ["UBND XÃ HÀM ĐỨC", "", "", "", ""],
    ["DANH SÁCH ĐỐI TƯỢNG", "", "", "", ""],
    ["", "", "", "", ""],
    ["STT", "MA HO SO", "Họ tên", "CCCD", "Ngày,tháng,năm sinh"],
    ["(1)", "(2)", "(3)", "(4)", "(5)"],
    ["1", "BT-1", unicodedata.normalize("NFD", "Trần Thị Hồng"), "060150000001", "01/02/1950"],
    ["", "", "", "", ""],
    ["2", "BT-2", "Lê  Văn\u00a0An", 60150000002, "1950"],
    ["Tổng cộng", "", "2", "", ""],
]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_header_is_found_among_title_rows_and_totals_are_left_out(kind: str) -> None:
    content = xlsx(ROWS) if kind == "xlsx" else ("\ufeff" + "\r\n".join(";".join(str(c) for c in row) for row in ROWS)).encode()
    table = read_rows(content, f"list.{kind}", COLUMNS)
    rows = list(table.rows)
    assert table.header_row == 4
    assert table.unknown == ("STT",)
    assert [row.number for row in rows] == [6, 8]
    assert rows[0].get("name") == "Trần Thị Hồng"
    assert rows[1].values == {"code": "BT-2", "name": "Lê Văn An", "number": "60150000002", "born": "1950"}


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"", "a.csv", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "a.xls", "old .xls"),
        (b"PK\x03\x04garbage", "a.xlsx", "not a readable XLSX"),
        (b"\xff\x00\x01", "a.csv", "not UTF-8"),
        ("STT;Họ tên\n1;An\n".encode(), "a.csv", "Mã hồ sơ"),
    ],
)
def test_a_broken_file_says_why(content: bytes, name: str, why: str) -> None:
    with pytest.raises(BrokenFile, match=why):
        read_rows(content, name, COLUMNS)


def test_dates_and_amounts() -> None:
    assert parse_date_vi("1/2/1950") == "1950-02-01"
    assert parse_date_vi("31.12.1950") == "1950-12-31"
    assert parse_date_vi("1950") == "1950"
    assert parse_date_vi("02/1950") == "1950-02"
    assert parse_date_vi("30/02/1950") is None
    assert parse_date_vi("mot hai ba") is None
    assert str(parse_month_vi("09/2024")) == "2024-09-01"
    assert parse_month_vi("2024") is None
    assert parse_amount_vi("1.878.000 đ") == 1_878_000
    assert parse_amount_vi("1,5 triệu") is None
    assert csv_safe("=1+1") == "'=1+1"
