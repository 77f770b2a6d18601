"""Routes: scope, roles, the work list, decisions by two people."""

from __future__ import annotations

import pytest

from common.actor import Role
from identity_verify.main import make_app

DECISION = {"verdict": "VERIFIED", "note": "Đã đối chiếu căn cước bản gốc", "business_date": "2024-08-21"}


@pytest.fixture
def app(world):
    return make_app(world.settings, world.db)


async def reviewed(world):
    person = world.person()
    world.knows("060150123456", name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    return person


async def test_progress_counts_by_verdict_in_the_callers_units(world, app, client_as) -> None:
    await reviewed(world)
    await world.hear([world.person(number="060150000002")])
    mine = await client_as(app, Role.DISTRICT_OFFICER, units=("60/593",)).get("/v1/progress")
    assert mine.json() == {"pending": 1, "answered": 1, "by_verdict": {"REVIEW": 1}}
    other = await client_as(app, Role.DISTRICT_OFFICER, units=("60/59",)).get("/v1/progress")
    assert other.json()["answered"] == 0


async def test_the_work_list_filters_and_pages(world, app, client_as) -> None:
    await world.hear([world.person(number=None) for _ in range(5)])
    await world.drain()
    await reviewed(world)
    client = client_as(app, Role.COMMUNE_POLICE, units=("60/593/22924",))
    seen, cursor = [], None
    while True:
        params = {"verdict": "NO_ID", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/verifications", params=params)).json()
        seen += [item["subject_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert (await client.get("/v1/verifications", params={"cursor": "x"})).status_code == 422


async def test_another_units_person_is_not_found(world, app, client_as) -> None:
    person = await reviewed(world)
    path = f"/v1/verifications/{person.beneficiary_id}"
    assert (await client_as(app, Role.COMMUNE_OFFICER, units=("60/594",)).get(path)).status_code == 404
    own = await client_as(app, Role.COMMUNE_OFFICER, units=("60/593",)).get(path)
    assert own.status_code == 200
    assert own.json()[0]["fields"]["name"] == "REVIEW_DIACRITIC"
    assert own.json()[0]["evidence"][0]["reference"] == "PD-1"
    assert "060150123456" not in own.text


async def test_a_decision_takes_two_people(world, app, client_as) -> None:
    person = await reviewed(world)
    path = f"/v1/verifications/{person.beneficiary_id}/decision"
    first = client_as(app, Role.COMMUNE_POLICE, units=("60/593",), subject="an")
    second = client_as(app, Role.COMMUNE_POLICE, units=("60/593",), subject="binh")
    answer = await first.post(path, json=DECISION)
    assert (answer.status_code, answer.json()) == (202, {"state": "PROPOSED", "version": 1})
    assert (await first.post(path, json=DECISION)).status_code == 202  # the same again is still only proposed
    assert len(await world.events()) == 1
    answer = await second.post(path, json=DECISION)
    assert (answer.status_code, answer.json()) == (200, {"state": "APPLIED", "version": 2})
    kind, body = (await world.events())[-1]
    assert (kind, body["verdict"], body["version"]) == ("BeneficiaryVerified", "VERIFIED", 2)
    assert (await second.post(path, json=DECISION)).status_code == 409  # nothing unclear is left
    async with world.db.read() as tx:
        told = await tx.value("SELECT detail FROM audit_log WHERE action = 'decision.applied'")
    assert [(told[side]["verdict"], told[side]["version"]) for side in ("before", "after")] == [("REVIEW", 1), ("VERIFIED", 2)]


async def test_only_police_decide_and_only_in_their_units(world, app, client_as) -> None:
    person = await reviewed(world)
    path = f"/v1/verifications/{person.beneficiary_id}/decision"
    assert (await client_as(app, Role.APPROVER).post(path, json=DECISION)).status_code == 403
    assert (await client_as(app, Role.COMMUNE_POLICE, units=("60/594",)).post(path, json=DECISION)).status_code == 404
    assert (await client_as(app).post(path, json=DECISION)).status_code == 401


async def test_quiet_says_what_is_left(world, app, client_as) -> None:
    await world.hear([world.person(number=None)])
    client = client_as(app, Role.OPERATOR)
    before = (await client.get("/v1/quiet")).json()
    assert (before["quiet"], before["waiting"]["checks_pending"]) == (False, 1)
    await world.drain()
    assert (await client.get("/v1/quiet")).json()["waiting"]["checks_pending"] == 0


async def test_a_cut_off_is_shown_with_its_difference(world, app, client_as) -> None:
    cut_off_id = await world.markers([world.person()])
    client = client_as(app, Role.DEPARTMENT_OFFICER)
    body = (await client.get(f"/v1/cut-offs/{cut_off_id}")).json()
    assert body["state"] == "DIFFERS"
    assert len(body["partitions"]) == 8
    assert (await client.get(f"/v1/cut-offs/{world.person().beneficiary_id}")).status_code == 404
