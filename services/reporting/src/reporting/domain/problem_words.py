"""What reporting's problems say, in Vietnamese: `detail` as the code writes it → `detail_vi` of the answer."""

from __future__ import annotations

from typing import Final

__all__ = ["VIETNAMESE"]

VIETNAMESE: Final = {
    "A rebuild is already running": "Đang có một lần lập lại số liệu",
    "Another worker took this rebuild over": "Một tiến trình khác đã nhận lần lập lại số liệu này",
    "It is reached": "Mốc này đã hoàn thành",
    "It is withdrawn already": "Việc này đã được rút trước đó",
    "No such case": "Không có trường hợp này trong mẫu",
    "No such document": "Không có tài liệu này",
    "No such file": "Không có tệp này",
    "No such obstacle": "Không có vướng mắc này",
    "No such report": "Không có báo cáo này",
    "No such sample": "Không có mẫu kiểm tra này",
    "No such target": "Không có chỉ tiêu này",
    "Nothing is published of that month": "Tháng này chưa công bố số liệu",
    "The figures are being made again after an upgrade": "Số liệu đang được lập lại sau khi nâng cấp: hãy thử lại sau một phút",
    "The report has no such addressee": "Báo cáo không có nơi nhận này",
    "Too many people follow the progress now": "Đang có quá nhiều người xem tiến độ trực tiếp",
    "Who answered it does not say whether it helped": "Người đã trả lời không tự xác nhận kết quả",
    "You follow the progress in too many windows": "Bạn đang mở tiến độ ở quá nhiều cửa sổ",
    "at most 36 months, the first before the last": "nhiều nhất 36 tháng, tháng đầu trước tháng cuối",
    "only a whole province is published": "chỉ công bố số liệu của cả một tỉnh",
}
