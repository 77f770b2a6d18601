"""How a person who is owed something stands in a month, and the words for it in Vietnamese and English."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.contracts.disbursement_v1 import Channel

__all__ = [
    "ACCOUNT_CHANNELS", "PAID_STATUSES", "PersonState", "Words", "cash_words", "channel_words", "reason_words", "source_words",
    "state_words",
]  # fmt: skip

ACCOUNT_CHANNELS: Final = (Channel.BANK.value, Channel.WALLET.value, Channel.MOBILE_MONEY.value)
"""'By account' in the statutory figures (Directive 21/CT-TTg)."""

PAID_STATUSES: Final = ("SETTLED", "COLLECTED")
"""Money is with the person: on the account, or handed over in cash."""


class PersonState(StrEnum):
    """Every line of a month is in exactly one of these: nobody is left out in silence."""

    PAID_BY_ACCOUNT = "PAID_BY_ACCOUNT"
    PAID_IN_CASH = "PAID_IN_CASH"
    IN_PROGRESS = "IN_PROGRESS"
    UNKNOWN = "UNKNOWN"
    FAILED = "FAILED"
    RETURNED = "RETURNED"
    UNCOLLECTED = "UNCOLLECTED"
    CANCELLED = "CANCELLED"
    HELD = "HELD"
    RELEASED = "RELEASED"


@dataclass(frozen=True)
class Words:
    """One text in two languages."""

    vi: str
    en: str


_STATES: Final = {
    PersonState.PAID_BY_ACCOUNT: Words("Đã chi trả qua tài khoản", "Paid by account"),
    PersonState.PAID_IN_CASH: Words("Đã nhận tiền mặt", "Paid in cash"),
    PersonState.IN_PROGRESS: Words("Đang chi trả", "Being paid"),
    PersonState.UNKNOWN: Words("Chưa rõ kết quả, đang tra soát", "Outcome not known, being inquired"),
    PersonState.FAILED: Words("Chi trả không thành công", "Payment failed"),
    PersonState.RETURNED: Words("Tiền bị hoàn trả", "Money came back"),
    PersonState.UNCOLLECTED: Words("Chưa đến nhận", "Not collected"),
    PersonState.CANCELLED: Words("Lệnh chi đã hủy", "Payment order cancelled"),
    PersonState.HELD: Words("Tạm giữ, chờ xử lý", "Held until somebody acts"),
    PersonState.RELEASED: Words("Đã gỡ tạm giữ, chờ danh sách kế tiếp", "Released, waits for the next list"),
}

_CHANNELS: Final = {
    "BANK": Words("Tài khoản ngân hàng", "Bank account"),
    "WALLET": Words("Ví điện tử", "E-wallet"),
    "MOBILE_MONEY": Words("Tiền di động (Mobile Money)", "Mobile money"),
    "CASH_POST": Words("Tiền mặt tại bưu điện", "Cash at the post office"),
    "CASH_HOME": Words("Tiền mặt tại nhà", "Cash at home"),
}

_REASONS: Final = {
    # of holds
    "DECEASED": Words("Đã mất theo CSDL quốc gia về dân cư; chờ xác nhận tháng thôi hưởng", "Deceased; the end month must be confirmed"),
    "STOPPED": Words("Đã thôi hưởng", "Benefit stopped"),
    "SUSPENDED": Words("Tạm dừng hưởng", "Benefit suspended"),
    "SUSPECTED_IDENTITY": Words("Nghi sai nhân thân: số định danh thuộc người khác", "The identity number belongs to somebody else"),
    "DUPLICATE": Words("Nghi trùng người hưởng", "Possible duplicate not yet resolved"),
    "DATA_PARKED": Words("Dữ liệu đang chờ xử lý kỹ thuật", "Data waits for technical repair"),
    "RATE_MISSING": Words("Chưa có mức trợ cấp cho tháng này", "No rate is loaded for this month"),
    "NOT_VERIFIED": Words("Chưa xác thực với CSDL quốc gia về dân cư", "Not yet verified against the population database"),
    "ACCOUNT_COOLING_DOWN": Words("Tài khoản mới đổi, chưa hết thời gian chờ", "The account changed lately: its waiting time runs"),
    "ACCOUNT_LIMIT_EXCEEDED": Words("Vượt mức tài khoản được nhận: chi tiền mặt", "More than the account may receive: paid in cash"),
    "ACCOUNT_CHANGED": Words("Tài khoản thay đổi sau khi trình duyệt", "The account changed after the list was submitted"),
    "FRAUD_SUSPECTED": Words("Nghi gian lận", "Fraud suspected"),
    "PAYMENT_DISPUTED": Words("Khoản trước đang tranh chấp với đơn vị chi trả", "An earlier payment is disputed with the partner"),
    "WITHDRAWN": Words("Rút khỏi danh sách", "Withdrawn from the list"),
    # of payments that did not arrive
    "ACCOUNT_CLOSED": Words("Tài khoản đã đóng", "The account is closed"),
    "CLOSED": Words("Tài khoản đã đóng", "The account is closed"),
    "ACCOUNT_NOT_FOUND": Words("Không có tài khoản này", "No such account"),
    "NOT_FOUND": Words("Không có tài khoản này", "No such account"),
    "NAME_DIFFERS": Words("Tên chủ tài khoản không khớp", "The account holder's name differs"),
    "ID_DIFFERS": Words("Số định danh của chủ tài khoản không khớp", "The account holder's identity number differs"),
    "SHARED_ACCOUNT": Words("Một tài khoản cho nhiều người không liên quan", "One account for several unrelated people"),
    "DORMANT": Words("Tài khoản không hoạt động", "The account is dormant"),
    "NOT_UPGRADED": Words("Ví hoặc tài khoản chưa định danh đủ mức", "The wallet is not upgraded"),
    "REVIEWED": Words("Hai cán bộ kết luận không dùng tài khoản này", "Two people decided that the account is not to be used"),
    "POLICE_DIFFERS": Words("Công an trả lời tài khoản không phải của người nhận", "The police say that the account is not the payee's"),
    "LIMIT_EXCEEDED": Words("Vượt hạn mức", "Over the limit"),
    "NOT_COLLECTED": Words("Không đến nhận trong kỳ", "Not collected in time"),
    "NO_ANSWER": Words("Đối tác chưa trả lời", "The partner has not answered"),
}

_IN_CASH: Final = {
    # chosen
    "PREFERENCE": Words("Người hưởng chọn tiền mặt", "The person chose cash"),
    "FORCE_MAJEURE": Words("Trả tại nhà vì bất khả kháng", "Paid at home, force majeure"),
    # not chosen: why no account was paid into
    "NO_ACCOUNT": Words("Chưa có tài khoản", "No account yet"),
    "NO_ID": Words("Chưa có số định danh", "No identity number yet"),
    "NOT_IN_POPULATION_DB": Words("Chưa có trong CSDL quốc gia về dân cư", "Not in the population database yet"),
    "IDENTITY_REVIEW": Words("Thông tin nhân thân đang được rà soát", "Identity data are being reviewed"),
    "REPRESENTATIVE_NOT_VERIFIED": Words("Người nhận thay chưa được xác thực", "The representative is not verified"),
    "REPRESENTATIVE_NOT_VALID": Words("Việc nhận thay đã hết hiệu lực", "The representative's right has ended"),
    "HEIR_WITHOUT_ACCOUNT": Words("Người thừa kế chưa có tài khoản nhận tiền", "The heir has no account to pay into"),
    "REISSUED_IN_CASH": Words("Chi lại bằng tiền mặt", "Paid again in cash"),
    "ACCOUNT_NOT_KNOWN": Words("Chưa rõ tài khoản", "The account is not known"),
    "ACCOUNT_NOT_PAYEES": Words("Tài khoản không phải của người nhận", "The account is not the payee's"),
    "ACCOUNT_NUMBER_MISSING": Words("Thiếu số tài khoản", "The account number is missing"),
    "ACCOUNT_PENDING_CHECK": Words("Tài khoản đang chờ kiểm tra", "The account waits to be checked"),
    "ACCOUNT_NEEDS_REVIEW": Words("Tài khoản đang chờ xem xét", "The account waits for a review"),
    "ACCOUNT_REJECTED": Words("Tài khoản không được chấp nhận", "The account was rejected"),
}

_SOURCES: Final = {
    "CENTRAL_BUDGET": Words("ngân sách trung ương", "central budget"), "LOCAL_BUDGET": Words("ngân sách địa phương", "local budget"),
    "PROVINCIAL_BUDGET": Words("ngân sách tỉnh", "provincial budget"), "SOCIAL_FUND": Words("quỹ xã hội", "social fund"),
}  # fmt: skip


def state_words(state: str) -> Words:
    """The words for a person's state."""
    return _STATES[PersonState(state)]


def channel_words(channel: str) -> Words:
    """The words for a channel; a channel we do not know yet is shown by its code."""
    return _CHANNELS.get(channel, Words(channel, channel))


def cash_words(reason: str) -> Words:
    """Why somebody is paid in cash; of an account it is `ACCOUNT_` and what is the matter with it, as the gate writes it."""
    return _IN_CASH.get(reason) or _REASONS.get(reason) or reason_words(reason.removeprefix("ACCOUNT_"))


def source_words(source: str) -> Words:
    """The words for a funding source; one we do not know yet is shown by its code."""
    return _SOURCES.get(source, Words(source, source))


def reason_words(reason: str | None) -> Words:
    """The words for a hold or failure reason; a reason we do not know yet (a partner's code) is shown as it is."""
    if reason is None:
        return Words("Không nêu lý do", "No reason given")
    return _REASONS.get(reason, Words(reason, reason))
