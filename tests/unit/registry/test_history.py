"""Two time axes: which version of a record holds for a day, as known on another."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from registry.domain.history import Version, as_shown, changes, known

AT = datetime(2026, 10, 6, tzinfo=UTC)


def version(seq: int, known_on: date, effective_on: date, state: dict[str, Any] | None, op: str = "U") -> Version:
    return Version(seq, op, AT, known_on, effective_on, state)


MOVED = [
    version(1, date(2024, 8, 20), date(2024, 8, 20), {"unit_code": "22924", "status": "ACTIVE"}, "I"),
    version(2, date(2025, 9, 5), date(2025, 7, 1), {"unit_code": "22945", "status": "ACTIVE"}),
]


def unit(versions: list[Version], as_of: date, known_on: date) -> Any:
    found = known("person", versions, as_of, known_on)
    assert found is not None
    assert found.state is not None
    return found.state["unit_code"]


def test_a_change_told_late_holds_from_its_day_once_it_is_known() -> None:
    august = date(2025, 8, 1)
    assert unit(MOVED, august, date(2025, 9, 4)) == "22924"
    assert unit(MOVED, august, date(2025, 9, 5)) == "22945"
    assert unit(MOVED, date(2025, 6, 30), date(2026, 1, 1)) == "22924"


def test_until_when_nothing_newer_was_known() -> None:
    before = known("person", MOVED, date(2025, 8, 1), date(2025, 9, 4))
    after = known("person", MOVED, date(2025, 8, 1), date(2025, 9, 5))
    assert before is not None
    assert after is not None
    assert (before.known_until, after.known_until) == (date(2025, 9, 4), None)


def test_before_the_first_word_the_first_word_stands_but_nothing_is_known_before_it_was_told() -> None:
    assert unit(MOVED, date(2020, 1, 1), date(2024, 8, 20)) == "22924"
    assert known("person", MOVED, date(2025, 8, 1), date(2024, 8, 19)) is None


def test_a_death_holds_from_its_own_day() -> None:
    versions = [
        version(1, date(2024, 8, 20), date(2024, 8, 20), {"status": "ACTIVE", "death_date": None}, "I"),
        version(2, date(2024, 12, 1), date(2024, 12, 1), {"status": "DECEASED", "death_date": "2024-10-05"}),
    ]

    def status(as_of: date, known_on: date) -> Any:
        found = known("person", versions, as_of, known_on)
        assert found is not None
        assert found.state is not None
        return found.state["status"]

    assert status(date(2024, 11, 1), date(2024, 11, 30)) == "ACTIVE"
    assert status(date(2024, 11, 1), date(2024, 12, 1)) == "DECEASED"
    assert status(date(2024, 10, 4), date(2024, 12, 1)) == "ACTIVE"


def test_records_with_dates_of_their_own_hold_by_those() -> None:
    mandate = [
        version(1, date(2024, 8, 20), date(2024, 8, 20), {"valid_from": "2024-01-01", "valid_to": "2024-12-31", "revoked_on": None}, "I"),
        version(
            2, date(2024, 10, 1), date(2024, 10, 1), {"valid_from": "2024-01-01", "valid_to": "2024-12-31", "revoked_on": "2024-09-15"}
        ),
    ]

    def holds(as_of: date, known_on: date) -> bool:
        found = known("representative", mandate, as_of, known_on)
        assert found is not None
        return found.holds

    assert holds(date(2024, 9, 20), date(2024, 9, 30))
    assert not holds(date(2024, 9, 20), date(2024, 10, 1))
    assert holds(date(2024, 9, 14), date(2024, 10, 1))
    assert not holds(date(2023, 12, 31), date(2024, 10, 1))
    removed = [*mandate, version(3, date(2024, 11, 1), date(2024, 11, 1), None, "D")]
    found = known("representative", removed, date(2024, 5, 1), date(2024, 11, 1))
    assert found is not None
    assert (found.holds, found.state) == (False, None)


def test_the_first_month_after_the_end_is_out() -> None:
    paused = [version(1, date(2024, 8, 1), date(2024, 8, 1), {"from_month": "2024-08-01", "until": "2024-10-01"}, "I")]
    for day, expected in ((date(2024, 9, 30), True), (date(2024, 10, 1), False)):
        found = known("entitlement_pause", paused, day, date(2024, 8, 1))
        assert found is not None
        assert found.holds is expected


def test_numbers_and_health_are_not_shown() -> None:
    state = {"full_name": "A", "national_number": "\\x00", "number_blind": "\\x01", "masked_number": "060*****1234", "category": "SA6_S"}
    hidden = ["national_number", "number_blind"]
    assert as_shown(state, hidden) == {"full_name": "A", "masked_number": "060*****1234", "category": "***"}
    assert as_shown(state, hidden, personal=False)["category"] == "SA6_S", "a row of the law is nobody's health"
    after = state | {"national_number": "\\x02", "number_blind": "\\x03", "masked_number": "060*****9999", "category": "MR_AGENT"}
    assert changes(state, after, hidden) == [
        {"field": "masked_number", "before": "060*****1234", "after": "060*****9999"},
        {"field": "category", "before": "***", "after": "***"},
    ]
    assert changes(state, state | {"national_number": "\\x02"}, hidden) == [{"field": "national_number", "before": "***", "after": "***"}]
