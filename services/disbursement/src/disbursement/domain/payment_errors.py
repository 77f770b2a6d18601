"""Problems of the payment half: one class per error, with a stable type and both titles."""

from __future__ import annotations

from common.problems import Problem

__all__ = [
    "BadSignature",
    "CycleNotClosable",
    "IllegalPaymentMove",
    "PaymentNotFound",
    "UnknownPartner",
]


class PaymentNotFound(Problem):
    """No such payment, or not in the caller's unit."""

    type = "payment-not-found"
    status = 404
    title = "No such payment"
    title_vi = "Không tìm thấy khoản chi trả"


class UnknownPartner(Problem):
    """The partner is not configured."""

    type = "unknown-partner"
    status = 404
    title = "No such payment partner"
    title_vi = "Không có đơn vị chi trả này"


class BadSignature(Problem):
    """The notice is not signed by the partner, or its time is more than five minutes off."""

    type = "bad-signature"
    status = 401
    title = "The notice's signature or time stamp is not valid"
    title_vi = "Chữ ký hoặc thời điểm của thông báo không hợp lệ"


class IllegalPaymentMove(Problem):
    """The payment's state does not allow this."""

    type = "illegal-payment-move"
    status = 409
    title = "The payment's state does not allow this"
    title_vi = "Trạng thái khoản chi trả không cho phép thao tác này"


class CycleNotClosable(Problem):
    """Payments without a final state remain."""

    type = "cycle-not-closable"
    status = 409
    title = "The cycle cannot be closed yet"
    title_vi = "Chưa thể đóng kỳ chi trả"
