"""What the population database says of one person."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from simulators.population.answers import answer
from simulators.population.behaviour import Behaviour
from simulators.population.config import Lie, PopulationConfig, Script
from simulators.population.generate import people

NOW = "2024-08-20T01:00:00.000Z"
KNOWN = {
    "number": "060148000001",
    "full_name": "Đặng Thị Hoà",
    "birth_date": "1948-05-03",
    "sex": "F",
    "status": "ALIVE",
    "death_date": None,
    "multiple": 0,
}


def ask(known: dict[str, Any] | None = KNOWN, **asked: Any) -> dict[str, Any]:
    person = {"ref": "r1", "number": "060148000001", "full_name": "Đặng Thị Hoà", "birth_date": "1948-05-03", "sex": "F", **asked}
    return answer(person, known, NOW)


def test_all_fields_agree() -> None:
    found = ask()
    assert found["status"] == "MATCH"
    assert set(found["fields"].values()) == {"match"}
    assert found["population_name"] == "Đặng Thị Hoà"
    assert found["checked_at"] == NOW


@pytest.mark.parametrize("name", [unicodedata.normalize("NFD", "Đặng Thị Hoà"), "ĐẶNG  THỊ\u00a0HOÀ", "Ðặng Thị Hoà\u200b"])
def test_one_spelling_in_other_bytes_is_the_same_name(name: str) -> None:
    assert ask(full_name=name)["fields"]["full_name"] == "match"


def test_other_accents_are_another_name_and_the_registered_one_is_shown() -> None:
    found = ask(full_name="Đặng Thị Hoa")
    assert (found["status"], found["fields"]["full_name"]) == ("MISMATCH", "mismatch")
    assert found["population_name"] == "Đặng Thị Hoà"


@pytest.mark.parametrize(
    ("asked", "known", "verdict"),
    [
        ("1948", "1948-05-03", "match"),
        ("1948-05-03", "1948", "match"),
        ("1949", "1948-05-03", "mismatch"),
        (None, "1948", "not-given"),
        ("1948-06", "1948-05-03", "mismatch"),
    ],
)
def test_birth_dates_are_compared_as_far_as_both_go(asked: str | None, known: str, verdict: str) -> None:
    assert ask({**KNOWN, "birth_date": known}, birth_date=asked)["fields"]["birth_date"] == verdict


def test_not_found_deceased_and_several_people() -> None:
    assert ask(None)["status"] == "NOT_FOUND"
    assert ask(None)["population_name"] is None
    dead = ask({**KNOWN, "status": "DECEASED", "death_date": "2024-07-11"})
    assert (dead["status"], dead["death_date"]) == ("DECEASED", "2024-07-11")
    several = ask({**KNOWN, "multiple": 1})
    assert (several["status"], several["population_name"]) == ("MULTIPLE", None)


def behaviour() -> Behaviour:
    return Behaviour(PopulationConfig(token="long enough"))


def test_rate_lets_a_second_through_and_says_how_long_to_wait() -> None:
    limited = behaviour()
    limited.apply(Script(rate_per_second=500), now=10.0)
    assert limited.wait_seconds(1000, 10.0) == 0
    assert limited.wait_seconds(1, 10.0) == 1
    assert limited.wait_seconds(1, 11.5) == 0
    limited.apply(Script(reset=True), now=11.5)
    assert limited.wait_seconds(1000, 11.5) == 0


def test_lie_is_told_so_many_times_and_about_whom() -> None:
    lying = behaviour()
    lying.apply(Script(lie=Lie(status="NOT_FOUND", numbers=["2"], answers=1)), now=0)
    results = [{"status": "MATCH"} for _ in range(3)]
    lying.bend(results, ["1", "2", "2"])
    assert [result["status"] for result in results] == ["MATCH", "NOT_FOUND", "MATCH"]
    assert lying.state(0)["lie"] is None


def test_made_up_people_are_the_same_from_a_seed_and_nobody_twice() -> None:
    made = list(people(20_000, 7))
    assert made == list(people(20_000, 7))
    assert len({row[0] for row in made}) == len(made)
    assert all(len(row[0]) == 12 and row[0].isdigit() for row in made)
    assert all(row[0][4:6] == row[2][2:4] and int(row[0][3]) % 2 == (row[3] == "F") for row in made)
