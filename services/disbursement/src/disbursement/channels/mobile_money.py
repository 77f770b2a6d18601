"""Mobile money: an API key both ways instead of signatures, payments told in groups, acknowledged with `{"success": true}`.

Who knows the key is believed, so the key travels over TLS only and is changed by rotation (several inbound ones live at once). It
stamps no sending: the same notice `id` again is a duplicate, for ever.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.names import folded
from common.sealing import Keyring
from common.webhooks import InvalidSignature
from disbursement.channels.api import ApiChannel, batch_answer, only, opened
from disbursement.channels.callbacks import Acknowledgement, Genuine, json_acknowledgement
from disbursement.channels.partners import AccountLimits, Partner
from disbursement.channels.protocol import BatchAnswer, BatchHead, InstructionLine, NoAnswer, PartnerResult
from disbursement.channels.words import items_of, moment, partner_result, reason_in
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_REFUSED

__all__ = ["CODES", "LIMITS", "MobileMoneyCallback", "MobileMoneyChannel", "callback", "make"]

LIMITS: Final = AccountLimits(month=100_000_000)
"""Decree 368/2025, from 1 January 2026: what an account of mobile money may move in a month. A partner's row may say otherwise."""
_NAME, _TEXT = 70, 25
_SCHEME: Final = "Apikey "
_SHOWN: Final = ("state", "amount", "currency", "error", "transaction", "at")
_STATUS: Final = {
    "NOT_FOUND": ResultStatus.NOT_FOUND,
    "RECEIVED": ResultStatus.RECEIVED,
    "PROCESSING": ResultStatus.RECEIVED,
    "ON_HOLD": ResultStatus.RECEIVED,
    "SUCCEEDED": ResultStatus.SETTLED,
    "FAILED": ResultStatus.FAILED,
    "CANCELLED": ResultStatus.FAILED,
    "REVERSED": ResultStatus.RETURNED,
}
CODES: Final = {
    "ACCOUNT_CLOSED": "ACCOUNT_CLOSED",
    "NO_ACCOUNT": "ACCOUNT_NOT_FOUND",
    "ACCOUNT_LOCKED": "ACCOUNT_BLOCKED",
    "NAME_MISMATCH": "NAME_DIFFERS",
    "ID_MISMATCH": "ID_DIFFERS",
    "UPGRADE_REQUIRED": "NOT_UPGRADED",
    "LIMIT_TRANSACTION": "LIMIT_EXCEEDED",
    "LIMIT_DAY": "LIMIT_EXCEEDED",
    "LIMIT_MONTH": "LIMIT_EXCEEDED",
    "HOLDER_DECEASED": "PAYEE_DECEASED",
    "REFUSED": PARTNER_REFUSED,
    "DUPLICATE": ALREADY_KNOWN,
}
"""The provider's errors → our reasons. Any other is UNRECOGNISED: UNKNOWN, a person looks."""


class _Rejected(BaseModel):
    model_config = ConfigDict(extra="ignore")
    reference: str
    error: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    batch: str
    accepted: int = Field(ge=0)
    rejected: list[_Rejected] = []


class MobileMoneyChannel(ApiChannel):
    """One provider of mobile money that speaks this contract."""

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The batch's exact bytes. Raises CannotBuild."""
        return orjson.dumps({"batch": head.reference, "payouts": opened(self._keyring, lines, _item)})

    def references(self, body: bytes) -> frozenset[str]:
        """The references in stored bytes."""
        return frozenset(item["reference"] for item in orjson.loads(body)["payouts"])

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        """POST the stored bytes; our batch reference is the idempotency key. Raises NoAnswer."""
        content = await self.post("/api/payouts", self._headers(batch_reference), body, (200, 201, 202))
        try:
            answer = _Answer.model_validate_json(content)
        except ValidationError as error:
            raise NoAnswer("ANSWER_UNREADABLE", f"{error.error_count()} fields of the batch answer do not fit") from error
        return batch_answer(
            [(item.reference, item.error, reason_in(CODES, item.error, PARTNER_REFUSED)) for item in answer.rejected],
            said=answer.batch, batch_reference=batch_reference, accepted=answer.accepted, references=references,
        )  # fmt: skip

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of references. Raises NoAnswer."""
        body = orjson.dumps({"references": list(references)})
        content = await self.post("/api/payouts/status", self._headers(str(inquiry_id)), body, (200,))
        return only(references, lambda: [_result(item) for item in items_of(content, "payouts")])

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The results in a notice. Raises NoticeUnreadable."""
        return [_result(item) for item in items_of(body, "payouts")]

    def _headers(self, key: str) -> dict[str, str]:
        return {"x-api-key": self.partner.outbound_secret, "x-idempotency-key": key}


class MobileMoneyCallback:
    """Genuine is who shows a live key."""

    method: Literal["GET", "POST"] = "POST"

    def __init__(self, partner: Partner) -> None:
        self._keys = partner.inbound_secrets

    def verify(self, headers: Mapping[str, str], content: bytes, now: datetime) -> Genuine:
        """The key first; nothing of the body is read without it. Raises InvalidSignature."""
        given = headers.get("authorization", "")
        key = given.removeprefix(_SCHEME).encode() if given.startswith(_SCHEME) else b""
        matches = [hmac.compare_digest(live.encode(), key) for live in self._keys]
        if not any(matches):
            raise InvalidSignature("no live key is shown")
        try:
            notice_id = orjson.loads(content)["id"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise InvalidSignature("the notice has no `id`") from error
        if not isinstance(notice_id, str) or not 0 < len(notice_id) <= 100:
            raise InvalidSignature("the notice has no `id`")
        return Genuine(notice_id, None, matches.index(True), content)

    def acknowledge(self, *, duplicate: bool) -> Acknowledgement:
        """The provider reads the body: 2xx alone does not stop it."""
        return json_acknowledgement(200, {"success": True})


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> MobileMoneyChannel:
    """The channel of a partner whose row says `mobile_money`."""
    return MobileMoneyChannel(partner, http, keyring)


def callback(partner: Partner) -> MobileMoneyCallback:
    """How its notices are believed and answered."""
    return MobileMoneyCallback(partner)


def _item(line: InstructionLine, msisdn: str) -> dict[str, Any]:
    name = folded(line.payee_name)[:_NAME]
    if not name:
        raise ValueError("no name that the provider takes")
    return {
        "reference": line.reference, "msisdn": msisdn, "amount": line.amount, "currency": "VND", "name": name, "text": line.text[:_TEXT],
    }  # fmt: skip


def _result(item: Any) -> PartnerResult:
    said = item if isinstance(item, dict) else {"state": f"not an object: {type(item).__name__}"}
    return partner_result(
        {name: said.get(name) for name in _SHOWN},
        status=_STATUS.get(str(said.get("state")), ResultStatus.UNRECOGNISED),
        codes=CODES,
        reference=said.get("reference"),
        code=said.get("error"),
        amount=said.get("amount"),
        currency=said.get("currency"),
        partner_reference=said.get("transaction"),
        occurred_at=moment(said.get("at")),
    )
