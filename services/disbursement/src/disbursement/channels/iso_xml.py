"""Reading ISO 20022 XML that comes from outside: no document types, no entities, no network, bounded, valid by its own schema.

A version whose schema we may not ship is checked by `channels.iso_structure` instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from lxml import etree

from disbursement.channels.iso_structure import STRUCTURES, find_wrong

__all__ = ["XmlRefused", "looks_like_xml", "money", "parse", "qualified", "schema_of", "stream", "text"]

_URN: Final = "urn:iso:std:iso:20022:tech:xsd:"
_HEAD: Final = 4096
_PIECE: Final = 64 * 1024
_DECLARED: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING: Final = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([^"']{1,40})["']""")
_PLAIN: Final = frozenset({b"utf-8", b"us-ascii", b"ascii"})
_MESSAGE: Final = re.compile(r"[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2}")
_MONEY: Final = re.compile(r"([0-9]{1,15})(?:\.0{1,5})?")
# No document comes here that declares an entity. `False` would say so twice, but makes lxml's stream forget that a document broke off.
_LIMITS: Final[dict[str, Any]] = {
    "resolve_entities": "internal", "no_network": True, "load_dtd": False, "huge_tree": False, "remove_comments": True, "remove_pis": True,
}  # fmt: skip


class XmlRefused(Exception):
    """The document is not one we read; the text says why, in both languages, and repeats nothing of its content."""


def looks_like_xml(content: bytes) -> bool:
    """Whether these bytes begin as an XML document does."""
    return content[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def parse(content: bytes, allowed: Collection[str]) -> tuple[str, Any]:
    """The whole tree of a bounded document: (message name such as `pain.002.001.03`, root). Raises XmlRefused.

    `allowed` are message names without their version: `pain.002`.
    """
    message = _guarded(content, allowed, STRUCTURES.keys())
    parser = etree.XMLParser(schema=schema_of(message), **_LIMITS)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _invalid(message, error) from error
    if message in STRUCTURES and (wrong := find_wrong(message, root)) is not None:
        raise XmlRefused(
            f"{message}: {wrong.element} thiếu, thừa hoặc sai, dòng {wrong.line}"
            f" · {message}: {wrong.element} is missing, stands once too often or is malformed, line {wrong.line}"
        )
    return message, root


def stream(content: bytes, allowed: Collection[str], names: Collection[str]) -> tuple[str, Iterator[Any]]:
    """Elements called `names`, each as it ends, of a document of any length; validated on the way. Raises XmlRefused, also later.

    Whoever has read an element clears it; the tree is then never held whole.
    """
    message = _guarded(content, allowed)
    return message, _stream(content, message, names)


def _stream(content: bytes, message: str, names: Collection[str]) -> Iterator[Any]:
    tags = [f"{{{_URN}{message}}}{name}" for name in names]
    parser = etree.XMLPullParser(events=("end",), tag=tags, schema=schema_of(message), **_LIMITS)
    events: Any = parser.read_events()
    try:
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
            yield from (element for _, element in events)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _invalid(message, error) from error
    yield from (element for _, element in events)


def _guarded(content: bytes, allowed: Collection[str], without_schema: Collection[str] = ()) -> str:
    """The message's name, after everything that can be refused unread. Entities are refused before any parser sees them."""
    declared = _ENCODING.search(content[:_HEAD])
    if b"\x00" in content[:_HEAD] or (declared and declared[1].lower() not in _PLAIN):
        raise XmlRefused("bảng mã không phải UTF-8 · the document is not encoded in UTF-8")
    if _DECLARED.search(content):
        raise XmlRefused("có DOCTYPE hoặc ENTITY: không nhận · a document type or entity is declared: refused")
    message = _message(content)
    if message is None or message.rsplit(".", 2)[0] not in allowed:
        raise XmlRefused(f"không phải {', '.join(sorted(allowed))} · the document is none of {', '.join(sorted(allowed))}")
    if schema_of(message) is None and message not in without_schema:
        raise XmlRefused(f"phiên bản {message} chưa được hỗ trợ · version {message} is not supported")
    return message


def _message(content: bytes) -> str | None:
    parser = etree.XMLPullParser(events=("start",), **_LIMITS)
    try:
        parser.feed(content[:_HEAD])
        events: Any = parser.read_events()
        _, root = next(iter(events))
    except (etree.XMLSyntaxError, StopIteration):
        return None
    namespace = str(etree.QName(root).namespace or "")
    name = namespace.removeprefix(_URN)
    return name if namespace != name and _MESSAGE.fullmatch(name) else None


@lru_cache(maxsize=32)
def schema_of(message: str) -> Any:
    """The official schema of a message version; None where we have none."""
    found = files("disbursement.channels").joinpath("schemas", f"{message}.xsd")
    return etree.XMLSchema(etree.fromstring(found.read_bytes())) if found.is_file() else None


def _invalid(message: str, error: etree.XMLSyntaxError) -> XmlRefused:
    """Which line is wrong; the parser's own words may repeat what stands there, so they are not."""
    line = error.lineno or 0
    return XmlRefused(f"không đúng lược đồ {message}, dòng {line} · not valid by the schema of {message}, line {line}")


def text(element: Any, path: str) -> str | None:
    """The text of the first element at `path` (names without namespace, separated by `/`), stripped; None for none."""
    found = element.findtext(qualified(element.tag, path))
    return found.strip() or None if found else None


@lru_cache(maxsize=1024)
def qualified(tag: str, path: str) -> str:
    """A path in the namespace of an element with this tag."""
    space = tag.rpartition("}")[0]
    return "/".join(f"{space}}}{name}" for name in path.split("/"))


def money(amount: str | None) -> int | None:
    """Whole đồng of an amount as XML writes it (`500000`, `500000.00`); None where it is none."""
    found = _MONEY.fullmatch(amount or "")
    return int(found[1]) if found else None
