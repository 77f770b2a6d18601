"""Columns of the lists communes keep, in the spellings seen; accents, case and punctuation do not matter."""

from __future__ import annotations

from typing import Final

from common.lists.headers import ColumnSpec

__all__ = ["COLUMNS"]

COLUMNS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã HS", "Số hồ sơ", "Mã số hồ sơ", "Mã đối tượng", "File code", "Dossier code"), required=True),
    ColumnSpec(
        "full_name",
        ("Họ và tên", "Họ tên", "Họ và tên người hưởng", "Họ tên người hưởng", "Họ tên đối tượng", "Họ và tên đối tượng", "Họ, tên",
         "Full name"),
        required=True,
    ),
    ColumnSpec(
        "birth_date",
        ("Ngày sinh", "Ngày tháng năm sinh", "Ngày, tháng, năm sinh", "Năm sinh", "Ngày/năm sinh", "Sinh ngày", "Date of birth"),
    ),
    ColumnSpec("sex", ("Giới tính", "Nam/Nữ", "Phái", "Sex", "Gender")),
    ColumnSpec(
        "number",
        (
            "Số CCCD/định danh", "Số CCCD", "CCCD", "Số định danh", "Số định danh cá nhân", "Số ĐDCN", "Số CCCD/ĐDCN", "CCCD/định danh",
            "Số CCCD/số định danh", "CMND/CCCD", "Số CMND/CCCD", "Căn cước công dân", "Số căn cước công dân", "Số căn cước",
            "Số CCCD hoặc định danh",
            "CCCD/ĐDCN", "Mã định danh", "Mã số định danh", "Mã số định danh cá nhân", "National ID number", "ID number",
        ),
        required=True,
        secret=True,
    ),
    ColumnSpec("second_number", ("Số CMND cũ", "CMND cũ", "Số CMND", "CMND", "Số chứng minh nhân dân", "CMND 9 số"), secret=True),
    ColumnSpec("phone", ("Số điện thoại", "Điện thoại", "SĐT", "Số ĐT", "Di động", "Phone number"), secret=True),
    ColumnSpec("ethnicity", ("Dân tộc", "Thành phần dân tộc", "Ethnicity"), secret=True),
    ColumnSpec("hamlet", ("Thôn", "Thôn/bản", "Tổ dân phố", "Khu phố", "Ấp", "Thôn, tổ dân phố", "Thôn/tổ dân phố")),
    ColumnSpec("household_code", ("Mã hộ", "Mã số hộ", "Mã hộ gia đình", "Số hộ", "Household code")),
    ColumnSpec("household_head", ("Chủ hộ", "Họ tên chủ hộ", "Họ và tên chủ hộ", "Tên chủ hộ", "Head of household")),
    ColumnSpec("household_relation", ("Quan hệ với chủ hộ", "Quan hệ chủ hộ", "QH với chủ hộ", "Relation to head")),
    ColumnSpec("address", ("Địa chỉ", "Nơi ở", "Nơi cư trú", "Địa chỉ thường trú", "Chỗ ở hiện nay", "Thôn/khu phố")),
    ColumnSpec("unit_code", ("Mã đơn vị", "Mã xã", "Mã ĐVHC", "Mã đơn vị hành chính", "Mã xã/phường")),
    ColumnSpec(
        "category", ("Loại đối tượng", "Mã đối tượng hưởng", "Nhóm đối tượng", "Mã loại đối tượng", "Loại ĐT", "Đối tượng"), required=True,
        secret=True,
    ),
    ColumnSpec("dep_name", ("Họ tên người phụ thuộc", "Họ và tên người phụ thuộc", "Họ tên con", "Họ và tên con", "Họ tên trẻ em",
                            "Họ tên người được chăm sóc", "Người phụ thuộc")),
    ColumnSpec("dep_birth", ("Ngày sinh người phụ thuộc", "Năm sinh người phụ thuộc", "Ngày sinh con", "Ngày sinh của con", "Năm sinh con",
                             "Ngày sinh người được chăm sóc")),
    ColumnSpec("percent", ("Tỷ lệ thương tật", "Tỉ lệ thương tật", "Tỷ lệ TT", "Tỷ lệ tổn thương cơ thể", "Tỷ lệ %")),
    ColumnSpec("quantity", ("Số lượng", "Số thâm niên", "Số năm thâm niên", "Thâm niên", "Số suất", "Quantity")),
    ColumnSpec("decision_number", ("Số quyết định", "Số QĐ", "Quyết định số", "QĐ số")),
    ColumnSpec("decision_date", ("Ngày quyết định", "Ngày QĐ", "Ngày ký", "Ngày ra quyết định", "Ngày ký quyết định")),
    ColumnSpec("from_month", ("Hưởng từ tháng", "Hưởng từ", "Tháng bắt đầu hưởng", "Thời điểm hưởng", "Bắt đầu hưởng từ tháng")),
    ColumnSpec("arrears_from", ("Truy lĩnh từ tháng", "Truy lĩnh từ", "Truy lãnh từ tháng", "Truy lĩnh")),
    ColumnSpec("preference", ("Nguyện vọng", "Nguyện vọng nhận", "Đăng ký nhận", "Hình thức đăng ký", "Nguyện vọng (TK/TM/BKK)")),
    ColumnSpec("rep_name", ("Họ tên người nhận thay", "Họ và tên người nhận thay", "Người nhận thay", "Người nhận thay: Họ tên")),
    ColumnSpec("rep_birth", ("Ngày sinh người nhận", "Ngày sinh người nhận thay", "Năm sinh người nhận", "Năm sinh người nhận thay")),
    ColumnSpec("rep_sex", ("Giới tính người nhận", "Giới tính người nhận thay")),
    ColumnSpec("rep_number", ("CCCD người nhận", "Số CCCD người nhận", "CCCD người nhận thay", "Số CCCD người nhận thay"),
               secret=True),
    ColumnSpec(
        "rep_kind",
        ("Quan hệ/Hình thức", "Hình thức nhận thay", "Quan hệ", "Quan hệ/hình thức nhận thay", "Hình thức", "Tư cách nhận thay"),
    ),
    ColumnSpec("rep_certificate", ("Số giấy ủy quyền", "Số giấy uỷ quyền", "Giấy ủy quyền", "Số GUQ", "Giấy ủy quyền số")),
    ColumnSpec("rep_from", ("Từ ngày", "Ủy quyền từ ngày", "Có hiệu lực từ", "Hiệu lực từ ngày")),
    ColumnSpec("rep_to", ("Đến ngày", "Ủy quyền đến ngày", "Có hiệu lực đến", "Hết hạn", "Hiệu lực đến ngày")),
)  # fmt: skip
