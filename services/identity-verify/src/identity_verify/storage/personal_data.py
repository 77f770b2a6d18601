"""What identity-verify holds about a person, what may be erased, what is kept and for how long."""

from __future__ import annotations

from typing import Final

from common.personal_data import ERASED, Erasure, Holding, Kept, Part
from common.retention import Keep, say_rules

__all__ = ["HOLDING"]

_OF: Final = "t.subject_id = :id"
_REQUESTS: Final = "t.request_id IN (SELECT r.request_id FROM issue_request r WHERE r.subject_id = :id)"
_PARTS: Final = (
    Part("subject", "Nhân thân được kiểm tra", "Identity that is checked", _OF, tokens=("number_token",)),
    Part("verification", "Kết quả xác minh hiện tại", "Verification today", _OF),
    Part("evidence", "Các lần đối chiếu", "Every check", _OF, opens={"side_by_side_cipher": "side_by_side"}),
    Part("decision", "Kết luận của cán bộ", "Decisions by officers", _OF),
    Part("check_request", "Yêu cầu đang chờ đối chiếu", "Checks that wait", _OF),
    Part("exchange_row", "Lần gửi danh sách tới công an", "Lists sent to the police", _OF),
    Part(
        "issue_request", "Đề nghị cấp căn cước", "Requests for an identity card", "t.subject_id = :id",
        opens={"note_cipher": "issue_note"},
    ),
    Part("issue_request_step", "Các bước cấp căn cước", "Steps of those requests", _REQUESTS),
    Part("number_conflict_member", "Trùng số định danh", "Conflicts of numbers", "t.beneficiary_id = :id"),
    Part("account_copy", "Tài khoản nhận tiền (bản sao, đã che)", "Accounts (copy, masked)", "t.payee_id = :id"),
    Part("erasure_request", "Yêu cầu xoá dữ liệu", "Requests to erase", "t.person_id = :id"),
)  # fmt: skip
_EXCEPTIONS: Final = {
    "exchange": "letters of whole lists; a person's line is exchange_row",
    "exchange_answer": "raw files of many people: what they said of this person stands in evidence; the file goes by retention",
    "number_conflict": "keyed index of a number only; who it concerns is number_conflict_member",
}
_WORDS: Final = {
    "number_token": "Số định danh cá nhân", "active": "Đang theo dõi", "source_status": "Nguồn trả lời", "fields": "Từng trường",
    "valid_until": "Giá trị đến", "grace_until": "Gia hạn đến", "decided": "Kết luận của cán bộ", "id": "Mã",
    "verification_version": "Lần xác minh", "source_checked_at": "Nguồn kiểm tra lúc", "side_by_side_cipher": "Đối chiếu từng trường",
    "confirmed_by": "Người xác nhận", "confirmed_at": "Xác nhận lúc", "exchange_id": "Mã lần gửi", "place": "Thứ tự",
    "note_cipher": "Ghi chú", "visit_on": "Ngày hẹn", "by_whom": "Người thực hiện", "conflict_id": "Mã vụ trùng", "since": "Từ lúc",
    "left_at": "Hết lúc", "subject_kind": "Tư cách",
}  # fmt: skip
_GONE: Final = "t.subject_id = :id AND NOT t.active"
_ERASURES: Final = (
    Erasure(
        "issue_request", "Ghi chú khi đề nghị cấp căn cước", "Notes on requests for an identity card",
        "t.subject_id = :id AND t.state IN ('ISSUED', 'REGISTERED', 'REFUSED', 'WITHDRAWN')", "t.note_cipher IS NOT NULL",
        {"note_cipher": "NULL"},
    ),
    Erasure(
        "evidence", "Bảng đối chiếu từng trường của các lần kiểm tra đã qua", "Field-by-field comparisons of past checks",
        "t.subject_id = :id AND t.verification_version < (SELECT max(v.version) FROM verification v WHERE v.subject_id = :id)",
        "t.side_by_side_cipher IS NOT NULL", {"side_by_side_cipher": "NULL"},
    ),
    Erasure(
        "subject", "Tên, ngày sinh, số định danh của người không còn được theo dõi",
        "Name, birth date and number of somebody not checked any more",
        _GONE, "t.full_name <> '" + ERASED + "'",
        {"full_name": f"'{ERASED}'", "birth_date": "NULL", "number_token": "NULL", "number_blind": "NULL"},
    ),
)  # fmt: skip
_KEPT: Final = (
    Kept(
        "Kết luận và lần đối chiếu, căn cứ của việc chi trả", "Verdicts and checks on which payments rest",
        "Nghị định 174/2016/NĐ-CP Điều 12: tối thiểu 5 năm", "SELECT max(t.checked_on) FROM evidence t WHERE t.subject_id = :id", 5,
    ),
    Kept(
        "Nhân thân của người đang được xác minh", "Identity of somebody who is still checked",
        "Chỉ thị 21/CT-TTg; cần để chi trả đúng người, hết khi thôi hưởng",
        "SELECT max(t.business_date) FROM subject t WHERE t.subject_id = :id AND t.active", None,
    ),
)  # fmt: skip
_RETENTION: Final = (
    Keep(
        "exchange_files", "exchange_answer", "t.decided_at", "Tệp trả lời của công an đã xử lý",
        "The police's answer files, once worked off",
        "Luật 91/2025/QH15: không giữ lâu hơn mục đích; chưa thấy văn bản ấn định số ngày", None,
        holds="length(t.content) > 0 AND t.state IN ('APPLIED', 'REFUSED')",
        sets={"content": "''"}, question_vi="Giữ tệp gốc bao lâu sau khi đã ghi nhận kết quả?",
    ),
    Keep(
        "side_by_side", "evidence", "t.recorded_at", "Bảng đối chiếu từng trường", "Field-by-field comparisons",
        "Nghị định 174/2016/NĐ-CP Điều 12: tối thiểu 5 năm", 2192, least=1827, holds="t.side_by_side_cipher IS NOT NULL",
        sets={"side_by_side_cipher": "NULL"},
    ),
)  # fmt: skip

HOLDING: Final = Holding(
    service="identity-verify",
    home="SELECT unit_path FROM subject WHERE subject_id = :id", units="SELECT unit_path FROM verification WHERE subject_id = :id",
    parts=_PARTS, exceptions=_EXCEPTIONS, words=_WORDS, erasures=_ERASURES, kept=_KEPT, retention=_RETENTION,
    audit_types=("beneficiary", "person", "subject", "verification"),
)  # fmt: skip


if __name__ == "__main__":
    say_rules(HOLDING.retention)
