"""Links of a span: each trace once, no more than are read, and what was left out is said."""

from __future__ import annotations

from uuid import uuid4

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import tracing
from common.ids import new_id


def context(*, trace: str = "", kept: bool = True) -> str:
    return f"00-{trace or uuid4().hex}-{uuid4().hex[:16]}-0{int(kept)}"


def test_links_name_each_trace_once_and_are_bounded(spans: InMemorySpanExporter) -> None:
    traces = [uuid4().hex for _ in range(tracing.LINKS_AT_MOST + 6)]
    given = [context(trace=trace) for trace in (*traces, *traces)]
    with tracing.span("batch send", links=[context(kept=False), "nonsense", *given], ansinh_links_left_out=10):
        pass
    (made,) = spans.get_finished_spans()
    assert [f"{link.context.trace_id:032x}" for link in made.links] == traces[: tracing.LINKS_AT_MOST]
    assert dict(made.attributes or {}) == {"ansinh.links.left_out": 16}


def test_a_span_that_has_begun_is_linked(spans: InMemorySpanExporter) -> None:
    one = context()
    with tracing.span("job compute-list"):
        tracing.link([one, one, None])
        tracing.link([context() for _ in range(3)], 7)
    (made,) = spans.get_finished_spans()
    assert len(made.links) == 4
    assert f"{made.links[0].context.span_id:016x}" == one.split("-")[2]
    assert dict(made.attributes or {}) == {"ansinh.links.left_out": 7}


def test_work_on_things_of_several_traces_has_a_span_in_each(spans: InMemorySpanExporter) -> None:
    first, second = uuid4().hex, uuid4().hex
    a, b, c, d = (new_id() for _ in range(4))
    led = [((a,), context(trace=first)), ((b, c), context(trace=second)), ((a,), context(trace=first)), ((d,), None)]
    with tracing.going_on("accounts check", led, "ansinh_asked", ansinh_partner="agribank") as traces:
        assert tracing.trace_id_of(tracing.current()) == first
    assert {key: tracing.trace_id_of(context) for key, context in traces.items()} == {a: first, b: second, c: second}
    made = {f"{span.context.trace_id:032x}": span for span in spans.get_finished_spans()}
    assert {trace: (span.attributes or {})["ansinh.asked"] for trace, span in made.items()} == {first: 2, second: 1}


def test_without_a_collector_nothing_is_made() -> None:
    with tracing.going_on("accounts check", [((new_id(),), context())], "ansinh_asked") as traces:
        tracing.link([context()])
    assert traces == {}
