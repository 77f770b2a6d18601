"""The payment order (ủy nhiệm chi) that goes with a payroll file, as a paper to sign (Circular 15/2024/TT-NHNN on payment services)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.paper import Fields, Paper, Signature, Text
from common.spoken import in_words
from disbursement.api.settlement_paper import PROGRAMME_NAMES
from disbursement.channels.partners import Payer

__all__ = ["payment_order"]


def payment_order(row: Mapping[str, Any], payer: Payer) -> Paper:
    """The order to debit our account once with the sum of the file; the payees are in the file, whose fingerprint is printed."""
    words = in_words(row["sent_amount"])
    day = row["business_date"]
    return Paper(
        title="Ủy nhiệm chi",
        subtitle="Chuyển khoản theo danh sách",
        authority=payer.name.upper(),
        number=f"{row['number']:03d}/{row['reference'][-8:]}",
        place_and_date=f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}",
        body=[
            Fields(
                [
                    ("Đơn vị trả tiền", payer.name),
                    ("Số tài khoản", payer.account_number),
                    ("Mã đơn vị quan hệ ngân sách", payer.budget_unit or "–"),
                    ("Tại", payer.bank_name),
                    ("Đơn vị nhận tiền", f"Theo danh sách kèm theo: {row['sent_payments']} người"),
                    ("Số tiền bằng số", f"{row['sent_amount']:,} đồng".replace(",", ".")),
                    ("Ngày giá trị", _value_date(row)),
                ]
            ),
            Text(f"Số tiền bằng chữ: {words[0].upper()}{words[1:]} đồng."),
            Text(f"Nội dung: Chi trả tháng {row['month']:%m/%Y}, {PROGRAMME_NAMES.get(row['programme'], row['programme'])}."),
            Fields(
                [
                    ("Tệp danh sách", row["file_name"]),
                    ("Mã tệp", row["reference"]),
                    ("Số món", str(row["sent_payments"])),
                    ("Dấu vân tay SHA-256 của tệp", row["sha256"]),
                ]
            ),
        ],
        signatures=[
            Signature("KẾ TOÁN TRƯỞNG"),
            Signature("CHỦ TÀI KHOẢN", "(Ký, đóng dấu)"),
            Signature("NGÂN HÀNG: GIAO DỊCH VIÊN"),
            Signature("NGÂN HÀNG: KIỂM SOÁT VIÊN"),
        ],
    )


def _value_date(row: Mapping[str, Any]) -> str:
    """The day the bank is to pay on, and whether the order came after its cut-off."""
    if row["value_date"] is None:
        return "–"
    return f"{row['value_date']:%d/%m/%Y}" + (" (gửi sau giờ chốt của ngân hàng)" if row["after_cut_off"] else "")
