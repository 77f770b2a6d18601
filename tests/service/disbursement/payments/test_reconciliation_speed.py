"""A statement of 50,000 lines, half of it news: read, judged and applied with ledger and events in 15 seconds or less."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansinh.effort import Effort
from common.auth import Role
from common.jobs import JobRunner
from disbursement.storage import payment_moves
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler
from simulators.partner.statements import Line, as_file

LINES = 50_000
SECONDS = 15

# Sent and accepted payments without their partner's word, as fifty batches leave them.
_SENT = "UPDATE payment SET status = 'SUBMITTED', version = 3"
_HALF_SETTLED = """
INSERT INTO payment_move (payment_id, to_status, occurred_at, source, source_id)
SELECT payment_id, 'SETTLED', now(), 'NOTICE', 'x' FROM payment ORDER BY payment_id LIMIT :half
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["CSV", "CAMT053"])
async def test_fifty_thousand_lines(world: Any, client_as: Any, record_property: Any, form: str) -> None:
    await world.approve([world.line() for _ in range(LINES)])
    async with world.owner() as tx:
        await tx.execute(_SENT)
        await payment_moves.prepare(tx)
        await tx.execute(_HALF_SETTLED, half=LINES // 2)
        await payment_moves.apply(tx)
    rows = await world.rows("SELECT reference FROM payment ORDER BY line_id")
    booked = [Line(1_725_500_000.0, row["reference"], f"FT{n}", 500_000, "TRO CAP") for n, row in enumerate(rows)]
    content = as_file(form, "agribank", booked)
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    with Effort(world.db.url) as effort:
        answer = await officer.post(
            "/v1/statements",
            data={"partner": "agribank", "business_date": "2024-09-11", "from_date": "2024-09-01", "to_date": "2024-09-10"},
            files={"file": (f"sao-ke.{form[:4].lower()}", content)},
            headers={"Idempotency-Key": "fifty-thousand"},
        )
        assert answer.status_code == 202, answer.text
        runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
        assert await runner.run_one()
    record_property("seconds", round(effort.wall, 1))
    print(f"{LINES} statement lines ({form}): {effort}")
    assert await world.rows("SELECT verdict, count(*) AS n FROM statement_line GROUP BY 1") == [{"verdict": "MATCHED", "n": LINES}]
    assert await world.statuses() == {"SETTLED": LINES}
    assert effort.seconds < SECONDS


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_fifty_thousand_unknown_lines_block_no_good_one(world: Any, client_as: Any, record_property: Any) -> None:
    """Among the lines of nobody a thousand are ours: all found, the rest on a work list that can be read to its end."""
    await world.approve([world.line() for _ in range(1_000)])
    async with world.owner() as tx:
        await tx.execute(_SENT)
    rows = await world.rows("SELECT reference FROM payment ORDER BY line_id")
    booked = []
    for n in range(LINES):
        booked.append(Line(1_725_500_000.0, f"{n:032X}001", f"FX{n}", 500_000, "TIEN NUOC"))
        if n % 50 == 0:
            booked.append(Line(1_725_500_000.0, rows[n // 50]["reference"], f"FT{n}", 500_000, "TRO CAP"))
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    with Effort(world.db.url) as effort:
        answer = await officer.post(
            "/v1/statements",
            data={"partner": "agribank", "business_date": "2024-09-11", "from_date": "2024-09-01", "to_date": "2024-09-10"},
            files={"file": ("sao-ke.csv", as_file("CSV", "agribank", booked))},
            headers={"Idempotency-Key": "fifty-thousand-unknown"},
        )
        assert answer.status_code == 202, answer.text
        assert await JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test").run_one()
    record_property("seconds", round(effort.wall, 1))
    verdicts = {row["verdict"]: row["n"] for row in await world.rows("SELECT verdict, count(*) AS n FROM statement_line GROUP BY 1")}
    assert verdicts == {"MATCHED": 1_000, "EXTRA": LINES}
    assert await world.statuses() == {"SETTLED": 1_000}
    seen, cursor, slowest = 0, None, 0.0
    while True:
        asked = time.monotonic()
        query = {"business_date": "2024-09-12", "kind": "EXTRA", "limit": 200} | ({"cursor": cursor} if cursor else {})
        page = (await officer.get("/v1/breaks", params=query)).json()
        slowest = max(slowest, time.monotonic() - asked)
        seen, cursor = seen + len(page["items"]), page["next_cursor"]
        if cursor is None:
            break
    record_property("slowest_page", round(slowest, 3))
    print(f"{len(booked)} statement lines, {LINES} of nobody: {effort}; the slowest page of 200 differences in {slowest:.3f} s")
    assert seen == LINES
