"""One person at a time: the same rules as a list, versions, masking, audited full reads, roles."""

from __future__ import annotations

from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role
from common.contracts import registry_v1

NEW = {
    "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": "2024-08-20", "file_code": "S-1",
    "full_name": "Nguyễn Thị Hoà",
    "birth_date": "1950-03-02", "sex": "F", "national_number": "060150001234", "preference": "WANTS_ACCOUNT",
    "entitlements": [{"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
    "representative": {"full_name": "Trần Văn Bình", "kind": "AUTHORISED", "birth_date": "1970", "valid_from": "2024-01-01",
                       "certificate_number": "15/UQ"},
}  # fmt: skip


async def _register(world: Any, key: str = "register-1", **more: Any) -> Any:
    return await world.register(NEW | more, key)


async def test_register_one_is_a_batch_of_one(world: Any) -> None:
    answer = await _register(world)
    assert answer.status_code == 201, answer.text
    again = await _register(world)
    assert (again.status_code, again.json()) == (201, answer.json())
    assert (await _register(world, full_name="Khác")).status_code == 422
    assert (await world.due("S-1", "2024-09"))["total"] == 1_000_000
    assert len(await world.events("BeneficiaryRegistered")) == len(await world.events("RepresentativeAppointed")) == 1


async def test_every_event_fits_its_contract(world: Any) -> None:
    await _register(world)
    for kind in ("BeneficiaryRegistered", "RepresentativeAppointed", "EntitlementGranted", "PreferenceRecorded", "DuesChanged"):
        (event,) = await world.events(kind)
        getattr(registry_v1, kind).model_validate(event["body"])


async def test_refusals_name_the_field_or_the_clash(world: Any) -> None:
    bad = await _register(world, national_number="60150001234")
    assert (bad.status_code, bad.json()["errors"][0]["code"]) == (422, "NUMBER_LOST_ZERO")
    assert (await _register(world, "key-number-2")).status_code == 201
    clash = await _register(world, "key-number-3", file_code="S-2")
    assert (clash.status_code, clash.json()["type"]) == (409, "/problems/duplicate-number")
    second = await _register(world, "key-number-4", entitlements=[NEW["entitlements"][0] | {"decision_number": "2/QĐ"}])
    assert (second.status_code, second.json()["type"]) == (409, "/problems/already-entitled")


async def test_patch_needs_the_version_read(world: Any) -> None:
    person = (await _register(world)).json()["beneficiary_id"]
    path, body = f"/v1/beneficiaries/{person}", {"business_date": "2024-08-20", "sex": "UNKNOWN", "preference": "DECLINES"}
    read = await world.maker.get(path)
    assert read.headers["ETag"] == '"1"'
    assert (await world.maker.patch(path, json=body)).status_code == 428
    done = await world.maker.patch(path, json=body, headers={"If-Match": read.headers["ETag"]})
    assert (done.status_code, done.headers["ETag"], done.json()["preference"]) == (200, '"2"', "DECLINES")
    assert (await world.maker.patch(path, json=body, headers={"If-Match": read.headers["ETag"]})).status_code == 412
    first, updated = await world.events("BeneficiaryRegistered", "BeneficiaryUpdated")
    assert first["body"]["identity_fingerprint"] != updated["body"]["identity_fingerprint"]


async def test_a_number_issued_later_changes_the_identity(world: Any) -> None:
    await world.take([row("A-1", "060190000001"), row("A-2", "")])
    changed = await world.change_identity(await world.id_of("A-2"), national_number="060190000002")
    assert changed["masked_number"] == "060*****0002"
    (updated,) = await world.events("BeneficiaryUpdated")
    assert sorted(updated["body"]["national_number"]) == ["accounts", "identity-verify"]


async def _unit(world: Any, client: Any, person: str, version: int, **fields: Any) -> Any:
    body = {"business_date": "2024-08-20", "unit_code": "22915"} | fields
    return await client.patch(f"/v1/beneficiaries/{person}", json=body, headers={"If-Match": f'"{version}"'})


async def test_a_unit_recorded_by_mistake_is_corrected_with_a_reason_and_everything_said_for_the_right_one(world: Any) -> None:
    await world.take([row("A-1", "060190000001", rep_name="Trần Văn Bình", rep_number="060070000009", rep_kind="Giám hộ")])
    person = await world.id_of("A-1")
    done = await _unit(world, world.checker, person, 1, unit_reason="Nhập nhầm mã xã 22924, hồ sơ 060190000001")
    assert (done.status_code, done.json()["unit_path"]) == (200, "60/593/22915"), done.text
    for kind in ("BeneficiaryMoved", "DuesChanged", "RepresentativeAppointed"):
        assert (await world.events(kind))[-1]["body"]["unit_path"] == "60/593/22915", kind
    assert [event["body"]["version"] for event in await world.events("RepresentativeAppointed")] == [1, 2]
    async with world.db.read() as tx:
        detail = await tx.value("SELECT detail FROM audit_log WHERE action = 'beneficiary.change'")
    assert (detail["before"]["unit_code"], detail["after"]["unit_code"]) == ("22924", "22915")
    assert ("Nhập nhầm" in detail["unit_reason"], "060190000001" in str(detail)) == (True, False)


async def test_a_move_is_no_correction(world: Any) -> None:
    person = (await _register(world)).json()["beneficiary_id"]
    plain = await _unit(world, world.checker, person, 1)
    assert (plain.status_code, plain.json()["type"], "/v1/transfers" in plain.json()["title"]) == (422, "/problems/move-by-transfer", True)
    assert (await _unit(world, world.maker, person, 1, unit_reason="Nhập nhầm mã xã")).status_code == 404, "not the officer's area"
    integrator = world.client_as(world.app, Role.INTEGRATOR, units=("60",))
    assert (await _unit(world, integrator, person, 1, unit_reason="Nhập nhầm mã xã")).status_code == 403
    move = {
        "beneficiary_id": person, "to_unit_code": "22915", "number": "12/QĐ", "decision_date": "2024-08-10", "signer": "Trần Văn Nam",
        "dossier": "Hồ sơ 12 trang", "business_date": "2024-08-20",
    }  # fmt: skip
    assert (await world.maker.post("/v1/transfers", json=move, headers={"Idempotency-Key": "move-0001"})).status_code == 201
    under_way = await _unit(world, world.checker, person, 1, unit_reason="Nhập nhầm mã xã")
    assert (under_way.status_code, under_way.json()["type"]) == (422, "/problems/move-by-transfer")
    items = [{"beneficiary_id": person, "version": 1, "changes": {"business_date": "2024-08-20", "unit_code": "22915"}}]
    bulk = await world.checker.patch("/v1/bulk/beneficiaries", json={"items": items}, headers={"Idempotency-Key": "bulk-units-1"})
    assert [item["status"] for item in bulk.json()["items"]] == [422]
    assert not await world.events("BeneficiaryMoved")


async def test_the_whole_number_needs_a_purpose_and_leaves_a_trace(world: Any) -> None:
    person = (await _register(world)).json()["beneficiary_id"]
    path = f"/v1/beneficiaries/{person}"
    plain = (await world.maker.get(path)).json()
    assert (plain["masked_number"], plain["national_number"]) == ("060*****1234", None)
    whole = (await world.maker.get(path, params={"purpose": "đối chiếu hồ sơ"})).json()
    assert whole["national_number"] == "060150001234"
    integrator = world.client_as(world.app, Role.INTEGRATOR, units=("60",))
    assert (await integrator.get(path, params={"purpose": "just looking"})).status_code == 403
    async with world.db.read() as tx:
        assert await tx.value("SELECT purpose FROM audit_log WHERE action = 'beneficiary.read-number'") == "đối chiếu hồ sơ"


async def test_search_by_name_without_accents_and_by_number(world: Any) -> None:
    await world.take([row("A-1", "060190000001", full_name="Trần Thị Hòa"), row("A-2", "060190000002", full_name="Lê Văn Đức")])
    found = (await world.maker.get("/v1/beneficiaries", params={"name": "duc"})).json()["items"]
    assert [item["file_code"] for item in found] == ["A-2"]
    by_number = (await world.maker.post("/v1/beneficiaries/search", json={"national_number": "060190000001"})).json()["items"]
    assert [item["file_code"] for item in by_number] == ["A-1"]
    first = (await world.maker.get("/v1/beneficiaries", params={"limit": 1})).json()
    second = (await world.maker.get("/v1/beneficiaries", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert {first["items"][0]["file_code"], second["items"][0]["file_code"]} == {"A-1", "A-2"}


async def test_units_of_both_trees(world: Any) -> None:
    old = (await world.maker.get("/v1/units", params={"on": "2024-09-01", "parent": "60"})).json()["items"]
    assert (len([u for u in old if u["level"] == "district"]), len([u for u in old if u["level"] == "commune"])) == (10, 121)
    new = (await world.maker.get("/v1/units", params={"on": "2026-01-01", "parent": "68"})).json()["items"]
    assert len(new) == 1 + 124


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/beneficiaries"), ("POST", "/v1/imports/approve"), ("GET", "/v1/quiet"), ("GET", "/v1/units?on=2024-09-01")],
)
async def test_no_token_no_answer(world: Any, method: str, path: str) -> None:
    assert (await world.client_as(world.app).request(method, path)).status_code == 401


async def test_numbers_are_nowhere_in_clear(world: Any) -> None:
    await world.take([row("A-1", "060190000001", rep_name="Trần Văn Bình", rep_number="060070000009", rep_kind="Ủy quyền")])
    async with world.db.read() as tx:
        tables = await tx.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for table in (row_["tablename"] for row_ in tables):
            for number in ("060190000001", "060070000009"):
                assert await tx.value(f"SELECT count(*) FROM {table} t WHERE CAST(t AS text) LIKE :n", n=f"%{number}%") == 0, table


async def test_the_application_role_cannot_change_the_law_or_the_audit(world: Any) -> None:
    for statement in (
        "UPDATE category_amount SET amount_vnd = 1",
        "DELETE FROM audit_log",
        "CREATE TABLE x (y int)",
        "UPDATE cut_off SET counts = '{}'",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with world.db.transaction() as tx:
                await tx.execute(statement)
