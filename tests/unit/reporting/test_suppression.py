"""Hidden cells cannot be computed back: lines, the whole system, random tables."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.domain.suppression import Line, determined, hidden


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
