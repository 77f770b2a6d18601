"""What the register's problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["VIETNAMESE"]

_NOT_FOUND: Final = {
    "No such allowance or person": "Không có chế độ hoặc người này trong phạm vi của bạn",
    "No such answer": "Không có kết quả trả lời này trong phạm vi của bạn",
    "No such attachment": "Không có tệp đính kèm này trong phạm vi của bạn",
    "No such beneficiary": "Không có người hưởng này trong phạm vi của bạn",
    "No such campaign": "Không có đợt tặng quà này trong phạm vi của bạn",
    "No such change of the law": "Không có thay đổi chính sách này",
    "No such change of units": "Không có thay đổi đơn vị hành chính này",
    "No such change request": "Không có yêu cầu thay đổi này trong phạm vi của bạn",
    "No such data set": "Không có bộ dữ liệu này trong phạm vi của bạn",
    "No such decision": "Không có quyết định này trong phạm vi của bạn",
    "No such difference": "Không có trường hợp lệch ngày mất này trong phạm vi của bạn",
    "No such duplicate candidate": "Không có cặp nghi trùng này trong phạm vi của bạn",
    "No such event": "Không có biến động này trong phạm vi của bạn",
    "No such household": "Không có hộ này trong phạm vi của bạn",
    "No such import": "Không có lần nhập danh sách này trong phạm vi của bạn",
    "No such institution": "Không có cơ sở này trong phạm vi của bạn",
    "No such list": "Không có danh sách này trong phạm vi của bạn",
    "No such merit person": "Không có người có công này trong phạm vi của bạn",
    "No such move": "Không có hồ sơ chuyển nơi chi trả này trong phạm vi của bạn",
    "No such move to answer in your area": "Không có hồ sơ chuyển nơi chi trả nào do đơn vị bạn trả lời",
    "No such part": "Không có phần này của bộ dữ liệu",
    "No such person": "Không có người này trong phạm vi của bạn",
    "No such person on the list": "Không có người này trong danh sách",
    "No such proposal": "Không có đề xuất này trong phạm vi của bạn",
    "No such re-mapping in your area": "Không có lần chuyển đổi đơn vị này trong phạm vi của bạn",
    "No such record": "Không có bản ghi này trong phạm vi của bạn",
    "No such registration": "Không có hồ sơ đăng ký này trong phạm vi của bạn",
    "No such relation": "Không có quan hệ thân nhân này trong phạm vi của bạn",
    "No such representative": "Không có người nhận thay này",
    "No such request": "Không có đề nghị này trong phạm vi của bạn",
    "No such survey": "Không có đợt khảo sát này trong phạm vi của bạn",
    "No such survey in your area": "Không có đợt khảo sát này trong phạm vi của bạn",
    "No such task": "Không có phần việc này trong phạm vi của bạn",
    "No such unit in your area": "Không có đơn vị này trong phạm vi của bạn",
    "No such unit on that date": "Vào ngày đó không có đơn vị này",
    "Not a member of this household": "Không phải thành viên của hộ này",
    "Not a resident of this institution": "Không phải người đang ở cơ sở này",
    "Nothing was known of this person on that day": "Đến ngày đó sổ chưa ghi gì về người này",
    "Nothing was known of this record on that day": "Đến ngày đó sổ chưa có bản ghi này",
    "No gift of that code is known on this date": "Vào ngày này chưa có quà tặng mã đó",
    "No finished what-if of this change": "Thay đổi này chưa có bản tính thử nào xong",
    "No application with this receipt number and these digits": "Không có hồ sơ nào khớp số biên nhận và các chữ số này",
    "The dossier code is of a person outside your area": "Mã hồ sơ là của người ngoài phạm vi của bạn",
    "The person lives outside the campaign's area": "Người này ở ngoài địa bàn của đợt tặng quà",
    "The whole register is not in your area": "Phạm vi của bạn không phải toàn bộ sổ",
}  # fmt: skip

_STATE: Final = {
    "A campaign of this resolution covers this area already": "Địa bàn này đã có đợt tặng quà theo nghị quyết này",
    "A death is recorded already": "Đã ghi nhận người này qua đời",
    "A full review applies without refused rows only: correct them and send it again":
        "Rà soát toàn bộ chỉ áp dụng khi không có dòng bị từ chối: hãy sửa các dòng đó và gửi lại",
    "A move of this person is under way": "Người này đang có hồ sơ chuyển nơi chi trả chưa trả lời",
    "A refused row has no file to merge: correct the list, or confirm the candidate":
        "Dòng bị từ chối chưa có hồ sơ để gộp: hãy sửa danh sách, hoặc xác nhận cặp nghi trùng",
    "An institution has this code": "Mã này đã có cơ sở khác dùng",
    "Another date of death is recorded: ask for its correction": "Sổ đã ghi ngày qua đời khác: hãy lập yêu cầu thay đổi (sửa ngày mất)",
    "Another event of this person waits for a second person": "Một biến động khác của người này đang chờ người thứ hai xác nhận",
    "Another move of this person is under way": "Người này đang có hồ sơ chuyển nơi chi trả khác chưa trả lời",
    "It is part of a move or a life event: answer that":
        "Quyết định này thuộc một hồ sơ chuyển nơi chi trả hoặc một biến động: hãy trả lời hồ sơ hoặc biến động đó",
    "No merge of this candidate stands": "Cặp này không có lần gộp nào đang có hiệu lực",
    "Nothing is proposed for this candidate": "Cặp này chưa có đề xuất nào",
    "One file says the person has died: record the death in the other first, or decide that these are two people":
        "Một hồ sơ ghi người này đã qua đời: hãy ghi nhận qua đời ở hồ sơ kia trước, hoặc kết luận đây là hai người",
    "One of the two files has been merged already": "Một trong hai hồ sơ đã được gộp",
    "People live there: enter first where they go": "Cơ sở còn người ở: hãy ghi họ rời đi trước",
    "That import travels in another list": "Lần nhập này đang đi cùng danh sách khác",
    "The list has a header but no rows": "Danh sách chỉ có dòng tiêu đề, không có người nào",
    "The list is decided": "Danh sách này đã được quyết định",
    "The person is on the list": "Người này đã có trong danh sách",
    "The population database tells another date of death: answer that first":
        "Cơ sở dữ liệu dân cư báo ngày qua đời khác: hãy trả lời trường hợp đó trước",
    "The request is decided": "Đề nghị này đã được quyết định",
    "The right has changed since: propose anew": "Quyền nhận thay đã thay đổi sau khi đề xuất: hãy đề xuất lại",
    "The same answer was loaded before": "Kết quả trả lời này đã được nạp trước đây",
    "The second person must see both files: ask the district or the department":
        "Người thứ hai phải xem được cả hai hồ sơ: hãy đề nghị cấp huyện hoặc sở",
    "The two files have different dates of death: settle the date first":
        "Hai hồ sơ ghi ngày qua đời khác nhau: hãy thống nhất ngày trước",
    "This group exists or is asked for": "Nhóm này đã có hoặc đang được đề nghị",
    "This import travels already": "Lần nhập này đã được gửi đi",
    "This relation by this decision is recorded": "Quan hệ theo quyết định này đã được ghi",
    "This step is for the other office": "Bước này do cơ quan kia thực hiện",
}  # fmt: skip

_SECOND_PERSON: Final = {
    "Only who proposed it withdraws it; another person rejects it": "Chỉ người đề xuất được rút lại; người khác thì từ chối",
    "Whoever drafted a change of the law cannot approve it": "Người soạn thay đổi chính sách không được tự duyệt",
    "Whoever drafted a change withdraws it; refusing is for the second person":
        "Người soạn chỉ được rút lại; từ chối là việc của người thứ hai",
    "Whoever ordered a campaign may withdraw it only; a second person approves or rejects":
        "Người lập đợt tặng quà chỉ được rút lại; người thứ hai duyệt hoặc từ chối",
    "Whoever proposed an addition cannot approve it": "Người đề xuất bổ sung không được tự duyệt",
    "Who asked for a change cannot decide it": "Người yêu cầu thay đổi không được tự duyệt",
    "Who asked for a group cannot add it": "Người đề nghị thêm nhóm không được tự duyệt",
    "Who asked for it cannot answer it": "Người đề nghị không được tự trả lời",
    "Who loaded an answer cannot decide it": "Người nạp kết quả không được tự duyệt",
    "Who made a list cannot decide on it": "Người lập danh sách không được tự duyệt",
    "Who proposed a decision cannot answer it": "Người đề xuất quyết định không được tự trả lời",
    "Who proposed it cannot confirm it": "Người đề xuất không được tự xác nhận",
    "Who proposed this cannot approve it": "Người đề xuất không được tự duyệt",
    "Who recorded a date of death cannot confirm it": "Người đã ghi ngày mất không được tự xác nhận ngày đó",
    "Who recorded an event cannot confirm it": "Người ghi biến động không được tự xác nhận",
    "Who sent a move takes it back; another person receives or returns it":
        "Người gửi hồ sơ chuyển chỉ được rút lại; người khác tiếp nhận hoặc trả lại",
    "Who submitted a list cannot accept it": "Người gửi danh sách không được tự chấp nhận",
    "Who submitted a list cannot receive it": "Người gửi danh sách không được tự tiếp nhận",
    "Who submitted a list cannot return it": "Người gửi danh sách không được tự trả lại",
}  # fmt: skip

VIETNAMESE: Final[Mapping[str, str]] = _NOT_FOUND | _STATE | _SECOND_PERSON
"""Details of fixed wording. A detail that names a number or a day says so in `errors`, in both languages."""
