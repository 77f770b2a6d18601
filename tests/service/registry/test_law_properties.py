"""Dues of random people against the slow model: every month, what is due changes exactly when the law says."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_law_model import MERIT, TENTHS, Decision, Other, Person, Span, amounts_of, at, due, insert

from common.actor import SYSTEM
from common.db import Tx
from registry.storage import dues
from registry.storage.publishing import take_people_lock

FIRST, LAST = at(2023, 1), at(2028, 12)
BEFORE, AFTER = date(2024, 8, 20), date(2026, 10, 6)
"""Two days on which dues are computed: before and after Decree 335/2026 became known, which raises months already gone."""

SEVERAL = (
    "SA4",
    "SA4_STUDY",
    "CS_CHILD_LT4",
    "CS_CHILD_4_16",
    "CS_HH_XS",
    "CS_FOSTER_XS",
    "CS_FOSTER_XS_CHILD",
    "MR_SURVIVOR",
    "MR_WORSHIP",
)
SINGLE = tuple(sorted((set(TENTHS) | set(MERIT) | {"SP_70", "SP_75", "MR_WOUNDED", "MR_WOUNDED_B"}) - set(SEVERAL)))
MONTH = st.integers(at(2022, 6), at(2027, 6))
PENSION = st.none() | st.sampled_from((300_000, 500_000, 520_000, 540_000, 3_000_000))


def _wounded() -> dict[tuple[str, int], int]:
    text = (files("registry") / "catalogue" / "merit_wounded.csv").read_text(encoding="utf-8")
    return {(row["category"], int(row["percent"])): int(row["amount_vnd"]) for row in csv.DictReader(text.splitlines())}


WOUNDED = _wounded()


@st.composite
def span(draw: st.DrawFn, kinds: tuple[str, ...] = ("",)) -> Span:
    first = draw(MONTH)
    return Span(first, draw(st.none() | st.integers(first, first + 30)), draw(st.sampled_from(kinds)))


@st.composite
def decision(draw: st.DrawFn, category: str, born: int | None) -> Decision:
    start = draw(MONTH)
    if born is not None and draw(st.booleans()):  # near a birthday that counts
        start = max(
            at(2021, 8), min(at(2027, 6), born + draw(st.sampled_from((36, 48, 192, 264, 720, 840, 900, 960))) - draw(st.integers(0, 20)))
        )
    end = draw(st.none() | st.integers(start + 1, start + 40))
    pauses = []
    for first in sorted(set(draw(st.lists(st.integers(start, start + 30), max_size=2)))):
        pauses.append(Span(first, draw(st.none() | st.integers(first, first + 6)), draw(st.sampled_from(("", "PAID_BACK")))))
    return Decision(
        category, start, end, percent=draw(st.integers(21, 100)) if category in ("MR_WOUNDED", "MR_WOUNDED_B") else 0,
        quantity=draw(st.integers(1, 12)) if category == "MR_SENIORITY" else 1,
        arrears=draw(st.none() | st.integers(start - 6, start)),
        child_born=draw(st.none() | st.integers(start - 200, start)), pauses=tuple(pauses),
    )  # fmt: skip


def _one_of_a_set(spans: list[Span]) -> tuple[Span, ...]:
    """Groups of one set follow each other: where two overlap, the earlier ends before the later begins."""
    in_order = sorted({span.first: span for span in spans}.values(), key=lambda span: span.first)
    if not in_order:
        return ()
    *before, last = in_order
    return (*(replace(span, last=min(span.last or last.first, last.first - 1)) for span in before), last)


@st.composite
def person(draw: st.DrawFn) -> Person:
    born = draw(st.none() | st.sampled_from((36, 48, 192, 264, 720, 840, 900, 960)).flatmap(
        lambda age: st.integers(at(2022, 1) - age, at(2028, 1) - age)))  # fmt: skip
    alike = st.sampled_from((
        SINGLE, tuple(c for c in SINGLE if c.startswith(("SA", "SP"))), tuple(c for c in SINGLE if c.startswith("MR_"))
    ))  # fmt: skip
    categories = draw(alike.flatmap(lambda names: st.lists(st.sampled_from(names), max_size=3, unique=True)))
    categories += draw(st.lists(st.sampled_from(SEVERAL), max_size=3))
    return Person(
        born,
        tuple(draw(decision(category, born)) for category in categories),
        died=draw(st.none() | st.none() | MONTH),
        groups=_one_of_a_set(draw(st.lists(span(("POOR", "NEAR_POOR")), max_size=2, unique_by=lambda one: (one.kind, one.first)))),
        stays=tuple(draw(st.lists(span(), max_size=1))),
        others=tuple(draw(st.lists(st.builds(Other, span(), PENSION), max_size=1))),
        one_offs=tuple(draw(st.lists(st.tuples(MONTH, st.sampled_from((100_000, 400_000))), max_size=1))),
    )


async def _compare(world: Any, people: list[Person]) -> None:
    """Everything happens in one transaction, which is rolled back."""
    async with world.db.engine.connect() as connection, connection.begin() as undone:
        tx = Tx(connection, world.db, SYSTEM("test"))
        await take_people_lock(tx)
        ids: list[UUID] = [await insert(tx, one) for one in people]
        for known in (BEFORE, AFTER):
            await dues.recompute(tx, ids, known)
            for one, person_id in zip(people, ids, strict=True):
                said = await amounts_of(tx, person_id, FIRST, LAST)
                for month in range(FIRST, LAST + 1):
                    assert said[month] == due(one, month, known, WOUNDED), (known, month // 12, month % 12 + 1, one)
            assert await dues.recompute(tx, ids, known) == 0, "computed again, nothing changes"
        await undone.rollback()


_HYPOTHESIS = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                                                                              HealthCheck.data_too_large]}  # fmt: skip


@settings(max_examples=15, **_HYPOTHESIS)  # type: ignore[arg-type]
@given(people=st.lists(person(), min_size=4, max_size=8))
async def test_every_month_of_random_people_is_what_the_slow_model_says(world: Any, people: list[Person]) -> None:
    await _compare(world, people)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=int(os.environ.get("LAW_EXAMPLES", "200")), **_HYPOTHESIS)  # type: ignore[arg-type]
@given(people=st.lists(person(), min_size=8, max_size=16))
async def test_every_month_of_many_random_people_is_what_the_slow_model_says(world: Any, people: list[Person]) -> None:
    await _compare(world, people)
