"""Accounts of a payee: registered one by one, in order, reviewed by two people, whole numbers read with a purpose."""

from __future__ import annotations

from typing import Any

import pytest

from common.actor import Role
from common.ids import new_id, stable_id

DAY = "2024-08-20"
HOA = stable_id("person", "BT-1")


def account(number: str, provider: str = "Agribank", **more: Any) -> dict[str, Any]:
    return {"provider": provider, "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY, **more}


async def register(world: Any, number: str, provider: str = "Agribank", person: Any = HOA, client: Any = None, **more: Any) -> Any:
    path = f"/v1/beneficiaries/{person}/accounts"
    return await (client or world.officer).post(path, json=account(number, provider, **more), headers={"Idempotency-Key": new_id().hex})


async def hoa(world: Any, number: str = "0123456789", holder: str = "TRAN THI HOA", national: str | None = "060150000001") -> str:
    """Trần Thị Hoà, with one account checked."""
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has(number, holder, national)
    made = await register(world, number)
    assert made.status_code == 201, made.text
    await world.drain()
    return str(made.json()["account_id"])


async def accounts(world: Any) -> list[tuple[str, str, str | None]]:
    found = (await world.officer.get(f"/v1/beneficiaries/{HOA}/accounts")).json()
    return [(item["masked_number"], item["status"], item["reason"]) for item in found]


async def test_one_account_is_registered_checked_and_used(world) -> None:
    account_id = await hoa(world)
    assert await accounts(world) == [("…6789", "ACTIVE", None)]
    [(_, linked)] = await world.events("AccountLinked")
    [(_, method)] = await world.events("PayoutMethodChosen")
    assert linked["account_id"] == method["account_id"] == account_id
    assert (method["account_from"], method["meanwhile_account_id"], method["fraud_suspected"]) == (None, None, False)
    page = (await world.officer.get("/v1/accounts")).json()["items"][0]
    assert (page["source"], page["consent_on"], page["checked_on"], page["priority"]) == ("FORM", DAY, DAY, 1)
    again = await register(world, "0123 456.789")
    assert (again.json()["account_id"], again.json()["is_new"]) == (account_id, False)
    assert len(await world.events("PayoutMethodChosen")) == 1


async def test_letters_and_leading_zeros_stay_and_bad_numbers_name_their_field(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("99MM24011M34875080", "TRAN THI HOA", "060150000001")
    world.partner.has("0001234567", "TRAN THI HOA", "060150000001")
    assert (await register(world, "99mm24011m 34875080", "Momo")).status_code == 201
    assert (await register(world, "0001234567")).status_code == 201
    await world.drain()
    assert sorted(number for _, asked in world.partner.asked for number in asked) == ["0001234567", "99MM24011M34875080"]
    for number, provider, field in (
        ("12345", "Agribank", "account_number"), ("3.80E+11", "Agribank", "account_number"),
        ("912345678", "Viettel Money", "account_number"),
        ("0123456789", "Ngân hàng gần chợ", "provider"), ("0123456789", "Vietcombank", "provider"),
    ):  # fmt: skip
        answer = await register(world, number, provider)
        assert answer.status_code == 422, number
        assert answer.json()["errors"][0]["field"] == field, answer.text
    assert (await register(world, "0001234567", person=new_id())).status_code == 404
    assert (await register(world, "0001234567", consent_on="2024-08-21")).status_code == 422


async def test_cash_at_home_and_back_at_any_time(world) -> None:
    account_id = await hoa(world)
    path = f"/v1/beneficiaries/{HOA}/payout-method"
    for number, body in enumerate((
        {"method": "CASH_HOME", "home_reason": "Ốm nặng"}, {"method": "CASH_POST"}, {"method": "ACCOUNT", "account_id": account_id},
        {"method": "CASH_POST"}, {"method": "ACCOUNT", "account_id": account_id},
    ), start=1):  # fmt: skip
        answer = await world.officer.put(path, json={**body, "business_date": DAY}, headers={"If-Match": f'"{number}"'})
        assert answer.status_code == 200, answer.text
    assert answer.json()["account_from"] is None  # it was in use before: no waiting
    assert "Ốm" not in str(await world.events())
    history = (await world.officer.get(f"/v1/beneficiaries/{HOA}/payout-history")).json()["items"]
    assert [item["state"] for item in history if item["what"] == "METHOD"] == [
        "ACCOUNT", "CASH_HOME", "CASH_POST", "ACCOUNT", "CASH_POST", "ACCOUNT",
    ]  # fmt: skip
    assert {item["subject"] for item in history} == {"officer", "system:accounts"}
    async with world.db.read() as tx:
        rows = await tx.rows("SELECT detail FROM audit_log WHERE action = 'payout_method.choose' ORDER BY id")
    told = [(row["detail"]["before"]["method"], row["detail"]["after"]["method"]) for row in rows]
    assert told[:3] == [(None, "ACCOUNT"), ("ACCOUNT", "CASH_HOME"), ("CASH_HOME", "CASH_POST")]
    assert "Ốm" not in str([row["detail"] for row in rows])


async def test_the_next_account_in_order_is_used_when_one_ends(world) -> None:
    await hoa(world)
    world.partner.has("555666777", "TRAN THI HOA", "060150000001")
    world.partner.has("888999000", "TRAN THI HOA", "060150000001")
    second = (await register(world, "555666777", "Liên Việt", use_it=False)).json()["account_id"]
    third = (await register(world, "888999000", "Nam Á", use_it=False)).json()["account_id"]
    await world.drain()
    assert len(await world.events("PayoutMethodChosen")) == 1  # known, not chosen
    path = f"/v1/beneficiaries/{HOA}/account-order"
    assert (await world.officer.put(path, json={"account_ids": [third, second]})).status_code == 428
    tag = {"If-Match": (await world.officer.get(f"/v1/beneficiaries/{HOA}/accounts")).headers["ETag"]}
    assert (await world.officer.put(path, json={"account_ids": [str(new_id())]}, headers=tag)).status_code == 404
    assert (await world.officer.put(path, json={"account_ids": [third, second]}, headers=tag)).status_code == 204
    assert (await world.officer.put(path, json={"account_ids": [second, third]}, headers=tag)).status_code == 412  # in order already
    world.partner.has("0123456789", "", None, "CLOSED")
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET recheck_on = '2024-09-20', next_try_at = now() WHERE masked_number = '…6789'")
    await world.drain()
    methods = [(body["account_id"], body["reason"]) for _, body in await world.events("PayoutMethodChosen")]
    assert methods[-1] == (third, "NEXT_ACCOUNT")
    [(_, closed)] = await world.events("AccountClosed")
    assert closed["business_date"] == "2024-09-20"


async def review(world: Any, account_id: str, verdict: str, *, agree: bool = True) -> Any:
    proposal = {"verdict": verdict, "reason": "Giấy xác nhận của ngân hàng", "evidence": "45/XN"}
    made = await world.officer.post(f"/v1/accounts/{account_id}/reviews", json=proposal, headers={"Idempotency-Key": new_id().hex})
    assert made.status_code == 201, made.text
    path = f"/v1/reviews/{made.json()['review_id']}/decision"
    return await world.approver.post(path, json={"agree": agree, "business_date": "2024-08-22"})


async def test_a_doubtful_account_is_decided_by_two_people_and_stays_decided(world, client_as) -> None:
    account_id = await hoa(world, holder="TRAN HOA")
    [item] = (await world.officer.get("/v1/reviews")).json()["items"]
    assert (item["payee_name"], item["holder_name"], item["reason"]) == ("Trần Thị Hoà", "TRAN HOA", "NAME_REVIEW")
    assert (await client_as(world.app, Role.AUDITOR, units=("60/594",)).get("/v1/reviews")).json()["items"] == []
    both = client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject="both")
    body = {"verdict": "ACCEPT", "reason": "Giấy xác nhận", "evidence": None}
    mine = (await both.post(f"/v1/accounts/{account_id}/reviews", json=body, headers={"Idempotency-Key": new_id().hex})).json()["review_id"]
    alone = await both.post(f"/v1/reviews/{mine}/decision", json={"agree": True, "business_date": DAY})
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/same-person")
    assert (await review(world, account_id, "ACCEPT", agree=False)).json() == {"state": "DISAGREED"}
    assert (
        await world.approver.post(f"/v1/reviews/{mine}/decision", json={"agree": True, "business_date": DAY})
    ).status_code == 404  # overtaken
    assert (await review(world, account_id, "ACCEPT")).json() == {"state": "AGREED"}
    [(_, linked)] = await world.events("AccountLinked")
    assert (linked["status"], linked["reason"]) == ("ACTIVE", None)
    assert (await world.officer.get("/v1/reviews")).json()["items"] == []
    recheck = "UPDATE account SET recheck_on = '2024-10-01', next_try_at = now()"
    async with world.db.transaction() as tx:
        await tx.execute(recheck)
    await world.drain()
    assert await accounts(world) == [("…6789", "ACTIVE", None)]  # the same answer needs no second look
    world.partner.has("0123456789", "TRAN VAN HOA", "060150000001")
    async with world.db.transaction() as tx:
        await tx.execute(recheck)
    await world.drain()
    assert await accounts(world) == [("…6789", "REJECTED", "NAME_DIFFERS")]  # another answer does


async def test_a_closed_account_is_not_accepted_and_a_changed_one_is_proposed_again(world) -> None:
    account_id = await hoa(world, holder="TRAN HOA")
    proposal = {"verdict": "ACCEPT", "reason": "Giấy xác nhận"}
    made = await world.officer.post(f"/v1/accounts/{account_id}/reviews", json=proposal, headers={"Idempotency-Key": new_id().hex})
    world.partner.has("0123456789", "", None, "CLOSED")
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET check_due = true, next_try_at = now()")
    await world.drain()
    late = await world.approver.post(f"/v1/reviews/{made.json()['review_id']}/decision", json={"agree": True, "business_date": DAY})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/move-refused")
    assert (await review(world, account_id, "ACCEPT")).status_code == 409
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    assert (await review(world, account_id, "ASK_AGAIN")).json() == {"state": "AGREED"}
    await world.drain()
    assert await accounts(world) == [("…6789", "ACTIVE", None)]
    assert (await review(world, account_id, "REJECT")).status_code == 200
    assert await accounts(world) == [("…6789", "REJECTED", "REVIEWED")]
    async with world.db.read() as tx:
        told = await tx.value("SELECT detail FROM audit_log WHERE action = 'account.review_decided' ORDER BY id DESC LIMIT 1")
    assert [(told[side]["review"], told[side]["status"], told[side]["reason"]) for side in ("before", "after")] == [
        ("PROPOSED", "ACTIVE", None), ("AGREED", "REJECTED", "REVIEWED"),
    ]  # fmt: skip


async def test_a_whole_number_needs_role_and_purpose_and_is_audited(world, client_as) -> None:
    account_id = await hoa(world)
    path = f"/v1/accounts/{account_id}/number"
    assert (await world.officer.get(path)).status_code == 422
    assert (await world.operator.get(path, params={"purpose": "xem thử"})).status_code == 403
    assert (await client_as(world.app, Role.AUDITOR, units=("60/594",)).get(path, params={"purpose": "kiểm toán"})).status_code == 404
    answer = await world.officer.get(path, params={"purpose": "đối chiếu với ngân hàng"})
    assert (answer.json(), answer.headers["Cache-Control"]) == ({"account_number": "0123456789"}, "no-store")
    async with world.db.read() as tx:
        [row] = await tx.rows("SELECT subject, purpose, detail FROM audit_log WHERE action = 'account.read_number'")
    assert (row["subject"], row["purpose"], row["detail"]) == ("officer", "đối chiếu với ngân hàng", {"number": "…6789"})


@pytest.mark.parametrize("allowed", [False, True])
async def test_vneid_numbers_leave_only_where_the_setting_allows(world, allowed) -> None:
    if allowed:
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE policy_setting SET value = 'ALLOW' WHERE code LIKE 'VNEID%'")
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    assert (await register(world, "0123456789", source="VNEID")).status_code == 201
    await world.drain()
    assert await accounts(world) == [("…6789", "ACTIVE", None) if allowed else ("…6789", "NEEDS_REVIEW", "INQUIRY_FORBIDDEN")]
    assert bool(world.partner.asked) is allowed
    listed = await world.officer.get("/v1/lists/MERIT/self", params={"unit_code": "22924", "format": "csv", "on": DAY})
    assert listed.headers["X-Rows-Withheld"] == ("0" if allowed else "1")
    assert ("…6789" in listed.text) is allowed


async def test_vneid_numbers_are_not_paid_into_where_forbidden(world) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(
            "UPDATE policy_setting SET value = CASE code WHEN 'VNEID_PAYMENT' THEN 'FORBID' ELSE 'ALLOW' END WHERE code LIKE 'VNEID%'"
        )
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    await register(world, "0123456789", source="VNEID")
    await world.drain()
    [(_, linked)] = await world.events("AccountLinked")
    assert linked["account_number"] == {}  # disbursement then pays in cash: ACCOUNT_NUMBER_MISSING


async def test_my_work_counts_doubtful_accounts_and_what_somebody_else_proposed(world, client_as) -> None:
    account_id = await hoa(world, holder="TRAN HOA")

    async def waiting(client: Any) -> dict[str, int]:
        answer = await client.get("/v1/work", params={"business_date": DAY})
        return {item["kind"]: item["count"] for item in answer.json()["items"]}

    both, other = (client_as(world.app, Role.DISTRICT_OFFICER, units=("60/593",), subject=who) for who in ("both", "other"))
    assert await waiting(both) == {"account_reviews": 1}
    assert await waiting(client_as(world.app, Role.DISTRICT_OFFICER, units=("60/594",))) == {}
    body = {"verdict": "ACCEPT", "reason": "Giấy xác nhận", "evidence": None}
    await both.post(f"/v1/accounts/{account_id}/reviews", json=body, headers={"Idempotency-Key": new_id().hex})
    assert (await waiting(both), await waiting(other)) == ({}, {"account_decisions": 1})
