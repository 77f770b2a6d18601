"""Accounts opened by a bank for whoever wants one and has none: who is asked for, lists out, answers in."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from accounts.main import make_app
from common import clock, webhooks
from common.actor import Role
from common.contracts.registry_v1 import PreferenceRecorded, RepresentativeRevoked
from common.ids import new_id, stable_id

DAY = "2024-08-20"
WANTED = {"unit_code": "22924", "provider_code": "AGRIBANK", "business_date": DAY}
INBOUND = "whsec_" + "aW5ib3VuZCBzZWNyZXQgb2YgdGhlIHRlc3RzISE="


def prefers(
    world: Any, code: str, preference: str = "WANTS_ACCOUNT", version: int = 1, evidence: str | None = "phiếu 7"
) -> PreferenceRecorded:
    return PreferenceRecorded(
        version=version, business_date=date(2024, 8, 1), beneficiary_id=stable_id("person", code), preference=preference,
        recorded_on=date(2024, 8, 1), evidence=evidence, unit_code="22924", unit_path="60/593/22924",
    )  # fmt: skip


async def post(client: Any, path: str, body: dict[str, Any]) -> Any:
    return await client.post(path, json=body, headers={"Idempotency-Key": new_id().hex})


async def village(world: Any) -> None:
    """One of each: wants, has one, declines, a child with a guardian, a child without, and one of fifteen years."""
    await world.hear([
        world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An", "060150000002"),
        world.person("BT-3", "Phạm Thị Nga", "060150000003"), world.person("BT-4", "Võ Bé Tư", "060115000004", birth_date="2015-03-01"),
        world.person("BT-5", "Võ Bé Năm", "060115000005", birth_date="2015"),
        world.person("BT-6", "Đỗ Văn Sáu", "060109000006", birth_date="2009-08-20"),
        world.representative("BT-4", "Võ Văn Cha", "060180000009"),
        *(prefers(world, f"BT-{n}", "DECLINES" if n == 3 else "WANTS_ACCOUNT") for n in range(1, 7)),
    ])  # fmt: skip
    world.partner.has("0123456789", "LE VAN AN", "060150000002")
    account = {"provider": "Agribank", "account_number": "0123456789", "source": "FORM", "consent_on": DAY, "business_date": DAY}
    await post(world.officer, f"/v1/beneficiaries/{stable_id('person', 'BT-2')}/accounts", account)
    await world.drain()


async def sent(world: Any) -> tuple[str, dict[str, dict[str, str]]]:
    """The list for the bank: batch id, and its rows by file code."""
    await village(world)
    asked = await post(world.officer, "/v1/openings", WANTED)
    assert asked.json() == {"requested": 3, "wanting": 4, "without_guardian": 1, "without_consent": 0}
    made = await post(world.officer, "/v1/opening-batches", WANTED)
    assert made.json()["people"] == 3
    batch_id = made.json()["batch_id"]
    path = f"/v1/opening-batches/{batch_id}/file"
    assert (await world.officer.get(path)).status_code == 422
    file = await world.officer.get(path, params={"purpose": "gửi Agribank mở tài khoản", "format": "csv"})
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    return batch_id, {row[1]: dict(zip(lines[1], row, strict=True)) for row in lines[2:]}


async def test_who_wants_one_and_has_none_is_asked_for_children_through_their_guardian(world) -> None:
    _, rows = await sent(world)
    assert set(rows) == {"BT-1", "BT-4", "BT-6"}
    child = rows["BT-4"]
    assert (child["Họ tên chủ tài khoản"], child["Số định danh"], child["Tư cách"]) == ("Võ Văn Cha", "060180000009", "Người giám hộ")
    assert rows["BT-1"]["Ngày đồng ý"] == "01/08/2024"
    again = await post(world.officer, "/v1/openings", WANTED)
    assert again.json()["requested"] == 0
    states = [(body["status"], body["version"]) for _, body in await world.events("AccountOpeningChanged")]
    assert states == [("REQUESTED", 1)] * 3 + [("SENT", 2)] * 3
    async with world.db.read() as tx:
        [audit] = await tx.rows("SELECT purpose, detail FROM audit_log WHERE action = 'opening.list_out'")
    assert (audit["purpose"], audit["detail"]) == ("gửi Agribank mở tài khoản", {"people": 3})


async def test_who_declines_afterwards_is_not_sent(world) -> None:
    await village(world)
    await post(world.officer, "/v1/openings", WANTED)
    await world.hear([prefers(world, "BT-1", "DECLINES", version=2)])
    assert (await post(world.officer, "/v1/opening-batches", WANTED)).json()["people"] == 2
    page = (await world.officer.get("/v1/openings", params={"status": "WITHDRAWN"})).json()["items"]
    assert [(item["file_code"], item["reason"]) for item in page] == [("BT-1", "PREFERENCE")]


async def test_a_paper_of_consent_is_asked_for_where_the_setting_says_so(world) -> None:
    await village(world)
    await world.hear([prefers(world, "BT-1", version=3, evidence=None)])
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = 'WRITTEN' WHERE code = 'OPENING_CONSENT'")
    asked = (await post(world.officer, "/v1/openings", WANTED)).json()
    assert (asked["requested"], asked["without_consent"]) == (2, 1)


async def test_units_and_providers_that_do_not_fit_are_refused(world, client_as) -> None:
    await village(world)
    assert (await post(world.officer, "/v1/openings", {**WANTED, "provider_code": "NOBODY"})).status_code == 404
    assert (await post(world.officer, "/v1/openings", {**WANTED, "provider_code": "MOMO"})).json()[
        "type"
    ] == "/problems/provider-opens-none"
    elsewhere = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",))
    assert (await post(elsewhere, "/v1/openings", WANTED)).status_code == 422


@pytest.fixture
def app(world: Any, tmp_path: Path) -> Any:
    file = tmp_path / "partners.json"
    secrets = {"url": "http://x", "outbound_secret": INBOUND, "inbound_secrets": [INBOUND]}
    file.write_text(json.dumps({"partners": {"agribank": secrets, "lpbank": secrets}}))
    return make_app(world.settings.model_copy(update={"partners_file": file}), world.db)


async def notice(client: Any, results: list[dict[str, Any]], *, webhook_id: str = "n1", secret: str = INBOUND, partner: str = "agribank",
                 provider: str = "AGRIBANK") -> Any:  # fmt: skip
    body = orjson.dumps({"business_date": "2024-08-28", "results": results})
    headers = {"Content-Type": "application/json", **webhooks.sign(secret, webhook_id, clock.now(), body)}
    return await client.post(f"/v1/webhooks/openings/{partner}/{provider}", content=body, headers=headers)


async def test_a_signed_notice_opens_accounts_that_are_checked_and_used(world, app, client_as) -> None:
    _, rows = await sent(world)
    bank = client_as(app)
    ids = {code: row["Mã yêu cầu"] for code, row in rows.items()}
    world.partner.has("4800205000001", "TRAN THI HOA", "060150000001")
    world.partner.has("4800205000004", "VO VAN CHA", "060180000009")
    results = [
        {"request_id": ids["BT-1"], "status": "OPENED", "account_number": "4800205000001"},
        {"request_id": ids["BT-4"], "status": "OPENED", "account_number": "4800205000004"},
        {"request_id": ids["BT-6"], "status": "REFUSED", "reason": "Giấy tờ hết hạn"},
        {"request_id": str(new_id()), "status": "OPENED", "account_number": "4800205000009"},
    ]
    forged = await notice(bank, results, secret="whsec_" + "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==")
    assert (forged.status_code, forged.json()["type"]) == (401, "/problems/notice-not-believed")
    assert (await notice(bank, results, partner="lpbank")).status_code == 401  # not its bank
    assert (await notice(bank, results, partner="nobody")).status_code == 401
    assert (await notice(bank, [{"request_id": "x"}])).status_code == 422
    taken = await notice(bank, results)
    assert taken.json() == {"opened": 2, "refused": 1, "left_aside": 1, "duplicate": False}
    assert (await notice(bank, results)).json()["duplicate"] is True
    assert (await notice(bank, results, webhook_id="n2")).json() == {"opened": 0, "refused": 0, "left_aside": 4, "duplicate": False}
    await world.drain()
    linked = {body["payee_id"]: body["status"] for _, body in await world.events("AccountLinked")}
    assert linked[str(stable_id("person", "BT-1"))] == linked[str(stable_id("person", "Võ Văn Cha"))] == "ACTIVE"
    last = {body["beneficiary_id"]: body for _, body in await world.events("PayoutMethodChosen")}
    child = last[str(stable_id("person", "BT-4"))]
    assert (child["method"], child["payee_kind"]) == ("ACCOUNT", "GUARDIAN")
    last_state = {body["request_id"]: body["status"] for _, body in await world.events("AccountOpeningChanged")}
    assert last_state == {ids["BT-1"]: "OPENED", ids["BT-4"]: "OPENED", ids["BT-6"]: "REFUSED"}
    page = (await world.officer.get("/v1/openings", params={"status": "OPENED"})).json()["items"]
    assert sorted(item["masked_number"] for item in page) == ["…0001", "…0004"]


async def test_an_account_opened_for_who_declined_since_or_through_a_former_guardian_is_not_used(world, app, client_as) -> None:
    _, rows = await sent(world)
    guardian = world.representative("BT-4", "Võ Văn Cha", "060180000009").model_dump()
    await world.hear([
        prefers(world, "BT-1", "DECLINES", version=2), RepresentativeRevoked(**guardian | {"version": 2, "revoked_on": "2024-08-25"}),
    ])  # fmt: skip
    results = [
        {"request_id": rows[code]["Mã yêu cầu"], "status": "OPENED", "account_number": number}
        for code, number in (("BT-1", "0123450001"), ("BT-4", "0123450004"), ("BT-6", "0123450006"))
    ]
    answer = await notice(client_as(app), results)
    assert answer.json() == {"duplicate": False, "opened": 3, "refused": 0, "left_aside": 0}
    chosen = {body["beneficiary_id"] for _, body in await world.events("PayoutMethodChosen")}
    assert {str(stable_id("person", code)) for code in ("BT-1", "BT-4", "BT-6")} & chosen == {str(stable_id("person", "BT-6"))}


async def test_a_banks_file_waits_for_a_second_person(world) -> None:
    _, rows = await sent(world)
    world.partner.has("4800205000001", "TRAN THI HOA", "060150000001")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Mã yêu cầu", "Họ tên", "Kết quả", "Số tài khoản", "Lý do"])
    writer.writerow([rows["BT-1"]["Mã yêu cầu"], "x", "Đã mở", "4800205000001", ""])
    writer.writerow([rows["BT-6"]["Mã yêu cầu"], "x", "Từ chối", "", "Giấy tờ hết hạn"])
    writer.writerow(["không rõ", "x", "Đã mở", "4800205000002", ""])
    files = {"file": ("ket-qua.csv", out.getvalue().encode(), "text/csv")}
    data = {"provider_code": "AGRIBANK", "business_date": "2024-08-28"}
    taken = await world.officer.post("/v1/opening-results", data=data, files=files, headers={"Idempotency-Key": new_id().hex})
    assert taken.status_code == 201, taken.text
    assert (taken.json()["rows"], [error["row"] for error in taken.json()["errors"]]) == (2, [4])
    assert len(await world.events("PayoutMethodChosen")) == 1  # nothing yet but the village's own
    path = f"/v1/opening-results/{taken.json()['result_id']}/decision"
    assert (await world.officer.post(path, json={"approve": True})).status_code == 403
    assert (await world.approver.post(path, json={"approve": True})).json() == {
        "opened": 1,
        "refused": 1,
        "left_aside": 0,
        "duplicate": False,
    }
    await world.drain()
    assert len(await world.events("AccountLinked")) == 2


def results(*rows: tuple[str, str, str]) -> dict[str, Any]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Mã yêu cầu", "Kết quả", "Số tài khoản"])
    writer.writerows(rows)
    return {"file": ("ket-qua.csv", out.getvalue().encode(), "text/csv")}


async def test_a_file_of_results_reaches_only_requests_of_ones_own_units(world, client_as) -> None:
    _, rows = await sent(world)
    mine = rows["BT-1"]["Mã yêu cầu"]
    data = {"provider_code": "AGRIBANK", "business_date": "2024-08-28"}

    async def take(client: Any, number: str) -> Any:
        key = {"Idempotency-Key": new_id().hex}
        return await client.post("/v1/opening-results", data=data, files=results((mine, "Đã mở", number)), headers=key)

    stranger = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="stranger")
    refused = await take(stranger, "4800205000001")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "request_id")
    taken = await take(world.officer, "4800205000001")
    path = f"/v1/opening-results/{taken.json()['result_id']}/decision"
    elsewhere = client_as(world.app, Role.APPROVER, units=("60/594",), subject="elsewhere")
    assert (await elsewhere.post(path, json={"approve": True})).status_code == 404
    assert (await world.approver.post(path, json={"approve": True})).json()["opened"] == 1


async def test_an_account_opened_does_not_undo_confirmed_fraud(world) -> None:
    _, rows = await sent(world)
    cash = {"method": "CASH_POST", "business_date": DAY}
    path = f"/v1/beneficiaries/{stable_id('person', 'BT-1')}/payout-method"
    assert (await world.officer.put(path, json=cash, headers={"If-Match": '"0"'})).status_code == 200
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payout_method SET reason = 'FRAUD_CONFIRMED' WHERE method = 'CASH_POST'")
    data = {"provider_code": "AGRIBANK", "business_date": "2024-08-28"}
    files = results((rows["BT-1"]["Mã yêu cầu"], "Đã mở", "4800205000001"))
    taken = await world.officer.post("/v1/opening-results", data=data, files=files, headers={"Idempotency-Key": new_id().hex})
    assert (
        await world.approver.post(f"/v1/opening-results/{taken.json()['result_id']}/decision", json={"approve": True})
    ).status_code == 200
    assert (await world.officer.get(path)).json()["method"] == "CASH_POST"


async def test_a_bank_answers_only_what_it_was_asked(world, app, client_as) -> None:
    _, rows = await sent(world)
    results = [{"request_id": rows["BT-1"]["Mã yêu cầu"], "status": "OPENED", "account_number": "4800205000001"}]
    other = await notice(client_as(app), results, partner="lpbank", provider="LPBANK")
    assert other.json() == {"opened": 0, "refused": 0, "left_aside": 1, "duplicate": False}
    page = (await world.officer.get("/v1/openings", params={"status": "OPENED"})).json()["items"]
    assert page == []


async def test_a_number_in_a_banks_reason_is_not_kept(world, app, client_as) -> None:
    _, rows = await sent(world)
    results = [{"request_id": rows["BT-1"]["Mã yêu cầu"], "status": "REFUSED", "reason": "CCCD 060150000001 hết hạn"}]
    assert (await notice(client_as(app), results)).json()["refused"] == 1
    [item] = (await world.officer.get("/v1/openings", params={"status": "REFUSED"})).json()["items"]
    assert item["reason"] == "CCCD *** hết hạn"
