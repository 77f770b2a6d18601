"""Problems every importer answers with; a service names them in its own catalogue."""

from __future__ import annotations

from common.problems import Problem, UnknownUnit

__all__ = ["FileRefused", "ImportNotApprovable", "ImportNotFound", "MappingNotPossible", "SamePerson", "UnknownUnit"]


class FileRefused(Problem):
    """The file is not a list that can be read; nothing was taken from it."""

    type, status = "import-file-refused", 422
    title, title_vi = "The file cannot be read as a list", "Không đọc được tệp danh sách"


class ImportNotFound(Problem):
    """No such import in the caller's units."""

    type, status = "import-not-found", 404
    title, title_vi = "No such import", "Không tìm thấy lần nhập danh sách này"


class ImportNotApprovable(Problem):
    """The import is not waiting for approval (dry run, refused, still being checked, returned, or applied)."""

    type, status = "import-not-approvable", 409
    title, title_vi = "The import is not waiting for approval", "Danh sách không ở trạng thái chờ duyệt"


class MappingNotPossible(Problem):
    """The columns chosen do not fit the file, or the list has been approved already."""

    type, status = "import-mapping-not-possible", 409
    title, title_vi = "The columns cannot be set like this", "Không thể gán cột như vậy"


class SamePerson(Problem):
    """Maker and checker must be two people."""

    type, status = "same-person", 409
    title, title_vi = "A second person has to approve this", "Cần người thứ hai phê duyệt"
