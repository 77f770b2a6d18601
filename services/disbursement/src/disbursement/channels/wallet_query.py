"""A wallet that tells us by GET: parameters in the query, sorted and signed with HMAC-SHA512, amounts in hundredths of a đồng.

Its API takes signed JSON batches; its notice is about one payment and is acknowledged with `{"RspCode": "00"}`, a repetition with `02`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.names import folded
from common.sealing import Keyring
from common.webhooks import TOLERANCE, InvalidSignature, decode_secret
from disbursement.channels.api import ApiChannel, batch_answer, only, opened
from disbursement.channels.callbacks import Acknowledgement, Genuine, json_acknowledgement
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import BatchAnswer, BatchHead, InstructionLine, NoAnswer, NoticeUnreadable, PartnerResult
from disbursement.channels.words import items_of, local_moment, partner_result, reason_in
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_REFUSED

__all__ = ["CODES", "WalletQueryCallback", "WalletQueryChannel", "callback", "make"]

_HUNDREDTHS: Final = 100
_NAME, _TEXT = 70, 25
_SHOWN: Final = ("status", "amount", "currency", "code", "trans_id", "paid_at")
_STATUS: Final = {
    "NOT_FOUND": ResultStatus.NOT_FOUND,
    "PENDING": ResultStatus.RECEIVED,
    "SUCCESS": ResultStatus.SETTLED,
    "FAILED": ResultStatus.FAILED,
    "REVERSED": ResultStatus.RETURNED,
}
CODES: Final = {
    "11": "ACCOUNT_CLOSED",
    "12": "ACCOUNT_NOT_FOUND",
    "13": "ACCOUNT_BLOCKED",
    "14": "NAME_DIFFERS",
    "15": "NOT_UPGRADED",
    "16": "LIMIT_EXCEEDED",  # of one transaction
    "17": "LIMIT_EXCEEDED",  # of the day
    "18": "LIMIT_EXCEEDED",  # of the month
    "19": "ID_DIFFERS",
    "20": "PAYEE_DECEASED",
    "29": PARTNER_REFUSED,
    "94": ALREADY_KNOWN,
}
"""The wallet's codes → our reasons. Any other is UNRECOGNISED: UNKNOWN, a person looks."""


class _Rejected(BaseModel):
    model_config = ConfigDict(extra="ignore")
    order_id: str
    code: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    batch_id: str
    taken: int = Field(ge=0)
    rejected: list[_Rejected] = []


class WalletQueryChannel(ApiChannel):
    """One wallet that speaks this contract."""

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The batch's exact bytes. Raises CannotBuild."""
        items = opened(self._keyring, lines, _item)
        return orjson.dumps({"merchant": self.partner.known_as, "batch_id": head.reference, "items": items})

    def references(self, body: bytes) -> frozenset[str]:
        """The order ids in stored bytes."""
        return frozenset(item["order_id"] for item in orjson.loads(body)["items"])

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        """POST the stored bytes. Raises NoAnswer."""
        content = await self._signed("/v1/disbursements", body, (200, 202))
        try:
            answer = _Answer.model_validate_json(content)
        except ValidationError as error:
            raise NoAnswer("ANSWER_UNREADABLE", f"{error.error_count()} fields of the batch answer do not fit") from error
        return batch_answer(
            [(item.order_id, item.code, reason_in(CODES, item.code, PARTNER_REFUSED)) for item in answer.rejected],
            said=answer.batch_id, batch_reference=batch_reference, accepted=answer.taken, references=references,
        )  # fmt: skip

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of order ids. Raises NoAnswer."""
        body = orjson.dumps({"merchant": self.partner.known_as, "request_id": str(inquiry_id), "order_ids": list(references)})
        content = await self._signed("/v1/disbursements/query", body, (200,))
        return only(references, lambda: [_result(item) for item in items_of(content, "items")])

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The one result in a query string. Raises NoticeUnreadable."""
        try:
            said = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        except ValueError as error:
            raise NoticeUnreadable("not a query string") from error
        if said.get("merchant") != self.partner.known_as:
            raise NoticeUnreadable("`merchant` is not us")
        return [_result(said)]

    async def _signed(self, path: str, body: bytes, expected: tuple[int, ...]) -> bytes:
        return await self.post(path, {"x-signature": _digest(self.partner.outbound_secret, body)}, body, expected)


class WalletQueryCallback:
    """Genuine is what HMAC-SHA512 over the sorted parameters says, as they came, within five minutes of `sent_at`."""

    method: Literal["GET", "POST"] = "GET"

    def __init__(self, partner: Partner) -> None:
        self._secrets = partner.inbound_secrets

    def verify(self, headers: Mapping[str, str], content: bytes, now: datetime) -> Genuine:
        """`content` is the raw query. Raises InvalidSignature."""
        pairs = dict(part.partition(b"=")[::2] for part in content.split(b"&"))
        given = pairs.pop(b"signature", b"")
        if not given or len(pairs) + 1 != content.count(b"&") + 1:
            raise InvalidSignature("no signature, or a parameter stands twice")
        notice_id, stamp = pairs.get(b"notice_id", b""), pairs.get(b"sent_at", b"")
        if not 0 < len(notice_id) <= 100 or not notice_id.isalnum() or not stamp.isdigit() or len(stamp) > 11:
            raise InvalidSignature("notice_id or sent_at is missing or malformed")
        sent_at = datetime.fromtimestamp(int(stamp), UTC)
        if abs(now - sent_at) > TOLERANCE:
            raise InvalidSignature("the time stamp is outside the window")
        signed = _joined(pairs)
        for index, secret in enumerate(self._secrets):
            if hmac.compare_digest(_digest(secret, signed).encode(), given.lower()):
                del pairs[b"sent_at"]
                return Genuine(notice_id.decode(), sent_at, index, _joined(pairs))
        raise InvalidSignature("no signature matches")

    def acknowledge(self, *, duplicate: bool) -> Acknowledgement:
        """00 confirmed; 02 already confirmed."""
        code, message = ("02", "Order already confirmed") if duplicate else ("00", "Confirm Success")
        return json_acknowledgement(200, {"RspCode": code, "Message": message})


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> WalletQueryChannel:
    """The channel of a partner whose row says `wallet_query`."""
    return WalletQueryChannel(partner, http, keyring)


def callback(partner: Partner) -> WalletQueryCallback:
    """How its notices are believed and answered."""
    return WalletQueryCallback(partner)


def _item(line: InstructionLine, wallet_id: str) -> dict[str, Any]:
    name = folded(line.payee_name)[:_NAME]
    if not name:
        raise ValueError("no name that the wallet takes")
    return {
        "order_id": line.reference,
        "wallet_id": wallet_id,
        "amount": line.amount * _HUNDREDTHS,
        "currency": "VND",
        "name": name,
        "note": line.text[:_TEXT],
    }


def _joined(pairs: Mapping[bytes, bytes]) -> bytes:
    return b"&".join(b"%s=%s" % item for item in sorted(pairs.items()))


def _digest(secret: str, signed: bytes) -> str:
    return hmac.new(decode_secret(secret), signed, hashlib.sha512).hexdigest()


def _result(item: Any) -> PartnerResult:
    said = item if isinstance(item, dict) else {"status": f"not an object: {type(item).__name__}"}
    return partner_result(
        {name: said.get(name) for name in _SHOWN},
        status=_STATUS.get(str(said.get("status")), ResultStatus.UNRECOGNISED),
        codes=CODES,
        reference=said.get("order_id"),
        code=said.get("code"),
        amount=_dong(said.get("amount")),
        currency=said.get("currency"),
        partner_reference=said.get("trans_id"),
        occurred_at=local_moment(said.get("paid_at")),
    )


def _dong(hundredths: object) -> int | None:
    """Whole đồng; None for what is no amount in whole đồng, which is then not ours."""
    written = str(hundredths)
    if not (written.isascii() and written.isdigit() and len(written) <= 18) or int(written) % _HUNDREDTHS:
        return None
    return int(written) // _HUNDREDTHS
