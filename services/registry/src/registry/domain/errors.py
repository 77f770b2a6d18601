"""Problems the registry answers with; the catalogue test reads the subclasses."""

from __future__ import annotations

from common.problems import Problem

__all__ = [
    "AlreadyEntitled",
    "AttachmentRefused",
    "DecisionNotOpen",
    "DecisionPending",
    "DecisionRefused",
    "DuplicateNumber",
    "EntitlementState",
    "FileRefused",
    "FuneralGranted",
    "FuneralRefused",
    "ImportNotApprovable",
    "LifeEventRefused",
    "MergeChangedSince",
    "NotPossibleInState",
    "RateNotLoaded",
    "RepresentativeRefused",
    "RowRefused",
    "SamePerson",
    "TransferNotOpen",
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


class DecisionRefused(Problem):
    """A decision breaks a rule of the law or names what is not there; `errors` names item, field and reason."""

    type, status = "decision-refused", 422
    title, title_vi = "The decision is refused", "Quyết định không hợp lệ"


class DecisionNotOpen(Problem):
    """The proposal was approved, rejected or withdrawn before."""

    type, status = "decision-not-open", 409
    title, title_vi = "The proposal is no longer open", "Đề xuất không còn chờ duyệt"


class EntitlementState(Problem):
    """The allowance is in a state that does not allow this kind of decision, or another proposal for it is open."""

    type, status = "entitlement-state", 409
    title, title_vi = "The allowance does not allow this decision now", "Chế độ không ở trạng thái cho phép quyết định này"


class AttachmentRefused(Problem):
    """The file is not a PDF, JPEG or PNG, or not what it says it is."""

    type, status = "attachment-refused", 422
    title, title_vi = "The attachment is not accepted", "Tệp đính kèm không được chấp nhận"


class TransferNotOpen(Problem):
    """The move was received, returned or withdrawn before, or another move of this person is under way."""

    type, status = "transfer-not-open", 409
    title, title_vi = "The move is not open", "Hồ sơ di chuyển không ở trạng thái chờ tiếp nhận"


class LifeEventRefused(Problem):
    """The event does not fit what is recorded of the person."""

    type, status = "life-event-refused", 409
    title, title_vi = "The event does not fit the person's record", "Sự kiện không phù hợp với hồ sơ của người này"


class FuneralRefused(Problem):
    """No funeral support is due for this death, or not by this law."""

    type, status = "funeral-refused", 409
    title, title_vi = "No funeral support is due", "Không đủ điều kiện hỗ trợ mai táng"


class FuneralGranted(Problem):
    """Funeral support for this death was asked for before: it is paid once, the highest."""

    type, status = "funeral-granted", 409
    title, title_vi = "Funeral support for this death exists", "Đã có hỗ trợ mai táng cho người này"


class RateNotLoaded(Problem):
    """The law's rate for that date is not loaded: the amount is not guessed."""

    type, status = "rate-not-loaded", 409
    title, title_vi = "The rate for that date is not loaded", "Chưa nạp mức hưởng của thời điểm này"


class RepresentativeRefused(Problem):
    """The appointment breaks a rule; `errors` names field and reason."""

    type, status = "representative-refused", 422
    title, title_vi = "The appointment is refused", "Việc cử người nhận thay không hợp lệ"


class DecisionPending(Problem):
    """Another proposal for the same candidate waits for its second person."""

    type, status = "decision-pending", 409
    title, title_vi = "A proposal is already waiting for the second person", "Đã có đề xuất đang chờ người thứ hai"


class NotPossibleInState(Problem):
    """The step is not possible in the state the object is in."""

    type, status = "not-possible-in-state", 409
    title, title_vi = "Not possible in this state", "Không thực hiện được ở trạng thái này"


class MergeChangedSince(Problem):
    """Facts of the two people changed after the merge: undoing it would lose them."""

    type, status = "merge-changed-since", 409
    title, title_vi = "Facts changed after the merge", "Hồ sơ đã thay đổi sau khi gộp nên không hoàn tác được"
