"""What a list was made from has traces of its own: the list's forming leads to them, and so does each payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing
from common.consumer import Incoming
from common.contracts.envelope import Event
from common.ids import new_id
from common.topics import partition_of

REGISTRY, IDENTITY, ACCOUNTS, OTHER, UNKEPT, APPROVAL = (str(number) * 32 for number in range(1, 7))


def led_by(event: Event, trace: str) -> Incoming:
    key, flag = getattr(event, event.KEY), int(trace != UNKEPT)
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-0{flag}"}
    raw = event.model_dump_json(warnings=False).encode()
    return Incoming(event.TOPIC, partition_of(key), 0, key, new_id(), event.type_name(), headers, raw)


def traces_of(links: Any) -> set[str]:
    return {f"{link.context.trace_id:032x}" for link in links}


async def two_people(province: Any, due: Callable[..., Any]) -> list[Event]:
    """One is known by three traces of three services, one by what nobody keeps and another trace; in one poll batch."""
    first, second = (province.by_account(new_id(), due(500_000)) for _ in range(2))
    traces = (REGISTRY, REGISTRY, IDENTITY, ACCOUNTS, ACCOUNTS)
    heard = [led_by(event, trace) for event, trace in zip(first, traces, strict=True)]
    heard += [led_by(event, OTHER if number == 3 else UNKEPT) for number, event in enumerate(second)]
    await province.consumer.apply(heard)
    return [first[0], second[0]]


@pytest.mark.promise("running.one-trace")
async def test_a_list_is_linked_with_what_its_lines_were_made_from(
    spans: InMemorySpanExporter, province: Any, due: Callable[..., Any]
) -> None:
    first, second = await two_people(province, due)
    cycle = await province.compute(await province.open())
    (forming,) = [span for span in spans.get_finished_spans() if span.name == "job compute-list"]
    assert traces_of(forming.links) == {REGISTRY, IDENTITY, ACCOUNTS, OTHER}
    kept = await province.rows("SELECT beneficiary_id, led_by FROM list_line")
    found = {row["beneficiary_id"]: {tracing.trace_id_of(context) for context in row["led_by"]} for row in kept}
    assert found == {first.beneficiary_id: {REGISTRY, IDENTITY, ACCOUNTS}, second.beneficiary_id: {OTHER}}
    assert (await province.submit(cycle)).status_code == 200
    with tracing.span("POST /v1/cycles/{cycle_id}/approve", "server", parent=f"00-{APPROVAL}-b7ad6b7169203331-01"):
        assert (await province.approve(cycle)).status_code == 200
    (made,) = [span for span in spans.get_finished_spans() if span.name == "payments move"]
    assert f"{made.context.trace_id:032x}" == APPROVAL
    assert traces_of(made.links) == {f"{forming.context.trace_id:032x}", REGISTRY, IDENTITY, ACCOUNTS, OTHER}
    (payment,) = (await province.maker.get(f"/v1/payments?beneficiary_id={first.beneficiary_id}")).json()["items"]
    told = (await province.maker.get(f"/v1/payments/{payment['payment_id']}/timeline")).json()["traces"]
    assert told[:2] == [APPROVAL, f"{forming.context.trace_id:032x}"]
    assert set(told[2:]) == {REGISTRY, IDENTITY, ACCOUNTS}


async def test_a_row_formed_anew_keeps_the_trace_that_formed_it(spans: InMemorySpanExporter, province: Any) -> None:
    who = new_id()
    old, new, newer = (province.beneficiary(who) for _ in range(3))
    await province.consumer.apply([led_by(new, REGISTRY)])
    await province.consumer.apply([led_by(old, OTHER)])
    (row,) = await province.rows("SELECT traceparent FROM beneficiary")
    assert tracing.trace_id_of(row["traceparent"]) == REGISTRY, "an older event forms nothing"
    tracing.use(None)
    await province.consumer.apply([led_by(newer, OTHER)])
    assert await province.rows("SELECT version, traceparent FROM beneficiary") == [{"version": 3, "traceparent": None}]


async def test_without_a_collector_a_list_keeps_and_asks_nothing(province: Any, due: Callable[..., Any]) -> None:
    await two_people(province, due)
    await province.compute(await province.open())
    assert {row["led_by"] for row in await province.rows("SELECT led_by FROM list_line")} == {None}
    for table in ("beneficiary", "dues", "verification", "payout_account", "payout_method", "payment_list"):
        assert await province.rows(f"SELECT 1 FROM {table} WHERE traceparent IS NOT NULL") == []
