"""What all partners with an API share: requests that end with an answer or with nobody knowing, and account numbers opened in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import httpx

from common.http import AnswerTooLarge, read_bounded
from common.sealing import Keyring, SealBroken
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import BatchAnswer, CannotBuild, InstructionLine, NoAnswer, NoticeUnreadable, PartnerResult, Refusal

__all__ = ["ApiChannel", "batch_answer", "only", "opened"]

ItemT = TypeVar("ItemT")


def opened(keyring: Keyring, lines: Sequence[InstructionLine], write: Callable[[InstructionLine, str], ItemT]) -> list[ItemT]:
    """`write(line, account number)` of every line. Raises CannotBuild naming all that cannot be written.

    `write` raises ValueError for a line that does not fit the partner's form: one bad payee does not hold up the others.
    """
    written: list[ItemT] = []
    broken: list[str] = []
    for line in lines:
        try:
            if line.account_token is None:
                raise SealBroken("no sealed account number")
            written.append(write(line, keyring.open(line.account_token)))
        except (SealBroken, ValueError):
            broken.append(line.reference)
    if broken:
        raise CannotBuild(broken)
    return written


class ApiChannel:
    """One partner that is called over HTTP and can be asked. Stateless; the HTTP client is shared and given."""

    def __init__(self, partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> None:
        self.partner = partner
        self._http = http
        self._keyring = keyring

    @property
    def answers_inquiries(self) -> bool:
        """By reference, at any time."""
        return True

    def file_name(self, batch_reference: str) -> str | None:
        """No file: the bytes go to the partner's API only."""
        return None

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, expected: tuple[int, ...]) -> bytes:
        """The answer's body. Everything but an `expected` status, whole and in time, raises NoAnswer."""
        try:
            async with asyncio.timeout(self.partner.timeout_seconds):
                sent = {"content-type": "application/json", **headers}
                async with self._http.stream("POST", self.partner.url + path, content=body, headers=sent) as response:
                    content = await read_bounded(response)
        except (httpx.HTTPError, TimeoutError, AnswerTooLarge) as error:
            raise NoAnswer("NO_ANSWER", type(error).__name__) from error
        if response.status_code not in expected:
            raise NoAnswer("PARTNER_ERROR", f"HTTP {response.status_code}")
        return content


def batch_answer(
    refused: Sequence[tuple[str, str | None, str]], *, said: str, batch_reference: str, accepted: int, references: frozenset[str]
) -> BatchAnswer:
    """The answer about a batch: (reference, their code, our reason) of those refused. Raises NoAnswer unless it is about exactly these."""
    named = {item[0]: Refusal(*item) for item in refused}
    if said != batch_reference or accepted + len(named) != len(references) or not named.keys() <= references:
        raise NoAnswer("ANSWER_UNREADABLE", "the answer is not about exactly the payments of this batch")
    return BatchAnswer(tuple(named.values()))


def only(references: Sequence[str], read: Callable[[], list[PartnerResult]]) -> list[PartnerResult]:
    """The results of an inquiry, without those nobody asked for. Raises NoAnswer where they cannot be read."""
    try:
        results = read()
    except NoticeUnreadable as error:
        raise NoAnswer("ANSWER_UNREADABLE", str(error)) from error
    asked = set(references)
    return [result for result in results if result.reference in asked]
