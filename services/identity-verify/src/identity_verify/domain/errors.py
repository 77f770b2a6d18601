"""Problems this service answers with."""

from __future__ import annotations

from common.problems import Problem

__all__ = [
    "AnswerNotOpen", "AnswersRefused", "DecisionNotPossible", "ExchangeEmpty", "ExchangeNotFound", "GraceNotFound", "GraceNotOpen",
    "GraceTooLong", "IssueRequestExists", "IssueRequestNotFound", "MoveNotAllowed", "NumberKnown", "SecondPersonRequired",
    "SourceAnswers", "VerificationNotFound",
]  # fmt: skip


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


class ExchangeNotFound(Problem):
    """No such list for the police in the caller's units."""

    type, status = "exchange-not-found", 404
    title, title_vi = "No such list", "Không tìm thấy danh sách xác thực"


class ExchangeEmpty(Problem):
    """Nobody of these units waits for an answer who could be put on a list."""

    type, status = "exchange-empty", 409
    title, title_vi = "Nobody waits for an answer", "Không có người nào đang chờ xác thực"


class AnswersRefused(Problem):
    """The file is no list of answers to this batch; `errors` name rows."""

    type, status = "answers-refused", 422
    title, title_vi = "The file of answers cannot be read", "Không đọc được tệp trả lời"


class AnswerNotOpen(Problem):
    """This file of answers was decided on already, or the list is closed."""

    type, status = "answers-not-open", 409
    title, title_vi = "These answers were decided on already", "Tệp trả lời đã được xử lý"


class GraceNotFound(Problem):
    """No such grace period."""

    type, status = "grace-not-found", 404
    title, title_vi = "No such grace period", "Không tìm thấy thời gian gia hạn"


class GraceNotOpen(Problem):
    """The period was decided on already."""

    type, status = "grace-not-open", 409
    title, title_vi = "This grace period was decided on already", "Thời gian gia hạn đã được quyết định"


class GraceTooLong(Problem):
    """Longer than the installation allows, or it ends before it starts."""

    type, status = "grace-too-long", 422
    title, title_vi = "The grace period is too long", "Thời gian gia hạn quá dài"


class SourceAnswers(Problem):
    """Grace is for evidence that ran out because the source is away; it is not."""

    type, status = "source-answers", 409
    title, title_vi = "The population database answers: no grace is needed", "CSDL dân cư đang trả lời: không cần gia hạn"


class IssueRequestNotFound(Problem):
    """No such request in the caller's units."""

    type, status = "issue-request-not-found", 404
    title, title_vi = "No such request", "Không tìm thấy đề nghị cấp số định danh"


class IssueRequestExists(Problem):
    """The person has an open request already."""

    type, status = "issue-request-exists", 409
    title, title_vi = "There is an open request for this person", "Người này đã có đề nghị đang xử lý"


class NumberKnown(Problem):
    """The register has a number for the person, and the database knows it."""

    type, status = "number-known", 409
    title, title_vi = "The person has a number", "Người này đã có số định danh"


class MoveNotAllowed(Problem):
    """The request cannot go from its state to that one."""

    type, status = "move-not-allowed", 409
    title, title_vi = "Not possible in the present state of the request", "Không thực hiện được ở trạng thái hiện tại của đề nghị"
