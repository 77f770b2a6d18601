"""The police's work list with both sides' fields, what two people decided, progress, and numbers to be issued at home."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from common.actor import Role
from common.contracts.registry_v1 import RepresentativeRevoked
from common.ids import new_id
from identity_verify.usecases.plan import plan_rechecks

DECISION = {"verdict": "VERIFIED", "note": "Đã đối chiếu căn cước bản gốc", "business_date": "2024-08-21"}
NUMBER = "060150123456"


async def unclear(world):
    person = world.person()
    world.knows(NUMBER, name="Trần Thị Phượng")
    await world.hear([person])
    await world.drain()
    return person


def police(world, client_as, subject: str = "police"):
    return client_as(world.app, Role.COMMUNE_POLICE, units=("60/593/22924",), subject=subject)


async def test_the_fields_stand_side_by_side_for_the_police_with_a_purpose(world, client_as) -> None:
    person = await unclear(world)
    client = police(world, client_as)
    [item] = (await client.get("/v1/verification/work-list")).json()["items"]
    assert (item["verdict"], item["proposals"]) == ("REVIEW", [])
    path = f"/v1/verification/work-list/{person.beneficiary_id}/side-by-side"
    assert (await client.get(path)).status_code == 422
    assert (await client_as(world.app, Role.COMMUNE_OFFICER, units=("60",)).get(path, params={"purpose": "Xem thử"})).status_code == 403
    assert (await client_as(world.app, Role.COMMUNE_POLICE, units=("60/594",)).get(path, params={"purpose": "Xem thử"})).status_code == 404
    found = await client.get(path, params={"purpose": "Đối chiếu tại nhà"})
    fields = {field["field"]: (field["in_register"], field["in_source"], field["result"]) for field in found.json()["fields"]}
    assert fields["name"] == ("Trần Thị Phương", "Trần Thị Phượng", "REVIEW_DIACRITIC")
    assert fields["birth_date"] == ("1950", "1950-03-05", "match")
    assert NUMBER not in found.text
    async with world.db.read() as tx:
        assert await tx.value("SELECT purpose FROM audit_log WHERE action = 'verification.side_by_side'") == "Đối chiếu tại nhà"


async def test_a_representative_in_the_work_list_is_looked_at_and_decided_by_the_id_shown(world, client_as) -> None:
    ward = world.person()
    keeper = world.representative(ward.beneficiary_id, "Trần Thị Phương", NUMBER)
    world.knows(NUMBER, name="Trần Thị Phượng", birth_date="1980-02-01")
    await world.hear([ward, keeper])
    await world.drain()
    client = police(world, client_as)
    found = (await client.get("/v1/verification/work-list")).json()["items"]
    assert str(keeper.representative_id) in {item["subject_id"] for item in found}
    path = f"/v1/verification/work-list/{keeper.representative_id}/side-by-side"
    shown = await client.get(path, params={"purpose": "Đối chiếu tại nhà"})
    assert (shown.status_code, shown.json()["beneficiary_id"]) == (200, str(ward.beneficiary_id))
    decision = f"/v1/verifications/{keeper.representative_id}/decision"
    assert [(await police(world, client_as, who).post(decision, json=DECISION)).status_code for who in ("a", "b")] == [202, 200]

    other = world.person(number=None)
    await world.hear([other, keeper.model_copy(update={"beneficiary_id": other.beneficiary_id})])
    await world.drain()
    refused = await client.get(path, params={"purpose": "Đối chiếu tại nhà"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "beneficiary_id")
    told = {"purpose": "Đối chiếu tại nhà", "beneficiary_id": str(ward.beneficiary_id)}
    assert (await client.get(path, params=told)).status_code == 200
    assert (await client.get(f"/v1/verification/work-list/{new_id()}/side-by-side", params={"purpose": "Xem thử"})).status_code == 404


async def test_a_proposal_is_shown_to_the_second_person_and_the_item_is_gone_after(world, client_as) -> None:
    person = await unclear(world)
    first, second = police(world, client_as, "first"), police(world, client_as, "second")
    path = f"/v1/verifications/{person.beneficiary_id}/decision"
    assert (await first.post(path, json=DECISION)).status_code == 202
    [item] = (await second.get("/v1/verification/work-list")).json()["items"]
    assert [(one["verdict"], one["proposed_by"]) for one in item["proposals"]] == [("VERIFIED", "first")]
    assert (await second.post(path, json=DECISION)).status_code == 200
    assert (await second.get("/v1/verification/work-list")).json()["items"] == []


async def test_what_two_people_decided_stands_while_data_and_answer_stay_the_same(world, client_as) -> None:
    person = await unclear(world)
    path = f"/v1/verifications/{person.beneficiary_id}/decision"
    for subject in ("first", "second"):
        await police(world, client_as, subject).post(path, json=DECISION)
    for days, verdict in ((60, "VERIFIED"), (120, "VERIFIED")):
        await plan_rechecks(world.db, world.settings, person.business_date + timedelta(days=days))
        await world.drain()
        assert (await world.verdicts())[person.beneficiary_id] == verdict
    _, body = (await world.events())[-1]
    assert body["fields"]["decision"] == "confirmed by two people"
    world.knows(NUMBER, name="Trần Thị Phượng", birth_date="1951-03-05")
    await plan_rechecks(world.db, world.settings, person.business_date + timedelta(days=180))
    await world.drain()
    assert (await world.verdicts())[person.beneficiary_id] == "REVIEW", "another answer asks them again"


async def test_progress_says_who_waits_why_and_when_it_ends(world, client_as) -> None:
    for number in range(4):
        world.knows(f"0601500{number:05d}")
    await world.hear([world.person(number=f"0601500{number:05d}") for number in range(4)])
    client = client_as(world.app, Role.OPERATOR, units=("60",))
    before = (await client.get("/v1/verification/progress")).json()
    assert (before["queue"], before["expected_end"], before["source"]["state"]) == (4, None, "ANSWERS")
    assert [(item["reason"], item["waiting"]) for item in before["waiting"]] == [("REGISTERED", 4)]
    await world.drain()
    await world.hear([world.person(number="060150000009")])
    after = (await client.get("/v1/verification/progress")).json()
    assert (after["queue"], after["answers_in_ten_minutes"]) == (1, 4)
    assert after["per_second"] > 0
    assert after["expected_end"] is not None
    world.population.script = [httpx.ConnectError("away")]
    await world.drain()
    away = (await client.get("/v1/verification/progress")).json()
    assert (away["source"]["state"], away["expected_end"]) == ("AWAY", None)
    assert away["source"]["next_try_at"] is not None
    elsewhere = await client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",)).get("/v1/verification/progress")
    assert elsewhere.json()["waiting"] == []


async def test_an_officer_asks_for_rechecks_of_a_day(world, client_as) -> None:
    world.knows(NUMBER)
    await world.hear([world.person()])
    await world.drain()
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    headers = {"Idempotency-Key": new_id().hex}
    body = {"business_date": "2024-11-01"}
    answer = await officer.post("/v1/verification/rechecks", json=body, headers=headers)
    again = await officer.post("/v1/verification/rechecks", json=body, headers=headers)
    assert (answer.status_code, again.json()) == (202, answer.json())
    await world.work()
    assert list((await world.waiting()).values()) == ["RECHECK"]


async def test_a_number_is_asked_for_issued_at_home_and_registered(world, client_as) -> None:
    person = world.person(number=None)
    await world.hear([person])
    await world.drain()
    commune = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593",), subject="commune")
    body = {
        "beneficiary_id": str(person.beneficiary_id), "reason": "CANNOT_TRAVEL", "note": "Liệt, nhà cuối thôn",
        "business_date": "2024-08-20",
    }  # fmt: skip

    async def ask(**more):
        return await commune.post("/v1/verification/issue-requests", json={**body, **more}, headers={"Idempotency-Key": new_id().hex})

    request_id = (await ask()).json()["request_id"]
    assert (await ask()).json()["type"] == "/problems/issue-request-exists"
    assert (await ask(beneficiary_id=str(new_id()))).status_code == 404
    path, officer = f"/v1/verification/issue-requests/{request_id}", police(world, client_as)
    assert (await officer.post(f"{path}/moves", json={"state": "ACCEPTED", "business_date": "2024-08-21"})).status_code == 428
    tag = (await officer.get(path)).headers["ETag"]
    for state, status in (("ISSUED", 409), ("ACCEPTED", 200), ("VISITED", 200), ("VISITED", 200), ("ISSUED", 200), ("REFUSED", 409)):
        move = {"state": state, "business_date": "2024-08-21", "visit_on": "2024-08-28"}
        answer = await officer.post(f"{path}/moves", json=move, headers={"If-Match": tag})
        assert answer.status_code == status, (state, answer.text)
        tag = answer.headers.get("ETag", tag)
    assert (await officer.post(f"{path}/moves", json=move, headers={"If-Match": '"1"'})).status_code == 412
    world.knows(NUMBER)
    await world.hear([world.person(number=NUMBER, version=2, beneficiary_id=person.beneficiary_id)])
    await world.drain()
    found = (await officer.get(path)).json()
    assert [step["state"] for step in found["steps"]] == ["REQUESTED", "ACCEPTED", "VISITED", "VISITED", "ISSUED", "REGISTERED"]
    assert found["has_note"]
    assert "Liệt" not in str(found)
    assert (await world.verdicts())[person.beneficiary_id] == "VERIFIED"
    assert (await ask()).json()["type"] == "/problems/number-known"
    other = client_as(world.app, Role.COMMUNE_POLICE, units=("60/594",))
    assert (await other.get(path)).status_code == 404
    assert (await other.get("/v1/verification/issue-requests")).json()["items"] == []


async def test_the_steps_of_a_request_cannot_be_changed(world) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE issue_request_step SET state = 'X'")


async def test_my_work_counts_what_is_mine_to_decide_and_not_what_i_proposed(world, client_as) -> None:
    person = await unclear(world)
    first, second = police(world, client_as, "first"), police(world, client_as, "second")

    async def waiting(client: httpx.AsyncClient) -> dict[str, int]:
        answer = await client.get("/v1/work", params={"business_date": "2024-08-21"})
        return {item["kind"]: item["count"] for item in answer.json()["items"]}

    assert await waiting(first) == {"mismatches": 1}
    assert await waiting(client_as(world.app, Role.COMMUNE_POLICE, units=("60/594",))) == {}
    assert await waiting(client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",))) == {"mismatches_to_correct": 1}
    path = f"/v1/verifications/{person.beneficiary_id}/decision"
    assert (await first.post(path, json=DECISION)).status_code == 202
    assert (await waiting(first), await waiting(second)) == ({}, {"mismatches_to_confirm": 1})
    assert (await second.post(path, json=DECISION)).status_code == 200
    assert (await waiting(first), await waiting(second)) == ({}, {})


async def test_a_collector_found_dead_waits_for_the_commune_until_the_right_has_ended(world, client_as) -> None:
    """The money goes to the person in cash meanwhile, who may be a child or bedridden: somebody has to appoint another."""
    ward = world.person()
    keeper = world.representative(ward.beneficiary_id, "Trần Văn Nam", NUMBER)
    world.knows(NUMBER, name="Trần Văn Nam", birth_date="1980-02-01", status="DECEASED", death_date="2024-07-01")
    await world.hear([ward, keeper])
    await world.drain()
    assert (await world.verdicts())[keeper.representative_id] == "DECEASED"

    async def waiting(unit: str) -> dict[str, dict[str, str]]:
        client = client_as(world.app, Role.COMMUNE_OFFICER, units=(unit,))
        items = (await client.get("/v1/work", params={"business_date": "2024-08-21"})).json()["items"]
        return {item["kind"]: item["about"] for item in items if item["kind"] == "collectors_dead"}

    about = {"subject_id": str(keeper.representative_id), "/beneficiary_id": str(ward.beneficiary_id)}
    assert await waiting("60/593/22924") == {"collectors_dead": about}
    assert await waiting("60/594") == {}
    ended = keeper.model_dump() | {"version": 2, "revoked_on": "2024-08-22"}
    await world.hear([RepresentativeRevoked(**ended)])
    assert await waiting("60/593/22924") == {}
