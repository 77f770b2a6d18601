"""The monthly forecast by age: what changes for whom, and who may claim something new."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from registry_law_model import Decision, Person, Span, at, insert
from registry_test_helpers import UNIT_PATH

from common.actor import SYSTEM, Role
from registry.storage import dues
from registry.storage.publishing import take_people_lock

START = at(2024, 1)
MONTH = at(2025, 3)


def born(years: int) -> int:
    return MONTH - years * 12


# birthday in March 2025: whose, category, age, change, from month, before, after
STEPS = (
    (Person(born(3), (Decision("SA7", START),)), "SELF", 36, "STOPS", "2025-04", 750_000, 0),
    (Person(born(4), (Decision("SA1_LT4", START),)), "SELF", 48, "FALLS", "2025-03", 1_250_000, 750_000),
    (Person(born(16), (Decision("SA1_GE4", START),)), "SELF", 192, "STOPS", "2025-04", 750_000, 0),
    (Person(born(22), (Decision("SA2", START),)), "SELF", 264, "STOPS", "2025-04", 750_000, 0),
    (Person(born(60), (Decision("SA6_S", START),)), "SELF", 720, "RISES", "2025-03", 750_000, 1_000_000),
    (Person(born(80), (Decision("SA5A_60_80", START),)), "SELF", 960, "RISES", "2025-03", 750_000, 1_000_000),
    (Person(None, (Decision("SA4", START, child_born=born(16)),)), "DEPENDANT", 192, "STOPS", "2025-04", 500_000, 0),
    (Person(born(60), (Decision("SA6_S", START), Decision("SA5D", START))), "SELF", 720, "SAME", "2025-03", 1_500_000, 1_500_000),
)
NOBODY = (
    Person(born(60) + 1, (Decision("SA6_S", START),)), Person(born(60), (Decision("SA8", START),)),
    Person(born(60), (Decision("SA6_S", START, end=at(2025, 2)),)), Person(born(60), (Decision("SA6_S", START),), died=at(2025, 1)),
    Person(born(4), (Decision("SA1_LT4", at(2025, 6)),)),
)  # fmt: skip


async def store(world: Any, *people: Person, unit_path: str = UNIT_PATH) -> list[str]:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        ids = [await insert(tx, person, unit_path) for person in people]
        await dues.recompute(tx, ids, date(2025, 2, 20))
    return [str(one) for one in ids]


async def test_whoever_reaches_an_age_step_is_listed_with_old_and_new_amount(world: Any) -> None:
    ids = await store(world, *(case[0] for case in STEPS))
    await store(world, *NOBODY)
    await store(world, STEPS[0][0], unit_path="60/594/22999")
    expected = {(one, *case[1:]) for one, case in zip(ids, STEPS, strict=True)}
    found: set[Any] = set()
    cursor = None
    while True:
        params = {"month": "2025-03", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await world.maker.get("/v1/lists/birthdays", params=params)).json()
        names = ("beneficiary_id", "whose", "age_months", "change", "effect_month", "amount_before", "amount_after")
        found |= {tuple(item[name] for name in names) for item in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == expected
    assert len((await world.checker.get("/v1/lists/birthdays", params={"month": "2025-03"})).json()["items"]) == len(STEPS) + 1
    text = (await world.maker.get("/v1/lists/birthdays/file", params={"month": "2025-03", "format": "csv"})).text
    assert text.count("\n") == 2 + len(STEPS)
    assert "SA6" not in text
    xlsx = await world.maker.get("/v1/lists/birthdays/file", params={"month": "2025-03"})
    assert xlsx.content.startswith(b"PK")


@pytest.mark.parametrize(("age", "month", "programmes"), [
    (75, "2025-08", ["SOCIAL_PENSION"]), (70, "2025-08", ["SOCIAL_PENSION"]), (75, "2025-03", ["SOCIAL_ASSISTANCE"]),
    (80, "2025-08", ["SOCIAL_ASSISTANCE"]),
])  # fmt: skip
async def test_whoever_may_claim_something_new_is_a_candidate(world: Any, age: int, month: str, programmes: list[str]) -> None:
    birth = at(int(month[:4]), int(month[5:])) - age * 12
    near = "NEAR_POOR" if age == 70 else "POOR"
    plain, in_group, holder, dead, _ = await store(
        world, Person(birth, (Decision("MR_PRISON", START),)), Person(birth, (), groups=(Span(START, None, near),)),
        Person(birth, (Decision("SP_75", at(2025, 7)), Decision("SA8", START))), Person(birth, (), died=at(2025, 1)),
        Person(birth + 1, (), groups=(Span(START, None, near),)),
    )  # fmt: skip
    items = (await world.maker.get("/v1/lists/age-candidates", params={"month": month})).json()["items"]
    found = {item["beneficiary_id"]: item["programmes"] for item in items}
    wanted = {in_group: programmes} | ({plain: programmes} if (age, month) == (75, "2025-08") else {})
    assert found == wanted
    assert holder not in found
    assert dead not in found
    everybody = (await world.maker.get("/v1/lists/age-candidates", params={"month": month, "in_group": "false"})).json()["items"]
    assert {item["beneficiary_id"] for item in everybody} == {plain, in_group}
    file = await world.maker.get("/v1/lists/age-candidates/file", params={"month": month, "format": "csv"})
    assert file.status_code == 200
    police = world.client_as(world.app, Role.COMMUNE_POLICE, units=("60",), subject="police")
    assert (await police.get("/v1/lists/age-candidates", params={"month": month})).status_code == 403
