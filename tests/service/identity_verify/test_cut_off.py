"""Cut-off markers: compared with the projection, passed on when the work up to them is done, never silently."""

from __future__ import annotations

import httpx

from common.topics import PARTITIONS, partition_of
from identity_verify.usecases.cut_off import pass_on_once


async def markers_out(world) -> list[dict]:
    return [body for kind, body in await world.events() if kind == "CutOffReached"]


async def test_passed_on_with_counts_when_all_are_answered(world) -> None:
    people = [world.person(number=None), world.person(number=None, version=3)]
    await world.hear(people)
    cut_off_id = await world.markers(people)
    assert not await pass_on_once(world.db, world.settings)  # nobody is answered yet
    assert await markers_out(world) == []
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    assert not await pass_on_once(world.db, world.settings)
    out = await markers_out(world)
    assert [marker["_partition"] for marker in out] == list(range(PARTITIONS))
    assert {marker["cut_off_id"] for marker in out} == {str(cut_off_id)}
    assert {(marker["producer"], marker["topic"]) for marker in out} == {("identity-verify", "identity-verify.verification.v1")}
    for marker in out:
        mine = [person for person in people if partition_of(person.beneficiary_id) == marker["_partition"]]
        assert marker["counts"] == {"subjects": len(mine), "versions": len(mine)}
        assert marker["unanswered"] == 0


async def test_an_incomplete_set_of_markers_is_not_passed_on(world) -> None:
    await world.markers([])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE cut_off SET complete_at = NULL")
        await tx.execute("DELETE FROM cut_off_partition WHERE partition = 3")
    assert not await pass_on_once(world.db, world.settings)


async def test_a_source_that_is_away_does_not_block_and_is_counted(world) -> None:
    person = world.person()
    await world.hear([person])
    world.population.script = [httpx.Response(503)]
    await world.drain()
    await world.markers([person])
    assert await pass_on_once(world.db, world.settings)
    out = await markers_out(world)
    assert sum(marker["unanswered"] for marker in out) == 1
    assert sum(marker["counts"]["subjects"] for marker in out) == 0


async def test_people_registered_after_the_marker_do_not_delay_it(world) -> None:
    person = world.person(number=None)
    await world.hear([person])
    await world.drain()
    await world.markers([person])
    await world.hear([world.person(number="060150000009")])
    assert await pass_on_once(world.db, world.settings)


async def test_a_difference_is_kept_shown_and_not_passed_on(world) -> None:
    person = world.person(number=None)
    await world.hear([person])
    await world.drain()
    missing = world.person(number=None)
    cut_off_id = await world.markers([person, missing])
    assert not await pass_on_once(world.db, world.settings)
    async with world.db.read() as tx:
        row = await tx.row("SELECT difference FROM cut_off_partition WHERE cut_off_id = :id AND difference <> '{}'", id=cut_off_id)
    assert row["difference"]["beneficiaries"] == 1
    assert await world.parked() == 0


async def test_the_marker_sees_exactly_what_came_before_it_in_one_batch(world) -> None:
    people = [world.person(number=None) for _ in range(20)]
    await world.hear(people)
    await world.markers(people)
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    assert sum(marker["counts"]["subjects"] for marker in await markers_out(world)) == 20
