"""The authorisation form (giấy ủy quyền) to print and sign: no form is prescribed for these benefits, this is the office's own."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from common.paper import Fields, Paper, Signature, Text

__all__ = ["authorisation"]

_TITLES: Final = {
    "AUTHORISED": "GIẤY ỦY QUYỀN",
    "GUARDIAN": "GIẤY ĐĂNG KÝ NGƯỜI GIÁM HỘ NHẬN THAY",
    "CARER": "GIẤY ĐĂNG KÝ NGƯỜI CHĂM SÓC NHẬN THAY",
}
_PROGRAMMES: Final = {
    "MERIT": "trợ cấp ưu đãi người có công", "SOCIAL_ASSISTANCE": "trợ giúp xã hội hằng tháng", "SOCIAL_PENSION": "trợ cấp hưu trí xã hội",
    "CAMPAIGN": "các khoản hỗ trợ khác",
}  # fmt: skip


def _day(value: date | None) -> str:
    return f"{value:%d/%m/%Y}" if value is not None else ""


def _person(row: Any) -> Fields:
    return Fields(
        [
            ("Họ và tên", row["full_name"]), ("Ngày sinh", row["birth_date"] or ""), ("Số định danh/CCCD (ghi đủ bằng tay)", ""),
            ("Số trong danh bạ (đã che)", row["masked_number"] or ""), ("Nơi cư trú", row["address"] or ""),
        ]
    )  # fmt: skip


def authorisation(beneficiary: Any, representative: Any, unit: str) -> Paper:
    """The form for one representative of one beneficiary; national numbers are masked and written in by hand."""
    scope = ", ".join(_PROGRAMMES[item] for item in representative["programmes"]) or "tất cả các chế độ đang hưởng"
    return Paper(
        title=_TITLES[representative["kind"]],
        subtitle="Nhận thay trợ cấp an sinh xã hội",
        authority=unit.upper(),
        place_and_date="……………, ngày …… tháng …… năm ………",
        body=[
            Text("I. Người hưởng (bên ủy quyền)"),
            _person(beneficiary),
            Text("II. Người nhận thay (bên được ủy quyền)"),
            _person(representative),
            Text("III. Nội dung"),
            Fields(
                [
                    ("Được nhận thay", scope), ("Từ ngày", _day(representative["valid_from"])),
                    ("Đến hết ngày", _day(representative["valid_to"])), ("Số chứng thực", representative["certificate_number"] or ""),
                    ("Lý do không tự nhận", ""),
                ]
            ),
            Text(
                "Người nhận thay cam kết giao đủ số tiền cho người hưởng, báo ngay cho Ủy ban nhân dân cấp xã khi người hưởng qua đời,"
                " chuyển nơi cư trú hoặc không còn đủ điều kiện hưởng. Người hưởng có quyền chấm dứt việc ủy quyền bất cứ lúc nào."
            ),
        ],
        signatures=(
            Signature("NGƯỜI HƯỞNG", "(Ký, ghi rõ họ tên hoặc điểm chỉ)", beneficiary["full_name"]),
            Signature("NGƯỜI NHẬN THAY", "(Ký, ghi rõ họ tên)", representative["full_name"]),
            Signature("XÁC NHẬN CỦA UBND CẤP XÃ", "(Ký, đóng dấu)"),
        ),
    )  # fmt: skip
