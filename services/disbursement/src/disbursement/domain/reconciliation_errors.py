"""Problems of statements and reconciliation."""

from __future__ import annotations

from common.problems import Problem

__all__ = ["IllegalBreakMove", "ResolutionNotPossible", "SameResolver", "StatementRefused"]


class StatementRefused(Problem):
    """The file is no statement we can read; `detail` names the row or element."""

    type = "statement-refused"
    status = 422
    title = "The file is not a statement that can be read"
    title_vi = "Tệp không phải sao kê đọc được"


class IllegalBreakMove(Problem):
    """The difference's state does not allow this."""

    type = "illegal-break-move"
    status = 409
    title = "The difference's state does not allow this"
    title_vi = "Trạng thái của chênh lệch không cho phép thao tác này"


class ResolutionNotPossible(Problem):
    """This resolution changes a payment, and there is none behind the difference, or its state does not allow it."""

    type = "resolution-not-possible"
    status = 409
    title = "This difference cannot be ended that way"
    title_vi = "Không thể xử lý chênh lệch theo cách này"


class SameResolver(Problem):
    """A difference is ended by two people."""

    type = "same-resolver"
    status = 409
    title = "Another person must confirm what you proposed"
    title_vi = "Người khác phải xác nhận đề xuất của bạn"
