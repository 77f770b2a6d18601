"""Structured logs and Prometheus metrics. Events of the log are constants; values are fields, masked by name."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from common.failures import describe

__all__ = ["CONSUMED", "LAG", "PARKED", "RELAYED", "REQUESTS", "configure_logging", "get_logger"]

RELAYED: Final = Counter("ansinh_relay_published_total", "Events published from the outbox")
CONSUMED: Final = Counter("ansinh_consumer_applied_total", "Events applied", ["consumer"])
PARKED: Final = Counter("ansinh_consumer_parked_total", "Events parked", ["consumer"])
LAG: Final = Gauge("ansinh_consumer_lag", "Events not yet applied", ["consumer", "topic", "partition"])
REQUESTS: Final = Histogram("ansinh_http_request_seconds", "Time to answer", ["method", "route", "status"])

_DIGITS: Final = re.compile(r"\d{9,19}")
# Where PostgreSQL repeats a row or a value in a text that somebody else (asyncio, a library) made of an exception.
_ROW: Final = re.compile(
    r"DETAIL:|CONTEXT:|Failing row contains|Key \(.*?\)=|invalid input (?:syntax|value) for|value out of range: |is out of range for type",
)
_Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def _told(error: BaseException, trace: TracebackType | None, seen: set[int]) -> list[str]:
    """An exception and what led to it: places in the code, and what broke without the values it broke on."""
    seen.add(id(error))
    lines: list[str] = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        lines += [*_told(before, before.__traceback__, seen), "\nThat led to:\n\n"]
    lines += ["Traceback (most recent call last):\n", *traceback.format_tb(trace), describe(error), "\n"]
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(part) not in seen:
            lines += ["\nOne of its parts:\n\n", *_told(part, part.__traceback__, seen)]
    return lines


def _trace(exc_info: _Raised) -> str:
    _, error, trace = exc_info
    return "".join(_told(error, trace, set())).rstrip()


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What a process that ends by an exception leaves behind goes to a log file too."""
    sys.stderr.write(_trace((kind, error, trace)) + "\n")


def _describe_errors(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Exceptions given as fields: a database error's own text may hold the row it failed on."""
    for name, value in event.items():
        if isinstance(value, BaseException) and name != "exc_info":
            event[name] = describe(value)
    return event


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last line of defence: long runs of digits (numbers of people and accounts) and quoted rows never reach a log."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("timestamp", "request_id", "trace_id"):
            quoted = _ROW.search(value)
            kept = value if quoted is None else value[: quoted.start()].rstrip() + " [row left out]"
            event[name] = _DIGITS.sub(lambda found: "*" * (len(found[0]) - 2) + found[0][-2:], kept)
    return event


def configure_logging(level: str, service: str, process: str) -> None:
    """JSON lines on standard output; the standard library's loggers go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_errors,
        structlog.processors.ExceptionRenderer(_trace),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, process=process)
    sys.excepthook = _last_words
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()])
    )  # fmt: skip
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # aiokafka reports every retry while a broker is away as an error: the worker's own lines say it once
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def get_logger(name: str) -> Any:
    """A structured logger."""
    return structlog.get_logger(name)
