"""Targets: what an indicator should reach, whether it does, and how far it is (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import ceil, floor
from typing import Final

from reporting.domain.indicators import INDICATORS, RATES, Indicator, Kind, Unit

__all__ = ["LESS_IS_BETTER", "counted", "met", "needed", "places", "reads_as"]

_LESS: Final = (
    "no_number", "not_in_database", "no_answer", "not_registered", "in_progress", "unknown", "failed",
    "returned", "uncollected", "cancelled",
    "held", "unpaid", "overdue", "communes_late",
)  # fmt: skip
LESS_IS_BETTER: Final = frozenset(code for code, one in INDICATORS.items() if one.target == 0 or code.startswith(_LESS))
"""Indicators that are met from above: what should not be."""

_RATES: Final = {rate.code: rate for rate in RATES}


def met(indicator: str, values: Mapping[str, int], target: Decimal) -> bool | None:
    """Whether the counts reach the target, in whole people, lines, đồng or communes: 54,621 of 54,623 are not 100 %.

    None for a rate of nobody.
    """
    rate = _RATES.get(indicator)
    if rate is not None and rate.of(values)[1] == 0:
        return None
    return needed(indicator, values, target) == 0


def needed(indicator: str, values: Mapping[str, int], target: Decimal) -> int:
    """How many more (people, lines, đồng, communes) it takes; for what should not be, how many are too many. 0 when it is met.

    Of a rate: the people missing in its numerator, with the denominator as it is.
    """
    rate = _RATES.get(indicator)
    if rate is not None:
        part, whole = rate.of(values)
        return max(-(-int(target * 100) * whole // 10_000) - part, 0)
    gap = values[indicator] - floor(target) if indicator in LESS_IS_BETTER else ceil(target) - values[indicator]
    return max(gap, 0)


def counted(indicator: str, values: Mapping[str, int]) -> bool:
    """Whether there is anybody of whom the figure tells: a rate of nobody, and a month's count where nobody was due, have no rank."""
    rate = _RATES.get(indicator)
    if rate is not None:
        return rate.of(values)[1] > 0
    return INDICATORS[indicator].kind is not Kind.MONTH or values["due_people"] > 0


def reads_as(one: Indicator) -> str:
    """In what its values are: %, người, đồng …"""
    return {Unit.PERCENT: "%", Unit.PEOPLE: "người", Unit.LINES: "dòng trợ cấp", Unit.DONG: "đồng", Unit.UNITS: "xã"}[one.unit]


def places(values: list[tuple[str, Decimal]], indicator: str) -> list[tuple[int, str, Decimal]]:
    """(rank, unit, value), best first; equal values share a rank and the next rank counts them."""
    down = indicator not in LESS_IS_BETTER
    ordered = sorted(values, key=lambda pair: (-pair[1] if down else pair[1], pair[0]))
    found: list[tuple[int, str, Decimal]] = []
    for index, (unit, value) in enumerate(ordered, 1):
        rank = found[-1][0] if found and found[-1][2] == value else index
        found.append((rank, unit, value))
    return found
