"""Online check against the population database: one JSON request for up to 1,000 people, under an agreed rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import httpx
import orjson

from common.http import AnswerTooLarge, client, read_bounded
from common.sealing import Keyring, SealBroken
from identity_verify.domain.verdict import Answer, SourceStatus

__all__ = ["Person", "PopulationOnline", "SourceAwayError", "SourceBusyError"]

SOURCE: Final = "population-online"
_DEFAULT_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 600.0


class SourceBusyError(Exception):
    """The source asks to slow down (429). `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"asked to wait {retry_after:g} s")
        self.retry_after = retry_after


class SourceAwayError(Exception):
    """No usable answer: not reachable, timed out, 5xx, or not in the agreed form."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person to ask about; the number is still sealed."""

    number_token: str
    full_name: str
    birth_date: str | None
    sex: str


class _Pace:
    """Spaces the starts of requests evenly, at most `per_second`."""

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


class PopulationOnline:
    """The adapter. It opens sealed numbers in memory, asks, and hands back answers; it keeps nothing."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        url: str,
        token: str,
        timeout_seconds: float,
        requests_per_second: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` replaces the network in tests."""
        self._keyring = keyring
        self._timeout = timeout_seconds
        self._pace = _Pace(requests_per_second)
        self._http = client(timeout=timeout_seconds, base_url=url, transport=transport)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def check(self, people: Sequence[Person]) -> list[Answer]:
        """Ask about up to 1,000 people; answers come in the order asked, ERROR where the source gave none.

        Raises:
            SourceBusyError: 429; nothing was answered.
            SourceAwayError: no connection, timeout, other status, or an answer not in the agreed form.
        """
        persons = []
        for index, person in enumerate(people):
            try:
                number = self._keyring.open(person.number_token)
            except SealBroken:
                continue  # answered ERROR below: one broken token must not stop the other people
            persons.append(
                {"ref": str(index), "number": number, "full_name": person.full_name, "birth_date": person.birth_date, "sex": person.sex}
            )
        answers = [Answer(SourceStatus.ERROR)] * len(people)
        if not persons:
            return answers
        for item in await self._ask(orjson.dumps({"persons": persons})):
            index, answer = _read(item)
            if 0 <= index < len(answers):
                answers[index] = answer
        return answers

    async def _ask(self, body: bytes) -> list[Any]:
        await self._pace.turn()
        try:
            async with asyncio.timeout(self._timeout):
                async with self._http.stream("POST", "/v1/checks", content=body, headers=self._headers) as response:
                    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                        raise SourceBusyError(_retry_after(response.headers.get("Retry-After")))
                    if response.status_code != httpx.codes.OK:
                        raise SourceAwayError(f"HTTP {response.status_code}")
                    data = orjson.loads(await read_bounded(response))
        except TimeoutError as error:
            raise SourceAwayError("timeout") from error
        except httpx.HTTPError as error:
            raise SourceAwayError(type(error).__name__) from error
        except (orjson.JSONDecodeError, AnswerTooLarge) as error:
            raise SourceAwayError("unreadable answer") from error
        results = data.get("results") if isinstance(data, dict) else None
        if not isinstance(results, list):
            raise SourceAwayError("unreadable answer")
        return results


def _retry_after(header: str | None) -> float:
    try:
        return min(max(float(header or _DEFAULT_RETRY_SECONDS), 0.1), _LONGEST_RETRY_SECONDS)
    except ValueError:
        return _DEFAULT_RETRY_SECONDS


def _read(item: Any) -> tuple[int, Answer]:
    """One result; an unknown status or an unreadable one is ERROR, never a pass."""
    try:
        index = int(item["ref"])
    except (KeyError, TypeError, ValueError):
        return -1, Answer(SourceStatus.ERROR)
    try:
        fields = item.get("fields") or {}
        checked_at = item.get("checked_at")
        if checked_at is not None:
            datetime.fromisoformat(checked_at)
        return index, Answer(
            status=SourceStatus(item["status"]),
            name=_text(item.get("population_name")),
            birth_date=_text(item.get("population_birth_date")),
            sex_field=str(fields.get("sex", "not-given")),
            death_date=date.fromisoformat(item["death_date"]) if item.get("death_date") else None,
            reference=_text(item.get("reference")),
            checked_at=checked_at,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return index, Answer(SourceStatus.ERROR)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
