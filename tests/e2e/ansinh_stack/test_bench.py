"""`./ansinh bench` as a person runs it: every stage of a small province, alone on a stack of its own, which ends with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansinh.bench.command import STAGES
from ansinh.testing import own_stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("embedded-stack")]


def test_every_stage_says_how_many_how_long_and_how_much_memory(tmp_path: Path) -> None:
    with own_stack() as stack:
        stack.must("bench", "--people", "300", "--size", "600", "--json", str(tmp_path / "bench.json"))
    found = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert found["differences"] == []
    for stage in STAGES:
        row = found[stage]
        assert row["n"] > 0, stage
        assert row["seconds"] > 0, stage
        assert row["peak_mib"] > 0, stage
        assert row["per_second"] == pytest.approx(row["n"] / row["seconds"], rel=0.02), stage
    assert {found[stage]["n"] for stage in ("list", "accept", "results")} == {600}
    assert found["statement"]["n"] >= 600, "the partners' books also hold the month"
    assert 0 < found["webhook"]["median_seconds"] <= found["webhook"]["p99_seconds"] <= found["webhook"]["longest_seconds"]
