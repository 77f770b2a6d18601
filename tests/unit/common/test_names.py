"""Name comparison: the forty pairs of the domain facts, and what may never change a verdict."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.names import NameVerdict, clean, compare, comparison_key, folded

PAIRS = list(csv.DictReader((Path(__file__).parent / "name_pairs.csv").read_text(encoding="utf-8").splitlines()))
SYLLABLES = st.sampled_from(
    [
        "Nguyễn",
        "Trần",
        "Lê",
        "Phạm",
        "Hoàng",
        "Huỳnh",
        "Võ",
        "Đặng",
        "Đỗ",
        "Thị",
        "Văn",
        "Hoà",
        "Thuý",
        "Quý",
        "Mỹ",
        "Kỳ",
        "Phương",
        "Phượng",
        "Hùng",
        "Hưng",
        "Ngọc",
        "Êban",
        "Niê",
        "H'Blang",
        "Y",
        "Loan",
        "Đức",
    ]
)
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
