"""Layouts: those that are shipped, those that are refused; due days; who is competent; trees of units."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date
from importlib import resources
from typing import Any

import pytest

from reporting.domain.statutory import BadLayout, PeriodKind, addressees_of, parse_addressees, parse_layout, period_of
from reporting.storage.statutory import addressees, layouts, newest

FILE = "directive-21-monthly.v1.toml"
GOOD = tomllib.loads(resources.files("reporting").joinpath("layouts", FILE).read_text(encoding="utf-8"))


def test_every_statutory_report_has_a_layout() -> None:
    assert set(newest()) == {
        "directive-21-monthly", "payment-organisation-monthly", "assistance-half-yearly", "merit-settlement-yearly",
        "merit-estimate-yearly", "assistance-estimate-yearly",
    }  # fmt: skip


def test_no_form_number_is_invented() -> None:
    assert {layout.form_number for layout in layouts().values()} == {""}
    assert all(layout.open for layout in layouts().values())


def broken(**changed: Any) -> dict[str, Any]:
    return deepcopy(GOOD) | changed


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (broken(colour="red"), "colour"),
        (broken(period="WEEK"), "WEEK"),
        (broken(groups=["NOBODY"]), "NOBODY"),
        (broken(columns=[]), "columns"),
        (broken(columns=[{"key": "1", "figure": "happiness", "vi": "x", "en": "x"}]), "happiness"),
        (broken(columns=[{"key": "1", "figure": "due_people", "vi": "x"}]), "vi and in en"),
        (broken(columns=[{"key": "1", "figure": "due_people", "vi": "x", "en": "x"}] * 2), "keys of their own"),
        (broken(sum_in_words="9"), "sum_in_words"),
        (broken(due=[{"who": "X", "vi": "x", "en": "x", "months": 1, "day": 32}]), "day 32"),
        (broken(open=[]), "what is open"),
        (broken(title={"vi": "", "en": "x"}), "vi and in en"),
        ({key: value for key, value in GOOD.items() if key != "version"}, "version"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_by_name(data: dict[str, Any], said: str) -> None:
    with pytest.raises(BadLayout, match=said) as refused:
        parse_layout(data, "0" * 64, FILE)
    assert FILE in str(refused.value)


@pytest.mark.parametrize(
    ("code", "who", "first", "day", "in_time", "late"),
    [
        ("directive-21-monthly", "COMMUNE", "2024-09-01", "2024-10-05", "2024-10-04", "2024-10-05"),
        ("directive-21-monthly", "DEPARTMENT", "2024-12-01", "2025-01-05", "2025-01-04", "2025-01-05"),
        ("payment-organisation-monthly", "PAYMENT_ORGANISATION", "2024-09-01", "2024-09-20", "2024-09-19", "2024-09-20"),
        ("assistance-half-yearly", "COMMUNE", "2024-01-01", "2024-06-15", "2024-06-15", "2024-06-16"),
        ("assistance-half-yearly", "DEPARTMENT", "2024-01-01", "2024-07-15", "2024-07-15", "2024-07-16"),
        ("assistance-half-yearly", "COMMUNE", "2024-07-01", "2024-12-15", "2024-12-15", "2024-12-16"),
        ("assistance-half-yearly", "DEPARTMENT", "2024-07-01", "2025-01-15", "2025-01-15", "2025-01-16"),
        ("merit-settlement-yearly", "COMMUNE", "2024-01-01", "2025-04-30", "2025-04-30", "2025-05-01"),
        ("merit-settlement-yearly", "DEPARTMENT", "2024-01-01", "2025-07-05", "2025-07-05", "2025-07-06"),
        ("merit-settlement-yearly", "MINISTRY", "2024-01-01", "2025-10-01", "2025-10-01", "2025-10-02"),
        ("merit-estimate-yearly", "COMMUNE", "2025-01-01", "2024-06-20", "2024-06-20", "2024-06-21"),
        ("merit-estimate-yearly", "DEPARTMENT", "2025-01-01", "2024-07-05", "2024-07-05", "2024-07-06"),
        ("merit-estimate-yearly", "MINISTRY", "2025-01-01", "2024-07-20", "2024-07-20", "2024-07-21"),
    ],
)
def test_due_days_of_the_calendar(code: str, who: str, first: str, day: str, in_time: str, late: str) -> None:
    layout = newest()[code]
    last = period_of(layout.period, date.fromisoformat(first)).last
    (due,) = [one for one in layout.dues if one.who == who]
    assert due.day_for(last).isoformat() == day
    assert not due.late(last, date.fromisoformat(in_time))
    assert due.late(last, date.fromisoformat(late))
    assert (due.days_late(last, date.fromisoformat(in_time)), due.days_late(last, date.fromisoformat(late))) == (0, 1)


def test_periods_begin_where_they_begin() -> None:
    assert period_of(PeriodKind.HALF_YEAR, date(2024, 7, 1)).label.vi == "6 tháng cuối năm 2024"
    assert period_of(PeriodKind.YEAR, date(2024, 1, 1)).last == date(2024, 12, 1)
    for kind, month in ((PeriodKind.HALF_YEAR, 2), (PeriodKind.YEAR, 7)):
        with pytest.raises(ValueError, match="does not begin"):
            period_of(kind, date(2024, month, 1))


def test_one_ministry_until_february_2025_two_after() -> None:
    both = ["MERIT", "SOCIAL_ASSISTANCE"]
    assert len(addressees_of(addressees(), both, date(2025, 2, 28))) == 1
    assert [one.department.vi for one, _ in addressees_of(addressees(), both, date(2025, 3, 1))] == ["Sở Nội vụ", "Sở Y tế"]
    with pytest.raises(LookupError):
        addressees_of(addressees(), ["SOCIAL_PENSION"], date(2025, 6, 30))
    twice = {"vi": "x", "en": "x"}
    row = {"programme": "MERIT", "since": date(2024, 1, 1), "ministry": twice, "department": twice}
    with pytest.raises(BadLayout, match="two ministries"):
        parse_addressees({"competent": [row, row | {"since": date(2025, 1, 1)}]}, "x.toml")


def test_the_district_hands_over_on_the_last_day_of_the_year() -> None:
    """Circular 02/2021 Art. 6: the district 30 June and 31 December."""
    due = next(due for due in newest()["assistance-half-yearly"].dues if due.who == "DISTRICT")
    assert [due.day_for(month) for month in (date(2024, 6, 1), date(2024, 12, 1))] == [date(2024, 6, 30), date(2024, 12, 31)]
    assert layouts()["assistance-half-yearly", 1].dues[1].day == 30  # what was frozen with the first version is made again with it


def test_the_settlement_names_its_chapter_and_the_most_that_may_be_charged() -> None:
    layout = newest()["merit-settlement-yearly"]
    chapters = [words.vi for day in (date(2024, 12, 31), date(2025, 12, 31)) if (words := layout.budget_on(day))]
    assert chapters[0].startswith("Chương 024 ")
    assert chapters[1].startswith("Chương: chờ trả lời")  # nobody has said which; it is asked among what is open
    assert any("Chương ngân sách" in words.vi for words in layout.open)
    shares = {column.key: column for column in layout.columns if column.share_bp}
    assert {key: column.share_bp for key, column in shares.items()} == {"12": 75, "13": 170}
    assert [shares["12"].cell(paid) for paid in (66, 67, 1_000_000)] == [0, 1, 7_500]  # half-up


def test_a_share_is_of_dong_and_of_no_more_than_all() -> None:
    column = {"key": "1", "figure": "paid_dong", "vi": "x", "en": "x"}
    assert parse_layout(broken(columns=[column | {"share_bp": 170}], sum_in_words="1"), "0", FILE).columns[0].cell(100) == 2
    for wrong in ({"share_bp": 10_001}, {"share_bp": True}, {"share_bp": 75, "figure": "paid_people"}):
        with pytest.raises(BadLayout, match="share"):
            parse_layout(broken(columns=[column | wrong]), "0", FILE)
