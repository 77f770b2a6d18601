"""Vietnamese names of this service's columns, for the paper that gives a person their data."""

from __future__ import annotations

from typing import Final

__all__ = ["WORDS"]

WORDS: Final[dict[str, str]] = {
    "correction": "Đính chính kết quả trước", "round": "Lần thứ",
    "phone_token": "Điện thoại", "unresolved_duplicate": "Nghi trùng hồ sơ", "account_number_token": "Số tài khoản",
    "account_masked": "Số tài khoản (đã che)", "account_from": "Dùng tài khoản từ", "meanwhile_account_id": "Tài khoản tạm dùng",
    "fraud_suspected": "Nghi gian lận", "entitlement_id": "Mã chế độ", "explicit_arrears": "Truy lĩnh", "committed": "Đã cam kết",
    "paid": "Đã trả", "due_at_commit": "Phải chi khi cam kết", "due": "Phải chi", "line_id": "Mã dòng",
    "evidence_note": "Ghi chú bằng chứng",
    "route": "Đường chi", "hold_id": "Mã khoản tạm dừng", "released_at": "Bỏ tạm dừng lúc", "batch_id": "Mã lô",
    "partner_reference": "Mã của đối tác", "source_id": "Mã nguồn", "transfer_id": "Số bút toán", "journal_id": "Mã chứng từ",
    "debit_account": "Tài khoản nợ", "credit_account": "Tài khoản có", "collected_on": "Ngày nhận tiền", "collected_by": "Người nhận tiền",
    "paid_by": "Người trả tiền", "evidence_id": "Mã bằng chứng", "statement_id": "Mã sao kê", "line_no": "Dòng số",
    "booked_on": "Ngày ghi sổ", "currency": "Loại tiền", "direction": "Chiều", "manual_id": "Mã kết quả",
    "quarantine_id": "Mã thông báo giữ lại", "dismissal_by": "Người đề nghị bác", "dismissal_note": "Lý do đề nghị bác",
    "dismissal_at": "Đề nghị bác lúc",
    "case_id": "Mã hồ sơ", "happened_on": "Ngày xảy ra", "letter_number": "Số công văn", "letter_date": "Ngày công văn",
    "reminders": "Số lần nhắc", "answer_number": "Số văn bản trả lời", "taken_at": "Lúc", "break_id": "Mã chênh lệch", "ours": "Số của ta",
    "theirs": "Số của đối tác", "resolution": "Cách giải quyết", "resolved_by": "Người giải quyết", "resolved_at": "Giải quyết lúc",
    "restore_id": "Mã lần khôi phục", "asked_at": "Hỏi lúc", "said": "Đối tác trả lời", "telling_id": "Mã tin báo", "occasion": "Dịp báo",
    "other_payee": "Người khác nhận thay", "sent_at": "Gửi lúc", "told_at": "Báo xong lúc", "sheet_id": "Mã tờ báo",
    "complaint_id": "Mã khiếu nại", "investigation": "Xác minh", "recovery_id": "Mã truy thu", "recovered": "Đã thu hồi",
    "repaid": "Đã nộp lại", "waived": "Đã miễn",
    "waiver_proposed_by": "Người đề nghị miễn", "waiver_decided_by": "Người quyết định miễn", "step_id": "Mã bước",
    "repayment_id": "Mã khoản nộp", "document_number": "Số chứng từ", "document_date": "Ngày chứng từ", "proposal_id": "Mã đề nghị",
    "finding_id": "Mã lưu ý", "before": "Trước", "now": "Nay", "shadow_id": "Mã đối chiếu", "row_no": "Dòng số", "birth_year": "Năm sinh",
    "last4": "4 số cuối tài khoản", "fault": "Lỗi", "matched_by": "Khớp theo", "number": "Số", "why": "Vì sao",
    "theirs_name": "Tên bên kia",
    "ours_amount": "Số tiền của ta", "theirs_amount": "Số tiền bên kia", "ours_method": "Cách nhận của ta",
    "theirs_method": "Cách nhận bên kia",
    "ours_last4": "4 số cuối của ta", "theirs_last4": "4 số cuối bên kia", "subject_kind": "Tư cách", "source_status": "Nguồn trả lời",
    "valid_until": "Giá trị đến", "grace_until": "Gia hạn đến",
    "dismissed_before": "Số lần đã bác trước đó", "says_paid": "Thông báo nói đã chi",
    "repeats": "Số lần nhắc lại",
}  # fmt: skip
