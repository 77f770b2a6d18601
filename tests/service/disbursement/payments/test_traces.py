"""One payment, one trace: from the request that makes it over its partner to the partner's notice and the service that reports it."""

from __future__ import annotations

import re
from hashlib import md5
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.disbursement_v1 import PaymentInstructed, PaymentSettled
from common.db import Tx
from common.http import client
from common.relay import _headers
from common.topics import Topic
from disbursement.storage.traces import of_payment

REQUEST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = REQUEST.split("-")[1]


def of_trace(spans: InMemorySpanExporter, trace: str = TRACE) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == trace]


async def reported(database: Any, sent: list[dict[str, Any]]) -> None:
    """What the reporting service does with these rows of the outbox, as far as traces go."""
    seen: list[Any] = []

    async def apply(_tx: Tx, heard: list[Incoming]) -> None:
        seen.append(structlog.contextvars.get_contextvars().get("trace_id"))

    subscription = Subscription(Topic.PAYMENT, (PaymentInstructed, PaymentSettled), apply)
    consumer = Consumer(
        database("reporting").db, "reporting", (subscription,), bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1
    )
    for number, row in enumerate(sent):
        headers = {name: value.decode() for name, value in _headers(row, "disbursement")}  # type: ignore[arg-type]
        await consumer.apply([Incoming(row["topic"], 0, number, row["key"], row["event_id"], row["type"], headers, b"{}")])
    assert seen == [TRACE] * len(sent), "the log lines of the applying carry the trace's id"


@pytest.mark.promise("running.one-trace")
async def test_one_payment_is_one_trace_from_the_request_to_the_banks_notice(
    spans: InMemorySpanExporter, world: Any, database: Any
) -> None:
    """Approval, sending, the call of the bank, its notice, the report: one trace id, each the child of what led to it."""
    with tracing.span("POST /v1/cycles/{cycle_id}/approve", "server", parent=REQUEST):
        await world.approve([world.line(), world.line()])
    await world.send()
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 2}
    rows = await world.rows("SELECT * FROM outbox WHERE type IN ('PaymentInstructed', 'PaymentSettled') ORDER BY id")
    assert len(rows) == 4
    assert {tracing.trace_id_of(row["traceparent"]) for row in rows} == {TRACE}
    await reported(database, rows)
    found = of_trace(spans)
    names = [span.name for span in found]
    assert {"POST /v1/cycles/{cycle_id}/approve", "batch send", "payments move", "apply reporting"} <= set(names), names
    assert any(name.startswith("POST partner") for name in names), names
    known = {span.context.span_id for span in found} | {int(REQUEST.split("-")[2], 16)}
    assert all(span.parent is not None and span.parent.span_id in known for span in found), "nothing stands alone"
    notice = next(span for span in spans.get_finished_spans() if span.name == "POST /v1/webhooks/partners/{partner}")
    applied = next(span for span in spans.get_finished_spans() if span.name == "notices apply")
    assert notice.context.span_id in {link.context.span_id for link in applied.links}, "the notice that came is linked"
    settled = [span for span in found if span.attributes and span.attributes.get("ansinh.status") == "SETTLED"]
    assert [link.context.span_id for span in settled for link in span.links] == [applied.context.span_id]


async def test_the_bank_is_told_the_trace(spans: InMemorySpanExporter, world: Any) -> None:
    import httpx

    told: list[str] = []

    async def bank(request: httpx.Request) -> httpx.Response:
        told.append(request.headers["traceparent"])
        return httpx.Response(503)

    async with client(to=("http://bank.test",), transport=httpx.MockTransport(bank)) as http:
        with tracing.span("batch send", parent=REQUEST):
            await http.post("http://bank.test/v1/batches", content=b"{}")
    (call,) = [span for span in of_trace(spans) if span.name == "POST bank.test"]
    assert told == [f"00-{TRACE}-{call.context.span_id:016x}-01"]
    assert dict(call.attributes or {})["error.type"] == "503"


@pytest.mark.promise("running.one-trace")
async def test_spans_hold_nothing_of_people(spans: InMemorySpanExporter, world: Any) -> None:
    with tracing.span("approve", "server", parent=REQUEST):
        await world.approve([world.line(), world.line(account_status="CLOSED"), world.line(partner="vnpost", channel="CASH_POST")])
    for partner in ("agribank", "vnpost"):
        await world.send(partner)
    await world.partner_works()
    await world.apply()
    async with client_of(world) as http:
        await http.get("/v1/payments?beneficiary_id=Nguyen&q=038123451234", headers={"authorization": "Bearer x"})
        await http.get("/v1/nobody/038123451234")
    made = spans.get_finished_spans()
    assert len(made) > 8
    for span in made:
        said = {**(span.attributes or {})}
        assert said.keys() <= tracing.ATTRIBUTES
        assert not span.events
        assert span.status.description is None
        told = f"{span.name} {said}"
        assert not re.search(r"\d{9,19}(?![\da-f-])", told.replace(str(said.get("ansinh.batch")), "")), told
        assert "Nguyen" not in told
        assert "Bearer" not in told
    people = await world.rows("SELECT full_name, beneficiary_id FROM beneficiary")
    everything = " ".join(f"{span.name} {dict(span.attributes or {})}" for span in made)
    assert people
    assert not [row for row in people if row["full_name"] in everything or str(row["beneficiary_id"]) in everything]


def client_of(world: Any) -> Any:
    import httpx

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app, raise_app_exceptions=False), base_url="http://test")


def test_a_name_that_is_not_on_the_list_is_refused(spans: InMemorySpanExporter) -> None:
    with pytest.raises(KeyError), tracing.span("x", national_number="038123451234"):
        pass


async def test_without_a_collector_there_is_no_span_and_no_context(world: Any) -> None:
    with tracing.span("approve", parent=REQUEST) as span:
        await world.approve([world.line()])
    assert span is None
    assert await world.value("SELECT count(*) FROM outbox WHERE traceparent IS NOT NULL") == 0
    assert await world.value("SELECT count(*) FROM payment_batch WHERE traceparent IS NOT NULL") == 0


@pytest.mark.promise("running.one-trace")
async def test_a_batch_is_linked_with_what_its_payments_were_made_from(spans: InMemorySpanExporter, world: Any) -> None:
    """The list's forming, then the traces that led to most lines; what is beyond the bound is counted. The story names them all."""
    shared, formed = "a" * 32, "b" * 32
    with tracing.span("POST /v1/cycles/{cycle_id}/approve", "server", parent=REQUEST):
        await world.approve([world.line() for _ in range(20)])
    async with world.owner() as tx:
        await tx.execute("UPDATE payment_list SET traceparent = :t", t=f"00-{formed}-{'1' * 16}-01")
        await tx.execute(
            "UPDATE list_line SET led_by = ARRAY(SELECT '00-' || md5(line_id || x) || '-1111111111111111-01'"
            " FROM unnest(ARRAY['a', 'b', 'c', 'd', 'e']) AS x) || ARRAY[CAST(:t AS text)]",
            t=f"00-{shared}-{'2' * 16}-01",
        )
    await world.send()
    await world.partner_works()
    await world.apply()
    for name in ("batch send", "payments move"):
        made = [span for span in of_trace(spans) if span.name == name][-1]
        traces = [f"{link.context.trace_id:032x}" for link in made.links]
        assert len(traces) == len(set(traces)) == tracing.LINKS_AT_MOST
        assert {formed, shared} <= set(traces[:3])
        there = 20 * 5 + len({formed, shared}) + (name == "payments move")  # what brought the result, too
        assert dict(made.attributes or {})["ansinh.links.left_out"] == there - tracing.LINKS_AT_MOST
    row = (await world.rows("SELECT payment_id, line_id FROM payment LIMIT 1"))[0]
    own = [md5(f"{row['line_id']}{x}".encode(), usedforsecurity=False).hexdigest() for x in "abcde"]
    async with world.db.read() as tx:
        assert await of_payment(tx, row["payment_id"]) == [TRACE, formed, *own, shared]
