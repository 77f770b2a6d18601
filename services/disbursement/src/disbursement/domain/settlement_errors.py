"""Problems of prefunding, fees and settlement statements."""

from __future__ import annotations

from common.problems import AlreadyDecided, Problem

__all__ = ["AlreadyDecided", "MovementExists", "SameDecider", "SettlementNotPossible"]


class SettlementNotPossible(Problem):
    """Payments of the partner are open, or differences about them are; `waiting` says how many."""

    type = "settlement-not-possible"
    status = 409
    title = "The cycle cannot be settled with this partner yet"
    title_vi = "Chưa thể quyết toán kỳ này với đơn vị chi trả"


class MovementExists(Problem):
    """A movement of this kind with this document number is recorded for the cycle and partner."""

    type = "movement-exists"
    status = 409
    title = "This document is recorded already"
    title_vi = "Chứng từ này đã được ghi nhận"


class SameDecider(Problem):
    """Money is moved by two people."""

    type = "same-decider"
    status = 409
    title = "Another person must decide what you proposed"
    title_vi = "Người khác phải quyết định việc bạn đề xuất"
