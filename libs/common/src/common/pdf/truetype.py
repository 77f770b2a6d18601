"""TrueType faces for PDF: which glyph a letter is, how wide it is, and the face with only the glyphs that were used."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["Face"]

_KEPT: Final = ("cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep")
_WORDS, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 0x0001, 0x0008, 0x0020, 0x0040, 0x0080


class Face:
    """One font file (TrueType outlines, a Unicode cmap of format 4). Units are thousandths of the size."""

    def __init__(self, data: bytes) -> None:
        self._tables = _tables(data)
        head, hhea = self._tables["head"], self._tables["hhea"]
        self._em: int = struct.unpack_from(">H", head, 18)[0]
        self._long_loca = struct.unpack_from(">h", head, 50)[0] == 1
        self.box = tuple(self._scaled(value) for value in struct.unpack_from(">4h", head, 36))
        self.ascent, self.descent = (self._scaled(value) for value in struct.unpack_from(">hh", hhea, 4))
        self._measured: int = struct.unpack_from(">H", hhea, 34)[0]
        self._glyphs: int = struct.unpack_from(">H", self._tables["maxp"], 4)[0]
        self._by_letter = _format_4(self._tables["cmap"])
        self._loca = self._locations()

    def glyph(self, letter: str) -> int:
        """The glyph of one character; 0, the empty box, where the face has none."""
        return self._by_letter.get(ord(letter), 0)

    def width(self, glyph: int) -> int:
        """How far the pen moves on."""
        position = min(glyph, self._measured - 1) * 4
        return self._scaled(struct.unpack_from(">H", self._tables["hmtx"], position)[0])

    def _scaled(self, value: int) -> int:
        return round(value * 1000 / self._em)

    def _locations(self) -> tuple[int, ...]:
        loca, count = self._tables["loca"], self._glyphs + 1
        if self._long_loca:
            return struct.unpack_from(f">{count}L", loca)
        return tuple(value * 2 for value in struct.unpack_from(f">{count}H", loca))

    def _outline(self, glyph: int) -> bytes:
        return self._tables["glyf"][self._loca[glyph] : self._loca[glyph + 1]]

    def _parts(self, glyph: int) -> Iterable[int]:
        """Glyphs a composite one is put together from (ế: e, circumflex, acute)."""
        outline = self._outline(glyph)
        if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
            return
        position, flags = 10, _MORE
        while flags & _MORE:
            flags, part = struct.unpack_from(">HH", outline, position)
            yield part
            position += 4 + (4 if flags & _WORDS else 2)
            position += 2 if flags & _SCALE else 4 if flags & _XY_SCALE else 8 if flags & _TWO_BY_TWO else 0

    def subset(self, glyphs: Iterable[int]) -> bytes:
        """The face with the outlines of these glyphs only; numbers stay as they are, so that pages written before fit."""
        wanted, kept = [0, *glyphs], set[int]()
        while wanted:
            glyph = wanted.pop()
            if glyph not in kept:
                kept.add(glyph)
                wanted.extend(self._parts(glyph))
        outlines, places, end = [], [0], 0
        for glyph in range(self._glyphs):
            outline = self._outline(glyph) if glyph in kept else b""
            outline += b"\0" * (-len(outline) % 4)
            outlines.append(outline)
            end += len(outline)
            places.append(end)
        head = bytearray(self._tables["head"])
        struct.pack_into(">L", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)
        changed = {"glyf": b"".join(outlines), "loca": struct.pack(f">{len(places)}L", *places), "head": bytes(head)}
        return _written({name: changed.get(name, self._tables[name]) for name in _KEPT if name in self._tables})


def _tables(data: bytes) -> dict[str, bytes]:
    count = struct.unpack_from(">H", data, 4)[0]
    found = {}
    for number in range(count):
        tag, _sum, offset, length = struct.unpack_from(">4sLLL", data, 12 + 16 * number)
        found[tag.decode("latin-1")] = data[offset : offset + length]
    return found


def _format_4(cmap: bytes) -> dict[int, int]:
    """Character → glyph of the Windows Unicode table."""
    for number in range(struct.unpack_from(">H", cmap, 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHL", cmap, 4 + 8 * number)
        if (platform, encoding) == (3, 1) and struct.unpack_from(">H", cmap, offset)[0] == 4:
            return _segments(cmap, offset)
    raise ValueError("the font has no Unicode table of format 4")


def _segments(cmap: bytes, offset: int) -> dict[int, int]:
    size = struct.unpack_from(">H", cmap, offset + 6)[0]
    count = size // 2
    ends, starts = offset + 14, offset + 16 + size
    glyphs = {}
    for segment in range(count):
        last = struct.unpack_from(">H", cmap, ends + 2 * segment)[0]
        first = struct.unpack_from(">H", cmap, starts + 2 * segment)[0]
        delta = struct.unpack_from(">h", cmap, starts + size + 2 * segment)[0]
        place = starts + 2 * size + 2 * segment
        indirect = struct.unpack_from(">H", cmap, place)[0]
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if indirect:
                glyph = struct.unpack_from(">H", cmap, place + indirect + 2 * (code - first))[0]
                if glyph == 0:
                    continue
            glyphs[code] = (glyph + delta) & 0xFFFF
    return glyphs


def _sum(data: bytes) -> int:
    padded = data + b"\0" * (-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}L", padded)
    return sum(words) & 0xFFFFFFFF


def _written(tables: Mapping[str, bytes]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    directory = struct.pack(">LHHHH", 0x00010000, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    offset, body = 12 + 16 * count, b""
    for name in sorted(tables):
        data = tables[name]
        directory += struct.pack(">4sLLL", name.encode("latin-1"), _sum(data), offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    return directory + body
