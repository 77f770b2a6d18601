"""Small cells hidden so that nobody can compute them back (statistical disclosure control), pure.

A cell with 1 to `threshold` − 1 people is hidden. Then further cells are hidden until no hidden one follows from what is shown:
in every line (parts and their sum) that hides anything at least two cells are hidden and together they hold at least `threshold`
people; no hidden cell is determined by all lines taken together (a linear system, solved exactly); and none is told by its bounds.
Zeros are shown, so a reader knows of every hidden cell that it is 1 or more. Readers cannot see which cells were hidden for being small
and which to protect others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

__all__ = ["Line", "determined", "hidden", "told_by_bounds"]

Key = TypeVar("Key", bound=Hashable)
_PRIME: Final = (1 << 61) - 1
"""The system is solved modulo this prime: exact for matrices of ones and zeros but for a chance of about 1 in 10^15."""
_SMALL: Final = 1 << 20


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
        rows, names = _system(found, lines, values)
        known = _single(rows, names) or _told_by_bounds(values, found, lines, rows, names)
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


def _protect(known: set[Hashable], values: Mapping[Hashable, int], lines: Sequence[Line], found: set[Hashable]) -> bool:
    """Hide one cell more in a line of each of these cells; where their own lines have nothing left to hide, in the first line that has."""
    helped = False
    touched: set[Hashable] = set()
    for cell in sorted(known, key=str):
        own = [line for line in lines if cell in line.cells]
        if not touched.isdisjoint(other for line in own for other in line.cells):
            continue  # what was just hidden may help this one too: ask again before hiding more
        for line in own:
            if _hide_one_more(line, values, found):
                touched.update(line.cells)
                helped = True
                break
    return helped or any(_hide_one_more(line, values, found) for line in lines)


def determined(found: Iterable[Hashable], lines: Sequence[Line]) -> set[Hashable]:
    """Hidden cells whose value follows from the lines and the cells that are shown: those the system fixes to one solution."""
    return _single(*_system(found, lines, {}))


def told_by_bounds(values: Mapping[Hashable, int], found: Iterable[Hashable], lines: Sequence[Line]) -> set[Hashable]:
    """Hidden cells that have one value only, once it is known that each hidden cell is at least 1."""
    hide = set(found)
    return _told_by_bounds(values, hide, lines, *_system(hide, lines, values))


def _system(
    found: Iterable[Hashable], lines: Sequence[Line], values: Mapping[Hashable, int]
) -> tuple[list[dict[int, int]], list[Hashable]]:
    """The lines as far as they are hidden, reduced; and the hidden cell of each column, those of 1 last: rows of them alone remain."""
    names = sorted(found, key=lambda cell: (values.get(cell) == 1, str(cell)))
    place = {name: number for number, name in enumerate(names)}
    rows: list[dict[int, int]] = []
    for line in lines:
        row = {place[part]: 1 for part in line.parts if part in place}
        if line.total in place:
            row[place[line.total]] = _PRIME - 1
        if row:
            rows.append(row)
    return _reduced(rows), names


def _single(rows: Iterable[Mapping[int, int]], names: Sequence[Hashable]) -> set[Hashable]:
    return {names[next(iter(row))] for row in rows if len(row) == 1}


def _told_by_bounds(
    values: Mapping[Hashable, int],
    found: set[Hashable],
    lines: Sequence[Line],
    rows: Iterable[Mapping[int, int]],
    names: Sequence[Hashable],
) -> set[Hashable]:
    """Which cells nobody can move. A cell of 1 cannot fall; where all others in a sum can only rise, the last can only fall; and so on.

    That is what tightening an interval for each cell comes to where its ends meet, but in few steps: a cell's bound is its value only
    when the bounds it was computed from are the values of theirs.
    """
    sums = [[(cell, -1 if cell == line.total else 1) for cell in line.cells if cell in found] for line in lines]
    # What follows from several lines together binds too.
    sums += [[(names[column], times if times <= _PRIME // 2 else times - _PRIME) for column, times in row.items()] for row in rows]
    # A coefficient that is no small whole number stands for a fraction; its sign is unknown here.
    sums = [terms for terms in sums if terms and all(abs(times) <= _SMALL for _, times in terms)]
    rises = {cell for cell in found if values[cell] == 1}
    """Cells that cannot be less than they are."""
    falls: set[Hashable] = set()
    """Cells that cannot be more."""
    moved = True
    while moved:  # each round but the last adds a cell to one of two sets
        moved = False
        for terms in sums:
            for sign in (1, -1):
                # The terms weigh nothing together: all but one cannot go down, so that one cannot go up.
                may = [(cell, times * sign) for cell, times in terms if cell not in (rises if times * sign > 0 else falls)]
                if len(may) > 1:
                    continue
                for cell, times in may or [(cell, times * sign) for cell, times in terms]:
                    into = falls if times > 0 else rises
                    if cell not in into:
                        into.add(cell)
                        moved = True
    return rises & falls


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
