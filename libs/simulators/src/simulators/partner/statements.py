"""The books as the statements a bank hands out (CSV, XLSX, camt.053, camt.054), right, or with scripted differences."""

from __future__ import annotations

import csv
import io
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import xlsxwriter
from lxml import etree

__all__ = ["MEDIA_TYPES", "Line", "as_file", "booked", "with_differences"]

MEDIA_TYPES = {
    "CSV": "text/csv; charset=utf-8",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "CAMT053": "application/xml",
    "CAMT054": "application/xml",
}
_HERE = timezone(timedelta(hours=7))
_COLUMNS = ("Ngày giao dịch", "Số bút toán", "Mã tham chiếu", "Ghi nợ", "Ghi có", "Diễn giải")
_OPENING = 1_000_000_000_000


@dataclass(frozen=True)
class Line:
    """One booked line: positive amounts left the payer's account, negative ones came back."""

    booked_at: float
    reference: str
    partner_reference: str
    amount: int
    text: str

    @property
    def day(self) -> datetime:
        """When it was booked, as the bank's clock shows it."""
        return datetime.fromtimestamp(self.booked_at, UTC).astimezone(_HERE)


def booked(path: Path, partner: str, since: float, until: float) -> list[Line]:
    """A partner's booked lines in a span of time, oldest first."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT e.booked_at, p.reference, p.partner_reference, e.amount, p.text FROM entry AS e"
            " JOIN payment AS p ON p.id = e.payment_id WHERE p.partner = ? AND e.booked_at >= ? AND e.booked_at < ?"
            " ORDER BY e.booked_at, e.payment_id, e.kind",
            (partner, since, until),
        )
        return [Line(*row) for row in rows]


def with_differences(lines: Sequence[Line], wanted: dict[str, int], seed: int) -> tuple[list[Line], dict[str, list[str]]]:
    """(lines, references by kind) with so many `missing`, `amount`, `duplicate` and `extra` ones, the same for the same seed."""
    chance = random.Random(seed)
    outgoing = [number for number, line in enumerate(lines) if line.amount > 0]
    chosen = chance.sample(outgoing, sum(wanted.get(kind, 0) for kind in ("missing", "amount", "duplicate")))
    taken = {kind: {chosen.pop() for _ in range(wanted.get(kind, 0))} for kind in ("missing", "amount", "duplicate")}
    made: list[Line] = []
    for number, line in enumerate(lines):
        if number in taken["missing"]:
            continue
        made.append(replace(line, amount=line.amount + 1_000) if number in taken["amount"] else line)
        if number in taken["duplicate"]:
            made.append(replace(line, partner_reference=f"{line.partner_reference[:18]}D"))
    for number in range(wanted.get("extra", 0)):
        at = lines[0].booked_at if lines else 0.0
        made.insert(chance.randrange(len(made) + 1), Line(at, "", f"PHI{seed}{number}", 1_100 + number, "PHI DICH VU"))
    told = {kind: sorted(lines[number].reference for number in numbers) for kind, numbers in taken.items()}
    return made, {**told, "extra": [f"PHI{seed}{number}" for number in range(wanted.get("extra", 0))]}


def as_file(form: str, partner: str, lines: Sequence[Line]) -> bytes:
    """The statement in one of :data:`MEDIA_TYPES`."""
    if form == "CSV":
        out = io.StringIO()
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows([_COLUMNS, *_rows(lines)])
        return b"\xef\xbb\xbf" + out.getvalue().encode()
    return _xlsx(lines) if form == "XLSX" else _camt(form, partner, lines)


def _rows(lines: Sequence[Line]) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        out, back = (line.amount, "") if line.amount > 0 else ("", -line.amount)
        yield line.day.strftime("%d/%m/%Y"), line.partner_reference, line.reference, out, back, line.text


def _xlsx(lines: Sequence[Line]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Sao kê")
    sheet.write_string(0, 0, "SAO KÊ TÀI KHOẢN")
    for number, row in enumerate([_COLUMNS, *_rows(lines)], 2):
        sheet.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def _camt(form: str, partner: str, lines: Sequence[Line]) -> bytes:
    """camt.053.001.08 with balances, or camt.054.001.08 without."""
    message = "camt.053.001.08" if form == "CAMT053" else "camt.054.001.08"
    space = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    whole, one = ("BkToCstmrStmt", "Stmt") if form == "CAMT053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    first, last = (min(line.day for line in lines), max(line.day for line in lines)) if lines else (datetime.now(_HERE),) * 2
    out = io.BytesIO()
    with etree.xmlfile(out, encoding="UTF-8") as xml, xml.element("Document", nsmap={None: space}), xml.element(whole):
        xml.write(_tree("GrpHdr", [("MsgId", f"{form}-{partner}-{int(last.timestamp())}"[:35]), ("CreDtTm", at)]))
        with xml.element(one):
            xml.write(_tree("Id", f"{partner}-{last:%Y%m%d}"))
            xml.write(_tree("FrToDt", [("FrDtTm", f"{first:%Y-%m-%d}T00:00:00+07:00"), ("ToDtTm", f"{last:%Y-%m-%d}T23:59:59+07:00")]))
            xml.write(_tree("Acct", [("Id", [("Othr", [("Id", "102030405060")])]), ("Ccy", "VND")]))
            if form == "CAMT053":
                xml.write(_balance("OPBD", _OPENING, first))
                xml.write(_balance("CLBD", _OPENING - sum(line.amount for line in lines), last))
            for line in lines:
                xml.write(_entry(line))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + out.getvalue()


def _tree(name: str, content: Any, **attributes: str) -> Any:
    element = etree.Element(name, attributes)
    if isinstance(content, str):
        element.text = content
    else:
        element.extend(item if not isinstance(item, tuple) else _tree(*item) for item in content)
    return element


def _money(amount: int) -> Any:
    return _tree("Amt", str(abs(amount)), Ccy="VND")


def _balance(code: str, amount: int, day: datetime) -> Any:
    kind = ("Tp", [("CdOrPrtry", [("Cd", code)])])
    return _tree("Bal", [kind, _money(amount), ("CdtDbtInd", "CRDT"), ("Dt", [("Dt", f"{day:%Y-%m-%d}")])])


def _entry(line: Line) -> Any:
    direction = ("CdtDbtInd", "DBIT" if line.amount > 0 else "CRDT")
    domain = ("BkTxCd", [("Prtry", [("Cd", "PAY")])])
    references = ("Refs", [("AcctSvcrRef", line.partner_reference), ("EndToEndId", line.reference or "NOTPROVIDED")])
    details = ("NtryDtls", [("TxDtls", [references, _money(line.amount), direction, ("RmtInf", [("Ustrd", line.text or "-")])])])
    back = [("RvslInd", "true")] if line.amount < 0 else []
    booked_on = ("BookgDt", [("Dt", f"{line.day:%Y-%m-%d}")])
    return _tree(
        "Ntry",
        [
            _money(line.amount),
            direction,
            *back,
            ("Sts", [("Cd", "BOOK")]),
            booked_on,
            ("AcctSvcrRef", line.partner_reference),
            domain,
            details,
        ],
    )
