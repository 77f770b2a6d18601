"""Which column is which: headers in many spellings, one or two header rows, and how sure the guess is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from common.lists.raw import RawRow
from common.masking import mask_national_number
from common.names import folded

__all__ = ["APPLIED_FROM", "VERDICT_HEADERS", "ColumnSpec", "Match", "fingerprint", "guess", "header_key", "header_texts"]

APPLIED_FROM: Final = 0.8
"""A guess less sure than this is shown, not used."""

VERDICT_HEADERS: Final = ("Dòng gốc", "Kết quả kiểm tra", "Cột có lỗi", "Mã lỗi", "Lý do từ chối", "Reason for refusal")
"""Columns that a verdict file adds at the end; such a file, corrected, is read like the one it came from."""

# English beside the Vietnamese name of a column says nothing new. No word here is also a Vietnamese one without accents.
_ENGLISH: Final = frozenset(
    {
        "ACCOUNT", "ADDRESS", "BANK", "BENEFIT", "BIRTH", "CARD", "CATEGORY", "CODE", "DATE", "DAY", "DECISION", "DOSSIER",
        "EFFECTIVE", "ETHNICITY", "FILE", "FROM", "FULL", "GENDER", "HEAD", "HOLDER", "HOUSEHOLD", "ID", "IDENTITY", "METHOD", "MONTH",
        "NAME", "NAMES", "NATIONAL", "NUMBER", "OF", "PAYMENT", "PERCENT", "PERCENTAGE", "PERSON", "PHONE", "PREFERENCE", "PROVIDER",
        "RATE", "REASON", "RELATIONSHIP", "REPRESENTATIVE", "SEX", "UNIT", "YEAR",
    }
)  # fmt: skip
_EXTRA: Final = frozenset(
    {"NEU CO", "BAT BUOC", "GHI RO", "VIET HOA", "CHU IN HOA", "IN HOA", "DD MM YYYY", "DDMMYYYY", "MM YYYY", "NGAY THANG NAM"}
)
_PARTS: Final = re.compile(r"[()\[\]*/,;:\n]|\s[-\u2013]\s")


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column we look for, by any of its headers (compared without accents, case and punctuation).

    `secret` values are never shown again without the right: numbers, and what may tell of somebody's health.
    """

    name: str
    headers: tuple[str, ...]
    required: bool = False
    secret: bool = False
    mask: Callable[[str | None], str | None] = mask_national_number
    """How a long number of a secret column is shown."""


@dataclass(frozen=True, slots=True)
class Match:
    """A column of the file taken for one of ours; `how` is EXACT, SIMILAR, SAVED or OFFICER."""

    index: int
    header: str
    confidence: float
    how: str


def header_key(text: str) -> str:
    """A header as it is compared: bare capital letters."""
    return folded(text.replace("/", " ").replace("(", " ").replace(")", " ")).replace(" ", "")


def _tokens(text: str) -> tuple[str, ...]:
    parts = [folded(part) for part in _PARTS.split(text)]
    kept = [part for part in parts if part and part not in _EXTRA]
    words = [word for part in kept for word in part.split()]
    return tuple(word for word in words if word not in _ENGLISH) or tuple(words)


def header_texts(first: RawRow, second: RawRow | None) -> list[tuple[str, str]]:
    """For each column (the header to match, the lower row's own text); a group's name stretches over the columns right of it."""
    if second is None:
        return [(cell, "") for cell in first.cells]
    width = max(len(first.cells), len(second.cells))
    found, group = [], ""
    for index in range(width):
        top, bottom = first.at(index), second.at(index)
        if top:
            group = top
        elif not bottom:
            group = ""
        above = top or (group if bottom else "")
        found.append((above if above == bottom or not bottom else f"{above} {bottom}".strip(), bottom if above and above != bottom else ""))
    return found


def _score(keys: frozenset[str], tokens: Sequence[tuple[str, ...]], text: str) -> float:
    key = header_key(text)
    if not key:
        return 0.0
    if key in keys:
        return 1.0
    words = _tokens(text)
    if "".join(words) in keys:
        return 0.95
    mine = set(words)
    best = max((len(mine & set(other)) / len(mine | set(other)) for other in tokens if other), default=0.0)
    return round(best * 0.95, 2)


def guess(texts: Sequence[tuple[str, str]], columns: Sequence[ColumnSpec]) -> dict[str, Match]:
    """The columns recognised, surest first; each column of the file is taken once."""
    offers: list[tuple[float, int, int]] = []
    bottoms = [header_key(bottom) for _, bottom in texts]
    for order, column in enumerate(columns):
        keys = frozenset(header_key(header) for header in column.headers)
        tokens = [_tokens(header) for header in column.headers]
        for index, (text, bottom) in enumerate(texts):
            score = _score(keys, tokens, text)
            if score < APPLIED_FROM and bottom and header_key(bottom) in keys:
                # A column under a group whose name says nothing ("Thông tin đối tượng"): sure only while no other group has it.
                score = 0.85 if bottoms.count(bottoms[index]) == 1 else 0.8
            if score >= 0.5:
                offers.append((score, order, index))
    found: dict[str, Match] = {}
    taken: set[int] = set()
    for score, order, index in sorted(offers, key=lambda offer: (-offer[0], offer[1], offer[2])):
        name = columns[order].name
        if name not in found and index not in taken and (score >= APPLIED_FROM or texts[index][0]):
            found[name] = Match(index, texts[index][0], score, "EXACT" if score >= 0.95 else "SIMILAR")
            taken.add(index)
    return found


def fingerprint(texts: Sequence[tuple[str, str]]) -> str:
    """The same for every file with these headers in this order, whatever case, accents or spaces."""
    keys = [header_key(text) for text, _ in texts]
    ours = {header_key(header) for header in VERDICT_HEADERS}
    keys = [key for key in keys if key not in ours]
    while keys and not keys[-1]:
        keys.pop()
    return hashlib.sha256("|".join(keys).encode()).hexdigest()
