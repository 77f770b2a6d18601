"""Text as people mean it, whatever keyboard, font or form it was typed with (pure)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["plain"]

_INVISIBLE: Final = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_ODD: Final = re.compile(f"[{_INVISIBLE}\u3000\uff01-\uff5e]")
_WIDE: Final = {0x3000: " ", **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}}


def _as_meant(found: re.Match[str]) -> str:
    return _WIDE.get(ord(found[0]), "")


def plain(text: str) -> str:
    """The same text composed (NFC), without invisible characters, full-width letters and digits as everybody writes them.

    A zero-width space inside a reference, a full-width digit of a number or an accent behind a joiner would make two texts of one
    that look alike: found by nobody, and masked by no rule about digits.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ODD.sub(_as_meant, text) if _ODD.search(text) else text)
