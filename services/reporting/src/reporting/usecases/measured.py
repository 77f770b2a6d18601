"""What `measure` answers: rows of figures per group and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = ["Ask", "HeldFor", "Measured", "MeasuredRow"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What to measure.

    `first`, `last`: first days of the period's months, both included; one month when they are the same. `unit_path`: the unit and
    everything under it. `below`: which units stand beside the total: none, those directly below, or all communes. `units_on`: the
    tree and the names of that day (default: the last day of the period); units without anybody are listed with zeros. `as_of`: the
    business date of the question, which decides what is overdue. `decimals`: of rates, half-up.
    """

    first: date
    last: date
    unit_path: str
    as_of: date
    below: Literal["NONE", "CHILDREN", "COMMUNES"] = "CHILDREN"
    units_on: date | None = None
    decimals: int = 1


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
    values: Mapping[str, int]
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
