"""Text for PDF pages: faces with the letters used so far, widths, lines broken at spaces."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final, Literal

from common.pdf.truetype import Face

__all__ = ["STYLES", "Ink", "Style", "stream", "width", "wrapped"]

Style = Literal["R", "B", "I"]
STYLES: Final[tuple[Style, ...]] = ("R", "B", "I")
# Liberation Serif has the widths of Times New Roman, which Decree 30/2020/ND-CP asks for (licence beside the files).
_FILES: Final = {"R": "LiberationSerif-Regular.ttf", "B": "LiberationSerif-Bold.ttf", "I": "LiberationSerif-Italic.ttf"}
_FLAGS: Final = {"R": 6, "B": 6 | 1 << 18, "I": 6 | 1 << 6}


@cache
def _face(style: Style) -> Face:
    return Face(resources.files("common").joinpath("fonts", _FILES[style]).read_bytes())


def _plain(text: str) -> str:
    return "".join(max(sign, " ") for sign in unicodedata.normalize("NFC", text))


@cache
def _width(style: Style, letter: str) -> int:
    face = _face(style)
    return face.width(face.glyph(letter))


def width(style: Style, size: float, text: str) -> float:
    """How long a text is, in points."""
    return sum(_width(style, letter) for letter in _plain(text)) * size / 1000


def wrapped(style: Style, size: float, text: str, room: float) -> list[str]:
    """The text in lines no longer than `room` points; a word that is longer is cut."""
    lines, line = [], ""
    for word in _plain(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width(style, size, longer) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while len(word) > 1 and width(style, size, word) > room:
            fits = next((n for n in range(len(word) - 1, 1, -1) if width(style, size, word[:n]) <= room), 1)
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line]


class Ink:
    """The faces of one document and the letters it has used of each."""

    def __init__(self) -> None:
        self._used: dict[Style, dict[int, str]] = {style: {} for style in STYLES}

    def shown(self, style: Style, text: str) -> str:
        """The text as the operand of Tj: glyph numbers in hexadecimal."""
        face, used, glyphs = _face(style), self._used[style], []
        for letter in _plain(text):
            glyph = face.glyph(letter)
            used.setdefault(glyph, letter)
            glyphs.append(f"{glyph:04X}")
        return f"<{''.join(glyphs)}>"

    def objects(self, style: Style, first: int) -> Iterator[bytes]:
        """The five objects of a face, numbered from `first`: font, descendant, descriptor, file, map back to Unicode."""
        face, used = _face(style), self._used[style]
        # A subset bears a tag of six capitals before its name.
        name = f"ANSINH+Paper{style}"
        widths = " ".join(f"{glyph} [{face.width(glyph)}]" for glyph in sorted(used))
        box = " ".join(str(value) for value in face.box)
        slant, stem = (-12 if style == "I" else 0), (140 if style == "B" else 80)
        yield (
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{first + 1} 0 R] "
            f"/ToUnicode {first + 4} 0 R >>"
        ).encode()
        yield (
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity /FontDescriptor {first + 2} 0 R "
            f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 0 /W [{widths}] >>"
        ).encode()
        yield (
            f"<< /Type /FontDescriptor /FontName /{name} /Flags {_FLAGS[style]} /FontBBox [{box}] /ItalicAngle {slant} "
            f"/Ascent {face.ascent} /Descent {face.descent} /CapHeight 662 /StemV {stem} /FontFile2 {first + 3} 0 R >>"
        ).encode()
        subset = face.subset(used)
        yield stream(subset, f"/Length1 {len(subset)} ")
        yield stream(_to_unicode(used))


def _to_unicode(used: dict[int, str]) -> bytes:
    pairs = [f"<{glyph:04X}> <{letter.encode('utf-16-be').hex().upper()}>" for glyph, letter in sorted(used.items())]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{maps}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()


def stream(data: bytes, more: str = "") -> bytes:
    """A compressed stream object."""
    packed = zlib.compress(data, 6)
    return f"<< {more}/Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode() + packed + b"\nendstream"
