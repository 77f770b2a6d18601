"""From whom a report goes and to whom, by the level of its unit.

Communes and districts hand over to the level above them; only the province's department writes to a ministry. A district stood between
commune and department until 30 June 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Letter", "Sender", "letters"]


@dataclass(frozen=True, slots=True)
class Sender:
    """A unit with what stands above it on the report's day; names as they are written, empty where nobody told us of the unit."""

    level: str
    district: str
    province: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One paper: the office beneath the People's Committee in its heading (a province's only), whom it goes to, what it is about.

    `programmes` is None where one paper holds all.
    """

    office: str | None
    to: tuple[str, ...]
    programmes: frozenset[str] | None


def letters(sender: Sender, competent: Sequence[Mapping[str, Any]], *, to_committee: bool) -> list[Letter]:
    """One paper for each that is competent, in their order; `to_committee`: the province's People's Committee gets it too (R31)."""
    several = len(competent) > 1
    made = []
    for one in competent:
        mine = frozenset(one["programmes"]) if several else None
        if sender.level == "province":
            committee = (f"UBND {_within(sender.province)}",) if to_committee else ()
            made.append(Letter(one["department"]["vi"], (*committee, one["ministry"]["vi"]), mine))
        elif sender.district:
            made.append(Letter(None, (f"UBND {_within(sender.district)}",), None))
        else:
            made.append(Letter(None, (f"{one['department']['vi']} {_within(sender.province)}".strip(),), mine))
    return made


def _within(name: str) -> str:
    """'Tỉnh Bình Thuận' as it stands within a line: 'tỉnh Bình Thuận'."""
    return name[:1].lower() + name[1:]
