"""`./ansinh chaos`, short: deaths, frozen processes, wrong clocks and a lying world in one small month, drawn from a printed seed."""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansinh.chaos import command
from ansinh.stack.layout import SERVICES

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

KILLS = 15


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nobody_is_paid_twice_and_nothing_is_lost(
    month: Month, on_apache_kafka: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSINH_HOME", str(month.layout.home))
    monkeypatch.setenv("ANSINH_PORT_BASE", str(month.layout.base))
    monkeypatch.delenv("DISBURSEMENT_PARTNERS_FILE")
    seed = int(os.environ.get("ANSINH_TEST_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"ANSINH_TEST_SEED={seed}")
    result = tmp_path / "chaos.json"
    options = argparse.Namespace(people=300, kills=KILLS, seed=seed, preset=None, apache_kafka=on_apache_kafka, json=result)
    code = command.run(options, print)
    found = json.loads(result.read_text(encoding="utf-8"))
    assert found["findings"] == []
    assert (found["doubled"], found["lost"], found["unexplained"], found["books_equal"]) == (0, 0, 0, True)
    assert (found["not_audited"], found["audit_whole"]) == (0, True)
    assert found["audit_rows"].keys() == {service.name for service in SERVICES}, "each service's chain was read"
    assert (found["seed"], code) == (seed, 0)
    assert found["kills"] >= KILLS
