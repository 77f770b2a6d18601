"""One payment's story in two languages: what each kind of fact says (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.contracts.disbursement_v1 import HoldReason
from disbursement.domain.complaint import OUTCOME_TEXTS, ComplaintOutcome
from disbursement.domain.holds import HOLDS
from disbursement.domain.reasons import REASONS
from disbursement.domain.reconciliation import TEXTS as DIFFERENCES
from disbursement.domain.reconciliation import LineVerdict
from disbursement.domain.telling import OCCASION_TEXTS, STATE_TEXTS, Occasion

__all__ = ["KINDS", "told"]

KINDS: Final[dict[str, tuple[str, str]]] = {
    "HELD_BEFORE": ("Kỳ trước bị tạm giữ", "Held in an earlier list"),
    "LISTED": ("Đưa vào danh sách chi trả", "Put on the payment list"),
    "LIST_SUBMITTED": ("Danh sách được trình duyệt", "The list was submitted"),
    "LIST_APPROVED": ("Danh sách được phê duyệt", "The list was approved"),
    "BATCHED": ("Xếp vào lô gửi đơn vị chi trả", "Put into a batch for the partner"),
    "STATUS_APPROVED": ("Lập lệnh chi", "Payment order made"),
    "STATUS_SUBMITTING": ("Bắt đầu gửi lệnh chi", "Sending began"),
    "STATUS_SUBMITTED": ("Đơn vị chi trả đã nhận lệnh", "The partner accepted the order"),
    "STATUS_UNKNOWN": ("Chưa rõ kết quả, đang tra soát", "Nobody knows yet: being inquired"),
    "STATUS_SETTLED": ("Đã ghi có vào tài khoản người nhận", "Credited to the payee's account"),
    "STATUS_COLLECTED": ("Người nhận đã nhận tiền mặt", "The cash was collected"),
    "STATUS_FAILED": ("Chi không thành công", "The payment failed"),
    "STATUS_RETURNED": ("Tiền bị hoàn trả sau khi ghi có", "The money came back after it had arrived"),
    "STATUS_UNCOLLECTED": ("Không có người đến nhận", "Nobody collected it"),
    "STATUS_CANCELLED": ("Rút khỏi danh sách trước khi gửi", "Withdrawn before it was sent"),
    "SET_ASIDE": ("Thông tin của đơn vị chi trả được tách ra để kiểm tra", "A word of the partner was set aside for a person"),
    "LEDGER": ("Ghi sổ kế toán", "Posted to the ledger"),
    "STATEMENT_LINE": ("Dòng sao kê của đơn vị chi trả", "A line of the partner's statement"),
    "DIFFERENCE_OPEN": ("Phát hiện chênh lệch khi đối chiếu", "A difference was found in reconciliation"),
    "DIFFERENCE_PROPOSED": ("Đề xuất xử lý chênh lệch", "An answer to the difference was proposed"),
    "DIFFERENCE_RESOLVED": ("Chênh lệch đã xử lý", "The difference was resolved"),
    **{f"TELLING_{state}": (f"Báo người hưởng: {vi.lower()}", f"Telling the beneficiary: {en.lower()}")
       for state, (vi, en) in STATE_TEXTS.items()},
    "COMPLAINT_OPENED": ("Người hưởng khiếu nại", "The beneficiary complained"),
    "COMPLAINT_INVESTIGATE": ("Xác minh khiếu nại", "The complaint is looked into"),
    "COMPLAINT_PROPOSE": ("Đề xuất kết luận khiếu nại", "An outcome was proposed"),
    "COMPLAINT_CONFIRM": ("Kết luận khiếu nại được xác nhận", "The outcome was confirmed"),
    "COMPLAINT_REFUSE": ("Kết luận khiếu nại bị trả lại", "The outcome was refused"),
    "COMPLAINT_WITHDRAW": ("Người hưởng rút khiếu nại", "The complaint was withdrawn"),
    "NEXT_ATTEMPT": ("Chi lại bằng lệnh mới", "Paid again by a new order"),
    "RECOVERY_OPENED": ("Mở hồ sơ truy thu", "A recovery case was opened"),
    "RECOVERY_NOTIFY": ("Đã thông báo truy thu", "The person was told of the recovery"),
    "RECOVERY_REPAY": ("Đã thu hồi một phần", "Part of it was repaid"),
    "RECOVERY_REPAY_ALL": ("Đã thu hồi đủ", "All of it was repaid"),
    "RECOVERY_PROPOSE_WAIVER": ("Đề nghị miễn truy thu", "A waiver was proposed"),
    "RECOVERY_WAIVE": ("Miễn truy thu", "What was left was waived"),
    "RECOVERY_KEEP": ("Không miễn truy thu", "The waiver was refused"),
    "RECOVERY_RECOUNT": ("Tính lại số phải thu", "What is owed was counted anew"),
    "RECOVERY_NOTHING_LEFT": ("Không còn phải thu", "Nothing is owed any more"),
    "RECOVERY_REST_LEFT": ("Phần còn lại lại được hưởng; không thu thêm", "The rest is due again; what came back is all"),
}  # fmt: skip
"""Kind of fact → Vietnamese and English."""


def told(kind: str, code: str | None) -> tuple[str, str]:
    """The sentence of one fact, Vietnamese and English; a kind or code nobody wrote a text for is shown as it is."""
    vi, en = KINDS.get(kind, (kind, kind))
    more = _code(kind, code)
    return (f"{vi}: {more[0]}", f"{en}: {more[1]}") if more else (vi, en)


def _code(kind: str, code: str | None) -> tuple[str, str] | None:
    if not code:
        return None
    if kind == "HELD_BEFORE" and code in _HOLDS:
        hold = HOLDS[HoldReason(code)]
        return hold.vi, hold.en
    if kind.startswith(("STATEMENT_LINE", "DIFFERENCE_")):
        return _pair(DIFFERENCES, LineVerdict, code)
    if kind.startswith("TELLING_"):
        return _pair(OCCASION_TEXTS, Occasion, code)
    if kind.startswith("COMPLAINT_"):
        return _pair(OUTCOME_TEXTS, ComplaintOutcome, code) if kind in _WITH_OUTCOME else _KINDS_OF_COMPLAINT.get(code)
    reason = REASONS.get(code)
    return (reason.text_vi, reason.text) if reason else (code, code)


_HOLDS: Final = frozenset(reason.value for reason in HoldReason)
_WITH_OUTCOME: Final = frozenset({"COMPLAINT_PROPOSE", "COMPLAINT_CONFIRM"})
_KINDS_OF_COMPLAINT: Final = {
    "NOT_RECEIVED": ("chưa nhận được tiền", "did not get it"),
    "LESS_RECEIVED": ("nhận thiếu tiền", "got less"),
    "TAKEN_BY_OTHER": ("người khác lấy tiền", "somebody else took it"),
}


def _pair(texts: Mapping[Any, tuple[str, str]], words: Any, code: str) -> tuple[str, str] | None:
    try:
        return texts[words(code)]
    except (KeyError, ValueError):
        return None
