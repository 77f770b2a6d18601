"""Online check against the population database: one JSON request for up to 1,000 people, under an agreed rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import httpx
import orjson

from common.outside import Outside, Pace, listed
from common.sealing import Keyring, SealBroken
from identity_verify.domain.verdict import Answer, SourceStatus

__all__ = ["SOURCE", "Person", "PopulationOnline"]

SOURCE: Final = "population-online"


@dataclass(frozen=True, slots=True)
class Person:
    """One person to ask about; the number is still sealed."""

    number_token: str
    full_name: str
    birth_date: str | None
    sex: str


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
        data = await self._outside.ask("POST", "/v1/checks", headers=self._headers, body=orjson.dumps({"persons": persons}))
        for item in listed(data, "results"):
            index, answer = _read(item)
            if 0 <= index < len(answers):
                answers[index] = answer
        return answers


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
