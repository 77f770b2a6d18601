"""ISO 20022: pain.001.001.09 out, pain.002 back. Statements (camt.053, camt.054) are read in `channels.statements`.

The message id is our batch reference, the end-to-end id our payment reference. Amounts are whole đồng. What we write is checked
against the official schema before it is stored; what comes back is checked before it is believed: pain.002.001.03 and .12 by their schemas,
.10 (which pairs with what we write) by its structure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from lxml import etree

from common.names import folded
from common.sealing import Keyring
from disbursement.channels.files import FileChannel, bounded, latin
from disbursement.channels.iso_xml import XmlRefused, money, parse, schema_of, text
from disbursement.channels.partners import Partner, Payer
from disbursement.channels.protocol import BatchHead, CannotBuildBatch, InstructionLine, NoticeUnreadable, PartnerResult
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, FILE_INVALID, PARTNER_REFUSED, UNRECOGNISED_CODE

__all__ = ["REASONS", "Iso20022Channel", "make"]

_OUT: Final = "pain.001.001.09"
_NAMESPACE: Final = f"urn:iso:std:iso:20022:tech:xsd:{_OUT}"
_PREFIX: Final[Any] = {None: _NAMESPACE}
_NAME, _TEXT, _ACCOUNT = 70, 35, 34
_MAX_RESULTS: Final = 5_000

_STATUS: Final = {
    "RCVD": ResultStatus.RECEIVED,   # received
    "ACTC": ResultStatus.RECEIVED,   # technically valid
    "ACCP": ResultStatus.RECEIVED,   # checked against the customer's profile
    "ACSP": ResultStatus.RECEIVED,   # being settled
    "ACWC": ResultStatus.RECEIVED,   # accepted with a change
    "PDNG": ResultStatus.RECEIVED,   # pending
    "ACFC": ResultStatus.RECEIVED,   # funds checked
    "ACSC": ResultStatus.SETTLED,    # the payer's account is debited
    "ACCC": ResultStatus.SETTLED,    # the payee's account is credited
    "RJCT": ResultStatus.FAILED,
}  # fmt: skip
REASONS: Final = {
    "AC01": "ACCOUNT_NOT_FOUND", "AC02": PARTNER_REFUSED, "AC03": "ACCOUNT_NOT_FOUND", "AC04": "ACCOUNT_CLOSED", "AC06": "ACCOUNT_BLOCKED",
    "AC07": "ACCOUNT_CLOSED", "AC14": "ACCOUNT_BLOCKED", "AG01": "ACCOUNT_BLOCKED", "AM02": "LIMIT_EXCEEDED", "AM14": "LIMIT_EXCEEDED",
    "AM04": PARTNER_REFUSED, "AM05": ALREADY_KNOWN, "DUPL": ALREADY_KNOWN, "DU01": ALREADY_KNOWN, "DU02": ALREADY_KNOWN,
    "DU03": ALREADY_KNOWN, "DU04": ALREADY_KNOWN, "DU05": ALREADY_KNOWN, "BE01": "NAME_DIFFERS", "BE04": PARTNER_REFUSED,
    "MD07": "PAYEE_DECEASED", "MS02": PARTNER_REFUSED, "MS03": PARTNER_REFUSED, "RC01": "PROVIDER_UNSUPPORTED",
    "RC04": "PROVIDER_UNSUPPORTED", "AGNT": "PROVIDER_UNSUPPORTED", "FF01": PARTNER_REFUSED, "CURR": PARTNER_REFUSED,
    "AM03": PARTNER_REFUSED, "NARR": PARTNER_REFUSED, "RR04": PARTNER_REFUSED,
}  # fmt: skip
"""Status reason codes of ISO 20022's external code list → our reasons. Any other code is UNRECOGNISED: UNKNOWN, a person looks."""


class Iso20022Channel(FileChannel):
    """A bank that takes pain.001.001.09 and answers pain.002."""

    media_type = "application/xml"
    suffix = "xml"

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """One message with one payment information block. Raises CannotBuild, CannotBuildBatch."""
        payer = self.payer()
        root = etree.Element(f"{{{_NAMESPACE}}}Document", nsmap=_PREFIX)
        message = _add(root, "CstmrCdtTrfInitn")
        total = str(sum(line.amount for line in lines))
        group = _add(message, "GrpHdr")
        _add(group, "MsgId", head.reference)
        _add(group, "CreDtTm", head.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z")
        _add(group, "NbOfTxs", str(len(lines)))
        _add(group, "CtrlSum", total)
        _add(_add(group, "InitgPty"), "Nm", latin(payer.name, _NAME))
        block = _payment_information(message, head, payer, len(lines), total)
        for transfer in self.opened(lines, _transfer):
            block.append(transfer)
        if not schema_of(_OUT).validate(root):
            raise CannotBuildBatch(FILE_INVALID, f"{_OUT}: the message does not fit its schema")
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def references(self, body: bytes) -> frozenset[str]:
        """The end-to-end ids in stored bytes."""
        _, root = parse(body, {"pain.001"})
        return frozenset(element.text for element in root.iterfind(".//{*}EndToEndId"))

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The statuses in a pain.002: payment by payment, then of the message as a whole. Raises NoticeUnreadable."""
        try:
            _, root = parse(body, {"pain.002"})
        except XmlRefused as error:
            raise NoticeUnreadable(str(error)) from error
        results = list(_results(root[0]))
        if len(results) > _MAX_RESULTS:
            raise NoticeUnreadable(f"more than {_MAX_RESULTS} results")
        return results


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> Iso20022Channel:
    """The channel of a partner whose row says `iso20022`."""
    return Iso20022Channel(partner, http, keyring)


def _add(parent: Any, name: str, value: str | None = None) -> Any:
    element = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    element.text = value
    return element


def _payment_information(message: Any, head: BatchHead, payer: Payer, payments: int, total: str) -> Any:
    block = _add(message, "PmtInf")
    _add(block, "PmtInfId", head.reference)
    _add(block, "PmtMtd", "TRF")
    _add(block, "NbOfTxs", str(payments))
    _add(block, "CtrlSum", total)
    _add(_add(block, "ReqdExctnDt"), "Dt", (head.value_date if head.value_date and head.after_cut_off else head.business_date).isoformat())
    _add(_add(block, "Dbtr"), "Nm", latin(payer.name, _NAME))
    account = _add(block, "DbtrAcct")
    _add(_add(_add(account, "Id"), "Othr"), "Id", payer.account_number)
    _add(account, "Ccy", "VND")
    institution = _add(_add(block, "DbtrAgt"), "FinInstnId")
    if payer.bank_bic:
        _add(institution, "BICFI", payer.bank_bic)
    else:
        _add(institution, "Nm", latin(payer.bank_name, _NAME))
    return block


def _transfer(line: InstructionLine, account_number: str) -> Any:
    name = folded(line.payee_name)[:_NAME]
    if not name or not 1 <= len(account_number) <= _ACCOUNT or not account_number.isalnum():
        raise ValueError("no name or account number that the file can carry")
    transfer = etree.Element(f"{{{_NAMESPACE}}}CdtTrfTxInf", nsmap=_PREFIX)
    _add(_add(transfer, "PmtId"), "EndToEndId", line.reference)
    _add(_add(transfer, "Amt"), "InstdAmt", str(line.amount)).set("Ccy", "VND")
    if line.provider_code:
        _add(_add(_add(_add(transfer, "CdtrAgt"), "FinInstnId"), "Othr"), "Id", line.provider_code[:35])
    _add(_add(transfer, "Cdtr"), "Nm", name)
    _add(_add(_add(_add(transfer, "CdtrAcct"), "Id"), "Othr"), "Id", account_number)
    _add(_add(transfer, "RmtInf"), "Ustrd", latin(line.text, _TEXT))
    return transfer


def _results(report: Any) -> Iterator[PartnerResult]:
    """Every word of a report. A status of the whole (group or block) speaks of the payments it does not name, but PART says nothing."""
    moment = _moment(text(report, "GrpHdr/CreDtTm"))
    group = report.find("{*}OrgnlGrpInfAndSts")
    message_id = text(report, "OrgnlGrpInfAndSts/OrgnlMsgId") or ""
    wholes = [(group, "GrpSts", "OrgnlCtrlSum")]
    for block in report.iterfind("{*}OrgnlPmtInfAndSts"):
        for item in block.iterfind("{*}TxInfAndSts"):
            yield _result(item, "TxSts", text(item, "OrgnlEndToEndId") or "", message_id, "OrgnlTxRef/Amt/InstdAmt", moment)
        wholes.append((block, "PmtInfSts", "OrgnlCtrlSum"))
    said = {(text(element, name), _code(element)): (element, name, total) for element, name, total in wholes}
    for (status, _), (element, name, total) in said.items():
        if status is not None and status != "PART":
            yield _result(element, name, message_id, message_id, total, moment)


def _result(element: Any, name: str, reference: str, message_id: str, path: str, moment: datetime | None) -> PartnerResult:
    word, code = text(element, name), _code(element)
    status = _STATUS.get(word or "", ResultStatus.UNRECOGNISED)
    reason: str | None = None
    if status is ResultStatus.FAILED:
        reason = REASONS.get(code or "MS03", UNRECOGNISED_CODE)
    if status is ResultStatus.UNRECOGNISED or reason in {UNRECOGNISED_CODE, ALREADY_KNOWN}:
        status, reason = ResultStatus.UNRECOGNISED, UNRECOGNISED_CODE
    written = text(element, path)
    currency = element.find("/".join(f"{{*}}{part}" for part in path.split("/"))) if written and "/" in path else None
    amount = None if written is None else money(written)
    said = {"status": word, "code": code, "message": bounded(message_id, 40), "amount": bounded(written, 20)}
    return PartnerResult(
        reference=bounded(reference, 64) or "",
        status=status,
        amount=-1 if written is not None and amount is None else amount,
        currency=None if currency is None else bounded(currency.get("Ccy"), 8),
        reason=reason,
        partner_reference=bounded(text(element, "AcctSvcrRef") or text(element, "StsId")),
        occurred_at=moment,
        said={key: value for key, value in said.items() if value},
        message_id=bounded(message_id, 64) or "",
    )


def _code(element: Any) -> str | None:
    return bounded(text(element, "StsRsnInf/Rsn/Cd") or text(element, "StsRsnInf/Rsn/Prtry"), 35)


def _moment(written: str | None) -> datetime | None:
    """The moment of a message; None without an offset: then the time we read it counts."""
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 2000 <= moment.year < 2200 else None
