"""What the law of the sample's months says, written down apart from the services so that the truth file is a second opinion.

Sources: Decree 20/2021 with the standard of Decree 76/2024 (500,000 đồng from 2024-07) and of Decree 20/2021 Art.4 (360,000 before);
merit tables of Decree 77/2024 (from 2024-07; earlier tables are not loaded, so earlier merit months have no known amount).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

__all__ = ["MERIT", "SOCIAL_ASSISTANCE", "Category", "Line", "amount", "draw_lines"]

MERIT, SOCIAL_ASSISTANCE = "MERIT", "SOCIAL_ASSISTANCE"

_COEFFICIENT_TENTHS = {
    "SA1_LT4": 25, "SA1_GE4": 15, "SA2": 15, "SA3_LT4": 25, "SA3_4_16": 20, "SA4": 10, "SA5A_60_80": 15, "SA5A_GE80": 20, "SA5B": 10,
    "SA5C": 10, "SA5D": 30, "SA6_XS": 20, "SA6_XS_CE": 25, "SA6_S": 15, "SA6_S_CE": 20, "SA7": 15, "SA8": 15, "CS_CHILD_LT4": 25,
    "CS_CHILD_4_16": 15, "CS_PREG1": 15, "CS_PREG2": 20, "CS_HH_XS": 10, "CS_FOSTER_XS": 15, "CS_FOSTER_XS_CHILD": 25,
}  # fmt: skip
_MERIT_2024 = {
    "MR_BEFORE_1945_LEFT": 3_117_000, "MR_BEFORE_1945_STAYED": 5_291_000, "MR_1945": 2_884_000, "MR_MARTYR_1": 2_789_000,
    "MR_MARTYR_2": 5_578_000, "MR_MARTYR_3": 8_367_000, "MR_NURTURE": 2_231_000, "MR_MOTHER": 8_367_000, "MR_MOTHER_SUPPL": 2_337_000,
    "MR_HERO": 2_337_000, "MR_WOUNDED_SUPPL_81": 1_399_000, "MR_SICK_41_50": 2_911_000, "MR_SICK_51_60": 3_627_000,
    "MR_SICK_61_70": 4_622_000, "MR_SICK_71_80": 5_329_000, "MR_SICK_81_90": 6_378_000, "MR_SICK_91_100": 7_104_000,
    "MR_CHEM_21_40": 2_120_000, "MR_CHEM_41_60": 3_542_000, "MR_CHEM_61_80": 4_964_000, "MR_CHEM_81": 6_358_000,
    "MR_CHEM_CHILD_61_80": 1_673_000, "MR_CHEM_CHILD_81": 2_789_000, "MR_PRISON": 1_673_000, "MR_HELPER_MEDAL": 1_639_000,
    "MR_HELPER_1945": 2_789_000, "MR_SURVIVOR": 1_565_000,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One benefit line as the commune writes it: category and, for the wounded, the percentage of injury."""

    category: str
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """How a category is drawn: relative frequency, years of birth, sex ("" = any), and the lines a person gets."""

    weight: int
    first_year: int
    last_year: int
    sex: str
    lines: tuple[str, ...]


@cache
def _wounded() -> dict[tuple[str, int], int]:
    text = resources.files("ansinh.sample").joinpath("data/merit_wounded_2024.csv").read_text(encoding="utf-8")
    return {(r["kind"], int(r["percent"])): int(r["vnd"]) for r in csv.DictReader(text.splitlines())}


def amount(line: Line, month: str) -> int | None:
    """Đồng due for one line in a month "YYYY-MM"; None where no table is known for that month."""
    if line.category in _COEFFICIENT_TENTHS:
        standard = 500_000 if month >= "2024-07" else 360_000
        return standard * _COEFFICIENT_TENTHS[line.category] // 10
    if month < "2024-07":
        return None
    if line.category in ("MR_WOUNDED", "MR_WOUNDED_B"):
        return _wounded()[(line.category, line.percent or 0)]
    return _MERIT_2024[line.category]


# Years of birth keep clear of the age steps (4, 16, 60, 75, 80) of every sample month, 2023-11 to 2024-09.
_SA = (
    Category(380, 1922, 1942, "", ("SA5C",)),
    Category(150, 1966, 2004, "", ("SA6_S",)),
    Category(70, 2010, 2022, "", ("SA6_S_CE",)),
    Category(95, 1938, 1960, "", ("SA6_S_CE",)),
    Category(40, 1966, 2004, "", ("SA6_XS",)),
    Category(20, 2010, 2022, "", ("SA6_XS_CE",)),
    Category(38, 1932, 1960, "", ("SA6_XS_CE",)),
    Category(24, 1946, 1962, "", ("SA5A_60_80",)),
    Category(14, 1925, 1942, "", ("SA5A_GE80",)),
    Category(12, 1945, 1947, "", ("SA5B",)),
    Category(2, 1930, 1950, "", ("SA5D",)),
    Category(3, 2021, 2022, "", ("SA1_LT4",)),
    Category(18, 2009, 2018, "", ("SA1_GE4",)),
    Category(8, 2004, 2006, "", ("SA2",)),
    Category(1, 2009, 2018, "", ("SA3_4_16",)),
    Category(36, 1970, 2000, "F", ("SA4",)),
    Category(5, 2022, 2022, "", ("SA7",)),
    Category(3, 1970, 2000, "", ("SA8",)),
    Category(58, 1960, 1998, "", ("CS_HH_XS",)),
    Category(14, 1955, 1995, "", ("CS_CHILD_4_16",)),
    Category(3, 1960, 1995, "", ("CS_FOSTER_XS",)),
    Category(4, 1986, 2003, "F", ("SA6_S", "CS_PREG1")),
    Category(2, 1986, 2000, "F", ("SA4", "SA6_S")),
)
_MERIT = (
    Category(300, 1935, 1972, "M", ("MR_WOUNDED",)),
    Category(40, 1940, 1975, "M", ("MR_WOUNDED_B",)),
    Category(12, 1935, 1958, "M", ("MR_WOUNDED", "MR_WOUNDED_SUPPL_81")),
    Category(190, 1930, 1965, "", ("MR_MARTYR_1",)),
    Category(14, 1926, 1950, "F", ("MR_MARTYR_2",)),
    Category(3, 1924, 1942, "F", ("MR_MARTYR_3",)),
    Category(14, 1930, 1950, "F", ("MR_NURTURE",)),
    Category(8, 1924, 1940, "F", ("MR_MOTHER", "MR_MOTHER_SUPPL")),
    Category(4, 1930, 1960, "M", ("MR_HERO",)),
    Category(4, 1922, 1929, "", ("MR_1945",)),
    Category(2, 1920, 1927, "", ("MR_BEFORE_1945_LEFT",)),
    Category(1, 1920, 1927, "", ("MR_BEFORE_1945_STAYED",)),
    Category(26, 1938, 1970, "M", ("MR_SICK_41_50",)),
    Category(22, 1938, 1970, "M", ("MR_SICK_51_60",)),
    Category(18, 1938, 1970, "M", ("MR_SICK_61_70",)),
    Category(8, 1938, 1965, "M", ("MR_SICK_71_80",)),
    Category(2, 1938, 1960, "M", ("MR_SICK_81_90",)),
    Category(20, 1940, 1960, "", ("MR_CHEM_21_40",)),
    Category(40, 1940, 1960, "", ("MR_CHEM_41_60",)),
    Category(22, 1940, 1960, "", ("MR_CHEM_61_80",)),
    Category(3, 1940, 1958, "", ("MR_CHEM_81",)),
    Category(24, 1970, 1995, "", ("MR_CHEM_CHILD_61_80",)),
    Category(8, 1970, 1995, "", ("MR_CHEM_CHILD_81",)),
    Category(90, 1930, 1956, "", ("MR_PRISON",)),
    Category(80, 1925, 1955, "", ("MR_HELPER_MEDAL",)),
    Category(6, 1922, 1932, "", ("MR_HELPER_1945",)),
    Category(70, 1928, 1955, "F", ("MR_SURVIVOR",)),
    Category(12, 1936, 1956, "M", ("MR_WOUNDED", "MR_CHEM_41_60")),
    Category(6, 1936, 1956, "", ("MR_PRISON", "MR_HELPER_MEDAL")),
)


def _cumulative(categories: tuple[Category, ...]) -> list[int]:
    total, out = 0, []
    for c in categories:
        total += c.weight
        out.append(total)
    return out


_TABLES = {
    (MERIT, False): _MERIT,
    (MERIT, True): _MERIT,
    (SOCIAL_ASSISTANCE, False): _SA,
    (SOCIAL_ASSISTANCE, True): tuple(c for c in _SA if c.last_year <= 2004),
}
_CUMULATIVE = {key: _cumulative(table) for key, table in _TABLES.items()}


def draw_lines(rng: Random, programme: str, *, adult: bool) -> tuple[Category, tuple[Line, ...]]:
    """A category by frequency (`adult` leaves children out) and the person's benefit lines."""
    key = (programme, adult)
    category = rng.choices(_TABLES[key], cum_weights=_CUMULATIVE[key])[0]
    lines = []
    for code in category.lines:
        percent = None
        if code in ("MR_WOUNDED", "MR_WOUNDED_B"):
            percent = rng.randint(81, 100) if "MR_WOUNDED_SUPPL_81" in category.lines else min(80, 21 + int(rng.expovariate(1 / 16)))
        lines.append(Line(code, percent))
    return category, tuple(lines)
