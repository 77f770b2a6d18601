"""Spans by OpenTelemetry, sent over OTLP/HTTP. Loaded only where a collector is named (:mod:`common.tracing`): it is 16 MiB of memory.

A thread of its own sends them, from a queue that forgets what does not fit: a collector that is slow or away holds nobody up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import requests  # house: http-client - the exporter takes no other; it is given one address, a time and no redirects
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from common.masking import hide_long_numbers
from common.tracing import ATTRIBUTES, LINKS_AT_MOST, TRACEPARENT, Kind

__all__ = ["OtlpRecorder", "SdkRecorder"]

_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER,
}  # fmt: skip
_NAMES: Final = {name.replace(".", "_"): name for name in ATTRIBUTES}
_SEND_SECONDS: Final = 5.0


def _context(traceparent: str) -> SpanContext | None:
    found = TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    return SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(traceparent[-2:], 16)))


def _linked(links: Sequence[str]) -> list[Link]:
    return [Link(found) for found in map(_context, links) if found is not None]


def _parent(traceparent: str | None) -> Context | None:
    known = _context(traceparent) if traceparent else None
    return trace.set_span_in_context(NonRecordingSpan(known), Context()) if known else None


def _said(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    """By their real names; a name that is not on the list raises KeyError, long numbers are hidden."""
    return {_NAMES[name]: hide_long_numbers(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


class _Span:
    def __init__(self, made: trace.Span) -> None:
        self.made = made

    @property
    def traceparent(self) -> str:
        """W3C trace context of what this span leads to."""
        return _written(self.made.get_span_context())

    def note(self, **attributes: str | int) -> None:
        """Say more."""
        self.made.set_attributes(_said(attributes))

    def rename(self, name: str) -> None:
        """When it is known better."""
        self.made.update_name(name)

    def failed(self, kind: str) -> None:
        """It ended badly."""
        self.made.set_attribute("error.type", kind)
        self.made.set_status(Status(StatusCode.ERROR))


class SdkRecorder:
    """Spans that go to `processor`."""

    def __init__(self, processor: SpanProcessor, service: str, process: str, ratio: float = 1.0) -> None:
        resource = Resource({"service.name": service, "service.namespace": "ansinh", "ansinh.process": process})
        limits = SpanLimits(max_attributes=16, max_events=0, max_links=LINKS_AT_MOST, max_attribute_length=200)
        self._provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), resource=resource, span_limits=limits)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("ansinh")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Mapping[str, str | int]) -> Iterator[_Span]:
        """One around a block; an exception is named by its type alone, its text may hold a person's row."""
        with self._tracer.start_as_current_span(
            name,
            context=_parent(parent),
            kind=_KINDS[kind],
            attributes=_said(attributes),
            links=_linked(links),
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            span = _Span(made)
            try:
                yield span
            except BaseException as error:
                span.failed(type(error).__name__)
                raise

    @contextmanager
    def begun(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, str | int]) -> Iterator[_Span]:
        """One that is nobody's current span."""
        made = self._tracer.start_span(name, context=_parent(parent), kind=_KINDS[kind], attributes=_said(attributes))
        try:
            yield _Span(made)
        finally:
            made.end()

    def current(self) -> str | None:
        """W3C trace context of the current span."""
        context = trace.get_current_span().get_span_context()
        return _written(context) if context.is_valid else None

    def link(self, links: Sequence[str], attributes: Mapping[str, str | int]) -> None:
        """Link the current span with these."""
        made = trace.get_current_span()
        for linked in _linked(links):
            made.add_link(linked.context, linked.attributes)
        made.set_attributes(_said(attributes))


class OtlpRecorder(SdkRecorder):
    """Spans that go to a collector (`…/v1/traces`); what is left is sent when the process ends."""

    def __init__(self, url: str, service: str, process: str, ratio: float) -> None:
        session = requests.Session()
        session.trust_env, session.max_redirects = False, 0
        exporter = OTLPSpanExporter(endpoint=url, timeout=_SEND_SECONDS, session=session)
        super().__init__(BatchSpanProcessor(exporter, max_queue_size=8_192), service, process, ratio)
