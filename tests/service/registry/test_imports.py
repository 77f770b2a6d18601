"""Lists: good rows kept, bad rows refused with a reason, the same file once, two people."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

from registry_test_helpers import UNIT_PATH, as_csv, row

from common.actor import Role
from common.jobs import Job
from registry.usecases.importing import APPLY
from registry.usecases.importing import importer as make_importer


async def test_good_rows_are_kept_and_bad_rows_name_their_reason(world: Any) -> None:
    rows = [
        row("A-1", "060190000001"),
        row("A-2", "060190000002", birth_date="31/02/1950"),
        row("A-3", "60190000003"),
        row("A-4", "06019000000X"),
        row("A-5", "060190000005", category="NOPE"),
        row("A-6", "060190000006", full_name=""),
        row("A-7", "060190000007", unit_code="99999"),
        row("A-8", "060190000001"),
        row("A-9", ""),
        row("A-1", "060190000001", category="CS_HH_XS"),
        row("A-1", "060190000001"),
        row("A-12", "060190000012", unit_code="22915"),
        row("A-13", "060190000013", category="MR_PRISON"),
    ]
    found = await world.take(rows)
    assert (found["rows_total"], found["rows_good"], found["rows_refused"]) == (13, 3, 10)
    first = 4
    assert await world.errors(found["import_id"]) == [
        (first + 1, "BAD_BIRTH_DATE"), (first + 2, "NUMBER_LOST_ZERO"), (first + 3, "NUMBER_BAD"), (first + 4, "UNKNOWN_CATEGORY"),
        (first + 5, "MISSING_NAME"), (first + 6, "UNKNOWN_UNIT"), (first + 7, "DUPLICATE_NUMBER_FILE"), (first + 10, "DUPLICATE_ROW"),
        (first + 11, "UNIT_OUTSIDE"), (first + 12, "WRONG_PROGRAMME"),
    ]  # fmt: skip
    registered = await world.events("BeneficiaryRegistered")
    assert [event["body"]["file_code"] for event in registered] == ["A-1", "A-9"]
    assert registered[1]["body"]["national_number"] == {}
    assert sorted(registered[0]["body"]["national_number"]) == ["accounts", "identity-verify"]
    assert len(await world.events("EntitlementGranted")) == 3
    assert {event["body"]["preference"] for event in await world.events("PreferenceRecorded")} == {"WANTS_ACCOUNT"}


async def test_sealed_number_opens_for_its_consumer_only_there(world: Any, keyring: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    (event,) = await world.events("BeneficiaryRegistered")
    sealed = event["body"]["national_number"]
    assert keyring("accounts").open(sealed["accounts"]) == "060190000001"
    assert keyring("identity-verify").open(sealed["identity-verify"]) == "060190000001"
    assert str(event["event_id"]) in sealed["accounts"]


async def test_same_file_twice_changes_nothing(world: Any) -> None:
    content = as_csv([row("A-1", "060190000001")])
    first = (await world.send(content)).json()
    again = (await world.send(content)).json()
    assert again == {"import_id": first["import_id"], "job_id": first["job_id"], "already_imported": True}
    await world.work()
    await world.checker.post(f"/v1/imports/{first['import_id']}/approve")
    await world.work()
    before = len(await world.events("BeneficiaryRegistered", "DuesChanged", "EntitlementGranted"))
    assert (await world.send(content)).json()["already_imported"]
    await world.work()
    assert len(await world.events("BeneficiaryRegistered", "DuesChanged", "EntitlementGranted")) == before == 3


async def test_dry_run_shows_errors_and_cannot_be_approved(world: Any) -> None:
    sent = await world.send(as_csv([row("A-1", "60190000001")]), dry_run="true")
    await world.work()
    import_id = sent.json()["import_id"]
    assert await world.errors(import_id) == [(4, "NUMBER_LOST_ZERO")]
    assert (await world.checker.post(f"/v1/imports/{import_id}/approve")).status_code == 409


async def test_who_sent_a_list_cannot_approve_it(world: Any) -> None:
    one = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="one")
    import_id = (await world.send(as_csv([row("A-1")]), one)).json()["import_id"]
    await world.work()
    refused = await one.post("/v1/imports/approve", json={"import_ids": [import_id]})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/same-person")
    assert (await world.checker.post("/v1/imports/approve", json={"import_ids": [import_id]})).status_code == 202


async def test_broken_files_are_refused_with_a_reason(world: Any) -> None:
    for content, word in ((b"\x00\x01\x02", "text"), (b"a;b;c\n1;2;3\n", "header"), (b"", "empty"), (b"PK\x03\x04junk", "XLSX")):
        answer = await world.send(content)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert word in answer.json()["detail"]
        assert answer.json()["title_vi"]


async def test_duplicate_in_another_commune_is_refused_when_applied(world: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    other = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="other")
    sent = await world.send(
        as_csv([row("B-1", "060190000001", unit_code="22915"), row("B-2", "", unit_code="22915")]), other, unit_code="22915"
    )
    await world.work()
    import_id = sent.json()["import_id"]
    assert await world.errors(import_id) == [(4, "DUPLICATE_NUMBER_REGISTER")]


async def test_two_waiting_lists_with_one_number_the_earlier_wins(world: Any) -> None:
    ids = []
    for code in ("A-1", "B-1"):
        ids.append((await world.send(as_csv([row(code, "060190000001")]))).json()["import_id"])
    await world.work()
    assert (await world.checker.post("/v1/imports/approve", json={"import_ids": ids[::-1]})).status_code == 202
    await world.work()
    assert await world.errors(ids[0]) == []
    assert await world.errors(ids[1]) == [(4, "DUPLICATE_NUMBER_REGISTER")]


async def test_units_outside_the_callers_area_do_not_exist(world: Any) -> None:
    assert (await world.send(as_csv([row("A-1")]), unit_code="22915")).status_code == 404
    found = await world.take([row("A-1", "060190000001")])
    stranger = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    person = await world.id_of("A-1")
    for path in (f"/v1/imports/{found['import_id']}", f"/v1/beneficiaries/{person}", f"/v1/beneficiaries/{person}/dues"):
        assert (await stranger.get(path)).status_code == 404, path
    assert (await stranger.get("/v1/beneficiaries")).json()["items"] == []
    assert (await stranger.get("/v1/beneficiaries", params={"unit_path": UNIT_PATH})).json()["items"] == []


async def test_a_representatives_number_is_of_the_person_named(world: Any) -> None:
    """One digit mistyped is a neighbour's number, who would collect the money."""
    await world.take([row("A-1", "060170000017", full_name="Lê Văn Khác")])
    rep = {"rep_name": "Trần Văn Bình", "rep_kind": "Giám hộ", "rep_from": "01/01/2024"}
    rows = [
        row("B-1", rep_number="060170000017", **rep),  # registered as Lê Văn Khác
        row("B-2", "060180000018", full_name="Hồ Thị Đào"),
        row("B-3", rep_number="060180000018", **rep),  # of another row
        row("B-4", rep_number="060170000033", **rep),
        row("B-5", rep_number="060170000041", **rep), row("B-6", rep_number="060170000041", **rep | {"rep_name": "Trần Thị Bình"}),
        row("B-7", rep_number="060170000017", **rep | {"rep_name": "LÊ VĂN KHÁC"}),
    ]  # fmt: skip
    taken = await world.take(rows)
    assert sorted(await world.errors(taken["import_id"])) == [(line, "REP_NUMBER_OTHER_PERSON") for line in (4, 6, 8, 9)]
    assert taken["rows_applied"] == 3


async def test_representatives_share_one_person_and_may_be_beneficiaries(world: Any) -> None:
    carer = {"rep_name": "Trần Văn Bình", "rep_birth": "1970", "rep_sex": "Nam", "rep_number": "060070000009", "rep_kind": "Giám hộ"}
    await world.take([row("A-1", "060190000001", **carer), row("A-2", "060190000002", **carer)])
    await world.take([row("A-3", "060070000009", category="CS_HH_XS", full_name="Trần Văn Bình", birth_date="1970", sex="Nam")])
    appointed = await world.events("RepresentativeAppointed")
    assert {event["body"]["representative_id"] for event in appointed} == {await world.id_of("A-3")}
    assert {event["body"]["kind"] for event in appointed} == {"GUARDIAN"}


async def test_two_workers_on_one_job_end_in_the_same_register(world: Any) -> None:
    """A worker thought dead may still be running when another takes its job over."""
    rows = [row(f"A-{n}", f"0601900000{n:02d}") for n in range(1, 9)] + [row("A-1", "060190000001", category="CS_HH_XS")]
    import_id = (await world.send(as_csv(rows))).json()["import_id"]
    await world.work()
    await world.checker.post(f"/v1/imports/{import_id}/approve")
    importer = make_importer(world.db, apply_rows=2)
    job = Job(uuid4(), APPLY, {"import_ids": [import_id]}, "checker", date(2024, 8, 20), 1)
    await asyncio.gather(importer.apply(job), importer.apply(job))
    assert len(await world.events("BeneficiaryRegistered")) == 8
    assert len(await world.events("EntitlementGranted")) == 9
    assert (await world.checker.get(f"/v1/imports/{import_id}")).json()["rows_applied"] == 9
    assert (await world.due("A-1", "2024-09"))["total"] == 750_000 + 500_000


async def test_a_check_or_an_application_that_stopped_can_be_asked_for_again(world: Any) -> None:
    content = as_csv([row("A-1", "060190000001")])
    first = (await world.send(content)).json()
    await _fail(world, first["job_id"])
    again = (await world.send(content)).json()
    assert again["import_id"] == first["import_id"]
    assert again["job_id"] != first["job_id"]
    await world.work()
    approve = f"/v1/imports/{first['import_id']}/approve"
    job = (await world.checker.post(approve)).json()["job_id"]
    assert (await world.checker.post(approve)).status_code == 409
    await _fail(world, job)
    assert (await world.checker.post(approve)).status_code == 202
    await world.work()
    assert (await world.checker.get(f"/v1/imports/{first['import_id']}")).json()["state"] == "APPLIED"


async def _fail(world: Any, job_id: str) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE job SET state = 'FAILED' WHERE id = CAST(:id AS uuid)", id=job_id)
