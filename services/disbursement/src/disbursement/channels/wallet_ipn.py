"""A wallet that tells us by POST: JSON signed with HMAC-SHA256 over its fields in a fixed order, answered 204 without a body.

Its API takes signed JSON batches of whole đồng; its notice is about one payment. It stamps no sending: the same `requestId` again is
a duplicate, for ever.
"""

from __future__ import annotations

import hashlib
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
from common.webhooks import InvalidSignature, decode_secret
from disbursement.channels.api import ApiChannel, batch_answer, only, opened
from disbursement.channels.callbacks import Acknowledgement, Genuine
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import BatchAnswer, BatchHead, InstructionLine, NoAnswer, NoticeUnreadable, PartnerResult
from disbursement.channels.words import items_of, partner_result, reason_in, unix_moment
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_REFUSED

__all__ = ["CODES", "WalletIpnCallback", "WalletIpnChannel", "callback", "make"]

_NAME, _TEXT = 70, 25
_SIGNED: Final = (
    "accessKey", "amount", "currency", "message", "orderId", "requestId", "responseTime", "resultCode", "transId",
)  # fmt: skip
_SHOWN: Final = ("resultCode", "message", "amount", "currency", "transId", "responseTime")
_STATUS: Final = {
    0: ResultStatus.SETTLED,
    7000: ResultStatus.RECEIVED,    # being processed
    7002: ResultStatus.RECEIVED,    # waits for the wallet's own check
    8000: ResultStatus.RETURNED,    # taken back after it had been paid
    42: ResultStatus.NOT_FOUND,
}  # fmt: skip
CODES: Final = {
    "4001": "ACCOUNT_BLOCKED",
    "4002": "ACCOUNT_CLOSED",
    "4004": "ACCOUNT_NOT_FOUND",
    "4010": "NAME_DIFFERS",
    "4011": "ID_DIFFERS",
    "4015": "NOT_UPGRADED",
    "4020": "LIMIT_EXCEEDED",       # of one transaction
    "4021": "LIMIT_EXCEEDED",       # of the day
    "4022": "LIMIT_EXCEEDED",       # of the month
    "4030": "PAYEE_DECEASED",
    "4099": PARTNER_REFUSED,
    "41": ALREADY_KNOWN,
}  # fmt: skip
"""The wallet's result codes that mean *failed* → our reasons. Any other is UNRECOGNISED: UNKNOWN, a person looks."""


class _Rejected(BaseModel):
    model_config = ConfigDict(extra="ignore")
    order_id: str = Field(alias="orderId")
    result_code: int | None = Field(default=None, alias="resultCode")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    request_id: str = Field(alias="requestId")
    accepted: int = Field(ge=0)
    rejected: list[_Rejected] = []


class WalletIpnChannel(ApiChannel):
    """One wallet that speaks this contract."""

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The batch's exact bytes. Raises CannotBuild."""
        items = opened(self._keyring, lines, _item)
        return orjson.dumps({"accessKey": self.partner.known_as, "requestId": head.reference, "orders": items})

    def references(self, body: bytes) -> frozenset[str]:
        """The order ids in stored bytes."""
        return frozenset(item["orderId"] for item in orjson.loads(body)["orders"])

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        """POST the stored bytes. Raises NoAnswer."""
        content = await self._signed("/v2/payouts", body, (200, 202))
        try:
            answer = _Answer.model_validate_json(content)
        except ValidationError as error:
            raise NoAnswer("ANSWER_UNREADABLE", f"{error.error_count()} fields of the batch answer do not fit") from error
        refused = [
            (
                item.order_id,
                None if item.result_code is None else str(item.result_code),
                reason_in(CODES, item.result_code, PARTNER_REFUSED),
            )
            for item in answer.rejected
        ]
        return batch_answer(
            refused, said=answer.request_id, batch_reference=batch_reference, accepted=answer.accepted, references=references
        )

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of order ids. Raises NoAnswer."""
        body = orjson.dumps({"accessKey": self.partner.known_as, "requestId": str(inquiry_id), "orderIds": list(references)})
        content = await self._signed("/v2/payouts/query", body, (200,))
        return only(references, lambda: [_result(item) for item in items_of(content, "orders")])

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The one result in a notice. Raises NoticeUnreadable."""
        said = _object(body)
        if said is None or said.get("accessKey") != self.partner.known_as:
            raise NoticeUnreadable("`accessKey` is not us")
        return [_result(said)]

    async def _signed(self, path: str, body: bytes, expected: tuple[int, ...]) -> bytes:
        signature = hmac.new(decode_secret(self.partner.outbound_secret), body, hashlib.sha256).hexdigest()
        return await self.post(path, {"x-access-key": self.partner.known_as, "x-signature": signature}, body, expected)


class WalletIpnCallback:
    """Genuine is what HMAC-SHA256 over the nine fields says, in their fixed order."""

    method: Literal["GET", "POST"] = "POST"

    def __init__(self, partner: Partner) -> None:
        self._secrets = partner.inbound_secrets

    def verify(self, headers: Mapping[str, str], content: bytes, now: datetime) -> Genuine:
        """`content` is the raw JSON body. Raises InvalidSignature."""
        said = _object(content)
        if said is None or not isinstance(given := said.get("signature"), str):
            raise InvalidSignature("no JSON object with a signature")
        if said.keys() != {*_SIGNED, "signature"} or not all(isinstance(said[name], str | int) for name in _SIGNED):
            raise InvalidSignature("a field is missing, or one stands there that is not signed")
        notice_id = said["requestId"]
        if not isinstance(notice_id, str) or not 0 < len(notice_id) <= 100:
            raise InvalidSignature("requestId is missing or malformed")
        signed = "&".join(f"{name}={said[name]}" for name in _SIGNED).encode()
        for index, secret in enumerate(self._secrets):
            if hmac.compare_digest(hmac.new(decode_secret(secret), signed, hashlib.sha256).hexdigest().encode(), given.encode()):
                return Genuine(notice_id, None, index, signed)
        raise InvalidSignature("no signature matches")

    def acknowledge(self, *, duplicate: bool) -> Acknowledgement:
        """204: nothing to read."""
        return Acknowledgement(204)


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> WalletIpnChannel:
    """The channel of a partner whose row says `wallet_ipn`."""
    return WalletIpnChannel(partner, http, keyring)


def callback(partner: Partner) -> WalletIpnCallback:
    """How its notices are believed and answered."""
    return WalletIpnCallback(partner)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _item(line: InstructionLine, wallet_id: str) -> dict[str, Any]:
    name = folded(line.payee_name)[:_NAME]
    if not name:
        raise ValueError("no name that the wallet takes")
    return {
        "orderId": line.reference, "walletId": wallet_id, "amount": line.amount, "currency": "VND", "name": name,
        "orderInfo": line.text[:_TEXT],
    }  # fmt: skip


def _result(item: Any) -> PartnerResult:
    """`resultCode` says both: what became of it and, where it failed, why."""
    said = item if isinstance(item, dict) else {"message": f"not an object: {type(item).__name__}"}
    code = said.get("resultCode")
    known = code if isinstance(code, int) and not isinstance(code, bool) else None
    status = _STATUS.get(known, ResultStatus.FAILED if str(known) in CODES else ResultStatus.UNRECOGNISED) if known is not None else None
    return partner_result(
        {name: said.get(name) for name in _SHOWN} | {"resultCode": None if code is None else str(code)},
        status=status or ResultStatus.UNRECOGNISED,
        codes=CODES,
        reference=said.get("orderId"),
        code=known if status is ResultStatus.FAILED else None,
        amount=said.get("amount"),
        currency=said.get("currency"),
        partner_reference=said.get("transId"),
        occurred_at=unix_moment(said.get("responseTime"), per_second=1000),
    )
