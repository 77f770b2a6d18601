"""What an officer at the counter answers: why somebody is not paid this month, and what is to be done (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.actor import Role
from common.contracts.disbursement_v1 import HoldReason
from disbursement.domain.holds import HOLDS
from disbursement.domain.reasons import REASONS

__all__ = ["Answer", "answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` of the situation, in words, with what is to be done and who does it (`None`: nobody needs to)."""

    code: str
    vi: str
    en: str
    act_vi: str
    act_en: str
    actor: str | None


_WAIT: Final = ("Chờ, không cần làm gì", "Wait; nothing is to be done")
_MEND: Final = (
    "Sửa tài khoản hoặc đổi hình thức nhận; kỳ sau chi lại", "Mend the account or change the way of payment; the next list pays again",
)  # fmt: skip
_CASH: Final = frozenset({"CASH_POST", "CASH_HOME"})
_STATES: Final = {
    "SETTLED": Answer("PAID", "Đã chi vào tài khoản", "Paid by account", "Nếu người hưởng nói chưa nhận được: lập khiếu nại",
                      "If the person says it did not arrive: open a complaint", None),
    "COLLECTED": Answer("PAID", "Đã nhận tiền mặt", "The cash was collected", "Nếu người hưởng nói chưa nhận được: lập khiếu nại",
                        "If the person says it did not arrive: open a complaint", None),
    "APPROVED": Answer("ON_ITS_WAY", "Đã duyệt, sắp gửi đơn vị chi trả", "Approved, about to be sent", *_WAIT, None),
    "SUBMITTING": Answer("ON_ITS_WAY", "Đang gửi đơn vị chi trả", "Being sent", *_WAIT, None),
    "UNKNOWN": Answer("UNKNOWN", "Chưa rõ kết quả, hệ thống đang tra soát", "Nobody knows yet; being inquired",
                      "Chờ kết quả tra soát; không lập lệnh mới", "Wait for the inquiry; make no new order", Role.OPERATOR.value),
    "UNCOLLECTED": Answer("UNCOLLECTED", "Chưa đến nhận; số tiền chuyển kỳ sau", "Not collected; it rolls over to the next list",
                          "Hỏi lý do; đổi hình thức nhận nếu cần", "Ask why; change the way of payment if needed",
                          Role.COMMUNE_OFFICER.value),
    "CANCELLED": Answer("WITHDRAWN", "Rút khỏi danh sách trước khi gửi", "Withdrawn before it was sent", "Xem lý do tạm giữ của kỳ này",
                        "See why it is held in this cycle", Role.COMMUNE_OFFICER.value),
}  # fmt: skip
_SUBMITTED: Final = {
    False: Answer("ON_ITS_WAY", "Ngân hàng hoặc ví đã nhận lệnh, chưa báo ghi có", "The provider has the order, no credit reported yet",
                  *_WAIT, None),
    True: Answer("TO_COLLECT", "Tiền đang chờ tại điểm chi trả", "The cash waits at the pay point",
                 "Mời người hưởng đến nhận, mang giấy tờ tùy thân", "Ask the person to come, with an identity paper", None),
}  # fmt: skip
_NOTHING_DUE: Final = Answer("NOTHING_DUE", "Tháng này không có khoản phải chi", "Nothing is due this month",
                             "Nếu người hưởng cho là sai: kiểm tra quyết định trợ cấp", "If that seems wrong: check the decision",
                             Role.DISTRICT_OFFICER.value)  # fmt: skip
_BEFORE: Final = Answer("PAID_ELSEWHERE", "Tháng này thuộc giai đoạn trước khi tiếp nhận: chi ngoài hệ thống",
                        "This month lies before the take-over: paid outside the platform", "Xem hồ sơ chi trả cũ của đơn vị",
                        "See the office's earlier records", Role.COMMUNE_OFFICER.value)  # fmt: skip
_HOLDS: Final = frozenset(reason.value for reason in HoldReason)
_RATE: Final = HOLDS[HoldReason.RATE_MISSING]
_CYCLE: Final = {
    None: Answer("NO_LIST", "Chưa lập danh sách của tháng", "This month's list is not made yet", *_WAIT, Role.DEPARTMENT_OFFICER.value),
    "OPEN": Answer(
        "NO_LIST", "Kỳ đã mở, danh sách chưa lập", "The cycle is open, the list not made", *_WAIT, Role.DEPARTMENT_OFFICER.value
    ),
    "COMPUTED": Answer("LISTED", "Danh sách đã lập, chưa trình", "The list is made, not submitted", *_WAIT, Role.DEPARTMENT_OFFICER.value),
    "SUBMITTED": Answer("LISTED", "Danh sách chờ phê duyệt", "The list waits for its approval", *_WAIT, Role.APPROVER.value),
}
_NEXT_LIST: Final = Answer("NEXT_LIST", "Danh sách của tháng đã duyệt mà chưa có khoản này", "The month's list was approved without it",
                           "Lập danh sách bổ sung, hoặc chờ kỳ sau", "Make a supplementary list, or wait for the next one",
                           Role.DEPARTMENT_OFFICER.value)  # fmt: skip


def answer(due: int, *, rate_missing: bool, payment: Mapping[str, Any] | None, hold: Mapping[str, Any] | None, cycle_state: str | None,
           before_take_over: bool) -> Answer:  # fmt: skip
    """The one answer for one programme and month. What happened last to the money comes first, then holds, then the list's state."""
    if payment is not None and payment["status"] not in {"FAILED", "RETURNED", "CANCELLED"}:
        return _SUBMITTED[payment["channel"] in _CASH] if payment["status"] == "SUBMITTED" else _STATES[payment["status"]]
    if hold is not None and hold["reason"] in _HOLDS:
        text = HOLDS[HoldReason(hold["reason"])]
        return Answer(f"HELD_{hold['reason']}", text.vi, text.en, text.act_vi, text.act_en, text.actor.value)
    if payment is not None:
        reason = REASONS.get(payment["reason"] or "")
        if reason is None:
            return _STATES["CANCELLED"]
        return Answer(f"{payment['status']}_{reason.code}", reason.text_vi, reason.text, *_MEND, reason.actor)
    if rate_missing:
        return Answer("HELD_RATE_MISSING", _RATE.vi, _RATE.en, _RATE.act_vi, _RATE.act_en, _RATE.actor.value)
    if due == 0:
        return _NOTHING_DUE
    if before_take_over:
        return _BEFORE
    return _CYCLE.get(cycle_state, _NEXT_LIST)
