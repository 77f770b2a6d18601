"""What the Social Insurance answers about a person on a list sent to it (plan 152, R36): draws nothing, or draws what since when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from common.names import NameVerdict, compare, folded
from common.tabular import ColumnSpec, SourceRow, parse_amount_vi, parse_month_vi

__all__ = ["COLUMNS", "HEADER", "KINDS", "SOURCE", "AnswerRow", "check"]

SOURCE: Final = "SOCIAL_INSURANCE"
KINDS: Final = {
    "PENSION": ("Lương hưu", "Old-age pension"),
    "MONTHLY_SI": ("Trợ cấp BHXH hằng tháng", "Monthly social-insurance benefit"),
    "SURVIVOR": ("Tuất hằng tháng", "Monthly survivor's benefit"),
    "DISABILITY_SI": ("Trợ cấp mất sức lao động", "Loss-of-work-capacity benefit"),
    "OTHER": ("Chế độ khác", "Another benefit"),
}
HEADER: Final = (
    "STT", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/định danh", "Mã đơn vị", "Kết quả", "Loại chế độ", "Mức hưởng",
    "Hưởng từ tháng", "Đến tháng",
)  # fmt: skip
COLUMNS: Final = (
    ColumnSpec("line", ("STT", "Số thứ tự", "TT"), required=True),
    ColumnSpec("full_name", ("Họ và tên", "Họ tên"), required=True),
    ColumnSpec("verdict", ("Kết quả", "Kết quả đối chiếu", "Hưởng BHXH"), required=True),
    ColumnSpec("kind", ("Loại chế độ", "Chế độ", "Loại chế độ BHXH")),
    ColumnSpec("amount", ("Mức hưởng", "Số tiền", "Mức hưởng hằng tháng")),
    ColumnSpec("from_month", ("Hưởng từ tháng", "Hưởng từ", "Từ tháng")),
    ColumnSpec("until", ("Đến tháng", "Hưởng đến tháng")),
)
_NONE: Final = ("KHONG", "KHONG HUONG", "K", "NONE")
_DRAWS: Final = ("CO", "DANG HUONG", "HUONG", "X", "DRAWS")
_KIND_WORDS: Final = {folded(words[0]): code for code, words in KINDS.items()} | {
    "HUU TRI": "PENSION", "HUU": "PENSION", "TUAT": "SURVIVOR", "TRO CAP BHXH": "MONTHLY_SI", "MAT SUC LAO DONG": "DISABILITY_SI",
}  # fmt: skip
_REASONS: Final = {
    "LINE_UNKNOWN": ("Số thứ tự không có trong danh sách đã gửi", "The list sent has no such line"),
    "LINE_TWICE": ("Số thứ tự đã có ở dòng trên", "The line stands further up already"),
    "NAME_DIFFERS": ("Họ tên khác với danh sách đã gửi", "The name is not that of the list sent"),
    "BAD_VERDICT": ("Kết quả phải là CÓ hoặc KHÔNG", "The result must be CÓ or KHÔNG"),
    "BAD_KIND": ("Loại chế độ không đọc được", "The kind of benefit cannot be read"),
    "BAD_AMOUNT": ("Mức hưởng không đọc được", "The amount cannot be read"),
    "BAD_FROM_MONTH": ("Tháng bắt đầu hưởng không đọc được", "The first month cannot be read"),
    "BAD_UNTIL": ("Tháng kết thúc không hợp lệ", "The last month is not valid"),
}


@dataclass(slots=True)
class AnswerRow:
    """One row as understood; `reasons` empty means good."""

    number: int
    line: int | None = None
    verdict: str | None = None
    kind: str | None = None
    from_month: date | None = None
    until: date | None = None
    """The last month drawn; None while open."""
    amount: int | None = None
    reasons: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, code: str, name: str) -> None:
        """Note a fault of the row."""
        vi, en = _REASONS[code]
        self.reasons.append({"code": code, "field": name, "detail_vi": vi, "detail": en})


def check(row: SourceRow, names: dict[int, str], taken: set[int]) -> AnswerRow:
    """Check one row of an answer against the lines sent (`names` by line); `taken` are the lines answered further up."""
    answer = AnswerRow(row.number)
    text = row.get("line").strip()
    line = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
    if line is None or line not in names:
        answer.refuse("LINE_UNKNOWN", "line")
        return answer
    answer.line = line
    if line in taken:
        answer.refuse("LINE_TWICE", "line")
    taken.add(line)
    if compare(row.get("full_name"), names[line]) is NameVerdict.MISMATCH:
        answer.refuse("NAME_DIFFERS", "full_name")
    said = folded(row.get("verdict"))
    answer.verdict = "NONE" if said in _NONE else "DRAWS" if said in _DRAWS else None
    if answer.verdict is None:
        answer.refuse("BAD_VERDICT", "verdict")
    if answer.verdict == "DRAWS":
        _benefit(answer, row)
    return answer


def _benefit(answer: AnswerRow, row: SourceRow) -> None:
    kind = row.get("kind").strip()
    answer.kind = kind.upper() if kind.upper() in KINDS else _KIND_WORDS.get(folded(kind))
    if answer.kind is None:
        answer.refuse("BAD_KIND", "kind")
    amount = row.get("amount")
    answer.amount = parse_amount_vi(amount) if amount else None
    if amount and answer.amount is None:
        answer.refuse("BAD_AMOUNT", "amount")
    answer.from_month = parse_month_vi(row.get("from_month"))
    if answer.from_month is None:
        answer.refuse("BAD_FROM_MONTH", "from_month")
    until = row.get("until")
    answer.until = parse_month_vi(until) if until else None
    if until and (answer.until is None or (answer.from_month is not None and answer.until < answer.from_month)):
        answer.refuse("BAD_UNTIL", "until")
