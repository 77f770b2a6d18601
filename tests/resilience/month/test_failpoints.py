"""A process that dies at a named point between two steps which belong together: the other half is done after its restart, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def test_every_point_is_used() -> None:
    assert {point.partition(":")[0] for points in ARMED.values() for point in points} == POINTS


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_month_with_a_death_at_every_point(month: Month) -> None:
    month.armed.update({name: list(points) for name, points in ARMED.items()})
    await month.play()
