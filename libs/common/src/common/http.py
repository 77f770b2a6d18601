"""The only factory of outbound HTTP clients: connect, read and total limits, no redirects, bounded answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from socket import SOCK_STREAM
from typing import Any, Final

import httpcore
import httpx

from common import tracing
from common.refusals import forbidden_address, forbidden_host

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


class _LookedUp(httpcore.AsyncNetworkBackend):
    """Connects to what a name leads to now; in production not where that is an address nobody means, whatever was listed."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = [host]
        failed: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} leads nowhere")
        if _policy["production"]:
            addresses = await self._addresses(host, port, timeout)
            reason = next(filter(None, map(forbidden_host, addresses)), None)
            if reason is not None:
                raise AddressRefused(f"what the name leads to {reason}")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    @staticmethod
    async def _addresses(host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not found in time") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return list(dict.fromkeys(str(item[4][0]) for item in found))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Network(httpx.AsyncHTTPTransport):
    """As httpx makes it, connecting through :class:`_LookedUp`; no proxy, nothing from the environment."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_LookedUp(),
        )


class AnswerTooLarge(Exception):
    """The other side answered more than we are willing to read."""


class _Timely(httpx.AsyncByteStream):
    """An answer's body until a moment of the loop's clock."""

    def __init__(self, inner: httpx.AsyncByteStream, until: float) -> None:
        self._inner = inner
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = aiter(self._inner)
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    part = await anext(parts, None)
            except TimeoutError as error:
                raise httpx.ReadTimeout("the whole answer took too long") from error
            if part is None:
                return
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Within(httpx.AsyncBaseTransport):
    """A whole exchange, from waiting for a connection to the answer's last byte, in so many seconds: limits of each step have no sum."""

    def __init__(self, inner: httpx.AsyncBaseTransport, total: float) -> None:
        self._inner = inner
        self._total = total

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        until = asyncio.get_running_loop().time() + self._total
        try:
            async with asyncio.timeout_at(until):
                response = await self._inner.handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the whole answer took too long") from error
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Timely(response.stream, until)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


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
    total: float | None = None,
    base_url: str = "",
    transport: httpx.AsyncBaseTransport | None = None,
    connections: int = 20,
) -> httpx.AsyncClient:
    """A client with limits in seconds; redirects are answers like any other, never followed; proxies are not read from the environment.

    `timeout`: of each step (connecting: five at most); `total`: of a whole exchange, twice `timeout` when it is not said.
    It calls the schemes, hosts and ports of `to` and `base_url`, and nothing else: without either, nothing at all.
    """
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    transport = _Within(transport or _Network(limits), total or 2 * timeout)
    if tracing.on():
        transport = _Traced(transport)
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
