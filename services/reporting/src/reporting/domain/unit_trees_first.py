"""The first rules by which units of one day were told by those of another, for reports that were frozen with them and are made again.

New reports follow `unit_trees`. These counted a split commune in each of its successors and told the whole of a later unit to any
unit it was made from; nothing but making an old report again may use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from uuid import UUID

from reporting.domain.unit_trees import KnownUnit

__all__ = ["FirstTrees", "ToldPlace"]


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """A row of the other day's tree. `exact`: everybody of the unit belongs there; otherwise `name` is of the unit that could be told."""

    path: str
    name: str
    exact: bool


class FirstTrees:
    """The units of all days that concern one report."""

    def __init__(self, units: Iterable[KnownUnit]) -> None:
        self._units = list(units)
        self._by_id = {unit.unit_id: unit for unit in self._units}
        self._became: dict[UUID, list[KnownUnit]] = {}
        for unit in self._units:
            for origin, _ in unit.formed_from:
                self._became.setdefault(origin, []).append(unit)

    def at(self, path: str, day: date) -> KnownUnit | None:
        """The unit that a path meant on a day."""
        return next((unit for unit in self._units if unit.path == path and unit.stands_on(day)), None)

    def told_on(self, path: str, meant_on: date, day: date) -> ToldPlace:
        """Where the unit that `path` meant on one day is told in the tree of another day."""
        unit = self.at(path, meant_on)
        if unit is None:
            return ToldPlace(path, path, exact=False)
        if unit.valid_to is not None and unit.valid_to < day:
            return self._forward(unit, day)
        return ToldPlace(unit.path, unit.name, exact=True) if unit.stands_on(day) else self._backward(unit, day)

    def paths_on(self, path: str, meant_on: date, day: date) -> tuple[str, ...]:
        """Under which paths the same people and ground lay on another day: those it was made from, or what it became."""
        unit = self.at(path, meant_on)
        if unit is None or unit.stands_on(day):
            return (path,)
        if day < unit.valid_from:
            return tuple(sorted({old.path for old in self._origins(unit, day)}))
        return tuple(sorted({new.path for new in self._successors(unit, day)}))

    def same_tree(self, paths: Iterable[str], one: date, other: date) -> bool:
        """Whether these paths mean the same units on both days, or units nobody told us of."""
        return all(self.at(path, one) == self.at(path, other) for path in paths)

    def _successors(self, unit: KnownUnit, day: date) -> list[KnownUnit]:
        if unit.valid_to is None or day <= unit.valid_to:
            return [unit]
        return [later for new in self._became.get(unit.unit_id, []) for later in self._successors(new, day)]

    def _forward(self, unit: KnownUnit, day: date) -> ToldPlace:
        now = unit
        while now.valid_to is not None and now.valid_to < day:
            following = self._became.get(now.unit_id, [])
            if len(following) != 1:
                return ToldPlace(unit.path, unit.name, exact=False)
            now = following[0]
        return ToldPlace(now.path, now.name, exact=True)

    def _backward(self, unit: KnownUnit, day: date) -> ToldPlace:
        olds = self._origins(unit, day)
        if not olds:
            return ToldPlace(unit.path, unit.name, exact=False)
        shared = _common([old.path for old in olds])
        if len(olds) == 1:
            return ToldPlace(olds[0].path, olds[0].name, exact=True)
        holder = self.at(shared, day) if shared else None
        return ToldPlace(holder.path, holder.name, exact=True) if holder else ToldPlace(unit.path, unit.name, exact=False)

    def _origins(self, unit: KnownUnit, day: date) -> list[KnownUnit]:
        if unit.valid_from <= day:
            return [unit]
        olds = [self._by_id[origin] for origin, _ in unit.formed_from if origin in self._by_id]
        return [older for old in olds for older in self._origins(old, day)]


def _common(paths: Sequence[str]) -> str:
    """The smallest unit above all of these: ['60/593/1', '60/593/2'] → '60/593'."""
    columns = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, columns))
