"""A relay with nothing to do looks often while looking costs nothing, and seldom while it costs much."""

from __future__ import annotations

import pytest

from common.relay import _idle_seconds


@pytest.mark.parametrize(("looked", "waits"), [(0.0, 0.05), (0.002, 0.05), (0.06, 0.48), (0.1, 0.8), (30.0, 1.0)])
def test_looking_takes_a_small_part_of_the_time(looked: float, waits: float) -> None:
    """A look is slow behind a long transaction: a hundred thousand published rows were read twenty times a second, for nothing."""
    assert _idle_seconds(looked) == pytest.approx(waits)
