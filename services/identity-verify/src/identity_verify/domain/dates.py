"""Birth dates at the precision known: YYYY, YYYY-MM or YYYY-MM-DD (old registers often hold the year only)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["agree_at_common_precision"]

_PARTIAL_DATE: Final = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def agree_at_common_precision(ours: str | None, theirs: str | None) -> bool | None:
    """Compare two partial dates as far as both are known.

    Returns None where one side is missing: there is then nothing to compare, which is not a difference.

    Raises:
        ValueError: a side is neither YYYY, YYYY-MM nor YYYY-MM-DD.
    """
    if not ours or not theirs:
        return None
    pairs = zip(_parts(ours), _parts(theirs), strict=False)
    return all(left == right for left, right in pairs)


def _parts(partial: str) -> list[str]:
    match = _PARTIAL_DATE.match(partial)
    if match is None:
        raise ValueError(f"not a date of the form YYYY, YYYY-MM or YYYY-MM-DD: {partial!r}")
    return [part for part in match.groups() if part is not None]
