"""How a partner speaks: the same books behind several contracts. A face reads orders, words answers, tells, and is acknowledged.

Written from the contracts in docs/partner, not from the platform's code.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from simulators.partner.config import PartnerConfig
from simulators.partner.files import content_type
from simulators.partner.messages import Batch
from simulators.partner.scripts import Behaviour
from simulators.webhooks import BadSignatureError, key_of, sign

__all__ = ["FACES", "Call", "Face", "Telling", "Unreadable", "face_of"]

Result = dict[str, Any]
_WRONG_SECRET = "whsec_" + base64.b64encode(b"not the secret we agreed on!").decode()
_OVERSIZE = 11 * 1024 * 1024
_VIET_NAM = timezone(timedelta(hours=7))


class Unreadable(ValueError):
    """The platform's request is not of this contract."""


@dataclass(frozen=True)
class Telling:
    """One attempt to tell: what, under which id, with which key and time; `fault` spoils it on the wire."""

    webhook_id: str
    body: bytes
    secret: str
    now: int
    known_as: str
    fault: str | None

    @property
    def results(self) -> list[Result]:
        """The results told, as the books say them."""
        results: list[Result] = orjson.loads(self.body)["results"]
        return results

    @property
    def key(self) -> str:
        """The secret to sign with: one nobody agreed on where the fault says so, or where a stale stamp has no place in the contract."""
        return _WRONG_SECRET if self.fault == Behaviour.BAD_SIGNATURE else self.secret

    @property
    def signed(self) -> bool:
        """False where the fault leaves the signature out."""
        return self.fault != Behaviour.UNSIGNED

    @property
    def stamp(self) -> int:
        """The time it says."""
        return self.now - 3600 if self.fault == Behaviour.STALE_TIMESTAMP else self.now

    def padded(self, body: bytes) -> bytes:
        """The body, or far too much of it."""
        return body + b" " * _OVERSIZE if self.fault == Behaviour.OVERSIZED_NOTICE else body


@dataclass(frozen=True)
class Call:
    """The HTTP request of a telling."""

    method: str
    query: str
    headers: dict[str, str]
    body: bytes


class Face(Protocol):
    """One contract."""

    single: bool
    """One result a notice."""

    def believe(self, partner: PartnerConfig, headers: Mapping[str, str], body: bytes) -> None:
        """Raise BadSignatureError unless the platform made this request."""

    def batch(self, body: bytes, provider: str) -> Batch:
        """The orders, into accounts of this provider. Raises Unreadable or ValidationError."""

    def answered(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The books' answer to a batch, in this contract's words."""

    def asked(self, body: bytes) -> list[str]:
        """References of an inquiry. Raises Unreadable."""

    def found(self, results: Sequence[Result]) -> dict[str, Any]:
        """What the books say of them."""

    def call(self, telling: Telling) -> Call:
        """How results are told."""

    def acknowledged(self, status: int, body: bytes) -> bool:
        """Whether this answer ends it."""


class StandardFace:
    """The default contract; its batches and inquiries are read by the routes themselves."""

    single = False

    def call(self, telling: Telling) -> Call:
        """Standard Webhooks; files as they are."""
        body = telling.padded(telling.body)
        headers = {
            "content-type": content_type(telling.body),
            "webhook-id": telling.webhook_id,
            "webhook-timestamp": str(telling.stamp),
            "webhook-signature": sign(telling.key, telling.webhook_id, telling.stamp, body),
        }
        if not telling.signed:
            del headers["webhook-signature"]
        return Call("POST", "", headers, body)

    def acknowledged(self, status: int, body: bytes) -> bool:
        """Any 2xx."""
        return 200 <= status < 300


def _data(body: bytes, name: str) -> list[Any]:
    try:
        data = orjson.loads(body)
        items = data[name]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Unreadable(f"{name}: {type(error).__name__}") from None
    if not isinstance(items, list) or not items:
        raise Unreadable(f"{name}: not a list with something in it")
    return items


def _batch(reference: object, payments: Sequence[Mapping[str, Any]]) -> Batch:
    return Batch.model_validate({"batch_reference": reference, "payments": list(payments)})


def _hex(secret: str, signed: bytes, how: str) -> str:
    return hmac.new(key_of(secret), signed, how).hexdigest()


def _seconds(at: str | None) -> float:
    return datetime.fromisoformat(at).timestamp() if at else 0.0


class WalletQueryFace:
    """A wallet that tells by GET with HMAC-SHA512 over the sorted query; amounts in hundredths of a đồng."""

    single = True
    codes = {
        "ACCOUNT_CLOSED": "11", "ACCOUNT_INVALID": "12", "ACCOUNT_DORMANT": "13", "NAME_DIFFERS": "14", "ACCOUNT_NOT_UPGRADED": "15",
        "AMOUNT_LIMIT": "16", "LIMIT_TRANSACTION": "16", "LIMIT_DAY": "17", "LIMIT_MONTH": "18", "ID_DIFFERS": "19",
        "PAYEE_DECEASED": "20", "PARTNER_REJECTED": "29", "DUPLICATE": "94",
    }  # fmt: skip
    words = {"RECEIVED": "PENDING", "SETTLED": "SUCCESS", "RETURNED": "REVERSED"}

    def believe(self, partner: PartnerConfig, headers: Mapping[str, str], body: bytes) -> None:
        """`x-signature` over the raw body."""
        if not hmac.compare_digest(_hex(partner.outbound_secret, body, "sha512"), headers.get("x-signature", "")):
            raise BadSignatureError("x-signature does not fit")

    def batch(self, body: bytes, provider: str) -> Batch:
        """`items` with amounts in hundredths."""
        items = _data(body, "items")
        if any(item["amount"] % 100 for item in items):
            raise Unreadable("amount: not whole đồng")
        payments = [
            {
                "reference": item["order_id"], "amount": item["amount"] // 100, "currency": item["currency"], "payee_name": item["name"],
                "account": {"provider_code": provider, "account_number": item["wallet_id"]}, "text": item["note"],
            }
            for item in items
        ]  # fmt: skip
        return _batch(orjson.loads(body).get("batch_id"), payments)

    def answered(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What was taken, and codes of what was not."""
        rejected = [{"order_id": item["reference"], "code": self.codes.get(item["code"], item["code"])} for item in answer["refused"]]
        return {"batch_id": answer["batch_reference"], "taken": answer["accepted"], "rejected": rejected}

    def asked(self, body: bytes) -> list[str]:
        """`order_ids`."""
        return [str(item) for item in _data(body, "order_ids")]

    def found(self, results: Sequence[Result]) -> dict[str, Any]:
        """`items`."""
        return {"items": [self.worded(result) for result in results]}

    def worded(self, result: Result) -> dict[str, Any]:
        """One result."""
        amount, at = result["amount"], result["occurred_at"]
        return {
            "order_id": result["reference"],
            "status": self.words.get(result["status"], result["status"]),
            "amount": None if amount is None else amount * 100,
            "currency": result["currency"],
            "code": self.codes.get(result["code"], result["code"]),
            "trans_id": result["partner_reference"],
            "paid_at": datetime.fromtimestamp(_seconds(at), _VIET_NAM).strftime("%Y%m%d%H%M%S") if at else None,
        }

    def call(self, telling: Telling) -> Call:
        """Everything in the query; nothing in the body."""
        said = {name: "" if value is None else str(value) for name, value in self.worded(telling.results[0]).items()}
        said |= {"merchant": telling.known_as, "notice_id": telling.webhook_id.replace("_", ""), "sent_at": str(telling.stamp)}
        if telling.fault == Behaviour.OVERSIZED_NOTICE:
            said["padding"] = "x" * 20_000
        query = urlencode(sorted(said.items()))
        if telling.signed:
            query += "&signature=" + _hex(telling.key, query.encode(), "sha512")
        return Call("GET", query, {}, b"")

    def acknowledged(self, status: int, body: bytes) -> bool:
        """RspCode 00 or 02; a 2xx without it is sent again."""
        return status == 200 and orjson.loads(body).get("RspCode") in ("00", "02")


class WalletIpnFace:
    """A wallet that tells by POST with HMAC-SHA256 over nine fields in their order, and waits for 204."""

    single = True
    codes = {
        "ACCOUNT_DORMANT": 4001, "ACCOUNT_CLOSED": 4002, "ACCOUNT_INVALID": 4004, "NAME_DIFFERS": 4010, "ID_DIFFERS": 4011,
        "ACCOUNT_NOT_UPGRADED": 4015, "AMOUNT_LIMIT": 4020, "LIMIT_TRANSACTION": 4020, "LIMIT_DAY": 4021, "LIMIT_MONTH": 4022,
        "PAYEE_DECEASED": 4030, "PARTNER_REJECTED": 4099, "DUPLICATE": 41,
    }  # fmt: skip
    words = {"SETTLED": 0, "RECEIVED": 7000, "RETURNED": 8000, "NOT_FOUND": 42}

    def believe(self, partner: PartnerConfig, headers: Mapping[str, str], body: bytes) -> None:
        """`x-signature` over the raw body."""
        if not hmac.compare_digest(_hex(partner.outbound_secret, body, "sha256"), headers.get("x-signature", "")):
            raise BadSignatureError("x-signature does not fit")

    def batch(self, body: bytes, provider: str) -> Batch:
        """`orders`."""
        payments = [
            {
                "reference": item["orderId"], "amount": item["amount"], "currency": item["currency"], "payee_name": item["name"],
                "account": {"provider_code": provider, "account_number": item["walletId"]}, "text": item["orderInfo"],
            }
            for item in _data(body, "orders")
        ]  # fmt: skip
        return _batch(orjson.loads(body).get("requestId"), payments)

    def answered(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What was taken, and result codes of what was not."""
        rejected = [{"orderId": item["reference"], "resultCode": self.codes.get(item["code"], 9999)} for item in answer["refused"]]
        return {"requestId": answer["batch_reference"], "accepted": answer["accepted"], "rejected": rejected}

    def asked(self, body: bytes) -> list[str]:
        """`orderIds`."""
        return [str(item) for item in _data(body, "orderIds")]

    def found(self, results: Sequence[Result]) -> dict[str, Any]:
        """`orders`."""
        return {"orders": [self.worded(result) for result in results]}

    def worded(self, result: Result) -> dict[str, Any]:
        """One result; the code says what became of it and why."""
        status = result["status"]
        code = self.codes.get(result["code"] or "PARTNER_REJECTED", 9999) if status == "FAILED" else self.words.get(status, 9999)
        return {
            "orderId": result["reference"], "resultCode": code, "message": str(status), "amount": result["amount"] or 0,
            "currency": result["currency"] or "", "transId": result["partner_reference"] or "",
            "responseTime": int(_seconds(result["occurred_at"]) * 1000),
        }  # fmt: skip

    def call(self, telling: Telling) -> Call:
        """Signed fields in alphabetical order."""
        said = self.worded(telling.results[0]) | {"accessKey": telling.known_as, "requestId": telling.webhook_id}
        key = _WRONG_SECRET if telling.fault == Behaviour.STALE_TIMESTAMP else telling.key
        if telling.signed:
            said["signature"] = _hex(key, "&".join(f"{name}={said[name]}" for name in sorted(said)).encode(), "sha256")
        return Call("POST", "", {"content-type": "application/json"}, telling.padded(orjson.dumps(said)))

    def acknowledged(self, status: int, body: bytes) -> bool:
        """204 and nothing else."""
        return status == 204 and not body


class MobileMoneyFace:
    """Mobile money: an API key both ways, groups of results, `{"success": true}` awaited."""

    single = False
    codes = {
        "ACCOUNT_INVALID": "NO_ACCOUNT", "ACCOUNT_DORMANT": "ACCOUNT_LOCKED", "ACCOUNT_NOT_UPGRADED": "UPGRADE_REQUIRED",
        "NAME_DIFFERS": "NAME_MISMATCH", "ID_DIFFERS": "ID_MISMATCH", "AMOUNT_LIMIT": "LIMIT_TRANSACTION",
        "PAYEE_DECEASED": "HOLDER_DECEASED", "PARTNER_REJECTED": "REFUSED",
    }  # fmt: skip
    words = {"RECEIVED": "PROCESSING", "SETTLED": "SUCCEEDED", "RETURNED": "REVERSED"}

    def believe(self, partner: PartnerConfig, headers: Mapping[str, str], body: bytes) -> None:
        """`x-api-key`."""
        if not hmac.compare_digest(partner.outbound_secret.encode(), headers.get("x-api-key", "").encode()):
            raise BadSignatureError("x-api-key does not fit")
        if not headers.get("x-idempotency-key"):
            raise BadSignatureError("x-idempotency-key is missing")

    def batch(self, body: bytes, provider: str) -> Batch:
        """`payouts`."""
        payments = [
            {
                "reference": item["reference"], "amount": item["amount"], "currency": item["currency"], "payee_name": item["name"],
                "account": {"provider_code": provider, "account_number": item["msisdn"]}, "text": item["text"],
            }
            for item in _data(body, "payouts")
        ]  # fmt: skip
        return _batch(orjson.loads(body).get("batch"), payments)

    def answered(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What was taken, and errors of what was not."""
        rejected = [{"reference": item["reference"], "error": self.codes.get(item["code"], item["code"])} for item in answer["refused"]]
        return {"batch": answer["batch_reference"], "accepted": answer["accepted"], "rejected": rejected}

    def asked(self, body: bytes) -> list[str]:
        """`references`."""
        return [str(item) for item in _data(body, "references")]

    def found(self, results: Sequence[Result]) -> dict[str, Any]:
        """`payouts`."""
        return {"payouts": [self.worded(result) for result in results]}

    def worded(self, result: Result) -> dict[str, Any]:
        """One result."""
        return {
            "reference": result["reference"], "state": self.words.get(result["status"], result["status"]), "amount": result["amount"],
            "currency": result["currency"], "error": self.codes.get(result["code"], result["code"]),
            "transaction": result["partner_reference"], "at": result["occurred_at"],
        }  # fmt: skip

    def call(self, telling: Telling) -> Call:
        """The key in the header; the id in the body."""
        body = orjson.dumps({"id": telling.webhook_id, **self.found(telling.results)})
        key = _WRONG_SECRET if telling.fault == Behaviour.STALE_TIMESTAMP else telling.key
        headers = {"content-type": "application/json"} | ({"authorization": f"Apikey {key}"} if telling.signed else {})
        return Call("POST", "", headers, telling.padded(body))

    def acknowledged(self, status: int, body: bytes) -> bool:
        """`success` must be true; a 2xx without it is sent again."""
        return 200 <= status < 300 and orjson.loads(body).get("success") is True


STANDARD = StandardFace()
FACES: dict[str, Face] = {"wallet_query": WalletQueryFace(), "wallet_ipn": WalletIpnFace(), "mobile_money": MobileMoneyFace()}
"""Contracts other than the default, by the `channel` of a partner's row."""


def face_of(partner: PartnerConfig) -> Face | StandardFace:
    """How this partner speaks."""
    return FACES.get(partner.channel, STANDARD)
