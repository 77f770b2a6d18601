"""Name comparison: the forty pairs of the domain facts, and what may never change a verdict."""

from __future__ import annotations

import csv
import random
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.names import NameVerdict, clean, compare, comparison_key, folded

PAIRS = list(csv.DictReader((Path(__file__).parent / "name_pairs.csv").read_text(encoding="utf-8").splitlines()))
SPOKEN = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Võ", "Đặng", "Đỗ", "Thị", "Văn", "Hoà", "Thuý", "Quý", "Mỹ", "Kỳ",
    "Phương", "Phượng", "Hùng", "Hưng", "Ngọc", "Êban", "Niê", "H'Blang", "Y", "Loan", "Đức",
)  # fmt: skip
TONES = "\u0300\u0301\u0303\u0309\u0323"
SYLLABLES = st.sampled_from(SPOKEN)
NAMES = st.lists(SYLLABLES, min_size=2, max_size=5).map(" ".join)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_pairs(pair: dict[str, str]) -> None:
    assert compare(pair["name_a"], pair["name_b"]) == pair["expected_name_verdict"]
    assert compare(pair["name_b"], pair["name_a"]) == pair["expected_name_verdict"]


def test_there_are_forty_pairs() -> None:
    assert len(PAIRS) == 40


@given(NAMES)
def test_form_case_spaces_and_invisible_characters_never_matter(name: str) -> None:
    for other in (unicodedata.normalize("NFD", name), name.upper(), name.lower(), f"  {name.replace(' ', chr(0xA0) * 2)} \u200b"):
        assert compare(name, other) is NameVerdict.MATCH
        assert comparison_key(name) == comparison_key(other)
    assert clean(unicodedata.normalize("NFD", name)) == unicodedata.normalize("NFC", name)


@given(NAMES, st.randoms(use_true_random=False))
def test_where_the_tone_is_written_never_matters(name: str, chance: random.Random) -> None:
    """In an open syllable (hoà/hòa, thuý/thúy) both ways are right; the comparison does not care for any vowel that bears it."""
    moved = []
    for syllable in name.split():
        letters = list(unicodedata.normalize("NFD", syllable))
        tones = [letter for letter in letters if letter in TONES]
        letters = [letter for letter in letters if letter not in TONES]
        vowels = [place for place, letter in enumerate(letters) if letter.upper() in "AEIOUY"]
        if tones and vowels:
            letters.insert(chance.choice(vowels) + 1, tones[0])
        moved.append("".join(letters))
    other = " ".join(moved)
    assert compare(name, other) is NameVerdict.MATCH
    assert compare(unicodedata.normalize("NFC", other).upper(), name) is NameVerdict.MATCH


@given(NAMES, st.integers(min_value=0), st.sampled_from("BCGKLMNPQRSTVX"))
def test_a_changed_base_letter_always_does_also_between_accented_names(name: str, position: int, letter: str) -> None:
    decomposed = unicodedata.normalize("NFD", name.upper())
    places = [place for place, char in enumerate(decomposed) if char.isalpha()]
    place = places[position % len(places)]
    if decomposed[place] == letter:
        return
    changed = decomposed[:place] + letter + decomposed[place + 1 :]
    assert compare(name, changed) not in (NameVerdict.MATCH, NameVerdict.MATCH_UNACCENTED)


@given(NAMES, NAMES)
def test_a_comparison_is_the_same_in_either_direction(one: str, other: str) -> None:
    assert compare(one, other) is compare(other, one)


def test_a_hundred_thousand_pairs_a_second_in_one_process() -> None:
    """Of processor time, with names that hardly repeat; measured four times that."""
    chance = random.Random(1)
    names = [" ".join(chance.choice(SPOKEN) for _ in range(5)) for _ in range(20_000)]
    pairs = [(name, other(name)) for name in names for other in (str.upper, folded, lambda _: chance.choice(names))]
    started = time.process_time()
    for one, other in pairs:
        compare(one, other)
    assert len(pairs) / (time.process_time() - started) > 100_000


@given(NAMES)
def test_a_bank_name_passes_only_as_unaccented(name: str) -> None:
    assert compare(name, folded(name)) in (NameVerdict.MATCH_UNACCENTED, NameVerdict.MATCH)
    assert folded(name).replace(" ", "").isascii()


@given(NAMES, st.integers(min_value=0), st.sampled_from("BCGKLMNPQRSTVX"))
def test_a_changed_base_letter_always_does(name: str, position: int, letter: str) -> None:
    plain = folded(name)
    index = position % len(plain)
    if plain[index] in (" ", letter):
        return
    changed = plain[:index] + letter + plain[index + 1 :]
    assert compare(name, changed) not in (NameVerdict.MATCH, NameVerdict.MATCH_UNACCENTED)
