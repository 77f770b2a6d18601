"""Rules by which a month of a decision counts or is set aside, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["FINDINGS", "RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it says in Vietnamese and English, and the text it comes from."""

    vi: str
    en: str
    legal_basis: str


_D20: Final = "Nghị định 20/2021/NĐ-CP"
_MERIT: Final = "Pháp lệnh 02/2020/UBTVQH14"

RULES: Final[dict[str, Rule]] = {
    "COUNTS": Rule("Được tính", "Counts", ""),
    "RATE_MISSING": Rule(
        "Được tính nhưng mức của tháng này chưa được nạp, không suy đoán",
        "Counts, but the amount of this month is not loaded and is not guessed",
        "",
    ),
    "NOT_STARTED": Rule("Tháng trước tháng bắt đầu hưởng", "The month lies before the first month of the decision", f"{_D20} Điều 8"),
    "ENDED": Rule("Đã thôi hưởng", "The decision has ended", f"{_D20} Điều 8; Nghị định 131/2021/NĐ-CP Điều 118"),
    "AFTER_DEATH": Rule("Sau tháng từ trần", "After the month of death", f"{_D20} Điều 8"),
    "DEPENDANT_DIED": Rule(
        "Người được chăm sóc, nuôi dưỡng đã mất trước tháng này", "The person cared for died before this month", f"{_D20} Điều 8, Điều 20"
    ),
    "AGE_STOP": Rule("Đã quá tuổi hưởng", "Past the age up to which the allowance is paid", f"{_D20} Điều 5, Điều 8"),
    "BELOW_AGE": Rule("Chưa đủ tuổi", "Below the age from which the allowance is paid", f"{_D20} Điều 5"),
    "NOT_IN_FORCE": Rule(
        "Chế độ không còn hoặc chưa có hiệu lực trong tháng này",
        "The allowance is not in force in this month",
        "Nghị định 176/2025/NĐ-CP",
    ),
    "NOT_THIS_MONTH": Rule("Chế độ trả mỗi năm một lần, vào tháng khác", "Paid once a year, in another month", "Nghị định 75/2021/NĐ-CP"),
    "PAUSED": Rule("Đang tạm dừng", "Suspended", "Thông tư 02/2021/TT-BLĐTBXH Điều 2; Nghị định 131/2021/NĐ-CP Điều 118"),
    "INSTITUTION": Rule(
        "Đang ở cơ sở trợ giúp xã hội, không hưởng trợ cấp tại cộng đồng",
        "Lives in a social-protection institution: no community allowance",
        f"{_D20} Điều 5, Điều 24",
    ),
    "OTHER_BENEFIT": Rule(
        "Đang hưởng lương hưu hoặc trợ cấp bảo hiểm xã hội hằng tháng",
        "Has a pension or a monthly social-insurance benefit",
        f"{_D20} Điều 5 khoản 5; Nghị định 176/2025/NĐ-CP",
    ),
    "NOT_IN_GROUP": Rule(
        "Hộ không thuộc diện hộ nghèo, hộ cận nghèo theo yêu cầu của chế độ",
        "The household is not recorded as poor or near-poor as the allowance requires",
        f"{_D20} Điều 5",
    ),
    "HIGHEST_ONLY": Rule("Chỉ hưởng một mức cao nhất", "Of these the highest level only", f"{_D20} Điều 6 khoản 2; {_MERIT} Điều 6"),
    "LIMIT": Rule("Vượt số suất tối đa", "Beyond the number one person may have", f"{_MERIT} Điều 6 khoản 5"),
    "SINGLE_PARENT_EXCLUDED": Rule(
        "Chế độ người đơn thân không cộng với chế độ này; hưởng mức cao hơn",
        "The single-parent allowance is not paid beside this one: the higher one only",
        f"{_D20} Điều 6 khoản 2",
    ),
}
"""By code; the order in which the engine applies them is that of `storage.dues.sql`."""

FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "GAP": (
        "Từ tháng này đến tháng kia không có mức: các tháng đó sẽ là RATE_MISSING",
        "No amount between these months: they will be RATE_MISSING",
    ),
    "SAME_DAY": (
        "Đã có dòng cùng ngày áp dụng và cùng ngày biết: không rõ dòng nào đúng; hãy đặt ngày biết muộn hơn",
        "A row in force has the same dates: which one holds is not clear; a correction is a row known later",
    ),
    "OVERLAP": (
        "Hai dòng của dự thảo chồng thời gian: dòng áp dụng muộn hơn được dùng",
        "Two rows of the draft overlap: the later one is used",
    ),
    "NOT_ROUND": ("Số tiền không tròn nghìn đồng", "The amount is not a multiple of 1,000 đồng"),
    "LOWER": (
        "Mức mới thấp hơn mức đang áp dụng (số ghi là chênh lệch)",
        "The new amount is lower than the one in force (the number is the difference)",
    ),
    "MORE_THAN_DOUBLE": (
        "Mức mới cao hơn gấp đôi mức đang áp dụng (số ghi là chênh lệch)",
        "The new amount is more than twice the one in force (the number is the difference)",
    ),
    "STILL_MISSING": (
        "Bảng mới không có loại này trong khi mức cũ đã hết: vẫn là RATE_MISSING",
        "The new table lacks this category, whose old amount has ended: it stays RATE_MISSING",
    ),
    "NO_RATE": ("Loại mới chưa có mức", "The new category has no amount"),
    "ALL_MONTHS": (
        "Mốc tuổi, điều kiện không có ngày: áp dụng cho cả các tháng đã qua của loại đang có; hãy xem kết quả tính thử",
        "Steps and conditions carry no dates: for a category in force they count for past months too; look at the what-if",
    ),
    "OTHER_DRAFT": ("Một dự thảo khác cũng sửa các dòng này", "Another open draft touches the same rows"),
}
"""What is found in a draft of the law, in words."""
