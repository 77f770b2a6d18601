"""Why a row is refused or flagged: stable codes with a text in Vietnamese and in English."""

from __future__ import annotations

from typing import Final

from common.lists.reasons import GENERAL, Reason
from common.lists.reasons import reason as make_reason

__all__ = ["REASONS", "Reason", "reason"]


# code: (Vietnamese, English). `{0}` is what stood in the cell where that may be shown.
REASONS: Final[dict[str, tuple[str, str]]] = {
    **GENERAL,
    "MISSING_NAME": ("Thiếu họ và tên", "The name is missing"),
    "MISSING_FILE_CODE": ("Thiếu mã hồ sơ", "The dossier code is missing"),
    "BAD_BIRTH_DATE": ("Ngày sinh không đọc được: {0}", "The birth date cannot be read: {0}"),
    "BAD_SEX": ("Giới tính không đọc được: {0}", "The sex cannot be read: {0}"),
    "NUMBER_LOST_ZERO": (
        "Số định danh có 10 hoặc 11 chữ số: có thể mất số 0 ở đầu; hãy kiểm tra và nhập lại đủ 12 chữ số",
        "The number has 10 or 11 digits: a leading zero was probably lost; check it and enter all 12 digits",
    ),
    "NUMBER_ROUNDED": (
        "Số định danh bị bảng tính đổi thành dạng 3,8E+11: hãy định dạng cột là văn bản và nhập lại đủ 12 chữ số",
        "The spreadsheet has turned the number into the form 3.8E+11: make the column text and enter all 12 digits again",
    ),
    "NAME_OLD_FONT": (
        "Họ tên gõ bằng phông cũ (TCVN3, VNI): hãy chuyển sang Unicode",
        "The name is typed in an old font (TCVN3, VNI): convert it to Unicode",
    ),
    "YEAR_TWO_DIGITS": ("Năm ghi hai chữ số: {0}; hãy ghi đủ bốn chữ số", "The year has two digits: {0}; write all four"),
    "BAD_DEPENDANT_DATE": ("Ngày sinh người phụ thuộc không đọc được: {0}", "The dependant's birth date cannot be read: {0}"),
    "ENTITLEMENT_DIFFERS": (
        "Quyết định này đã ghi với mức, tỷ lệ hoặc tháng khác: muốn đổi phải có quyết định điều chỉnh",
        "This decision is recorded with another rate or month: a change needs a decision of its own",
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
    "UNKNOWN_CATEGORY": (
        "Loại đối tượng không có trong danh mục (ghi mã hoặc đúng tên trong danh mục): {0}",
        "Unknown category (give the code or the catalogue's Vietnamese name): {0}",
    ),
    "WRONG_PROGRAMME": ("Loại đối tượng {0} không thuộc chương trình của danh sách", "Category {0} is not of this list's programme"),
    "BAD_PERCENT": ("Tỷ lệ thương tật phải từ 21 đến 100: {0}", "The percentage must be 21 to 100: {0}"),
    "BAD_QUANTITY": (
        "Loại này hưởng theo số lượng (số thâm niên): ghi số từ 1 đến 100: {0}",
        "This category is paid by quantity (years of seniority): give a number from 1 to 100: {0}",
    ),
    "NO_QUANTITY": ("Loại {0} không hưởng theo số lượng", "Category {0} is not paid by quantity"),
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
    "REP_END_SET": (
        "Ủy quyền không ghi ngày hết hạn hoặc quá dài: tính đến hết ngày {0}",
        "The authorisation has no end or is too long: it counts until {0}",
    ),
    "REP_REVOKED": (
        "Người này đã thôi nhận thay: chỉ giấy mới, có hiệu lực sau ngày thôi, mới cử lại được",
        "This person's right to collect has ended: only a new paper that begins after that appoints them again",
    ),
    "HOUSEHOLD_NOT_LINKED": (
        "Không ghi vào hộ này: đang thuộc hộ khác, hoặc hộ ở đơn vị khác hay đã đóng",
        "Not added to this household: a member of another one, or the household is of another unit or closed",
    ),
    "REP_IS_SELF": ("Người nhận thay trùng với người hưởng", "The representative is the beneficiary"),
    "REP_NUMBER_OTHER_PERSON": (
        "Số định danh của người nhận thay đã đăng ký, hoặc ghi ở dòng khác, với họ tên khác",
        "The representative's number is registered, or stands in another row, under another name",
    ),
    "DUPLICATE_NUMBER_FILE": ("Số định danh trùng với dòng {0} trong tệp", "The number stands in row {0} of the file too"),
    "DUPLICATE_NUMBER_REGISTER": ("Số định danh đã đăng ký ở đơn vị {0}", "The number is already registered in unit {0}"),
    "FILE_CODE_OTHER_PERSON": ("Mã hồ sơ đã dùng cho người khác", "The dossier code belongs to another person"),
    "DUPLICATE_ROW": (
        "Trùng chế độ với dòng {0}; nếu cho người phụ thuộc khác, hãy ghi họ tên hoặc ngày sinh người phụ thuộc",
        "The same allowance stands in row {0}; for another dependant give the dependant's name or birth date",
    ),
    "ALREADY_ENTITLED": ("Đang hưởng chế độ này theo quyết định khác", "Already holds this allowance by another decision"),
    "GRANT_PROPOSED": (
        "Chế độ này đã được đề xuất, đang chờ người thứ hai duyệt",
        "This allowance is proposed already and waits for a second person's approval",
    ),
    "AGE_BELOW": (
        "Chưa đủ {0} tuổi trong tháng bắt đầu hưởng: hãy kiểm tra ngày sinh và loại đối tượng",
        "Younger than {0} years in the first month: check the birth date and the category",
    ),
    "AGE_ABOVE": (
        "Đã đủ {0} tuổi, quá tuổi của loại đối tượng trong tháng bắt đầu hưởng: hãy kiểm tra",
        "Has reached {0} years, beyond the category's age, in the first month: check it",
    ),
    "BEFORE_LAW": (
        "Tháng hưởng sớm hơn tháng theo luật là {0}: ghi lý do truy lĩnh hoặc ngày của giấy chứng nhận",
        "The month is earlier than the law's, which is {0}: give the reason for arrears, or the certificate's date",
    ),
    "DECISION_AHEAD": ("Ngày quyết định sau ngày nghiệp vụ", "The decision is dated after the business date"),
    "NO_AUTHORITY": (
        "Ngày đó chưa có cấp có thẩm quyền quyết định về chương trình này",
        "No authority decides on this programme on that date",
    ),
    "ARREARS_AFTER_START": ("Tháng truy lĩnh sau tháng bắt đầu hưởng", "The arrears month is after the first month"),
    "REP_NO_CERTIFICATE": (
        "Ủy quyền phải có số giấy ủy quyền hoặc tệp đính kèm",
        "An authorisation needs the number of its certificate or an attachment",
    ),
    "MISSING_SUBJECT": ("Thiếu mã hộ hoặc mã hồ sơ", "The household code or the dossier code is missing"),
    "UNKNOWN_SUBJECT": ("Không có hộ hoặc hồ sơ với mã này", "No household or dossier has this code"),
    "SUBJECT_OUTSIDE": ("Hộ hoặc hồ sơ ngoài phạm vi đơn vị của danh sách", "The household or dossier is outside the list's unit"),
    "HOUSEHOLD_CLOSED": ("Hộ này không còn", "The household no longer exists"),
    "DUPLICATE_SUBJECT": ("Hộ hoặc hồ sơ đã có ở dòng trên", "The household or dossier stands in an earlier row"),
    "LATER_MEMBERSHIP": ("Đã có thay đổi từ ngày này hoặc sau đó", "A change from this day or a later one is recorded"),
    "UNKNOWN_GROUP": ("Không có nhóm này: {0}", "No such group: {0}"),
    "BAD_ACTION": ("Biến động phải là Vào hoặc Ra: {0}", "The change must be Vào (in) or Ra (out): {0}"),
    "NOT_ASKED": ("Người này không thuộc đợt khảo sát", "The person is not part of the survey"),
    "EVIDENCE_NEEDED": ("Bất khả kháng cần ghi căn cứ", "Force majeure needs its evidence"),
    "BAD_ANSWER_DATE": ("Ngày trả lời không đọc được hoặc ở tương lai: {0}", "The date of the answer cannot be read or lies ahead: {0}"),
    "MERGED_FILE": (
        "Hồ sơ này đã gộp vào hồ sơ khác của cùng một người; hãy dùng mã hồ sơ còn lại",
        "This file was merged into another one of the same person: use the dossier code that stands",
    ),
    "DECEASED": ("Người này đã được ghi nhận qua đời", "This person's death is recorded"),
    "LAW_UNKNOWN_FIELD": ("Bảng này không có cột này", "The table has no such column"),
    "LAW_MISSING": ("Thiếu giá trị", "The value is missing"),
    "LAW_BAD_VALUE": ("Giá trị không đọc được hoặc không được phép: {0}", "The value cannot be read or is not allowed: {0}"),
    "LAW_DATES_CROSS": ("Ngày kết thúc trước ngày bắt đầu", "The end lies before the start"),
    "LAW_ONE_OF": ("Chỉ ghi đúng một trong các cột: {0}", "Give exactly one of the columns: {0}"),
    "LAW_TWICE": ("Trùng khóa với dòng {0} trong tệp", "The same key stands in row {0} of the file"),
    "LAW_HERE": ("Bản dự thảo đã có dòng này; hãy xóa dòng cũ trước", "The draft has this row: take the old one out first"),
    "LAW_UNKNOWN_CATEGORY": ("Không có loại đối tượng này: {0}", "No such category: {0}"),
    "LAW_CODE_TAKEN": ("Mã này đã dùng: {0}", "This code is taken: {0}"),
    "LAW_UNKNOWN_STANDARD": ("Không có mức chuẩn này: {0}", "No such standard: {0}"),
    "LAW_UNKNOWN_GROUP": ("Không có nhóm này: {0}", "No such group: {0}"),
    "LAW_UNKNOWN_STACK": ("Không có nhóm cộng hưởng này: {0}", "No such stacking group: {0}"),
    "LAW_UNKNOWN_QUESTION": ("Không có câu hỏi này: {0}", "No such question: {0}"),
    "LAW_ANSWER": ("Hệ thống không có cách tính cho câu trả lời này: {0}", "The engine knows no such answer: {0}"),
    "LAW_UNKNOWN_UNIT": ("Không có đơn vị này: {0}", "No such unit: {0}"),
}


def reason(code: str, field: str, shown: object = "") -> Reason:
    """A reason from the catalogue. In a list whose columns have slipped any cell may hold a number: long ones are not repeated."""
    return make_reason(code, field, shown, REASONS)
