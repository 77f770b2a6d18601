"""Traces: one from a request over events and long work to the partner and its notice. Nothing of it is loaded, and nothing costs
anything, where no collector is named (`traces_url`).

The context of the transaction that writes a row (event, job, batch, notice) is the default of the row's column `traceparent`, read from
a setting of the session that :class:`common.db.Database` makes at the transaction's beginning; who goes on with the row goes on with its
trace. What a span may say is a closed list of names (:data:`ATTRIBUTES`), none of which holds what people sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from uuid import UUID

import structlog

from common.settings import MechanismSettings

if TYPE_CHECKING:
    from common.incoming import Incoming

__all__ = ["ATTRIBUTES", "SESSION_SETTING", "Kind", "Recorder", "Span", "applying", "begin", "current", "on", "span", "trace_id_of", "use"]

Kind = Literal["internal", "server", "client", "consumer"]
SESSION_SETTING: Final = "ansinh.traceparent"
TRACEPARENT: Final = re.compile(r"00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}")
ATTRIBUTES: Final = frozenset(
    {
        "http.request.method", "http.route", "http.response.status_code", "server.address", "messaging.consumer.group.name",
        "messaging.batch.message_count", "ansinh.job.kind", "ansinh.job.id", "ansinh.partner", "ansinh.batch", "ansinh.notices",
        "ansinh.payments", "ansinh.status", "error.type",
    }
)  # fmt: skip
"""Everything a span may say beside its name: routes as templates, never addresses; ids of work, never of people."""

_TRACES_AT_ONCE: Final = 100
"""Of one batch of events: the traces of more go on without a span here."""


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
    name: str, kind: Kind = "internal", *, parent: str | None = None, links: Sequence[str] = (), **attributes: str | int
) -> AbstractContextManager[Span | None]:
    """A span around a block (attributes: `http_route` for `http.route`); its trace's id stands on the log lines meanwhile.

    `parent` is a W3C trace context, such as a row's; without it, the current span's child.
    """
    return _logged(name, kind, parent, links, attributes) if _recorder else _OFF


@contextmanager
def _logged(name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Mapping[str, str | int]) -> Iterator[Span]:
    with _recorder[0].span(name, kind, parent, links, attributes) as made:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id_of(made.traceparent)):
            yield made


@contextmanager
def applying(consumer: str, events: Sequence[Incoming]) -> Iterator[Mapping[UUID, str]]:
    """Spans around the applying of events, one per trace that led here; key → trace context of what its event leads to."""
    led: dict[UUID, str] = {}
    if not _recorder:
        yield led
        return
    counted: dict[str, list[Any]] = {}
    for event in events:
        given = event.headers.get("traceparent")
        if (trace := trace_id_of(given)) is not None:
            counted.setdefault(trace, [given, 0, []])
            counted[trace][1] += 1
            counted[trace][2].append(event.key)
            led[event.key] = str(given)
    nothing: list[Any] = [None, 0, []]
    first, *others = [*counted.values()][:_TRACES_AT_ONCE] or [nothing]
    with ExitStack() as open_spans:
        for given, count, keys in (*others, first):  # the last is the current one
            if given is not None:
                last = given is first[0]
                said: dict[str, str | int] = {"messaging_consumer_group_name": consumer, "messaging_batch_message_count": count}
                made = (
                    _logged(f"apply {consumer}", "consumer", given, (), said)
                    if last
                    else _recorder[0].begun(f"apply {consumer}", "consumer", given, said)
                )
                led.update(dict.fromkeys(keys, open_spans.enter_context(made).traceparent))
        yield led
