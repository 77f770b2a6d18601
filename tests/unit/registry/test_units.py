"""Names of units as they are looked for, and the checks of a change of units."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.units import ChangeRow, Unit, check_change, effects, parse_row, search_key, spoken

BEFORE = {
    unit.code: unit
    for unit in (
        Unit("75", "Tỉnh Đồng Nai", "province", None, "75"),
        Unit("26068", "Phường Biên Hòa", "commune", "75", "75/26068"),
        Unit("26071", "Xã Đại Phước", "commune", "75", "75/26071"),
        Unit("80", "Tỉnh Tây Ninh", "province", None, "80"),
    )
}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Phường 1, Quận Gò Vấp", "PHUONG 1 QUAN GO VAP"),
        ("  xã   Đạ Tẻh ", "XA DA TEH"),
        ("Xã Ia H'Drai", "XA IA H DRAI"),
        ("Thôn 3", "THON 3"),
        ("e\u0302\u0301", "E"),
    ],
)
def test_search_keys_keep_digits(text: str, key: str) -> None:
    assert search_key(text) == key


@pytest.mark.parametrize(
    ("asked", "key"), [("P. Mũi Né", "MUI NE"), ("phuong 1", "PHUONG 1"), ("Xã", "XA"), ("TP Hồ Chí Minh", "HO CHI MINH"), ("hue", "HUE")]
)
def test_the_kind_of_unit_before_a_name_does_not_matter(asked: str, key: str) -> None:
    assert spoken(asked) == key


def row(number: int, code: str, parent: str | None = "75", level: str = "commune", **more: Any) -> ChangeRow:
    return ChangeRow(number, code, name="Tên", level=level, type="phuong", parent_code=parent, **more)


def province(**more: Any) -> ChangeRow:
    return row(1, "75", None, "province", whole=["75"], **more)


def codes(rows: list[ChangeRow]) -> list[str]:
    return [fault["code"] for fault in check_change(rows, BEFORE)]


def test_a_renamed_province_keeps_its_communes() -> None:
    rows = [province()]
    assert codes(rows) == []
    assert rows[0].path == "75"
    assert effects(rows, BEFORE) == {"units_new": 0, "units_changed": 1, "units_closed": 1, "whole": 1, "part": 0}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(2, "99999", whole=["26068"]), row(3, "99998", whole=["26068"])], "WHOLE_TWICE"),
        ([row(2, "99999", whole=["26068"]), row(3, "99998", part=["26068"])], "WHOLE_AND_PART"),
        ([row(2, "99999", part=["26068"])], "ONE_PART"),
        ([row(2, "99999", whole=["11111"])], "UNKNOWN"),
        ([row(2, "26068")], "STILL_USED"),
        ([row(2, "99999"), row(3, "99999")], "TWICE"),
        ([row(2, "99999", "12345")], "NO_PARENT"),
        ([row(2, "99999", "99998"), row(3, "99998", "99999")], "NO_PARENT"),
        ([ChangeRow(2, "11111", ended=True)], "UNKNOWN"),
        ([ChangeRow(2, "75", ended=True)], "LEFT_BELOW"),
        ([row(2, "80", None, "province", whole=["75", "80"])], "LEFT_BELOW"),
    ],
)
def test_a_change_that_does_not_fit_says_why(rows: list[ChangeRow], expected: str) -> None:
    assert expected in codes(rows)


def test_rows_of_a_file() -> None:
    good, faults = parse_row(
        4,
        {
            "code": "26070",
            "name": " Phường  Trảng Dài ",
            "level": "Xã",
            "type": "Phường",
            "parent_code": "75",
            "from_codes": "26068+26071*",
        },
    )
    assert (faults, good.name, good.level, good.type) == ([], "Phường Trảng Dài", "commune", "phuong")
    assert (good.whole, good.part) == (["26068"], ["26071"])
    ended, faults = parse_row(5, {"code": "26070", "level": "Bãi bỏ"})
    assert (ended.ended, faults) == (True, [])
    _, faults = parse_row(6, {"code": "?", "level": "làng", "from_codes": "26068 nửa"})
    assert [fault["code"] for fault in faults] == ["BAD_CODE", "BAD_LEVEL", "BAD_TYPE", "MISSING_NAME", "BAD_FROM"]
    assert all(fault["row"] == 6 and fault["detail_vi"] for fault in faults)
