"""Reason codes of payments, with the texts people read and who must act (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from disbursement.domain.next_steps import ACCOUNT_BECOMES, next_step

__all__ = [
    "ALREADY_KNOWN",
    "AWAITING_ACKNOWLEDGEMENT",
    "BUDGET_CODES_MISSING",
    "EFFECT_MISMATCH",
    "FILE_INVALID",
    "FILE_WAITS",
    "PARTNER_CODES",
    "PARTNER_GONE",
    "PARTNER_REFUSED",
    "PAYER_MISSING",
    "REASONS",
    "REJECTED_AFTER_RESEND",
    "REQUEST_UNREADABLE",
    "UNRECOGNISED_CODE",
    "Reason",
    "reason_of_code",
    "text_of",
]


@dataclass(frozen=True)
class Reason:
    """One reason code: texts in both languages, and the role that must act."""

    code: str
    text: str
    text_vi: str
    actor: str

    @property
    def next_step(self) -> str:
        """What that person does next."""
        return next_step(self.code)[0]

    @property
    def next_step_vi(self) -> str:
        """The same in Vietnamese."""
        return next_step(self.code)[1]

    @property
    def account_becomes(self) -> str | None:
        """What accounts makes of the account the payment was for; None: nothing."""
        return ACCOUNT_BECOMES.get(self.code)


UNRECOGNISED_CODE: Final = "UNRECOGNISED_CODE"
EFFECT_MISMATCH: Final = "EFFECT_MISMATCH"
ALREADY_KNOWN: Final = "ALREADY_KNOWN"
PARTNER_REFUSED: Final = "PARTNER_REFUSED"
REQUEST_UNREADABLE: Final = "REQUEST_UNREADABLE"
REJECTED_AFTER_RESEND: Final = "REJECTED_AFTER_RESEND"
AWAITING_ACKNOWLEDGEMENT: Final = "AWAITING_ACKNOWLEDGEMENT"
FILE_WAITS: Final = "FILE_WAITS"
FILE_INVALID: Final = "FILE_INVALID"
PAYER_MISSING: Final = "PAYER_MISSING"
PARTNER_GONE: Final = "PARTNER_GONE"
BUDGET_CODES_MISSING: Final = "BUDGET_CODES_MISSING"

_ALL: Final = (
    Reason("ACCOUNT_CLOSED", "The account is closed", "Tài khoản đã đóng", "COMMUNE_OFFICER"),
    Reason("ACCOUNT_NOT_FOUND", "The account does not exist", "Không có tài khoản này", "COMMUNE_OFFICER"),
    Reason("ACCOUNT_BLOCKED", "The account is blocked or dormant", "Tài khoản bị khóa hoặc ngừng hoạt động", "COMMUNE_OFFICER"),
    Reason("NAME_DIFFERS", "The account holder's name differs", "Tên chủ tài khoản không khớp", "COMMUNE_OFFICER"),
    Reason(
        "ID_DIFFERS", "The account is held under another identity number", "Số định danh của chủ tài khoản không khớp", "COMMUNE_OFFICER"
    ),
    Reason("NOT_UPGRADED", "The mobile-money account is not upgraded", "Tài khoản tiền di động chưa nâng cấp", "COMMUNE_OFFICER"),
    Reason("LIMIT_EXCEEDED", "A limit of the provider is exceeded", "Vượt hạn mức của đơn vị cung ứng", "DEPARTMENT_OFFICER"),
    Reason(
        "PROVIDER_UNSUPPORTED",
        "The partner cannot pay to this provider",
        "Đơn vị chi trả không hỗ trợ nhà cung cấp này",
        "DEPARTMENT_OFFICER",
    ),
    Reason("PAYEE_DECEASED", "The partner says the payee has died", "Đơn vị chi trả báo người nhận đã chết", "COMMUNE_OFFICER"),
    Reason(PARTNER_REFUSED, "The partner refused the payment", "Đơn vị chi trả từ chối lệnh", "DEPARTMENT_OFFICER"),
    Reason("NOT_COLLECTED", "Not collected in time; the order is cancelled", "Không đến nhận đúng hạn; lệnh đã hủy", "COMMUNE_OFFICER"),
    Reason("RETURNED_BY_PROVIDER", "The money came back after settlement", "Tiền bị hoàn trả sau khi đã ghi có", "COMMUNE_OFFICER"),
    Reason("NO_ANSWER", "No answer from the partner: being inquired", "Chưa có trả lời của đơn vị chi trả: đang tra soát", "OPERATOR"),
    Reason("ANSWER_UNREADABLE", "The partner's answer cannot be read: being inquired", "Trả lời không đọc được: đang tra soát", "OPERATOR"),
    Reason("PARTNER_ERROR", "The partner answered with an error: being inquired", "Đơn vị chi trả báo lỗi: đang tra soát", "OPERATOR"),
    Reason(
        AWAITING_ACKNOWLEDGEMENT,
        "The file is with the bank: waiting for its acknowledgement or statement",
        "Tệp đã giao ngân hàng: chờ xác nhận hoặc sao kê",
        "OPERATOR",
    ),
    Reason(
        FILE_WAITS,
        "The file is ready: download it, hand it to the bank, then upload the acknowledgement",
        "Tệp đã sẵn sàng: tải về, nộp ngân hàng, rồi nộp xác nhận của ngân hàng",
        "OPERATOR",
    ),
    Reason("TAKEN_OVER", "The sending worker stopped: being inquired", "Tiến trình gửi bị dừng: đang tra soát", "OPERATOR"),
    Reason(ALREADY_KNOWN, "The partner already has this reference: being inquired", "Đơn vị đã có mã này: đang tra soát", "OPERATOR"),
    Reason(UNRECOGNISED_CODE, "The partner's code is not in our map: a person looks", "Mã trả lời chưa có trong bảng mã", "OPERATOR"),
    Reason(
        "PAYMENT_DISPUTED",
        "A partner says that this payment, or an earlier one of the same months, was paid",
        "Đơn vị chi trả báo đã chi khoản này hoặc khoản trước của cùng tháng",
        "DEPARTMENT_OFFICER",
    ),
    Reason(
        "ACCOUNT_LIMIT_EXCEEDED",
        "More than the account may receive in a payment, a day or a month",
        "Vượt mức tài khoản được nhận một lần, một ngày hoặc một tháng",
        "DEPARTMENT_OFFICER",
    ),
    Reason(
        "ACCOUNT_CHANGED",
        "The account changed after the list was approved",
        "Tài khoản thay đổi sau khi duyệt danh sách",
        "COMMUNE_OFFICER",
    ),
    Reason("DECEASED", "The beneficiary has died", "Người hưởng đã chết", "COMMUNE_OFFICER"),
    Reason("DATA_PARKED", "News about this person could not be read yet", "Có dữ liệu về người này chưa xử lý được", "OPERATOR"),
    # Why a partner's word was set aside for a person to look at:
    Reason("REFERENCE_UNKNOWN", "The reference is not ours", "Mã tham chiếu không phải của hệ thống", "DEPARTMENT_OFFICER"),
    Reason("PARTNER_DIFFERS", "The payment was given to another partner", "Khoản này giao cho đơn vị chi trả khác", "DEPARTMENT_OFFICER"),
    Reason("AMOUNT_DIFFERS", "The amount is not ours", "Số tiền không khớp", "DEPARTMENT_OFFICER"),
    Reason("CURRENCY_DIFFERS", "The currency is not ours", "Loại tiền không khớp", "DEPARTMENT_OFFICER"),
    Reason("CONTRADICTION", "The word contradicts what was said before", "Thông tin trái với kết quả đã báo", "DEPARTMENT_OFFICER"),
    Reason("NOT_SENT", "We never sent this payment", "Khoản này chưa được gửi đi", "DEPARTMENT_OFFICER"),
    Reason(
        "WRONG_CHANNEL", "This result does not exist on this channel", "Kết quả không thuộc hình thức chi trả này", "DEPARTMENT_OFFICER"
    ),
    Reason("UNREADABLE", "The notice cannot be read", "Thông báo không đọc được", "OPERATOR"),
    Reason(
        REQUEST_UNREADABLE,
        "Our stored request does not open or was altered: it is not sent again, restore the key or the row",
        "Không mở được lệnh đã lưu hoặc lệnh bị thay đổi: không gửi lại, hãy khôi phục khóa hoặc dữ liệu",
        "OPERATOR",
    ),
    Reason(
        PARTNER_GONE,
        "The partners file no longer has this partner: nobody sends its batches and nobody asks about them",
        "Tệp cấu hình không còn đối tác này: không ai gửi và không ai hỏi kết quả các lô của đối tác",
        "OPERATOR",
    ),
    Reason(
        PAYER_MISSING,
        "The partners file does not say from which account of ours this partner pays: nothing was sent",
        "Tệp cấu hình chưa có tài khoản chi của đơn vị tại đối tác này: chưa gửi gì",
        "OPERATOR",
    ),
    Reason(
        FILE_INVALID,
        "The file does not fit the form its partner takes: nothing was sent",
        "Tệp không đúng mẫu của đơn vị chi trả: chưa gửi gì",
        "OPERATOR",
    ),
    Reason(
        REJECTED_AFTER_RESEND,
        "The batch was, or may have been, handed over more than once: a rejection does not tell which one it means",
        "Lô đã (hoặc có thể đã) giao nhiều lần: lời từ chối không cho biết lần nào bị từ chối",
        "DEPARTMENT_OFFICER",
    ),
    Reason(
        BUDGET_CODES_MISSING,
        "No approved budget codes for this programme and day: nothing was sent",
        "Chưa có mã nội dung ngân sách được duyệt cho chương trình và ngày này: chưa gửi gì",
        "DEPARTMENT_OFFICER",
    ),
    Reason(
        EFFECT_MISMATCH,
        "The payment's months do not add up to it: the result was not applied",
        "Các tháng của khoản chi không khớp số tiền: kết quả chưa được ghi nhận",
        "OPERATOR",
    ),
    Reason("NOTICE_ID_REUSED", "A notice id came again with other content", "Mã thông báo dùng lại với nội dung khác", "OPERATOR"),
    Reason(
        "LOST_BY_PARTNER",
        "Accepted by the partner, which now does not know it",
        "Đơn vị đã nhận nhưng nay báo không có",
        "DEPARTMENT_OFFICER",
    ),
)

REASONS: Final[dict[str, Reason]] = {reason.code: reason for reason in _ALL}

PARTNER_CODES: Final[dict[str, str]] = {
    "ACCOUNT_CLOSED": "ACCOUNT_CLOSED",
    "CLOSED": "ACCOUNT_CLOSED",
    "FAIL_CLOSED": "ACCOUNT_CLOSED",
    "ACCOUNT_NOT_FOUND": "ACCOUNT_NOT_FOUND",
    "NOT_FOUND": "ACCOUNT_NOT_FOUND",
    "FAIL_NOT_FOUND": "ACCOUNT_NOT_FOUND",
    "ACCOUNT_BLOCKED": "ACCOUNT_BLOCKED",
    "DORMANT": "ACCOUNT_BLOCKED",
    "ACCOUNT_DORMANT": "ACCOUNT_BLOCKED",
    "FAIL_DORMANT": "ACCOUNT_BLOCKED",
    "NAME_DIFFERS": "NAME_DIFFERS",
    "NAME_MISMATCH": "NAME_DIFFERS",
    "FAIL_NAME": "NAME_DIFFERS",
    "ID_DIFFERS": "ID_DIFFERS",
    "NOT_UPGRADED": "NOT_UPGRADED",
    "FAIL_NOT_UPGRADED": "NOT_UPGRADED",
    "LIMIT_EXCEEDED": "LIMIT_EXCEEDED",
    "LIMIT_TRANSACTION": "LIMIT_EXCEEDED",
    "LIMIT_DAY": "LIMIT_EXCEEDED",
    "LIMIT_MONTH": "LIMIT_EXCEEDED",
    "PROVIDER_UNSUPPORTED": "PROVIDER_UNSUPPORTED",
    "UNSUPPORTED": "PROVIDER_UNSUPPORTED",
    "PAYEE_DECEASED": "PAYEE_DECEASED",
    "REFUSED": PARTNER_REFUSED,
    "INVALID": PARTNER_REFUSED,
    "UNCOLLECTED": "NOT_COLLECTED",
    "NOT_COLLECTED": "NOT_COLLECTED",
    "RETURNED": "RETURNED_BY_PROVIDER",
    "NOT_COLLECTED_CANCELLED": "NOT_COLLECTED",
    "ACCOUNT_INVALID": "ACCOUNT_NOT_FOUND",
    "ACCOUNT_NOT_UPGRADED": "NOT_UPGRADED",
    "AMOUNT_LIMIT": "LIMIT_EXCEEDED",
    "PARTNER_REJECTED": PARTNER_REFUSED,
    "BAD_DESTINATION": PARTNER_REFUSED,
    "CHANNEL_UNSUPPORTED": "PROVIDER_UNSUPPORTED",
    "CURRENCY_UNSUPPORTED": PARTNER_REFUSED,
    "NAME_FORMAT": PARTNER_REFUSED,
    "TEXT_FORMAT": PARTNER_REFUSED,
    "DUPLICATE": ALREADY_KNOWN,
    "DUPLICATE_REFERENCE": ALREADY_KNOWN,
}
"""Codes of our default partner contract → reason codes. Other adapters bring their own map."""


def reason_of_code(code: str | None, default: str | None = None) -> str:
    """The reason code of a partner's code; `default` where the partner gave none; UNRECOGNISED_CODE when nobody knows it."""
    if not code:
        return default or UNRECOGNISED_CODE
    return PARTNER_CODES.get(code, UNRECOGNISED_CODE)


def text_of(code: str | None) -> dict[str, str] | None:
    """Both texts, the acting role and the next step of a reason code, for answers people read; None for no code."""
    if code is None:
        return None
    reason = REASONS.get(code)
    if reason is None:
        reason = Reason(code, code, code, "OPERATOR")
    names = ("code", "text", "text_vi", "actor", "next_step", "next_step_vi")
    return {name: getattr(reason, name) for name in names}
