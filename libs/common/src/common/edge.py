"""The edge of a service, as plain ASGI: what a request may weigh, how long it may take, how many are served at once. Nothing of the
service is touched by what is refused here.

A request's time ends when its answer begins: endless answers (live figures, exports) are not cut. Cancelling a request cancels its
statement in the database, and its transaction is rolled back.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter as Counted
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter, Gauge
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import tracing
from common.ids import new_id
from common.problems import HeadersTooLarge, PayloadTooLarge, Problem, ServiceUnavailable, SlowRequest, TooManyRequests
from common.telemetry import REQUESTS, get_logger

__all__ = ["BODY_LIMIT", "Edge", "Limits"]

BODY_LIMIT: Final = 1024 * 1024
_HEADERS_LIMIT: Final = 32 * 1024
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
#: Who need not be known before he sends (a signature in the body is the proof) has one in so many of the places and of the bytes.
_STRANGERS: Final = 4
_ALWAYS: Final = ("/health/", "/metrics")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEFECT: Final = 500
_SAFE: Final = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"))
_log = get_logger(__name__)

IN_HAND: Final = Gauge("ansinh_http_in_hand", "Requests being served now")
REFUSED: Final = Counter("ansinh_http_refused_total", "Requests refused at the edge", ["reason"])

Answer = Callable[[Problem, str], Response]
Stranger = Callable[[Scope, Mapping[str, str]], Awaitable[Problem | None]]
"""Whether whoever sends a body is nobody we know: why it is not taken, or None. Asked before the first byte of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost. `bodies`: path prefix → bytes, where more than 1 MiB is taken."""

    bodies: Mapping[str, int]
    request_seconds: float = 60.0
    chunk_seconds: float = 10.0
    at_once: int = 200
    reading_seconds: float = 30.0
    """Longest time in which a caller takes nothing of an answer; an answer may hold a connection of the database."""
    answers_of_one: int = 8
    """Answers of one signed-in person that are on their way at once."""
    bodies_in_hand: int = 256 * 1024 * 1024
    """Bytes of all bodies in hand: uploads stay in memory."""


class Edge:
    """Limits, request id, safe headers and timing around an app."""

    def __init__(self, app: ASGIApp, limits: Limits, answer: Answer, stranger: Stranger | None = None) -> None:
        """`answer` makes the HTTP answer of a problem."""
        self.app = app
        self.limits = limits
        self.stranger = stranger
        self.bytes_in_hand = 0
        self.of_strangers = 0
        self.stranger_bytes = 0
        self.answers: Counted[str] = Counted()
        self._answer = answer
        self._bodies = sorted(limits.bodies.items(), key=lambda item: -len(item[0]))
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not tracing.on() or scope["path"].startswith(_ALWAYS):
            await self._serve(scope, receive, send, headers, tracing.trace_id_of(headers.get("traceparent")))
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        with tracing.span(method, "server", parent=headers.get("traceparent"), http_request_method=method) as span:
            assert span is not None
            status = await self._serve(scope, receive, send, headers, tracing.trace_id_of(span.traceparent))
            route = getattr(scope.get("route"), "path", "unmatched")
            span.rename(f"{method} {route}")
            span.note(http_route=route, http_response_status_code=status)
            if status >= _DEFECT:
                span.failed(str(status))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str], trace: str | None) -> int:
        """Answer it; the status."""
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else trace or str(new_id())
        scope.setdefault("state", {}).update(request_id=request_id, trace_id=trace)
        limit = next((size for prefix, size in self._bodies if scope["path"].startswith(prefix)), BODY_LIMIT)
        refused = self._refusal(scope, headers, limit)
        if refused is not None:
            await self._answer(refused, request_id)(scope, receive, send)
            return refused.status
        passage = _Passage(self, scope, receive, send, request_id, limit)
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id, **({"trace_id": trace} if trace else {})):
                await passage.run(headers)
        finally:
            passage.leave()
        return passage.status

    @property
    def in_hand(self) -> int:
        """Requests whose answers have not begun."""
        return self._in_hand

    def hold(self, more: int) -> None:
        """Count what is in hand: from its arrival to the beginning of its answer, so that endless answers hold nobody's place."""
        self._in_hand += more
        IN_HAND.inc(more)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], limit: int) -> Problem | None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > limit:
            return self.refused("too_large", PayloadTooLarge(f"At most {limit} bytes are taken here", headers=_CLOSE))
        weight = (
            len(scope.get("raw_path") or b"") + len(scope["query_string"]) + sum(len(name) + len(value) for name, value in scope["headers"])
        )
        if weight > _HEADERS_LIMIT:
            return self.refused(
                "headers", HeadersTooLarge(f"At most {_HEADERS_LIMIT} bytes of address and headers are taken", headers=_CLOSE)
            )
        if self._in_hand >= self.limits.at_once and not scope["path"].startswith(_ALWAYS):
            return self.refused("busy", ServiceUnavailable("Too many requests are being served", headers={"Retry-After": "1"}))
        return None

    def refused(self, reason: str, problem: Problem) -> Problem:
        """Count it."""
        REFUSED.labels(reason).inc()
        return problem

    def answer(self, problem: Problem, request_id: str) -> Response:
        """A problem as an HTTP answer."""
        return self._answer(problem, request_id)


_CLOSE: Final = {"Connection": "close"}


class _Passage:
    """One request on its way through."""

    def __init__(self, edge: Edge, scope: Scope, receive: Receive, send: Send, request_id: str, limit: int) -> None:
        self._edge, self._scope, self._receive, self._send = edge, scope, receive, send
        self._request_id, self._limit = request_id, limit
        self._seen, self._taking, self._whole, self._status, self._began = 0, False, False, 500, False
        self._stranger = False
        self._stranger_bytes = 0
        self._cut: Problem | None = None
        self._person: str | None = None
        self._deadline: asyncio.Timeout | None = None
        self._held = True
        edge.hold(1)

    @property
    def status(self) -> int:
        """Of the answer."""
        return self._status

    def leave(self) -> None:
        """Give the place back, once."""
        if self._held:
            self._held = False
            self._edge.hold(-1)

    def _end(self) -> None:
        """Nothing of it is in memory or on its way any more."""
        self._edge.bytes_in_hand -= self._seen
        self._edge.stranger_bytes -= self._stranger_bytes
        self._arrived()
        if self._person is not None:
            self._edge.answers[self._person] -= 1
            self._edge.answers += Counted()  # who has none left is forgotten

    async def run(self, headers: Mapping[str, str]) -> None:
        """Serve it, or answer why not."""
        started = time.perf_counter()
        try:
            self._deadline = asyncio.timeout(self._edge.limits.request_seconds)
            async with self._deadline:
                await self._ask_who(headers)
                await self._edge.app(self._scope, self._take, self._give)
        except TimeoutError:
            if self._began or self._deadline is None or not self._deadline.expired():
                raise
            late = SlowRequest("The request did not arrive in time", headers=_CLOSE) if self._taking else None
            busy = ServiceUnavailable("It took too long and was given up: look whether it was done", headers={"Retry-After": "30"})
            self._cut = self._edge.refused("slow_body" if late else "took_too_long", late or busy)
            _log.warning("http.given_up", path=self._scope["path"], waiting_for_body=self._taking)
        except Exception:
            if self._cut is None:
                raise
        finally:
            self._end()
            if self._cut is None:
                self._note(started)
        if self._cut is not None and not self._began:
            self._status = self._cut.status
            await self._edge.answer(self._cut, self._request_id)(self._scope, self._receive, self._send)
            self._note(started)

    def _note(self, started: float) -> None:
        route = getattr(self._scope.get("route"), "path", "unmatched")
        REQUESTS.labels(self._scope["method"], route, str(self._status)).observe(time.perf_counter() - started)

    async def _ask_who(self, headers: Mapping[str, str]) -> None:
        """Of who sends a body, before it is taken: otherwise anybody could fill memory and places without being known."""
        sends = headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers
        if sends and self._edge.stranger is not None and (refused := await self._edge.stranger(self._scope, headers)) is not None:
            self._cut = self._edge.refused("stranger", refused)
            raise self._cut
        if sends and "bearer" not in self._scope["state"]:
            if self._edge.of_strangers >= max(1, self._edge.limits.at_once // _STRANGERS):
                busy = ServiceUnavailable("Too many requests are being taken", headers={"Retry-After": "1", **_CLOSE})
                self._cut = self._edge.refused("strangers", busy)
                raise self._cut
            self._stranger = True
            self._edge.of_strangers += 1

    def _arrived(self) -> None:
        """A stranger's body is whole, or given up: the next one's may come."""
        if self._stranger:
            self._stranger = False
            self._edge.of_strangers -= 1

    async def _take(self) -> Message:
        """The next part of the body, within its time and the limit; afterwards what ends the connection, however late."""
        if self._whole:
            return await self._receive()
        self._taking = True
        try:
            async with asyncio.timeout(self._edge.limits.chunk_seconds):
                message = await self._receive()
        except TimeoutError:
            self._cut = self._edge.refused("slow_body", SlowRequest("The body came too slowly", headers=_CLOSE))
            raise self._cut from None
        self._taking = False
        more = len(message.get("body", b""))
        self._seen += more
        self._edge.bytes_in_hand += more
        if self._stranger:
            self._stranger_bytes += more
            self._edge.stranger_bytes += more
        self._whole = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if self._seen > self._limit:
            self._cut = self._edge.refused("too_large", PayloadTooLarge(f"At most {self._limit} bytes are taken here", headers=_CLOSE))
            raise self._cut
        crowded = self._stranger and self._edge.stranger_bytes > self._edge.limits.bodies_in_hand // _STRANGERS
        if self._whole:
            self._arrived()
        if crowded or self._edge.bytes_in_hand > self._edge.limits.bodies_in_hand:
            busy = ServiceUnavailable("Too much is being uploaded", headers={"Retry-After": "10", **_CLOSE})
            self._cut = self._edge.refused("uploads", busy)
            raise self._cut
        return message

    async def _give(self, message: Message) -> None:
        if self._cut is not None:  # whatever the app makes of its broken body, the answer is why it broke
            return
        if message["type"] == "http.response.start":
            self._begin()
            self._began, self._status = True, message["status"]
            assert self._deadline is not None
            self._deadline.reschedule(None)
            self.leave()
            names = {name.lower() for name, _ in message["headers"]}
            extra = ((b"x-request-id", self._request_id.encode()), *_SAFE)
            message["headers"] = [*message["headers"], *(pair for pair in extra if pair[0] not in names)]
        try:
            async with asyncio.timeout(self._edge.limits.reading_seconds):
                await self._send(message)
        except TimeoutError:
            # The rest is not made any more, and what it held (a connection of the database) is free; the server closes the connection.
            self._cut = self._edge.refused("slow_reader", SlowRequest("The answer was not taken in time"))
            _log.warning("http.not_taken", path=self._scope["path"])
            raise self._cut from None

    def _begin(self) -> None:
        """One more answer of this person is on its way; not more than some. Of reads only: what was done is answered as done."""
        person: str | None = getattr(self._scope["state"].get("actor"), "subject", None)
        if person is None or self._scope["method"] not in {"GET", "HEAD"}:
            return
        if self._edge.answers[person] >= self._edge.limits.answers_of_one:
            many = TooManyRequests("So many answers of yours are on their way already", headers={"Retry-After": "5"})
            self._cut = self._edge.refused("answers", many)
            raise self._cut
        self._person = person
        self._edge.answers[person] += 1
