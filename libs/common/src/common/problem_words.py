"""What the shared mechanisms' problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer.

Words that only a program's author reads (tokens, ETags, cursors) are not here: the title says enough to an officer.
"""

from __future__ import annotations

from typing import Final

from common.actor import OF_A_PROVINCE

__all__ = ["VIETNAMESE"]

VIETNAMESE: Final = {
    OF_A_PROVINCE: OF_A_PROVINCE.partition(" · ")[0],
    "A full read needs a purpose": "Xem đầy đủ phải ghi rõ mục đích",
    "A request for this person waits for a decision": "Người này đang có một đề nghị chờ quyết định",
    "An error of ours; tell us the request id": "Lỗi của hệ thống; hãy báo kỹ thuật kèm mã yêu cầu (request_id)",
    "Another registration of this client was approved just now": "Một đăng ký khác của hệ thống này vừa được duyệt",
    "It has been decided": "Việc này đã được quyết định",
    "It took too long and was given up: look whether it was done": "Xử lý quá lâu nên đã dừng: hãy xem lại việc đã được thực hiện chưa",
    "No such job": "Không có công việc này",
    "No such mapping": "Không có cách đối chiếu cột này",
    "No such partner": "Không có đơn vị chi trả này",
    "No such registration": "Không có đăng ký này",
    "No such registration in force": "Không có đăng ký này đang có hiệu lực",
    "No such request": "Không có đề nghị này",
    "No such rule": "Không có quy tắc này",
    "No such term": "Không có thời hạn này",
    "No such unit in your area": "Không có đơn vị này trong địa bàn của bạn",
    "Nothing is held about this person": "Hệ thống không lưu gì về người này",
    "Nothing is parked under this key": "Không có sự kiện nào đang bị giữ lại theo mã này",
    "Nothing waits for your approval: the replay must be asked for by somebody else first":
        "Không có gì chờ bạn duyệt: người khác phải đề nghị chạy lại trước",
    "Only refused rows that still wait can be dismissed": "Chỉ bỏ được dòng bị từ chối còn đang chờ",
    "So many answers of yours are on their way already": "Bạn đang có quá nhiều yêu cầu chưa trả lời xong: hãy chờ rồi thử lại",
    "So many calls at once are no person's work: wait": "Quá nhiều yêu cầu cùng lúc: hãy chờ rồi thử lại",
    "Somebody else than the proposer must decide": "Người khác, không phải người đề xuất, mới được quyết định",
    "The answer was not taken in time": "Máy của bạn nhận trả lời quá chậm",
    "The body came too slowly": "Nội dung gửi lên quá chậm: hãy kiểm tra đường truyền rồi gửi lại",
    "The client is not registered with this service, or its registration does not hold today":
        "Hệ thống này chưa đăng ký với dịch vụ, hoặc đăng ký không còn hiệu lực hôm nay",
    "The client's registration does not allow this": "Đăng ký của hệ thống này không cho phép việc này",
    "The file was erased when its retention term was over": "Tệp đã bị xóa khi hết thời hạn lưu giữ",
    "The request did not arrive in time": "Yêu cầu không đến kịp: hãy kiểm tra đường truyền rồi gửi lại",
    "The same file is being taken at this moment; ask again": "Chính tệp này đang được nhận: hãy hỏi lại sau ít giây",
    "The same list was sent again meanwhile": "Danh sách này vừa được gửi lại",
    "The token issuer cannot be reached": "Không kết nối được nơi cấp phiên đăng nhập",
    "Too many requests are being taken": "Hệ thống đang nhận quá nhiều yêu cầu: hãy chờ rồi thử lại",
    "Too many requests are being served": "Hệ thống đang quá tải: hãy chờ rồi thử lại",
    "Too much is being uploaded": "Đang có quá nhiều tệp gửi lên: hãy chờ rồi thử lại",
}  # fmt: skip
