"""Files a bank takes (ISO 20022 pain.001, payroll and Treasury tables) and the files it answers with (pain.002, result tables)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
from lxml import etree
from pydantic import ValidationError
from python_calamine import CalamineError, CalamineWorkbook

from simulators.partner.messages import Account, Batch, Payment

__all__ = ["FileRefusedError", "content_type", "read_file", "writer"]

Result = dict[str, Any]
_PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_PAIN_ANSWER = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = ("Mã tệp", "Mã tham chiếu", "Số tài khoản", "Tên người hưởng", "Ngân hàng", "Số tiền", "Loại tiền", "Nội dung")
_ANSWER_COLUMNS = ("Mã tham chiếu", "Số tiền", "Loại tiền", "Kết quả", "Mã lỗi", "Số bút toán", "Ngày giao dịch")
_WORDS = {"RECEIVED": "Đã tiếp nhận", "SETTLED": "Thành công", "FAILED": "Không thành công", "RETURNED": "Hoàn trả"}
_STATUS = {"RECEIVED": "ACCP", "SETTLED": "ACSC", "FAILED": "RJCT"}
_CODES = {
    "ACCOUNT_CLOSED": "AC04",
    "ACCOUNT_INVALID": "AC01",
    "ACCOUNT_DORMANT": "AC06",
    "NAME_DIFFERS": "BE01",
    "AMOUNT_LIMIT": "AM02",
    "PARTNER_REJECTED": "MS03",
    "NAME_FORMAT": "MS03",
    "TEXT_FORMAT": "MS03",
    "CHANNEL_UNSUPPORTED": "MS03",
    "BAD_DESTINATION": "MS03",
    "CURRENCY_UNSUPPORTED": "CURR",
}


class FileRefusedError(Exception):
    """The bank cannot read the file; the text says why."""


def content_type(body: bytes) -> str:
    """What these bytes are, by their beginning."""
    if body.startswith(b"<"):
        return "application/xml"
    if body.startswith(b"PK"):
        return _XLSX
    return "text/csv; charset=utf-8" if body.startswith(b"\xef\xbb\xbf") else "application/json"


def read_file(body: bytes) -> tuple[str, Batch]:
    """(form, batch) of a file. Raises FileRefusedError."""
    try:
        if content_type(body) == "application/xml":
            return "PAIN", _read_pain(body)
        form = "XLSX" if body.startswith(b"PK") else "CSV"
        return form, _read_rows(_sheet(body) if form == "XLSX" else list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";")))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise FileRefusedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (etree.XMLSyntaxError, CalamineError, UnicodeDecodeError, ValueError, KeyError, AttributeError) as error:
        raise FileRefusedError(f"unreadable: {type(error).__name__}") from None


def _read_pain(body: bytes) -> Batch:
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    if etree.QName(root).namespace != _PAIN:
        raise FileRefusedError(f"not {_PAIN}")

    def said(element: Any, path: str) -> str:
        return str(element.findtext("/".join(f"{{{_PAIN}}}{name}" for name in path.split("/"))) or "")

    head = root[0][0]
    payments = [
        Payment(
            reference=said(item, "PmtId/EndToEndId"),
            amount=int(said(item, "Amt/InstdAmt")),
            currency=str(item.xpath("string(*[local-name()='Amt']/*/@Ccy)")),
            payee_name=said(item, "Cdtr/Nm"),
            account=Account(
                provider_code=said(item, "CdtrAgt/FinInstnId/Othr/Id"),
                account_number=said(item, "CdtrAcct/Id/Othr/Id"),
            ),
            text=said(item, "RmtInf/Ustrd"),
        )
        for item in root.iterfind(f".//{{{_PAIN}}}CdtTrfTxInf")
    ]
    if int(said(head, "NbOfTxs")) != len(payments) or int(said(head, "CtrlSum")) != sum(payment.amount for payment in payments):
        raise FileRefusedError("number of transactions or control sum do not fit")
    return Batch(batch_reference=said(head, "MsgId"), payments=payments)


def _sheet(body: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()


def _read_rows(rows: Sequence[Sequence[Any]]) -> Batch:
    at = {name: list(rows[0]).index(name) for name in _COLUMNS}
    payments, message_ids = [], set()
    for row in rows[1:]:
        said = {name: row[index] for name, index in at.items()}
        message_ids.add(said["Mã tệp"])
        payments.append(
            Payment(
                reference=said["Mã tham chiếu"],
                amount=int(said["Số tiền"]),
                currency=said["Loại tiền"],
                payee_name=said["Tên người hưởng"],
                account=Account(provider_code=said["Ngân hàng"], account_number=said["Số tài khoản"]),
                text=said["Nội dung"],
            )
        )
    if len(message_ids) != 1:
        raise FileRefusedError("one file, one message id")
    return Batch(batch_reference=message_ids.pop(), payments=payments)


def writer(form: str, message_id: str) -> Callable[[Sequence[Result]], bytes | None]:
    """How the results of one message are told in a form."""
    if form == "PAIN":
        return partial(_pain_answer, message_id)
    return _xlsx_answer if form == "XLSX" else _csv_answer


def _pain_answer(message_id: str, results: Sequence[Result]) -> bytes | None:
    """pain.002.001.03. That money came back has no word there: the statement tells."""
    told = [result for result in results if result["status"] != "RETURNED"]
    if not told:
        return None
    statuses = {result["status"] for result in told}
    group = {frozenset({"RECEIVED"}): "ACTC", frozenset({"FAILED"}): "RJCT"}.get(frozenset(statuses), "PART")
    items = "" if group == "ACTC" else "".join(_transaction(result) for result in told)
    at = next((result["occurred_at"] for result in told if result["occurred_at"]), "2024-01-01T00:00:00Z")
    whole = f"<GrpSts>{group}</GrpSts>" if "RECEIVED" in statuses else ""
    block = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{escape(message_id)}</OrgnlPmtInfId>{items}</OrgnlPmtInfAndSts>" if items else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{_PAIN_ANSWER}"><CstmrPmtStsRpt><GrpHdr>'
        f"<MsgId>S{escape(message_id)}</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>"
        f"<OrgnlMsgId>{escape(message_id)}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{whole}</OrgnlGrpInfAndSts>{block}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def _transaction(result: Result) -> str:
    status = _STATUS.get(result["status"], "RJCT")
    reason = ""
    if status == "RJCT":
        reason = f"<StsRsnInf><Rsn><Cd>{escape(_CODES.get(result['code'], result['code'] or 'MS03')[:4])}</Cd></Rsn></StsRsnInf>"
    theirs = f"<AcctSvcrRef>{escape(result['partner_reference'])}</AcctSvcrRef>" if result["partner_reference"] else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{escape(result['reference'])}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}{theirs}"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="{result["currency"]}">{result["amount"]}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
    )


def _rows(results: Sequence[Result]) -> Iterator[list[Any]]:
    for result in results:
        day = result["occurred_at"] or ""
        yield [
            result["reference"],
            result["amount"],
            result["currency"],
            _WORDS.get(result["status"], result["status"]),
            result["code"] or "",
            result["partner_reference"] or "",
            f"{day[8:10]}/{day[5:7]}/{day[:4]}" if day else "",
        ]


def _csv_answer(results: Sequence[Result]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows([_ANSWER_COLUMNS, *_rows(results)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _xlsx_answer(results: Sequence[Result]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate([_ANSWER_COLUMNS, *_rows(results)]):
        sheet.write_row(number, 0, row)
    book.close()
    return out.getvalue()
