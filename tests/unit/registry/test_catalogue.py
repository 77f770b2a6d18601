"""The catalogue's files say what the law says: amounts as published, every row with its legal basis."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from registry.storage.catalogue import read_file

STANDARDS = {(row["standard"], row["applies_from"]): int(row["amount_vnd"]) for row in read_file("standards.csv")}
MERIT = {
    (row["category"], row["percent"]): int(row["amount_vnd"])
    for name in ("merit_amounts.csv", "merit_wounded.csv")
    for row in read_file(name)
}
COEFFICIENTS = {row["category"]: int(row["coefficient_hundredths"]) for row in read_file("coefficients.csv")}
CATEGORIES = {row["code"]: row for row in read_file("categories.csv")}


@pytest.mark.parametrize(
    ("category", "percent", "amount"),
    [
        ("MR_BEFORE_1945_LEFT", "", 3_117_000), ("MR_BEFORE_1945_STAYED", "", 5_291_000), ("MR_1945", "", 2_884_000),
        ("MR_MARTYR_1", "", 2_789_000), ("MR_MARTYR_2", "", 5_578_000), ("MR_MARTYR_3", "", 8_367_000), ("MR_NURTURE", "", 2_231_000),
        ("MR_MOTHER", "", 8_367_000), ("MR_MOTHER_SUPPL", "", 2_337_000), ("MR_HERO", "", 2_337_000), ("MR_WOUNDED", "21", 1_878_000),
        ("MR_WOUNDED", "41", 3_667_000), ("MR_WOUNDED", "61", 5_450_000), ("MR_WOUNDED", "81", 7_240_000), ("MR_WOUNDED", "100", 8_941_000),
        ("MR_WOUNDED_B", "21", 1_552_000), ("MR_WOUNDED_B", "100", 7_397_000), ("MR_WOUNDED_SUPPL_81", "", 1_399_000),
        ("MR_SICK_41_50", "", 2_911_000), ("MR_SICK_91_100", "", 7_104_000), ("MR_CHEM_21_40", "", 2_120_000),
        ("MR_CHEM_81", "", 6_358_000),
        ("MR_CHEM_CHILD_61_80", "", 1_673_000), ("MR_CHEM_CHILD_81", "", 2_789_000), ("MR_PRISON", "", 1_673_000),
        ("MR_HELPER_MEDAL", "", 1_639_000), ("MR_HELPER_1945", "", 2_789_000), ("MR_SURVIVOR", "", 1_565_000),
    ],
)  # fmt: skip
def test_merit_amounts_of_decree_77_2024(category: str, percent: str, amount: int) -> None:
    assert MERIT[(category, percent)] == amount


def test_all_160_wounded_values_rise_with_the_percentage() -> None:
    for category in ("MR_WOUNDED", "MR_WOUNDED_B"):
        values = [MERIT[(category, str(percent))] for percent in range(21, 101)]
        assert all(low < high for low, high in pairwise(values))
        assert all(value % 1_000 == 0 for value in values)


@pytest.mark.parametrize(
    ("category", "month", "amount"),
    [
        ("SA1_LT4", "2021-07-01", 900_000), ("SA6_S", "2021-07-01", 540_000), ("SA6_S", "2024-07-01", 750_000),
        ("SA5C", "2024-07-01", 500_000),
        ("SA5D", "2024-07-01", 1_500_000), ("SA6_XS_CE", "2024-07-01", 1_250_000), ("CS_HH_XS", "2024-07-01", 500_000),
        ("CS_FOSTER_XS_CHILD", "2024-07-01", 1_250_000), ("SA6_S", "2026-07-01", 810_000),
    ],
)  # fmt: skip
def test_assistance_is_standard_times_coefficient(category: str, month: str, amount: int) -> None:
    assert STANDARDS[("SA_STANDARD", month)] * COEFFICIENTS[category] == amount * 100


def test_every_row_has_its_legal_basis_and_its_two_dates() -> None:
    for name in ("standards.csv", "coefficients.csv", "merit_amounts.csv", "merit_wounded.csv"):
        for row in read_file(name):
            assert row["legal_basis"], row
            assert date.fromisoformat(row["applies_from"]) <= date.fromisoformat(row["known_from"])
    assert all(row["legal_basis"] and row["public_basis"] for row in CATEGORIES.values())


def test_every_row_of_the_law_has_its_legal_basis_and_names_categories_that_exist() -> None:
    for name in ("steps.csv", "group_conditions.csv", "exclusions.csv", "stacking.csv", "one_off.csv", "top_ups.csv"):
        for row in read_file(name):
            assert row["legal_basis"], row
            assert row.get("category") in (*CATEGORIES, None, ""), row
            assert row.get("next_category") in (*CATEGORIES, None, ""), row


def test_an_age_step_stays_on_its_line_so_that_a_paid_month_is_remembered() -> None:
    for row in read_file("steps.csv"):
        if row["next_category"]:
            before, after = CATEGORIES[row["category"]], CATEGORIES[row["next_category"]]
            same = ("programme", "funding_source", "benefit_line", "stack_group", "concerns", "per_dependant")
            assert [before[name] for name in same] == [after[name] for name in same], row


def test_gifts_and_sums_due_once() -> None:
    sums = {row["code"]: row for row in read_file("one_off.csv")}
    assert (sums["GIFT_263"]["amount_vnd"], sums["GIFT_418"]["amount_vnd"]) == ("100000", "400000")
    multiples = {code: row["multiple"] for code, row in sums.items() if row["multiple"]}
    assert multiples == {
        "FUNERAL_ASSISTANCE": "20", "FUNERAL_PENSION": "20", "FUNERAL_MERIT": "10", "LUMP_SUM_MERIT": "3", "EMERGENCY_DEATH": "50",
        "EMERGENCY_INJURY": "10",
    }  # fmt: skip
    lines = {row["benefit_line"] for row in CATEGORIES.values()}
    assert not lines & {row["benefit_line"] for row in sums.values()}, "one-off sums have lines of their own"


def test_every_category_has_an_amount_and_a_neutral_line() -> None:
    priced = {category for category, _ in MERIT} | set(COEFFICIENTS)
    assert priced == set(CATEGORIES)
    assert {row["benefit_line"] for row in CATEGORIES.values()} <= {f"{letter}{n:02d}" for letter in "MAP" for n in range(1, 15)}


def test_health_does_not_show_in_what_lists_carry() -> None:
    assistance = [row for row in CATEGORIES.values() if row["programme"] == "SOCIAL_ASSISTANCE"]
    for row in assistance:
        assert "khoản" not in row["public_basis"]  # the clause tells disability and HIV apart
    assert len({row["benefit_line"] for row in assistance if row["code"].startswith(("SA3", "SA6", "SA8", "SA5"))}) == 1


def test_units_of_binh_thuan_before_and_after() -> None:
    legacy = list(read_file("units_legacy.csv"))
    districts = {row["code"] for row in legacy if row["parent_code"] == "60"}
    assert len(districts) == 10
    assert sum(row["parent_code"] in districts for row in legacy if row["level"] == "commune") == 121
    current = list(read_file("units_current.csv"))
    assert (sum(row["level"] == "province" for row in current), sum(row["level"] == "commune" for row in current)) == (34, 3_321)
