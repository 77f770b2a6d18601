"""The letter to a partner that asks what became of a payment, or asks the money back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.paper import Fields, Paper, Signature, Text
from common.spoken import in_words

__all__ = ["case_letter"]

_TITLES: Final = {
    "INVESTIGATION": ("Đề nghị tra soát khoản chi trả", "Đề nghị Quý đơn vị tra soát và thông báo kết quả xử lý khoản chi trả dưới đây:"),
    "RECALL": (
        "Đề nghị thu hồi khoản đã chi trả",
        "Đề nghị Quý đơn vị liên hệ người nhận, thu hồi và hoàn trả khoản đã ghi có dưới đây về tài khoản của cơ quan chi trả:",
    ),
}


def case_letter(case: Mapping[str, Any]) -> Paper:
    """The letter of one case; the account number stays masked, the reference tells the partner which it is."""
    title, request = _TITLES[case["kind"]]
    words = in_words(case["amount"])
    dated, due = case["letter_date"], case["due_on"]
    again = f" (nhắc lần {case['reminders']})" if case["reminders"] else ""
    return Paper(
        title=title + again,
        subtitle=f"Kỳ chi trả {case['month'][5:]}/{case['month'][:4]}",
        authority="CƠ QUAN CHI TRẢ",
        number=case["letter_number"] or "",
        place_and_date=f"Ngày {dated:%d} tháng {dated:%m} năm {dated:%Y}" if dated else "Ngày … tháng … năm …",
        body=[
            Fields([("Kính gửi", case["partner"])]),
            Text(request),
            Fields(
                [
                    ("Mã tham chiếu khoản chi", case["reference"]),
                    ("Mã lô", case["batch_reference"]),
                    ("Mã của đơn vị chi trả", case["partner_reference"] or ""),
                    ("Người nhận", case["payee_name"]),
                    ("Tài khoản", case["masked_number"] or "Tiền mặt"),
                    ("Số tiền", f"{case['amount']:,} đồng".replace(",", ".")),
                    ("Bằng chữ", f"{words[0].upper()}{words[1:]} đồng"),
                    ("Lý do", case["reason"]),
                ]
            ),
            Text(f"Đề nghị trả lời bằng văn bản trước ngày {due:%d/%m/%Y}." if due else "Đề nghị trả lời bằng văn bản."),
        ],
        signatures=[Signature("NGƯỜI LẬP", name=case["opened_by"]), Signature("THỦ TRƯỞNG ĐƠN VỊ", "(Ký, đóng dấu)")],
    )
