"""A payee's own account numbers are given whole; a representative does not get the beneficiary's, nor a stranger anything."""

from __future__ import annotations

from typing import Any

from common.auth import Role
from common.ids import stable_id

PURPOSE = {"purpose": "Người hưởng yêu cầu cung cấp dữ liệu"}


async def test_a_payee_gets_the_own_number_and_a_guardian_does_not_get_it(world: Any, client_as: Any) -> None:
    await world.hear([
        world.person("A-1", "Nguyễn Thị Hoà", "060150001234"), world.representative("A-1", "Trần Văn Bình", "060180000077"),
    ])  # fmt: skip
    person, guardian = stable_id("person", "A-1"), stable_id("person", "Trần Văn Bình")
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO account (account_id, payee_id, payee_kind, via_beneficiary_id, kind, provider_code, partner, number_cipher,"
            " number_blind, masked_number, status, version, unit_code, unit_path, business_date, source)"
            " VALUES (:a, :p, 'SELF', :p, 'BANK', 'AGRIBANK', 'agribank', :cipher, :blind, '…0001', 'ACTIVE', 1, '22924',"
            " '60/593/22924', '2024-08-20', 'FORM')",
            a=stable_id("account", "A-1"),
            p=person,
            cipher=world.db.keyring.encrypt("account_number", "1903000000001"),
            blind=world.db.keyring.blind("account_number", "1903000000001"),
        )
    officer = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="an")
    own = await officer.get(f"/v1/people/{person}/personal-data", params=PURPOSE)
    assert own.status_code == 200, own.text
    parts = {part["table"]: part["rows"] for part in own.json()["parts"]}
    assert parts["beneficiary"][0]["number_token"] == "060150001234"
    assert parts["account"][0]["number_cipher"] == "1903000000001"
    assert "060180000077" not in own.text, "somebody else's number"
    theirs = await officer.get(f"/v1/people/{guardian}/personal-data", params=PURPOSE)
    assert theirs.status_code == 200, theirs.text
    assert "Trần Văn Bình" in theirs.text
    assert "1903000000001" not in theirs.text
    assert "060150001234" not in theirs.text
    far = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="far")
    assert (await far.get(f"/v1/people/{guardian}/personal-data", params=PURPOSE)).status_code == 404


async def test_who_collects_for_a_neighbour_elsewhere_is_answered_for_at_home_alone(world: Any, client_as: Any) -> None:
    """B-1 collects for A-1 of another commune, whose officer would have got all of B-1's own accounts."""
    await world.hear([
        world.person("A-1", "Nguyễn Thị Hoà", "060150001234"), world.person("B-1", "Trần Văn Bình", "060180000077"),
    ])  # fmt: skip
    other, collector = stable_id("person", "A-1"), stable_id("person", "B-1")
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE beneficiary SET unit_path = '60/594/1', unit_code = '1' WHERE beneficiary_id = :id", id=collector)
        await tx.execute(
            "INSERT INTO representative (beneficiary_id, representative_id, kind, full_name, name_key, name_folded, fingerprint, version)"
            " VALUES (:other, :collector, 'AUTHORISED', 'Trần Văn Bình', 'x', 'x', 'x', 1)", other=other, collector=collector,
        )  # fmt: skip
    there = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="an")
    assert (await there.get(f"/v1/people/{collector}/personal-data", params=PURPOSE)).status_code == 404
    body = {"asked_by": "PERSON", "ground": "Đơn ngày 20/11/2026"}
    assert (await there.post(f"/v1/people/{collector}/erasures", json=body)).status_code == 404
    home = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594/1",), subject="binh")
    assert (await home.get(f"/v1/people/{collector}/personal-data", params=PURPOSE)).status_code == 200
