"""What a row of a filled-in survey list says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from common.names import folded
from common.tabular import ColumnSpec
from registry.domain import dates
from registry.domain.reasons import Reason, reason

__all__ = ["COLUMNS", "AnswerRow", "needs_evidence", "read_row"]

COLUMNS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("ordinal", ("STT", "Số thứ tự", "TT")),
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã HS", "Số hồ sơ", "Mã đối tượng"), required=True),
    ColumnSpec("full_name", ("Họ và tên", "Họ tên", "Họ và tên người hưởng")),
    ColumnSpec("preference", ("Nguyện vọng", "Nguyện vọng (TK/TM/BKK)", "Hình thức nhận", "Đăng ký nhận", "Kết quả"), required=True),
    ColumnSpec("evidence", ("Căn cứ", "Ghi chú", "Lý do", "Minh chứng")),
    ColumnSpec("answered_on", ("Ngày trả lời", "Ngày khảo sát", "Ngày")),
)
_ANSWERS: Final = {
    "TK": "WANTS_ACCOUNT", "TAI KHOAN": "WANTS_ACCOUNT", "QUA TAI KHOAN": "WANTS_ACCOUNT", "TM": "DECLINES", "TIEN MAT": "DECLINES",
    "KHONG": "DECLINES", "BKK": "FORCE_MAJEURE", "BAT KHA KHANG": "FORCE_MAJEURE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One row as understood; `preference` empty means not answered yet, which is no fault."""

    file_code: str
    preference: str
    evidence: str | None
    answered_on: date
    reasons: tuple[Reason, ...]


def needs_evidence(preference: str, evidence: str | None) -> bool:
    """Force majeure leaves the target's denominator (R28): it is never recorded without saying why."""
    return preference == "FORCE_MAJEURE" and not (evidence or "").strip()


def read_row(values: Mapping[str, str], business_date: date) -> AnswerRow:
    """Read one row."""
    reasons: list[Reason] = []
    code = values.get("file_code", "").strip()
    if not code:
        reasons.append(reason("MISSING_FILE_CODE", "file_code"))
    said = values.get("preference", "").strip()
    preference = _ANSWERS.get(folded(said), "")
    if said and not preference:
        reasons.append(reason("BAD_PREFERENCE", "preference", said))
    evidence = values.get("evidence", "").strip()[:300] or None
    if needs_evidence(preference, evidence):
        reasons.append(reason("EVIDENCE_NEEDED", "evidence"))
    text = values.get("answered_on", "").strip()
    day = dates.day(text) if text else business_date
    if day is None or day > business_date:
        reasons.append(reason("BAD_ANSWER_DATE", "answered_on", text))
    return AnswerRow(code[:60], preference, evidence, day or business_date, tuple(reasons))
