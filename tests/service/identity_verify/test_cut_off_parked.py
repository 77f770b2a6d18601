"""One person whose event cannot be applied is told as unanswered; the month goes on for everybody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from common.actor import Role
from common.contracts.registry_v1 import BeneficiaryRegistered
from common.topics import partition_of
from identity_verify.main import make_app
from identity_verify.usecases.cut_off import TOTALS, pass_on_once


def broken(event: BeneficiaryRegistered) -> BeneficiaryRegistered:
    """The same event as a defect would send it: PostgreSQL cannot store such a name."""
    return event.model_copy(update={"full_name": event.full_name + "\x00"})


async def markers_out(world) -> list[dict[str, Any]]:
    return [body for kind, body in await world.events() if kind == "CutOffReached"]


async def unanswered(world) -> dict[int, int]:
    return {body["_partition"]: body["unanswered"] for body in await markers_out(world) if body["unanswered"]}


async def shown(world, client_as, cut_off_id: UUID) -> dict[str, Any]:
    client = client_as(make_app(world.settings, world.db), Role.AUDITOR, units=("60",), subject="auditor")
    answer = await client.get(f"/v1/cut-offs/{cut_off_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(
    ("gaps", "parked", "blocks", "lags"),
    [
        ({"beneficiaries": 1, "beneficiary_versions": 3}, 1, {}, {"beneficiaries": 1, "beneficiary_versions": 3}),
        ({"beneficiary_versions": 2}, 1, {}, {"beneficiary_versions": 2}),
        ({"representatives": 2, "representative_versions": 2}, 1, {}, {"representatives": 2, "representative_versions": 2}),
        ({"beneficiaries": 2, "beneficiary_versions": 2}, 1, {"beneficiaries": 2}, {"beneficiary_versions": 2}),
        ({"beneficiaries": -1}, 1, {"beneficiaries": -1}, {}),
        ({"beneficiary_versions": -1}, 1, {"beneficiary_versions": -1}, {}),
        ({"beneficiaries": 1}, 0, {"beneficiaries": 1}, {}),
    ],
)
def test_parked_people_explain_only_what_they_can(gaps, parked, blocks, lags) -> None:
    assert TOTALS.split(gaps, parked) == (blocks, lags)


async def test_a_new_person_who_is_parked_stops_nobody_else(world, client_as) -> None:
    good, bad = [world.person(number=None) for _ in range(20)], world.person(number=None)
    await world.hear([*good[:10], broken(bad), *good[10:]])
    await world.drain()
    cut_off_id = await world.markers([*good, bad])
    assert await pass_on_once(world.db, world.settings)
    where = partition_of(bad.beneficiary_id)
    assert await unanswered(world) == {where: 1}
    assert sum(body["counts"]["subjects"] for body in await markers_out(world)) == 20, (
        "the payer has no verdict on this person, who is held NOT_VERIFIED"
    )
    view = await shown(world, client_as, cut_off_id)
    assert (view["state"], view["unanswered"]) == ("PASSED", 1)
    assert [(item["partition"], item["parked"], item["lagging"]) for item in view["partitions"] if item["parked"]] == [
        (where, 1, {"beneficiaries": 1, "beneficiary_versions": 1})
    ]
    assert all(item["difference"] == {} for item in view["partitions"])


async def test_a_known_person_whose_change_is_parked_keeps_the_verdict_on_the_old_identity(world) -> None:
    person = world.person(number=None)
    await world.hear([person])
    await world.drain()
    changed = world.person("Tên Khác", None, version=2, beneficiary_id=person.beneficiary_id)
    await world.hear([broken(changed)])
    await world.markers([changed])
    assert await pass_on_once(world.db, world.settings)
    assert await unanswered(world) == {partition_of(person.beneficiary_id): 1}
    [verdict] = [body for kind, body in await world.events() if kind != "CutOffReached"]
    # The payer compares fingerprints: it heard of the change itself, so this verdict is evidence on nobody it knows (NOT_VERIFIED).
    assert verdict["identity_fingerprint"] == person.identity_fingerprint != changed.identity_fingerprint


async def test_a_person_missing_without_being_parked_blocks_beside_one_who_is(world, client_as) -> None:
    bad = world.person(number=None)
    missing = world.person(number=None)
    while partition_of(missing.beneficiary_id) != partition_of(bad.beneficiary_id):
        missing = world.person(number=None)
    await world.hear([broken(bad)])
    cut_off_id = await world.markers([bad, missing])
    assert not await pass_on_once(world.db, world.settings)
    assert (await shown(world, client_as, cut_off_id))["state"] == "DIFFERS"


async def test_a_person_parked_elsewhere_explains_nothing_here(world) -> None:
    bad = world.person(number=None)
    missing = world.person(number=None)
    while partition_of(missing.beneficiary_id) == partition_of(bad.beneficiary_id):
        missing = world.person(number=None)
    await world.hear([broken(bad)])
    await world.markers([bad, missing])
    assert not await pass_on_once(world.db, world.settings)


async def test_a_waiting_cut_off_passes_by_itself_after_the_replay(world) -> None:
    waits, bad = world.person(number=None), world.person(number=None)
    await world.hear([waits, broken(bad)])
    await world.markers([waits, bad])
    assert not await pass_on_once(world.db, world.settings), "one is not answered yet"
    assert await world.replay(bad)
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    assert await unanswered(world) == {}
    assert sum(body["counts"]["subjects"] for body in await markers_out(world)) == 2


async def test_a_person_parked_with_a_check_pending_is_counted_once(world) -> None:
    person = world.person()
    await world.hear([person])
    changed = world.person("Tên Khác", version=2, beneficiary_id=person.beneficiary_id)
    await world.hear([broken(changed)])
    await world.markers([changed])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE check_request SET attempts = 1000")
    assert await pass_on_once(world.db, world.settings)
    assert await unanswered(world) == {partition_of(person.beneficiary_id): 1}
