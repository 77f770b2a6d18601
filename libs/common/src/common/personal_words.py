"""Vietnamese names of columns that every service has, and columns that say nothing about a person: keys of indexes, leases, counters."""

from __future__ import annotations

from typing import Final

__all__ = ["MECHANICAL", "WORDS"]

MECHANICAL: Final = frozenset({
    "ordinal", "name_folded", "name_key", "tail", "identity_fingerprint", "fingerprint", "number_index", "lease_owner", "lease_until",
    "attempts", "next_try_at", "next_at", "next_turn_at", "last_error", "priority", "check_due", "due_since", "sends", "asks", "error",
    "inquire_at", "inquiries", "say_again", "lines_md5", "row_number", "import_row", "rep_fingerprint", "rep_name_folded",
    "dep_name_folded", "payee_key", "payee_folded", "accepted_fingerprint", "pending_since", "failed_lookups", "txid", "tx_at",
    "account_version", "stage", "seq", "partition", "offset", "topic", "position", "received_month", "retry",
    "traceparent", "led_by",
})  # fmt: skip
"""Never given: they hold nothing that the columns beside them do not hold in words. Bytes that are not opened are left out as well."""

WORDS: Final[dict[str, str]] = {
    "account_id": "Mã tài khoản", "accepted_at": "Tiếp nhận lúc", "action": "Việc", "actor": "Người thực hiện", "address": "Địa chỉ",
    "amount": "Số tiền (đồng)", "answer": "Trả lời", "answer_reason": "Lý do trả lời", "answered_at": "Trả lời lúc",
    "answered_by": "Người ghi câu trả lời", "answered_on": "Ngày trả lời", "approved_by": "Người duyệt", "approved_on": "Ngày duyệt",
    "at": "Lúc", "basis": "Căn cứ", "beneficiary_id": "Mã người hưởng", "beneficiary_name": "Tên người hưởng", "birth_date": "Ngày sinh",
    "business_date": "Ngày nghiệp vụ", "channel": "Kênh chi trả", "checked_at": "Kiểm tra lúc", "checked_on": "Ngày kiểm tra",
    "checker": "Người duyệt", "closed_at": "Kết thúc lúc", "closed_by": "Người kết thúc", "closed_on": "Ngày kết thúc", "code": "Mã",
    "created_at": "Tạo lúc", "created_by": "Người tạo", "cycle_id": "Mã kỳ chi trả", "death_date": "Ngày mất",
    "decided_at": "Quyết định lúc", "decided_by": "Người quyết định", "decided_on": "Ngày quyết định", "decision_date": "Ngày quyết định",
    "decision_note": "Ghi chú quyết định", "decision_number": "Số quyết định", "detail": "Chi tiết", "due_on": "Hạn",
    "event_id": "Mã sự kiện", "evidence": "Bằng chứng", "file_code": "Mã hồ sơ", "from_date": "Từ ngày", "from_month": "Từ tháng",
    "full_name": "Họ và tên", "funding_source": "Nguồn kinh phí", "hamlet": "Thôn, tổ dân phố", "import_id": "Mã lần nhập danh sách",
    "kind": "Loại", "list_id": "Mã danh sách", "made_at": "Lập lúc", "maker": "Người lập", "masked_number": "Số (đã che)",
    "merged": "Đã gộp hồ sơ", "method": "Hình thức nhận", "month": "Tháng", "months": "Các tháng", "note": "Ghi chú",
    "occurred_at": "Xảy ra lúc", "opened_on": "Ngày mở", "opened_by": "Người mở", "outcome": "Kết quả", "partner": "Đối tác",
    "payee_id": "Mã người nhận", "payee_kind": "Tư cách người nhận", "payee_name": "Tên người nhận", "payment_id": "Mã khoản chi",
    "person_id": "Mã người", "preference": "Nguyện vọng nhận tiền", "programme": "Chương trình", "programmes": "Các chương trình",
    "proposed_at": "Đề nghị lúc", "proposed_by": "Người đề nghị", "provider_code": "Ngân hàng, ví", "purpose": "Mục đích",
    "reason": "Lý do", "reasons": "Các lý do", "recorded_at": "Ghi lúc", "recorded_by": "Người ghi", "recorded_on": "Ngày ghi",
    "reference": "Mã tham chiếu", "relation": "Quan hệ", "representative_id": "Mã người đại diện", "request_id": "Mã yêu cầu",
    "requested_at": "Yêu cầu lúc", "requested_by": "Người yêu cầu", "result": "Kết quả", "revoked_on": "Ngày chấm dứt", "roles": "Vai trò",
    "service": "Dịch vụ", "sex": "Giới tính", "source": "Nguồn", "state": "Trạng thái", "status": "Tình trạng",
    "subject": "Người thực hiện", "subject_id": "Mã người được kiểm tra", "text": "Nội dung", "to_date": "Đến ngày", "type": "Loại",
    "unit_code": "Mã đơn vị hành chính", "unit_path": "Đơn vị hành chính", "units": "Đơn vị", "until": "Đến trước", "updated_at": "Sửa lúc",
    "valid_from": "Hiệu lực từ", "valid_to": "Hiệu lực đến", "verdict": "Kết luận", "version": "Lần sửa", "what": "Việc",
    "keys": "Khoá mã hoá còn khi xoá", "keys_due_on": "Các khoá ấy phải huỷ trước ngày", "keys_destroyed_at": "Các khoá ấy đã huỷ lúc",
    "erasure_id": "Mã yêu cầu xoá", "unit_paths": "Các đơn vị", "asked_by": "Bên yêu cầu", "ground": "Căn cứ",
    "national_number": "Số định danh cá nhân", "phone": "Điện thoại", "bank": "Ngân hàng", "to_month": "Đến tháng",
    "benefit_line": "Khoản hưởng", "benefit_lines": "Các khoản hưởng", "replaces": "Còn phải chi của khoản trước",
    "cash_reason": "Lý do trả tiền mặt", "attempt": "Lần chi",
    "holder_name": "Tên chủ tài khoản", "name": "Họ và tên", "body": "Nội dung", "key": "Mã", "told_by": "Người báo",
}  # fmt: skip
