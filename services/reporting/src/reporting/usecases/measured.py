"""What `measure` answers: rows of figures per group and unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from reporting.domain.indicators import INDICATORS, Kind

__all__ = ["Ask", "Counts", "Deadlines", "HeldFor", "Measured", "MeasuredRow"]

_COUNTED: Final = tuple(code for code, one in INDICATORS.items() if one.kind is not Kind.RATE)


class Counts(Mapping[str, int]):
    """Every count of the catalogue by its code; 0 where there is nothing. Raises `KeyError` for a code that does not exist."""

    __slots__ = ("_some",)

    def __init__(self, some: Mapping[str, int]) -> None:
        """`some`: those that are not 0."""
        self._some = some

    def __getitem__(self, code: str) -> int:
        """The count."""
        found = self._some.get(code)
        if found is None:
            if code not in INDICATORS:
                raise KeyError(code)
            return 0
        return found

    def __iter__(self) -> Iterator[str]:
        """All codes, in the order of the catalogue."""
        return iter(_COUNTED)

    def __len__(self) -> int:
        """How many counts there are."""
        return len(_COUNTED)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to measure.

    `first`, `last`: first days of the period's months, both included; one month when they are the same. `unit_path`: the unit and
    everything under it. `below`: which units stand beside the total: none, those directly below, or all communes. `units_on`: the
    tree and the names of that day (default: the last day of the period); units without anybody are listed with zeros. `as_of`: the
    business date of the question, which decides what is overdue. `decimals`: of rates, half-up. `due_day`: from that day of its month on,
    what is not paid is overdue (Decree 20/2021 Art. 34.5: the payment organisation reports before the 20th). `start_by`: a commune that
    pays by account only after this month started late (plan 152/KH-UBND: from 1 September 2023). `codes`: the indicators that are wanted,
    every one when None; others then say 0, since they are not read. `rolled_until`: what a list could not pay and a later one, up to this
    month, took over is told with the later one alone (default: the last month of the period; its first month: each list by itself).
    `as_listed`: what is unpaid, whatever had become of the dues, as papers of before counted it. `by_file`: people of the year once for
    each file they were paid under, though these were merged, as papers of before counted them.
    """

    first: date
    last: date
    unit_path: str
    as_of: date
    below: Literal["NONE", "CHILDREN", "COMMUNES"] = "CHILDREN"
    units_on: date | None = None
    decimals: int = 1
    due_day: int = 20
    start_by: date = date(2023, 9, 1)
    codes: frozenset[str] | None = None
    rolled_until: date | None = None
    as_listed: bool = False
    by_file: bool = False


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What the settings say of `Ask.due_day` and `Ask.start_by`, for questions that are made for a caller."""

    due_day: int
    start_by: date


@dataclass(frozen=True, slots=True)
class HeldFor:
    """People of one group in one unit held for one reason (the deceased are told here too, and in `held_*` not)."""

    reason: str
    people: int
    lines: int
    dong: int


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One group in one unit. `values`: every count by indicator code; `rates`: every percentage by code, as text ("27.8")."""

    group: str
    unit_code: str
    unit_path: str
    unit_name: str | None
    unit_level: str | None
    is_total: bool
    values: Counts
    rates: Mapping[str, str]
    held_for: tuple[HeldFor, ...]
    first_account_month: date | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer. Rows: for each unit asked for (the total first, then the units below in order of code), each group."""

    first: date
    last: date
    unit_path: str
    units_on: date
    rows: tuple[MeasuredRow, ...]

    def row(self, group: str, unit_path: str | None = None) -> MeasuredRow:
        """One row; the total without a unit. Raises `KeyError`."""
        for row in self.rows:
            if row.group == group and (row.is_total if unit_path is None else row.unit_path == unit_path):
                return row
        raise KeyError((group, unit_path))
