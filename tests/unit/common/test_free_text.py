"""Words that people write are kept without what may be a national or account number."""

from __future__ import annotations

import pytest

from common.masking import hide_long_numbers


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Đã đối chiếu CCCD 060150123456 bản gốc", "Đã đối chiếu CCCD *** bản gốc"),
        ("CMND cũ 261234567.", "CMND cũ ***."),
        ("số 060 150 123 456", "số ***"),
        ("TK 4800205000123/Agribank", "TK ***/Agribank"),
        ("Giấy xác nhận số 45/XN ngày 20/08/2024", "Giấy xác nhận số 45/XN ngày 20/08/2024"),
        ("2024-08-20 lúc 10 giờ, 500.000 đồng", "2024-08-20 lúc 10 giờ, 500.000 đồng"),
    ],
)
def test_long_numbers_are_hidden_and_everything_else_stays(text: str, kept: str) -> None:
    assert hide_long_numbers(text) == kept
    assert hide_long_numbers(kept) == kept
