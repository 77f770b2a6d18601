"""The only factory of outbound HTTP clients: connect, read and total limits, no redirects, bounded answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import httpx

from common import tracing
from common.refusals import forbidden_address

__all__ = ["MAX_ANSWER_BYTES", "AddressRefused", "AnswerTooLarge", "client", "keep_to", "read_bounded"]

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024


class AddressRefused(httpx.RequestError):
    """This address is not called from here; nothing was sent."""


_policy = {"production": False}


def keep_to(*, production: bool) -> None:
    """In production no client of this process calls this machine itself, link-local addresses or a metadata service."""
    _policy["production"] = production


_PORTS: Final = {"http": 80, "https": 443}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def _only_to(addresses: Iterable[str]) -> Callable[[httpx.Request], Awaitable[None]]:
    allowed = frozenset(_origin(httpx.URL(address)) for address in addresses if address)

    async def check(request: httpx.Request) -> None:
        if _origin(request.url) not in allowed:
            raise AddressRefused("not an address this client is for", request=request)
        reason = forbidden_address(str(request.url)) if _policy["production"] else None
        if reason is not None:
            raise AddressRefused(f"the address {reason}", request=request)

    return check


class AnswerTooLarge(Exception):
    """The other side answered more than we are willing to read."""


class _Traced(httpx.AsyncBaseTransport):
    """A span around each call, from its beginning to the answer's head; the called system is told our trace context, nothing else."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method, host = request.method, request.url.host
        with tracing.span(f"{method} {host}", "client", http_request_method=method, server_address=host) as span:
            if span is None:
                return await self._inner.handle_async_request(request)
            request.headers["traceparent"] = span.traceparent
            response = await self._inner.handle_async_request(request)
            span.note(http_response_status_code=response.status_code)
            if response.is_error:
                span.failed(str(response.status_code))
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def client(
    *,
    to: Iterable[str] = (),
    timeout: float = 30.0,
    base_url: str = "",
    transport: httpx.AsyncBaseTransport | None = None,
    connections: int = 20,
) -> httpx.AsyncClient:
    """A client with limits in seconds; redirects are answers like any other, never followed; proxies are not read from the environment.

    It calls the schemes, hosts and ports of `to` and `base_url`, and nothing else: without either, nothing at all.
    """
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    if tracing.on():
        transport = _Traced(transport or httpx.AsyncHTTPTransport(trust_env=False, limits=limits))
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
        follow_redirects=False,
        trust_env=False,
        limits=limits,
        transport=transport,
        event_hooks={"request": [_only_to((*to, base_url))]},
    )


async def read_bounded(response: httpx.Response, limit: int = MAX_ANSWER_BYTES) -> bytes:
    """Read a streamed answer up to `limit` bytes. Raises :class:`AnswerTooLarge`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLarge(f"more than {limit} bytes")
    return bytes(body)
