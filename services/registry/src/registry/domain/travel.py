"""How a registration list travels from the commune to the district or the department (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

__all__ = ["TRANSITIONS", "allowed", "working_days_after"]

TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "SUBMITTED": {"receive": "RECEIVED", "return": "RETURNED", "withdraw": "WITHDRAWN"},
    "RECEIVED": {"return": "RETURNED", "accept": "ACCEPTED"},
    "RETURNED": {"submit": "SUBMITTED", "withdraw": "WITHDRAWN"},
    "ACCEPTED": {},
    "WITHDRAWN": {},
}
"""State → step → state; every other step is refused. `accept` is the approval of the import."""

_SATURDAY: Final = 5


def allowed(state: str, step: str) -> str | None:
    """The state after a step, or None when the step is not possible."""
    return TRANSITIONS[state].get(step)


def working_days_after(start: date, days: int, special: Mapping[date, bool]) -> date:
    """The day so many working days after another: Monday to Friday, but for days that are named off or (a Saturday made up for) worked."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= special.get(day, day.weekday() < _SATURDAY)
    return day
