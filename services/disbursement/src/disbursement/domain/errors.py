"""Problems of cycles, lists, take-overs and budgets: one class per refusal, stable type, both titles."""

from __future__ import annotations

from common.problems import Problem, UnknownUnit

__all__ = [
    "BudgetExceeded",
    "BudgetMissing",
    "CycleExists",
    "HashMismatch",
    "IllegalCycleMove",
    "InputsIncomplete",
    "InvariantBroken",
    "ListEmpty",
    "ListOutdated",
    "PrecheckUnread",
    "PrefundingShort",
    "ProposalClosed",
    "RulingDecided",
    "RulingOutOfStep",
    "SamePerson",
    "TakeOverExists",
    "TakeOverMissing",
    "TakeOverNotOpen",
    "TreasuryNotReady",
    "TwoMonthsNotAllowed",
    "UnknownUnit",
]


class CycleExists(Problem):
    """The month was already opened for this programme, funding source and unit."""

    type, status = "cycle-exists", 409
    title, title_vi = "This month's cycle is already open", "Kỳ chi trả của tháng này đã được mở"


class IllegalCycleMove(Problem):
    """The cycle's state does not allow this."""

    type, status = "illegal-cycle-move", 409
    title, title_vi = "The cycle's state does not allow this", "Trạng thái kỳ chi trả không cho phép thao tác này"


class InputsIncomplete(Problem):
    """Cut-off markers are missing, or our copy differs from what a producer counted."""

    type, status = "inputs-incomplete", 409
    title, title_vi = "The list's inputs are not complete yet", "Dữ liệu đầu vào của danh sách chưa đầy đủ"


class TakeOverMissing(Problem):
    """People in scope live in units without an approved first platform month."""

    type, status = "take-over-missing", 409
    title, title_vi = "Units without an approved take-over month", "Có đơn vị chưa được duyệt tháng tiếp nhận"


class TakeOverExists(Problem):
    """The unit has a take-over for this programme."""

    type, status = "take-over-exists", 409
    title, title_vi = "The unit already has a take-over month", "Đơn vị đã có tháng tiếp nhận"


class TakeOverNotOpen(Problem):
    """The take-over was decided before."""

    type, status = "take-over-decided", 409
    title, title_vi = "This take-over was already decided", "Việc tiếp nhận này đã được quyết định"


class SamePerson(Problem):
    """Four eyes: the person who made this may not approve it."""

    type, status = "four-eyes", 403
    title, title_vi = "A second person must decide this", "Người khác phải duyệt việc này"


class HashMismatch(Problem):
    """The hash is not that of the list: the caller looked at another one, or the stored list was altered."""

    type, status = "list-hash-mismatch", 409
    title, title_vi = "The hash is not that of this list", "Mã băm không khớp với danh sách"


class ListOutdated(Problem):
    """What is due, paid or committed changed since the list was computed: compute it again."""

    type, status = "list-outdated", 409
    title, title_vi = "The list is outdated: compute it again", "Danh sách đã cũ: hãy lập lại"


class ListEmpty(Problem):
    """Nobody is on the list: neither paid nor held; or nobody is left of those who were to be paid."""

    type, status = "list-empty", 409
    title, title_vi = "The list has no lines", "Danh sách không có dòng nào"


class BudgetMissing(Problem):
    """No budget covers the unit in this year."""

    type, status = "budget-missing", 409
    title, title_vi = (
        "No budget for this programme, funding source, unit and year",
        "Chưa có dự toán cho chương trình, nguồn, đơn vị và năm này",
    )


class BudgetExceeded(Problem):
    """The budget left does not cover this."""

    type, status = "budget-exceeded", 409
    title, title_vi = "The budget left is not enough", "Dự toán còn lại không đủ"


class InvariantBroken(Problem):
    """Lines and holds do not add up to everyone with something due: nothing was stored."""

    type, status = "list-invariant-broken", 500
    title, title_vi = "The list does not add up", "Danh sách không cân"


class TwoMonthsNotAllowed(Problem):
    """Two months together are paid to people with merit by law, to others only where the province's setting says so."""

    type, status = "two-months-not-allowed", 409
    title, title_vi = "Two months together are not allowed for this programme", "Chương trình này chưa được phép chi trả gộp hai tháng"


class RulingDecided(Problem):
    """The ruling was decided before."""

    type, status = "ruling-decided", 409
    title, title_vi = "This ruling was already decided", "Nội dung này đã được quyết định"


class RulingOutOfStep(Problem):
    """What the proposal was made against has changed since: propose it anew."""

    type, status = "ruling-out-of-step", 409
    title, title_vi = "What this proposal was made against has changed", "Nội dung làm căn cứ cho đề xuất đã thay đổi"


class ProposalClosed(Problem):
    """The proposal was closed before."""

    type, status = "proposal-closed", 409
    title, title_vi = "This proposal is closed already", "Đề xuất này đã được xử lý"


class TreasuryNotReady(Problem):
    """Units are paid by the State Treasury directly, and no partner is named that carries its files."""

    type, status = "treasury-not-ready", 409
    title, title_vi = "No partner carries State Treasury files here", "Chưa khai báo kênh Kho bạc Nhà nước"


class PrefundingShort(Problem):
    """Money sent to the payment organisations does not cover the list; `partners` says what is missing where."""

    type, status = "prefunding-short", 409
    title, title_vi = "Money sent to partners does not cover the list", "Tiền đã chuyển cho đơn vị chi trả chưa đủ"


class PrecheckUnread(Problem):
    """The report before submitting has findings that nobody has said to have read; `counts` by kind."""

    type, status = "precheck-unread", 409
    title, title_vi = "Read the pre-check of this list first", "Hãy xem báo cáo kiểm tra của danh sách này trước"
