"""Any order and any repeats end in the same read models; a rebuild from the log ends in the same again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from reporting_builders import DAY, Reporting, incoming, shuffled, small_month

from common.actor import SYSTEM
from common.contracts.catalogue import example_of, publications
from common.contracts.registry_v1 import CutOffReached
from common.ids import new_id
from common.jobs import Job, JobRunner
from common.migrate import downgrade, upgrade
from common.problems import Conflict
from reporting.usecases import rebuild


@pytest.mark.parametrize("seed", range(5))
async def test_order_and_repeats_change_nothing(make_reporting: Callable[[], Reporting], seed: int) -> None:
    events = incoming(small_month().events)
    clean, wild = make_reporting(), make_reporting()
    await clean.hear(events)
    await wild.hear(shuffled(events, seed), batch=7)
    assert await wild.tables() == await clean.tables()
    assert len((await clean.tables())["payment"]) == 8


async def test_repeats_beyond_the_inbox_change_nothing(reporting: Reporting) -> None:
    """After the inbox's window an old event may come again: versions decide."""
    events = incoming(small_month().events)
    await reporting.hear(events)
    before = await reporting.tables()
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("DELETE FROM inbox")
    await reporting.hear(shuffled(events, 3))
    assert await reporting.tables() == before
    async with reporting.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM event_log") == len(events)


async def test_every_event_of_the_contracts_is_logged_and_none_is_parked(reporting: Reporting) -> None:
    events = incoming(example_of(publication.event) for publication in {p.event: p for p in publications()}.values())
    await reporting.hear(events)
    async with reporting.db.read() as tx:
        logged = {row["type"] for row in await tx.rows("SELECT type FROM event_log")}
        assert await tx.value("SELECT count(*) FROM parked_event") == 0
        body = await tx.value("SELECT body FROM event_log WHERE type = 'BeneficiaryRegistered'")
    assert logged == {publication.event.type_name() for publication in publications()}
    assert body["national_number"] == example_of(next(p.event for p in publications())).model_dump()["national_number"]
    assert CutOffReached.__name__ in logged


async def test_fields_and_words_of_a_later_release_are_borne(reporting: Reporting) -> None:
    first = incoming(small_month().events)[-1]
    body = json.loads(first.raw) | {"a_field_of_tomorrow": {"x": 1}, "reason": "A_REASON_OF_TOMORROW"}
    newer = incoming(small_month().events)[-1].__class__(
        first.topic, first.partition, 1, first.key, new_id(), first.type, first.headers, json.dumps(body).encode()
    )
    await reporting.hear([newer])
    assert "A_REASON_OF_TOMORROW" in (await reporting.tables())["hold"][0]


async def test_a_broken_event_is_parked_with_the_later_ones_of_its_key_only(reporting: Reporting) -> None:
    events = incoming(small_month().events)
    broken = next(event for event in events if event.type == "PaymentInstructed")
    bad = broken.__class__(
        broken.topic, broken.partition, broken.offset, broken.key, broken.event_id, broken.type, broken.headers,
        broken.raw.replace(b'"amount":2789000', b'"amount":-5'),
    )  # fmt: skip
    await reporting.hear([bad if event is broken else event for event in events])
    async with reporting.db.read() as tx:
        parked = await tx.rows("SELECT key FROM parked_event")
    assert {row["key"] for row in parked} == {broken.key}
    assert len((await reporting.tables())["payment"]) == 7


async def run_rebuild(reporting: Reporting) -> UUID:
    job_id = await rebuild.request_rebuild(reporting.db, SYSTEM("operator"), DAY)

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(reporting.db, job)

    assert await JobRunner(reporting.db, {rebuild.KIND: handler}, owner="test").run_one()
    return job_id


async def names_of_indexes(reporting: Reporting) -> list[tuple[str, str]]:
    async with reporting.db.read() as tx:
        rows = await tx.rows(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS what FROM pg_index"
            " WHERE indrelid IN (SELECT name::regclass FROM read_model) ORDER BY 1"
        )
    return [(row["name"], row["what"]) for row in rows]


async def test_rebuild_ends_in_the_same_tables_and_repairs_damage(reporting: Reporting) -> None:
    events = incoming(small_month().events)
    await reporting.hear(events)
    before = await reporting.tables()
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("DELETE FROM payment WHERE channel = 'BANK'")
        await tx.execute("UPDATE hold SET amount = 1, version = 99")
    names = await names_of_indexes(reporting)
    job_id = await run_rebuild(reporting)
    assert await reporting.tables() == before
    async with reporting.db.read() as tx:
        job = await tx.row("SELECT state, result FROM job WHERE id = :id", id=job_id)
        fill = await tx.value("SELECT reloptions FROM pg_class WHERE relname = 'payment'")
    assert job is not None
    assert job["state"] == "DONE"
    assert fill == ["fillfactor=70"]
    await reporting.hear(shuffled(events, 1))  # and goes on hearing
    assert await names_of_indexes(reporting) == names, "a later migration finds them by name"
    await run_rebuild(reporting)  # a second one works as well
    assert await reporting.tables() == before


async def test_a_database_of_the_release_before_is_made_right_by_itself(reporting: Reporting) -> None:
    """Its sums know no units above and lack the newest measure: read at once, made again by a job that only this release takes."""
    await reporting.hear(incoming(small_month().events))
    before = await reporting.tables()
    settings = reporting.settings.model_copy(update={"owner_database_url": reporting.home.owner_url})
    await asyncio.to_thread(downgrade, settings, "reporting", "0015")
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("DELETE FROM month_sum WHERE measure = 'unpaid_at_end'")
    await asyncio.to_thread(upgrade, settings, "reporting")
    there = await reporting.tables()
    assert there["month_sum_above"] == [line for line in before["month_sum_above"] if ",unpaid_at_end," not in line]
    assert there["standing_above"] == before["standing_above"]

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(reporting.db, job)

    assert not await JobRunner(reporting.db, {rebuild.KIND: handler}, owner="the release before").run_one()
    assert await JobRunner(reporting.db, {rebuild.AFTER_UPGRADE: handler}, owner="test").run_one()
    assert await reporting.tables() == before


async def test_rebuild_takes_in_what_arrives_meanwhile(reporting: Reporting, monkeypatch: pytest.MonkeyPatch) -> None:
    events = incoming(small_month().events)
    half = len(events) // 2
    await reporting.hear(events[:half])
    real = rebuild.jobs.progress

    async def progress(*args: object) -> None:
        await reporting.hear(events[half:])
        await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuild.jobs, "progress", progress)
    await run_rebuild(reporting)
    after = await reporting.tables()
    async with reporting.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM event_log") == len(events)
    assert len(after["payment"]) == 8


async def test_a_rebuild_taken_over_by_another_worker_does_not_swap(reporting: Reporting, monkeypatch: pytest.MonkeyPatch) -> None:
    await reporting.hear(incoming(small_month().events))
    before = await reporting.tables()
    real = rebuild.jobs.progress

    async def progress(*args: object) -> None:
        async with reporting.db.transaction(SYSTEM("other")) as tx:
            await rebuild.projections.rebuild_begin(tx)
        await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(rebuild.jobs, "progress", progress)
    job_id = await run_rebuild(reporting)
    async with reporting.db.read() as tx:
        assert await tx.value("SELECT state FROM job WHERE id = :id", id=job_id) == "FAILED"
    assert await reporting.tables() == before


async def test_one_rebuild_at_a_time(reporting: Reporting) -> None:
    await rebuild.request_rebuild(reporting.db, SYSTEM("operator"), DAY)
    with pytest.raises(Conflict):
        await rebuild.request_rebuild(reporting.db, SYSTEM("operator"), DAY)


async def test_the_log_cannot_be_changed_by_the_service(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events)[:3])
    with psycopg.connect(reporting.home.app_url.replace("+psycopg", "")) as conn:
        for sql in ("UPDATE event_log SET type = 'x'", "DELETE FROM event_log", "TRUNCATE event_log"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql)
            conn.rollback()


async def test_partitions_of_coming_months_exist(reporting: Reporting) -> None:
    assert await rebuild.extend_log(reporting.db) is False
    async with reporting.db.read() as tx:
        parts = await tx.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'event_log'::regclass")
        stray = await tx.value("SELECT count(*) FROM event_log_other")
    assert parts >= 13
    assert stray == 0
