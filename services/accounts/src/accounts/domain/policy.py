"""Settings whose answer the law or the customer owes us: each with its question, changed by two people, never guessed in code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["POLICIES", "Policy", "VneidUse"]


@dataclass(frozen=True, slots=True)
class Policy:
    """One setting. `choices` empty: a whole number from `least` to `most`."""

    code: str
    default: str
    question_vi: str
    question_en: str
    legal_ref: str | None = None
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 1_000_000

    def accepts(self, value: str) -> bool:
        """Whether a value is possible."""
        if self.choices:
            return value in self.choices
        return value.isascii() and value.isdigit() and len(value) <= 9 and self.least <= int(value) <= self.most


class VneidUse:
    """Uses of account data that came from VNeID, each allowed or not."""

    PAYMENT: Final = "VNEID_PAYMENT"
    NAME_INQUIRY: Final = "VNEID_NAME_INQUIRY"
    LISTS: Final = "VNEID_LISTS"


_LAW_VNEID: Final = "Quy định có hiệu lực từ 28/9/2026 về dữ liệu VNeID (chưa có toàn văn – text not seen)"
_ALLOW: Final = ("ALLOW", "FORBID")

POLICIES: Final[tuple[Policy, ...]] = (
    Policy(
        "COOL_DOWN_DAYS", "7",
        "Tài khoản mới đổi phải chờ bao nhiêu ngày trước khi chi trả vào?",
        "How many days does a changed account wait before it is paid into?", most=60,
    ),
    Policy(
        "ALERT_REPRESENTATIVE_PEOPLE", "5",
        "Một người nhận thay cho từ bao nhiêu người thì cảnh báo?",
        "From how many beneficiaries on does one representative raise an alert?", least=2,
    ),
    Policy(
        "ALERT_BULK_CHANGES", "30",
        "Một cán bộ đổi hình thức nhận của từ bao nhiêu người trong một ngày thì cảnh báo?",
        "From how many changes in a day on does one user raise an alert?", least=2,
    ),
    Policy(
        "BULK_SECOND_PERSON", "50",
        "Từ bao nhiêu thay đổi một ngày thì phải lập danh sách để người thứ hai duyệt?",
        "From how many changes in a day on must a user send a list that a second person approves?", least=2,
    ),
    Policy(
        "RECHECK_MONTHS", "6",
        "Trong bao nhiêu tháng phải kiểm tra lại xong toàn bộ tài khoản?",
        "Within how many months is every account asked about again?", least=1, most=60,
    ),
    Policy(
        "OPENING_CONSENT", "SURVEY",
        "Ý kiến 'có nhu cầu' khi khảo sát đã đủ là đồng ý chuyển thông tin cho ngân hàng (SURVEY), hay phải có văn bản (WRITTEN)?",
        "Does the survey's 'wants an account' count as consent to hand the data to the bank (SURVEY), or is a paper needed (WRITTEN)?",
        "Luật 91/2025/QH15; Nghị định 356/2025/NĐ-CP", ("SURVEY", "WRITTEN"),
    ),
    Policy(
        VneidUse.PAYMENT, "ALLOW",
        "Có được chi trả vào tài khoản lấy từ VNeID không?",
        "May an account known from VNeID be paid into?", _LAW_VNEID, _ALLOW,
    ),
    Policy(
        VneidUse.NAME_INQUIRY, "FORBID",
        "Có được gửi số tài khoản lấy từ VNeID cho tổ chức cung ứng để tra tên không?",
        "May an account number known from VNeID be sent to the provider to ask for the holder's name?", _LAW_VNEID, _ALLOW,
    ),
    Policy(
        VneidUse.LISTS, "FORBID",
        "Có được đưa tài khoản lấy từ VNeID vào danh sách gửi cơ quan khác không?",
        "May accounts known from VNeID stand in lists that go to other offices?", _LAW_VNEID, _ALLOW,
    ),
)  # fmt: skip
