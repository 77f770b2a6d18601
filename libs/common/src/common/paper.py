"""Papers to print: the national heading, a title, paragraphs, tables and signature blocks, as one HTML page that needs nothing else.

The layout follows Decree 30/2020/ND-CP on clerical work (Appendix I): issuing body and number at the left, the national heading
(quốc hiệu, tiêu ngữ) at the right, place and date under it, signatures at the foot. All text is escaped; the page runs no script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Final

from common.streams import StreamingResponse

__all__ = ["Fields", "Paper", "Signature", "Table", "Text", "answer", "html"]

_STYLE: Final = resources.files("common").joinpath("paper.css").read_text(encoding="utf-8")
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_CSP: Final = f"default-src 'none'; frame-ancestors 'none'; style-src 'sha256-{_DIGEST}'"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Labelled lines, as on a form; an empty value is a dotted line to write on."""

    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; rows may be any iterable and are written as they come. Numbers are set right with dots between thousands."""

    head: Sequence[str]
    rows: Iterable[Sequence[str | int]]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, with the note under it: `("NGƯỜI ỦY QUYỀN", "(Ký, ghi rõ họ tên)")`."""

    title: str
    note: str = "(Ký, ghi rõ họ tên)"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """One document."""

    title: str
    body: Sequence[Text | Fields | Table]
    subtitle: str = ""
    authority: str = ""
    number: str = ""
    place_and_date: str = ""
    signatures: Sequence[Signature] = field(default_factory=tuple)


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'.replace(",", ".")
    return f"<td>{escape(value)}</td>"


def _block(block: Text | Fields | Table) -> Iterator[str]:
    match block:
        case Text(text):
            yield f"<p>{escape(text)}</p>"
        case Fields(lines):
            yield "<dl>" + "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in lines) + "</dl>"
        case Table(head, rows):
            yield "<table><thead><tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in head) + "</tr></thead><tbody>"
            for row in rows:
                yield "<tr>" + "".join(_cell(value) for value in row) + "</tr>"
            yield "</tbody></table>"


def html(paper: Paper) -> Iterator[str]:
    """The page in pieces, so that a long list is never held whole."""
    number = f"<p>Số: {escape(paper.number)}</p>" if paper.number else ""
    dated = f'<p class="i">{escape(paper.place_and_date)}</p>' if paper.place_and_date else ""
    yield (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(paper.title)}</title><style>{_STYLE}</style></head><body>"
        f'<header><div><p class="b">{escape(paper.authority)}</p>{number}</div>'
        f'<div><p class="b">CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</p><p class="b">Độc lập – Tự do – Hạnh phúc</p>{dated}</div></header>'
        f"<h1>{escape(paper.title)}</h1><h2>{escape(paper.subtitle)}</h2>"
    )
    for block in paper.body:
        yield from _block(block)
    if paper.signatures:
        yield "<footer>"
        for one in paper.signatures:
            yield f'<div><p class="b">{escape(one.title)}</p><p class="i">{escape(one.note)}</p><p class="b">{escape(one.name)}</p></div>'
        yield "</footer>"
    yield "</body></html>"


def answer(paper: Paper) -> StreamingResponse:
    """The page as an HTTP answer that loads nothing and may not be framed or cached (it names people)."""
    headers = {"Content-Security-Policy": _CSP, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(html(paper), media_type="text/html; charset=utf-8", headers=headers)
