"""Traces: one from a request over events and long work to the partner and its notice. Nothing of it is loaded, and nothing costs
anything, where no collector is named (`traces_url`).

The context of the transaction that writes a row (event, job, batch, notice) is the default of the row's column `traceparent`, read from
a setting of the session that :class:`common.db.Database` makes at the transaction's beginning; who goes on with the row goes on with its
trace. Where much of different origin comes together (a list, a batch), a span says by links which traces led to it. What a span may say
is a closed list of names (:data:`ATTRIBUTES`), none of which holds what people sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, Protocol
from uuid import UUID

import structlog

from common.settings import MechanismSettings

if TYPE_CHECKING:
    from common.incoming import Incoming

__all__ = [
    "ATTRIBUTES", "HERE_SQL", "LINKS_AT_MOST", "SESSION_SETTING", "Kind", "Recorder", "Span", "applying", "begin", "bounded", "current",
    "going_on", "link", "on", "span", "trace_id_of", "use",
]  # fmt: skip

Kind = Literal["internal", "server", "client", "consumer"]
SESSION_SETTING: Final = "ansinh.traceparent"
HERE_SQL: Final = f"nullif(current_setting('{SESSION_SETTING}', true), '')"
"""The trace context of a transaction, in its SQL; null without one."""
LINKS_AT_MOST: Final = 64
"""Of one span; how many more traces there were is said (`ansinh.links.left_out`)."""
TRACEPARENT: Final = re.compile(r"00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}")
ATTRIBUTES: Final = frozenset(
    {
        "http.request.method", "http.route", "http.response.status_code", "server.address", "messaging.consumer.group.name",
        "messaging.batch.message_count", "ansinh.job.kind", "ansinh.job.id", "ansinh.partner", "ansinh.batch", "ansinh.notices",
        "ansinh.payments", "ansinh.status", "ansinh.asked", "ansinh.links.left_out", "error.type",
    }
)  # fmt: skip
"""Everything a span may say beside its name: routes as templates, never addresses; ids of work, never of people."""

_TRACES_AT_ONCE: Final = 100
"""Of one batch of events or questions: the traces of more go on without a span here."""


class Span(Protocol):
    """A span that has begun."""

    @property
    def traceparent(self) -> str:
        """W3C trace context of what this span leads to."""

    def note(self, **attributes: str | int) -> None:
        """Say more; names with `_` for `.`."""

    def rename(self, name: str) -> None:
        """When it is known better."""

    def failed(self, kind: str) -> None:
        """It ended badly: the type of the error, never its text."""


class Recorder(Protocol):
    """What makes spans (`common.otel`)."""

    def span(
        self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Mapping[str, str | int]
    ) -> AbstractContextManager[Span]:
        """Begin one; the current one's child unless `parent` is given."""

    def begun(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, str | int]) -> AbstractContextManager[Span]:
        """Begin one that is nobody's current span."""

    def current(self) -> str | None:
        """W3C trace context of the current span."""

    def link(self, links: Sequence[str], attributes: Mapping[str, str | int]) -> None:
        """Link the current span with these."""


_recorder: list[Recorder] = []
_OFF: Final = nullcontext(None)


def use(recorder: Recorder | None) -> None:
    """Make spans by this one from now on, or by none."""
    _recorder[:] = [] if recorder is None else [recorder]


def begin(settings: MechanismSettings, service: str, process: str) -> None:
    """Send spans to the collector of the settings; nothing at all without one."""
    if settings.traces_url:
        from common.otel import OtlpRecorder

        use(OtlpRecorder(settings.traces_url, service, process, settings.traces_ratio))


def on() -> bool:
    """Whether spans are made here."""
    return bool(_recorder)


def current() -> str | None:
    """W3C trace context of the current span; None without one."""
    return _recorder[0].current() if _recorder else None


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace's id; None for what is no trace context."""
    found = TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None


def span(
    name: str, kind: Kind = "internal", *, parent: str | None = None, links: Iterable[str | None] = (), **attributes: str | int
) -> AbstractContextManager[Span | None]:
    """A span around a block (attributes: `http_route` for `http.route`); its trace's id stands on the log lines meanwhile.

    `parent` is a W3C trace context, such as a row's; without it, the current span's child. `links`: see :func:`bounded`.
    """
    return _logged(name, kind, parent, links, attributes) if _recorder else _OFF


@contextmanager
def _logged(name: str, kind: Kind, parent: str | None, links: Iterable[str | None], attributes: Mapping[str, str | int]) -> Iterator[Span]:
    kept, left_out = bounded(links, besides=trace_id_of(parent))
    with _recorder[0].span(name, kind, parent, kept, _counted(attributes, left_out)) as made:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id_of(made.traceparent)):
            yield made


def bounded(links: Iterable[str | None], *, besides: str | None = None) -> tuple[list[str], int]:
    """Each trace once, in this order, 64 at most, and how many more there were; not the trace `besides`.

    What nobody keeps (not sampled) is nothing to go to.
    """
    found: dict[str, str] = {}
    for given in links:
        trace = trace_id_of(given)
        if trace is not None and trace != besides and given is not None and int(given[-1], 16) & 1:
            found.setdefault(trace, given)
    return [*found.values()][:LINKS_AT_MOST], max(len(found) - LINKS_AT_MOST, 0)


def _counted(attributes: Mapping[str, str | int], left_out: int) -> Mapping[str, str | int]:
    more = left_out + int(attributes.get("ansinh_links_left_out", 0))
    rest = {name: value for name, value in attributes.items() if name != "ansinh_links_left_out"}
    return {**rest, "ansinh_links_left_out": more} if more else rest


def link(links: Iterable[str | None], left_out: int = 0) -> None:
    """Link the current span with these traces (:func:`bounded`); `left_out` more were not even read."""
    if _recorder:
        kept, more = bounded(links)
        _recorder[0].link(kept, _counted({"ansinh_links_left_out": left_out}, more))


@contextmanager
def applying(consumer: str, events: Sequence[Incoming]) -> Iterator[Mapping[UUID, str]]:
    """Spans around the applying of events, one per trace that led here; id of an event → trace context of what it leads to."""
    led = (((event.event_id,), event.headers.get("traceparent")) for event in events)
    with going_on(f"apply {consumer}", led, "messaging_batch_message_count", "consumer", messaging_consumer_group_name=consumer) as traces:
        yield traces


@contextmanager
def going_on(
    name: str, led: Iterable[tuple[Sequence[UUID], str | None]], counted: str, kind: Kind = "internal", **said: str | int
) -> Iterator[Mapping[UUID, str]]:
    """Spans around work on things of several traces, one per trace; key → trace context of what the work on it leads to.

    `led`: keys and trace context of each thing; `counted` names the attribute that says how many things a span is about.
    """
    traces: dict[UUID, str] = {}
    if not _recorder:
        yield traces
        return
    found: dict[str, tuple[str, list[Sequence[UUID]]]] = {}
    for keys, given in led:
        if given is not None and (trace := trace_id_of(given)) is not None:
            found.setdefault(trace, (given, []))[1].append(keys)
            traces.update(dict.fromkeys(keys, given))
    spanned = [*found.values()][:_TRACES_AT_ONCE]
    with ExitStack() as open_spans:
        for given, things in reversed(spanned):  # the first comes last: it is the current one
            about = {**said, counted: len(things)}
            first = given is spanned[0][0]
            made = _logged(name, kind, given, (), about) if first else _recorder[0].begun(name, kind, given, about)
            context = open_spans.enter_context(made).traceparent
            traces.update({key: context for keys in things for key in keys})
        yield traces
