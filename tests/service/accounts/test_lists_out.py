"""The four lists out and in again, five counters, fee complaints."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest

from common.actor import Role
from common.contracts.registry_v1 import PreferenceRecorded
from common.ids import new_id, stable_id
from common.tabular import read_rows

DAY = "2024-08-20"
LIST = {"unit_code": "22924", "on": DAY}


async def register(world: Any, code: str, number: str, **more: Any) -> None:
    body = {"provider": "Agribank", "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY, **more}
    path = f"/v1/beneficiaries/{stable_id('person', code)}/accounts"
    answer = await world.officer.post(path, json=body, headers={"Idempotency-Key": new_id().hex})
    assert answer.status_code == 201, answer.text


async def village(world: Any) -> None:
    await world.hear([
        world.person("BT-1", "Trần Thị Hoà", "060150000001"),
        world.person("BT-2", "=Lê Văn An", "060150000002", programmes=["SOCIAL_ASSISTANCE"]),
        world.person("BT-3", "Phạm Thị Nga", "060150000003", programmes=["MERIT", "SOCIAL_ASSISTANCE"]),
        world.person("BT-4", "Võ Văn Út", "060150000004"), world.representative("BT-3", "Lê Văn Bình", "060180000002"),
        PreferenceRecorded(
            version=1, business_date=date(2024, 8, 1), beneficiary_id=stable_id("person", "BT-4"), preference="DECLINES",
            recorded_on=date(2024, 8, 1), evidence=None, unit_code="22924", unit_path="60/593/22924",
        ),
    ])  # fmt: skip
    world.partner.has("0123456781", "TRAN THI HOA", "060150000001")
    world.partner.has("0123456782", "NGUYEN VAN KHAC", "060150000009")
    world.partner.has("0123456783", "LE VAN BINH", "060180000002")
    await register(world, "BT-1", "0123456781")
    await register(world, "BT-2", "0123456782")
    await register(world, "BT-3", "0123456783", payee_id=str(stable_id("person", "Lê Văn Bình")))
    await world.drain()


async def listed(world: Any, programme: str, payee: str, form: str = "csv", **params: str) -> Any:
    return await world.officer.get(f"/v1/lists/{programme}/{payee}", params={**LIST, "format": form, **params})


async def test_each_of_the_four_lists_holds_its_people_and_masks_numbers(world) -> None:
    await village(world)
    found = {}
    for programme in ("MERIT", "SOCIAL_ASSISTANCE"):
        for payee in ("self", "representative"):
            answer = await listed(world, programme, payee)
            rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
            found[programme, payee] = [(row[1], row[3], row[6]) for row in rows[2:]]
            assert "0123456" not in answer.text
    assert found == {
        ("MERIT", "self"): [("BT-1", "", "…6781")], ("MERIT", "representative"): [("BT-3", "Lê Văn Bình", "…6783")],
        ("SOCIAL_ASSISTANCE", "self"): [("BT-2", "", "…6782")], ("SOCIAL_ASSISTANCE", "representative"): [("BT-3", "Lê Văn Bình", "…6783")],
    }  # fmt: skip
    assert "'=Lê Văn An" in (await listed(world, "SOCIAL_ASSISTANCE", "self")).text  # nothing runs in a spreadsheet


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_list_with_whole_numbers_is_audited_and_is_read_by_the_importer(world, form) -> None:
    from accounts.domain.rows import COLUMNS

    await village(world)
    answer = await listed(world, "MERIT", "representative", form, purpose="gửi Phòng LĐTBXH")
    table = read_rows(answer.content, f"x.{form}", COLUMNS)
    [row] = list(table.rows)
    values = (row.get("file_code"), row.get("payee"), row.get("provider"), row.get("account_number"), row.get("method"))
    assert values == ("BT-3", "Lê Văn Bình", "AGRIBANK", "0123456783", "Tài khoản")
    async with world.db.read() as tx:
        audits = await tx.rows("SELECT purpose, detail FROM audit_log WHERE action = 'list.export'")
    assert [(item["purpose"], item["detail"]["whole_numbers"]) for item in audits] == [("gửi Phòng LĐTBXH", True)]


async def test_lists_of_other_units_are_refused(world, client_as) -> None:
    await village(world)
    elsewhere = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",))
    assert (await elsewhere.get("/v1/lists/MERIT/self", params=LIST)).status_code == 422
    assert (await world.operator.get("/v1/lists/MERIT/self", params=LIST)).status_code == 403


async def test_five_states_are_counted_each_by_itself(world) -> None:
    await village(world)
    [unit] = (await world.operator.get("/v1/counters", params=LIST)).json()
    assert unit == {
        "unit_code": "22924", "unit_path": "60/593/22924", "people": 4, "wanting": 0, "collected": 4, "opened": 3, "registered": 3,
        "verified": 2, "paid": 0,
    }  # fmt: skip


COMPLAINT = {
    "beneficiary_id": str(stable_id("person", "BT-1")), "provider_code": "AGRIBANK", "kind": "WITHDRAWAL", "amount": 1100,
    "charged_on": "2024-08-05", "details": "Rút tiền tại ATM bị trừ phí", "business_date": DAY,
}  # fmt: skip


async def test_a_fee_complaint_goes_to_the_provider_and_is_answered(world, client_as) -> None:
    await village(world)
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO provider_fee_offer (provider_code, kind, amount, source, valid_from)"
            " VALUES ('AGRIBANK', 'WITHDRAWAL', 0, 'CV', '2024-01-01')"
        )
    made = await world.officer.post("/v1/fee-complaints", json=COMPLAINT, headers={"Idempotency-Key": "complaint-1"})
    assert made.status_code == 201, made.text
    path = f"/v1/fee-complaints/{made.json()['complaint_id']}"
    one = await world.officer.get(path)
    assert (one.json()["offered"], one.json()["details"], one.headers["ETag"]) == (0, "Rút tiền tại ATM bị trừ phí", '"1"')
    assert (await client_as(world.app, Role.AUDITOR, units=("60/594",)).get(path)).status_code == 404

    async def move(version: int, **body: Any) -> Any:
        return await world.officer.put(path, json=body, headers={"If-Match": f'"{version}"'})

    assert (await move(1, state="UPHELD", answer="x")).json()["type"] == "/problems/move-refused"
    assert (await move(1, state="WITH_PROVIDER")).json()["version"] == 2
    assert (await move(1, state="UPHELD", answer="x")).status_code == 412
    assert (await move(2, state="UPHELD")).status_code == 422
    assert (await move(2, state="UPHELD", answer="Hoàn phí", refunded=1101)).status_code == 422
    done = (await move(2, state="UPHELD", answer="Hoàn phí", refunded=1100)).json()
    assert (done["state"], done["refunded"], done["answer"]) == ("UPHELD", 1100, "Hoàn phí")
    page = (await world.officer.get("/v1/fee-complaints", params={"state": "UPHELD"})).json()["items"]
    assert [(item["complaint_id"], item["details"]) for item in page] == [(made.json()["complaint_id"], None)]


async def test_a_complaint_needs_a_person_a_provider_and_a_past_day(world) -> None:
    await village(world)
    for change, status in (
        ({"beneficiary_id": str(new_id())}, 404), ({"provider_code": "NOBODY"}, 404), ({"charged_on": "2024-09-01"}, 422),
        ({"amount": 0}, 422),
    ):  # fmt: skip
        answer = await world.officer.post("/v1/fee-complaints", json=COMPLAINT | change, headers={"Idempotency-Key": new_id().hex})
        assert answer.status_code == status, answer.text
