"""The restore drill, small: the databases go back to the past while money is on its way, and nobody is paid twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansinh.testing import own_stack

pytestmark = [
    pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1_200), pytest.mark.xdist_group("embedded-stack"),
    pytest.mark.promise("rules.13", "promises.paid-once", "promises.every-dong"),
]  # fmt: skip


@pytest.mark.parametrize("scope", ["all", "disbursement"])
def test_nobody_is_paid_twice_after_a_restore(tmp_path: Path, scope: str) -> None:
    result = tmp_path / "drill.json"
    with own_stack() as stack:
        stack.must("drill", "restore", "--people", "300", "--scope", scope, "--json", str(result))
    [found] = json.loads(result.read_text(encoding="utf-8"))
    assert (found["doubled"], found["lost"], found["unexplained"], found["books_equal"], found["findings"]) == (0, 0, 0, True, [])
    assert found["left_at_disaster"] > found["left_at_moment"]
    assert found["lost_events"] > 0
    assert len(set(found["resumed_by"])) == 2
