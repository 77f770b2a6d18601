"""Calling a system of somebody else's: bounded, timed, paced; and what each kind of failure does to those who call next.

An answer that cannot be used is :class:`AwayError`, a request to slow down :class:`BusyError`: being busy is not being away. The
breaker is a row of the service's database, so that all its workers hold back together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import httpx
import orjson

from common.actor import Actor
from common.db import Database, Tx
from common.http import AnswerTooLarge, client, read_bounded
from common.telemetry import get_logger

__all__ = ["AwayError", "Breaker", "BusyError", "Outside", "Pace", "Throttle", "listed"]

_DEFAULT_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 600.0
_log = get_logger(__name__)
T_ = TypeVar("T_")


class BusyError(Exception):
    """The other side asks to slow down (429). `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"asked to wait {retry_after:g} s")
        self.retry_after = retry_after


class AwayError(Exception):
    """No usable answer: not reachable, timed out, 5xx, not configured, or not in the agreed form."""


class Pace:
    """Spaces the starts of requests evenly, at most `per_second`, within one process."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for this request's turn."""
        now = time.monotonic()
        start = max(now, self._next)
        self._next = start + self._gap
        if start > now:
            await asyncio.sleep(start - now)


class Outside:
    """A client for JSON questions and answers."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        to: Iterable[str] = (),
        base_url: str = "",
        pace: Pace | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`timeout_seconds`: for a whole answer. `to`, `base_url`: what it may call. `transport` replaces the network in tests."""
        self._timeout = timeout_seconds
        self._pace = pace
        self._http = client(to=to, timeout=timeout_seconds, base_url=base_url, transport=transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:
        """The JSON of a 200.

        Raises:
            BusyError: 429; nothing was answered.
            AwayError: no connection, timeout, other status, or no JSON.
        """
        if self._pace is not None:
            await self._pace.turn()
        try:
            async with asyncio.timeout(self._timeout):
                async with self._http.stream(method, url, content=body, headers=dict(headers), params=params) as response:
                    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                        raise BusyError(_retry_after(response.headers.get("Retry-After")))
                    if response.status_code != httpx.codes.OK:
                        raise AwayError(f"HTTP {response.status_code}")
                    return orjson.loads(await read_bounded(response))
        except TimeoutError as error:
            raise AwayError("timeout") from error
        except httpx.HTTPError as error:
            raise AwayError(type(error).__name__) from error
        except (orjson.JSONDecodeError, AnswerTooLarge) as error:
            raise AwayError("unreadable answer") from error


def listed(data: Any, name: str) -> list[Any]:
    """The list under `name` of an answer. Raises AwayError where there is none."""
    found = data.get(name) if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise AwayError("unreadable answer")
    return found


def _retry_after(header: str | None) -> float:
    try:
        return min(max(float(header or _DEFAULT_RETRY_SECONDS), 0.1), _LONGEST_RETRY_SECONDS)
    except ValueError:
        return _DEFAULT_RETRY_SECONDS


class Breaker:
    """The state of outside systems, one row each in `table` (`common.schema.breaker_ddl`), named by `column`."""

    def __init__(self, table: str, column: str, *, first_seconds: float, longest_seconds: float, threshold: int = 1) -> None:
        """It opens at `threshold` failures in a row, for `first_seconds`, doubled with each further one up to `longest_seconds`."""
        self.threshold = threshold
        self._first = first_seconds
        self._longest = longest_seconds
        self._closed = f"SELECT open_until IS NULL OR open_until <= now() FROM {table} WHERE {column} = :name"
        # Failures while it is open (requests that were under way) do not lengthen it.
        self._failed = f"""
            INSERT INTO {table} AS s ({column}, failures, failing_since, open_until, last_error)
            VALUES (:name, 1, now(), CASE WHEN {threshold} <= 1 THEN now() + make_interval(secs => :first) END, :error)
            ON CONFLICT ({column}) DO UPDATE SET
                failures = s.failures + 1, failing_since = coalesce(s.failing_since, now()), last_error = :error,
                open_until = CASE WHEN s.failures + 1 >= {threshold} THEN
                    now() + make_interval(secs => least(:first * power(2, least(s.failures + 1 - {threshold}, 16)), :longest)) END
            WHERE s.open_until IS NULL OR s.open_until <= now()
        """
        self._busy = f"""
            INSERT INTO {table} AS s ({column}, open_until) VALUES (:name, now() + make_interval(secs => :wait))
            ON CONFLICT ({column}) DO UPDATE SET open_until = greatest(s.open_until, excluded.open_until)
        """
        self._ok = f"""
            UPDATE {table} SET failures = 0, failing_since = NULL, open_until = NULL, last_error = NULL
            WHERE {column} = :name AND failing_since IS NOT NULL
        """

    async def closed(self, tx: Tx, name: str) -> bool:
        """Whether this system may be asked now."""
        return await tx.value(self._closed, name=name) is not False

    async def failed(self, tx: Tx, name: str, error: str) -> None:
        """Open it, longer with each failure; shared by all workers."""
        await tx.execute(self._failed, name=name, error=error, first=self._first, longest=self._longest)

    async def busy(self, tx: Tx, name: str, wait_seconds: float) -> None:
        """Asked to slow down: nobody asks before then. This starts no outage."""
        await tx.execute(self._busy, name=name, wait=wait_seconds)

    async def ok(self, tx: Tx, name: str) -> None:
        """Close it after an answer (no write, hence no lock, while all is well)."""
        await tx.execute(self._ok, name=name)

    async def guard(
        self,
        db: Database,
        actor: Actor,
        name: str,
        ask: Callable[[], Awaitable[T_]],
        put_back: Callable[[Tx, str], Awaitable[None]],
        *,
        waiting: int,
    ) -> T_ | None:
        """Ask, outside of any transaction; None when no answer came: then `put_back(tx, error)` has released what was claimed.

        Whose question it was is not held against them: they stay due, and are asked about as soon as the breaker closes.
        """
        try:
            return await ask()
        except BusyError as busy:
            async with db.transaction(actor) as tx:
                await put_back(tx, str(busy))
                await self.busy(tx, name, busy.retry_after)
        except AwayError as away:
            _log.warning("outside.away", name=name, error=str(away), waiting=waiting)
            async with db.transaction(actor) as tx:
                await put_back(tx, str(away))
                await self.failed(tx, name, str(away))
        return None


class Throttle:
    """Keeps all workers together to an outside system's rate: each claim books its turn in the system's row.

    An idle system owes nobody more than `burst_seconds` of its rate: what was not used before is not made up for.
    """

    def __init__(self, table: str, column: str, *, burst_seconds: float = 1.0) -> None:
        """`table` and `column` as for :class:`Breaker`; the table has the column of `common.schema.throttle_ddl`."""
        self._burst = burst_seconds
        self._turn = f"""
            UPDATE {table} SET next_turn_at = greatest(next_turn_at, clock_timestamp() - make_interval(secs => :burst))
                + make_interval(secs => :units / :per_second)
            WHERE {column} = :name
            RETURNING extract(epoch FROM next_turn_at - clock_timestamp()) - :units / :per_second AS wait
        """

    async def turn(self, tx: Tx, name: str, units: int, per_second: float) -> float:
        """Book a turn for so many units; the seconds to wait, after the transaction, before they are asked for."""
        if per_second <= 0 or units <= 0:
            return 0.0
        wait = await tx.value(self._turn, name=name, units=float(units), per_second=per_second, burst=self._burst)
        return max(0.0, float(wait or 0.0))
