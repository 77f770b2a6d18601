"""What accounts holds about a person, what may be erased, what is kept and for how long."""

from __future__ import annotations

from typing import Final

from common.personal_data import Erasure, Holding, Kept, Part
from common.retention import Keep, say_rules

__all__ = ["HOLDING"]

_OF: Final = "t.beneficiary_id = :id"
_EITHER: Final = "(t.beneficiary_id = :id OR t.payee_id = :id)"
_ACCOUNTS: Final = "t.account_id IN (SELECT a.account_id FROM account a WHERE a.payee_id = :id)"
_PARTS: Final = (
    Part("beneficiary", "Người hưởng (bản sao)", "Beneficiary (copy)", _OF, tokens=("number_token",)),
    Part(
        "representative", "Đại diện nhận thay", "Representatives", "(t.beneficiary_id = :id OR t.representative_id = :id)",
        without=("number_token",),
    ),
    Part("account", "Tài khoản nhận tiền", "Accounts", "t.payee_id = :id", opens={"number_cipher": "account_number"}),
    Part("account_change", "Các thay đổi về tài khoản và cách nhận tiền", "Changes of accounts and of payout methods", _EITHER),
    Part("account_review", "Việc xem xét tài khoản", "Reviews of accounts", _ACCOUNTS),
    Part("payout_method", "Cách nhận tiền", "Payout method", _EITHER, opens={"home_reason_cipher": "home_reason"}),
    Part("preference", "Nguyện vọng nhận tiền", "Preference", _OF),
    Part("opening_request", "Yêu cầu mở tài khoản", "Requests to open an account", _EITHER),
    Part("fee_complaint", "Phản ánh về phí", "Complaints about fees", _OF, opens={"details_cipher": "complaint"}),
    Part("paid_by_account", "Tháng đã nhận qua tài khoản", "Months paid by account", _OF),
    Part("alert_person", "Cảnh báo có liên quan", "Alerts that concern the person", _OF),
    Part(
        "import_row", "Dòng trong danh sách đã nhập", "Lines of lists", _EITHER, without=("reasons", "warnings"),
        opens={"number_cipher": "account_number", "home_reason_cipher": "home_reason"},
    ),
    Part("erasure_request", "Yêu cầu xoá dữ liệu", "Requests to erase", "t.person_id = :id"),
)  # fmt: skip
_EXCEPTIONS: Final = {
    "alert": "names an account or holder shared by several people; that a person is concerned is alert_person",
    "change_request": "of the provider directory: names no person",
    "import_file": "raw lists of many people: a person's line is import_row; the file goes by retention",
    "opening_result": "raw answers about many people: a person's result stands in opening_request; the file goes by retention",
}
_WORDS: Final = {
    "number_token": "Số định danh cá nhân", "certificate_number": "Số giấy uỷ quyền", "via_beneficiary_id": "Nhận cho người hưởng",
    "number_cipher": "Số tài khoản", "said": "Ngân hàng trả lời", "consent_on": "Ngày đồng ý", "consent_evidence": "Bằng chứng đồng ý",
    "active_since": "Dùng từ ngày", "recheck_on": "Ngày kiểm tra lại", "accepted_reason": "Lý do chấp nhận",
    "accepted_holder": "Tên chủ được chấp nhận", "ask_officer": "Cần cán bộ", "objection": "Phản đối", "police_answer": "Công an trả lời",
    "police_on": "Ngày công an trả lời", "change_id": "Mã thay đổi", "in_bulk": "Nhập hàng loạt", "review_id": "Mã xem xét",
    "home_reason_cipher": "Lý do nhận tại nhà", "trusted_account_id": "Tài khoản tạm dùng", "account_from": "Dùng tài khoản từ",
    "fraud_suspected": "Nghi gian lận", "batch_id": "Mã đợt", "complaint_id": "Mã phản ánh", "charged_on": "Ngày thu phí",
    "details_cipher": "Nội dung", "refunded": "Đã hoàn", "offered": "Mức chào", "changed_by": "Người sửa", "paid": "Đã trả",
    "alert_id": "Mã cảnh báo", "claimed_holder": "Tên chủ khai trên danh sách", "settled": "Đã xử lý", "settled_by": "Người xử lý",
    "settled_at": "Xử lý lúc", "settled_note": "Ghi chú xử lý", "settled_import": "Xử lý ở lần nhập",
}  # fmt: skip
_ENDED: Final = "t.status IN ('CLOSED', 'REJECTED')"
_ERASURES: Final = (
    Erasure(
        "account", "Câu trả lời gốc của ngân hàng về tài khoản đã đóng hoặc bị từ chối",
        "The bank's own words about closed or refused accounts",
        f"t.payee_id = :id AND {_ENDED}", "t.said IS NOT NULL", {"said": "NULL"},
    ),
    Erasure(
        "payout_method", "Lý do xin nhận tại nhà khi không còn nhận tại nhà", "Why payment at home was asked for, when it is not any more",
        "t.beneficiary_id = :id AND t.method <> 'CASH_HOME'", "t.home_reason_cipher IS NOT NULL", {"home_reason_cipher": "NULL"},
    ),
    Erasure(
        "import_row", "Lý do nhận tại nhà trong danh sách đã nhập", "The same reason in lists", "t.beneficiary_id = :id",
        "t.home_reason_cipher IS NOT NULL", {"home_reason_cipher": "NULL"},
    ),
    Erasure(
        "fee_complaint", "Nội dung phản ánh đã giải quyết xong", "Text of complaints that are closed",
        "t.beneficiary_id = :id AND t.state IN ('UPHELD', 'REFUSED', 'WITHDRAWN')", "t.details_cipher IS NOT NULL",
        {"details_cipher": "NULL"},
    ),
)  # fmt: skip
_KEPT: Final = (
    Kept(
        "Tài khoản nhận tiền và các thay đổi: căn cứ của chứng từ chi", "Accounts and their changes: what vouchers rest on",
        "Luật Kế toán 88/2015/QH13 Điều 41; Nghị định 174/2016/NĐ-CP Điều 13: tối thiểu 10 năm",
        "SELECT CAST(max(t.at) AS date) FROM account_change t WHERE t.beneficiary_id = :id OR t.payee_id = :id", 10,
    ),
)  # fmt: skip
_RETENTION: Final = (
    Keep(
        "import_files", "import_file", "t.applied_at", "Tệp danh sách gốc đã áp dụng", "Raw lists once applied",
        "Luật 91/2025/QH15: không giữ lâu hơn mục đích; chưa thấy văn bản ấn định số ngày", None, holds="length(t.content) > 0",
        sets={"content": "''"}, question_vi="Giữ tệp gốc bao lâu sau khi đã áp dụng?",
    ),
    Keep(
        "opening_results", "opening_result", "t.received_at", "Tệp kết quả mở tài khoản", "Raw results of account opening",
        "Luật 91/2025/QH15: không giữ lâu hơn mục đích; chưa thấy văn bản ấn định số ngày", None,
        holds="length(t.content_cipher) > 0 AND t.state IN ('APPLIED', 'REFUSED')", sets={"content_cipher": "''"},
        question_vi="Giữ tệp kết quả mở tài khoản bao lâu?",
    ),
)  # fmt: skip

HOLDING: Final = Holding(
    service="accounts",
    home="SELECT unit_path FROM beneficiary WHERE beneficiary_id = :id",
    units="SELECT unit_path FROM account WHERE payee_id = :id"
    " UNION SELECT b.unit_path FROM representative r JOIN beneficiary b USING (beneficiary_id) WHERE r.representative_id = :id",
    parts=_PARTS, exceptions=_EXCEPTIONS, words=_WORDS, erasures=_ERASURES, kept=_KEPT, retention=_RETENTION,
    audit_types=("beneficiary", "person", "payee"),
)  # fmt: skip


if __name__ == "__main__":
    say_rules(HOLDING.retention)
