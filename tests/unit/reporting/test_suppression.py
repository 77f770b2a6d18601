"""Hidden cells cannot be computed back: lines, the whole system, random tables."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from itertools import product
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.domain.suppression import Line, determined, hidden, told_by_bounds


def table(rows: list[list[int]]) -> tuple[dict[Hashable, int], list[Line]]:
    """A two-way table with its sums; 'S' is the sum."""
    height, width = len(rows), len(rows[0])
    values: dict[Hashable, int] = {(r, c): rows[r][c] for r in range(height) for c in range(width)}
    values |= {(r, "S"): sum(rows[r]) for r in range(height)}
    values |= {("S", c): sum(row[c] for row in rows) for c in range(width)} | {("S", "S"): sum(map(sum, rows))}
    lines = [Line((r, "S"), tuple((r, c) for c in range(width))) for r in [*range(height), "S"]]
    lines += [Line(("S", c), tuple((r, c) for r in range(height))) for c in [*range(width), "S"]]
    return values, lines


def known_by_algebra(found: frozenset[Hashable], lines: list[Line]) -> set[Hashable]:
    """The same question answered another way: is the unit vector in the row space? With fractions, column by column."""
    names = sorted(found, key=str)
    matrix = []
    for line in lines:
        row = [Fraction(0)] * len(names)
        for part in line.parts:
            if part in found:
                row[names.index(part)] += 1
        if line.total in found:
            row[names.index(line.total)] -= 1
        matrix.append(row)

    def rank(rows: list[list[Fraction]]) -> int:
        rows, done = [list(row) for row in rows], 0
        for column in range(len(names)):
            pivot = next((n for n in range(done, len(rows)) if rows[n][column]), None)
            if pivot is None:
                continue
            rows[done], rows[pivot] = rows[pivot], rows[done]
            for n in range(done + 1, len(rows)):
                factor = rows[n][column] / rows[done][column]
                rows[n] = [a - factor * b for a, b in zip(rows[n], rows[done], strict=True)]
            done += 1
        return done

    whole = rank(matrix)
    return {name for n, name in enumerate(names) if rank([*matrix, [Fraction(int(n == m)) for m in range(len(names))]]) == whole}


GROUPS, WAYS = "ABC", "XY"


def cube(units: list[list[tuple[int, int]]]) -> tuple[dict[Hashable, int], list[Line]]:
    """What a province publishes: groups × units × ways of being paid, with every sum; 'S' is the sum. One list of groups per unit."""
    places, groups, ways = [*map(str, range(len(units))), "S"], [*GROUPS, "S"], [*WAYS, "S"]
    values: dict[Hashable, int] = {}
    for g, p, w in product(groups, places, ways):
        values[g, p, w] = sum(
            units[place][group][way]
            for place in (range(len(units)) if p == "S" else [int(p)])
            for group in (range(len(GROUPS)) if g == "S" else [GROUPS.index(g)])
            for way in (range(len(WAYS)) if w == "S" else [WAYS.index(w)])
        )
    lines = [Line((g, "S", w), tuple((g, p, w) for p in places[:-1])) for g, w in product(groups, ways)]
    lines += [Line(("S", p, w), tuple((g, p, w) for g in GROUPS)) for p, w in product(places, ways)]
    return values, lines + [Line((g, p, "S"), tuple((g, p, w) for w in WAYS)) for g, p in product(groups, places)]


def known_by_bounds(values: dict[Hashable, int], found: frozenset[Hashable], lines: list[Line]) -> set[Hashable]:
    """What a reader finds who knows that a zero is never hidden: every hidden cell is at least 1, and sums tighten that to the end."""
    low, high = dict.fromkeys(found, 1.0), dict.fromkeys(found, inf)
    moved = True
    while moved:
        moved = False
        for line in lines:
            signed = [(part, 1) for part in line.parts] + [(line.total, -1)]
            unknown = [(cell, sign) for cell, sign in signed if cell in found]
            rest = -sum(sign * values[cell] for cell, sign in signed if cell not in found)
            for cell, sign in unknown:
                others = [(other, by) for other, by in unknown if other != cell]
                least = rest - sum(high[other] if by > 0 else -low[other] for other, by in others)
                best = rest - sum(low[other] if by > 0 else -high[other] for other, by in others)
                least, best = (least, best) if sign > 0 else (-best, -least)
                if least > low[cell] or best < high[cell]:
                    low[cell], high[cell], moved = max(low[cell], least), min(high[cell], best), True
    return {cell for cell in found if low[cell] == high[cell]}


def test_one_small_cell_takes_others_with_it() -> None:
    values, lines = table([[2, 50, 60], [70, 80, 90], [100, 110, 120]])
    found = hidden(values, lines, 5)
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}, "a rectangle: each line hides two"


def test_two_ones_do_not_give_each_other_away() -> None:
    values, lines = table([[1, 1, 40], [30, 50, 60], [70, 80, 90]])
    assert (0, 2) in hidden(values, lines, 5), "1 + 1 = 2 would say both"


def test_zeros_and_large_cells_are_shown() -> None:
    values, lines = table([[0, 50], [60, 70]])
    assert hidden(values, lines, 5) == frozenset()


def test_a_table_that_is_all_small_shows_nothing_of_it() -> None:
    values, lines = table([[1]])
    assert hidden(values, lines, 5) == frozenset(values)


def test_sums_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up"):
        hidden({"a": 1, "b": 2, "s": 4}, [Line("s", ("a", "b"))], 5)
    with pytest.raises(ValueError, match="below 3"):
        hidden({}, [], 2)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(st.integers(0, 30), min_size=width, max_size=width), min_size=1, max_size=5)),
    st.integers(3, 12),
)
def test_no_hidden_cell_follows_from_the_shown_ones(rows: list[list[int]], threshold: int) -> None:
    values, lines = table(rows)
    found = hidden(values, lines, threshold)
    assert {key for key, value in values.items() if 0 < value < threshold} <= found
    assert determined(found, lines) == known_by_algebra(found, lines)
    if found != frozenset(values):
        assert known_by_algebra(found, lines) == set()
        assert known_by_bounds(values, found, lines) == set()


_COUNT = st.one_of(st.integers(0, 6), st.integers(0, 90))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.tuples(_COUNT, _COUNT), min_size=len(GROUPS), max_size=len(GROUPS)), min_size=1, max_size=5), st.integers(3, 10)
)
def test_no_published_table_is_broken_by_bounds(units: list[list[tuple[int, int]]], threshold: int) -> None:
    values, lines = cube(units)
    found = hidden(values, lines, threshold)
    assert {key for key, value in values.items() if 0 < value < threshold} <= found
    if found != frozenset(values):
        assert known_by_bounds(values, found, lines) == set()
        assert determined(found, lines) == set()


def test_a_table_that_a_reader_broke_is_hidden_further() -> None:
    """The last column: 2 and 1 hidden under a sum that is hidden too; from zeros shown and sums, both followed."""
    values, lines = table([[0, 30, 0, 0, 0], [62, 1, 58, 59, 0], [0, 0, 3, 2, 1]])
    found = hidden(values, lines, 5)
    assert known_by_bounds(values, found, lines) == told_by_bounds(values, found, lines) == set()
    assert found != frozenset(values), "something is still said"
