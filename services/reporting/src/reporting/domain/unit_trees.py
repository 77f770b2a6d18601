"""The ground of one unit as of one day, found again among the units of other days.

Forward along "what became of it", backward along "what it was made from". Nothing is guessed and nothing is counted twice: what lies
wholly inside the unit counts in it, in the one unit directly below that holds all of it or else in a row of its own under its own name;
what lies inside in part is named beside the total, so that only a unit that holds all parts counts it. A path means the unit that
bears it on the day; where none does, people and money still lie at the unit that bore it last (people of split communes, until they are
told one by one where they belong).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

__all__ = ["KnownUnit", "Place", "Trees", "View", "topmost"]


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """One unit in its days, and what it was made from as (unit id, wholly)."""

    unit_id: UUID
    path: str
    name: str
    valid_from: date
    valid_to: date | None
    formed_from: tuple[tuple[UUID, bool], ...] = ()

    def stands_on(self, day: date) -> bool:
        """Whether the unit exists on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a unit's report. `key`: '' is what the total alone holds; what is not `counted` stands beside the total."""

    key: str
    path: str
    label: str
    counted: bool = True


_Kin = tuple[frozenset[KnownUnit | None], bool]
"""The units of the other day, None for ground nobody told us of; and whether that is told of the unit itself, not of one above it."""
_UNKNOWN: Final[_Kin] = (frozenset({None}), False)


class Trees:
    """The units of all days that concern one report."""

    def __init__(self, units: Iterable[KnownUnit]) -> None:
        self._by_id = {unit.unit_id: unit for unit in units}
        self._by_path: dict[str, list[KnownUnit]] = {}
        self._became: dict[UUID, list[tuple[KnownUnit, bool]]] = {}
        for unit in sorted(self._by_id.values(), key=lambda one: one.valid_from):
            self._by_path.setdefault(unit.path, []).append(unit)
            for origin, wholly in unit.formed_from:
                self._became.setdefault(origin, []).append((unit, wholly))

    @property
    def paths(self) -> Iterable[str]:
        """Every path that some unit bears, bore or will bear."""
        return self._by_path

    def at(self, path: str, day: date) -> KnownUnit | None:
        """The unit that bears a path on a day."""
        return next((unit for unit in self._by_path.get(path, ()) if unit.stands_on(day)), None)

    def meant(self, path: str, day: date) -> KnownUnit | None:
        """The unit at which people and money lie under a path: who bears it on the day, else who bore it last, else who is the next to."""
        bearers = self._by_path.get(path, ())
        before = [unit for unit in bearers if unit.valid_from <= day]
        return self.at(path, day) or (before[-1] if before else bearers[0] if bearers else None)

    def children(self, path: str, day: date) -> list[KnownUnit]:
        """The units directly below a path on a day."""
        return [unit for one in self._by_path if one.rpartition("/")[0] == path and (unit := self.at(one, day))]

    def kin(self, unit: KnownUnit, day: date) -> _Kin:
        """The units of a day that share ground with a unit."""
        if unit.stands_on(day):
            return frozenset({unit}), True
        return self._forward(unit, day) if unit.valid_from <= day else self._backward(unit, day)

    def _forward(self, unit: KnownUnit, day: date) -> _Kin:
        links = [link for link in self._became.get(unit.unit_id, ()) if unit.valid_from < link[0].valid_from <= day]
        found = [self.kin(new, day) for new, _ in links]
        if not links or (len(links) == 1 and not links[0][1]):  # nothing is known of the rest of it but where the unit above went
            found.append(self._above(unit, unit.valid_to or day, day))
        return _together(found)

    def _backward(self, unit: KnownUnit, day: date) -> _Kin:
        olds = [self._by_id.get(origin) for origin, _ in unit.formed_from]
        found = [self.kin(old, day) if old and old.valid_from < unit.valid_from else _UNKNOWN for old in olds]
        return _together(found or [self._above(unit, unit.valid_from, day)])

    def _above(self, unit: KnownUnit, on: date, day: date) -> _Kin:
        above = self.at(unit.path.rpartition("/")[0], on)
        return (self.kin(above, day)[0], False) if above else _UNKNOWN


def _together(found: Sequence[_Kin]) -> _Kin:
    return frozenset().union(*(kin for kin, _ in found)), all(sure for _, sure in found)


class View:
    """One unit of one day, looked for in other months."""

    def __init__(self, trees: Trees, path: str, day: date) -> None:
        self.path, self.day = path, day
        self._trees = trees
        self._places: dict[UUID, Place | None] = {}
        self._meant: dict[date, dict[str, KnownUnit]] = {}

    def place(self, path: str, on: date) -> Place | None:
        """The row that holds what lies under a path in a month that ends on a day; None: it is not of this unit."""
        known = path
        while known and self._trees.meant(known, on) is None:  # a unit nobody told us of is a part of the next one above it
            known = known.rpartition("/")[0]
        unit = self._trees.meant(known, on) if known else None
        if unit is None or (known != path and unit.stands_on(self.day)):
            return self._standing(path)
        return self._of(unit)

    def meant(self, on: date) -> Mapping[str, KnownUnit]:
        """Under which paths something of this unit lies in a month that ends on a day, wholly or in part, and at which unit.

        Units that begin after both days are not asked for: nothing is told of a month under a name that neither day knows.
        """
        if on not in self._meant:
            found = {path: unit for path in self._trees.paths if (unit := self._trees.meant(path, on))}
            self._meant[on] = {path: unit for path, unit in found.items() if unit.valid_from <= max(on, self.day) and self._of(unit)}
        return self._meant[on]

    def rows(self) -> list[Place]:
        """The rows that are always there: the units directly below."""
        return [Place(unit.path, unit.path, unit.name) for unit in self._trees.children(self.path, self.day)]

    def _of(self, unit: KnownUnit) -> Place | None:
        if unit.unit_id not in self._places:
            self._places[unit.unit_id] = self._found(unit)
        return self._places[unit.unit_id]

    def _found(self, unit: KnownUnit) -> Place | None:
        kin, sure = self._trees.kin(unit, self.day)
        if kin == {None}:  # nothing is known of what became of it, or of what it was: its path is all there is
            return self._named(unit, counted=True) if self._standing(unit.path) else None
        inside = [place for one in kin if one and (place := self._standing(one.path))]
        if not inside:
            return None
        keys = {place.key for place in inside}
        if len(inside) == len(kin) and len(keys) == 1 and (sure or keys != {""}):
            return inside[0]
        return self._named(unit, counted=len(inside) == len(kin))

    def _standing(self, path: str) -> Place | None:
        if path == self.path:
            return Place("", path, "")
        head = self.path + "/"
        if not path.startswith(head):
            return None
        child = head + path.removeprefix(head).split("/", 1)[0]
        unit = self._trees.at(child, self.day)
        return Place(child, child, unit.name if unit else child)

    def _named(self, unit: KnownUnit, *, counted: bool) -> Place:
        if unit.valid_to is not None and unit.valid_to < self.day:
            days, told = f"tên cũ, đến {unit.valid_to:%d/%m/%Y}", "chưa phân theo đơn vị mới"
        else:
            days, told = f"tên mới, từ {unit.valid_from:%d/%m/%Y}", "chưa phân theo đơn vị cũ"
        beside = "" if counted else "; chỉ một phần thuộc đơn vị này, không tính vào tổng"
        return Place(f"{unit.path}@{unit.valid_from}", unit.path, f"{unit.name} ({days}, {told}{beside})", counted)


def topmost(paths: Iterable[str]) -> list[str]:
    """Those that lie below no other of them."""
    found: list[str] = []
    for path in sorted(paths, key=lambda one: one.split("/")):
        if not found or not path.startswith(found[-1] + "/"):
            found.append(path)
    return found
