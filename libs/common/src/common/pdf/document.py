"""The file: pages as they fill, then the faces with the letters used, then the table of contents of the file.

Written here because what there is brings an imaging library of 25 MB, or a licence that asks more, and keeps the whole document in
memory; a list of a hundred thousand rows is written with one page in memory. Fonts are embedded, so every reader shows the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from common.paper import Fields, Paper, Signature, Table, Text
from common.pdf.ink import STYLES, Ink, Style, stream, width, wrapped
from common.streams import StreamingResponse

__all__ = ["answer", "pdf"]

_A4: Final = (595.28, 841.89)
_TOP, _BOTTOM, _LEFT, _RIGHT = 57.0, 57.0, 85.0, 43.0  # Decree 30/2020/ND-CP, Appendix I: 20, 20, 30 and 15 mm
_BODY, _SMALL, _HEAD = 13.0, 10.0, 12.0
_PAD: Final = 3.0
_WIDE_COLUMNS: Final = 7
_SAMPLE: Final = 60
_WITH_TABLE: Final = 130.0
_SIGNED: Final = 110.0
_NUMBER: Final = re.compile(r"[-–]?\d[\d.,]*%?")
_MOTTO: Final = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập – Tự do – Hạnh phúc")
_FIRST_FREE: Final = 3 + 5 * len(STYLES)


class _File:
    """Objects with their places. 1 is the catalogue, 2 the tree of pages, then the faces; pages come after."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._end = 0
        self._next = _FIRST_FREE
        self.pages: list[int] = []

    def raw(self, data: bytes) -> bytes:
        self._end += len(data)
        return data

    def new(self) -> int:
        self._next += 1
        return self._next - 1

    def object(self, number: int, body: bytes) -> bytes:
        self._places[number] = self._end
        return self.raw(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")

    def close(self) -> bytes:
        start, lines = self._end, [f"xref\n0 {self._next}\n0000000000 65535 f \n"]
        lines += [f"{self._places[number]:010d} 00000 n \n" for number in range(1, self._next)]
        return ("".join(lines) + f"trailer\n<< /Size {self._next} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").encode()


class _Press:
    """The page being filled: a pen that goes down, and finished pages as bytes."""

    def __init__(self, file: _File, *, landscape: bool) -> None:
        self._file = file
        self.ink = Ink()
        short, long = _A4
        self.size = (long, short) if landscape else (short, long)
        self.left, self.right, self.bottom = _LEFT, self.size[0] - _RIGHT, _BOTTOM
        self.room = self.right - self.left
        self._marks: list[str] = []
        self.y = self.size[1] - _TOP

    @property
    def full(self) -> float:
        """Height of an empty page."""
        return self.size[1] - _TOP - _BOTTOM

    def text(self, style: Style, size: float, x: float, y: float, text: str) -> None:
        if text:
            number = STYLES.index(style)
            self._marks.append(f"BT /F{number} {size:g} Tf {x:.2f} {y:.2f} Td {self.ink.shown(style, text)} Tj ET")

    def line(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self._marks.append(f"{x:.2f} {y:.2f} m {to_x:.2f} {to_y:.2f} l S")

    def centred(self, style: Style, size: float, middle: float, y: float, text: str) -> None:
        self.text(style, size, middle - width(style, size, text) / 2, y, text)

    def turn(self) -> Iterator[bytes]:
        """Finish this page and begin the next."""
        page, content = self._file.new(), self._file.new()
        yield self._file.object(content, stream(("0.5 w\n" + "\n".join(self._marks)).encode()))
        yield self._file.object(
            page,
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self.size[0]:g} {self.size[1]:g}] /Contents {content} 0 R "
            f"/Resources << /Font << {' '.join(f'/F{n} {3 + 5 * n} 0 R' for n in range(len(STYLES)))} >> >> >>".encode(),
        )
        self._file.pages.append(page)
        self._marks.clear()
        self.y = self.size[1] - _TOP
        # Numbered from the second page on, in the middle of the upper margin (Decree 30/2020/ND-CP, Appendix I).
        self.centred("R", _BODY, self.size[0] / 2, self.size[1] - _TOP + 20, str(len(self._file.pages) + 1))

    def need(self, height: float) -> Iterator[bytes]:
        if self.y - height < self.bottom:
            yield from self.turn()

    def paragraph(self, style: Style, size: float, text: str, *, centre: bool = False) -> Iterator[bytes]:
        for line in wrapped(style, size, text, self.room):
            yield from self.need(size * 1.4)
            self.y -= size * 1.4
            if centre:
                self.centred(style, size, self.left + self.room / 2, self.y, line)
            else:
                self.text(style, size, self.left, self.y, line)
        self.y -= size * 0.4


def _shown(value: str | int) -> str:
    return f"{value:,}".replace(",", ".") if isinstance(value, int) else value


def _heading(press: _Press, paper: Paper) -> Iterator[bytes]:
    left, right = press.left + press.room * 0.22, press.left + press.room * 0.70
    top = press.y
    y, long = top, 0.0
    for part in paper.authority.split("\n"):
        lines = wrapped("B", _HEAD, part, press.room * 0.42)
        long = max((width("B", _HEAD, line) for line in lines), default=0.0)
        for line in lines:
            y -= _HEAD * 1.3
            press.centred("B", _HEAD, left, y, line)
    if paper.authority:  # a third to half as long as the name above, and clear of its letters (Decree 30/2020/ND-CP, Appendix I)
        y -= 7
        press.line(left - long * 0.2, y, left + long * 0.2, y)
    if paper.number:
        y -= _BODY * 1.6
        press.centred("R", _BODY, left, y, f"Số: {paper.number}")
    z = top - _HEAD * 1.3
    press.centred("B", _HEAD, right, z, _MOTTO[0])
    z -= _BODY * 1.3
    press.centred("B", _BODY, right, z, _MOTTO[1])
    half = width("B", _BODY, _MOTTO[1]) / 2
    press.line(right - half, z - 4, right + half, z - 4)
    if paper.place_and_date:
        z -= _BODY * 1.6
        press.centred("I", _BODY, right, z, paper.place_and_date)
    press.y = min(y, z) - 22
    yield from press.paragraph("B", 14, paper.title.upper(), centre=True)
    if paper.subtitle:
        yield from press.paragraph("R", _BODY, paper.subtitle, centre=True)
    press.y -= 6


def _widths(table: Table, sample: Sequence[Sequence[str | int]], room: float) -> list[float]:
    """Columns as wide as their words need, the rest shared by how much there is to say."""
    least, wished = [], []
    for index, head in enumerate(table.head):
        texts = [_shown(row[index]) for row in sample if index < len(row)]
        longest = max(width("B", _SMALL, word) for text in (head, *texts) for word in text.split(" "))
        whole = max([width("B", _SMALL, head) / 3, *(width("R", _SMALL, text) for text in texts)])
        least.append(longest + 2 * _PAD + 1)
        wished.append(max(longest, min(whole, room / 3)) + 2 * _PAD + 1)
    if sum(least) >= room:
        return [part * room / sum(least) for part in least]
    slack = [max(wish - low, 0.01) for wish, low in zip(wished, least, strict=True)]
    share = (room - sum(least)) / sum(slack)
    return [low + extra * share for low, extra in zip(least, slack, strict=True)]


def _row(
    press: _Press, widths: Sequence[float], row: Sequence[str | int], style: Style, *, head: bool = False
) -> Iterator[list[list[str]]]:
    """Draw one row where there is room for all of it; what a whole page cannot hold is given back to go on."""
    cells = [wrapped(style, _SMALL, _shown(value), room - 2 * _PAD) for value, room in zip(row, widths, strict=False)]
    leading = _SMALL * 1.25
    most = int((press.y - press.bottom - 2 * _PAD) // leading)
    tall = max(len(cell) for cell in cells)
    height = min(tall, most) * leading + 2 * _PAD
    x = press.left
    for value, lines, room in zip(row, cells, widths, strict=False):
        right = not head and (isinstance(value, int) or bool(_NUMBER.fullmatch(value)))
        y = press.y - _PAD - _SMALL
        for line in lines[:most]:
            long = width(style, _SMALL, line)
            start = x + (room - long) / 2 if head else x + room - _PAD - long if right else x + _PAD
            press.text(style, _SMALL, start, y, line)
            y -= leading
        press.line(x, press.y, x, press.y - height)
        x += room
    press.line(x, press.y, x, press.y - height)
    press.line(press.left, press.y, x, press.y)
    press.line(press.left, press.y - height, x, press.y - height)
    press.y -= height
    if tall > most:
        yield [cell[most:] for cell in cells]


def _height(widths: Sequence[float], row: Sequence[str | int], style: Style) -> float:
    most = max(len(wrapped(style, _SMALL, _shown(value), room - 2 * _PAD)) for value, room in zip(row, widths, strict=False))
    return most * _SMALL * 1.25 + 2 * _PAD


def _table(press: _Press, table: Table) -> Iterator[bytes]:
    rows = iter(table.rows)
    sample = list(islice(rows, _SAMPLE))
    widths = _widths(table, sample, press.room)
    heading = _height(widths, table.head, "B")
    yield from press.need(heading + 40)
    list(_row(press, widths, table.head, "B", head=True))
    for row in chain(sample, rows):
        height = _height(widths, row, "R")
        rest: Sequence[str | int] | None = row
        while rest is not None:
            if press.y - min(height, press.full - heading) < press.bottom:
                yield from press.turn()
                list(_row(press, widths, table.head, "B", head=True))
            left = list(_row(press, widths, rest, "R"))
            rest = [" ".join(lines) for lines in left[0]] if left else None
    press.y -= 10


def _fields(press: _Press, fields: Fields) -> Iterator[bytes]:
    labels = min(max((width("B", _BODY, f"{label}: ") for label, _ in fields.lines), default=0), press.room / 2)
    for label, value in fields.lines:
        lines = wrapped("R", _BODY, value or "." * 60, press.room - labels)
        names = wrapped("B", _BODY, f"{label}:", labels)
        for number in range(max(len(lines), len(names))):
            yield from press.need(_BODY * 1.4)
            press.y -= _BODY * 1.4
            press.text("B", _BODY, press.left, press.y, names[number] if number < len(names) else "")
            press.text("R", _BODY, press.left + labels, press.y, lines[number] if number < len(lines) else "")
    press.y -= 10


def _signatures(press: _Press, signatures: Sequence[Signature]) -> Iterator[bytes]:
    yield from press.need(_SIGNED)
    room = press.room / len(signatures)
    press.y -= 10
    deepest = press.y
    for number, one in enumerate(signatures):
        middle, y = press.left + room * (number + 0.5), press.y
        for style, text in (("B", one.title), ("I", one.note)):
            for line in wrapped("B" if style == "B" else "I", _HEAD, text, room - 6):
                y -= _HEAD * 1.3
                press.centred("B" if style == "B" else "I", _HEAD, middle, y, line)
        y -= 60
        press.centred("B", _HEAD, middle, y, one.name)
        deepest = min(deepest, y)
    press.y = deepest - 10


def _bodies(press: _Press, paper: Paper) -> Iterator[bytes]:
    for number, block in enumerate(paper.body):
        match block:
            case Text(text):
                if any(isinstance(following, Table) for following in paper.body[number + 1 : number + 2]):
                    yield from press.need(_WITH_TABLE)  # a heading stays with the table under it
                if paper.signatures and number == len(paper.body) - 1:  # nobody signs a page that says nothing
                    lines = len(wrapped("R", _BODY, text, press.room))
                    yield from press.need(min(lines * _BODY * 1.4 + _BODY + _SIGNED, press.full))
                yield from press.paragraph("R", _BODY, text)
            case Fields():
                yield from _fields(press, block)
            case Table():
                yield from _table(press, block)
    if paper.signatures:
        yield from _signatures(press, paper.signatures)


def _hex(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


def pdf(paper: Paper, *, landscape: bool | None = None) -> Iterator[bytes]:
    """The document in pieces. Unless said, paper with a table of more than seven columns lies on its side."""
    if landscape is None:
        landscape = any(isinstance(block, Table) and len(block.head) > _WIDE_COLUMNS for block in paper.body)
    file = _File()
    press = _Press(file, landscape=landscape)
    yield file.raw(b"%PDF-1.7\n%\xc3\xa2\xc3\xa3\n")
    yield from _heading(press, paper)
    yield from _bodies(press, paper)
    yield from press.turn()
    for number, style in enumerate(STYLES):
        first = 3 + 5 * number
        for offset, body in enumerate(press.ink.objects(style, first)):
            yield file.object(first + offset, body)
    kids = " ".join(f"{page} 0 R" for page in file.pages)
    yield file.object(2, f"<< /Type /Pages /Kids [{kids}] /Count {len(file.pages)} >>".encode())
    about = file.new()
    yield file.object(about, f"<< /Title {_hex(paper.title)} >>".encode())
    yield file.object(1, b"<< /Type /Catalog /Pages 2 0 R /Lang (vi-VN) /ViewerPreferences << /DisplayDocTitle true >> >>")
    yield file.close()


def answer(paper: Paper, name: str) -> StreamingResponse:
    """The document as an HTTP answer to save as `name`.pdf, kept by no cache."""
    about = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"}
    pieces: Iterable[bytes] = pdf(paper)
    return StreamingResponse(pieces, media_type="application/pdf", headers=about)
