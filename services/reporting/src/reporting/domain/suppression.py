"""Small cells hidden so that nobody can compute them back (statistical disclosure control), pure.

A cell with 1 to `threshold` − 1 people is hidden. Then further cells are hidden until no hidden one follows from what is shown:
in every line (parts and their sum) that hides anything at least two cells are hidden and together they hold at least `threshold`
people; and no hidden cell is determined by all lines taken together (a linear system, solved exactly). Zeros are shown. Readers cannot
see which cells were hidden for being small and which to protect others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

__all__ = ["Line", "determined", "hidden"]

Key = TypeVar("Key", bound=Hashable)
_PRIME: Final = (1 << 61) - 1
"""The system is solved modulo this prime: exact for matrices of ones and zeros but for a chance of about 1 in 10^15."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sum and its parts, by cell key."""

    total: Hashable
    parts: tuple[Hashable, ...]

    @property
    def cells(self) -> tuple[Hashable, ...]:
        """Parts first: a total is hidden only where no part is left to hide."""
        return (*self.parts, self.total)


def hidden(values: Mapping[Hashable, int], lines: Sequence[Line], threshold: int) -> frozenset[Hashable]:
    """The cells to hide. `values` must add up along every line. Raises ValueError where they do not, or for a threshold below 3."""
    if threshold < 3:
        raise ValueError("below 3, two people could find each other out")
    for line in lines:
        if values[line.total] != sum(values[part] for part in line.parts):
            raise ValueError(f"the parts of {line.total} do not add up")
    found = {key for key, value in values.items() if 0 < value < threshold}
    while True:
        _protect_lines(values, lines, threshold, found)
        known = determined(found, lines)
        if not known:
            return frozenset(found)
        if not _protect(known, values, lines, found):
            return frozenset(values)  # nothing left to hide behind: nothing is shown at all


def _protect_lines(values: Mapping[Hashable, int], lines: Sequence[Line], threshold: int, found: set[Hashable]) -> None:
    changed = True
    while changed:
        changed = False
        for line in lines:
            inside = [cell for cell in line.cells if cell in found]
            parts = sum(values[cell] for cell in inside if cell != line.total)
            if inside and (len(inside) == 1 or (line.total not in found and parts < max(threshold, len(inside) + 1))):
                changed |= _hide_one_more(line, values, found)


def _hide_one_more(line: Line, values: Mapping[Hashable, int], found: set[Hashable]) -> bool:
    shown = [cell for cell in line.parts if cell not in found and values[cell] > 0]
    if shown:
        found.add(min(shown, key=lambda cell: (values[cell], str(cell))))
    elif line.total not in found:
        found.add(line.total)
    else:
        return False
    return True


def _protect(known: Iterable[Hashable], values: Mapping[Hashable, int], lines: Sequence[Line], found: set[Hashable]) -> bool:
    for cell in sorted(known, key=str):
        for line in lines:
            if cell in line.cells and _hide_one_more(line, values, found):
                return True
    return False


def determined(found: Iterable[Hashable], lines: Sequence[Line]) -> set[Hashable]:
    """Hidden cells whose value follows from the lines and the cells that are shown: those the system fixes to one solution."""
    names = sorted(found, key=str)
    place = {name: number for number, name in enumerate(names)}
    rows: list[dict[int, int]] = []
    for line in lines:
        row = {place[part]: 1 for part in line.parts if part in place}
        if line.total in place:
            row[place[line.total]] = _PRIME - 1
        if row:
            rows.append(row)
    return {names[next(iter(row))] for row in _reduced(rows) if len(row) == 1}


def _reduced(rows: Iterable[dict[int, int]]) -> list[dict[int, int]]:
    """The reduced row echelon form; a row with one entry fixes that unknown, and no other row does."""
    pivots: dict[int, dict[int, int]] = {}
    for one in rows:
        row = dict(one)
        for column in [column for column in row if column in pivots]:
            _subtract(row, pivots[column], row.get(column, 0))
        if not row:
            continue
        lead = min(row)
        inverse = pow(row[lead], -1, _PRIME)
        row = {column: value * inverse % _PRIME for column, value in row.items()}
        for other in pivots.values():
            if lead in other:
                _subtract(other, row, other[lead])
        pivots[lead] = row
    return list(pivots.values())


def _subtract(row: dict[int, int], other: Mapping[int, int], times: int) -> None:
    for column, value in other.items():
        left = (row.get(column, 0) - times * value) % _PRIME
        if left:
            row[column] = left
        else:
            row.pop(column, None)
