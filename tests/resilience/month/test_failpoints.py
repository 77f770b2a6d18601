"""A process that dies at a named point between two steps which belong together: the other half is done after its restart, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ansinh.bootstrap import ROOT
from common.failpoints import POINTS

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

#: Process → the point at which its first start dies, the point at which its second start dies, … (`:n` lets n hits pass).
ARMED = {
    "registry-worker": ("lists.check_between_batches", "registry.import_between_batches"),
    "identity-verify-worker": ("relay.before_send",),
    "accounts-worker": ("relay.after_send_before_mark",),
    "reporting-worker": ("consumer.after_db_before_offset:8",),
    "disbursement-worker": ("disbursement.after_claim_before_send", "disbursement.after_send_before_record"),
    "disbursement-api": ("disbursement.after_notice_stored",),
}


def test_every_point_is_in_the_code_and_used_here() -> None:
    sources = [path for folder in ("libs/common/src", "services") for path in (ROOT / folder).rglob("*.py") if path.name != "failpoints.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert set(re.findall(r"\bhit\(\s*\"([^\"]+)\"", code)) <= POINTS
    assert {point for point in POINTS if f'"{point}"' not in code} == set(), "named and nowhere"
    assert {point.partition(":")[0] for points in ARMED.values() for point in points} == POINTS


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_month_with_a_death_at_every_point(month: Month) -> None:
    month.armed.update({name: list(points) for name, points in ARMED.items()})
    await month.play()
