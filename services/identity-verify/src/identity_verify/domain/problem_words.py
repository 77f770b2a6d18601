"""What the identity checks' problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer."""

from __future__ import annotations

from typing import Final

__all__ = ["VIETNAMESE"]

VIETNAMESE: Final = {
    "no such unit in your scope": "không có đơn vị này trong địa bàn của bạn",
    "the commune withdraws a request; every other step is the police's": "xã chỉ rút đề nghị; các bước khác là việc của công an",
    "the list is closed": "danh sách đã đóng",
    "the list is closed: its people are asked about otherwise": "danh sách đã đóng: những người này được xác thực bằng cách khác",
    "this day has not come": "ngày này chưa đến",
    "this person has left the register": "người này không còn trong danh bạ",
    "you proposed this period; another person approves it": "bạn đề xuất thời hạn này; người khác phải duyệt",
    "you proposed this verdict already; another person confirms it": "bạn đã đề xuất kết luận này; người khác phải xác nhận",
    "you sent this file; another person approves it": "bạn gửi tệp này; người khác phải duyệt",
    "không có dòng trả lời nào của lô này · no row answers this batch": "không có dòng trả lời nào của lô này",
}
