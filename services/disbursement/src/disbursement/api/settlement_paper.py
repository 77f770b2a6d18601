"""The settlement statement as a paper to sign (Decree 20/2021 Art. 34; Circular 44/2022/TT-BTC Art. 8 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from common.paper import Fields, Paper, Signature, Table, Text
from common.spoken import in_words

__all__ = ["PROGRAMME_NAMES", "settlement_paper"]

PROGRAMME_NAMES: Final = {
    "MERIT": "Trợ cấp ưu đãi người có công với cách mạng",
    "SOCIAL_ASSISTANCE": "Trợ giúp xã hội hằng tháng tại cộng đồng",
    "SOCIAL_PENSION": "Trợ cấp hưu trí xã hội",
    "CAMPAIGN": "Hỗ trợ một lần",
}
_ROWS: Final = (
    ("Tổng số theo danh sách chi trả", "listed"),
    ("Đã chi trả", "paid"),
    ("Chi không thành công", "failed"),
    ("Bị hoàn trả sau khi đã chi", "returned"),
    ("Chưa nhận, chuyển kỳ sau", "uncollected"),
    ("Rút khỏi danh sách trước khi gửi", "withdrawn"),
)


def settlement_paper(row: Mapping[str, Any], month: date) -> Paper:
    """The paper of one settlement; amounts in đồng, the sum paid in words too."""
    words = in_words(row["paid_amount"])
    rate = "{},{:02}".format(*divmod(row["fee_basis_points"], 100))
    return Paper(
        title="Quyết toán kinh phí chi trả",
        subtitle=f"Tháng {month:%m/%Y} · {PROGRAMME_NAMES.get(row['programme'], row['programme'])}",
        authority="CƠ QUAN CHI TRẢ",
        number=row["number"],
        place_and_date=f"Ngày {row['business_date']:%d} tháng {row['business_date']:%m} năm {row['business_date']:%Y}",
        body=[
            Fields([("Đơn vị chi trả", row["partner"]), ("Nguồn kinh phí", row["funding_source"]), ("Phạm vi", row["unit_path"])]),
            Table(
                ["Nội dung", "Số lượt chi", "Số tiền (đồng)"],
                [(label, row[f"{name}_payments"], row[f"{name}_amount"]) for label, name in _ROWS],
            ),
            Text(f"Số tiền đã chi trả bằng chữ: {words[0].upper()}{words[1:]} đồng."),
            Table(
                ["Kinh phí", "Số tiền (đồng)"],
                [
                    ("Đã chuyển cho đơn vị chi trả", row["prefunded"]),
                    ("Đơn vị chi trả phải hoàn trả", row["to_be_returned"]),
                    (f"Phí dịch vụ chi trả ({rate}% số đã chi, cơ quan chịu)", row["fee"]),
                ],
            ),
        ],
        signatures=[
            Signature("NGƯỜI LẬP", name=row["proposed_by"]),
            Signature("ĐẠI DIỆN ĐƠN VỊ CHI TRẢ", "(Ký, đóng dấu)"),
            Signature("THỦ TRƯỞNG ĐƠN VỊ", "(Ký, đóng dấu)", row["decided_by"] or ""),
        ],
    )
