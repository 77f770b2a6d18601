"""Households: made, joined, left, split; dated; one at a time per person; another area's are not there."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import UNIT_PATH, row

from common.actor import Role

DAY = "2024-08-20"


@pytest.fixture
async def four(world: Any) -> list[str]:
    """Four registered people."""
    await world.take([row(f"A-{n}", f"06019000000{n}", full_name=f"Người Số {name}") for n, name in enumerate(("Một", "Hai", "Ba", "Bốn"))])
    return [await world.id_of(f"A-{n}") for n in range(4)]


async def make(world: Any, people: list[str], key: str = "household-1", **more: Any) -> Any:
    members = [{"beneficiary_id": person, "relation": "Chủ hộ" if n == 0 else "Con"} for n, person in enumerate(people)]
    body = {"code": "H-1", "unit_code": "22924", "business_date": DAY, "from_date": "2024-01-01", "members": members, "hamlet": "Thôn 1"}
    return await world.maker.post("/v1/households", json=body | more, headers={"Idempotency-Key": key})


async def _read(world: Any, household: str, **params: Any) -> Any:
    return await world.maker.get(f"/v1/households/{household}", params=params)


async def test_a_household_has_a_head_and_members_and_is_listed(world: Any, four: list[str]) -> None:
    made = await make(world, four[:2])
    assert made.status_code == 201, made.text
    assert (await make(world, four[:2])).json() == made.json()
    found = await _read(world, made.json()["household_id"])
    assert (found.headers["ETag"], found.json()["head_id"]) == ('"1"', four[0])
    assert [(item["beneficiary_id"], item["relation"], item["is_head"]) for item in found.json()["members"]] == [
        (four[0], "Chủ hộ", True), (four[1], "Con", False),
    ]  # fmt: skip
    listed = (await world.maker.get("/v1/households", params={"unit_path": UNIT_PATH, "code": "H-1"})).json()["items"]
    assert [(item["head_name"], item["members"], item["hamlet"]) for item in listed] == [("Người Số Một", 2, "Thôn 1")]


async def test_pages_join(world: Any, four: list[str]) -> None:
    for n, person in enumerate(four):
        assert (await make(world, [person], f"household-{n}", code=f"H-{n}")).status_code == 201
    codes, cursor = [], {}
    while True:
        page = (await world.maker.get("/v1/households", params={"limit": 3} | cursor)).json()
        codes += [item["code"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(codes) == ["H-0", "H-1", "H-2", "H-3"]


async def test_a_person_belongs_to_one_household_at_a_time(world: Any, four: list[str]) -> None:
    first = (await make(world, four[:2])).json()["household_id"]
    again = await make(world, four[1:3], "household-2", code="H-2")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-in-household")
    assert (await make(world, four[2:3], "household-3")).json()["type"] == "/problems/duplicate-household"
    moved = await make(world, four[1:3], "household-4", code="H-2", from_date="2024-07-01", leave_previous=True)
    assert moved.status_code == 201, moved.text
    kept = (await _read(world, first)).json()
    assert [(item["beneficiary_id"], item["to_date"]) for item in kept["members"]] == [(four[0], None), (four[1], "2024-06-30")]
    assert kept["version"] == 2
    assert [item["beneficiary_id"] for item in (await _read(world, first, on="2024-06-30")).json()["members"]] == four[:2]
    assert [item["beneficiary_id"] for item in (await _read(world, first, on="2024-07-01")).json()["members"]] == four[:1]


async def test_changes_need_the_version_read(world: Any, four: list[str]) -> None:
    path = f"/v1/households/{(await make(world, four[:2])).json()['household_id']}"
    body = {"business_date": DAY, "head_id": four[1], "address": "Số 5"}
    assert (await world.maker.patch(path, json=body)).status_code == 428
    done = await world.maker.patch(path, json=body, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["ETag"], done.json()["head_id"], done.json()["address"]) == (200, '"2"', four[1], "Số 5")
    assert (await world.maker.patch(path, json=body, headers={"If-Match": '"1"'})).status_code == 412
    stranger = await world.maker.patch(path, json=body | {"head_id": four[3]}, headers={"If-Match": '"2"'})
    assert (stranger.status_code, stranger.json()["errors"][0]["field"]) == (422, "head_id")


async def test_joining_leaving_and_closing(world: Any, four: list[str]) -> None:
    path = f"/v1/households/{(await make(world, four[:1])).json()['household_id']}"
    join = {"business_date": DAY, "from_date": "2024-05-01", "members": [{"beneficiary_id": four[1], "relation": "Con"}]}
    assert (await world.maker.post(path + "/members", json=join, headers={"If-Match": '"1"'})).json()["version"] == 2
    twice = await world.maker.post(path + "/members", json=join, headers={"If-Match": '"2"'})
    assert twice.json()["type"] == "/problems/already-in-household"

    async def leave(person: str, version: int, last_day: str = "2024-06-30") -> Any:
        body = {"business_date": DAY, "beneficiary_id": person, "last_day": last_day}
        return await world.maker.post(path + "/leave", json=body, headers={"If-Match": f'"{version}"'})

    assert (await leave(four[1], 2, "2024-04-30")).status_code == 422
    assert (await leave(four[0], 2)).json()["head_id"] is None
    assert (await leave(four[3], 3)).status_code == 404
    closed = (await leave(four[1], 3)).json()
    assert closed["closed_on"] == "2024-06-30"
    assert (await world.maker.get("/v1/households")).json()["items"] == []


async def test_a_split_makes_a_household_that_names_where_it_came_from(world: Any, four: list[str]) -> None:
    first = (await make(world, four[:3])).json()["household_id"]
    body = {
        "business_date": DAY, "from_date": "2024-08-01", "code": "H-9", "keep_groups": False,
        "members": [{"beneficiary_id": four[2], "relation": "Chủ hộ"}],
    }  # fmt: skip
    outsider = body | {"members": [{"beneficiary_id": four[3], "relation": "Chủ hộ"}]}
    assert (await world.maker.post(f"/v1/households/{first}/split", json=outsider, headers={"If-Match": '"1"'})).status_code == 422
    made = await world.maker.post(f"/v1/households/{first}/split", json=body, headers={"If-Match": '"1"'})
    assert made.status_code == 201, made.text
    assert (made.json()["split_from"], made.json()["head_id"], made.json()["hamlet"]) == (first, four[2], "Thôn 1")
    assert [item["beneficiary_id"] for item in (await _read(world, first, on="2024-08-01")).json()["members"]] == four[:2]


async def test_another_area_sees_and_changes_nothing(world: Any, four: list[str]) -> None:
    household = (await make(world, four[:1])).json()["household_id"]
    other = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="other")
    assert (await other.get(f"/v1/households/{household}")).status_code == 404
    assert (await other.get("/v1/households")).json()["items"] == []
    body = {"business_date": DAY, "beneficiary_id": four[0], "last_day": "2024-06-30"}
    assert (await other.post(f"/v1/households/{household}/leave", json=body, headers={"If-Match": '"1"'})).status_code == 404
    theirs = {"code": "X", "unit_code": "22915", "business_date": DAY, "from_date": "2024-01-01"}
    member = {"members": [{"beneficiary_id": four[1], "relation": "Chủ hộ"}]}
    assert (await other.post("/v1/households", json=theirs | member, headers={"Idempotency-Key": "other-00001"})).status_code == 404


async def test_the_future_is_refused(world: Any, four: list[str]) -> None:
    answer = await make(world, four[:1], from_date="2024-09-01")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "from_date")
