"""Statements as ISO 20022 XML: camt.053 (an account's booked entries) and camt.054 (single bookings told as they happen).

Entries are read one by one, however many there are. An entry that books a whole batch is itemised where its details add up to
it, and is one line under the batch's reference where they do not; an amount or date that cannot be read refuses the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, Final

from lxml import etree

from disbursement.channels.iso_xml import XmlRefused, money, qualified, stream, text
from disbursement.channels.statements.protocol import Booked, Direction, Statement, StatementUnreadable
from disbursement.channels.statements.references import our_reference

__all__ = ["read_camt"]

_FORMS: Final = {"camt.053": "CAMT053", "camt.054": "CAMT054"}
_DIRECTION: Final = {"DBIT": Direction.OUT, "CRDT": Direction.IN}
_OPENING: Final = frozenset({"OPBD", "PRCD"})


@dataclass(slots=True)
class _Head:
    """What stands before the entries. Balances are kept only while the file holds one account's statement."""

    message_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    opening: int | None = None
    closing: int | None = None
    statements: int = 0


def read_camt(content: bytes) -> Statement:
    """Read a camt.053 or camt.054. Raises StatementUnreadable, for later entries while they are taken from `lines`."""
    try:
        message, elements = stream(content, _FORMS, ("GrpHdr", "FrToDt", "Bal", "Ntry", "Stmt", "Ntfctn"))
        head = _Head()
        first = _until_entry(elements, head)
    except XmlRefused as error:
        raise StatementUnreadable(str(error)) from error
    form = _FORMS[message.rsplit(".", 2)[0]]
    lines = _lines(chain([first] if first is not None else [], elements), head)
    return Statement(form, head.message_id, head.from_date, head.to_date, head.opening, head.closing, lines)


def _until_entry(elements: Iterator[Any], head: _Head) -> Any | None:
    """Take in the head; the first entry, None where there is none."""
    for element in elements:
        name = etree.QName(element).localname
        if name == "Ntry":
            return element
        _take(element, name, head)
    return None


def _take(element: Any, name: str, head: _Head) -> None:
    if name == "GrpHdr":
        head.message_id = (text(element, "MsgId") or "")[:35] or None
    elif name == "FrToDt":
        begins, ends = text(element, "FrDtTm") or text(element, "FrDt"), text(element, "ToDtTm") or text(element, "ToDt")
        head.from_date, head.to_date = _day(begins), _day(ends)
    elif name == "Bal":
        _balance(element, head)
    else:
        head.statements += 1


def _balance(element: Any, head: _Head) -> None:
    code = text(element, "Tp/CdOrPrtry/Cd")
    amount = money(text(element, "Amt"))
    if amount is None or _currency(element, "Amt") != "VND":
        return
    signed = -amount if text(element, "CdtDbtInd") == "DBIT" else amount
    if code in _OPENING and head.opening is None:
        head.opening = signed
    elif code == "CLBD":
        head.closing = signed


def _lines(elements: Iterator[Any], head: _Head) -> Iterator[Booked]:
    number, entry_no, balance, foreign = 0, 0, 0, False
    try:
        for element in elements:
            name = etree.QName(element).localname
            if name != "Ntry":
                _take(element, name, head)
                continue
            entry_no += 1
            for line in _entry(element, entry_no):
                number += 1
                balance += line.amount if line.direction is Direction.IN else -line.amount
                foreign = foreign or line.currency != "VND"
                yield Booked(number, line.booked_on, line.amount, line.currency, line.direction, line.reference, line.partner_reference)
            _forget(element)
    except XmlRefused as error:
        raise StatementUnreadable(str(error)) from error
    whole = head.statements == 1 and head.opening is not None and head.closing is not None and not foreign
    if whole and head.opening is not None and head.opening + balance != head.closing:
        raise StatementUnreadable(
            "số dư đầu kỳ cộng các bút toán không bằng số dư cuối kỳ · the opening balance and the entries do not add up to the closing one"
        )


def _forget(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _entry(entry: Any, number: int) -> list[Booked]:
    """The booked lines of one entry; none where it is not booked (pending, for information)."""
    if (text(entry, "Sts/Cd") or text(entry, "Sts")) != "BOOK":
        return []
    amount, direction = money(text(entry, "Amt")), _DIRECTION.get(text(entry, "CdtDbtInd") or "")
    booked_on = _day(next((found for path in _DATES if (found := text(entry, path))), None))
    if not amount or direction is None or booked_on is None:
        raise StatementUnreadable(
            f"bút toán {number}: thiếu hoặc sai số tiền, ngày · entry {number}: amount or booking date cannot be read"
        )
    currency = _currency(entry, "Amt") or ""
    details = [_detail(item, currency, direction, booked_on) for item in entry.iterfind(qualified(entry.tag, "NtryDtls/TxDtls"))]
    partner = text(entry, "AcctSvcrRef")
    if len(details) == 1 and details[0].amount is None:
        details[0].amount = amount
    if details and all(item.currency == currency for item in details):
        signed = sum((item.amount or 0) * (1 if item.direction is direction else -1) for item in details)
        if signed == amount and all(item.amount for item in details):
            return [item.booked(partner) for item in details]
    batch = next((found for path in _BATCH if (found := text(entry, path))), "") or ""
    return [Booked(number, booked_on, amount, currency, direction, our_reference(batch), (partner or "")[:64] or None)]


_DATES: Final = ("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
_BATCH: Final = ("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId", "NtryDtls/TxDtls/Refs/PmtInfId", "NtryDtls/TxDtls/Refs/MsgId", "NtryRef")


@dataclass(slots=True)
class _Detail:
    amount: int | None
    currency: str
    direction: Direction
    booked_on: date
    reference: str | None
    partner_reference: str | None

    def booked(self, partner: str | None) -> Booked:
        """As a line; the entry's own number where the detail has none."""
        reference = (self.partner_reference or partner or "")[:64] or None
        return Booked(0, self.booked_on, self.amount or 0, self.currency, self.direction, self.reference, reference)


def _detail(item: Any, currency: str, direction: Direction, booked_on: date) -> _Detail:
    amount, paid_in = None, currency
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if (written := text(item, path)) is not None:
            amount, paid_in = money(written), _currency(item, path) or currency
            break
    said = (text(item, path) for path in ("Refs/EndToEndId", "Refs/InstrId", "Refs/TxId", "RmtInf/Ustrd"))
    reference = next((found for word in said if word and (found := our_reference(word))), None)
    own = _DIRECTION.get(text(item, "CdtDbtInd") or "", direction)
    return _Detail(amount, paid_in, own, booked_on, reference, text(item, "Refs/AcctSvcrRef"))


def _currency(element: Any, path: str) -> str | None:
    found = element.find(qualified(element.tag, path))
    return str(found.get("Ccy") or "")[:3].upper() if found is not None else None


def _day(written: str | None) -> date | None:
    """The day of a date or of a moment as the bank writes it, in its own time."""
    try:
        return date.fromisoformat((written or "")[:10])
    except ValueError:
        return None
