"""Rates come out as the province published them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.rates import rate_text


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "published"),
    [
        (16_395, 54_623, 1, "30.0"),  # Bình Thuận, September 2024: all
        (3_728, 9_137, 1, "40.8"),  # people with merit
        (12_667, 45_486, 1, "27.8"),  # social assistance: 27.848…
        (905, 10_172, 2, "8.90"),  # Hương Khê registered: 8.896…
        (172, 1_000, 1, "17.2"),
        (177, 1_000, 1, "17.7"),
        (195, 1_000, 1, "19.5"),
        (232, 1_000, 1, "23.2"),
    ],
)
def test_published_figures(part: int, whole: int, decimals: int, published: str) -> None:
    assert rate_text(part, whole, decimals) == published


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "text"),
    [
        (1, 2_000, 1, "0.1"),  # 0.05 goes up; binary floating point would say 0.1 or 0.0 by accident
        (249, 2_000, 1, "12.5"),  # 12.45
        (1, 8, 0, "13"),  # 12.5
        (0, 0, 1, "0.0"),
        (7, 7, 1, "100.0"),
        (1, 3, 4, "33.3333"),
    ],
)
def test_half_goes_up(part: int, whole: int, decimals: int, text: str) -> None:
    assert rate_text(part, whole, decimals) == text


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.integers(0, 4))
def test_never_farther_than_half_a_unit(whole: int, part: int, decimals: int) -> None:
    part = min(part, whole)
    exact = Fraction(part * 100, whole)
    given_rate = Fraction(rate_text(part, whole, decimals))
    half = Fraction(1, 2 * 10**decimals)
    assert -half < exact - given_rate <= half or given_rate - exact == half


@pytest.mark.parametrize(("part", "whole", "decimals"), [(2, 1, 1), (-1, 5, 1), (1, 5, 5), (1, 5, -1)])
def test_nonsense_is_refused(part: int, whole: int, decimals: int) -> None:
    with pytest.raises(ValueError, match=r"part|decimals"):
        rate_text(part, whole, decimals)
