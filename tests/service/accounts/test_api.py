"""Routes: masked accounts in scope, the directory, choosing how to be paid, quiet."""

from __future__ import annotations

from common.actor import Role
from common.ids import stable_id

ROW = ("BT-1", "Trần Thị Hoà", "", "Tài khoản", "Agribank", "0123456789", "", "")
PERSON = stable_id("person", "BT-1")
METHOD = f"/v1/beneficiaries/{PERSON}/payout-method"


async def linked(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    await world.taken([ROW])
    await world.drain()


async def test_accounts_are_masked_and_scoped(world, client_as) -> None:
    await linked(world)
    page = await world.officer.get("/v1/accounts", params={"status": "ACTIVE"})
    assert [item["masked_number"] for item in page.json()["items"]] == ["…6789"]
    assert "0123456789" not in page.text
    elsewhere = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",))
    assert (await elsewhere.get("/v1/accounts")).json() == {"items": [], "next_cursor": None}
    assert (await elsewhere.get(METHOD)).status_code == 404


async def test_progress_and_imports_are_listed(world) -> None:
    await linked(world)
    body = (await world.operator.get("/v1/progress")).json()
    assert (body["by_status"], body["by_method"], body["pending"], body["rows_waiting"]) == ({"ACTIVE": 1}, {"ACCOUNT": 1}, 0, 0)
    page = (await world.officer.get("/v1/imports", params={"state": "APPLIED", "limit": 1})).json()
    assert [item["rows_applied"] for item in page["items"]] == [1]
    assert (await world.officer.get("/v1/imports", params={"cursor": page["next_cursor"]})).json()["items"] == []


async def test_the_directory_answers_free_text(world) -> None:
    one = (await world.operator.get("/v1/providers", params={"name": "Liên Việt"})).json()
    assert [item["code"] for item in one] == ["LPBANK"]
    assert len((await world.operator.get("/v1/providers")).json()) > 60


async def test_a_person_changes_to_cash_and_back(world) -> None:
    await linked(world)
    now = await world.officer.get(METHOD)
    account_id = now.json()["account_id"]
    cash = {"method": "CASH_POST", "business_date": "2024-08-21"}
    assert (await world.officer.put(METHOD, json=cash)).status_code == 428
    changed = await world.officer.put(METHOD, json=cash, headers={"If-Match": now.headers["ETag"]})
    assert (changed.status_code, changed.json()["method"], changed.headers["ETag"]) == (200, "CASH_POST", '"2"')
    stale = await world.officer.put(METHOD, json=cash, headers={"If-Match": now.headers["ETag"]})
    assert stale.status_code == 412
    back = {"method": "ACCOUNT", "account_id": account_id, "business_date": "2024-08-22"}
    assert (await world.officer.put(METHOD, json=back, headers={"If-Match": '"2"'})).json()["account_status"] == "ACTIVE"
    assert [body["version"] for _, body in await world.events("PayoutMethodChosen")] == [1, 2, 3]
    same = await world.officer.put(METHOD, json=back, headers={"If-Match": '"3"'})
    assert same.json()["version"] == 3


async def test_only_an_active_account_of_the_payee_can_be_chosen(world) -> None:
    await linked(world)
    body = {"method": "ACCOUNT", "account_id": str(PERSON), "business_date": "2024-08-21"}
    refused = await world.officer.put(METHOD, json=body, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/account-not-usable")
    stranger = {"method": "CASH_POST", "payee_id": str(stable_id("x")), "business_date": "2024-08-21"}
    assert (await world.officer.put(METHOD, json=stranger, headers={"If-Match": '"1"'})).status_code == 409


async def test_roles_are_asked_for(world, client_as) -> None:
    await linked(world)
    assert (await client_as(world.app).get("/v1/accounts")).status_code == 401
    assert (await client_as(world.app, Role.PARTNER).get("/v1/accounts")).status_code == 403
    assert (await world.approver.put(METHOD, json={"method": "CASH_POST", "business_date": "2024-08-21"})).status_code == 403


async def test_quiet_says_what_is_left(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    await world.taken([ROW])
    assert (await world.operator.get("/v1/quiet")).json()["waiting"]["checks_pending"] == 1
    await world.drain()
    assert (await world.operator.get("/v1/quiet")).json()["waiting"]["checks_pending"] == 0
