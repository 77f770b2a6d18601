"""The 12-digit number, the old ID card and phone numbers: what is refused, what only warns, and that nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.numbers import (
    PROVINCE_PREFIXES,
    clean_number,
    clean_phone,
    number_warnings,
    phone_reason,
    second_number_reason,
    structure_reason,
)

DIGITS = st.text("0123456789", min_size=6, max_size=6)


def test_the_birth_registration_codes_are_the_63_provinces_of_before_the_merger() -> None:
    assert len(PROVINCE_PREFIXES) == 63
    assert {"060", "067", "068", "038", "042"} <= PROVINCE_PREFIXES
    assert "003" not in PROVINCE_PREFIXES


@given(st.sampled_from(sorted(PROVINCE_PREFIXES)), st.sampled_from("MF"), st.integers(1900, 2099), DIGITS)
def test_a_number_that_fits_sex_and_year_warns_of_nothing_and_a_misfit_warns_of_just_that(
    province: str, sex: str, year: int, rest: str
) -> None:
    number = f"{province}{2 * ((year - 1900) // 100) + (sex == 'F')}{year % 100:02d}{rest}"
    assert structure_reason(number) is None
    assert number_warnings(number, f"{year}-03-02", sex) == []
    assert number_warnings(number, None, "UNKNOWN") == []
    assert number_warnings(number, str(year - 1), sex) == ["NUMBER_YEAR"]
    assert number_warnings(number, str(year), "M" if sex == "F" else "F") == ["NUMBER_SEX"]
    assert number_warnings("003" + number[3:], str(year), sex) == ["NUMBER_PROVINCE"]


@given(st.text(max_size=16))
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    number = clean_number(text)
    right = len(number) == 12 and number.isascii() and number.isdigit() and number[3] in "0123" and number[:3] != "000"
    assert (structure_reason(number) is None) == right


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("60150001234", "NUMBER_LOST_ZERO"), ("250123456", "NUMBER_OLD_ID"), ("060950001234", "NUMBER_BAD"), ("000150001234", "NUMBER_BAD"),
        ("3.80123E+11", "NUMBER_ROUNDED"), ("06015000123４", "NUMBER_BAD"),
    ],
)  # fmt: skip
def test_damaged_numbers_are_named_and_never_mended(number: str, reason: str) -> None:
    assert structure_reason(clean_number(number)) == reason


@pytest.mark.parametrize(
    ("number", "reason"),
    [("250123456", None), ("25012345", "SECOND_NUMBER_LOST_ZERO"), ("0250123456", "SECOND_NUMBER_BAD"), ("x", "SECOND_NUMBER_BAD")],
)
def test_the_old_card_has_nine_digits(number: str, reason: str | None) -> None:
    assert second_number_reason(number) == reason


@pytest.mark.parametrize(
    ("text", "phone", "reason"),
    [
        ("0912 345 678", "0912345678", None), ("+84 912-345-678", "0912345678", None), ("(0262) 3812345", "02623812345", None),
        ("912345678", "912345678", "PHONE_BAD"), ("091234567", "091234567", "PHONE_BAD"),
    ],
)  # fmt: skip
def test_phones(text: str, phone: str, reason: str | None) -> None:
    assert clean_phone(text) == phone
    assert phone_reason(phone) == reason
