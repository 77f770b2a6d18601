"""Evidence adds up to a score; name and birth date alone never hold anybody's money."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from registry.domain.duplicates import REASONS, TRANSITIONS, UNRESOLVED, Evidence, judge

BASE = Evidence("Nguyễn Văn Minh", "Nguyễn Văn Minh", "1950-03-02", "1950-03-02", two_numbers=True, same_allowance=True)


def test_name_and_birth_date_are_listed_not_held() -> None:
    judged = judge(BASE)
    assert judged is not None
    assert (judged.listed, judged.strong()) == (True, False)


@pytest.mark.parametrize(
    "more",
    [
        {"same_household": True},
        {"same_old_number": True},
        {"same_address": True, "same_commune": True, "two_numbers": False},
        {"two_numbers": False},
    ],
)
def test_evidence_beyond_name_and_date_is_strong(more: dict[str, bool]) -> None:
    judged = judge(replace(BASE, **more))
    assert judged is not None
    assert judged.strong(), judged


@pytest.mark.parametrize(("a", "b"), [("1950", "1951-02-03"), ("1950-03", "1950-04-01"), ("1950-03-02", "1950-03-20")])
def test_birth_dates_that_contradict_are_two_people(a: str, b: str) -> None:
    assert judge(replace(BASE, a_birth=a, b_birth=b)) is None
    kept = judge(replace(BASE, a_birth=a, b_birth=b, same_old_number=True))
    assert kept is not None, "an old card is evidence by itself: dates get mistyped"
    assert kept.listed


@pytest.mark.parametrize(("a", "b", "code"), [("1950", "1950-02-03", "SAME_BIRTH_YEAR"), ("1950-02-03", "1950-02", "SAME_BIRTH_MONTH")])
def test_birth_dates_agree_at_the_precision_both_have(a: str, b: str, code: str) -> None:
    judged = judge(replace(BASE, a_birth=a, b_birth=b))
    assert judged is not None
    assert code in judged.codes


def test_the_forty_name_pairs() -> None:
    """Different people are never strong by name, date and commune; the same person is always a candidate without a second number."""
    pairs = Path(__file__).parents[1] / "common" / "name_pairs.csv"
    with pairs.open(encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 40
    for row in rows:
        a, b = row["name_a"], row["name_b"]
        judged = judge(Evidence(a, b, "1950-03-02", "1950-03-02", same_commune=True, same_allowance=True))
        if row["id"].startswith("S"):
            assert judged is not None, row
            assert judged.listed, (row, judged)
        elif judged is not None and a != b:
            assert not judged.strong(), (row, judged)


def test_other_sex_takes_a_pair_off_the_list() -> None:
    judged = judge(replace(BASE, other_sex=True))
    assert judged is not None
    assert not judged.listed


def test_reasons_speak_both_languages_and_moves_end_in_known_states() -> None:
    assert all(vi and en for _, vi, en in REASONS.values())
    states = {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values())
    assert states == {"OPEN", "CONFIRMED", "NOT_DUPLICATE", "MERGED", "UNDONE", "LAPSED"}
    assert set(UNRESOLVED) < states


def test_the_first_of_january_is_no_birth_date() -> None:
    judged = judge(replace(BASE, a_birth="1950-01-01", b_birth="1950-01-01", two_numbers=False))
    assert judged is not None
    assert "SAME_FIRST_OF_JANUARY" in judged.codes
    assert not judged.strong()


def test_the_province_says_from_which_score_a_file_is_held() -> None:
    judged = judge(replace(BASE, two_numbers=False))
    assert judged is not None
    assert [judged.strong(limit) for limit in (75, 80, 90, None)] == [True, True, False, False]
