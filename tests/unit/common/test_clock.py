"""The clock of a process may be shifted for drills, never in production."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from common import clock


@pytest.fixture(autouse=True)
def _right_again() -> Iterator[None]:
    yield
    clock.shift("", production=False)


def test_a_shifted_process_lives_beside_the_time() -> None:
    clock.shift("-240", production=False)
    assert abs(clock.now() - datetime.now(UTC) + timedelta(seconds=240)) < timedelta(seconds=5)
    clock.shift("", production=False)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_clock_of_a_production_process_is_not_shifted() -> None:
    with pytest.raises(ValueError, match="production"):
        clock.shift("1", production=True)
    clock.shift("", production=True)
