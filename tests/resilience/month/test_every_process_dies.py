"""`kill -9` of any one process in the middle of the month, started again by the supervisor, ends in the same books."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ansinh.stack.layout import SERVICES

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

#: Victim, stage, share of the stage done, and what its database must show besides: every kind of process once, each in the work it does.
DEATHS = (
    ("issuer", "upload", 0.3, None),
    ("registry-api", "upload", 0.6, None),
    ("registry-worker", "register", 0.0, ("registry", "SELECT EXISTS (SELECT FROM job WHERE kind = 'import-apply' AND attempts > 0)")),
    ("population", "register", 0.0, ("identity-verify", "SELECT EXISTS (SELECT FROM check_request)")),
    ("accounts-api", "accounts", 0.0, None),
    ("identity-verify-worker", "accounts", 0.0, ("identity-verify", "SELECT EXISTS (SELECT FROM verification)")),
    ("accounts-worker", "accounts", 0.0, ("accounts", "SELECT EXISTS (SELECT FROM account WHERE status <> 'PENDING_CHECK')")),
    ("identity-verify-api", "verify", 0.0, None),
    ("reporting-worker", "link", 0.0, None),
    ("postgres", "list", 0.0, None),
    ("disbursement-worker", "approve", 0.0, ("disbursement", "SELECT EXISTS (SELECT FROM payment_batch WHERE request IS NOT NULL)")),
    ("disbursement-api", "approve", 0.0, ("disbursement", "SELECT EXISTS (SELECT FROM partner_notice)")),
    ("partner", "pay", 0.0, ("disbursement", "SELECT EXISTS (SELECT FROM payment WHERE status NOT IN ('APPROVED', 'SUBMITTING'))")),
    ("broker", "pay", 0.5, None),
    ("reporting-api", "check", 0.0, None),
)
KINDS = {f"{service.name}-{kind}" for service in SERVICES for kind in ("api", "worker")} | {
    "postgres", "broker", "population", "partner", "issuer",
}  # fmt: skip


@pytest.mark.timeout(900)
async def test_every_kind_of_process_dies_once_in_one_month(month: Month, on_apache_kafka: bool) -> None:
    deaths = [month.death(*death) for death in DEATHS]
    assert {death.victim for death in deaths} == KINDS
    await month.play(deaths)
    assert set(month.embedded.supervisor.children) == KINDS, "a kind of process nobody thought of"
    again = [line for line in month.said if line.startswith("events to publish again:")]
    if on_apache_kafka:
        assert not again, "a broker that keeps its log needs nothing published again"
        return
    assert len(again) == 1, month.story
    assert "none" not in again[0], "a broker that lost its log in the middle of a cycle is refilled from the outboxes"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("on_apache_kafka", ["embedded"], indirect=True)  # Apache Kafka keeps its log: there is nothing to refill
async def test_a_broker_that_dies_again_while_it_is_refilled(month: Month) -> None:
    """The second death waits for the broker to be there again, which is the moment its refilling begins."""
    await month.play([month.death("broker", "approve"), month.death("broker", "pay")])
    assert any("ended again while it was refilled" in line for line in month.said), month.story
