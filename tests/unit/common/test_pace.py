"""A person's calls: at once as many as the bucket holds, then at the pace; nobody's bucket is another's."""

from __future__ import annotations

from common import pace
from common.pace import Pace


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_bucket_empties_at_once_and_fills_at_the_pace() -> None:
    clock = Clock()
    calls = Pace(per_second=2.0, burst=3, clock=clock)
    assert [calls.wait("an") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert calls.wait("binh") == 0
    clock.seconds = 0.5
    assert [calls.wait("an") for _ in range(2)] == [0, 1]
    clock.seconds = 3600.0
    assert [calls.wait("an") for _ in range(4)] == [0, 0, 0, 1], "an idle hour saves up no more than the bucket holds"


def test_a_slow_pace_names_the_seconds_and_a_refused_call_costs_none() -> None:
    clock = Clock()
    calls = Pace(per_second=0.1, burst=1, clock=clock)
    assert [calls.wait("an") for _ in range(50)] == [0, *[10] * 49]
    clock.seconds = 4.0
    assert calls.wait("an") == 6
    clock.seconds = 10.0
    assert calls.wait("an") == 0


def test_memory_is_bounded_and_who_asks_is_not_forgotten() -> None:
    calls = Pace(per_second=0.1, burst=1, clock=Clock())
    calls.wait("busy")
    for number in range(3 * pace._PEOPLE):
        calls.wait(f"passer-by {number}")
        assert number % 1000 or calls.wait("busy") == 10
    assert len(calls._left) == pace._PEOPLE
