"""Problems this service answers with."""

from __future__ import annotations

from common.problems import Problem

__all__ = [
    "AccountNotUsable", "FileRefused", "ImportNotApprovable", "ImportNotFound", "PersonNotFound", "SamePerson",
    "UnknownUnit",
]  # fmt: skip


class FileRefused(Problem):
    """The file is not a list that can be read."""

    type, status = "file-refused", 422
    title, title_vi = "The file cannot be read as an account list", "Không đọc được tệp danh sách tài khoản"


class UnknownUnit(Problem):
    """No administrative unit of this code on the business date."""

    type, status = "unknown-unit", 422
    title, title_vi = "No such administrative unit", "Không có đơn vị hành chính này"


class ImportNotFound(Problem):
    """No such import in the caller's units."""

    type, status = "import-not-found", 404
    title, title_vi = "No such import", "Không tìm thấy lần nhập danh sách này"


class ImportNotApprovable(Problem):
    """Only a checked list that is not a dry run can be approved, once."""

    type, status = "import-not-approvable", 409
    title, title_vi = "This list cannot be approved now", "Danh sách này không thể phê duyệt lúc này"


class SamePerson(Problem):
    """Who sent a list may not approve it."""

    type, status = "same-person", 409
    title, title_vi = "Another person must approve", "Phải do người khác phê duyệt"


class PersonNotFound(Problem):
    """No such beneficiary in the caller's units."""

    type, status = "person-not-found", 404
    title, title_vi = "No such person", "Không tìm thấy người này"


class AccountNotUsable(Problem):
    """The account is not one of this beneficiary's payees, or not known."""

    type, status = "account-not-usable", 409
    title, title_vi = "This account cannot be chosen", "Không thể chọn tài khoản này"
