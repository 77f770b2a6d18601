"""Statements as CSV or XLSX, with the columns Vietnamese banks and the post print on them.

Money is read as written (dots or commas between thousands); a line whose amount, date or direction cannot be read refuses the
whole file with its row, because a statement with a hole proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from common.tabular import BrokenFile, ColumnSpec, SourceRow, parse_amount_vi, parse_date_vi, read_rows
from disbursement.channels.statements.protocol import Booked, Direction, Statement, StatementUnreadable
from disbursement.channels.statements.references import our_reference

__all__ = ["read_sheet"]

_COLUMNS: Final = (
    ColumnSpec("booked_on", ("Ngày giao dịch", "Ngày hạch toán", "Ngày ghi sổ", "Booking date"), required=True),
    ColumnSpec("reference", ("Mã tham chiếu", "Số tham chiếu của bên gửi", "Mã lệnh", "Reference")),
    ColumnSpec("partner_reference", ("Số bút toán", "Mã giao dịch", "Transaction number")),
    ColumnSpec("debit", ("Ghi nợ", "Số tiền ghi nợ", "Phát sinh nợ", "Số tiền chi", "Debit")),
    ColumnSpec("credit", ("Ghi có", "Số tiền ghi có", "Phát sinh có", "Số tiền thu", "Credit")),
    ColumnSpec("text", ("Diễn giải", "Nội dung", "Nội dung giao dịch", "Description")),
    ColumnSpec("currency", ("Loại tiền", "Tiền tệ", "Currency")),
)


_TOO_MUCH: Final = 10**18
"""More đồng than an account holds and than we can store: a slip of columns."""


def read_sheet(content: bytes, file_name: str) -> Statement:
    """Read a CSV or XLSX statement. Raises StatementUnreadable naming what is wrong."""
    try:
        table = read_rows(content, file_name, _COLUMNS)
    except BrokenFile as error:
        raise StatementUnreadable(str(error)) from error
    if not {"debit", "credit"} & set(table.columns):
        raise StatementUnreadable("thiếu cột Ghi nợ hoặc Ghi có · no column of debits or credits")
    form = "XLSX" if content[:2] == b"PK" else "CSV"
    return Statement(form, None, None, None, None, None, _lines(table.rows))


def _lines(rows: Iterator[SourceRow]) -> Iterator[Booked]:
    for row in rows:
        yield _line(row)


def _line(row: SourceRow) -> Booked:
    values = row.values
    day = parse_date_vi(values.get("booked_on", ""))
    if day is None or len(day) != len("2024-09-05"):
        raise StatementUnreadable(f"dòng {row.number}: ngày giao dịch không đọc được · row {row.number}: the booking date cannot be read")
    debit, credit = (_amount(row.number, values.get(name, "")) for name in ("debit", "credit"))
    if bool(debit) == bool(credit):
        raise StatementUnreadable(
            f"dòng {row.number}: phải có đúng một trong hai số tiền nợ, có · row {row.number}: exactly one of debit and credit is needed"
        )
    return Booked(
        number=row.number,
        booked_on=date.fromisoformat(day),
        amount=debit or credit,
        currency=values.get("currency", "").strip().upper() or "VND",
        direction=Direction.OUT if debit else Direction.IN,
        reference=our_reference(values.get("reference", "")) or our_reference(values.get("text", "")),
        partner_reference=values.get("partner_reference", "").strip()[:64] or None,
    )


def _amount(number: int, text: str) -> int:
    if not text.strip(" -"):
        return 0
    amount = parse_amount_vi(text)
    if amount is None or not 0 <= amount < _TOO_MUCH:
        raise StatementUnreadable(f"dòng {number}: số tiền không đọc được · row {number}: the amount cannot be read")
    return amount
