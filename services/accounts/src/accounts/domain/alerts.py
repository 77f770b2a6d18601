"""Alerts of possible fraud (results of Bình Thuận 2024: fear that whoever collects for others keeps the money)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["TRANSITIONS", "AlertKind", "AlertState"]


class AlertKind(StrEnum):
    """What was noticed."""

    SHARED_ACCOUNT = "SHARED_ACCOUNT"
    """One account claimed by several payees."""
    ONE_REPRESENTATIVE = "ONE_REPRESENTATIVE"
    """One person collects for many beneficiaries."""
    BULK_CHANGES = "BULK_CHANGES"
    """One user changed how many people are paid, in one day."""


class AlertState(StrEnum):
    """State of an alert."""

    OPEN = "OPEN"
    SUSPECTED = "SUSPECTED"
    """Payments of the people concerned are held."""
    CLEARED = "CLEARED"
    CONFIRMED = "CONFIRMED"
    """Fraud: payments stay held until each person's way to be paid is chosen again."""


_A = AlertState
TRANSITIONS: Final[dict[AlertState, frozenset[AlertState]]] = {
    _A.OPEN: frozenset({_A.SUSPECTED, _A.CLEARED}),
    _A.SUSPECTED: frozenset({_A.CLEARED, _A.CONFIRMED}),
    _A.CLEARED: frozenset(),
    _A.CONFIRMED: frozenset(),
}
"""Suspecting is quick and needs one person; clearing a suspicion needs another one."""
