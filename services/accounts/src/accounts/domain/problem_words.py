"""What the accounts' problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer."""

from __future__ import annotations

from typing import Final

__all__ = ["VIETNAMESE"]

VIETNAMESE: Final = {
    "Nothing was chosen for this person: paid in cash by post": "Người này chưa chọn cách nhận: được chi tiền mặt tại bưu điện",
    "charged later than today": "ngày thu phí sau ngày nghiệp vụ",
    "consent cannot be given later": "ngày đồng ý không được sau ngày nghiệp vụ",
    "more than was charged, or not upheld": "hoàn nhiều hơn số đã thu, hoặc phản ánh không được chấp nhận",
    "no open request to this provider in this unit": "đơn vị này không có đề nghị mở tài khoản đang chờ ở tổ chức này",
    "some of its requests are not of your units": "có đề nghị không thuộc đơn vị của bạn",
    "the account changed after the proposal: propose again": "tài khoản đã thay đổi sau khi đề xuất: hãy đề xuất lại",
    "the provider's answer is missing": "thiếu trả lời của tổ chức cung cấp",
    "this day has not come": "ngày này chưa đến",
    "this file was taken before": "tệp này đã được nhận trước đây",
    "this provider keeps no accounts": "tổ chức này không giữ tài khoản",
    "this value is not possible": "giá trị này không dùng được",
    "không có dòng kết quả nào · no row of results": "không có dòng kết quả nào",
}
