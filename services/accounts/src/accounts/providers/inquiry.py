"""Name inquiries: whose account is it. The only place where account and national numbers are opened to leave the house."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from accounts.domain.outcome import Answer
from common import clock, webhooks
from common.ids import new_id
from common.outside import AwayError, Outside, listed
from common.sealing import Keyring, SealBroken

__all__ = ["Asked", "NameInquiry", "PartnerAddress", "load_inbound_secrets", "load_partners"]

_NO_ANSWER: Final = Answer("ERROR")


@dataclass(frozen=True, slots=True)
class PartnerAddress:
    """Where a partner answers, and the secret with which we sign."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One account to ask about; both numbers are still closed."""

    provider_code: str
    number_cipher: bytes
    number_token: str | None


def load_partners(path: Path | None) -> dict[str, PartnerAddress]:
    """The partners of this installation, by name. No file: none, and accounts wait until there is one."""
    if path is None:
        return {}
    listed = json.loads(path.read_text(encoding="utf-8"))["partners"]
    return {name: PartnerAddress(item["url"].rstrip("/"), item["outbound_secret"]) for name, item in listed.items()}


def load_inbound_secrets(path: Path | None) -> dict[str, tuple[str, ...]]:
    """The secrets with which partners sign their notices, by partner (several while one is replaced)."""
    if path is None:
        return {}
    listed = json.loads(path.read_text(encoding="utf-8"))["partners"]
    return {name: tuple(item.get("inbound_secrets") or ()) for name, item in listed.items()}


class NameInquiry:
    """The adapter for the JSON contract of our partners."""

    def __init__(
        self,
        keyring: Keyring,
        partners: Mapping[str, PartnerAddress],
        *,
        timeout_seconds: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` replaces the network in tests."""
        self._keyring = keyring
        self._partners = partners
        self._outside = Outside(to=[each.url for each in partners.values()], timeout_seconds=timeout_seconds, transport=transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._outside.close()

    async def ask(self, partner: str, accounts: Sequence[Asked]) -> list[Answer]:
        """Ask a partner about up to 1,000 accounts; answers come in the order asked, ERROR where it gave none.

        Raises:
            BusyError: 429; nothing was answered.
            AwayError: no connection, timeout, other status, or an answer not in the agreed form.
        """
        address = self._partners.get(partner)
        if address is None:
            raise AwayError("not configured")
        answers = [_NO_ANSWER] * len(accounts)
        places: dict[tuple[str, str], list[int]] = {}
        questions = []
        for index, account in enumerate(accounts):
            try:
                number = self._keyring.decrypt("account_number", account.number_cipher)
                national = self._keyring.open(account.number_token) if account.number_token else None
            except SealBroken:
                continue  # answered ERROR: one broken value must not stop the others
            places.setdefault((account.provider_code, number), []).append(index)
            questions.append({"provider_code": account.provider_code, "account_number": number, "national_number": national})
        if not questions:
            return answers
        results = await self._post(address, orjson.dumps({"accounts": questions}))
        if len(results) != len(questions):
            raise AwayError("an answer is missing")
        # Answers carry no reference of ours: they are taken in order, and believed only where the account named is the one asked.
        taken: dict[tuple[str, str], int] = {}
        for question, result in zip(questions, results, strict=True):
            account_key = (str(question["provider_code"]), str(question["account_number"]))
            nth = taken.get(account_key, 0)
            taken[account_key] = nth + 1
            answers[places[account_key][nth]] = _read(result, account_key[1])
        return answers

    async def _post(self, address: PartnerAddress, body: bytes) -> list[Any]:
        headers = {"Content-Type": "application/json", **webhooks.sign(address.secret, str(new_id()), clock.now(), body)}
        return listed(await self._outside.ask("POST", f"{address.url}/v1/name-inquiries", headers=headers, body=body), "results")


def _read(result: Any, number: str) -> Answer:
    """One result; one that names another account, or an unreadable one, is no answer."""
    if not isinstance(result, dict) or result.get("account_number") != number:
        return _NO_ANSWER
    holder = result.get("holder_name")
    return Answer(
        str(result.get("status")), holder if isinstance(holder, str) and holder else None, str(result.get("id_match", "NOT_GIVEN"))
    )
