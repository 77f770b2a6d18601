"""Our default partner contract: signed JSON batches out, inquiries, and Standard Webhooks back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common import clock
from common.names import folded
from common.sealing import Keyring, SealBroken
from common.webhooks import sign
from disbursement.channels.api import ApiChannel, batch_answer, only
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import (
    BatchAnswer,
    BatchHead,
    CannotBuild,
    InstructionLine,
    NoAnswer,
    PartnerResult,
)
from disbursement.channels.words import items_of, moment, partner_result
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import PARTNER_CODES, PARTNER_REFUSED, reason_of_code

__all__ = ["JsonBatchChannel", "make"]

_CASH_KIND: Final = {"CASH_POST": "POST", "CASH_HOME": "HOME"}
_TEXT_LENGTH: Final = 25


class _Refused(BaseModel):
    model_config = ConfigDict(extra="ignore")
    reference: str
    code: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    batch_reference: str
    accepted: int = Field(ge=0)
    refused: list[_Refused] = []


class JsonBatchChannel(ApiChannel):
    """One partner that speaks the default contract."""

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
        return batch_answer(
            [(item.reference, item.code, reason_of_code(item.code, PARTNER_REFUSED)) for item in answer.refused],
            said=answer.batch_reference, batch_reference=batch_reference, accepted=answer.accepted, references=references,
        )  # fmt: skip

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Ask what became of references; answers about others are left out (they were not asked)."""
        body = orjson.dumps({"references": list(references)})
        content = await self._post("/v1/inquiries", str(inquiry_id), body, expected=(200,))
        return only(references, lambda: self._results(content))

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The results of a `payment.results` notice."""
        return self._results(body, notice=True)

    async def _post(self, path: str, webhook_id: str, body: bytes, expected: tuple[int, ...]) -> bytes:
        return await self.post(path, sign(self.partner.outbound_secret, webhook_id, clock.now(), body), body, expected)

    def _results(self, content: bytes, *, notice: bool = False) -> list[PartnerResult]:
        expected = {"type": "payment.results"} if notice else {}
        return [_result(item) for item in items_of(content, "results", **expected)]


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> JsonBatchChannel:
    """The channel of a partner whose row says `json_batch`, or nothing."""
    return JsonBatchChannel(partner, http, keyring)


def _result(item: Any) -> PartnerResult:
    """One result, never an exception: what cannot be read is UNRECOGNISED and goes to a person, the others are applied."""
    said = item if isinstance(item, dict) else {"status": f"not an object: {type(item).__name__}"}
    return partner_result(
        {name: said.get(name) for name in _SHOWN},
        status=_status(said.get("status")),
        codes=PARTNER_CODES,
        reference=said.get("reference"),
        code=said.get("code"),
        amount=said.get("amount"),
        currency=said.get("currency"),
        partner_reference=said.get("partner_reference"),
        occurred_at=moment(said.get("occurred_at")),
    )


_SHOWN: Final = ("status", "amount", "currency", "code", "partner_reference", "occurred_at")
_WORDS: Final = {status.value: status for status in ResultStatus if status is not ResultStatus.UNRECOGNISED}


def _status(word: object) -> ResultStatus:
    return _WORDS.get(word, ResultStatus.UNRECOGNISED) if isinstance(word, str) else ResultStatus.UNRECOGNISED
