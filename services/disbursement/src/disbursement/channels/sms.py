"""The SMS gateway: sends texts under our references, and says what became of them. Phone numbers are opened here, in memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import httpx
import orjson

from common.http import AnswerTooLarge, read_bounded
from common.sealing import Keyring, SealBroken
from disbursement.channels.protocol import NoAnswer

__all__ = ["PHONE_UNREADABLE", "Sms", "SmsGateway", "SmsStatus", "SmsWord"]

PHONE_UNREADABLE: Final = "PHONE_UNREADABLE"
_SECONDS: Final = 15.0
_CODE_LENGTH: Final = 40


class SmsStatus(StrEnum):
    """What the gateway says of one text."""

    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Sms:
    """One text to one sealed number."""

    reference: str
    phone_token: str
    text: str


@dataclass(frozen=True, slots=True)
class SmsWord:
    """The gateway's word on one reference."""

    status: SmsStatus
    code: str | None = None


class SmsGateway:
    """Speaks the default contract: `POST /v1/messages` and `POST /v1/receipts`, bearer token, JSON; a reference is taken once."""

    def __init__(self, url: str, token: str, http: httpx.AsyncClient, keyring: Keyring) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._http = http
        self._keyring = keyring

    async def send(self, texts: Sequence[Sms]) -> dict[str, SmsWord]:
        """Hand texts over. A reference the answer does not speak of is not in the result: nobody knows about it.

        Raises NoAnswer when there is no readable answer: every text may have been taken.
        """
        words: dict[str, SmsWord] = {}
        messages: list[dict[str, str]] = []
        for sms in texts:
            try:
                messages.append({"reference": sms.reference, "to": self._keyring.open(sms.phone_token), "text": sms.text})
            except SealBroken:
                words[sms.reference] = SmsWord(SmsStatus.REFUSED, PHONE_UNREADABLE)
        if messages:
            words |= await self._ask("/v1/messages", {"messages": messages}, {item["reference"] for item in messages})
        return words

    async def receipts(self, references: Sequence[str]) -> dict[str, SmsWord]:
        """What became of texts. Raises NoAnswer."""
        return await self._ask("/v1/receipts", {"references": list(references)}, set(references))

    async def _ask(self, path: str, body: dict[str, Any], asked: set[str]) -> dict[str, SmsWord]:
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._token}"}
        try:
            async with asyncio.timeout(_SECONDS):
                async with self._http.stream("POST", self._url + path, content=orjson.dumps(body), headers=headers) as response:
                    content = await read_bounded(response)
            if response.status_code != httpx.codes.OK:
                raise NoAnswer("PARTNER_ERROR", f"HTTP {response.status_code}")
            results = orjson.loads(content)["results"]
            return {item["reference"]: _word(item) for item in results if item["reference"] in asked}
        except (httpx.HTTPError, TimeoutError, AnswerTooLarge) as error:
            raise NoAnswer("NO_ANSWER", type(error).__name__) from error
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise NoAnswer("ANSWER_UNREADABLE", type(error).__name__) from error


def _word(item: dict[str, Any]) -> SmsWord:
    code = item.get("code")
    return SmsWord(SmsStatus(item["status"]), str(code).replace("\x00", "")[:_CODE_LENGTH] if code else None)
