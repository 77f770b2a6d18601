"""The catalogue of indicators: every figure the province publishes, by a stable code, and what exactly it counts.

Four ways of counting are kept apart and never mixed (`kind`):

- `STANDING`: people as they stand at the end of the period's last month (registered, verified, wanting an account …);
- `MONTH`: what happened to the lists of the period's months. Over one month `people` are persons; over several they are turns (lượt người),
  and what one list could not pay and a later list of the period took over is told with the later one alone: money is due once;
- `YEAR`: from January of the period's last year to its last month; here people are persons, each once in the year, and
  whoever was paid under several files that were merged is one;
- `RATE`: one of the counts in percent of another, half-up.

"Collected", "opened", "registered", "verified" and "paid" are five counts of their own: none is derived from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.contracts.registry_v1 import Programme
from reporting.domain.indicator_words import COLUMN_WORDS, RATE_WORDS, STANDING_WORDS, Words

__all__ = [
    "ALL", "CAMPAIGN", "EACH_ONCE", "GROUPS", "INDICATORS", "MONTH_COLUMNS", "RATES", "STANDING_COLUMNS", "YEAR_PEOPLE_COLUMNS",
    "Indicator", "Kind", "Rate", "Unit", "counts_of", "group_words", "indicator",
]  # fmt: skip

ALL: Final = "ALL"
"""Group: the sum of the monthly programmes, as the province publishes it; somebody in two of them counts twice."""

CAMPAIGN: Final = Programme.CAMPAIGN.value
"""Gifts and help given once: a group of its own, in no sum of monthly allowances."""

EACH_ONCE: Final = "EACH_ONCE"
"""Group: the monthly programmes, each person once. Đồng and lines are those of `ALL`."""

_GROUP_WORDS: Final = {
    Programme.MERIT.value: Words("Người có công với cách mạng", "People with revolutionary merit"),
    Programme.SOCIAL_ASSISTANCE.value: Words("Đối tượng bảo trợ xã hội", "Social assistance"),
    Programme.SOCIAL_PENSION.value: Words("Trợ cấp hưu trí xã hội", "Social pension"),
    Programme.CAMPAIGN.value: Words("Chi một lần theo đợt", "One-off campaigns"),
    ALL: Words("Cộng các nhóm", "All groups, summed"),
    EACH_ONCE: Words("Tất cả, mỗi người đếm một lần", "All groups, each person once"),
}
GROUPS: Final = tuple(_GROUP_WORDS)


class Unit(StrEnum):
    """In what an indicator counts."""

    PEOPLE = "PEOPLE"
    LINES = "LINES"
    DONG = "DONG"
    PERCENT = "PERCENT"
    UNITS = "UNITS"


class Kind(StrEnum):
    """Over what time it counts (see the module)."""

    STANDING = "STANDING"
    MONTH = "MONTH"
    YEAR = "YEAR"
    RATE = "RATE"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure. `groups`: the groups it is told for; `target`: the value it should have, where the rule names one."""

    code: str
    vi: str
    en: str
    unit: Unit
    kind: Kind
    groups: tuple[str, ...] = GROUPS
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole` in percent; with `but_*` taken off both: what the denominator without force-majeure leaves out."""

    code: str
    part: str
    whole: str
    but_part: str | None = None
    but_whole: str | None = None

    def of(self, values: Mapping[str, int]) -> tuple[int, int]:
        """Numerator and denominator among an answer's values."""
        less_part = values[self.but_part] if self.but_part else 0
        less_whole = values[self.but_whole] if self.but_whole else 0
        return values[self.part] - less_part, values[self.whole] - less_whole


STANDING_COLUMNS: Final = tuple(STANDING_WORDS)
MONTH_COLUMNS: Final = tuple(COLUMN_WORDS)
"""Stems: each is counted in people, benefit lines and đồng (`paid_people`, `paid_lines`, `paid_dong`)."""

YEAR_PEOPLE_COLUMNS: Final = ("paid", "by_account", "bank", "wallet", "mobile_money", "post", "home")
"""Stems that also have figures of the year to date (`paid_people_year`, `paid_dong_year`)."""

RATES: Final = (
    Rate("collected_rate", "collected_people", "beneficiaries"),
    Rate("opened_rate", "opened_people", "beneficiaries"),
    Rate("registered_rate", "registered_people", "beneficiaries"),
    Rate("registered_rate_without_fm", "registered_people", "beneficiaries", "registered_fm_people", "force_majeure_people"),
    Rate("verified_rate", "verified_people", "beneficiaries"),
    Rate("data_quality_rate", "clean_people", "beneficiaries"),
    Rate("by_account_rate", "by_account_people", "due_people"),
    Rate("by_account_rate_without_fm", "by_account_people", "due_people", "by_account_fm_people", "due_fm_people"),
    Rate("by_account_lines_rate", "by_account_lines", "due_lines"),
    Rate("paid_rate", "paid_people", "due_people"),
)

_TARGET_ZERO: Final = frozenset({"unpaid_people", "unpaid_at_end_people", "overdue_people"})
_MEASURES: Final = (
    ("people", Unit.PEOPLE, "người", "people"),
    ("lines", Unit.LINES, "dòng trợ cấp", "benefit lines"),
    ("dong", Unit.DONG, "đồng", "đồng"),
)


def _standing() -> Iterator[Indicator]:
    for code, words in STANDING_WORDS.items():
        yield Indicator(code, words.vi, words.en, Unit.PEOPLE, Kind.STANDING)


def _months() -> Iterator[Indicator]:
    for stem, words in COLUMN_WORDS.items():
        for suffix, unit, vi, en in _MEASURES:
            code = f"{stem}_{suffix}"
            target = 0 if code in _TARGET_ZERO else None
            yield Indicator(code, f"{words.vi} ({vi})", f"{words.en} ({en})", unit, Kind.MONTH, target=target)


def _years() -> Iterator[Indicator]:
    for stem in YEAR_PEOPLE_COLUMNS:
        words = COLUMN_WORDS[stem]
        for suffix, unit, vi, en in _MEASURES:
            if unit is not Unit.LINES:
                vi_text, en_text = f"{words.vi}, lũy kế từ đầu năm ({vi})", f"{words.en}, year to date ({en})"
                yield Indicator(f"{stem}_{suffix}_year", vi_text, en_text, unit, Kind.YEAR)


def _units() -> Iterator[Indicator]:
    only_all = (ALL,)
    yield Indicator("communes_due", "Số xã có người được chi trả", "Communes with somebody due", Unit.UNITS, Kind.MONTH, only_all)
    yield Indicator(
        "communes_started", "Số xã đã chi trả qua tài khoản", "Communes that have paid by account", Unit.UNITS, Kind.STANDING, only_all
    )
    yield Indicator(
        "communes_late", "Số xã bắt đầu chậm so với mốc", "Communes that started after the set month, or not yet", Unit.UNITS,
        Kind.STANDING, only_all,
    )  # fmt: skip


def _rates() -> Iterator[Indicator]:
    for rate in RATES:
        words = RATE_WORDS[rate.code]
        yield Indicator(rate.code, words.vi, words.en, Unit.PERCENT, Kind.RATE)


INDICATORS: Final[Mapping[str, Indicator]] = {one.code: one for source in (_standing, _months, _years, _units, _rates) for one in source()}
"""Every indicator by its code, in the order in which lists show them."""


def counts_of(codes: Iterable[str]) -> frozenset[str]:
    """The counts that these indicators are told from: themselves, and for a rate its parts."""
    rates = {rate.code: rate for rate in RATES}
    found: set[str] = set()
    for code in codes:
        rate = rates.get(code)
        found |= {code} if rate is None else {part for part in (rate.part, rate.whole, rate.but_part, rate.but_whole) if part}
    return frozenset(found)


def indicator(code: str) -> Indicator:
    """One indicator. Raises `KeyError` for a code that does not exist."""
    return INDICATORS[code]


def group_words(group: str) -> Words:
    """The words for a group; a programme we do not know yet is shown by its code."""
    return _GROUP_WORDS.get(group, Words(group, group))
