"""The month's progress: the whole picture each time, resumed by its id, for a bounded number of readers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import httpx
import pytest
from reporting_builders import ASSISTANCE, MONTH, Reporting, S, incoming, small_month

from common.actor import Actor, Role
from common.contracts.disbursement_v1 import Channel
from common.problems import Problem, ServiceUnavailable, TooManyRequests
from reporting.usecases.progress import Feed, Picture

ClientAs = Callable[..., httpx.AsyncClient]


def officer(name: str = "an", *units: str) -> Actor:
    return Actor(subject=name, name=name, roles=frozenset({Role.DEPARTMENT_OFFICER}), unit_paths=units or ("60",))


async def following(stream: AsyncGenerator[Picture | None]) -> Picture:
    """The next picture."""
    async for item in stream:
        if item is not None:
            return item
    raise AssertionError("the stream has ended")


def people(picture: Picture, state: str) -> int:
    return sum(row["people"] for row in picture.body["states"] if row["state"] == state)


async def test_a_reader_sees_each_change_and_who_comes_back_misses_nothing(reporting: Reporting) -> None:
    world = small_month()
    await reporting.hear(incoming(world.events))
    feed = Feed(reporting.db, every_seconds=0.02)
    async with aclosing(feed.follow(officer(), MONTH, "60", None)) as stream:
        first = await following(stream)
        assert people(first, "PAID_BY_ACCOUNT") == 3
        world.paid("60/594/23235", ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED])
        heard = incoming(world.events)
        await reporting.hear(heard)
        await move_position(reporting, len(heard))
        second = await following(stream)
        assert people(second, "PAID_BY_ACCOUNT") == 4
    assert feed.readers == 0
    async with aclosing(feed.follow(officer(), MONTH, "60", first.id)) as missed:
        assert (await following(missed)).id == second.id
    async with aclosing(feed.follow(officer(), MONTH, "60", second.id)) as present:
        world.paid("60/594/23235", ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED])
        await reporting.hear(incoming(world.events))
        await move_position(reporting, 10_000)
        assert people(await following(present), "PAID_BY_ACCOUNT") == 5


async def move_position(reporting: Reporting, to: int) -> None:
    """What a poll batch writes beside the read models."""
    async with reporting.db.transaction(officer()) as tx:
        await tx.execute(
            "INSERT INTO consumer_position (consumer, topic, partition, position, highwater) VALUES ('reporting', 't', 0, :at, :at)"
            " ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = excluded.position",
            at=to,
        )


async def test_readers_are_bounded_and_an_ending_process_lets_them_go(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events))
    feed = Feed(reporting.db, readers=3, per_caller=2, every_seconds=0.02)
    streams = [feed.follow(officer(name), MONTH, "60", None) for name in ("an", "an", "binh", "chi")]
    for stream in streams[:2]:
        await following(stream)
    with pytest.raises(TooManyRequests) as many:
        feed.follow(officer("an"), MONTH, "60", None)
    assert many.value.headers["Retry-After"]
    await following(streams[2])
    with pytest.raises(ServiceUnavailable):
        feed.follow(officer("dung"), MONTH, "60", None)
    assert [item async for item in streams[3]] == [], "let in before the others came, counted only now"
    feed.close()
    for stream in streams[:3]:
        assert [item async for item in stream] == []
    assert feed.readers == 0


async def test_another_units_progress_is_not_there(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    feed = Feed(reporting.db)
    with pytest.raises(Problem) as refused:
        feed.follow(officer("an", "60/594"), MONTH, "60/593", None)
    assert refused.value.status == 404
    client = client_as(reporting.app, Role.DISTRICT_OFFICER, units=("60/594",))
    body = (await client.get("/v1/reports/progress", params={"month": MONTH})).json()
    assert (body["unit_path"], {row["state"] for row in body["states"]}) == ("60/594", {"UNCOLLECTED", "RELEASED"})
    assert (await client.get("/v1/reports/progress/events", params={"month": MONTH, "unit_path": "60"})).status_code == 404
    assert (await client_as(reporting.app).get("/v1/reports/progress/events", params={"month": MONTH})).status_code == 401
