"""Why a merge is not undone, and what to do instead: by kind of fact that changed after it. Vietnamese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["DETAIL", "DETAIL_VI", "changed_facts"]

DETAIL: Final = (
    "Facts entered after the merge would be lost, so it is not undone. Data of the person can be set back, and then it can be undone;"
    " everything else stays on record: register the second person anew under a new dossier code (a number that is theirs is first"
    " corrected in the merged file by a change request) and put right for each what is named here"
)
DETAIL_VI: Final = (
    "Có thông tin ghi sau khi gộp, hoàn tác sẽ làm mất nên không hoàn tác. Thông tin của người thì sửa lại như cũ rồi hoàn tác được;"
    " các việc khác đã vào sổ: hãy đăng ký mới người thứ hai với mã hồ sơ mới (số định danh của người đó phải được sửa khỏi hồ sơ đã gộp"
    " bằng yêu cầu thay đổi trước) và xử lý cho từng người những việc nêu dưới đây"
)

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "person": (
        ("name, address, status or unit changed: set them back to what the history shows for the day of the merge, then undo; a re-mapping"
         " of units is not set back"),
        ("họ tên, địa chỉ, trạng thái hoặc đơn vị đã đổi: sửa lại như lịch sử ghi ở ngày gộp rồi hoàn tác; chuyển đổi đơn vị hành chính thì"
         " không đưa lại được"),
    ),
    "entitlement": (
        "an allowance was granted, changed or ended: decide each person's allowances by decisions of their own",
        "chế độ đã được cho hưởng, điều chỉnh hoặc chấm dứt: lập quyết định riêng cho từng người",
    ),
    "entitlement_pause": (
        "an allowance was suspended or resumed: decide on it for the person it is about",
        "chế độ đã tạm dừng hoặc hưởng lại: lập quyết định cho đúng người",
    ),
    "representative": (
        "who collects was appointed, extended or revoked: propose it anew for the person it is about",
        "người nhận thay đã được chỉ định, gia hạn hoặc thu hồi: đề xuất lại cho đúng người",
    ),
    "preference": ("an answer to the survey was recorded: ask both people again", "đã ghi nguyện vọng mới: hỏi lại cả hai người"),
    "household_member": (
        "the person joined or left a household: enter each in the household where they live",
        "người này đã vào hoặc rời hộ: ghi từng người vào hộ nơi họ ở",
    ),
    "group_membership": (
        "a group list (poor, near-poor) was approved: list the person it is about in the next one",
        "đã duyệt danh sách nhóm (hộ nghèo, cận nghèo): đưa đúng người vào danh sách tiếp theo",
    ),
    "institution_stay": (
        "the person came to or left an institution: enter the stay for the one who lives there",
        "người này đã vào hoặc rời cơ sở trợ giúp: ghi lại cho đúng người ở đó",
    ),
    "other_benefit": (
        "the Social Insurance told of a benefit: ask again about both people",
        "BHXH đã báo khoản hưởng: hỏi lại BHXH về cả hai người",
    ),
    "one_off_due": (
        ("a single sum (gift, funeral support) was added or cancelled: the sum stays with the merged file; add the second person to the"
         " campaign as a late addition"),
        ("đã thêm hoặc hủy một khoản chi một lần (quà tặng, mai táng phí): khoản đó ở lại hồ sơ đã gộp; đưa người thứ hai vào đợt tặng quà"
         " bằng bổ sung"),
    ),
    "decision": (
        "a decision was proposed or answered: withdraw or reject what is still proposed, and propose it for the person it is about",
        "đã đề xuất hoặc trả lời quyết định: rút lại hoặc từ chối đề xuất còn mở rồi đề xuất cho đúng người",
    ),
    "transfer": (
        "a move was sent or answered: withdraw or return it while it is open, and send it for the person who moves",
        "đã gửi hoặc trả lời hồ sơ chuyển nơi chi trả: rút lại hoặc trả lại khi còn mở rồi gửi cho đúng người chuyển",
    ),
    "life_event": (
        "a life event was recorded: take it back as recorded by mistake and record it for the person it is about",
        "đã ghi biến động: ghi «ghi nhầm» rồi ghi lại cho đúng người",
    ),
    "merit_relation": (
        "a relation to a person of merit was recorded or ended: record it for the person it is about",
        "đã ghi hoặc kết thúc quan hệ thân nhân người có công: ghi lại cho đúng người",
    ),
    "survey_task_person": (
        "the person was asked in a survey: ask both people again in the next one",
        "người này đã được khảo sát: khảo sát lại cả hai người ở đợt sau",
    ),
}  # fmt: skip
"""Kind of fact → (what happened and what to do, in English, in Vietnamese)."""


def changed_facts(tables: Sequence[str]) -> list[dict[str, str]]:
    """For each kind of fact that changed: what happened and what to do, as `errors` of a problem."""
    return [{"field": table, "detail": _WORDS[table][0], "detail_vi": _WORDS[table][1]} for table in tables]
