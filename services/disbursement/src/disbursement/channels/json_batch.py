"""Our default partner contract: signed JSON batches out, inquiries, and Standard Webhooks back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common import clock
from common.http import AnswerTooLarge, read_bounded
from common.names import folded
from common.sealing import Keyring, SealBroken
from common.webhooks import sign
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import (
    BatchAnswer,
    BatchHead,
    CannotBuild,
    InstructionLine,
    NoAnswer,
    NoticeUnreadable,
    PartnerResult,
    Refusal,
)
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_REFUSED, UNRECOGNISED_CODE, reason_of_code

__all__ = ["JsonBatchChannel", "make"]

_CASH_KIND: Final = {"CASH_POST": "POST", "CASH_HOME": "HOME"}
_TEXT_LENGTH: Final = 25
_MAX_RESULTS: Final = 5_000
_YEARS: Final = range(2000, 2200)
"""A moment outside these is a partner's slip; it would leave the range that our readers of events can hold."""


class _Refused(BaseModel):
    model_config = ConfigDict(extra="ignore")
    reference: str
    code: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    batch_reference: str
    accepted: int = Field(ge=0)
    refused: list[_Refused] = []


class JsonBatchChannel:
    """One partner that speaks the default contract. Stateless; the HTTP client is shared and given."""

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

    def references(self, body: bytes) -> frozenset[str]:
        """The payments in stored bytes."""
        return frozenset(payment["reference"] for payment in orjson.loads(body)["payments"])

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The batch's exact bytes. Account numbers are opened here and live only in these bytes."""
        payments: list[dict[str, Any]] = []
        broken: list[str] = []
        for line in lines:
            try:
                payments.append(self._payment(line))
            except SealBroken:
                broken.append(line.reference)
        if broken:
            raise CannotBuild(broken)
        return orjson.dumps({"batch_reference": head.reference, "payments": payments})

    def _payment(self, line: InstructionLine) -> dict[str, Any]:
        cash = _CASH_KIND.get(line.channel)
        account = None
        if cash is None:
            if line.account_token is None:
                raise SealBroken("no sealed account number")
            account = {"provider_code": line.provider_code, "account_number": self._keyring.open(line.account_token)}
        return {
            "reference": line.reference,
            "amount": line.amount,
            "currency": "VND",
            "payee_name": folded(line.payee_name),
            "account": account,
            "cash": None
            if cash is None
            else {"kind": cash, "unit_code": line.unit_code, "file_code": line.file_code, "beneficiary_name": line.beneficiary_name},
            "text": line.text[:_TEXT_LENGTH],
        }

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> BatchAnswer:
        """POST the stored bytes. Everything but a readable 202 about exactly these payments raises NoAnswer."""
        content = await self._post("/v1/batches", batch_reference, body, expected=(200, 202))
        try:
            answer = _Answer.model_validate_json(content)
        except ValidationError as error:
            raise NoAnswer("ANSWER_UNREADABLE", f"{error.error_count()} fields of the batch answer do not fit") from error
        refused = {item.reference: item for item in answer.refused}
        complete = answer.accepted + len(refused) == len(references) and refused.keys() <= references
        if answer.batch_reference != batch_reference or not complete:
            raise NoAnswer("ANSWER_UNREADABLE", "the answer is not about exactly the payments of this batch")
        return BatchAnswer(
            tuple(Refusal(item.reference, item.code, reason_of_code(item.code, PARTNER_REFUSED)) for item in refused.values())
        )

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of references; answers about others are left out (they were not asked)."""
        body = orjson.dumps({"references": list(references)})
        content = await self._post("/v1/inquiries", str(inquiry_id), body, expected=(200,))
        try:
            results = self._results(content)
        except NoticeUnreadable as error:
            raise NoAnswer("ANSWER_UNREADABLE", str(error)) from error
        asked = set(references)
        return [result for result in results if result.reference in asked]

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The results of a `payment.results` notice."""
        return self._results(body, notice=True)

    async def _post(self, path: str, webhook_id: str, body: bytes, expected: tuple[int, ...]) -> bytes:
        headers = {"content-type": "application/json", **sign(self.partner.outbound_secret, webhook_id, clock.now(), body)}
        try:
            async with asyncio.timeout(self.partner.timeout_seconds):
                async with self._http.stream("POST", self.partner.url + path, content=body, headers=headers) as response:
                    content = await read_bounded(response)
        except (httpx.HTTPError, TimeoutError, AnswerTooLarge) as error:
            raise NoAnswer("NO_ANSWER", type(error).__name__) from error
        if response.status_code not in expected:
            raise NoAnswer("PARTNER_ERROR", f"HTTP {response.status_code}")
        return content

    def _results(self, content: bytes, *, notice: bool = False) -> list[PartnerResult]:
        try:
            data = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise NoticeUnreadable("not JSON") from error
        if not isinstance(data, dict) or not isinstance(data.get("results"), list):
            raise NoticeUnreadable("`results` is missing")
        if notice and data.get("type") != "payment.results":
            raise NoticeUnreadable("the notice's type is not payment.results")
        if len(data["results"]) > _MAX_RESULTS:
            raise NoticeUnreadable(f"more than {_MAX_RESULTS} results")
        return [_result(item) for item in data["results"]]


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> JsonBatchChannel:
    """The channel of a partner whose row says `json_batch`, or nothing."""
    return JsonBatchChannel(partner, http, keyring)


def _result(item: Any) -> PartnerResult:
    """One result, never an exception: what cannot be read is UNRECOGNISED and goes to a person, the others are applied."""
    said = item if isinstance(item, dict) else {"status": f"not an object: {type(item).__name__}"}
    status = _status(said.get("status"))
    code = said.get("code")
    reason: str | None = None
    if status in {ResultStatus.FAILED, ResultStatus.RETURNED, ResultStatus.UNCOLLECTED}:
        reason = reason_of_code(code if code is None else str(code), default=_DEFAULT_REASON[status])
        if reason in {UNRECOGNISED_CODE, ALREADY_KNOWN}:
            status, reason = ResultStatus.UNRECOGNISED, UNRECOGNISED_CODE
    elif status is ResultStatus.UNRECOGNISED:
        reason = UNRECOGNISED_CODE
    amount = said.get("amount")
    return PartnerResult(
        reference=_text(said.get("reference"), 64) or "",
        status=status,
        amount=amount if isinstance(amount, int) and not isinstance(amount, bool) and abs(amount) < 2**62 else None,
        currency=_text(said.get("currency"), 8),
        reason=reason,
        partner_reference=_text(said.get("partner_reference"), 100),
        occurred_at=_moment(said.get("occurred_at")),
        said={name: _text(said[name], 100) for name in _SHOWN if said.get(name) is not None},
    )


def _text(value: object, length: int) -> str | None:
    """Text the database takes (it stores no NUL), bounded; None for nothing."""
    return str(value).replace("\x00", "")[:length] if value else None


_SHOWN: Final = ("status", "amount", "currency", "code", "partner_reference", "occurred_at")
_DEFAULT_REASON: Final = {
    ResultStatus.FAILED: PARTNER_REFUSED,
    ResultStatus.RETURNED: "RETURNED_BY_PROVIDER",
    ResultStatus.UNCOLLECTED: "NOT_COLLECTED",
}
_WORDS: Final = {status.value: status for status in ResultStatus if status is not ResultStatus.UNRECOGNISED}


def _status(word: object) -> ResultStatus:
    return _WORDS.get(word, ResultStatus.UNRECOGNISED) if isinstance(word, str) else ResultStatus.UNRECOGNISED


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and moment.year in _YEARS else None
