"""Whole numbers in Vietnamese words, as papers about money need them ("bằng chữ")."""

from __future__ import annotations

from typing import Final

__all__ = ["in_words"]

_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_SCALES: Final = ("", "nghìn", "triệu")
_BILLION: Final = 1_000_000_000


def _ones(tens: int, ones: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    if ones == 5 and tens > 0:
        return "lăm"
    return _DIGITS[ones]


def _group(value: int, *, leading: bool) -> list[str]:
    """Words of 0–999; `leading` is False when larger words stand before, so that empty hundreds are said."""
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    words: list[str] = []
    if hundreds or not leading:
        words += [_DIGITS[hundreds], "trăm"]
    if tens == 0:
        if ones:
            words += (["linh"] if words else []) + [_DIGITS[ones]]
        return words
    words += ["mười"] if tens == 1 else [_DIGITS[tens], "mươi"]
    if ones:
        words.append(_ones(tens, ones))
    return words


def _below_billion(value: int, *, leading: bool) -> list[str]:
    words: list[str] = []
    for power in (2, 1, 0):
        part = value // 1000**power % 1000
        if part:
            words += _group(part, leading=leading and not words)
            if _SCALES[power]:
                words.append(_SCALES[power])
    return words


def in_words(value: int) -> str:
    """1_234_005 → "một triệu hai trăm ba mươi bốn nghìn không trăm linh năm". Raises ValueError below zero."""
    if value < 0:
        raise ValueError("amounts on papers are not negative")
    if value == 0:
        return _DIGITS[0]
    high, low = divmod(value, _BILLION)
    words = [*in_words(high).split(" "), "tỷ"] if high else []
    return " ".join([*words, *_below_billion(low, leading=not words)])
