"""What disbursement's problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer."""

from __future__ import annotations

from typing import Final

__all__ = ["VIETNAMESE"]

_NOT_FOUND: Final = {
    "No such answer to this batch": "Không có trả lời này của lô chi",
    "No such budget codes": "Không có mã ngân sách này",
    "No such case": "Không có hồ sơ tra soát này",
    "No such case of this payment": "Khoản chi không có hồ sơ tra soát này",
    "No such comparison": "Không có lần đối chiếu này",
    "No such complaint": "Không có khiếu nại này",
    "No such cycle": "Không có kỳ chi này",
    "No such cycle for this unit in your scope": "Không có kỳ chi này của đơn vị trong địa bàn của bạn",
    "No such cycle or unit in your area": "Không có kỳ chi hoặc đơn vị này trong địa bàn của bạn",
    "No such difference": "Không có sai lệch này",
    "No such list": "Không có danh sách này",
    "No such open quarantine entry": "Không có thông báo bị cách ly này đang chờ xử lý",
    "No such partner": "Không có đơn vị chi trả này",
    "No such pause": "Không có lần tạm dừng này",
    "No such proposal": "Không có đề nghị này",
    "No such reason": "Không có lý do này",
    "No such recovery case": "Không có hồ sơ thu hồi này",
    "No such repayment": "Không có khoản nộp lại này",
    "No such result": "Không có kết quả này",
    "No such ruling": "Không có quy định này",
    "No such scan": "Không có bản quét này",
    "No such settlement": "Không có quyết toán này",
    "No such statement": "Không có sao kê này",
    "No such take-over": "Không có hồ sơ tiếp nhận này",
    "No such unit in your area and this cycle": "Không có đơn vị này trong địa bàn của bạn và trong kỳ chi",
    "No such unit in your scope": "Không có đơn vị này trong địa bàn của bạn",
    "No signed copy is filed": "Chưa lưu bản đã ký",
    "Nothing like that was proposed": "Không có đề xuất nào như vậy",
    "The cycle has no list yet": "Kỳ chi chưa có danh sách",
    "The cycle has no list with a pre-check yet": "Kỳ chi chưa có danh sách đã kiểm tra trước",
    "This partner paid nothing in this cycle": "Đơn vị này không chi trả gì trong kỳ",
}

_SECOND_PERSON: Final = {
    "The right is handed to you": "Quyền này được giao cho chính bạn: người khác phải duyệt",
    "You proposed this": "Bạn là người đề xuất: người khác phải duyệt",
    "You proposed this go-live": "Bạn đề xuất chuyển sang chi thật: người khác phải duyệt",
    "You proposed this outcome": "Bạn đề xuất kết luận này: người khác phải duyệt",
    "You proposed this take-over": "Bạn đề xuất tiếp nhận này: người khác phải duyệt",
    "You submitted this list": "Bạn là người trình danh sách: người khác phải duyệt",
    "You, or whom you stand in for, approved another stage of this list":
        "Bạn, hoặc người bạn thay mặt, đã duyệt một bước khác của danh sách này",
}  # fmt: skip

_LISTS: Final = {
    "Due, paid or committed changed since the list was computed":
        "Khoản phải chi, đã chi hoặc đã cam kết thay đổi sau khi lập danh sách: hãy lập lại",
    "Every line would be withdrawn: reject the list and compute it again": "Mọi dòng đều bị rút: hãy từ chối rồi lập lại danh sách",
    "Less than is already reserved and spent": "Ít hơn số đã giữ và đã chi",
    "Nobody is paid and nobody is held by this list": "Danh sách không chi và không tạm giữ ai",
    "Read the list again": "Danh sách đã thay đổi: hãy xem lại danh sách",
    "Somebody changed the amount since it was proposed": "Số tiền đã được người khác sửa sau khi đề xuất",
    "Somebody else opened it just now": "Người khác vừa mở kỳ này",
    "The list was submitted": "Danh sách đã được trình",
    "The report is of another list": "Kết quả kiểm tra này của một danh sách khác",
    "The stored list no longer gives its hash: it was altered": "Danh sách đã lưu không còn khớp mã băm: đã bị sửa",
    "What went back to the budget has been promised to others: raise the budget first":
        "Tiền hoàn về dự toán đã được dùng cho việc khác: hãy tăng dự toán trước",
    "You looked at another list": "Bạn đã xem một danh sách khác: hãy mở lại danh sách hiện tại",
}  # fmt: skip

_PAYMENTS: Final = {
    "Cash is credited to no account": "Tiền mặt không ghi có vào tài khoản nào",
    "It is said only of what we hold unpaid": "Chỉ kết luận như vậy với khoản ta ghi là chưa trả",
    "It was withdrawn before it was sent, and no statement, message or answer of the partner speaks of it: open an investigation":
        "Khoản này đã rút trước khi gửi, và không sao kê, thông báo hay trả lời nào của đối tác nói đến: hãy mở tra soát",
    "Its batch is being sent this very moment: say so again in a minute": "Lô chi đang được gửi: hãy thử lại sau một phút",
    "Name what is stopped": "Hãy nêu rõ tạm dừng cái gì",
    "No payment of ours stands behind this difference": "Sai lệch này không ứng với khoản chi nào của ta",
    "Only a later statement says that": "Chỉ sao kê sau mới cho biết điều đó",
    "The answer is due before the letter": "Hạn trả lời trước ngày gửi văn bản",
    "The debit is not exactly what was sent of the batch and what was withdrawn: say payment by payment which were paid"
    " (POST /v1/payments/{payment_id}/corrections), then NOT_PAID of the rest":
        "Số ghi nợ không đúng bằng phần đã gửi và phần đã rút của lô: hãy xác nhận từng khoản đã trả"
        " (POST /v1/payments/{payment_id}/corrections), rồi kết luận NOT_PAID cho phần còn lại",
    "The token names no partner": "Phiên đăng nhập không ghi đơn vị chi trả nào",
}  # fmt: skip

VIETNAMESE: Final = {
    **_NOT_FOUND,
    **_SECOND_PERSON,
    **_LISTS,
    **_PAYMENTS,
    "chỉ người phụ trách toàn tỉnh · only somebody of the whole province: name a unit of yours":
        "chỉ người phụ trách toàn tỉnh; hãy ghi một đơn vị của bạn",
    "không có dòng nào · the file has no rows": "không có dòng nào",
}  # fmt: skip
