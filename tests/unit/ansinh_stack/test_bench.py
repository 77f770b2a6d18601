"""What the bench can be asked for, and how it counts."""

from __future__ import annotations

import pytest

from ansinh.bench.command import STAGES, chosen
from ansinh.bench.loads import percentiles
from ansinh.bench.stages import Figure


def test_stages_run_in_their_own_order_whatever_the_order_asked_for() -> None:
    assert chosen(None) == STAGES
    assert chosen("results, list") == ("list", "results")
    with pytest.raises(ValueError, match="no stage lists"):
        chosen("list,lists")


def test_percentiles_are_of_the_slow_end() -> None:
    waits = [0.001 * number for number in range(100, 0, -1)]
    assert percentiles(waits) == pytest.approx({"median_seconds": 0.051, "p99_seconds": 0.1, "longest_seconds": 0.1})
    assert percentiles([]) == {}


def test_a_row_adds_the_peaks_of_the_processes_that_did_the_work() -> None:
    row = Figure(500, 2.0, "things", ("a", "b"), {"first_seconds": 0.123456}).row({"a": 10.0, "b": 5.5, "c": 99.0})
    assert row == {"n": 500, "seconds": 2.0, "per_second": 250.0, "peak_mib": 15.5, "what": "things", "first_seconds": 0.1235}
