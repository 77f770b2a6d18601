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

__all__ = ["NameVerdict", "clean", "compare", "comparison_key", "folded"]

_TONES: Final = {"\u0300": "1", "\u0301": "2", "\u0303": "3", "\u0309": "4", "\u0323": "5"}  # grave, acute, tilde, hook, dot
_ETH: Final = str.maketrans({"\u00d0": "Đ", "\u00f0": "đ"})  # old fonts typed Eth for Đ
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_APOSTROPHES: Final = re.compile("['`´\u02bc\u2018\u2019\u2032]")
_NOT_LETTERS: Final = re.compile(r"[^\w\s]|[\d_]", re.UNICODE)
_TRUNCATED_FROM: Final = 25  # characters: shorter names are not cut by any bank field


class NameVerdict(StrEnum):
    """Outcome of a comparison; only the first two may pass by themselves, and only with the number agreeing."""

    MATCH = "MATCH"
    MATCH_UNACCENTED = "MATCH_UNACCENTED"
    REVIEW_DIACRITIC = "REVIEW_DIACRITIC"
    REVIEW_VARIANT = "REVIEW_VARIANT"
    MISMATCH = "MISMATCH"


def clean(name: str) -> str:
    """The name as it may be stored and shown: NFC, Eth as Đ, no invisible characters, single spaces."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", name)).translate(_ETH)
    return " ".join(text.split())


@lru_cache(maxsize=65_536)
def _syllable(token: str) -> tuple[str, str, str]:
    """(letters with quality marks, tone, bare letters) of one upper-case syllable; tone is independent of where it is written."""
    tone, letters, bare = "0", [], []
    for char in unicodedata.normalize("NFD", token):
        if char in _TONES:
            tone = _TONES[char]
        elif unicodedata.combining(char):
            letters.append(char)
        else:
            letters.append(char)
            bare.append("D" if char == "Đ" else char)
    return "".join(letters), tone, "".join(bare)


@lru_cache(maxsize=16_384)
def _parts(name: str) -> tuple[tuple[tuple[str, str, str], ...], bool]:
    text = _NOT_LETTERS.sub(" ", _APOSTROPHES.sub("", clean(name)).upper())
    syllables = tuple(_syllable(token) for token in text.split())
    accented = any(tone != "0" or letters != bare for letters, tone, bare in syllables)
    return syllables, accented


def comparison_key(name: str) -> str:
    """Equal for two spellings of the same name (form, tone placement, case, spaces), different otherwise."""
    syllables, _ = _parts(name)
    return unicodedata.normalize("NFC", " ".join(letters + tone for letters, tone, _ in syllables))


def folded(name: str) -> str:
    """Unaccented capitals, as banks print names: `Đặng Văn Đức` → `DANG VAN DUC`."""
    syllables, _ = _parts(name)
    return " ".join(bare for _, _, bare in syllables)


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
    (first, first_accented), (second, second_accented) = _parts(a), _parts(b)
    if not first or not second:
        return NameVerdict.MISMATCH
    if [part[:2] for part in first] == [part[:2] for part in second]:
        return NameVerdict.MATCH
    if [part[2] for part in first] == [part[2] for part in second]:
        return NameVerdict.REVIEW_DIACRITIC if first_accented and second_accented else NameVerdict.MATCH_UNACCENTED
    return NameVerdict.REVIEW_VARIANT if _variant(folded(a), folded(b)) else NameVerdict.MISMATCH
