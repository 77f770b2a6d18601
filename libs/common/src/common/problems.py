"""Problem details (RFC 9457): the base class and the problems every service shares. Pure, so that domains may use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

__all__ = [
    "AlreadyDecided",
    "Conflict",
    "Forbidden",
    "HeadersTooLarge",
    "IdempotencyInFlight",
    "IdempotencyMismatch",
    "InvalidInput",
    "MethodNotAllowed",
    "NotFound",
    "PayloadTooLarge",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "ServiceUnavailable",
    "SlowRequest",
    "TooManyRequests",
    "Unauthenticated",
    "UnexpectedError",
    "UnknownUnit",
]


class Problem(Exception):
    """An answer `application/problem+json`. Subclasses are the catalogue: stable `type`, status, two titles."""

    type: ClassVar[str] = "unexpected"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Unexpected error"
    title_vi: ClassVar[str] = "Lỗi không mong đợi"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        """`errors` name field and row of bad input; `extensions` become members of the answer."""
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})
        self.extensions = extensions

    def body(self, instance: str | None = None) -> dict[str, Any]:
        """The JSON body of the answer."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.type}",
            "title": self.title,
            "title_vi": self.title_vi,
            "status": self.status,
        }
        if self.detail:
            body["detail"] = self.detail
        if instance:
            body["instance"] = instance
        if self.errors:
            body["errors"] = self.errors
        return body | self.extensions


class UnexpectedError(Problem):
    """A defect of ours; the answer carries the request id, not the cause."""


class InvalidInput(Problem):
    """The request does not fit its schema."""

    type, status = "invalid-input", 422
    title, title_vi = "The request is not valid", "Yêu cầu không hợp lệ"


class Unauthenticated(Problem):
    """No token, or one that does not hold."""

    type, status = "unauthenticated", 401
    title, title_vi = "Sign in first", "Chưa đăng nhập hoặc phiên đã hết hạn"


class Forbidden(Problem):
    """The caller lacks the role."""

    type, status = "forbidden", 403
    title, title_vi = "Your role does not allow this", "Vai trò của bạn không được phép làm việc này"


class NotFound(Problem):
    """No such object, or not one of the caller's units."""

    type, status = "not-found", 404
    title, title_vi = "Not found", "Không tìm thấy"


class MethodNotAllowed(Problem):
    """The route exists, for other methods."""

    type, status = "method-not-allowed", 405
    title, title_vi = "This address does not take that method", "Địa chỉ này không nhận phương thức đó"


class Conflict(Problem):
    """The object is in a state that does not allow this."""

    type, status = "conflict", 409
    title, title_vi = "Not possible in the present state", "Không thực hiện được ở trạng thái hiện tại"


class AlreadyDecided(Problem):
    """Somebody decided it before."""

    type, status = "already-decided", 409
    title, title_vi = "This has been decided already", "Việc này đã được quyết định"


class UnknownUnit(Problem):
    """No such administrative unit on the business date."""

    type, status = "unknown-unit", 422
    title, title_vi = "No such administrative unit on that date", "Không có đơn vị hành chính này vào ngày đó"


class PreconditionRequired(Problem):
    """`If-Match` is missing."""

    type, status = "precondition-required", 428
    title, title_vi = "Send If-Match with the version you read", "Cần gửi If-Match với phiên bản đã đọc"


class PreconditionFailed(Problem):
    """Somebody else changed the object meanwhile."""

    type, status = "precondition-failed", 412
    title, title_vi = "Changed meanwhile: read it again", "Dữ liệu đã thay đổi: hãy đọc lại"


class PayloadTooLarge(Problem):
    """The body is over the limit of this route."""

    type, status = "payload-too-large", 413
    title, title_vi = "The request is too large", "Yêu cầu quá lớn"


class SlowRequest(Problem):
    """The request did not arrive in time; nothing was done."""

    type, status = "slow-request", 408
    title, title_vi = "The request came too slowly", "Yêu cầu gửi đến quá chậm"


class HeadersTooLarge(Problem):
    """Address and headers are over the limit."""

    type, status = "headers-too-large", 431
    title, title_vi = "Address and headers are too large", "Địa chỉ và phần đầu yêu cầu quá lớn"


class TooManyRequests(Problem):
    """Over the caller's quota."""

    type, status = "too-many-requests", 429
    title, title_vi = "Too many requests: wait", "Quá nhiều yêu cầu: hãy chờ"


class ServiceUnavailable(Problem):
    """The service cannot answer now; nothing was done, or, where the work itself took too long (`Retry-After: 30`), perhaps."""

    type, status = "service-unavailable", 503
    title, title_vi = "Not available now: try again", "Tạm thời không phục vụ được: hãy thử lại"


class IdempotencyMismatch(Problem):
    """The same Idempotency-Key with another body."""

    type, status = "idempotency-mismatch", 422
    title, title_vi = "This Idempotency-Key was used with another body", "Idempotency-Key đã dùng với nội dung khác"


class IdempotencyInFlight(Problem):
    """The first request with this Idempotency-Key has not ended."""

    type, status = "idempotency-in-flight", 409
    title, title_vi = "The first request with this key is still running", "Yêu cầu đầu tiên với khóa này đang chạy"
