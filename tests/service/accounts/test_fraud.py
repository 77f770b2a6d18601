"""Cool-down of changed accounts; alerts, and what people decide about them."""

from __future__ import annotations

from typing import Any

import pytest

from common.actor import Role
from common.ids import new_id, stable_id

DAY = "2024-08-20"
SHARED = "0123456789"


def who(code: str) -> str:
    return str(stable_id("person", code))


async def register(world: Any, code: str, number: str, *, client: Any = None, **more: Any) -> Any:
    body = {"provider": "Agribank", "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY, **more}
    path = f"/v1/beneficiaries/{who(code)}/accounts"
    return await (client or world.officer).post(path, json=body, headers={"Idempotency-Key": new_id().hex})


async def choose(world: Any, code: str, version: int, *, client: Any = None, **body: Any) -> Any:
    body = {"business_date": DAY, **body}
    headers = {"If-Match": f'"{version}"'}
    return await (client or world.officer).put(f"/v1/beneficiaries/{who(code)}/payout-method", json=body, headers=headers)


async def verified(world: Any, number: str = SHARED, **more: Any) -> str:
    """BT-1 paid into a verified account."""
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has(number, "TRAN THI HOA", "060150000001")
    made = await register(world, "BT-1", number, **more)
    await world.drain()
    return str(made.json()["account_id"])


async def said(world: Any) -> list[tuple[Any, Any, Any]]:
    return [
        (body["account_id"], body["account_from"], body["meanwhile_account_id"]) for _, body in await world.events("PayoutMethodChosen")
    ]


async def test_a_changed_account_waits_and_the_old_one_is_used_meanwhile(world) -> None:
    first = await verified(world)
    world.partner.has("555666777", "TRAN THI HOA", "060150000001")
    second = (await register(world, "BT-1", "555666777", business_date="2024-08-25")).json()["account_id"]
    assert (await said(world))[-1] == (second, "2024-09-01", first)
    assert (await choose(world, "BT-1", 2, method="CASH_POST", business_date="2024-08-26")).status_code == 200
    await world.drain()
    again = await choose(world, "BT-1", 3, method="ACCOUNT", account_id=second, business_date="2024-08-27")
    assert again.json()["account_from"] == "2024-09-03"  # cash in between saves no waiting
    back = await choose(world, "BT-1", 4, method="ACCOUNT", account_id=first, business_date="2024-08-28")
    assert back.json()["account_from"] is None  # to the one in use: at once
    await choose(world, "BT-1", 5, method="ACCOUNT", account_id=second, business_date="2024-08-29")
    assert (await said(world))[-1] == (second, "2024-09-05", first)
    world.partner.has("888999000", "TRAN THI HOA", "060150000001")
    third = (await register(world, "BT-1", "888999000", business_date="2024-09-10")).json()["account_id"]
    assert (await said(world))[-1] == (third, "2024-09-17", second)  # the second had waited its time


async def test_a_number_that_never_worked_is_corrected_without_waiting(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456780", "TRAN THI HOA", "060150000001")
    await register(world, "BT-1", "0123456799")
    await world.drain()
    right = (await register(world, "BT-1", "0123456780")).json()["account_id"]
    assert (await said(world))[-1] == (right, None, None)


async def test_the_waiting_time_is_a_setting(world) -> None:
    first = await verified(world)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '30' WHERE code = 'COOL_DOWN_DAYS'")
    second = (await register(world, "BT-1", "555666777", business_date="2024-09-01")).json()["account_id"]
    assert (await said(world))[-1] == (second, "2024-10-01", first)


async def test_when_the_payee_changes_nobody_elses_account_is_used_meanwhile(world) -> None:
    await verified(world)
    await world.hear([world.representative("BT-1", "Lê Văn Bình", "060180000002")])
    world.partner.has("555666777", "LE VAN BINH", "060180000002")
    rep = str(stable_id("person", "Lê Văn Bình"))
    account = (await register(world, "BT-1", "555666777", payee_id=rep)).json()["account_id"]
    assert (await said(world))[-1] == (account, "2024-08-27", None)


async def three_on_one(world: Any) -> dict[str, Any]:
    people = [world.person(f"BT-{n}", name, f"06015000000{n}") for n, name in ((1, "Trần Thị Hoà"), (2, "Lê Văn An"), (3, "Phạm Thị Nga"))]
    await world.hear([*people, world.person("BT-4", "Võ Văn Út", "060150000004")])
    world.partner.has(SHARED, "TRAN THI HOA", "060150000001")
    for code in ("BT-1", "BT-2", "BT-3"):
        assert (await register(world, code, SHARED)).status_code == 201
    await world.drain()
    [alert] = (await world.officer.get("/v1/alerts")).json()["items"]
    return dict(alert)


@pytest.fixture
def seniors(world: Any, client_as: Any) -> tuple[Any, Any]:
    return client_as(world.app, Role.DEPARTMENT_OFFICER, subject="senior"), client_as(world.app, Role.DEPARTMENT_OFFICER, subject="other")


async def decide(client: Any, alert: dict[str, Any], state: str) -> Any:
    body = {"state": state, "reason": "Ba hộ khai cùng tài khoản", "business_date": "2024-08-21"}
    return await client.post(f"/v1/alerts/{alert['alert_id']}/decision", json=body)


async def suspected(world: Any) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for _, body in await world.events("PayoutMethodChosen"):
        found.setdefault(body["beneficiary_id"], []).append(body["fraud_suspected"])
    return {code: found.get(who(code), []) for code in ("BT-1", "BT-2", "BT-3")}


async def test_one_account_of_three_people_is_suspected_then_cleared_by_another(world, seniors, client_as) -> None:
    first, second = seniors
    alert = await three_on_one(world)
    assert (alert["kind"], alert["shown"], alert["people"], alert["state"]) == ("SHARED_ACCOUNT", "AGRIBANK …6789", 3, "OPEN")
    assert (await client_as(world.app, Role.AUDITOR, units=("60/594",)).get("/v1/alerts")).json()["items"] == []
    assert (await decide(world.officer, alert, "SUSPECTED")).status_code == 403
    assert (await decide(first, alert, "CONFIRMED")).json()["type"] == "/problems/move-refused"
    held = await decide(first, alert, "SUSPECTED")
    assert held.status_code == 200, held.text
    assert sorted(person["file_code"] for person in held.json()["concerned"]) == ["BT-1", "BT-2", "BT-3"]
    assert await suspected(world) == {code: [False, True] for code in ("BT-1", "BT-2", "BT-3")}
    assert (await decide(first, alert, "CLEARED")).json()["type"] == "/problems/same-person"
    assert (await decide(second, alert, "CLEARED")).json()["state"] == "CLEARED"
    assert await suspected(world) == {code: [False, True, False] for code in ("BT-1", "BT-2", "BT-3")}
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET check_due = true, next_try_at = now()")
    await world.drain()
    assert [item["state"] for item in (await world.officer.get("/v1/alerts")).json()["items"]] == ["CLEARED"]  # cleared stays cleared


async def test_confirmed_fraud_pays_the_people_in_cash_in_person(world, seniors) -> None:
    first, second = seniors
    alert = await three_on_one(world)
    await decide(first, alert, "SUSPECTED")
    assert (await decide(second, alert, "CONFIRMED")).status_code == 200
    last = {body["beneficiary_id"]: body for _, body in await world.events("PayoutMethodChosen")}
    for code in ("BT-1", "BT-2", "BT-3"):
        body = last[who(code)]
        assert (body["method"], body["payee_kind"], body["reason"], body["fraud_suspected"]) == (
            "CASH_POST",
            "SELF",
            "FRAUD_CONFIRMED",
            False,
        )


async def test_one_representative_of_many_raises_an_alert_at_the_threshold(world) -> None:
    for number in range(1, 6):
        code = f"BT-{number}"
        await world.hear(
            [
                world.person(code, f"Trần Thị Hoà {number}", f"06015000000{number}"),
                world.representative(code, "Lê Văn Bình", "060180000002"),
            ]
        )
        await choose(world, code, 0, method="CASH_POST", payee_id=str(stable_id("person", "Lê Văn Bình")))
        expected = 1 if number == 5 else 0
        assert len((await world.officer.get("/v1/alerts", params={"kind": "ONE_REPRESENTATIVE"})).json()["items"]) == expected
    [alert] = (await world.officer.get("/v1/alerts")).json()["items"]
    assert (alert["shown"], alert["people"], alert["threshold"]) == ("Lê Văn Bình", 5, 5)


async def test_many_changes_by_one_user_alert_then_need_a_list(world, client_as) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '3' WHERE code = 'ALERT_BULK_CHANGES'")
        await tx.execute("UPDATE policy_setting SET value = '4' WHERE code = 'BULK_SECOND_PERSON'")
    await world.hear([world.person(f"BT-{n}", f"Trần Thị Hoà {n}", f"06015000000{n}") for n in range(1, 7)])
    answers = [await choose(world, f"BT-{n}", 0, method="CASH_POST") for n in range(1, 6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 409]
    assert answers[-1].json()["type"] == "/problems/bulk-needs-second-person"
    assert (await register(world, "BT-6", SHARED)).status_code == 409
    [alert] = (await world.officer.get("/v1/alerts")).json()["items"]
    assert (alert["kind"], alert["people"], alert["subject"]) == ("BULK_CHANGES", 4, "officer")
    himself = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="officer")
    assert (await decide(himself, alert, "CLEARED")).json()["type"] == "/problems/same-person"
    assert (await choose(world, "BT-5", 0, method="CASH_POST", business_date="2024-08-21")).status_code == 409  # another date, the same day
