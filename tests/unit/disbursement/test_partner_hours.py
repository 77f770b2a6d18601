"""What a moment on the partner's clock means: in time, late, waiting, and on which day it pays."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from common.clock import VIETNAM
from disbursement.domain.partner_hours import hours_of, look
from disbursement.domain.rulings import allowed

TUESDAY, WEDNESDAY, FRIDAY = date(2024, 8, 20), date(2024, 8, 21), date(2024, 8, 23)
SATURDAY, MONDAY = date(2024, 8, 24), date(2024, 8, 26)


def at(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("now", "days", "value_date", "late"),
    [
        (at(TUESDAY, "09:00:00"), "MON_FRI", TUESDAY, False),
        (at(TUESDAY, "16:00:00"), "MON_FRI", TUESDAY, False),
        (at(TUESDAY, "16:00:01"), "MON_FRI", WEDNESDAY, True),
        (at(FRIDAY, "16:30:00"), "MON_FRI", MONDAY, True),
        (at(FRIDAY, "16:30:00"), "MON_SAT", SATURDAY, True),
        (at(SATURDAY, "09:00:00"), "MON_FRI", MONDAY, True),
        (at(SATURDAY, "09:00:00"), "MON_SAT", SATURDAY, False),
        (at(SATURDAY, "17:00:00"), "EVERY_DAY", date(2024, 8, 25), True),
        (at(date(2024, 8, 30), "17:00:00"), "MON_FRI", date(2024, 9, 4), True),  # National Day, and the weekend before it
        (at(date(2024, 8, 30), "17:00:00"), "EVERY_DAY", date(2024, 8, 31), True),
        (at(date(2024, 2, 10), "09:00:00"), "MON_SAT", date(2024, 2, 15), True),  # a Saturday of Tết
    ],
)
def test_the_day_a_partner_pays_on(now: datetime, days: str, value_date: date, late: bool) -> None:
    found = look(hours_of("agribank", {"PARTNER_DAYS": days}), {}, now)
    assert (found.value_date, found.after_cut_off, found.waits_until) == (value_date, late, None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(TUESDAY, "07:00:00"), at(TUESDAY, "08:00:00")),
        (at(TUESDAY, "08:00:00"), None),
        (at(TUESDAY, "15:00:01"), at(WEDNESDAY, "08:00:00")),
        (at(SATURDAY, "10:00:00"), at(MONDAY, "08:00:00")),
    ],
)
def test_where_it_is_settled_sending_waits_for_the_next_window(now: datetime, until: datetime | None) -> None:
    given = {"PARTNER_OPENS": "08:00", "PARTNER_CUT_OFF": "16:00", "PARTNER_CUT_OFF.agribank": "15:00", "PARTNER_AFTER_CUT_OFF": "WAIT"}
    assert look(hours_of("agribank", given), {}, now).waits_until == until


def test_days_that_two_people_settled_go_before_all_others() -> None:
    hours = hours_of("agribank", {"PARTNER_DAYS": "MON_SAT"})
    assert look(hours, {WEDNESDAY: False}, at(TUESDAY, "17:00:00")).value_date == date(2024, 8, 22)
    assert look(hours, {SATURDAY: False}, at(FRIDAY, "17:00:00")).value_date == MONDAY


def test_a_partner_may_have_answers_of_its_own_and_only_such_as_are_possible() -> None:
    assert allowed("PARTNER_DAYS.vnpost", "MON_SAT")
    assert allowed("PARTNER_AFTER_CUT_OFF.agribank", "WAIT")
    assert not allowed("PARTNER_AFTER_CUT_OFF", "LATER")
    assert not allowed("PRECHECK.agribank", "WARN")
