"""The two time axes of a record (pure): which version holds for a day, as known on another, and what a change changed.

*Known on*: the business date of the change, else the day it was written (Viet Nam time). *Holds from*: the date the change
says it holds from, else the same day. Records that carry dates of their own (a representative from … to …) hold by those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

__all__ = ["DATED", "Known", "Version", "as_shown", "changes", "known"]

HIDDEN: Final = frozenset({"category", "percent", "category_code", "diagnosis", "disability_type", "health"})
"""Fields that tell of somebody's health: that they changed is shown, what they say is not."""

_TECHNICAL: Final = frozenset({"updated_at", "set_key"})
_SECRET_ENDINGS: Final = ("_blind", "_fingerprint")

DATED: Final[Mapping[str, tuple[str, str | None, bool]]] = {
    "representative": ("valid_from", "valid_to", True),
    "entitlement": ("from_month", "until", False),
    "entitlement_pause": ("from_month", "until", False),
    "household_member": ("from_date", "to_date", True),
    "group_membership": ("from_date", "to_date", True),
    "institution": ("valid_from", "valid_to", True),
    "institution_stay": ("from_date", "to_date", True),
    "other_benefit": ("from_month", "until", False),
    "administrative_unit": ("valid_from", "valid_to", True),
    "benefit_standard": ("applies_from", "applies_to", True),
    "category_coefficient": ("applies_from", "applies_to", True),
    "category_amount": ("applies_from", "applies_to", True),
}
"""Kind → its own first day, its own end, and whether the end is the last day (else the first day after)."""

_ENDINGS: Final = {"representative": "revoked_on"}
"""A day from which a record no longer holds, whatever its last day says."""


@dataclass(frozen=True, slots=True)
class Version:
    """A record as it was after one change. `state` is None after a deletion."""

    seq: int
    op: str
    recorded_at: datetime
    known_on: date
    effective_on: date
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Known:
    """What was known on a day about a day: the version, until when nothing newer was known, and whether it holds on the day."""

    version: Version
    known_until: date | None
    holds: bool
    state: Mapping[str, Any] | None


def known(kind: str, versions: Sequence[Version], as_of: date, known_on: date) -> Known | None:
    """The record on `as_of` as known on `known_on`; None when nothing was known of it by then. `versions` are in order."""
    candidates = [version for version in versions if version.known_on <= known_on]
    if not candidates:
        return None
    chosen = candidates[-1]
    if kind not in DATED:
        # The last word on the day; before the first word nothing says otherwise, so the first one stands.
        chosen = next((version for version in reversed(candidates) if version.effective_on <= as_of), candidates[0])
    following = next((version for version in versions if version.seq > chosen.seq and version.known_on > known_on), None)
    until = following.known_on - timedelta(days=1) if following else None
    state = chosen.state
    if kind == "person" and state is not None:
        state = _with_death(state, candidates[-1].state, as_of)
    return Known(chosen, until, state is not None and _holds(kind, state, as_of), state)


def _day(value: Any) -> date | None:
    return None if value in (None, "infinity") else date.fromisoformat(str(value)[:10])


def _holds(kind: str, state: Mapping[str, Any], as_of: date) -> bool:
    if kind not in DATED:
        return True
    first, last, inclusive = DATED[kind]
    begins, ends = _day(state.get(first)), _day(state.get(last)) if last else None
    if begins is not None and as_of < begins:
        return False
    if ends is not None and (as_of > ends if inclusive else as_of >= ends):
        return False
    ended = _day(state.get(_ENDINGS[kind])) if kind in _ENDINGS else None
    return ended is None or as_of < ended


def _with_death(state: Mapping[str, Any], last: Mapping[str, Any] | None, as_of: date) -> Mapping[str, Any]:
    """A death has a date of its own: known later, it holds from its day on; and before its day the person lived."""
    died = _day((last or state).get("death_date"))
    if died is not None and died <= as_of:
        return {**state, "status": "DECEASED", "death_date": died.isoformat()}
    if state.get("status") == "DECEASED":
        return {**state, "status": "ACTIVE", "death_date": None}
    return state


def _shown(name: str, hidden: Sequence[str]) -> bool:
    return name not in hidden and name not in _TECHNICAL and not name.endswith(_SECRET_ENDINGS)


def as_shown(state: Mapping[str, Any], hidden: Sequence[str], *, personal: bool = True) -> dict[str, Any]:
    """A row for people's eyes: nothing encrypted, no index of a number; of a `personal` record no fact of health. Numbers are masked."""
    return {name: ("***" if personal and name in HIDDEN and value else value) for name, value in state.items() if _shown(name, hidden)}


def changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, hidden: Sequence[str], *, personal: bool = True
) -> list[dict[str, Any]]:
    """Field by field what a change changed, for people's eyes."""
    old, new = before or {}, after or {}
    found = []
    for name in dict.fromkeys((*old, *new)):
        if not _shown(name, hidden) or old.get(name) == new.get(name):
            continue
        secret = personal and name in HIDDEN
        found.append({"field": name, "before": _value(old.get(name), secret=secret), "after": _value(new.get(name), secret=secret)})
    if any("masked" in item["field"] for item in found):
        return found  # the masked form tells of the change already
    secret_ones = [name for name in hidden if not name.endswith(_SECRET_ENDINGS) and old.get(name) != new.get(name)]
    return found + [
        {"field": name, "before": _value(old.get(name), secret=True), "after": _value(new.get(name), secret=True)} for name in secret_ones
    ]


def _value(value: Any, *, secret: bool) -> Any:
    return "***" if secret and value is not None else value
