"""Columns of the lists communes keep, in the spellings seen; accents, case and punctuation do not matter."""

from __future__ import annotations

from typing import Final

from common.tabular import ColumnSpec

__all__ = ["COLUMNS"]

COLUMNS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã HS", "Số hồ sơ", "Mã số hồ sơ", "Mã đối tượng"), required=True),
    ColumnSpec("full_name", ("Họ và tên", "Họ tên", "Họ và tên người hưởng", "Họ tên người hưởng", "Họ tên đối tượng"), required=True),
    ColumnSpec("birth_date", ("Ngày sinh", "Ngày tháng năm sinh", "Ngày, tháng, năm sinh", "Năm sinh", "Ngày/năm sinh")),
    ColumnSpec("sex", ("Giới tính", "Nam/Nữ", "Phái")),
    ColumnSpec(
        "number",
        (
            "Số CCCD/định danh", "Số CCCD", "CCCD", "Số định danh", "Số định danh cá nhân", "Số ĐDCN", "Số CCCD/ĐDCN", "CCCD/định danh",
            "Số CCCD/số định danh", "CMND/CCCD", "Số CMND/CCCD", "Căn cước công dân", "Số căn cước công dân", "Số căn cước",
            "Số CCCD hoặc định danh",
            "CCCD/ĐDCN", "Mã định danh",
        ),
        required=True,
    ),
    ColumnSpec("address", ("Địa chỉ", "Nơi ở", "Nơi cư trú", "Địa chỉ thường trú", "Chỗ ở hiện nay", "Thôn/khu phố")),
    ColumnSpec("unit_code", ("Mã đơn vị", "Mã xã", "Mã ĐVHC", "Mã đơn vị hành chính", "Mã xã/phường")),
    ColumnSpec(
        "category", ("Loại đối tượng", "Mã đối tượng hưởng", "Nhóm đối tượng", "Mã loại đối tượng", "Loại ĐT", "Đối tượng"), required=True
    ),
    ColumnSpec("percent", ("Tỷ lệ thương tật", "Tỉ lệ thương tật", "Tỷ lệ TT", "Tỷ lệ tổn thương cơ thể", "Tỷ lệ %")),
    ColumnSpec("decision_number", ("Số quyết định", "Số QĐ", "Quyết định số", "QĐ số")),
    ColumnSpec("decision_date", ("Ngày quyết định", "Ngày QĐ", "Ngày ký", "Ngày ra quyết định", "Ngày ký quyết định")),
    ColumnSpec("from_month", ("Hưởng từ tháng", "Hưởng từ", "Tháng bắt đầu hưởng", "Thời điểm hưởng", "Bắt đầu hưởng từ tháng")),
    ColumnSpec("arrears_from", ("Truy lĩnh từ tháng", "Truy lĩnh từ", "Truy lãnh từ tháng", "Truy lĩnh")),
    ColumnSpec("preference", ("Nguyện vọng", "Nguyện vọng nhận", "Đăng ký nhận", "Hình thức đăng ký", "Nguyện vọng (TK/TM/BKK)")),
    ColumnSpec("rep_name", ("Họ tên người nhận thay", "Họ và tên người nhận thay", "Người nhận thay", "Người nhận thay: Họ tên")),
    ColumnSpec("rep_birth", ("Ngày sinh người nhận", "Ngày sinh người nhận thay", "Năm sinh người nhận", "Năm sinh người nhận thay")),
    ColumnSpec("rep_sex", ("Giới tính người nhận", "Giới tính người nhận thay")),
    ColumnSpec("rep_number", ("CCCD người nhận", "Số CCCD người nhận", "CCCD người nhận thay", "Số CCCD người nhận thay")),
    ColumnSpec(
        "rep_kind",
        ("Quan hệ/Hình thức", "Hình thức nhận thay", "Quan hệ", "Quan hệ/hình thức nhận thay", "Hình thức", "Tư cách nhận thay"),
    ),
    ColumnSpec("rep_certificate", ("Số giấy ủy quyền", "Số giấy uỷ quyền", "Giấy ủy quyền", "Số GUQ", "Giấy ủy quyền số")),
    ColumnSpec("rep_from", ("Từ ngày", "Ủy quyền từ ngày", "Có hiệu lực từ", "Hiệu lực từ ngày")),
    ColumnSpec("rep_to", ("Đến ngày", "Ủy quyền đến ngày", "Có hiệu lực đến", "Hết hạn", "Hiệu lực đến ngày")),
)  # fmt: skip
