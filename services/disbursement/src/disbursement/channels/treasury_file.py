"""The State Treasury's file: payments straight from the budget account, each row with its codes of the state budget.

The codes (level, chapter, category, item; Circular 324/2016/TT-BTC) are dated settings, approved by two people: `budget_code`.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from common.names import folded
from common.sealing import Keyring
from disbursement.channels.files import latin
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import BatchHead, CannotBuildBatch, InstructionLine
from disbursement.channels.sheet_file import VALUE_DATE, Row, SheetChannel, value_date
from disbursement.domain.reasons import BUDGET_CODES_MISSING, PAYER_MISSING

__all__ = ["TreasuryFileChannel", "make"]

_NAME, _TEXT = 70, 35


class TreasuryFileChannel(SheetChannel):
    """One row a payee, with the unit that uses the budget and the codes the money is booked under."""

    head = (
        "STT", "Mã tệp", "Mã tham chiếu", "Mã ĐVQHNS", "Tài khoản dự toán", "Mã cấp NS", "Mã chương", "Mã loại", "Mã khoản", "Mã NDKT",
        "Mã nguồn NS", "Số tài khoản", "Tên người hưởng", "Ngân hàng", "Số tiền", "Loại tiền", "Nội dung", *VALUE_DATE,
    )  # fmt: skip

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The file. Raises CannotBuild, CannotBuildBatch where codes or the paying unit are not set."""
        if head.budget is None:
            raise CannotBuildBatch(BUDGET_CODES_MISSING, f"{head.programme}/{head.funding_source} on {head.business_date}")
        if self.payer().budget_unit is None:
            raise CannotBuildBatch(PAYER_MISSING, f"partner {self.partner.name} has no `payer.budget_unit` in the partners file")
        return super().build(head, lines)

    def row(self, head: BatchHead, number: int, line: InstructionLine, account_number: str) -> Row:
        """One payment. Raises ValueError where a name or number is missing."""
        name, payer, codes = folded(line.payee_name)[:_NAME], self.payer(), head.budget
        if codes is None or not name or not account_number.isalnum():
            raise ValueError("no codes, name or account number that the file can carry")
        return (
            number, head.reference, line.reference, payer.budget_unit or "", payer.account_number, codes.level, codes.chapter,
            codes.category, codes.item, codes.economic_item or "", codes.source_code or "", account_number, name, line.provider_code or "",
            line.amount, "VND", latin(line.text, _TEXT), *value_date(head),
        )  # fmt: skip


def make(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> TreasuryFileChannel:
    """The channel of a partner whose row says `treasury_file`."""
    return TreasuryFileChannel(partner, http, keyring)
