"""How fast the sums are read, followed and made again, and lists sent, over a province made set-based.

Small by itself. `REPORTING_FULL=1` asks for the promised sizes (5,000,000 payments, 2,000,000 events, 100,000 rows) and holds the promised
limits (docs/operate/numbers.md); `REPORTING_PEOPLE`, `REPORTING_MONTHS`, `REPORTING_EVENTS` and `REPORTING_ROWS` choose others.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from large_province import fill_dues, fill_log, fill_names, fill_payments, fill_standing, fill_units
from reporting_builders import Reporting, World, incoming
from served_api import served

from ansinh.effort import Effort
from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel, PaymentStatus
from common.contracts.registry_v1 import Programme
from common.db import Tx
from common.jobs import Job, JobRunner
from common.testing import token
from reporting.storage import event_log, projections, reports, sums
from reporting.storage.event_log import SeqRange
from reporting.usecases import rebuild, targets
from reporting.usecases.indicators import measure_in
from reporting.usecases.measured import Ask, Deadlines
from reporting.usecases.paper_cells import compute
from reporting.usecases.papers import wanted_of

FULL = os.environ.get("REPORTING_FULL") == "1"


def size(name: str, full: int, small: int) -> int:
    return int(os.environ.get(f"REPORTING_{name}", full if FULL else small))


PEOPLE = size("PEOPLE", 500_000, 5_000)
MONTHS = [f"2024-{month:02}-01" for month in range(1, 1 + size("MONTHS", 10, 4))]
EVENTS = size("EVENTS", 2_000_000, 60_000)
ROWS = size("ROWS", 100_000, 5_000)
BATCH = 5_000
QUESTION_MS = 300 if FULL else 5_000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]


def tell(what: str, figure: float, unit: str) -> None:
    print(f"{what}: {figure:,.1f} {unit}, load {os.getloadavg()[0]:.1f}")


async def test_questions_over_many_payments(reporting: Reporting) -> None:
    """What the pages, targets and monthly reports ask; each nine times in turn, the median of each."""
    actor = SYSTEM("test")
    async with reporting.db.transaction(actor) as tx:
        await fill_units(tx)
        for month in MONTHS:
            await fill_payments(tx, PEOPLE, month)
        await fill_dues(tx, PEOPLE)
        await projections.fill(tx, await event_log.bounds(tx), frozenset({"DuesChanged"}))
    async with reporting.db.transaction(actor) as tx:
        await sums.make_all(tx, "")
        await fill_standing(tx, MONTHS)
        await tx.execute("SELECT read_models_analyze('')")
    last = date.fromisoformat(MONTHS[-1])

    def measured(**more: Any) -> Callable[[Tx], Awaitable[Any]]:
        question = {"first": last, "last": last, "unit_path": "60", "as_of": last} | more
        return lambda tx: measure_in(tx, Ask(**question))

    async def ranked(_: Tx) -> Any:
        by = Deadlines(20, date(2023, 9, 1))
        return await targets.ranking(reporting.db, actor, "60", MONTHS[-1][:7], last, by, "by_account_rate", "ALL", communes=True)

    def report(code: str, period: str, unit_path: str = "60") -> Callable[[Tx], Awaitable[Any]]:
        wanted = wanted_of(actor, code, period, unit_path, None, last)

        async def made(tx: Tx) -> tuple[str, list[Any]]:
            found = await compute(tx, wanted, actor.sees)
            return found.name, found.rows

        return made

    questions: Mapping[str, Callable[[Tx], Awaitable[Any]]] = {
        "every indicator of the province": measured(below="NONE"),
        "every indicator of the province and its ten districts": measured(),
        "every indicator of a district and its communes": measured(unit_path="60/600"),
        "two indicators of 500 communes": measured(below="COMMUNES", codes=frozenset(("by_account_rate", "unpaid_people"))),
        "ranking of 500 communes": ranked,
        "every indicator of the province, whole year": measured(below="NONE", first=date.fromisoformat(MONTHS[0])),
        "coverage": lambda tx: reports.coverage(tx, last, "60"),
        "channels": lambda tx: reports.channels(tx, last, "60"),
        "outcomes": lambda tx: reports.outcomes(tx, last, "60"),
        "states": lambda tx: reports.states(tx, last, "60"),
        "payments by partner and status, all months": lambda tx: reports.payment_totals(tx, None, "60"),
        "report of a month": report("directive-21-monthly", MONTHS[-1][:7]),
        "report of the payment organisations": report("payment-organisation-monthly", MONTHS[-1][:7]),
        "the same of a district": report("payment-organisation-monthly", MONTHS[-1][:7], "60/600"),
        "half-yearly report": report("assistance-half-yearly", "2024-01"),
        "settlement of the year": report("merit-settlement-yearly", "2024-01"),
        "estimate of the next year": report("merit-estimate-yearly", "2025-01"),
    }
    took: dict[str, list[float]] = {name: [] for name in questions}
    async with reporting.db.read(actor) as tx:
        whole = await measured()(tx)
        assert whole.row("ALL").values["due_people"] == PEOPLE
        assert sum(row.values["due_people"] for row in whole.rows if row.group == "ALL" and not row.is_total) == PEOPLE
        _, estimate = await questions["estimate of the next year"](tx)
        assert estimate[0]["cells"]["1"] == sum(row["cells"]["1"] for row in estimate if not row["is_total"]) > PEOPLE // 20, (
            "a tenth has merit"
        )
        for _ in range(9):
            for name, question in questions.items():
                start = time.perf_counter()
                await question(tx)
                took[name].append(1_000 * (time.perf_counter() - start))
        start = time.perf_counter()
        await measured(below="COMMUNES")(tx)
        tell("every indicator of 500 communes at once (a file)", 1_000 * (time.perf_counter() - start), "ms")
    for name, times in took.items():
        tell(f"{name} over {PEOPLE * len(MONTHS):,} payments, median", statistics.median(times), "ms")
    assert {name for name, times in took.items() if statistics.median(times) >= QUESTION_MS} == set()


async def test_the_whole_consumer(reporting: Reporting) -> None:
    """Contract checked, inbox, log, read models, sums: by processor time of our process and of PostgreSQL's, whatever else runs here."""
    world = World()
    for number in range(EVENTS // 12 if not FULL else 20_000):
        unit = f"60/593/{22_900 + number % 40}"
        world.paid(unit, Programme.SOCIAL_ASSISTANCE, Channel.BANK, [PaymentStatus.APPROVED, PaymentStatus.SETTLED])
    events = sorted(incoming(world.events), key=lambda event: event.type)
    await reporting.hear(events[:100])

    with Effort(reporting.db.url) as effort:
        await reporting.hear(events[100:], batch=BATCH)
    tell(f"whole consumer, {len(events):,} events", len(events) / effort.wall, "events/s")
    tell("whole consumer, by processor time", len(events) / effort.worked, "events per processor second")
    assert len(events) / effort.worked > 2_000


async def test_projection_and_rebuild(reporting: Reporting) -> None:
    actor = SYSTEM("test")
    async with reporting.db.transaction(actor) as tx:
        events = await fill_log(tx, EVENTS // (4 + 2 * len(MONTHS)), MONTHS)
        span = await event_log.bounds(tx)
    start = time.perf_counter()
    for low in range(span.low, span.high + 1, BATCH):
        async with reporting.db.transaction(actor) as tx:
            await projections.project(tx, SeqRange(low, low + BATCH - 1))
    followed_in = time.perf_counter() - start
    tell(f"read models and sums of {events:,} events in batches", events / followed_in, "events/s")
    followed = await digests(reporting)

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(reporting.db, job)

    await rebuild.request_rebuild(reporting.db, actor, date(2024, 12, 1))
    start = time.perf_counter()
    assert await JobRunner(reporting.db, {rebuild.KIND: handler}, owner="test", lease_seconds=3_600).run_one()
    rebuilt_in = time.perf_counter() - start
    tell(f"rebuild of {events:,} events", rebuilt_in, "s")
    assert await digests(reporting) == followed
    if FULL:
        assert rebuilt_in <= 480
        assert events / followed_in >= 5_000


async def digests(reporting: Reporting) -> dict[str, tuple[int, int]]:
    """Per read model how many rows it has, and a sum over all of them that no other rows have; sums of zero say nothing."""
    found: dict[str, tuple[int, int]] = {}
    async with reporting.db.read() as tx:
        for row in await tx.rows("SELECT name FROM read_model ORDER BY name"):
            said = {"month": "people <> 0 OR payments <> 0", "standing": "people <> 0", "owed": "people <> 0 OR lines <> 0 OR dong <> 0"}
            zero = f"WHERE {said.get(row['name'].partition('_')[0], 'TRUE')}"
            one = await tx.row(f"SELECT count(*) AS n, sum(hashtextextended(CAST(t AS text), 0)) AS h FROM {row['name']} AS t {zero}")
            assert one is not None
            found[row["name"]] = (int(one["n"]), int(one["h"] or 0))
    return found


def memory_of(process: int, what: str) -> float:
    """MiB: `VmRSS` now, `VmHWM` at most so far."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith(what))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory of the service's process is read from /proc")
async def test_a_long_list_as_xlsx(reporting: Reporting) -> None:
    """The list of people who were not paid, from the database through the route over HTTP: time, and how the service's memory grows."""
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await fill_units(tx)
        await fill_names(tx, ROWS)
        await fill_payments(tx, ROWS, "2024-01-01", status="'FAILED'")
        await fill_payments(tx, ROWS // 50, "2024-02-01", status="'FAILED'")
        await tx.execute("SELECT read_models_analyze('')")
    headers = {"Authorization": f"Bearer {token([Role.DEPARTMENT_OFFICER.value])}"}

    def fetch(address: str, month: str) -> int:
        taken = 0
        query = {"month": month, "unit_path": "60", "form": "xlsx"}
        with httpx.stream("GET", f"{address}/v1/papers/unpaid-list", params=query, headers=headers, timeout=120) as answer:
            assert answer.status_code == 200, answer.read()
            for part in answer.iter_bytes():
                taken += len(part)
        return taken

    with served(reporting.settings) as (address, process):
        fetch(address, "2024-02")
        before = memory_of(process, "VmRSS")
        start = time.perf_counter()
        taken = fetch(address, "2024-01")
        seconds, grown = time.perf_counter() - start, memory_of(process, "VmHWM") - before
    tell(f"XLSX of {ROWS:,} rows ({taken / 1e6:.1f} MB) through the route", seconds, "s")
    tell("the service's memory grew at most by", grown, "MiB")
    assert taken > 20 * ROWS
    assert grown < 60
    assert seconds < (20 if FULL else 60)
