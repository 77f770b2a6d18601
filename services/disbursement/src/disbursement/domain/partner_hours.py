"""When a partner works, and on which day it pays what reaches it now (pure; moments are on the partner's clock, in Viet Nam)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from disbursement.domain.calendar import is_working, public_days
from disbursement.domain.rulings import SETTINGS

__all__ = ["HOURS", "AfterCutOff", "Hours", "Moment", "WorkingDays", "hours_of", "look", "setting_keys"]

HOURS: Final = ("PARTNER_OPENS", "PARTNER_CUT_OFF", "PARTNER_DAYS", "PARTNER_AFTER_CUT_OFF")
"""The settings that make a partner's hours; `<setting>.<partner>` goes before the one for everybody."""
_SATURDAY: Final = 5
_LONGEST_HOLIDAY_DAYS: Final = 60


class WorkingDays(StrEnum):
    """On which days a partner works."""

    MON_FRI = "MON_FRI"
    """The office's own working days: swapped days and days two people settled count."""
    MON_SAT = "MON_SAT"
    """Those and Saturdays that are no public holiday."""
    EVERY_DAY = "EVERY_DAY"


class AfterCutOff(StrEnum):
    """What happens with a batch that is ready after the cut-off."""

    NEXT_VALUE_DATE = "NEXT_VALUE_DATE"
    WAIT = "WAIT"


@dataclass(frozen=True, slots=True)
class Hours:
    """One partner's hours."""

    opens: time
    closes: time
    days: WorkingDays
    after: AfterCutOff


@dataclass(frozen=True, slots=True)
class Moment:
    """What sending now means. `value_date`: the day the partner pays. `waits_until`: nothing new is sent before then."""

    value_date: date
    after_cut_off: bool
    waits_until: datetime | None


def setting_keys(partner: str) -> list[str]:
    """Settings that may speak of a partner's hours."""
    return [*HOURS, *(f"{code}.{partner}" for code in HOURS)]


def hours_of(partner: str, given: Mapping[str, str]) -> Hours:
    """Hours of the settings in force: the partner's own, else everybody's, else the default."""
    opens, closes, days, after = (given.get(f"{code}.{partner}") or given.get(code) or SETTINGS[code].default for code in HOURS)
    return Hours(time.fromisoformat(opens), time.fromisoformat(closes), WorkingDays(days), AfterCutOff(after))


def _works(day: date, days: WorkingDays, rulings: Mapping[date, bool]) -> bool:
    if days is WorkingDays.EVERY_DAY or is_working(day, rulings):
        return True
    if days is not WorkingDays.MON_SAT or day.weekday() != _SATURDAY or day in rulings or day in public_days():
        return False
    # Announcements name the weekdays off: a Saturday between two of them is part of the holiday.
    return is_working(day - timedelta(days=1), rulings) or is_working(day + timedelta(days=2), rulings)


def _next_day(day: date, days: WorkingDays, rulings: Mapping[date, bool]) -> date:
    for ahead in range(1, _LONGEST_HOLIDAY_DAYS):
        if _works(day + timedelta(days=ahead), days, rulings):
            return day + timedelta(days=ahead)
    raise ValueError(f"no working day within {_LONGEST_HOLIDAY_DAYS} days of {day}")


def look(hours: Hours, rulings: Mapping[date, bool], now: datetime) -> Moment:
    """What sending at `now` (on a clock in Viet Nam) means. `rulings`: special days that two people settled."""
    today, clock = now.date(), now.time()
    late = not _works(today, hours.days, rulings) or clock > hours.closes
    value_date = _next_day(today, hours.days, rulings) if late else today
    closed = late or clock < hours.opens
    opens_at = datetime.combine(value_date, hours.opens, tzinfo=now.tzinfo)
    return Moment(value_date, late, opens_at if closed and hours.after is AfterCutOff.WAIT else None)
