"""The ground of a unit of one day among the units of another: by the rules of today, and by the first ones for what they froze."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from reporting.domain.unit_trees import KnownUnit, Place, Trees, View, topmost
from reporting.domain.unit_trees_first import FirstTrees, ToldPlace
from reporting.usecases.paper_parts import later_units, roots_on, stands_still

OLD, NEW = date(2025, 6, 30), date(2025, 7, 1)


def unit(number: int, path: str, *origins: int, whole: bool = True) -> KnownUnit:
    new = bool(origins)
    return KnownUnit(
        UUID(int=number), path, f"{path}/{'new' if new else 'old'}", NEW if new else date(2004, 1, 1), None if new else OLD,
        tuple((UUID(int=one), whole) for one in origins),
    )  # fmt: skip


UNITS = [
    unit(1, "60"), unit(2, "60/593"), unit(3, "60/593/1"), unit(4, "60/593/2"), unit(5, "60/594"), unit(6, "60/594/3"), unit(7, "68"),
    unit(8, "68/1"), unit(11, "68", 1, 7), unit(12, "68/1", 3, 4), unit(13, "68/2", 4, 6), unit(14, "68/3", 6, whole=False),
    unit(15, "68/4", 6, whole=False), unit(16, "68/5", 8),
]  # fmt: skip
TREES, FIRST = Trees(UNITS), FirstTrees(UNITS)


def test_the_first_rules_tell_a_unit_by_another_days_tree() -> None:
    assert FIRST.told_on("60/593/1", OLD, NEW) == ToldPlace("68/1", "68/1/new", exact=True)
    assert FIRST.told_on("68/1", OLD, NEW) == ToldPlace("68/5", "68/5/new", exact=True), "the code was given to another commune"
    assert FIRST.told_on("60/594/3", OLD, NEW).exact is False, "a split commune"
    assert FIRST.told_on("68/1", NEW, OLD) == ToldPlace("60/593", "60/593/old", exact=True)
    assert FIRST.told_on("68/2", NEW, OLD) == ToldPlace("60", "60/old", exact=True)
    assert FIRST.told_on("68/5", NEW, OLD) == ToldPlace("68/1", "68/1/old", exact=True)
    assert FIRST.told_on("99", NEW, OLD).exact is False


def test_by_the_first_rules_a_unit_lay_under_all_paths_it_was_made_from() -> None:
    assert FIRST.paths_on("68", NEW, OLD) == ("60", "68")
    assert FIRST.paths_on("60", OLD, NEW) == ("68",)
    assert FIRST.paths_on("60", OLD, OLD) == ("60",)
    assert not FIRST.same_tree(["68"], OLD, NEW), "the same code, another province"


def shown(path: str, day: date, below: str, on: date) -> tuple[str, bool] | None:
    place = View(TREES, path, day).place(below, on)
    return (place.key, place.counted) if place else None


def test_what_lay_wholly_in_a_unit_counts_in_it() -> None:
    assert shown("68", NEW, "60/593/1", OLD) == ("68/1", True)
    assert shown("68/1", NEW, "60/593/1", OLD) == ("", True)
    assert shown("68", NEW, "68/1", OLD) == ("68/5", True), "the code was given to another commune"
    assert shown("68/1", NEW, "68/1", OLD) is None
    assert shown("68", NEW, "60", OLD) == ("", True)
    assert shown("68/1", NEW, "60", OLD) is None
    assert shown("60", OLD, "68/1", NEW) == ("60/593", True), "made from two communes of one district"
    assert shown("60/593", OLD, "68/1", NEW) == ("68/1@2025-07-01", True)
    assert shown("68", OLD, "68/1", NEW) is None


def test_what_lay_in_it_in_part_is_named_beside_the_total() -> None:
    assert shown("68", NEW, "60/594/3", OLD) == ("60/594/3@2004-01-01", True), "all parts of a split commune lie in the province"
    assert shown("68/3", NEW, "60/594/3", OLD) == ("60/594/3@2004-01-01", False)
    assert shown("60/594", OLD, "68/2", NEW) == ("68/2@2025-07-01", False)
    place = View(TREES, "68/3", NEW).place("60/594/3", OLD)
    assert place == Place(
        "60/594/3@2004-01-01", "60/594/3",
        "60/594/3/old (tên cũ, đến 30/06/2025, chưa phân theo đơn vị mới; chỉ một phần thuộc đơn vị này, không tính vào tổng)",
        counted=False,
    )  # fmt: skip


def test_a_path_that_nobody_bears_means_who_bore_it_last() -> None:
    assert shown("68", NEW, "60/594/3", NEW) == ("60/594/3@2004-01-01", True)
    assert shown("68", NEW, "60/594", NEW) == ("60/594@2004-01-01", True), "a district became nothing: it lies where its province went"
    assert shown("68", NEW, "60/594/77", NEW) == ("60/594@2004-01-01", True), "a unit nobody told us of"
    assert shown("60", OLD, "60/594/77", OLD) == ("60/594", True)
    assert shown("60", OLD, "68/1", OLD) is None, "borne on that day, by another"
    assert shown("60", OLD, "68/2", OLD) == ("68/2@2025-07-01", True), "borne later only"


def test_roots_hold_all_that_lies_below_them() -> None:
    assert topmost(["68/1", "60/593", "60/593/1", "60", "600"]) == ["60", "600", "68/1"]


def test_a_month_of_its_own_days_is_read_from_below_the_path_alone() -> None:
    """Whatever became of the unit since; and after the reform no longer, as people may still be told at units that ended."""
    before, after = View(TREES, "60", OLD), View(TREES, "68", NEW)
    assert stands_still(before, [date(2025, 1, 31), OLD])
    assert (roots_on(before, OLD), later_units(before, [OLD])) == (["60"], [])
    assert not stands_still(before, [OLD, NEW])
    assert later_units(before, [NEW]) == ["68"]
    assert not stands_still(after, [NEW])
    assert (roots_on(after, NEW), later_units(after, [OLD, NEW])) == (["60", "68"], [])
