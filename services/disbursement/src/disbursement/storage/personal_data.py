"""What disbursement holds about a person, what may be erased, what is kept and for how long."""

from __future__ import annotations

from typing import Final

from common.personal_data import ERASED, Erasure, Holding, Kept, Part
from common.retention import Keep, say_rules
from disbursement.storage.personal_words import WORDS

__all__ = ["HOLDING"]

_OF: Final = "t.beneficiary_id = :id"
_EITHER: Final = "(t.beneficiary_id = :id OR t.payee_id = :id)"
_PAYMENTS: Final = "t.payment_id IN (SELECT p.payment_id FROM payment p WHERE p.beneficiary_id = :id OR p.payee_id = :id)"
_LINES: Final = "t.line_id IN (SELECT l.line_id FROM list_line l WHERE l.beneficiary_id = :id OR l.payee_id = :id)"
_RECOVERIES: Final = "t.recovery_id IN (SELECT r.recovery_id FROM recovery_case r WHERE r.beneficiary_id = :id)"
_VOUCHERS: Final = "Luật Kế toán 88/2015/QH13 Điều 41; Nghị định 174/2016/NĐ-CP Điều 13: tối thiểu 10 năm"

_COPIES: Final = (
    Part("beneficiary", "Người hưởng (bản sao)", "Beneficiary (copy)", _OF, tokens=("phone_token",)),
    Part(
        "representative", "Đại diện nhận thay", "Representatives", "(t.beneficiary_id = :id OR t.representative_id = :id)",
        without=("full_name",),
    ),
    Part("verification", "Kết quả xác minh (bản sao)", "Verification (copy)", "t.subject_id = :id"),
    Part("payout_account", "Tài khoản nhận tiền (bản sao)", "Accounts (copy)", "t.payee_id = :id", tokens=("account_number_token",)),
    Part("payout_method", "Cách nhận tiền (bản sao)", "Payout method (copy)", _EITHER),
    Part("entitlement_state", "Chế độ (bản sao)", "Entitlements (copy)", _OF),
    Part("dues", "Khoản phải chi: lần tính", "Dues: version", _OF),
    Part("due_interval", "Khoản phải chi theo thời gian", "Dues by time", _OF),
    Part("due_month_position", "Khoản phải chi từng tháng: đã cam kết, đã trả", "Dues by month: committed, paid", _OF),
)  # fmt: skip
_PAID: Final = (
    Part("list_line", "Dòng trong danh sách chi trả", "Lines of payment lists", _EITHER, tokens=("account_number_token",)),
    Part("allocation", "Phân bổ từng tháng", "Allocations by month", _LINES),
    Part("hold", "Khoản tạm dừng chi", "Payments held", _OF),
    Part("waiting_month", "Tháng còn chờ trong danh sách", "Months that wait on lists", _OF),
    Part("payment", "Khoản chi", "Payments", _EITHER),
    Part("payment_history", "Diễn biến từng khoản chi", "What happened to each payment", _PAYMENTS),
    Part("ledger_transfer", "Bút toán", "Ledger entries", f"({_PAYMENTS} OR t.subject_id = :id)"),
    Part("cash_proof", "Chứng nhận đã nhận tiền mặt", "Proofs of cash collected", _PAYMENTS),
    Part("statement_line", "Dòng sao kê", "Statement lines", _PAYMENTS),
    Part("manual_result", "Kết quả ghi bằng tay", "Results recorded by hand", _PAYMENTS),
    Part("payment_case", "Hồ sơ tra soát", "Inquiries with partners", _PAYMENTS),
    Part(
        "payment_case_step", "Các bước tra soát", "Steps of inquiries",
        f"t.case_id IN (SELECT c.case_id FROM payment_case c WHERE {_PAYMENTS.replace('t.', 'c.', 1)})",
    ),
    Part("reconciliation_break", "Chênh lệch đối chiếu", "Differences in reconciliation", _PAYMENTS),
    Part("quarantine", "Thông báo đối tác bị giữ lại", "Notices set aside", _PAYMENTS, without=("said", "raw")),
    Part("restore_question", "Câu hỏi sau khi khôi phục", "Questions after a restore", _PAYMENTS),
)  # fmt: skip
_CASES: Final = (
    Part("telling", "Tin báo cho người hưởng", "Messages to the person", _OF),
    Part("complaint", "Khiếu nại", "Complaints", _OF),
    Part(
        "complaint_step",
        "Các bước giải quyết khiếu nại",
        "Steps of complaints",
        "t.complaint_id IN (SELECT c.complaint_id FROM complaint c WHERE c.beneficiary_id = :id)",
    ),
    Part("recovery_case", "Truy thu", "Recoveries", _OF),
    Part("recovery_item", "Truy thu: từng tháng", "Recoveries by month", _RECOVERIES),
    Part("recovery_share", "Truy thu: đã nộp, đã miễn từng tháng", "Repaid and waived by month", _RECOVERIES),
    Part("recovery_step", "Truy thu: các bước", "Steps of recoveries", _RECOVERIES),
    Part("repayment", "Truy thu: tiền đã nộp", "Repayments", _RECOVERIES),
    Part("recovery_check", "Lịch kiểm tra truy thu", "When recoveries are looked for", _OF),
    Part("suspension_proposal", "Đề nghị tạm dừng vì không nhận", "Proposals to suspend", _OF),
    Part("precheck_finding", "Điểm lưu ý trước khi duyệt", "Findings before approval", _OF),
    Part("shadow_row", "Dòng trong danh sách đối chiếu song song", "Lines of lists compared", _OF),
    Part("shadow_difference", "Chênh lệch đối chiếu song song", "Differences of that comparison", _OF),
    Part("erasure_request", "Yêu cầu xoá dữ liệu", "Requests to erase", "t.person_id = :id"),
)
_EXCEPTIONS: Final = {
    "cash_evidence": "signed sheets of many people; a person's receipt is cash_proof",
    "list_input": "inputs of a whole list, kept so that it can be recomputed; a person's result is list_line or hold",
    "partner_notice": "raw notices about many payments: what they said stands in payment_history; the body goes by retention",
    "payment_batch": "the exact bytes sent for many payments: a person's is payment; the bytes go by retention",
    "ruling": "decisions on the calendar: name no person",
    "shadow_month": "a raw list of many people: a person's line is shadow_row; the file goes by retention",
    "statement": "a partner's raw statement: a person's line is statement_line; it is a voucher",
    "telling_proof_replaced": "signed sheets of many people, replaced by others; a person's message is telling",
    "telling_sheet": "signed sheets of many people; a person's message is telling",
}
_NEVER_PAID: Final = (
    "t.beneficiary_id = :id AND NOT EXISTS (SELECT FROM list_line l WHERE l.beneficiary_id = :id OR l.payee_id = :id)"
    " AND NOT EXISTS (SELECT FROM due_interval d WHERE d.beneficiary_id = :id)"
)
_ERASURES: Final = (
    Erasure(
        "beneficiary", "Số điện thoại", "Telephone number", _OF, "t.phone_token IS NOT NULL", {"phone_token": "NULL"},
    ),
    Erasure(
        "telling", "Nội dung tin nhắn đã báo xong", "Text of messages that were delivered",
        f"{_OF} AND t.state IN ('DELIVERED', 'HANDED_OVER')", "t.text IS NOT NULL", {"text": "NULL"},
    ),
    Erasure(
        "shadow_row", "Dòng danh sách cũ dùng để đối chiếu song song", "Lines of old lists used to compare",
        f"{_OF} AND EXISTS (SELECT FROM shadow_month m WHERE m.shadow_id = t.shadow_id AND m.state IN ('SIGNED', 'REFUSED'))",
        f"t.full_name <> '{ERASED}'",
        {"full_name": f"'{ERASED}'", "name_folded": "''", "birth_year": "NULL", "last4": "NULL", "file_code": "NULL"},
    ),
    Erasure(
        "beneficiary", "Tên, ngày sinh của người chưa từng có trong danh sách chi trả", "Name and birth date of somebody never on a list",
        _NEVER_PAID, f"t.full_name <> '{ERASED}'",
        {"full_name": f"'{ERASED}'", "birth_date": "NULL", "number_index": "NULL", "file_code": "NULL"},
    ),
)  # fmt: skip
_KEPT: Final = (
    Kept(
        "Danh sách chi, khoản chi, bút toán, chứng nhận đã nhận tiền", "Lists, payments, ledger, receipts", _VOUCHERS,
        "SELECT CAST(date_trunc('month', max(t.created_at)) AS date) FROM payment t WHERE t.beneficiary_id = :id OR t.payee_id = :id", 10,
    ),
    Kept(
        "Dòng danh sách chi trả chưa thành khoản chi, khoản tạm dừng", "Lines not paid, holds",
        "Nghị định 174/2016/NĐ-CP Điều 12: tối thiểu 5 năm",
        "SELECT CAST(max(y.business_date) AS date) FROM hold t JOIN payment_cycle y USING (cycle_id) WHERE t.beneficiary_id = :id", 5,
    ),
    Kept(
        "Hồ sơ truy thu", "Recoveries", _VOUCHERS,
        "SELECT CAST(max(t.updated_at) AS date) FROM recovery_case t WHERE t.beneficiary_id = :id", 10,
    ),
)  # fmt: skip
_OPEN_TERM: Final = "Luật 91/2025/QH15: không giữ lâu hơn mục đích; chưa thấy văn bản ấn định số ngày"
_YEAR_END: Final = "(SELECT date_trunc('year', y.closed_at) + interval '1 year' FROM payment_cycle y WHERE y.cycle_id = t.cycle_id)"
_RETENTION: Final = (
    Keep(
        "notice_bodies", "partner_notice", "t.applied_at", "Nội dung gốc thông báo của đối tác đã áp dụng", "Raw notices once applied",
        _OPEN_TERM, None, holds="length(t.body) > 0 AND t.state <> 'RECEIVED'", sets={"body": "''"},
        question_vi="Giữ thông báo gốc bao lâu sau khi đã áp dụng và đối soát?",
    ),
    Keep(
        "message_texts", "telling", "t.told_at", "Nội dung tin nhắn đã báo xong", "Texts of messages once delivered", _OPEN_TERM, None,
        holds="t.text IS NOT NULL AND t.state IN ('DELIVERED', 'HANDED_OVER')", sets={"text": "NULL"},
        question_vi="Giữ nội dung tin nhắn bao lâu?",
    ),
    Keep(
        "shadow_files", "shadow_month", "t.decided_at", "Danh sách cũ dùng để đối chiếu song song", "Lists compared in the shadow month",
        _OPEN_TERM, None, holds="length(t.content) > 0 AND t.state IN ('SIGNED', 'REFUSED')", sets={"content": "''"},
        question_vi="Giữ danh sách cũ bao lâu sau khi đã ký kết quả đối chiếu?",
    ),
    Keep(
        "voucher_names", "list_line", _YEAR_END, "Tên và số tài khoản trên dòng danh sách chi", "Names and account numbers on paid lines",
        _VOUCHERS, 3653, least=3653, holds=f"t.payee_name <> '{ERASED}'",
        sets={
            "payee_name": f"'{ERASED}'", "beneficiary_name": f"'{ERASED}'", "account_number_token": "NULL", "account_masked": "NULL",
            "file_code": "NULL",
        },
    ),
    Keep(
        "hold_names", "hold", _YEAR_END, "Tên trên các khoản tạm dừng", "Names on holds",
        "Nghị định 174/2016/NĐ-CP Điều 12: tối thiểu 5 năm", 3653, least=1827,
        holds=f"t.beneficiary_name <> '{ERASED}'", sets={"beneficiary_name": f"'{ERASED}'", "file_code": "NULL"},
    ),
    Keep(
        "message_names", "telling", "t.created_at", "Tên trên tin báo", "Names on messages", _VOUCHERS, 4018, least=3653,
        holds=f"t.beneficiary_name <> '{ERASED}'",
        sets={"beneficiary_name": f"'{ERASED}'", "payee_name": "NULL", "text": "NULL", "file_code": "NULL"},
    ),
)  # fmt: skip

HOLDING: Final = Holding(
    service="disbursement",
    home="SELECT unit_path FROM beneficiary WHERE beneficiary_id = :id",
    units="SELECT b.unit_path FROM representative r JOIN beneficiary b USING (beneficiary_id) WHERE r.representative_id = :id"
    " UNION SELECT unit_path FROM list_line WHERE payee_id = :id",
    parts=(*_COPIES, *_PAID, *_CASES), exceptions=_EXCEPTIONS, words=WORDS, erasures=_ERASURES, kept=_KEPT, retention=_RETENTION,
    audit_types=("beneficiary", "person"),
)  # fmt: skip


if __name__ == "__main__":
    say_rules(HOLDING.retention)
