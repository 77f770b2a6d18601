"""Structured logs and Prometheus metrics. Events of the log are constants; values are fields, masked by name."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

__all__ = ["CONSUMED", "LAG", "PARKED", "RELAYED", "REQUESTS", "configure_logging", "get_logger"]

RELAYED: Final = Counter("ansinh_relay_published_total", "Events published from the outbox")
CONSUMED: Final = Counter("ansinh_consumer_applied_total", "Events applied", ["consumer"])
PARKED: Final = Counter("ansinh_consumer_parked_total", "Events parked", ["consumer"])
LAG: Final = Gauge("ansinh_consumer_lag", "Events not yet applied", ["consumer", "topic", "partition"])
REQUESTS: Final = Histogram("ansinh_http_request_seconds", "Time to answer", ["method", "route", "status"])

_DIGITS: Final = re.compile(r"\d{9,19}")


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last line of defence: long runs of digits (numbers of people and accounts) never reach a log."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("timestamp", "request_id", "trace_id"):
            event[name] = _DIGITS.sub(lambda found: "*" * (len(found[0]) - 2) + found[0][-2:], value)
    return event


def configure_logging(level: str, service: str, process: str) -> None:
    """JSON lines on standard output; the standard library's loggers go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, process=process)
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
