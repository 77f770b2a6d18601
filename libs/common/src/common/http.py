"""The only factory of outbound HTTP clients: connect, read and total limits, no redirects, bounded answers."""

from __future__ import annotations

from typing import Final

import httpx

__all__ = ["MAX_ANSWER_BYTES", "AnswerTooLarge", "client", "read_bounded"]

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024


class AnswerTooLarge(Exception):
    """The other side answered more than we are willing to read."""


def client(
    *, timeout: float = 30.0, base_url: str = "", transport: httpx.AsyncBaseTransport | None = None, connections: int = 20
) -> httpx.AsyncClient:
    """A client with limits in seconds; redirects are answers like any other, never followed; proxies are not read from the environment."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        transport=transport,
    )


async def read_bounded(response: httpx.Response, limit: int = MAX_ANSWER_BYTES) -> bytes:
    """Read a streamed answer up to `limit` bytes. Raises :class:`AnswerTooLarge`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLarge(f"more than {limit} bytes")
    return bytes(body)
