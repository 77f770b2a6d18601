"""Whatever was joined, split or given another's code: what lies below a unit adds up to it, and nothing is counted twice or made up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reform_stories import DAYS, SECOND, Story, story
from reporting_builders import MERIT, Reporting, World, incoming
from test_reform import paid

from common.actor import Actor, Role
from common.contracts.registry_v1 import AdministrativeUnitChanged, UnitOrigin
from reporting.domain.months import last_day
from reporting.domain.unit_trees import KnownUnit, Trees, View
from reporting.usecases.paper_cells import compute
from reporting.usecases.papers import wanted_of

Rows = dict[str, int]


def rows_of(told: Story, unit: KnownUnit, day: date, year: int | None = None) -> Rows:
    """What a report of a unit must say: đồng by row, '' what no row holds; what is beside the total in brackets."""
    view, rows = View(Trees(told.units.values()), unit.path, day), defaultdict[str, int](int)
    for one, month, dong in told.paid:
        place = view.place(one.path, last_day(month))
        if place is None or (year is not None and month.year != year):
            continue
        rows[place.key if place.counted else f"({place.key})"] += dong
        assert not place.counted or told.ground[one.unit_id] <= told.ground[unit.unit_id], "what is counted lay wholly in the unit"
    return rows


def counted(rows: Rows) -> int:
    return sum(dong for key, dong in rows.items() if not key.startswith("("))


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_what_lies_below_adds_up_and_nothing_is_counted_twice(seed: int) -> None:
    told = story(seed)
    for day in reversed(DAYS):
        if day == DAYS[0]:  # the second reform joins ground of two old provinces: such a commune lies wholly in neither
            told.paid = [one for one in told.paid if one[1] < SECOND.replace(day=1)]
        everything = sum(dong for _, _, dong in told.paid)
        reports = {unit.path: rows_of(told, unit, day) for unit in told.on(day)}
        assert sum(counted(rows) for path, rows in reports.items() if "/" not in path) == everything, "provinces before and after"
        for path, rows in reports.items():
            children = {one: counted(reports[one]) for one in reports if one.rpartition("/")[0] == path}
            assert {key: dong for key, dong in rows.items() if key in children} == {one: dong for one, dong in children.items() if dong}
        communes = [reports[unit.path] for unit in told.communes(day)]
        assert sum(map(counted, communes)) <= everything, "no payment is in two communes"


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_what_came_of_a_unit_holds_no_more_than_it_did(seed: int) -> None:
    """And all of it where it went wholly into one."""
    told = story(seed)
    for before, after in ((DAYS[0], DAYS[1]), (DAYS[1], DAYS[2])):
        for old in told.communes(before):
            own = [one for one in told.paid if one[0] == old and last_day(one[1]) <= before]
            one_only = Story(told.dice, told.units, told.ground, own)
            heirs = [unit for unit in told.communes(after) if told.ground[unit.unit_id] & told.ground[old.unit_id]]
            parts, origin = [counted(rows_of(one_only, unit, after)) for unit in heirs], counted(rows_of(one_only, old, before))
            assert origin == sum(dong for _, _, dong in own)
            assert sum(parts) == (origin if len(heirs) == 1 else 0)


def world_of(told: Story) -> World:
    world = World()
    for unit in told.units.values():
        level = "province" if "/" not in unit.path else "district" if unit.path in ("60/593", "60/594") else "commune"
        paths = {number: one.path for number, one in told.units.items()}
        world.events.append(
            AdministrativeUnitChanged(
                version=1, business_date=unit.valid_from, unit_id=unit.unit_id, code=unit.path.rpartition("/")[2], name=unit.name,
                level=level, parent_code=None, path=unit.path, valid_from=unit.valid_from, valid_to=unit.valid_to,
                formed_from=[
                    UnitOrigin(unit_id=one, path=paths[one], kind="WHOLE" if whole else "PART") for one, whole in unit.formed_from
                ],
            )
        )  # fmt: skip
    for unit, month, dong in told.paid:
        paid(world, unit.path, f"{month:%Y-%m}", dong, MERIT)
    return world


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 32))])
async def test_the_papers_say_so(reporting: Reporting, seed: int) -> None:
    told = story(seed)
    await reporting.hear(incoming(world_of(told).events))
    actor = Actor("an", "an", frozenset({Role.DEPARTMENT_OFFICER}), everywhere=True)
    async with reporting.db.read() as tx:
        for day in DAYS if seed != 7 else DAYS[1:2]:
            for unit in told.on(day):
                for year in (2025, 2026):
                    wanted = wanted_of(actor, "merit-settlement-yearly", f"{year}-01", unit.path, day, date(2027, 1, 15))
                    made = (await compute(tx, wanted, actor.sees)).rows
                    expected = rows_of(told, unit, day, year)
                    assert said(made) == (counted(expected), as_shown(expected)), (seed, day, unit.path, year)


def said(rows: list[dict[str, Any]]) -> tuple[int, list[tuple[str, int]]]:
    (total,) = [row["cells"]["5"] for row in rows if row["is_total"]]
    beside = [(row["unit_path"], row["cells"]["5"], "không tính" in row["label"]) for row in rows if not row["is_total"]]
    return total, sorted((f"({path})" if out else path, dong) for path, dong, out in beside if dong)


def as_shown(rows: Rows) -> list[tuple[str, int]]:
    """Keys as paths; what no row holds is a row only beside others that count."""
    inside = any(key and not key.startswith("(") for key in rows)
    return sorted((key.replace(")", "").partition("@")[0] + ")" * key.startswith("("), dong) for key, dong in rows.items() if key or inside)
