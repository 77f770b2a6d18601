"""Problems the registry answers with; the catalogue test reads the subclasses."""

from __future__ import annotations

from common.problems import Problem

__all__ = [
    "AlreadyEntitled",
    "DuplicateNumber",
    "FileRefused",
    "ImportNotApprovable",
    "RowRefused",
    "SamePerson",
    "UnknownUnit",
]


class FileRefused(Problem):
    """The file is not a list the registry can read; nothing was taken from it."""

    type, status = "import-file-refused", 422
    title, title_vi = "The file cannot be read as a list", "Không đọc được tệp danh sách"


class RowRefused(Problem):
    """A single registration breaks a rule; `errors` names field and reason."""

    type, status = "registration-refused", 422
    title, title_vi = "The registration is refused", "Hồ sơ đăng ký bị từ chối"


class DuplicateNumber(Problem):
    """The national number belongs to another file."""

    type, status = "duplicate-number", 409
    title, title_vi = "This number is already registered", "Số định danh đã có trong danh sách"


class AlreadyEntitled(Problem):
    """The person already holds an allowance of this category."""

    type, status = "already-entitled", 409
    title, title_vi = "Already entitled in this category", "Đã hưởng chế độ thuộc loại này"


class ImportNotApprovable(Problem):
    """The import is not waiting for approval (dry run, refused, still being checked, or applied)."""

    type, status = "import-not-approvable", 409
    title, title_vi = "The import is not waiting for approval", "Danh sách không ở trạng thái chờ duyệt"


class SamePerson(Problem):
    """Maker and checker must be two people."""

    type, status = "same-person", 409
    title, title_vi = "A second person has to approve this", "Cần người thứ hai phê duyệt"


class UnknownUnit(Problem):
    """No such administrative unit on the business date."""

    type, status = "unknown-unit", 422
    title, title_vi = "Unknown administrative unit on that date", "Không có đơn vị hành chính này tại ngày nghiệp vụ"
