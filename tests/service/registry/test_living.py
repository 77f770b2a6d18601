"""Relatives of merit people seen from both sides; dated addresses; answers with what was answered before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from registry_test_helpers import row

from common.actor import Role
from registry.domain.addresses import addresses
from registry.domain.history import Version

DAY = "2024-08-20"
LINK = {
    "business_date": DAY, "relation": "CHILD", "decision_number": "12/QĐ-UBND", "decision_date": "2024-01-15", "from_date": "2024-02-01",
}  # fmt: skip


async def _link(world: Any, key: str, **more: Any) -> Any:
    return await world.maker.post("/v1/merit-relations", json=LINK | more, headers={"Idempotency-Key": f"relation-{key}"})


async def _living(world: Any, person: str) -> dict[str, Any]:
    answer = await world.maker.get(f"/v1/beneficiaries/{person}/living")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_relative_is_a_person_of_the_register_linked_to_merit_person_and_decision_both_ways(world: Any) -> None:
    await world.take([row("M-1", "060190000001", "MR_1945"), row("M-2", "060190000002", "MR_MARTYR_1")], programme="MERIT")
    merit, relative = await world.id_of("M-1"), await world.id_of("M-2")
    made = await _link(world, "1", relative_id=relative, merit_person_id=merit)
    assert made.status_code == 201, made.text
    (seen,) = (await _living(world, relative))["relations"]
    assert [seen] == (await _living(world, merit))["relations"]
    assert (seen["merit_person_id"], seen["relative_id"], seen["merit_is_beneficiary"]) == (merit, relative, True)
    detail = (await world.maker.get(f"/v1/beneficiaries/{relative}")).json()
    assert seen["entitlement_id"] == detail["entitlements"][0]["entitlement_id"]
    assert (await _link(world, "2", relative_id=relative, merit_person_id=merit)).status_code == 409
    assert (await _link(world, "3", relative_id=relative, merit_person_id=relative)).status_code == 404
    assert (await _link(world, "4", relative_id=relative)).status_code == 422


async def test_a_fallen_soldier_gets_a_record_but_is_no_beneficiary_and_in_no_event(world: Any) -> None:
    await world.take([row("M-2", "060190000002", "MR_MARTYR_1")], programme="MERIT")
    relative = await world.id_of("M-2")
    before = len(await world.events("BeneficiaryRegistered"))
    soldier = {"full_name": "Nguyễn Văn Tám", "birth_date": "1945", "sex": "M", "died_on": "1968-02-12"}
    made = await _link(world, "1", relative_id=relative, merit_person=soldier)
    assert made.status_code == 201, made.text
    (seen,) = (await _living(world, relative))["relations"]
    assert (seen["merit_name"], seen["merit_status"], seen["merit_death_date"]) == ("Nguyễn Văn Tám", "DECEASED", "1968-02-12")
    assert (await world.maker.get(f"/v1/beneficiaries/{seen['merit_person_id']}")).status_code == 404
    assert (await world.maker.get("/v1/beneficiaries", params={"name": "tam"})).json()["items"] == []
    assert len(await world.events("BeneficiaryRegistered")) == before
    path = f"/v1/merit-relations/{made.json()['relation_id']}"
    ended = await world.maker.patch(path, json={"business_date": DAY, "to_date": "2024-07-31"}, headers={"If-Match": '"1"'})
    assert (ended.status_code, ended.json()["to_date"], ended.headers["ETag"]) == (200, "2024-07-31", '"2"')
    stale = await world.maker.patch(path, json={"business_date": DAY, "to_date": "2024-07-31"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_addresses_are_dated_units(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    person = await world.id_of("A-1")

    async def move(version: int, **body: Any) -> Any:
        path = f"/v1/beneficiaries/{person}"
        return await world.checker.patch(path, json={"business_date": DAY} | body, headers={"If-Match": f'"{version}"'})

    assert (await move(1, address="Số 1", hamlet="Thôn 1", address_from="2024-05-01")).status_code == 200
    assert (await move(2, unit_code="22915", unit_reason="nhập nhầm mã xã", address_from="2024-07-01")).status_code == 200
    assert (await move(3, unit_code="22924", sex="F", address_from="2024-07-01")).status_code == 422
    assert (await move(3, address="Số 2", address_from="2024-09-01")).status_code == 422
    found = (await world.checker.get(f"/v1/beneficiaries/{person}/living")).json()["addresses"]
    assert [(item["unit_code"], item["address"], item["from_date"], item["to_date"]) for item in found] == [
        ("22924", None, None, "2024-04-30"), ("22924", "Số 1", "2024-05-01", "2024-06-30"), ("22915", "Số 1", "2024-07-01", None),
    ]  # fmt: skip


def _version(seq: int, effective_on: str, address: str) -> Version:
    state = {"unit_code": "1", "unit_path": "1", "address": address, "hamlet": None}
    at = datetime(2024, 8, 1, tzinfo=UTC)
    return Version(seq, "U", at, date(2024, 8, 1), date.fromisoformat(effective_on), state)


def test_an_address_known_later_that_holds_earlier_replaces_what_was_said() -> None:
    said = [_version(1, "2024-01-01", "A"), _version(2, "2024-06-01", "B"), _version(3, "2024-03-01", "C"), _version(4, "2024-07-01", "C")]
    assert [(item.address, item.from_date, item.to_date) for item in addresses(said)] == [
        ("A", None, date(2024, 2, 29)), ("C", date(2024, 3, 1), None),
    ]  # fmt: skip


async def test_answers_keep_what_was_answered_before(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    person = await world.id_of("A-1")
    body = {"business_date": DAY, "preference": "DECLINES", "preference_evidence": "Phiếu số 7"}
    done = await world.maker.patch(f"/v1/beneficiaries/{person}", json=body, headers={"If-Match": '"1"'})
    assert (done.json()["preference"], done.json()["preference_on"], done.json()["preference_evidence"]) == ("DECLINES", DAY, "Phiếu số 7")
    assert [(item["preference"], item["source"]) for item in (await _living(world, person))["preferences"]] == [
        ("DECLINES", "OFFICE"), ("WANTS_ACCOUNT", "LIST"),
    ]  # fmt: skip
    assert [event["body"]["preference"] for event in await world.events("PreferenceRecorded")] == ["WANTS_ACCOUNT", "DECLINES"]


async def test_another_area_does_not_see_how_somebody_lives(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    other = world.client_as(world.app, Role.AUDITOR, units=("60/594",))
    assert (await other.get(f"/v1/beneficiaries/{await world.id_of('A-1')}/living")).status_code == 404
