"""An account's check goes on with the trace of whoever registered the account, and so does what is said of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing

FIRST, SECOND = "1" * 32, "2" * 32
PEOPLE = (("BT-1", "Trần Thị Hoà", "0123456789", "060150000001", FIRST), ("BT-2", "Lê Văn Bình", "0123456780", "060150000002", SECOND))


async def said(world: Any) -> set[tuple[str, str | None]]:
    async with world.db.read() as tx:
        rows = await tx.rows("SELECT type, traceparent FROM outbox ORDER BY id")
    return {(row["type"], tracing.trace_id_of(row["traceparent"])) for row in rows}


async def sent(world: Any, code: str, name: str, number: str, trace: str) -> str:
    with tracing.span("POST /v1/imports", "server", parent=f"00-{trace}-b7ad6b7169203331-01"):
        answer = await world.send([(code, name, "", "Tài khoản", "Agribank", number, "", "")])
    return str(answer.json()["import_id"])


async def approved(world: Any, import_id: str, trace: str) -> None:
    await world.work()
    with tracing.span("POST /v1/imports/{import_id}/approve", "server", parent=f"00-{trace}-b7ad6b7169203331-01"):
        await world.approver.post(f"/v1/imports/{import_id}/approve")
    await world.work()


@pytest.mark.promise("running.one-trace")
async def test_two_accounts_checked_at_once_go_on_with_their_own_traces(spans: InMemorySpanExporter, world) -> None:
    for code, name, number, national, trace in PEOPLE:
        await world.hear([world.person(code, name, national)])
        world.partner.has(number, name, national)
        await approved(world, await sent(world, code, name, number, trace), trace)
    await world.drain()
    assert len(world.partner.asked) == 1, "both in one question"
    assert await said(world) == {(kind, trace) for kind in ("PayoutMethodChosen", "AccountLinked") for trace in (FIRST, SECOND)}
    asked = [span for span in spans.get_finished_spans() if span.name == "accounts check"]
    assert {f"{span.context.trace_id:032x}" for span in asked} == {FIRST, SECOND}


async def test_a_row_that_waited_for_its_person_goes_on_with_its_lists_trace(spans: InMemorySpanExporter, world) -> None:
    code, name, number, national, trace = PEOPLE[0]
    await approved(world, await sent(world, code, name, number, trace), SECOND)
    world.partner.has(number, name, national)
    await world.hear([world.person(code, name, national)])
    await world.drain()
    assert await said(world) == {("PayoutMethodChosen", trace), ("AccountLinked", trace)}


async def test_without_a_collector_nothing_is_kept(world) -> None:
    code, name, number, national, trace = PEOPLE[0]
    await world.hear([world.person(code, name, national)])
    world.partner.has(number, name, national)
    await approved(world, await sent(world, code, name, number, trace), trace)
    await world.drain()
    assert await said(world) == {("PayoutMethodChosen", None), ("AccountLinked", None)}
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM account WHERE traceparent IS NOT NULL") == 0
