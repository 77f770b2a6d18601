"""Why a row is refused or flagged: stable codes with a text in Vietnamese and in English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["REASONS", "Reason", "reason"]


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


_NUMBER: Final = re.compile(r"\d(?:[ .-]?\d){8,}")

# code: (Vietnamese, English). `{0}` is what stood in the cell where that may be shown.
REASONS: Final[dict[str, tuple[str, str]]] = {
    "MISSING_NAME": ("Thiếu họ và tên", "The name is missing"),
    "MISSING_FILE_CODE": ("Thiếu mã hồ sơ", "The dossier code is missing"),
    "BAD_BIRTH_DATE": ("Ngày sinh không đọc được: {0}", "The birth date cannot be read: {0}"),
    "BAD_SEX": ("Giới tính không đọc được: {0}", "The sex cannot be read: {0}"),
    "NUMBER_LOST_ZERO": (
        "Số định danh có 11 chữ số: có thể mất số 0 ở đầu; hãy kiểm tra và nhập lại đủ 12 chữ số",
        "The number has 11 digits: a leading zero was probably lost; check it and enter all 12 digits",
    ),
    "NUMBER_OLD_ID": ("Số 9 chữ số là CMND cũ; cần số định danh 12 chữ số", "A 9-digit number is an old ID card; 12 digits are needed"),
    "NUMBER_BAD": ("Số định danh không đúng cấu trúc 12 chữ số", "The number does not have the 12-digit structure"),
    "SECOND_NUMBER_BAD": ("Số CMND cũ phải có 9 chữ số", "The old ID card (CMND) number has 9 digits"),
    "SECOND_NUMBER_LOST_ZERO": (
        "Số CMND có 8 chữ số: có thể mất số 0 ở đầu; hãy kiểm tra và nhập lại đủ 9 chữ số",
        "The old ID number has 8 digits: a leading zero was probably lost; check it and enter all 9 digits",
    ),
    "PHONE_BAD": ("Số điện thoại phải bắt đầu bằng 0 và có 10 hoặc 11 chữ số", "A phone number begins with 0 and has 10 or 11 digits"),
    "HAS_NUMBER": ("Người này có số định danh: không thể ghi là chưa có CCCD", "The person has a number: NO_ID does not fit"),
    "NUMBER_PROVINCE": ("Mã nơi đăng ký khai sinh trong số định danh lạ", "Unusual birth-registration code in the number"),
    "NUMBER_SEX": ("Giới tính khác với số định danh", "The sex differs from the number"),
    "NUMBER_YEAR": ("Năm sinh khác với số định danh", "The birth year differs from the number"),
    "UNKNOWN_CATEGORY": ("Loại đối tượng không có trong danh mục: {0}", "Unknown category: {0}"),
    "WRONG_PROGRAMME": ("Loại đối tượng {0} không thuộc chương trình của danh sách", "Category {0} is not of this list's programme"),
    "BAD_PERCENT": ("Tỷ lệ thương tật phải từ 21 đến 100: {0}", "The percentage must be 21 to 100: {0}"),
    "UNKNOWN_UNIT": ("Mã đơn vị không có tại ngày nghiệp vụ: {0}", "No such unit on the business date: {0}"),
    "UNIT_OUTSIDE": ("Đơn vị {0} ngoài phạm vi của danh sách", "Unit {0} is outside the list's unit"),
    "MISSING_DECISION": ("Thiếu số quyết định", "The decision number is missing"),
    "BAD_DECISION_DATE": ("Ngày quyết định không đọc được: {0}", "The decision date cannot be read: {0}"),
    "BAD_FROM_MONTH": ("Tháng bắt đầu hưởng không đọc được: {0}", "The first month cannot be read: {0}"),
    "BAD_ARREARS_MONTH": ("Tháng truy lĩnh không hợp lệ: {0}", "The arrears month is not valid: {0}"),
    "BAD_PREFERENCE": ("Nguyện vọng phải là TK, TM hoặc BKK: {0}", "The preference must be TK, TM or BKK: {0}"),
    "REP_MISSING_NAME": ("Thiếu họ tên người nhận thay", "The representative's name is missing"),
    "REP_BAD_KIND": ("Hình thức nhận thay không đọc được: {0}", "The kind of representation cannot be read: {0}"),
    "REP_BAD_DATE": ("Ngày của người nhận thay không đọc được: {0}", "A date of the representative cannot be read: {0}"),
    "REP_IS_SELF": ("Người nhận thay trùng với người hưởng", "The representative is the beneficiary"),
    "DUPLICATE_NUMBER_FILE": ("Số định danh trùng với dòng {0} trong tệp", "The number stands in row {0} of the file too"),
    "DUPLICATE_NUMBER_REGISTER": ("Số định danh đã đăng ký ở đơn vị {0}", "The number is already registered in unit {0}"),
    "FILE_CODE_OTHER_PERSON": ("Mã hồ sơ đã dùng cho người khác", "The dossier code belongs to another person"),
    "DUPLICATE_ROW": (
        "Trùng chế độ với dòng {0}; nếu cho người phụ thuộc khác, hãy ghi quyết định của người đó",
        "The same allowance stands in row {0}; for another dependant give that dependant's decision",
    ),
    "ALREADY_ENTITLED": ("Đang hưởng chế độ này theo quyết định khác", "Already holds this allowance by another decision"),
    "DECEASED": ("Người này đã được ghi nhận qua đời", "This person's death is recorded"),
}


def reason(code: str, field: str, shown: object = "") -> Reason:
    """A reason from the catalogue. In a list whose columns have slipped any cell may hold a number: long ones are not repeated."""
    vi, en = REASONS[code]
    text = _NUMBER.sub("***", str(shown))[:40]
    return Reason(code, field, vi.replace("{0}", text), en.replace("{0}", text))
