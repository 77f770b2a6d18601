"""A collector of traces (OTLP over HTTP) that keeps what it is sent."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Collector", "Kept"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One span."""

    trace: str
    span: str
    parent: str
    name: str
    process: str
    said: dict[str, Any]
    links: frozenset[str]
    """Traces it is linked with."""


class Collector:
    """Listens on a free port of this machine."""

    def __init__(self) -> None:
        self.spans: list[Kept] = []
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                keep(zlib.decompress(body, 47) if self.headers.get("content-encoding") else body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where spans go."""
        return f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def close(self) -> None:
        """Take nothing any more."""
        self._server.shutdown()
        self._server.server_close()

    def _keep(self, body: bytes) -> None:
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {item.key: item.value.string_value for item in sent.resource.attributes}
            process = f"{about['service.name']} {about['ansinh.process']}"
            for span in (span for scope in sent.scope_spans for span in scope.spans):
                said = {item.key: item.value.string_value or item.value.int_value for item in span.attributes}
                links = frozenset(link.trace_id.hex() for link in span.links)
                self.spans.append(Kept(span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name, process, said, links))
