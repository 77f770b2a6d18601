"""One row of a list: what it says, or why it is refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from common.tabular import ColumnSpec
from registry.domain.columns import COLUMNS
from registry.domain.dates import birth_date, next_month
from registry.domain.numbers import clean_number, number_warnings, structure_reason
from registry.domain.reasons import REASONS
from registry.domain.rows import Category, Rules, check_row, name_label, plain_label

TODAY = date(2024, 8, 20)
RULES = Rules(
    "SOCIAL_ASSISTANCE", "22924", "60/593/22924", TODAY,
    {"SA6_S": Category("SA6_S", "SOCIAL_ASSISTANCE", False), "MR_WOUNDED": Category("MR_WOUNDED", "MERIT", True)},
    {"22924": "60/593/22924", "22915": "60/593/22915"},
)  # fmt: skip
GOOD = {
    "file_code": "A-1", "full_name": "  Nguyễn Thị Hoà ", "birth_date": "02/03/1990", "sex": "Nữ", "number": "060 190 000 001",
    "category": "sa6_s", "decision_number": "12/QĐ", "decision_date": "15/01/2024", "from_month": "01/2024", "preference": "tk",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("060190000001", None), ("60190000001", "NUMBER_LOST_ZERO"), ("260190123", "NUMBER_OLD_ID"), ("0601900000012", "NUMBER_BAD"),
        ("06019000000A", "NUMBER_BAD"), ("6.0190E+10", "NUMBER_ROUNDED"), ("3,80123E+11", "NUMBER_ROUNDED"),
        ("1190000001", "NUMBER_LOST_ZERO"), ("060490000001", "NUMBER_BAD"), ("000190000001", "NUMBER_BAD"),
        ("٠٦٠١٩٠٠٠٠٠٠١", "NUMBER_BAD"),
    ],
)  # fmt: skip
def test_number_structure(text: str, code: str | None) -> None:
    assert structure_reason(clean_number(text)) == code


def test_odd_numbers_only_warn() -> None:
    assert number_warnings("060190000001", "1990-03-02", "F") == []
    assert number_warnings("099090000001", "1991", "F") == ["NUMBER_PROVINCE", "NUMBER_SEX", "NUMBER_YEAR"]
    assert number_warnings("060305000001", "2005", "F") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("02/03/1990", "1990-03-02"), ("1950", "1950"), ("3/1950", "1950-03"), ("1950-03-02", "1950-03-02"), ("31/02/1950", None),
        ("02/03/2090", None), ("02/03/1850", None), ("không rõ", None), ("02.03.1990", "1990-03-02"),
    ],
)  # fmt: skip
def test_birth_dates_keep_their_precision(text: str, expected: str | None) -> None:
    assert birth_date(text, TODAY) == expected


def test_next_month_goes_over_the_year() -> None:
    assert (next_month(date(2024, 12, 1)), next_month(date(2024, 1, 31))) == (date(2025, 1, 1), date(2024, 2, 1))


@pytest.mark.parametrize("slipped", ["birth_date", "sex", "category", "unit_code", "from_month", "decision_date", "preference"])
@pytest.mark.parametrize("number", ["060190000001", "060 190 000 001", "060.190.000.001"])
def test_a_number_in_another_column_is_not_kept_in_clear(slipped: str, number: str) -> None:
    row = check_row(GOOD | {slipped: number}, RULES)
    assert row.reasons
    kept = repr([item.as_json() for item in row.reasons + row.warnings]) + row.category + row.unit_code
    assert "190" not in kept


def test_a_good_row_is_understood() -> None:
    row = check_row(GOOD, RULES)
    assert (row.reasons, row.warnings) == ([], [])
    assert (row.full_name, row.name_folded, row.number, row.category) == ("Nguyễn Thị Hoà", "NGUYEN THI HOA", "060190000001", "SA6_S")
    assert (row.from_month, row.preference, row.unit_path) == (date(2024, 1, 1), "WANTS_ACCOUNT", "60/593/22924")


def test_no_number_is_no_fault() -> None:
    row = check_row(GOOD | {"number": ""}, RULES)
    assert (row.reasons, row.number) == ([], None)


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"full_name": " "}, ["MISSING_NAME"]), ({"file_code": ""}, ["MISSING_FILE_CODE"]), ({"sex": "X"}, ["BAD_SEX"]),
        ({"category": "ZZ"}, ["UNKNOWN_CATEGORY"]), ({"category": "MR_WOUNDED"}, ["WRONG_PROGRAMME", "BAD_PERCENT"]),
        ({"unit_code": "1"}, ["UNKNOWN_UNIT"]), ({"unit_code": "22915"}, ["UNIT_OUTSIDE"]), ({"preference": "XX"}, ["BAD_PREFERENCE"]),
        ({"decision_date": "", "decision_number": ""}, ["MISSING_DECISION", "BAD_DECISION_DATE"]),
        ({"from_month": "13/2024"}, ["BAD_FROM_MONTH"]),
        ({"arrears_from": "x"}, ["BAD_ARREARS_MONTH"]), ({"rep_name": "B", "rep_kind": "?"}, ["REP_BAD_KIND"]),
        ({"rep_name": "B", "rep_kind": "Giám hộ", "rep_number": "060190000001"}, ["REP_IS_SELF"]),
        ({"rep_name": "B", "rep_kind": "Con / Uỷ quyền", "rep_from": "01/02/2024", "rep_to": "01/01/2024"}, ["REP_BAD_DATE"]),
        ({"birth_date": "1/1/1850", "number": "1", "full_name": ""}, ["MISSING_NAME", "BAD_BIRTH_DATE", "NUMBER_BAD"]),
    ],
)  # fmt: skip
def test_all_faults_of_a_row_are_named_at_once(cells: dict[str, str], codes: list[str]) -> None:
    assert [reason.code for reason in check_row(GOOD | cells, RULES).reasons] == codes


def test_a_reason_never_repeats_a_number() -> None:
    (reason,) = check_row(GOOD | {"number": "60190000001"}, RULES).reasons
    assert "60190000001" not in str(reason.as_json())


def test_reasons_speak_both_languages_and_columns_are_named_once() -> None:
    assert all(vi and en and vi != en for vi, en in REASONS.values())
    assert all(isinstance(column, ColumnSpec) for column in COLUMNS)
    headers = [header for column in COLUMNS for header in column.headers]
    assert len(headers) == len(set(headers))


def test_a_category_is_told_by_code_or_by_its_name_and_words_that_may_tell_of_health_are_not_repeated() -> None:
    severe = Category("SA6_S", "SOCIAL_ASSISTANCE", False)
    rules = replace(RULES, categories=dict(RULES.categories) | {name_label("Người khuyết tật nặng"): severe})
    for said in ("SA6_S", "sa6 _s", "Người khuyết tật nặng", "NGƯỜI KHUYẾT TẬT  NẶNG", "Người  khuyết tật, nặng."):
        row = check_row(GOOD | {"category": said}, rules)
        assert (row.category, row.reasons) == ("SA6_S", [])
    for said, shown in (("SA9", ": SA9"), ("nhiễm HIV", "danh mục): ")):
        (found,) = check_row(GOOD | {"category": said}, rules).reasons
        assert (found.code, found.vi.endswith(shown), "HIV" in str(found)) == ("UNKNOWN_CATEGORY", True, False)


def test_accents_may_be_left_out_but_not_be_wrong() -> None:
    severe = Category("SA6_S", "SOCIAL_ASSISTANCE", False)
    rules = replace(RULES, categories=dict(RULES.categories) | {plain_label("Người khuyết tật nặng"): severe})
    assert check_row(GOOD | {"category": "NGUOI khuyet tat nang"}, rules).category == "SA6_S"
    for said in ("Người khuyết tật năng", "~nguoikhuyettatnang khac", "nguoi khuyet tat"):
        (found,) = check_row(GOOD | {"category": said}, rules).reasons
        assert found.code == "UNKNOWN_CATEGORY"


def test_no_two_categories_of_the_catalogue_share_a_name() -> None:
    rows = list(csv.DictReader((files("registry") / "catalogue" / "categories.csv").read_text(encoding="utf-8").splitlines()))
    assert len({name_label(row["name_vi"]) for row in rows} | {row["code"] for row in rows}) == 2 * len(rows)
