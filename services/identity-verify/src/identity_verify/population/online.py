"""Online check against the population database: one JSON request for up to 1,000 people, and the feed of deaths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import httpx
import orjson

from common.outside import AwayError, Outside, Pace, listed
from common.sealing import Keyring
from identity_verify.domain.verdict import Answer, SourceStatus
from identity_verify.population.source import NUMBER, Answered, Person, field_or_not_given, opened, reference_or_none, text_or_none

__all__ = ["SOURCE", "DeathPage", "Person", "PopulationOnline"]

SOURCE: Final = "population-online"
_NO_ANSWER: Final = Answer(SourceStatus.ERROR)


@dataclass(frozen=True, slots=True)
class DeathPage:
    """One page of the feed: blind indexes of the numbers with the days they died, and where to go on. `more`: the next page is there."""

    numbers: list[bytes]
    days: list[date | None]
    cursor: str | None
    more: bool


class PopulationOnline:
    """The adapter. It opens sealed numbers in memory, asks, and hands back answers; it keeps nothing."""

    source = SOURCE

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
        self._outside = Outside(timeout_seconds=timeout_seconds, base_url=url, pace=Pace(requests_per_second), transport=transport)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def close(self) -> None:
        """Close the connections."""
        await self._outside.close()

    async def check(self, people: Sequence[Person]) -> list[Answer]:
        """Ask about up to 1,000 people; answers come in the order asked, ERROR where the source gave none.

        Raises:
            BusyError: 429; nothing was answered.
            AwayError: no connection, timeout, other status, or an answer not in the agreed form.
        """
        question = self._persons(people)
        if not question:
            return [_NO_ANSWER] * len(people)
        data = await self._outside.ask("POST", "/v1/checks", headers=self._headers, body=orjson.dumps({"persons": question}))
        answered = _read_all(listed(data, "results"), len(people)).answers
        if not answered:
            raise AwayError("no answer names anybody asked")
        return [answered.get(place, _NO_ANSWER) for place in range(len(people))]

    def question(self, people: Sequence[Person]) -> bytes:
        """The body of the request."""
        return orjson.dumps({"persons": self._persons(people)})

    def answers(self, content: bytes, people: int) -> Answered:
        """The answers in the body of a 200. Raises AwayError where there are none."""
        try:
            return _read_all(listed(orjson.loads(content), "results"), people)
        except orjson.JSONDecodeError as error:
            raise AwayError("unreadable answer") from error

    async def deaths(self, cursor: str | None, since: date, limit: int) -> DeathPage:
        """The next page of the feed of recorded deaths; the first begins with the day `since`. Raises as :meth:`check`."""
        params: dict[str, str | int] = {"limit": limit, "since": since.isoformat()}
        if cursor is not None:
            params["cursor"] = cursor
        data = await self._outside.ask("GET", "/v1/deaths", headers=self._headers, params=params)
        named = [item for item in listed(data, "deaths") if isinstance(item, dict) and isinstance(item.get("number"), str)]
        numbers = [self._keyring.blind(NUMBER, item["number"]) for item in named]
        return DeathPage(
            numbers, [_day(item.get("death_date")) for item in named], text_or_none(data.get("cursor")), data.get("more") is True
        )

    def _persons(self, people: Sequence[Person]) -> list[dict[str, Any]]:
        return [
            {"ref": str(place), "number": number, "full_name": person.full_name, "birth_date": person.birth_date, "sex": person.sex}
            for place, number, person in opened(self._keyring, people)
        ]


def _day(value: object) -> date | None:
    """The day the feed names; None where it names none that can be read: the answer itself must say it."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _read_all(results: list[Any], people: int) -> Answered:
    """Answers by place. A place named twice contradicts itself: no answer; a reference that is not ours is left aside."""
    answers: dict[int, Answer] = {}
    seen: set[int] = set()
    for item in results:
        place, answer = _read(item)
        if not 0 <= place < people:
            continue
        answers[place] = _NO_ANSWER if place in seen else answer
        seen.add(place)
    return Answered(answers)


def _read(item: Any) -> tuple[int, Answer]:
    """One result; an unknown status or an unreadable one is ERROR, never a pass."""
    try:
        place = int(item["ref"])
    except (KeyError, TypeError, ValueError):
        return -1, _NO_ANSWER
    try:
        fields = item.get("fields") or {}
        checked_at = item.get("checked_at")
        if checked_at is not None:
            datetime.fromisoformat(checked_at)
        return place, Answer(
            status=SourceStatus(item["status"]),
            name=text_or_none(item.get("population_name")),
            birth_date=text_or_none(item.get("population_birth_date")),
            sex_field=field_or_not_given(fields.get("sex")),
            death_date=date.fromisoformat(item["death_date"]) if item.get("death_date") else None,
            reference=reference_or_none(item.get("reference")),
            checked_at=checked_at,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return place, _NO_ANSWER
