"""The plan of the kill harness: a seed replays its decisions, and everything it may do is done now and then."""

from __future__ import annotations

from itertools import islice

from ansinh.chaos.books import sort_differences
from ansinh.chaos.plan import FAILPOINTS, FROZEN_SECONDS, REPLICAS, deeds
from ansinh.chaos.stack import PARTNER_TIMEOUT_SECONDS, QUICK
from ansinh.stack.layout import SERVICES
from common.failpoints import POINTS
from disbursement.usecases.payment_context import LEASE_MARGIN_SECONDS


def test_a_seed_replays_the_same_deeds_and_another_seed_does_not() -> None:
    first, again, other = (list(islice(deeds(seed), 300)) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert [deed.number for deed in first] == list(range(1, 301))


def test_every_kind_of_process_and_every_named_point_is_met() -> None:
    many = list(islice(deeds(1), 4_000))
    processes = {f"{service.name}-{kind}" for service in SERVICES for kind in ("api", "worker")}
    processes |= {"postgres", "broker", "population", "partner", "issuer"} | {f"{name}-worker-2" for name in REPLICAS}
    assert {deed.victim for deed in many if deed.kind == "kill"} == processes
    assert {str(deed.detail["at"]).partition(":")[0] for deed in many if deed.kind == "failpoint"} == POINTS
    assert set(FAILPOINTS) == POINTS
    assert {deed.kind for deed in many} == {"kill", "failpoint", "freeze", "database-restart", "clock", "population", "partner"}


def test_who_is_frozen_wakes_after_every_lease_has_run_out() -> None:
    leases = [float(value) for name, value in QUICK.items() if name.endswith("LEASE_SECONDS")]
    assert len(leases) >= 5
    assert max(*leases, PARTNER_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS) < FROZEN_SECONDS[0]


def test_differences_are_told_by_what_they_mean() -> None:
    found = sort_differences(["books: a", "twice: b", "quarantine: c", "missing: d", "outcome: e", "ledger: f"])
    assert {kind: len(texts) for kind, texts in found.items()} == {"books": 2, "twice": 1, "disbelieved": 1, "people": 2}


def test_a_cycle_that_waits_for_a_persons_decision_alone_is_rightly_open() -> None:
    refused = "close: cycle MERIT does not close: POST /v1/cycles/x/close answered 409 cycle-not-closable: The cycle cannot be closed yet"
    assert sort_differences([f"{refused}; open_quarantine 3"])["disbelieved"]
    assert sort_differences([f"{refused}; unknown 1; open_quarantine 3"])["books"]
    assert sort_differences([f"{refused}; unknown 1"])["books"]
