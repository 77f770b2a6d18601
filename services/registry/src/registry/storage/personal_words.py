"""Vietnamese names of this service's columns, for the paper that gives a person their data."""

from __future__ import annotations

from typing import Final

__all__ = ["WORDS"]

WORDS: Final[dict[str, str]] = {
    "set_key": "Nhóm loại trừ nhau", "difference_id": "Mã việc lệch ngày mất", "told_date": "Ngày mất được báo",
    "kept_date": "Ngày mất đã xác nhận",
    "is_beneficiary": "Là người hưởng", "second_number": "Số giấy tờ cũ", "masked_second_number": "Số giấy tờ cũ (đã che)",
    "no_number_reason": "Lý do chưa có số", "ethnicity": "Dân tộc", "masked_phone": "Điện thoại (đã che)", "merged_into": "Gộp vào hồ sơ",
    "entitlement_id": "Mã chế độ", "category": "Diện hưởng", "percent": "Tỷ lệ (%)", "per_dependant": "Theo người phụ thuộc",
    "arrears_from": "Truy lĩnh từ tháng", "quantity": "Số lượng", "dependant_id": "Mã người phụ thuộc", "benefit_line": "Khoản hưởng",
    "dependant_birth_date": "Ngày sinh người phụ thuộc", "authority": "Cơ quan", "authority_path": "Cơ quan",
    "decision_id": "Mã quyết định",
    "back_pay": "Trả bù", "pause_id": "Mã lần tạm dừng", "bulk_id": "Mã đợt", "result_id": "Mã kết quả", "number": "Số văn bản",
    "signer": "Người ký", "effective_month": "Hiệu lực từ tháng", "event_date": "Ngày sự việc", "attachment_id": "Mã tệp đính kèm",
    "transfer_id": "Mã lần chuyển", "life_event_id": "Mã sự việc", "arrears_reason": "Lý do truy lĩnh", "explicit_arrears": "Truy lĩnh",
    "computed_on": "Ngày tính", "one_off_id": "Mã khoản một lần", "source_id": "Mã nguồn", "cancelled_on": "Ngày huỷ",
    "monthly_amount": "Số tiền một tháng", "told_on": "Ngày được báo", "head_id": "Chủ hộ", "household_id": "Mã hộ",
    "split_from": "Tách từ hộ", "membership_id": "Mã việc xếp nhóm", "group_code": "Nhóm",
    "end_decision_number": "Quyết định thôi xếp nhóm",
    "institution_id": "Mã cơ sở trợ giúp", "certificate_number": "Số giấy uỷ quyền", "revoked_why": "Lý do chấm dứt",
    "appointed_by": "Người lập", "appointed_at": "Lập lúc", "proposal_id": "Mã đề nghị", "of_version": "Lần sửa gốc",
    "relation_id": "Mã quan hệ", "merit_person_id": "Mã người có công", "relative_id": "Mã thân nhân", "funeral_id": "Mã mai táng phí",
    "deceased_id": "Người mất", "organiser_id": "Người lo mai táng", "funeral_amount": "Mai táng phí", "lump_sum": "Trợ cấp một lần",
    "set_aside": "Khoản không tính", "mistaken": "Ghi nhầm", "reverses": "Huỷ sự việc", "direction": "Chiều",
    "from_unit_code": "Từ đơn vị", "from_path": "Từ đơn vị", "to_unit_code": "Đến đơn vị", "to_path": "Đến đơn vị",
    "other_province": "Tỉnh khác", "dossier": "Hồ sơ kèm theo", "sent_on": "Ngày gửi", "last_month": "Tháng trả cuối",
    "pays_from": "Trả từ tháng", "before": "Trước khi sửa", "old_path": "Đơn vị cũ", "new_path": "Đơn vị mới", "remap_id": "Mã đợt sắp xếp",
    "effective_on": "Hiệu lực từ", "moved_at": "Chuyển lúc", "old_unit_id": "Mã đơn vị cũ", "proposed_unit_id": "Mã đơn vị đề nghị",
    "proposed_path": "Đơn vị đề nghị", "approved_at": "Duyệt lúc", "campaign_id": "Mã đợt quà", "rule_code": "Quy định",
    "left_out": "Lý do không có tên", "late": "Bổ sung muộn", "added_by": "Người thêm", "added_on": "Ngày thêm", "given_at": "Trao lúc",
    "task_id": "Mã việc khảo sát", "receipt_number": "Số biên nhận", "by_proxy": "Người khác làm thay", "content": "Nội dung đăng ký",
    "received_by": "Người nhận", "received_at": "Nhận lúc", "replaced_at": "Thay thế lúc", "line": "Dòng số", "id": "Số",
    "candidate_id": "Mã vụ nghi trùng", "a_id": "Hồ sơ thứ nhất", "b_id": "Hồ sơ thứ hai", "score": "Điểm giống nhau",
    "strong": "Rất giống",
    "survivor_id": "Hồ sơ giữ lại", "take_fields": "Trường lấy theo", "merge_id": "Mã lần gộp", "other_id": "Hồ sơ được gộp",
    "merged_at": "Gộp lúc", "undone_at": "Huỷ gộp lúc", "registration_id": "Mã đăng ký", "record_key": "Mã bản ghi",
    "op": "Thêm/sửa/xoá", "rep_kind": "Đại diện: loại",
    "rep_full_name": "Đại diện: tên", "rep_birth_date": "Đại diện: ngày sinh", "rep_sex": "Đại diện: giới tính",
    "rep_masked_number": "Đại diện: số (đã che)", "rep_certificate": "Đại diện: số giấy", "rep_from": "Đại diện: từ ngày",
    "rep_to": "Đại diện: đến ngày", "rep_person_id": "Đại diện: mã người", "settled": "Đã xử lý", "settled_by": "Người xử lý",
    "settled_at": "Xử lý lúc", "settled_note": "Ghi chú xử lý", "settled_import": "Xử lý ở lần nhập", "dep_name": "Người phụ thuộc: tên",
    "dep_birth_date": "Người phụ thuộc: ngày sinh", "household_code": "Mã hộ", "household_head": "Chủ hộ",
    "household_relation": "Quan hệ với chủ hộ",
}  # fmt: skip
