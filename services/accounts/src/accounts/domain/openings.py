"""Requests to a bank to open an account (Circular 17/2024/TT-NHNN), and who may hold it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

__all__ = ["OWN_ACCOUNT_FROM", "TRANSITIONS", "OpeningStatus", "old_enough_since", "transitions_values"]

OWN_ACCOUNT_FROM: Final = 15
"""Years: younger people hold an account through their legal representative (Circular 17/2024/TT-NHNN)."""


class OpeningStatus(StrEnum):
    """State of a request to open an account."""

    REQUESTED = "REQUESTED"
    SENT = "SENT"
    OPENED = "OPENED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


_O = OpeningStatus
TRANSITIONS: Final[dict[OpeningStatus, frozenset[OpeningStatus]]] = {
    _O.REQUESTED: frozenset({_O.SENT, _O.WITHDRAWN}),
    _O.SENT: frozenset({_O.OPENED, _O.REFUSED, _O.WITHDRAWN}),
    _O.OPENED: frozenset(),
    _O.REFUSED: frozenset(),
    _O.WITHDRAWN: frozenset(),
}


def transitions_values() -> str:
    """The table as SQL VALUES rows `(old, new)`."""
    return ", ".join(f"('{old}', '{new}')" for old, targets in TRANSITIONS.items() for new in sorted(targets))


def old_enough_since(business_date: date) -> str:
    """Who was born on or before this ISO date may hold an account alone; of a date known less precisely, only the latest day counts."""
    try:
        return business_date.replace(year=business_date.year - OWN_ACCOUNT_FROM).isoformat()
    except ValueError:  # 29 February
        return business_date.replace(year=business_date.year - OWN_ACCOUNT_FROM, day=28).isoformat()
