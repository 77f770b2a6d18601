"""Files nobody sends by mistake, and some that people do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["FILES"]

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_TYPE: Final = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_LAUGHS: Final = "".join(f'<!ENTITY l{n} "{"".join([f"&l{n - 1};"] * 10)}">' if n else '<!ENTITY l0 "ha">' for n in range(10))
_BOMB_MIB: Final = 300


def _xlsx(sheet: str, *, doctype: str = "", main: str = _SHEET_TYPE, more: Mapping[str, bytes] | None = None, bomb: bool = False) -> bytes:
    out = io.BytesIO()
    types = f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType='
    types += (
        f'"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{main}"/></Types>'
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", types)
        book.writestr("_rels/.rels", f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument"'
                      ' Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        book.writestr("xl/workbook.xml", f'<?xml version="1.0"?>{doctype}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
                      '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>')  # fmt: skip
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/worksheet"'
                      ' Target="worksheets/sheet1.xml"/></Relationships>')  # fmt: skip
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'<?xml version="1.0"?>{doctype}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            if bomb:
                row = b'<row><c t="inlineStr"><is><t>' + b"A" * (1 << 20) + b"</t></is></c></row>"
                for _ in range(_BOMB_MIB):
                    part.write(row)
            part.write(f"{sheet}</sheetData></worksheet>".encode())
        for name, content in (more or {}).items():
            book.writestr(name, content)
    return out.getvalue()


def _cell(text: str) -> str:
    return f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'


def _laughing(root: str, namespace: str) -> bytes:
    return f'<?xml version="1.0"?><!DOCTYPE {root} [{_LAUGHS}]><{root} xmlns="{namespace}">&l9;</{root}>'.encode()


def _formulas(example: bytes) -> bytes:
    head, _, rest = example.partition(b"\n")
    cells = head.count(b",") + head.count(b";") + 1
    return head + b"\n" + b",".join([b"=cmd|'/c calc'!A1"] * cells) + b"\n" + rest


#: Name → (file name, content type, bytes made of the route's own example).
FILES: Final[dict[str, tuple[str, str, Callable[[bytes], bytes]]]] = {
    "zip bomb": ("list.xlsx", "application/vnd.ms-excel", lambda _: _xlsx("", bomb=True)),
    "external entity": (
        "list.xlsx",
        "application/vnd.ms-excel",
        lambda _: _xlsx(_cell("&x;"), doctype='<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    ),
    "external DTD": (
        "list.xlsx",
        "application/vnd.ms-excel",
        lambda _: _xlsx(_cell("a"), doctype='<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">'),
    ),
    "entities that grow, XLSX": (
        "list.xlsx",
        "application/vnd.ms-excel",
        lambda _: _xlsx(_cell("&l9;"), doctype=f"<!DOCTYPE d [{_LAUGHS}]>"),
    ),
    "macros under another name": (
        "list.xlsx",
        "application/vnd.ms-excel",
        lambda _: _xlsx(_cell("a"), main=_MACRO_TYPE, more={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512}),
    ),
    "nothing": ("list.csv", "text/csv", lambda _: b""),
    "an image as a spreadsheet": ("list.xlsx", "application/vnd.ms-excel", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    "a program": ("list.pdf", "application/pdf", lambda _: b"\x7fELF" + bytes(range(256)) * 8),
    "a broken archive": ("list.xlsx", "application/vnd.ms-excel", lambda _: _xlsx(_cell("a"))[:-200]),
    "10 MB in one cell": ("list.csv", "text/csv", lambda example: example.split(b"\n")[0] + b"\n" + b"A" * 10_000_000),
    "NULs": ("list.csv", "text/csv", lambda example: example.replace(b",", b"\0,") + b"\0\0\0"),
    "UTF-16": ("list.csv", "text/csv", lambda example: example.decode("utf-8", "replace").encode("utf-16")),
    "formulas": ("list.csv", "text/csv", _formulas),
    "entities that grow, statement": (
        "statement.xml",
        "application/xml",
        lambda _: _laughing("Document", "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"),
    ),
    "entities that grow, status report": (
        "status.xml",
        "application/xml",
        lambda _: _laughing("Document", "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"),
    ),
    "XML a million deep": ("statement.xml", "application/xml", lambda _: b"<a>" * 1_000_000),
}
