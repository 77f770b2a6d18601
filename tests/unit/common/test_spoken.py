"""Amounts in words: a table of readings, and that no two amounts are read alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.spoken import in_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (15, "mười lăm"),
        (21, "hai mươi mốt"),
        (24, "hai mươi bốn"),
        (105, "một trăm linh năm"),
        (115, "một trăm mười lăm"),
        (1_000, "một nghìn"),
        (1_005, "một nghìn không trăm linh năm"),
        (20_010, "hai mươi nghìn không trăm mười"),
        (540_000, "năm trăm bốn mươi nghìn"),
        (2_789_000, "hai triệu bảy trăm tám mươi chín nghìn"),
        (1_000_001, "một triệu không trăm linh một"),
        (1_234_005, "một triệu hai trăm ba mươi bốn nghìn không trăm linh năm"),
        (106_076_394_000, "một trăm linh sáu tỷ không trăm bảy mươi sáu triệu ba trăm chín mươi bốn nghìn"),
        (2_000_000_000, "hai tỷ"),
        (3_000_000_015, "ba tỷ không trăm mười lăm"),
    ],
)
def test_reading(value: int, words: str) -> None:
    assert in_words(value) == words


def test_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        in_words(-1)


@given(st.lists(st.integers(0, 10**13), min_size=2, max_size=2, unique=True))
def test_no_two_amounts_are_read_alike(values: list[int]) -> None:
    assert in_words(values[0]) != in_words(values[1])
