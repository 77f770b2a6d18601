"""How fast the sums are read, followed and made again, over a province made set-based.

`REPORTING_PEOPLE` and `REPORTING_MONTHS` make it larger: 500000 and 10 are the 5,000,000 payments of docs/architecture/reporting.md.
Limits are loose (another machine, another load); the printed figures are what is compared.
"""

from __future__ import annotations

import os
import statistics
import time
from datetime import date
from pathlib import Path

import pytest
from large_province import fill_log, fill_payments, fill_units
from reporting_builders import Reporting, World, incoming

from common.actor import SYSTEM
from common.contracts.disbursement_v1 import Channel, PaymentStatus
from common.contracts.registry_v1 import Programme
from common.jobs import Job, JobRunner
from reporting.storage import event_log, projections, reports, sums
from reporting.storage.event_log import SeqRange
from reporting.usecases import rebuild
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask

PEOPLE = int(os.environ.get("REPORTING_PEOPLE", "5000"))
MONTHS = [f"2024-{month:02}-01" for month in range(1, 1 + int(os.environ.get("REPORTING_MONTHS", "4")))]
BATCH = 5_000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]


def tell(what: str, figure: float, unit: str) -> None:
    print(f"{what}: {figure:,.1f} {unit}, load {os.getloadavg()[0]:.1f}")


async def test_questions_over_many_payments(reporting: Reporting) -> None:
    actor = SYSTEM("test")
    async with reporting.db.transaction(actor) as tx:
        await fill_units(tx)
        for month in MONTHS:
            await fill_payments(tx, PEOPLE, month)
    async with reporting.db.transaction(actor) as tx:
        await sums.make_all(tx, "")
        await tx.execute("SELECT read_models_analyze('')")
    last = date.fromisoformat(MONTHS[-1])
    ask = Ask(first=last, last=last, unit_path="60", as_of=last)
    took: dict[str, list[float]] = {"indicators": [], "coverage": [], "channels": [], "outcomes": []}
    async with reporting.db.read(actor) as tx:
        for _ in range(9):
            for name, times in took.items():
                start = time.perf_counter()
                answer = await measure_in(tx, ask) if name == "indicators" else None
                if answer is None:
                    await getattr(reports, name)(tx, last, "60")
                else:
                    assert answer.row("ALL").values["due_people"] == PEOPLE
                times.append(1_000 * (time.perf_counter() - start))
    for name, times in took.items():
        tell(f"{name} over {PEOPLE * len(MONTHS):,} payments, median", statistics.median(times), "ms")
        assert statistics.median(times) < 5_000


def cpu_of(process: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time of PostgreSQL is read from /proc")
async def test_the_whole_consumer(reporting: Reporting) -> None:
    """Contract checked, inbox, log, read models, sums: by processor time of our process and of PostgreSQL's, whatever else runs here."""
    world = World()
    for number in range(PEOPLE):
        unit = f"60/593/{22_900 + number % 40}"
        world.paid(unit, Programme.SOCIAL_ASSISTANCE, Channel.BANK, [PaymentStatus.APPROVED, PaymentStatus.SETTLED])
    events = sorted(incoming(world.events), key=lambda event: event.type)
    await reporting.hear(events[:100])

    async def cpu() -> float:
        async with reporting.db.read() as tx:
            rows = await tx.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return time.process_time() + sum(cpu_of(row["pid"]) for row in rows)

    before, start = await cpu(), time.perf_counter()
    await reporting.hear(events[100:], batch=BATCH)
    took, worked = time.perf_counter() - start, await cpu() - before
    tell(f"whole consumer, {len(events):,} events", len(events) / took, "events/s")
    tell("whole consumer, by processor time", len(events) / worked, "events per processor second")
    assert len(events) / worked > 2_000


async def test_projection_and_rebuild(reporting: Reporting) -> None:
    actor = SYSTEM("test")
    async with reporting.db.transaction(actor) as tx:
        events = await fill_log(tx, PEOPLE, MONTHS)
        span = await event_log.bounds(tx)
    start = time.perf_counter()
    for low in range(span.low, span.high + 1, BATCH):
        async with reporting.db.transaction(actor) as tx:
            await projections.project(tx, SeqRange(low, low + BATCH - 1))
    tell(f"read models and sums of {events:,} events in batches", events / (time.perf_counter() - start), "events/s")
    followed = await reporting.tables()

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(reporting.db, job)

    await rebuild.request_rebuild(reporting.db, actor, date(2024, 12, 1))
    start = time.perf_counter()
    assert await JobRunner(reporting.db, {rebuild.KIND: handler}, owner="test", lease_seconds=3_600).run_one()
    tell(f"rebuild of {events:,} events", events / (time.perf_counter() - start), "events/s")
    assert await reporting.tables() == followed
