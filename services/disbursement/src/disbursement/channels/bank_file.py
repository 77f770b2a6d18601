"""A bank's payroll file (chi hộ theo danh sách), XLSX or CSV; the payment order (ủy nhiệm chi) goes with it on paper."""

from __future__ import annotations

import httpx

from common.names import folded
from common.sealing import Keyring
from disbursement.channels.files import latin
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import BatchHead, InstructionLine
from disbursement.channels.sheet_file import VALUE_DATE, Row, SheetChannel, value_date

__all__ = ["BankFileChannel", "make"]

_NAME, _TEXT = 70, 35


class BankFileChannel(SheetChannel):
    """One row a payee: reference, account, name without accents, bank, amount, text."""

    head = (
        "STT",
        "Mã tệp",
        "Mã tham chiếu",
        "Số tài khoản",
        "Tên người hưởng",
        "Ngân hàng",
        "Số tiền",
        "Loại tiền",
        "Nội dung",
        *VALUE_DATE,
    )

    def row(self, head: BatchHead, number: int, line: InstructionLine, account_number: str) -> Row:
        """One payment. Raises ValueError where a name or number is missing."""
        name = folded(line.payee_name)[:_NAME]
        if not name or not account_number.isalnum():
            raise ValueError("no name or account number that the file can carry")
        bank = line.provider_code or ""
        text = latin(line.text, _TEXT)
        return (number, head.reference, line.reference, account_number, name, bank, line.amount, "VND", text, *value_date(head))


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> BankFileChannel:
    """The channel of a partner whose row says `bank_file`."""
    return BankFileChannel(partner, http, keyring)
