"""A check goes on with the trace of the registry's event that asked for it, and so does what is said of its answer."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing
from common.consumer import Incoming
from common.contracts.envelope import Event
from common.ids import new_id
from common.topics import partition_of

NUMBERS = ("060150123456", "060150123457")


def led_by(event: Event) -> tuple[str, Incoming]:
    """The event as it comes in a trace of its own; that trace."""
    trace, key = uuid4().hex, getattr(event, event.KEY)
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    return trace, Incoming(event.TOPIC, partition_of(key), 0, key, new_id(), event.type_name(), headers, event.model_dump_json().encode())


async def said(world) -> dict[UUID, str | None]:
    async with world.db.read() as tx:
        rows = await tx.rows("SELECT key, traceparent FROM outbox ORDER BY id")
    return {row["key"]: tracing.trace_id_of(row["traceparent"]) for row in rows}


@pytest.mark.promise("running.one-trace")
async def test_two_people_checked_at_once_go_on_with_their_own_traces(spans: InMemorySpanExporter, world) -> None:
    people = [world.person(number=number) for number in NUMBERS]
    world.knows(NUMBERS[0])
    led = [led_by(person) for person in people]
    await world._consumer.apply([event for _, event in led])
    await world.drain()
    assert len(world.population.asked) == 1, "both in one question"
    assert await said(world) == {person.beneficiary_id: trace for person, (trace, _) in zip(people, led, strict=True)}
    for trace, _ in led:
        of_trace = {span.name: span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == trace}
        assert {"apply identity-verify", "people verify"} <= of_trace.keys()
        assert of_trace["people verify"].parent.span_id == of_trace["apply identity-verify"].context.span_id
        assert (of_trace["people verify"].attributes or {})["ansinh.asked"] == 1


async def test_without_a_collector_nothing_is_kept(world) -> None:
    person = world.person(number=NUMBERS[0])
    await world._consumer.apply([led_by(person)[1]])
    await world.drain()
    assert await said(world) == {person.beneficiary_id: None}
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM check_request WHERE traceparent IS NOT NULL") == 0
