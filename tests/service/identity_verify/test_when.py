"""When people are asked about again: old evidence, spread over days; deaths in the feed; never twice, never faster than agreed."""

from __future__ import annotations

import time
from datetime import date, timedelta

import httpx
import pytest

from common.contracts.registry_v1 import BeneficiaryStatus
from common.outside import Throttle
from identity_verify.usecases.cut_off import pass_on_once
from identity_verify.usecases.plan import plan_rechecks
from identity_verify.usecases.verify import Verifier

DAY = date(2024, 8, 20)


async def registered(world, count: int) -> list:
    people = []
    for number in range(count):
        world.knows(f"0601500{number:05d}")
        people.append(world.person(number=f"0601500{number:05d}"))
    await world.hear(people)
    await world.drain()
    assert len(await world.verdicts()) == count
    return people


async def test_evidence_older_than_the_window_is_asked_for_again_spread_over_the_last_days(world) -> None:
    people = await registered(world, 60)
    asked: dict = {}
    for days in range(30, 46):
        day = DAY + timedelta(days=days)
        assert not await plan_rechecks(world.db, world.settings, day)
        for subject in await world.waiting():
            asked.setdefault(subject, days)
    assert set(asked) == {person.beneficiary_id for person in people}, "nobody's evidence is older than 45 days"
    assert min(asked.values()) >= 45 - world.settings.recheck_jitter_days
    assert len(set(asked.values())) > 3, "a province registered in one day is not asked about in one day"
    assert set((await world.waiting()).values()) == {"RECHECK"}
    world.population.asked.clear()
    await world.drain()
    assert sum(map(len, world.population.asked)) == 60
    async with world.db.read() as tx:
        days = {row["checked_on"] for row in await tx.rows("SELECT DISTINCT checked_on FROM verification")}
    assert days == {DAY + timedelta(days=days) for days in asked.values()}, "evidence is of the day for which it was asked"
    assert not await plan_rechecks(world.db, world.settings, DAY + timedelta(days=46))
    assert await world.waiting() == {}, "fresh evidence asks for nothing"


async def test_the_same_person_has_the_same_day_and_is_asked_once(world) -> None:
    await registered(world, 20)
    day = DAY + timedelta(days=41)
    await plan_rechecks(world.db, world.settings, day)
    first = await world.waiting()
    for _ in range(3):
        await plan_rechecks(world.db, world.settings, day)
    assert await world.waiting() == first
    world.population.asked.clear()
    await world.drain()
    assert sum(map(len, world.population.asked)) == len(first)


async def test_before_a_cycle_the_cut_off_waits_for_those_whose_evidence_is_too_old(world) -> None:
    people = await registered(world, 5)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE verification SET checked_on = checked_on - 50 WHERE subject_id = :id", id=people[0].beneficiary_id)
    await world.markers(people)
    world.population.asked.clear()
    assert not await pass_on_once(world.db, world.settings), "one is being asked about"
    assert list(await world.waiting()) == [people[0].beneficiary_id]
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    assert sum(map(len, world.population.asked)) == 1


async def test_people_without_a_number_the_dead_and_those_who_left_are_not_asked_about_again(world) -> None:
    world.knows("060150000001", status="DECEASED", death_date="2024-08-01")
    world.knows("060150000002")
    dead, left = world.person(number="060150000001"), world.person(number="060150000002")
    await world.hear([world.person(number=None), dead, left])
    await world.drain()
    await world.hear([left.model_copy(update={"status": BeneficiaryStatus.LEFT, "version": 2})])
    await plan_rechecks(world.db, world.settings, DAY + timedelta(days=90))
    assert await world.waiting() == {}


async def test_a_death_in_the_feed_is_asked_about_and_holds_only_after_the_answer(world) -> None:
    people = await registered(world, 3)
    world.population.deaths = ["060150099999", "060150000001", "060150088888"]
    world.population.people["060150000001"]["answer"] = {"status": "DECEASED", "death_date": "2024-08-01"}
    assert await world.feed.poll_once()
    assert not await world.feed.poll_once()
    assert await world.waiting() == {people[1].beneficiary_id: "DEATH_FEED"}
    await world.drain()
    assert (await world.verdicts())[people[1].beneficiary_id] == "DECEASED"
    kind, body = (await world.events())[-1]
    assert (kind, body["death_date"]) == ("BeneficiaryFoundDeceased", "2024-08-01")
    assert world.population.feed_reads == [None, "2"]


async def test_the_feed_goes_on_where_it_was_left_also_after_an_outage(world) -> None:
    await registered(world, 3)
    world.population.deaths = ["060150000000", "060150000001", "060150000002"]
    assert await world.feed.poll_once()
    world.population.script = [httpx.ConnectError("away")]
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE death_feed SET polled_at = NULL")
    assert not await world.feed.poll_once()
    await world.all_due()
    assert not await world.feed.poll_once()
    assert world.population.feed_reads == [None, "2", "2"]
    assert len(await world.waiting()) == 3
    assert not await world.feed.poll_once()
    assert len(world.population.feed_reads) == 3, "not before it is time again"


async def test_an_answer_given_before_the_death_was_recorded_is_not_taken(world) -> None:
    world.knows("060150123456")
    await world.hear([world.person()])
    answer, world.population.deaths = world.population.handle, ["060150123456"]

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        given = await answer(request)
        if len(world.population.asked) == 1 and request.url.path == "/v1/checks":
            world.population.people["060150123456"]["answer"] = {"status": "DECEASED", "death_date": "2024-08-01"}
            await world.feed.poll_once()
        return given

    world.adapter._outside._http._transport = httpx.MockTransport(meanwhile)
    await world.drain()
    assert [kind for kind, _ in await world.events()] == ["BeneficiaryFoundDeceased"]
    assert len(world.population.asked) == 2


async def test_a_strangers_death_under_a_wrong_number_stops_nobody(world) -> None:
    world.knows("060150123456", name="Lê Văn Tám", status="DECEASED", death_date="2024-08-01")
    await world.hear([world.person()])
    await world.drain()
    world.population.deaths = ["060150123456"]
    await world.feed.poll_once()
    await world.drain()
    assert [kind for kind, _ in await world.events()] == ["BeneficiaryVerificationFailed"] * 2
    assert set((await world.verdicts()).values()) == {"SUSPECTED_IDENTITY"}


async def test_all_workers_together_keep_to_the_agreed_rate(world) -> None:
    throttle, waits = Throttle("source_state", "source", burst_seconds=0.0), []
    started = time.monotonic()
    for _ in range(3):
        async with world.db.transaction() as tx:
            waits.append(await throttle.turn(tx, "population", 5_000, 100.0))
    took = time.monotonic() - started
    for wait, booked in zip(waits, (0.0, 50.0, 100.0), strict=True):
        assert booked - took - 0.1 <= wait <= booked + 0.1, (waits, took)
    async with world.db.transaction() as tx:
        assert await throttle.turn(tx, "population", 50, 0.0) == 0.0


async def test_a_slow_source_gets_small_batches(world) -> None:
    for number in range(30):
        world.knows(f"0601500{number:05d}")
    await world.hear([world.person(number=f"0601500{number:05d}") for number in range(30)])
    settings = world.settings.model_copy(update={"population_persons_per_second": 5.0})
    assert await Verifier(world.db, world.adapter, settings).run_once()
    assert [len(batch) for batch in world.population.asked] == [10]


async def test_hours_of_outage_hammer_nobody_and_repeat_nothing(world) -> None:
    people = []
    for number in range(30):
        world.knows(f"0601500{number:05d}")
        people.append(world.person(number=f"0601500{number:05d}"))
    await world.hear(people)
    world.population.script = [httpx.ConnectError("away") for _ in range(100)]
    lanes = [Verifier(world.db, world.adapter, world.settings) for _ in range(3)]
    for _ in range(12):  # each: the breaker lets one try through, and every lane looks again and again
        for lane in lanes * 3:
            await lane.run_once()
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE source_state SET open_until = now() WHERE open_until IS NOT NULL")
    assert len(world.population.asked) <= 13, "one request a closing of the breaker"
    world.population.script.clear()
    before = len(world.population.asked)
    await world.all_due()
    await world.drain()
    assert sum(map(len, world.population.asked[before:])) == 30
    assert len(await world.events()) == 30


@pytest.mark.parametrize("how", ["foreign", "doubled", "truncated", "missing"])
async def test_garbled_answers_are_no_answers(world, how: str) -> None:
    world.knows("060150000000")
    world.knows("060150000001")
    await world.hear([world.person(number="060150000000"), world.person(number="060150000001")])

    def broken(request: httpx.Request) -> httpx.Response:
        results = [
            {"ref": str(place), "status": "MATCH", "population_name": "Trần Thị Phương", "population_birth_date": "1950-03-05"}
            for place in range(2)
        ]
        if how == "foreign":
            results = [{**result, "ref": f"x{result['ref']}"} for result in results]
        elif how == "doubled":
            results = [*results, *({**result, "status": "NOT_FOUND"} for result in results)]
        elif how == "missing":
            results = results[:1]
        body = httpx.Response(200, json={"results": results}).content
        return httpx.Response(200, content=body[: len(body) // 2] if how == "truncated" else body)

    world.adapter._outside._http._transport = httpx.MockTransport(broken)
    await world.verifier.run_once()
    verdicts = set((await world.verdicts()).values())
    assert verdicts == ({"VERIFIED"} if how == "missing" else set())
    assert len(await world.waiting()) == (1 if how == "missing" else 2)


async def test_the_day_is_the_registrys_and_not_the_calendars(world) -> None:
    await registered(world, 3)
    living_then = world.settings.model_copy(update={"business_date": None})
    assert not await plan_rechecks(world.db, living_then)
    assert await world.waiting() == {}, "a month of 2024 is run years later: its evidence is not old for that"
    world.knows("060150099999")
    await world.hear([world.person(number="060150099999", business_date=DAY + timedelta(days=46))])
    await world.drain()
    await plan_rechecks(world.db, living_then)
    assert len(await world.waiting()) == 3


async def test_the_feed_asks_about_whom_the_office_recorded_dead_since_its_day_may_be_another(world) -> None:
    dead, left, lives = await registered(world, 3)
    gone = [(dead, BeneficiaryStatus.DECEASED), (left, BeneficiaryStatus.LEFT)]

    async def said_again(version: int) -> None:
        await world.hear([person.model_copy(update={"status": status, "version": version}) for person, status in gone])

    async def feed(*numbers: str) -> None:
        world.population.deaths += numbers
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE death_feed SET polled_at = NULL")
        while await world.feed.poll_once():
            pass

    await said_again(2)
    await plan_rechecks(world.db, world.settings, DAY + timedelta(days=30))
    assert await world.waiting() == {}, "nobody else asks about them"
    world.population.people["060150000000"]["answer"] = {"status": "DECEASED", "death_date": "2024-07-01"}
    await feed("060150000000", "060150000001")
    assert await world.waiting() == {dead.beneficiary_id: "DEATH_FEED"}
    await said_again(3)
    assert await world.waiting() == {dead.beneficiary_id: "DEATH_FEED"}, "the question stands, whatever else the register says of them"
    await world.drain()
    kind, body = (await world.events())[-1]
    assert (kind, body["beneficiary_id"], body["death_date"]) == ("BeneficiaryFoundDeceased", str(dead.beneficiary_id), "2024-07-01")
    await said_again(4)
    world.population.people["060150000000"]["answer"] = {"status": "DECEASED", "death_date": "2024-08-01"}
    await feed("060150000000")
    await world.drain()
    assert (await world.events())[-1][1]["death_date"] == "2024-08-01", "the database corrected its day: the feed says 1 August"
    told = len(await world.events())
    await feed("060150000000")
    await world.drain()
    assert len(await world.events()) == told, "the same day asks nobody again"
    await world.hear([lives.model_copy(update={"status": BeneficiaryStatus.DECEASED, "version": 2})])
    await world.hear([lives.model_copy(update={"version": 3})])
    assert await world.waiting() == {lives.beneficiary_id: "CHANGED"}, "recorded by mistake: asked about as before"
