"""What reporting refuses, by name."""

from __future__ import annotations

from common.problems import Problem

__all__ = ["BadCursor", "BadMonth", "UnitNeeded", "UnitOutOfScope"]


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
