"""Problems the registry answers with; the catalogue test reads the subclasses."""

from __future__ import annotations

from common.lists.errors import FileRefused, ImportNotApprovable, ImportNotFound, MappingNotPossible, SamePerson, UnknownUnit
from common.problems import Problem

__all__ = [
    "AlreadyEntitled",
    "AlreadyInHousehold",
    "AlreadyResident",
    "AttachmentRefused",
    "ChangedSinceRequest",
    "CursorTooFar",
    "DataSetNotReady",
    "DecisionNotOpen",
    "DecisionPending",
    "DecisionRefused",
    "DuplicateHousehold",
    "DuplicateNumber",
    "EntitlementState",
    "FileRefused",
    "FuneralGranted",
    "FuneralRefused",
    "ImportNotApprovable",
    "ImportNotFound",
    "LawChangeRefused",
    "LifeEventRefused",
    "ListNotOpen",
    "MappingNotPossible",
    "MergeChangedSince",
    "MoveByTransfer",
    "NotPossibleInState",
    "RateNotLoaded",
    "RepresentativeRefused",
    "RequestPending",
    "RowRefused",
    "SamePerson",
    "TransferNotOpen",
    "UnitChangeRefused",
    "UnknownUnit",
]


class UnitChangeRefused(Problem):
    """A file of changed units does not fit the tree of the day before; `errors` names row, field and reason."""

    type, status = "unit-change-refused", 422
    title, title_vi = "The change of units does not fit the tree", "Thay đổi đơn vị không khớp với cây đơn vị hiện có"


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


class MoveByTransfer(Problem):
    """A person changes units by the hand-over of `/v1/transfers`; a correction of the recorded unit says why it was wrong."""

    type, status = "move-by-transfer", 422
    title = "People move by a hand-over between two offices: POST /v1/transfers"
    title_vi = "Chuyển nơi chi trả qua bàn giao giữa hai nơi: POST /v1/transfers"


class RequestPending(Problem):
    """Another change request for the same person waits for its decision."""

    type, status = "request-pending", 409
    title, title_vi = "A change request for this person is already waiting", "Đã có yêu cầu thay đổi đang chờ cho người này"


class ChangedSinceRequest(Problem):
    """The file is no longer what the requester saw."""

    type, status = "changed-since-request", 409
    title, title_vi = "The file changed after the request", "Hồ sơ đã thay đổi sau khi có yêu cầu"


class DataSetNotReady(Problem):
    """The data set is still being built."""

    type, status = "data-set-not-ready", 409
    title, title_vi = "The data set is still being built", "Bộ dữ liệu đang được lập"


class CursorTooFar(Problem):
    """The cursor names a change that has not happened: it is of another register, or of one since restored."""

    type, status = "cursor-too-far", 409
    title, title_vi = "The cursor is not of this register", "Con trỏ không thuộc danh bạ này"


class AlreadyInHousehold(Problem):
    """Somebody belongs to another household (or to this one) on that date."""

    type, status = "already-in-household", 409
    title, title_vi = "Already a member of a household", "Đang là thành viên của một hộ"


class DuplicateHousehold(Problem):
    """The household code is taken."""

    type, status = "duplicate-household", 409
    title, title_vi = "This household code is taken", "Mã hộ đã có"


class AlreadyResident(Problem):
    """The person lives in an institution on that date."""

    type, status = "already-resident", 409
    title, title_vi = "Already lives in an institution", "Đang ở cơ sở trợ giúp xã hội"


class ListNotOpen(Problem):
    """The submitted list is in a state that does not allow this step."""

    type, status = "submitted-list-not-open", 409
    title, title_vi = "The list is not in a state for this", "Danh sách không ở trạng thái cho phép thao tác này"


class LawChangeRefused(Problem):
    """A draft of the law breaks a rule; `errors` names row, field and reason."""

    type, status = "law-change-refused", 422
    title, title_vi = "The change of the law is refused", "Thay đổi chính sách không hợp lệ"
