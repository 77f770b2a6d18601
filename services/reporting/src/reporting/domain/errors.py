"""What reporting refuses, by name."""

from __future__ import annotations

from common.problems import Problem, UnknownUnit

__all__ = [
    "BadCursor",
    "BadMonth",
    "BadPeriod",
    "DayTooEarly",
    "NoLevelAbove",
    "NoStatement",
    "NobodyHandsOver",
    "NotYourLevel",
    "NothingToSample",
    "ObstacleState",
    "PeriodNotBegun",
    "ReportHandedOver",
    "SameEntry",
    "SampleClosed",
    "SampleUnfinished",
    "SelfConfirmed",
    "UnitNeeded",
    "UnitOutOfScope",
    "UnknownIndicator",
    "UnknownLayout",
    "UnknownUnit",
]  # fmt: skip


class BadMonth(Problem):
    """The month is not written YYYY-MM."""

    type, status = "bad-month", 422
    title, title_vi = "The month must be written YYYY-MM", "Tháng phải viết dạng NĂM-THÁNG (YYYY-MM)"


class BadCursor(Problem):
    """The cursor is not one we gave."""

    type, status = "bad-cursor", 422
    title, title_vi = "The cursor is not one given by the page before", "Con trỏ trang không hợp lệ"


class UnitNeeded(Problem):
    """The caller sees several units and named none."""

    type, status = "unit-needed", 422
    title, title_vi = "Say which unit: unit_path", "Hãy chọn đơn vị: unit_path"


class UnitOutOfScope(Problem):
    """The unit is not one of the caller's (answered like one that does not exist)."""

    type, status = "unit-not-found", 404
    title, title_vi = "No such unit among yours", "Không có đơn vị này trong phạm vi của bạn"


class DayTooEarly(Problem):
    """A day lies before the step it follows."""

    type, status = "day-too-early", 422
    title, title_vi = "The day lies before the step it follows", "Ngày sớm hơn bước trước đó"


class SameEntry(Problem):
    """There is one already for this unit and year: change it instead."""

    type, status = "entry-exists", 409
    title, title_vi = "There is one already: change it", "Đã có rồi: hãy sửa mục đang có"


class ObstacleState(Problem):
    """The obstacle is in a state that does not allow this."""

    type, status = "obstacle-state", 409
    title, title_vi = "Not possible in the obstacle's present state", "Không làm được ở trạng thái hiện tại của vướng mắc"


class NoLevelAbove(Problem):
    """A ministry has nobody above it here."""

    type, status = "no-level-above", 409
    title, title_vi = "There is no level above the ministry here", "Không còn cấp trên để chuyển"


class NotYourLevel(Problem):
    """The obstacle waits at another level."""

    type, status = "not-your-level", 403
    title, title_vi = "It waits at another level", "Vướng mắc đang chờ cấp khác trả lời"


class SelfConfirmed(Problem):
    """Four eyes: who answered an obstacle does not say whether it helped."""

    type, status = "four-eyes", 403
    title, title_vi = "A second person must decide this", "Người khác phải duyệt việc này"


class NothingToSample(Problem):
    """Nobody is on that month's lists in that unit."""

    type, status = "nothing-to-sample", 409
    title, title_vi = "Nobody is on the month's lists here", "Tháng này đơn vị không có ai trong danh sách"


class SampleClosed(Problem):
    """The inspection has ended."""

    type, status = "sample-closed", 409
    title, title_vi = "The inspection is closed", "Cuộc kiểm tra đã kết thúc"


class SampleUnfinished(Problem):
    """Cases without a result remain."""

    type, status = "sample-unfinished", 409
    title, title_vi = "Cases without a result remain", "Còn trường hợp chưa có kết quả"


class UnknownLayout(Problem):
    """There is no statutory report with this code."""

    type, status = "unknown-layout", 422
    title, title_vi = "No such statutory report", "Không có báo cáo này"


class BadPeriod(Problem):
    """Periods of this report do not begin in that month."""

    type, status = "bad-period", 422
    title, title_vi = "The report's periods do not begin in that month", "Kỳ báo cáo không bắt đầu từ tháng đó"


class PeriodNotBegun(Problem):
    """The period lies ahead of the business date."""

    type, status = "period-not-begun", 422
    title, title_vi = "The period has not begun", "Kỳ báo cáo chưa bắt đầu"


class NobodyHandsOver(Problem):
    """The report's layout has no such step."""

    type, status = "no-such-step", 422
    title, title_vi = "This report has no such step", "Báo cáo này không có bước nộp đó"


class ReportHandedOver(Problem):
    """That step was noted before."""

    type, status = "report-handed-over", 409
    title, title_vi = "It was noted already that this was handed over", "Đã ghi nhận việc nộp báo cáo này"


class NoStatement(Problem):
    """Nobody with that id whom the caller may see, or nothing was ever said of them."""

    type, status = "no-statement", 404
    title, title_vi = "No such beneficiary among yours", "Không có người hưởng này trong phạm vi của bạn"


class UnknownIndicator(Problem):
    """The catalogue has no such indicator, or not for this group."""

    type, status = "unknown-indicator", 422
    title, title_vi = "No such indicator, or not for this group", "Không có chỉ tiêu này, hoặc không có cho nhóm này"
