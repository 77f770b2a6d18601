"""What reporting holds about a person, what may be erased, what is kept and for how long."""

from __future__ import annotations

from typing import Final

from common.personal_data import ERASED, Erasure, Holding, Kept, Part
from common.retention import say_rules

__all__ = ["HOLDING"]

_OF: Final = "t.beneficiary_id = :id"
_EITHER: Final = "(t.beneficiary_id = :id OR t.payee_id = :id)"
_PARTS: Final = (
    Part("beneficiary", "Người hưởng (bản sao)", "Beneficiary (copy)", _OF),
    Part("beneficiary_month", "Tình trạng từng tháng", "Standing by month", _OF),
    Part("preference", "Nguyện vọng nhận tiền (bản sao)", "Preference (copy)", _OF),
    Part("preference_month", "Nguyện vọng từng tháng", "Preference by month", _OF),
    Part("payout_method", "Cách nhận tiền (bản sao)", "Payout method (copy)", _EITHER),
    Part("payout_method_month", "Cách nhận tiền từng tháng", "Payout method by month", _EITHER),
    Part("account", "Tài khoản (bản sao, đã che)", "Accounts (copy, masked)", "t.payee_id = :id"),
    Part("account_month", "Tài khoản từng tháng", "Accounts by month", "t.payee_id = :id"),
    Part("opening_month", "Yêu cầu mở tài khoản từng tháng", "Account opening by month", _EITHER),
    Part("verification", "Kết quả xác minh (bản sao)", "Verification (copy)", "t.subject_id = :id"),
    Part("verification_month", "Kết quả xác minh từng tháng", "Verification by month", "t.subject_id = :id"),
    Part("payment", "Khoản chi (bản sao)", "Payments (copy)", _EITHER),
    Part("hold", "Khoản tạm dừng (bản sao)", "Holds (copy)", _OF),
    Part("dues", "Chế độ được hưởng (bản sao)", "What is due (copy)", _OF),
    Part("recovery", "Truy thu (bản sao)", "Recoveries (copy)", _OF),
    Part("recovery_month", "Truy thu từng tháng", "Recoveries by month", _OF),
    Part("sample_case", "Mẫu kiểm tra", "Inspection samples", _OF),
    Part("sample_line", "Tổng thể của mẫu kiểm tra", "What inspection samples were drawn from", _OF),
    Part(
        "event_log", "Nhật ký sự kiện đã nhận", "Events received", "t.key = :id",
        columns="t.received_at, t.occurred_at, t.type, t.source,"
        " t.body - ARRAY['national_number', 'phone', 'number_index', 'account_number',"
        " 'identity_fingerprint'] AS body",
    ),
    Part("erasure_request", "Yêu cầu xoá dữ liệu", "Requests to erase", "t.person_id = :id"),
)  # fmt: skip
_EXCEPTIONS: Final = {"obstacle": "names no person by its form", "frozen_report_row": "sums by unit; a frozen report names nobody"}
_WORDS: Final = {
    "doubtful": "Có nghi vấn", "occurred_at": "Xảy ra lúc", "received_at": "Nhận lúc", "subject_kind": "Tư cách",
    "source_status": "Nguồn trả lời", "valid_until": "Giá trị đến", "hold_id": "Mã khoản tạm dừng", "released": "Đã bỏ tạm dừng",
    "recovery_id": "Mã truy thu", "sample_id": "Mã mẫu", "stratum": "Nhóm mẫu", "state_when_drawn": "Trạng thái khi chọn",
    "finding": "Phát hiện", "amount_found": "Số tiền thực tế", "found_on": "Ngày kiểm tra", "found_by": "Người kiểm tra",
    "lines": "Các khoản trợ cấp", "recovered": "Đã thu hồi", "account_masked": "Tài khoản đã nhận (đã che)",
    "merged_into": "Đã nhập vào hồ sơ",
}  # fmt: skip
_NEVER_PAID: Final = "NOT EXISTS (SELECT FROM payment p WHERE p.beneficiary_id = :id OR p.payee_id = :id)"
_ERASURES: Final = (
    Erasure(
        "event_log", "Số điện thoại trong sự kiện; cả tên và ngày sinh nếu chưa từng được chi trả",
        "Telephone numbers in events; names and birth dates too where nothing was ever paid", "t.key = :id",
        f"t.body -> 'phone' <> '{{}}' OR (t.body ->> 'full_name' <> '{ERASED}' AND {_NEVER_PAID})", call="erase_in_events",
    ),
    Erasure(
        "beneficiary", "Tên và mã hồ sơ của người chưa từng được chi trả", "Name and file code of somebody never paid",
        f"{_OF} AND {_NEVER_PAID}", f"t.full_name <> '{ERASED}'", {"full_name": f"'{ERASED}'", "file_code": "NULL"},
    ),
)  # fmt: skip
_KEPT: Final = (
    Kept(
        "Bản sao khoản chi dùng cho báo cáo và đối chiếu", "Copies of payments for reports",
        "Luật Kế toán 88/2015/QH13 Điều 41; Nghị định 174/2016/NĐ-CP Điều 13: tối thiểu 10 năm",
        "SELECT max(t.business_date) FROM payment t WHERE t.beneficiary_id = :id OR t.payee_id = :id", 10,
    ),
)  # fmt: skip

HOLDING: Final = Holding(
    service="reporting",
    home="SELECT unit_path FROM beneficiary WHERE beneficiary_id = :id",
    units="SELECT unit_path FROM account WHERE payee_id = :id"
    " UNION SELECT unit_path FROM verification WHERE subject_id = :id",
    parts=_PARTS, exceptions=_EXCEPTIONS, words=_WORDS, erasures=_ERASURES, kept=_KEPT, retention=(),
    audit_types=("beneficiary", "person"),
)  # fmt: skip


if __name__ == "__main__":
    say_rules(HOLDING.retention)
