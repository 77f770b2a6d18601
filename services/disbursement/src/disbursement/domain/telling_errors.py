"""Problems of telling people."""

from __future__ import annotations

from common.problems import Problem

__all__ = ["NobodyToPrint", "SameFiler", "SheetHandedOver"]


class NobodyToPrint(Problem):
    """Nobody in the unit waits for a printed list."""

    type, status = "nobody-to-print", 409
    title, title_vi = "Nobody waits for a printed list", "Không có ai chờ in danh sách"


class SameFiler(Problem):
    """A filed copy is replaced by somebody else than who filed it."""

    type, status = "same-filer", 409
    title, title_vi = "Another person must replace the copy that you filed", "Người khác phải thay bản ký nhận bạn đã nộp"


class SheetHandedOver(Problem):
    """The signed copy is filed already: another person may replace it with a reason."""

    type, status = "sheet-handed-over", 409
    title, title_vi = "The signed copy of this list is filed already", "Danh sách này đã có bản ký nhận"
