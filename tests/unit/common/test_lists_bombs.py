"""Files that would grow in memory: each far below the ratio that is refused unread, and read with little all the same."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile

import pytest
import xlsxwriter

from common.lists.headers import ColumnSpec
from common.lists.raw import MAX_CELL, BrokenFile
from common.lists.table import data_rows, lay_out

COLUMNS = (ColumnSpec("code", ("Mã hồ sơ",), required=True), ColumnSpec("name", ("Họ và tên",), required=True))
HEADER = ["Mã hồ sơ", "Họ và tên"]
STRINGS, SHEET = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"
BOMB = 16 << 20
LITTLE = 6 << 20
"""Bytes that reading may take: a tag of a mebibyte is held twice by the parser before it is refused."""
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
ROWS = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'


def book(part: str, head: str, tail: str, filling: bytes) -> bytes:
    """A list whose `part` is `head`, 16 MiB of `filling` and `tail`; ballast that packs badly keeps the ratio low."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        made.add_worksheet("DS").write_row(0, 0, HEADER)
    bomb = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
        with new.open(part, "w") as stream:
            stream.write(head.encode())
            for _ in range(BOMB >> 20):
                stream.write((filling * (1 << 20))[: (1 << 20) // len(filling) * len(filling)])
            stream.write(tail.encode())
        new.writestr("ballast.bin", random.Random(1).randbytes(200_000))
    content = bomb.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert sum(item.file_size for item in made.infolist()) < len(content) * 200, "refused unread: it would prove nothing"
    return content


def peak(content: bytes, name: str) -> tuple[int, str]:
    """The most memory that reading took, and how it ended: the first row's name, or the refusal."""
    tracemalloc.start()
    try:
        page, layout = lay_out(content, name, COLUMNS)
        rows = [row.get("name")[:3] for row in data_rows(page, layout, COLUMNS)]
        end = ",".join(rows)
    except BrokenFile as error:
        end = str(error)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most, end


_SI = f'<?xml version="1.0"?><sst {MAIN}><si><t>Mã hồ sơ</t></si><si><t>Họ và tên</t></si><si><t>A-1</t></si><si><t>'
_CELL = f'<worksheet {MAIN}><sheetData>{ROWS}<row r="2"><c r="A2" t="inlineStr"><is><t>A-1</t></is></c><c r="B2" t="inlineStr"><is><t>'


@pytest.mark.parametrize(
    ("part", "head", "tail", "filling"),
    [
        (STRINGS, _SI, "</t></si></sst>", b"X"),
        (STRINGS, _SI, "</t></si></sst>", b"X" * 200 + b"</t><t>"),
        (STRINGS, _SI, "</t></si></sst>", "ữ".encode()),
        (SHEET, _CELL, "</t></is></c></row></sheetData></worksheet>", b"X"),
        (SHEET, _CELL, "</t></is></c></row></sheetData></worksheet>", b"X" * 200 + b"</t><t>"),
        (SHEET, f'<worksheet {MAIN}><sheetData>{ROWS}<row r="2"><c r="A2" note="', '"/></row></sheetData></worksheet>', b"X"),
        (SHEET, f"<worksheet {MAIN}><sheetData>{ROWS}<!--", "--></sheetData></worksheet>", b"X"),
        (STRINGS, _SI + "<!--", "--></t></si></sst>", b"X"),
    ],
    ids=["one string", "string in pieces", "string in letters", "one cell", "cell in pieces", "attribute", "comment", "comment of strings"],
)
def test_one_text_of_a_spreadsheet_takes_little(part: str, head: str, tail: str, filling: bytes) -> None:
    most, end = peak(book(part, head, tail, filling), "list.xlsx")
    assert most < LITTLE, (most, end)


def test_a_shared_string_that_is_too_long_is_a_fault_of_its_row() -> None:
    content = book(STRINGS, _SI, "</t></si></sst>", b"X")
    row = '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>'
    sheet = f"<worksheet {MAIN}><sheetData>{ROWS}{row}</sheetData></worksheet>"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == SHEET else old.read(name))
    page, layout = lay_out(out.getvalue(), "list.xlsx", COLUMNS)
    (read,) = data_rows(page, layout, COLUMNS)
    assert (read.get("code"), read.faults, len(read.get("name"))) == ("A-1", {"name": "CELL_TOO_LONG"}, MAX_CELL)


@pytest.mark.parametrize("place", ["A" * 60_000 + "2", "-2", "aa2", "Ấ2"], ids=["many letters", "none", "small", "others"])
def test_a_cell_in_no_column_is_refused(place: str) -> None:
    head = f'<worksheet {MAIN}><sheetData>{ROWS}<row r="2"><c r="{place}"><v>1</v></c></row>'
    content = book(SHEET, head, "</sheetData></worksheet>", b"\n")
    with pytest.raises(BrokenFile):
        list(data_rows(*lay_out(content, "list.xlsx", COLUMNS), COLUMNS))


@pytest.mark.parametrize(
    "filling",
    [b",", b'\n","', b"X", b"X,"],
    ids=["empty cells", "cells over many lines", "one cell", "many cells"],
)
def test_one_record_of_a_text_file_takes_little(filling: bytes) -> None:
    quote = '"' if b'"' in filling else ""
    content = f"Mã hồ sơ,Họ và tên\nA-1,{quote}".encode() + filling * (BOMB // len(filling)) + f"{quote}\n".encode()
    most, end = peak(content, "list.csv")
    assert "·" in end, "refused in words"
    assert most < LITTLE, (most, end)
