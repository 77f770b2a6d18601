"""Problems this service answers with."""

from __future__ import annotations

from common.lists.errors import FileRefused, ImportNotApprovable, ImportNotFound, MappingNotPossible, SamePerson, UnknownUnit
from common.problems import AlreadyDecided, Problem

__all__ = [
    "AccountNotFound",
    "AccountNotUsable",
    "AccountRefused",
    "AlertNotFound",
    "AlreadyDecided",
    "BulkNeedsSecondPerson",
    "ChangeNotFound",
    "ComplaintNotFound",
    "FileRefused",
    "ImportNotApprovable",
    "ImportNotFound",
    "MappingNotPossible",
    "MoveRefused",
    "NoticeNotBelieved",
    "NoticeUnreadable",
    "OpeningNotFound",
    "PersonNotFound",
    "ProviderNotFound",
    "ProviderOpensNone",
    "ReviewNotFound",
    "SamePerson",
    "UnknownUnit",
]


class PersonNotFound(Problem):
    """No such beneficiary in the caller's units."""

    type, status = "person-not-found", 404
    title, title_vi = "No such person", "Không tìm thấy người này"


class AccountNotUsable(Problem):
    """The account is not one of this beneficiary's payees, or not known."""

    type, status = "account-not-usable", 409
    title, title_vi = "This account cannot be chosen", "Không thể chọn tài khoản này"


class ProviderNotFound(Problem):
    """No provider of this code in the directory."""

    type, status = "provider-not-found", 404
    title, title_vi = "No such provider", "Không có tổ chức cung ứng này trong danh mục"


class ChangeNotFound(Problem):
    """No such proposed change."""

    type, status = "change-not-found", 404
    title, title_vi = "No such change", "Không tìm thấy đề nghị thay đổi này"


class AccountNotFound(Problem):
    """No such account in the caller's units."""

    type, status = "account-not-found", 404
    title, title_vi = "No such account", "Không tìm thấy tài khoản này"


class AccountRefused(Problem):
    """The number or the provider cannot be taken."""

    type, status = "account-refused", 422
    title, title_vi = "This account cannot be taken", "Không nhận được tài khoản này"


class BulkNeedsSecondPerson(Problem):
    """So many changes in a day go by a list that a second person approves."""

    type, status = "bulk-needs-second-person", 409
    title, title_vi = (
        "Send these changes as a list: a second person approves it",
        "Số thay đổi nhiều: hãy gửi danh sách để người khác duyệt",
    )


class ReviewNotFound(Problem):
    """No open proposal of this id in the caller's units."""

    type, status = "review-not-found", 404
    title, title_vi = "No such open proposal", "Không có đề xuất đang chờ này"


class MoveRefused(Problem):
    """The state does not allow this move."""

    type, status = "move-refused", 409
    title, title_vi = "The present state does not allow this", "Trạng thái hiện tại không cho phép việc này"


class AlertNotFound(Problem):
    """No such alert in the caller's units."""

    type, status = "alert-not-found", 404
    title, title_vi = "No such alert", "Không tìm thấy cảnh báo này"


class OpeningNotFound(Problem):
    """No such request, batch or file of results in the caller's units."""

    type, status = "opening-not-found", 404
    title, title_vi = "No such request to open an account", "Không tìm thấy yêu cầu mở tài khoản này"


class ProviderOpensNone(Problem):
    """The provider opens no accounts for us."""

    type, status = "provider-opens-none", 409
    title, title_vi = "This provider opens no accounts for us", "Tổ chức này chưa nhận mở tài khoản theo danh sách"


class NoticeNotBelieved(Problem):
    """The signature, time stamp or sender of a notice does not hold."""

    type, status = "notice-not-believed", 401
    title, title_vi = "The notice's signature does not hold", "Chữ ký của thông báo không hợp lệ"


class NoticeUnreadable(Problem):
    """A signed notice that is not in the agreed form; nothing was done."""

    type, status = "notice-unreadable", 422
    title, title_vi = "The notice is not in the agreed form", "Thông báo không đúng mẫu đã thống nhất"


class ComplaintNotFound(Problem):
    """No such complaint in the caller's units."""

    type, status = "complaint-not-found", 404
    title, title_vi = "No such complaint", "Không tìm thấy phản ánh này"
