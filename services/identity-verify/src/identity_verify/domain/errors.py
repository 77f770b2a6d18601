"""Problems this service answers with."""

from __future__ import annotations

from common.problems import Problem

__all__ = ["DecisionNotPossible", "SecondPersonRequired", "VerificationNotFound"]


class VerificationNotFound(Problem):
    """No such person in the caller's units."""

    type = "verification-not-found"
    status = 404
    title = "No such person"
    title_vi = "Không tìm thấy người này"


class SecondPersonRequired(Problem):
    """The person who proposed a decision may not confirm it."""

    type = "second-person-required"
    status = 409
    title = "A second person must confirm"
    title_vi = "Cần người thứ hai xác nhận"


class DecisionNotPossible(Problem):
    """The verification is not one a person can decide, or changed since it was looked at."""

    type = "decision-not-possible"
    status = 409
    title = "This verification cannot be decided now"
    title_vi = "Không thể quyết định kết quả xác minh này"
