"""Comparing Vietnamese names (pure). Composition form, tone placement, case and spaces never matter; base letters always do.

Source of the rules and of the forty test pairs: domain facts §6. No similarity ratio: "Phương" and "Phượng" are 93% alike
and two different people.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final

from common.letters import plain

__all__ = ["NameVerdict", "clean", "compare", "comparison_key", "folded"]

_TONES: Final = {"\u0300": "1", "\u0301": "2", "\u0303": "3", "\u0309": "4", "\u0323": "5"}  # grave, acute, tilde, hook, dot
_ETH: Final = str.maketrans({"\u00d0": "Đ", "\u00f0": "đ"})  # old fonts typed Eth for Đ
_APOSTROPHES: Final = re.compile("['`´\u02bc\u2018\u2019\u2032]")
_NOT_LETTERS: Final = re.compile(r"[^\w\s\u0300-\u036f]|[\d_]", re.UNICODE)  # marks that do not compose belong to their letter
_TRUNCATED_FROM: Final = 25  # characters: shorter names are not cut by any bank field


class NameVerdict(StrEnum):
    """Outcome of a comparison; only the first two may pass by themselves, and only with the number agreeing."""

    MATCH = "MATCH"
    MATCH_UNACCENTED = "MATCH_UNACCENTED"
    REVIEW_DIACRITIC = "REVIEW_DIACRITIC"
    REVIEW_VARIANT = "REVIEW_VARIANT"
    MISMATCH = "MISMATCH"


def clean(name: str) -> str:
    """The name as it may be stored and shown: NFC, Eth as Đ, no invisible and no full-width characters, single spaces."""
    return " ".join(plain(name).translate(_ETH).split())


def _syllable(token: str) -> tuple[str, str]:
    """(letters with quality marks and the tone behind them, bare letters) of one upper-case syllable, wherever its tone is written."""
    tone, letters, bare = "0", [], []
    for char in unicodedata.normalize("NFD", token):
        if char in _TONES:
            tone = _TONES[char]
        elif unicodedata.combining(char):
            letters.append(char)
        else:
            letters.append(char)
            bare.append("D" if char == "Đ" else char)
    return unicodedata.normalize("NFC", "".join(letters) + tone), "".join(bare)


@lru_cache(maxsize=262_144)
def _token(raw: str) -> tuple[str, str, bool]:
    """(key, bare letters, whether accented) of what stands between two spaces. The names of a province share a few thousand of them."""
    text = _NOT_LETTERS.sub(" ", _APOSTROPHES.sub("", clean(raw)).upper())
    syllables = [syllable for part in text.split() if (syllable := _syllable(part))[1]]  # a mark without its letter says nothing
    accented = any(key != bare + "0" for key, bare in syllables)
    return " ".join(key for key, _ in syllables), " ".join(bare for _, bare in syllables), accented


def _tokens(name: str) -> list[tuple[str, str, bool]]:
    """Its tokens, without those that hold no letter."""
    tokens = [*map(_token, name.split())]
    return tokens if ("", "", False) not in tokens else [token for token in tokens if token[0]]


def _keys(tokens: list[tuple[str, str, bool]]) -> str:
    return " ".join([token[0] for token in tokens])


def _bares(tokens: list[tuple[str, str, bool]]) -> str:
    return " ".join([token[1] for token in tokens])


def _accented(tokens: list[tuple[str, str, bool]]) -> bool:
    return any(token[2] for token in tokens)


def comparison_key(name: str) -> str:
    """Equal for two spellings of the same name (form, tone placement, case, spaces), different otherwise."""
    return _keys(_tokens(name))


def folded(name: str) -> str:
    """Unaccented capitals, as banks print names: `Đặng Văn Đức` → `DANG VAN DUC`."""
    return _bares(_tokens(name))


def _variant(a: str, b: str) -> bool:
    """Whether two folded names differ only by i/y, spacing, an omitted middle token, or truncation."""
    first, second = a.replace("Y", "I"), b.replace("Y", "I")
    if first.replace(" ", "") == second.replace(" ", ""):
        return True
    short, long = sorted((first, second), key=len)
    if len(short) >= _TRUNCATED_FROM and long.startswith(short):
        return True
    few, many = short.split(), long.split()
    if len(few) < 2 or len(few) >= len(many) or few[0] != many[0] or few[-1] != many[-1]:
        return False
    rest = iter(many)
    return all(token in rest for token in few)


def compare(a: str, b: str) -> NameVerdict:
    """The verdict of domain §6.2 on two names, in either order."""
    first, second = _tokens(a), _tokens(b)
    if not first or not second:
        return NameVerdict.MISMATCH
    if first == second or _keys(first) == _keys(second):
        return NameVerdict.MATCH
    first_bare, second_bare = _bares(first), _bares(second)
    if first_bare == second_bare:
        return NameVerdict.REVIEW_DIACRITIC if _accented(first) and _accented(second) else NameVerdict.MATCH_UNACCENTED
    return NameVerdict.REVIEW_VARIANT if _variant(first_bare, second_bare) else NameVerdict.MISMATCH
