"""Files as offices send them: what is read, what is left out and counted, what is refused, and what never runs."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from common.lists.cells import csv_safe, csv_unsafe, hide_numbers, parse_date_vi, parse_month_vi, short_year
from common.lists.headers import ColumnSpec, fingerprint, guess
from common.lists.raw import BrokenFile, letter
from common.lists.table import Choice, SourceRow, data_rows, lay_out

COLUMNS = (
    ColumnSpec("code", ("Mã hồ sơ", "Mã HS"), required=True),
    ColumnSpec("name", ("Họ và tên", "Họ tên"), required=True),
    ColumnSpec("number", ("Số CCCD/định danh", "Số CCCD", "Số định danh cá nhân"), secret=True),
    ColumnSpec("born", ("Ngày sinh", "Ngày tháng năm sinh", "Năm sinh")),
    ColumnSpec("rep_name", ("Họ tên người nhận thay", "Người nhận thay")),
    ColumnSpec("rep_number", ("CCCD người nhận thay",), secret=True),
)
HEADER = ["Mã hồ sơ", "Họ và tên", "Số CCCD", "Ngày sinh"]


def book(write: Callable[[xlsxwriter.Workbook, Any], None], name: str = "DS") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        write(made, made.add_worksheet(name))
    return out.getvalue()


def read(content: bytes, name: str = "list.xlsx", **how: Any) -> tuple[list[SourceRow], Counter[str]]:
    page, layout = lay_out(content, name, COLUMNS, **how)
    left: Counter[str] = Counter()
    return list(data_rows(page, layout, COLUMNS, left)), left


def grid(rows: list[list[object]]) -> bytes:
    def write(_: xlsxwriter.Workbook, sheet: Any) -> None:
        for index, row in enumerate(rows):
            sheet.write_row(index, 0, row)

    return book(write)


def patched(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(item, change(data) if item == part else data)
    return out.getvalue()


def test_titles_headings_totals_and_signatures_are_no_people_and_are_counted() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.merge_range("A1:D1", "UBND XÃ HÀM ĐỨC", made.add_format())
        sheet.merge_range("A2:D2", "DANH SÁCH NGƯỜI HƯỞNG", made.add_format())
        sheet.write_row("A4", HEADER)
        sheet.write_row("A5", ["(1)", "(2)", "(3)", "(4)"])
        sheet.merge_range("A6:D6", "I. Thôn Một", made.add_format())
        sheet.write_row("A7", ["A-1", "Trần Thị Hoà", "060190000001", "1950"])
        sheet.write_row("A8", ["A-2", "Tống Văn An", "", "1951"])
        sheet.write_row("A9", ["", "Tống Văn Bình", "", "1951"])
        sheet.write_row("A10", ["Tổng cộng: 2 người", "", "", ""])
        sheet.write_row("B12", ["NGƯỜI LẬP BIỂU", "", "CHỦ TỊCH UBND XÃ"])
        sheet.write_row("C11", ["Hàm Đức, ngày 20 tháng 8 năm 2024"])

    rows, left = read(book(write))
    assert [row.number for row in rows] == [7, 8, 9]
    assert left == {"NUMBERING": 1, "HEADING": 1, "TOTAL": 1, "SIGNATURE": 2}


def test_merged_cells_hold_for_every_row_they_cover() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row("A1", HEADER)
        sheet.merge_range("A2:A3", "A-1", made.add_format())
        sheet.merge_range("B2:B3", "Trần Thị Hoà", made.add_format())
        sheet.write("D2", "1950")
        sheet.write("D3", "02/1950")

    rows, _ = read(book(write))
    assert [(row.get("code"), row.get("name"), row.get("born")) for row in rows] == [
        ("A-1", "Trần Thị Hoà", "1950"), ("A-1", "Trần Thị Hoà", "02/1950"),
    ]  # fmt: skip


def test_a_header_of_two_rows_with_groups() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        form = made.add_format()
        sheet.merge_range("A1:A2", "Mã hồ sơ", form)
        sheet.merge_range("B1:C1", "Người hưởng", form)
        sheet.write_row("B2", ["Họ và tên", "Năm sinh"])
        sheet.merge_range("D1:E1", "Người nhận thay", form)
        sheet.write_row("D2", ["Họ tên", "CCCD"])
        sheet.write_row("A3", ["A-1", "Trần Thị Hoà", "1950", "Lê Văn An", "060170000001"])

    (row,), _ = read(book(write))
    assert row.values == {
        "code": "A-1", "name": "Trần Thị Hoà", "born": "1950", "rep_name": "Lê Văn An", "rep_number": "060170000001",
    }  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "HỌ VÀ TÊN", "ho va ten", "Họ  và\ntên", unicodedata.normalize("NFD", "Họ và tên"), "Họ và tên (*)", "Họ và tên / Full name",
        "Họ tên (Full name)", "HỌ, TÊN", "Họ và tên (viết hoa)", " Họ và tên: ", "Họ tên (chữ in hoa)",
    ],
)  # fmt: skip
def test_one_column_in_many_spellings(header: str) -> None:
    found = guess([(header, ""), ("Mã hồ sơ", "")], COLUMNS)
    assert found["name"].index == 0
    assert found["name"].confidence >= 0.8


@pytest.mark.parametrize("header", ["Họ tên chủ hộ", "Họ và tên cha, mẹ", "Ngày sinh (người nhận)", "Số điện thoại", "Tên thôn"])
def test_another_column_is_not_taken_for_a_similar_one(header: str) -> None:
    found = guess([(header, "")], COLUMNS)
    assert all(match.confidence < 0.8 for match in found.values()), found


def test_formulas_are_never_computed_and_errors_are_faults_of_their_cell() -> None:
    def write(_: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row("A1", HEADER)
        sheet.write_formula("A2", '="A-"&1', None, "A-1")
        sheet.write_formula("B2", '=HYPERLINK("http://x","y")', None, "Trần Thị Hoà")
        sheet.write_row("A3", ["A-2", "Lê Văn An"])
        sheet.write_formula("C3", "=1+1", None, "")
        sheet.write_row("A4", ["A-3", "Lê Văn Ba"])
        sheet.write_formula("D4", "=NA()", None, "#N/A")

    def forget(xml: bytes) -> bytes:  # as some programs write a formula nobody has computed
        return xml.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f>").replace(b' t="str"><f>1+1</f>', b"><f>1+1</f>")

    content = patched(book(write), "xl/worksheets/sheet1.xml", forget)
    rows, _ = read(content)
    assert rows[0].values == {"code": "A-1", "name": "Trần Thị Hoà"}
    assert rows[1].faults == {"number": "FORMULA_NO_VALUE"}
    assert rows[2].faults == {"born": "FORMULA_ERROR"}


def test_dates_come_at_the_precision_they_show() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row("A1", HEADER)
        for index, shown in enumerate(("dd/mm/yyyy", "mm/yyyy", "yyyy", 'd"-"m"-"yyyy;@', "[$-42A]dd mmmm yyyy", "0")):
            sheet.write_row(index + 1, 0, [f"A-{index}", "Trần Thị Hoà"])
            sheet.write_number(index + 1, 3, 18324, made.add_format({"num_format": shown}))

    rows, _ = read(book(write))
    assert [row.get("born") for row in rows] == ["02/03/1950", "03/1950", "1950", "02/03/1950", "02/03/1950", "18324"]
    assert parse_date_vi("18324") == "1950-03-02"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2/3/1950", "1950-03-02"), ("02-03-1950", "1950-03-02"), ("02.03.1950.", "1950-03-02"), ("2 / 3 / 1950", "1950-03-02"),
        ("1950-03-02 00:00:00", "1950-03-02"), ("3/1950", "1950-03"), ("1950-03", "1950-03"), ("T3/1950", "1950-03"),
        ("tháng 3 năm 1950", "1950-03"), ("Ngày 2 tháng 3 năm 1950", "1950-03-02"), ("ngày 02, tháng 03, năm 1950", "1950-03-02"),
        ("1950", "1950"), ("2-3-50", None), ("31/02/1950", None), ("13/1950", None), ("0000", None), ("khoảng 1950", None), ("", None),
        ("٢/٣/١٩٥٠", None), ("9" * 4000, None),
    ],
)  # fmt: skip
def test_date_forms(text: str, expected: str | None) -> None:
    assert parse_date_vi(text) == expected


def test_months_and_short_years() -> None:
    assert parse_month_vi("Tháng 9/2024") == date(2024, 9, 1)
    assert short_year("2-3-50")
    assert not short_year("2-3-1950")


def test_hidden_rows_are_seen_and_hidden_sheets_are_not_read() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row("A1", HEADER)
        sheet.write_row("A2", ["A-1", "Trần Thị Hoà"])
        sheet.write_row("A3", ["A-2", "Lê Văn An"])
        sheet.set_row(2, options={"hidden": True})
        other = made.add_worksheet("cũ")
        other.write_row("A1", HEADER)
        other.write_row("A2", ["B-1", "Cũ"])
        other.hide()

    rows, _ = read(book(write))
    assert [(row.get("code"), row.hidden) for row in rows] == [("A-1", False), ("A-2", True)]


def test_of_several_lists_in_one_file_somebody_has_to_choose() -> None:
    def write(made: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write("A1", "Hướng dẫn")
        for name in ("Thôn 1", "Thôn 2"):
            other = made.add_worksheet(name)
            other.write_row("A1", HEADER)
            other.write_row("A2", [name, "Trần Thị Hoà"])
        empty = made.add_worksheet("Mẫu")
        empty.write_row("A1", HEADER)

    content = book(write, "Bìa")
    with pytest.raises(BrokenFile, match="'Thôn 1', 'Thôn 2'"):
        read(content)
    (row,), _ = read(content, sheet="Thôn 2")
    assert row.get("code") == "Thôn 2"
    with pytest.raises(BrokenFile, match="Thôn 3"):
        read(content, sheet="Thôn 3")


TEXT = "Mã hồ sơ;Họ và tên;Số CCCD;Ngày sinh\r\nA-1;Trần Thị Hoà;060190000001;1950\r\n"


def windows_1258(text: str) -> bytes:
    """As Windows wrote it: letters with their quality mark, tones behind them."""
    out = []
    for char in text:
        parts = unicodedata.normalize("NFD", char)
        tone = "".join(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
        out.append(unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in tone)) + tone)
    return "".join(out).encode("cp1258")


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), unicodedata.normalize("NFD", TEXT).encode(),
        TEXT.replace(";", ",").encode(), TEXT.replace(";", "\t").encode(), ("sep=;\r\n" + TEXT).encode(),
        TEXT.replace("\r\n", "\r").encode(), windows_1258(TEXT),
    ],
    ids=["utf8", "utf8-bom", "utf16", "nfd", "comma", "tab", "sep", "cr", "cp1258"],
)  # fmt: skip
def test_text_files_in_the_encodings_seen(content: bytes) -> None:
    (row,), _ = read(content, "list.csv")
    assert row.get("code") == "A-1"
    assert (row.get("name"), row.get("number")) == ("Trần Thị Hoà", "060190000001")


def test_old_fonts_and_broken_text_say_what_to_do() -> None:
    tcvn3 = "M· hå s¬;Hä vµ tªn;Sè CCCD\nA-1;TrÇn ThÞ Hoµ;060190000001\n".encode("latin-1")
    with pytest.raises(BrokenFile, match="TCVN3"):
        read(tcvn3, "list.csv")
    with pytest.raises(BrokenFile, match="CSV"):
        read(('Mã hồ sơ;Họ và tên\nA-1;"Trần\nA-2;An\n').encode(), "list.csv")[0]


def _sheet(xml: str) -> bytes:
    return patched(grid([HEADER]), "xl/worksheets/sheet1.xml", lambda _: xml.encode())


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.mark.parametrize(
    "xml",
    [
        f'<!DOCTYPE x [<!ENTITY a "b">]><worksheet {MAIN}><sheetData/></worksheet>',
        f'<worksheet {MAIN}><sheetData><row r="1"><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>',
        f'<worksheet {MAIN}><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>',
        f'<worksheet {MAIN}><sheetData><row r="99999999"/></sheetData></worksheet>',
        f'<worksheet {MAIN}><sheetData><row r="x"/></sheetData></worksheet>',
        f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="s"><v>999</v></c></row></sheetData></worksheet>',
        f"<worksheet {MAIN}><sheetData><row",
        "",
    ],
    ids=["entities", "column XFD", "order", "row beyond", "row no number", "no such string", "cut", "empty"],
)
def test_malformed_sheets_are_refused(xml: str) -> None:
    with pytest.raises(BrokenFile):
        read(_sheet(xml))


def test_bombs_are_refused_before_they_open() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 30_000_000)
    with pytest.raises(BrokenFile, match="giải nén"):
        read(bomb.getvalue())
    lying = patched(grid([HEADER]), "xl/worksheets/sheet1.xml", lambda xml: xml)
    at = lying.find(b"PK\x01\x02")
    with pytest.raises(BrokenFile):
        read(lying[:at])


def test_a_huge_cell_is_a_fault_of_its_row() -> None:
    rows, _ = read(grid([HEADER, ["A-1", "X" * 5000, "", ""], ["A-2", "Lê Văn An", "", ""]]))
    assert rows[0].faults == {"name": "CELL_TOO_LONG"}
    assert rows[1].faults == {}


def test_numbers_keep_their_digits_and_what_was_lost_is_not_put_back() -> None:
    rows, _ = read(grid([HEADER, ["A-1", "An", 60190000001, ""], ["A-2", "Ba", "060190000001", ""], ["A-3", "Tư", 12345678901234567, ""]]))
    assert [row.get("number") for row in rows] == ["60190000001", "060190000001", "1.234567890123457e+16"]


def test_chosen_columns_win_over_any_guess_and_saved_ones_are_recognised() -> None:
    rows = [["DANH SÁCH"], ["Mã", "Tên", "Giấy tờ"], ["A-1", "Trần Thị Hoà", "060190000001"]]
    with pytest.raises(BrokenFile, match="tiêu đề"):
        read(grid(rows))
    choice = Choice({"code": 0, "name": 1, "number": 2}, None, 2)
    (row,), _ = read(grid(rows), choice=choice)
    assert row.values == {"code": "A-1", "name": "Trần Thị Hoà", "number": "060190000001"}
    _, layout = lay_out(grid(rows), "x.xlsx", COLUMNS, choice=choice)
    again = [["UBND"], [""], ["MÃ", "tên ", "GIAY TO"], ["A-2", "Lê Văn An", ""]]
    (row,), _ = read(grid(again), known={layout.fingerprint: dict(choice.columns)})
    assert row.get("code") == "A-2"
    assert fingerprint([("Mã", ""), ("Lý do từ chối", "")]) == fingerprint([("MÃ ", "")])


def test_what_would_run_in_a_spreadsheet_is_written_as_text_and_read_back() -> None:
    for text in ("=1+1", "+84", "-x", "@sum", "\tx"):
        assert csv_safe(text) == "'" + text
        assert csv_unsafe(csv_safe(text)) == text
    assert csv_unsafe("'quoted") == "'quoted"
    assert [letter(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize("text", ["Thôn 3, số 060190000001", "CMND 260190123", "060 190 000 001", "060.190.000.001", "260-190-123"])
def test_national_numbers_are_taken_out_of_plain_text(text: str) -> None:
    hidden, found = hide_numbers(text)
    assert found
    assert "190" not in hidden


@pytest.mark.parametrize("text", ["12/QĐ-UBND ngày 15/01/2024", "0912345678", "H40.12.25-240815-0012", "Tổ 5, khu phố 2, 2024-08-20"])
def test_other_digits_stay(text: str) -> None:
    assert hide_numbers(text) == (text, False)


def _moved(content: bytes, row: int, column: int) -> bytes:
    """The file with its first text cell (a label of the shared texts, record 0x00FD) elsewhere."""
    at = content.index(b"\xfd\x00\x0a\x00")
    return content[: at + 4] + row.to_bytes(2, "little") + column.to_bytes(2, "little") + content[at + 8 :]


@pytest.mark.parametrize(("row", "column"), [(65_535, 200), (65_535, 65_535), (3, 40_000)])
def test_an_xls_whose_cells_lie_far_apart_is_refused_before_room_is_made(row: int, column: int) -> None:
    content = (Path(__file__).parent / "list.xls").read_bytes()
    with pytest.raises(BrokenFile, match="too far apart"):
        read(_moved(content, row, column), "x.xls")
    read(_moved(content, 60_000, 3), "x.xls")


def test_the_old_xls_format_is_read_too() -> None:
    content = (Path(__file__).parent / "list.xls").read_bytes()
    rows, _ = read(content, "danh sach.xls")
    assert [row.number for row in rows] == [4, 5]
    assert rows[0].values == {"code": "A-1", "name": "Trần Thị Hoà", "number": "060190000001", "born": "02/03/1950"}
    assert rows[1].get("number") == "60190000001"
    with pytest.raises(BrokenFile, match="xls"):
        read(content[:3000], "x.xls")
    with pytest.raises(BrokenFile, match="xls"):
        read(b"not a spreadsheet", "x.xls")
