"""Files as tables (XLSX or CSV): one row a payment, out and back, with headers as Vietnamese banks print them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from common import sheets
from common.names import folded
from common.tabular import BrokenFile, ColumnSpec, SourceRow, parse_amount_vi, parse_date_vi, read_rows
from disbursement.channels.files import FileChannel, bounded
from disbursement.channels.protocol import BatchHead, InstructionLine, NoticeUnreadable, PartnerResult
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_CODES, PARTNER_REFUSED, UNRECOGNISED_CODE

__all__ = ["VALUE_DATE", "SheetChannel", "value_date"]

Row = Sequence[str | int]
_MAX_RESULTS: Final = 5_000
_OURS: Final = (ColumnSpec("reference", ("Mã tham chiếu",), required=True), ColumnSpec("amount", ("Số tiền",), required=True))
_THEIRS: Final = (
    *_OURS,
    ColumnSpec("status", ("Kết quả", "Trạng thái", "Tình trạng", "Status"), required=True),
    ColumnSpec("code", ("Mã lỗi", "Lý do", "Nguyên nhân", "Reason")),
    ColumnSpec("currency", ("Loại tiền", "Tiền tệ", "Currency")),
    ColumnSpec("partner_reference", ("Số bút toán", "Mã giao dịch", "Transaction number")),
    ColumnSpec("day", ("Ngày giao dịch", "Ngày hạch toán", "Booking date")),
)
_WORDS: Final = {
    "THANH CONG": ResultStatus.SETTLED, "DA CHI": ResultStatus.SETTLED, "DA GHI CO": ResultStatus.SETTLED,
    "SETTLED": ResultStatus.SETTLED, "SUCCESS": ResultStatus.SETTLED,
    "KHONG THANH CONG": ResultStatus.FAILED, "THAT BAI": ResultStatus.FAILED, "TU CHOI": ResultStatus.FAILED,
    "FAILED": ResultStatus.FAILED, "REJECTED": ResultStatus.FAILED,
    "DA TIEP NHAN": ResultStatus.RECEIVED, "TIEP NHAN": ResultStatus.RECEIVED, "DANG XU LY": ResultStatus.RECEIVED,
    "RECEIVED": ResultStatus.RECEIVED,
    "HOAN TRA": ResultStatus.RETURNED, "DA HOAN TRA": ResultStatus.RETURNED, "RETURNED": ResultStatus.RETURNED,
}  # fmt: skip
_PHRASES: Final = {
    "TAI KHOAN DA DONG": "ACCOUNT_CLOSED", "SAI SO TAI KHOAN": "ACCOUNT_NOT_FOUND", "TAI KHOAN KHONG TON TAI": "ACCOUNT_NOT_FOUND",
    "TAI KHOAN BI KHOA": "ACCOUNT_BLOCKED", "TAI KHOAN TAM KHOA": "ACCOUNT_BLOCKED", "SAI TEN NGUOI HUONG": "NAME_DIFFERS",
    "TEN KHONG KHOP": "NAME_DIFFERS", "TEN KHONG DUNG": "NAME_DIFFERS", "VUOT HAN MUC": "LIMIT_EXCEEDED",
    "NGUOI HUONG DA CHET": "PAYEE_DECEASED", "TRUNG LENH": ALREADY_KNOWN, "TRUNG MA THAM CHIEU": ALREADY_KNOWN,
}  # fmt: skip


VALUE_DATE: Final = ("Ngày giá trị", "Sau giờ chốt")
"""The last columns of our files: on which day the partner is to pay, and whether we were late for the day before."""


def value_date(head: BatchHead) -> Row:
    """The cells under :data:`VALUE_DATE`."""
    return (f"{head.value_date:%d/%m/%Y}" if head.value_date else "", "x" if head.after_cut_off else "")


class SheetChannel(FileChannel, ABC):
    """A partner that takes a table. A subclass gives its columns and how a payment stands in them."""

    head: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:  # type: ignore[override]
        """As the partner's row says."""
        return self.partner.file_form.lower()

    @property
    def media_type(self) -> str:  # type: ignore[override]
        """As the partner's row says."""
        return sheets.MEDIA[self.suffix]

    @abstractmethod
    def row(self, head: BatchHead, number: int, line: InstructionLine, account_number: str) -> Row:
        """One payment as a row under :attr:`head`. Raises ValueError for one that does not fit."""

    def build(self, head: BatchHead, lines: Sequence[InstructionLine]) -> bytes:
        """The table's exact bytes: the same batch gives the same bytes. Raises CannotBuild, CannotBuildBatch."""
        self.payer()
        numbers = {line.reference: number for number, line in enumerate(lines, 1)}
        rows = self.opened(lines, lambda line, account: self.row(head, numbers[line.reference], line, account))
        return sheets.written(self.suffix, sheets.Sheet(self.head), rows, delimiter=";")

    def references(self, body: bytes) -> frozenset[str]:
        """The references in stored bytes."""
        return frozenset(row.values["reference"] for row in read_rows(body, f"x.{self.suffix}", _OURS).rows)

    def read_notice(self, body: bytes) -> list[PartnerResult]:
        """The rows of a result file. Raises NoticeUnreadable."""
        try:
            table = read_rows(body, "x.xlsx" if body[:2] == b"PK" else "x.csv", _THEIRS)
            results = [_result(row) for row in table.rows]
        except BrokenFile as error:
            raise NoticeUnreadable(str(error)) from error
        if not results or len(results) > _MAX_RESULTS:
            raise NoticeUnreadable(f"1 to {_MAX_RESULTS} rows are read, there are {len(results)}")
        return results


def _result(row: SourceRow) -> PartnerResult:
    """One row, never an exception: what cannot be read is UNRECOGNISED and goes to a person, the others are applied."""
    values = row.values
    word, code = values.get("status", ""), values.get("code", "").strip()
    status = _WORDS.get(folded(word), ResultStatus.UNRECOGNISED)
    reason: str | None = None
    if status is ResultStatus.FAILED:
        reason = _reason(code)
    elif status is ResultStatus.RETURNED:
        reason = _reason(code) if code else "RETURNED_BY_PROVIDER"
    if status is ResultStatus.UNRECOGNISED or reason in {UNRECOGNISED_CODE, ALREADY_KNOWN}:
        status, reason = ResultStatus.UNRECOGNISED, UNRECOGNISED_CODE
    day = parse_date_vi(values.get("day", ""))
    said = {"row": row.number, "status": bounded(word), "code": bounded(code), "amount": bounded(values.get("amount"), 20)}
    return PartnerResult(
        reference=bounded(values.get("reference", "").strip().upper(), 64) or "",
        status=status,
        amount=parse_amount_vi(values.get("amount", "")),
        currency=bounded(values.get("currency", "").strip().upper(), 8) or "VND",
        reason=reason,
        partner_reference=bounded(values.get("partner_reference", "").strip()),
        occurred_at=datetime.combine(date.fromisoformat(day), time(5), UTC) if day and len(day) == len("2024-09-05") else None,
        said={key: value for key, value in said.items() if value},
    )


def _reason(code: str) -> str:
    if not code:
        return PARTNER_REFUSED
    return PARTNER_CODES.get(code.upper()) or _PHRASES.get(folded(code), UNRECOGNISED_CODE)
