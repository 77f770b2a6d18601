"""Cut-off markers: one per partition and topic, behind everything, with the registry's own totals."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from uuid import uuid4

from registry_test_helpers import UNIT, UNIT_PATH, row

from common.actor import SYSTEM
from common.consumer import Incoming
from common.contracts.disbursement_v1 import CutOffRequested, CycleState
from common.contracts.identity_verify_v1 import BeneficiaryFoundDeceased, Verdict
from common.topics import PARTITIONS, Topic
from registry.messaging.subscriptions import SUBSCRIPTIONS


def _incoming(event: Any) -> Incoming:
    key = getattr(event, event.KEY)
    return Incoming(event.TOPIC, 0, 0, key, uuid4(), event.type_name(), {}, event.model_dump_json().encode())


async def _apply(world: Any, event: Any) -> None:
    subscription = next(s for s in SUBSCRIPTIONS if type(event) in s.event_types)
    async with world.db.transaction(SYSTEM("test")) as tx:
        await subscription.apply(tx, [_incoming(event)])


def _request(**more: Any) -> CutOffRequested:
    values: dict[str, Any] = {
        "version": 1, "business_date": date(2024, 8, 20), "cycle_id": uuid4(), "state": CycleState.OPEN, "month": "2024-09",
        "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": "60", "unit_path": "60", "cut_off_id": uuid4(),
    }  # fmt: skip
    return CutOffRequested(**(values | more))


async def test_markers_count_what_consumers_can_count(world: Any) -> None:
    await world.take([row(f"A-{n}", f"0601900000{n:02d}") for n in range(1, 10)])
    await world.take([row("M-1", "060190000099", category="MR_PRISON")], programme="MERIT")
    request = _request()
    await _apply(world, request)
    await _apply(world, request)
    markers = await world.events("CutOffReached")
    assert Counter(m["body"]["topic"] for m in markers) == {Topic.BENEFICIARY: PARTITIONS, Topic.DUES: PARTITIONS}
    assert all(m["partition"] == m["body"]["partition"] for m in markers)
    people, dues = Counter(), Counter()
    for event in await world.events("BeneficiaryRegistered"):
        people[event["partition"]] += event["body"]["version"]
    for event in await world.events("DuesChanged"):
        dues[event["partition"]] += event["body"]["version"]
    for marker in markers:
        counts, partition = marker["body"]["counts"], marker["partition"]
        if marker["body"]["topic"] == Topic.BENEFICIARY:
            assert counts == {"beneficiaries": people[partition], "beneficiary_versions": people[partition]}
        else:
            assert (counts["beneficiaries"], counts["dues_versions"]) == (dues[partition], dues[partition])
    assert sum(m["body"]["counts"].get("due_in_month", 0) for m in markers) == 9 * 750_000


async def test_a_death_found_ends_the_dues(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    (registered,) = await world.events("BeneficiaryRegistered")
    found = BeneficiaryFoundDeceased(
        version=1,
        business_date=date(2024, 8, 21),
        beneficiary_id=registered["key"],
        subject_id=registered["key"],
        subject_kind="BENEFICIARY",
        verdict=Verdict.DECEASED,
        source_status="DECEASED",
        fields={},
        identity_fingerprint="x",
        checked_on=date(2024, 8, 21),
        valid_until=date(2024, 9, 30),
        reference=None,
        death_date=date(2024, 7, 30),
        unit_code=UNIT,
        unit_path=UNIT_PATH,
    )
    await _apply(world, found)
    await _apply(world, found)
    assert (await world.due("A-1", "2024-07"))["total"] == 750_000
    assert (await world.due("A-1", "2024-08"))["total"] == 0
    (dead,) = await world.events("BeneficiaryDeceased")
    assert dead["body"]["status"] == "DECEASED"
