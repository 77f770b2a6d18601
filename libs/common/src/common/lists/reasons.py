"""Why a row is refused or flagged: stable codes with a text in Vietnamese and in English; what any list may get wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["GENERAL", "Reason", "reason"]

_NUMBER: Final = re.compile(r"\d(?:[ .-]?\d){8,}")


@dataclass(frozen=True, slots=True)
class Reason:
    """One refusal or warning about one field of a row."""

    code: str
    field: str
    vi: str
    en: str

    def as_json(self) -> dict[str, Any]:
        """For `import_row.reasons` and problem answers."""
        return {"code": self.code, "field": self.field, "detail_vi": self.vi, "detail": self.en}


# code: (Vietnamese, English). `{0}` is what stood in the cell where that may be shown.
GENERAL: Final[dict[str, tuple[str, str]]] = {
    "CELL_TOO_LONG": ("Nội dung ô quá dài", "The cell holds too much text"),
    "FORMULA_NO_VALUE": (
        "Ô chứa công thức chưa có kết quả: hãy mở tệp bằng chương trình bảng tính, lưu lại rồi gửi",
        "The cell holds a formula without a stored result: open the file in a spreadsheet program, save it and send it again",
    ),
    "FORMULA_ERROR": ("Ô báo lỗi công thức (#N/A, #REF!…)", "The cell shows a formula error (#N/A, #REF!…)"),
    "ROW_HIDDEN": (
        "Dòng đang bị ẩn: hãy hiện dòng (bỏ lọc) hoặc xóa dòng rồi gửi lại",
        "The row is hidden: show it (take off the filter) or delete it, then send the list again",
    ),
    "NUMBER_IN_TEXT": (
        "Ô chứa dãy số giống số định danh hoặc CMND: hãy chuyển sang đúng cột",
        "The cell holds what looks like a national number: move it to its own column",
    ),
}


def reason(code: str, field: str, shown: object = "", catalogue: Mapping[str, tuple[str, str]] = GENERAL) -> Reason:
    """A reason from a catalogue. In a list whose columns have slipped any cell may hold a number: long ones are not repeated."""
    vi, en = catalogue[code]
    text = _NUMBER.sub("***", str(shown))[:40]
    return Reason(code, field, vi.replace("{0}", text), en.replace("{0}", text))
