"""The office's own spreadsheet: titles and totals are no people, and nobody is taken for a total."""

from __future__ import annotations

from uuid import uuid4

import pytest

from disbursement.usecases.shadow import _read

HEAD = "UBND xã Hàm Thắng\nDANH SÁCH CHI TRẢ THÁNG 8\nSTT;Mã hồ sơ;Họ và tên;Năm sinh;Số tiền\n"
PERSON = "1;BT-1;Nguyễn Bích Trang;1981;500.000\n"


@pytest.mark.parametrize("total", [";;Cộng;;500.000\n", ";;Tổng cộng:;;500.000\n", "Tổng cộng;;;;500.000\n", ";;Cộng trang;;500.000\n"])
def test_a_total_is_not_counted_as_somebody(total: str) -> None:
    rows = _read(uuid4(), (HEAD + PERSON + total).encode(), "thang-8.csv")
    assert [row[3] for row in rows] == ["Nguyễn Bích Trang"]


@pytest.mark.parametrize("name", ["Tống Công", "Tống Công Minh", "TONG CONG", "Công Tằng Tổng"])
def test_a_name_like_a_total_stays(name: str) -> None:
    rows = _read(uuid4(), (HEAD + PERSON + f";;{name};1950;500.000\n").encode(), "thang-8.csv")
    assert [row[3] for row in rows] == ["Nguyễn Bích Trang", name]
