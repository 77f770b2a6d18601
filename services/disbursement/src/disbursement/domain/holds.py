"""Why somebody owed is not paid now: each reason in two languages, and the role that must act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.actor import Role
from common.contracts.disbursement_v1 import HoldReason

__all__ = ["HOLDS", "HoldText", "actor_of"]


@dataclass(frozen=True, slots=True)
class HoldText:
    """What a hold says to people. `actor` is the role that must act; `act_*` is what it must do."""

    actor: Role
    vi: str
    en: str
    act_vi: str
    act_en: str


HOLDS: Final[dict[HoldReason, HoldText]] = {
    HoldReason.DECEASED: HoldText(
        Role.COMMUNE_OFFICER,
        "Đã qua đời theo CSDL quốc gia về dân cư hoặc hồ sơ",
        "Deceased according to the population database or the register",
        "Ghi nhận ngày mất; tháng qua đời và các tháng chưa nhận trả cho người thừa kế: cử người nhận thay trong hồ sơ; nếu báo sai, đề "
        "nghị công an xã xác minh lại",
        "Record the date of death; the month of death and earlier unpaid months go to an heir: appoint one in the register; if the news is "
        "wrong, ask the commune police to check again",
    ),
    HoldReason.STOPPED: HoldText(
        Role.DISTRICT_OFFICER,
        "Không còn được hưởng số tiền đã lập trong danh sách",
        "What was listed is no longer due",
        "Kiểm tra quyết định dừng hoặc điều chỉnh",
        "Check the decision that stopped or changed the allowance",
    ),
    HoldReason.SUSPENDED: HoldText(
        Role.DISTRICT_OFFICER,
        "Trợ cấp đang tạm dừng",
        "The allowance is suspended",
        "Quyết định tiếp tục hoặc chấm dứt trợ cấp",
        "Decide to resume or end the allowance",
    ),
    HoldReason.SUSPECTED_IDENTITY: HoldText(
        Role.COMMUNE_POLICE,
        "Số định danh thuộc về người khác",
        "The identity number belongs to somebody else",
        "Xác minh nhân thân và sửa số định danh",
        "Establish who the person is and correct the number",
    ),
    HoldReason.DUPLICATE: HoldText(
        Role.DISTRICT_OFFICER,
        "Nghi trùng hồ sơ chưa xử lý",
        "An unresolved duplicate",
        "Quyết định hồ sơ nào là đúng",
        "Decide which file stands",
    ),
    HoldReason.DATA_PARKED: HoldText(
        Role.OPERATOR,
        "Dữ liệu của người này chưa xử lý xong trong hệ thống",
        "Data of this person are waiting in the platform",
        "Xử lý và chạy lại sự kiện bị giữ",
        "Mend and replay the parked event",
    ),
    HoldReason.RATE_MISSING: HoldText(
        Role.DEPARTMENT_OFFICER,
        "Chưa có mức trợ cấp cho một tháng phải trả",
        "No rate is loaded for a month that is due",
        "Nạp mức trợ cấp theo văn bản hiện hành",
        "Load the rate with its legal basis",
    ),
    HoldReason.NOT_VERIFIED: HoldText(
        Role.COMMUNE_POLICE,
        "Chưa có kết quả xác thực với CSDL quốc gia về dân cư",
        "No answer from the population database yet",
        "Xác thực lại; kỳ sau sẽ chi trả bổ sung",
        "Verify again; the next or a supplementary list pays",
    ),
    HoldReason.ACCOUNT_CHANGED: HoldText(
        Role.COMMUNE_OFFICER,
        "Tài khoản hoặc người nhận đã thay đổi sau khi lập danh sách",
        "The account or the payee changed after the list was computed",
        "Xác nhận hình thức nhận; danh sách sau sẽ chi trả",
        "Confirm how to pay; the next or a supplementary list pays",
    ),
    HoldReason.FRAUD_SUSPECTED: HoldText(
        Role.DEPARTMENT_OFFICER,
        "Nghi gian lận, đang xem xét",
        "Fraud is suspected",
        "Kiểm tra và kết luận",
        "Investigate and decide",
    ),
    HoldReason.ACCOUNT_LIMIT_EXCEEDED: HoldText(
        Role.DEPARTMENT_OFFICER,
        "Vượt mức tài khoản được nhận, có tính danh sách khác duyệt trước",
        "More than the account may receive, with what another list approved before gives it",
        "Lập danh sách bổ sung: phần này được chi tiền mặt; hoặc thỏa thuận mức cao hơn với nơi mở tài khoản",
        "Open a supplementary list: it pays this in cash; or agree a higher limit with the provider",
    ),
    HoldReason.PAYMENT_DISPUTED: HoldText(
        Role.DEPARTMENT_OFFICER,
        "Đơn vị chi trả báo đã chi khoản mà hệ thống ghi không chi được",
        "A partner says that a payment which we hold unpaid did arrive",
        "Hỏi đơn vị chi trả bằng văn bản. Đã chi: hai người ghi nhận là đã chi (PAID). Chắc chắn chưa nhận (hoặc tiền đã hoàn): bác thông "
        "tin ở danh mục cách ly hoặc kết thúc chênh lệch (NOT_PAID): danh sách sau sẽ chi trả",
        "Ask the partner in writing. It was paid: two people say so (PAID). Once it is certain that the person did not get it (or the "
        "money came back), dismiss the word in quarantine or end the difference (NOT_PAID): the next list pays",
    ),
    HoldReason.WITHDRAWN: HoldText(
        Role.APPROVER,
        "Người duyệt rút khỏi danh sách",
        "Withdrawn from the list by hand",
        "Nêu lý do và quyết định kỳ sau",
        "Give the reason and decide for the next list",
    ),
}


def actor_of(reason: HoldReason) -> str:
    """The role that must act on a hold."""
    return HOLDS[reason].actor.value
