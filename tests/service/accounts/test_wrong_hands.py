"""Ways by which money could reach the wrong hands: dates of one's own choosing, machines that undo people, answers that come too late."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Any

import httpx
import orjson
import pytest

from accounts.usecases.cut_off import pass_on_once
from accounts.usecases.say_again import say_again_once
from common.actor import Role
from common.contracts.disbursement_v1 import PaymentFailed
from common.contracts.identity_verify_v1 import BeneficiaryVerified, Verdict
from common.contracts.registry_v1 import BeneficiaryUpdated, RepresentativeAppointed, RepresentativeRevoked
from common.ids import new_id, stable_id

DAY = "2024-08-20"
SHARED = "0123456789"
EXAMPLE = orjson.loads((resources.files("common.contracts") / "examples" / "PaymentFailed.v1.json").read_bytes())["data"]


def who(code: str) -> str:
    return str(stable_id("person", code))


async def register(world: Any, code: str, number: str, *, client: Any = None, **more: Any) -> Any:
    body = {"provider": "Agribank", "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY, **more}
    path = f"/v1/beneficiaries/{who(code)}/accounts"
    return await (client or world.officer).post(path, json=body, headers={"Idempotency-Key": new_id().hex})


async def choose(world: Any, code: str, version: int, **body: Any) -> Any:
    headers = {"If-Match": f'"{version}"'}
    return await world.officer.put(f"/v1/beneficiaries/{who(code)}/payout-method", json={"business_date": DAY, **body}, headers=headers)


async def review(world: Any, account_id: str, verdict: str) -> Any:
    body = {"verdict": verdict, "reason": "Tài khoản do người khác giữ", "evidence": None}
    made = await world.officer.post(f"/v1/accounts/{account_id}/reviews", json=body, headers={"Idempotency-Key": new_id().hex})
    path = f"/v1/reviews/{made.json()['review_id']}/decision"
    return await world.approver.post(path, json={"agree": True, "business_date": "2024-08-22"})


async def verified(world: Any, holder: str = "TRAN THI HOA") -> str:
    """BT-1 paid into an account the provider was asked about."""
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has(SHARED, holder, "060150000001")
    made = await register(world, "BT-1", SHARED)
    await world.drain()
    return str(made.json()["account_id"])


async def state(world: Any, account_id: str) -> tuple[str, str | None]:
    async with world.db.read() as tx:
        row = await tx.row("SELECT status, reason FROM account WHERE account_id = :id", id=account_id)
    return row["status"], row["reason"]


async def last_choice(world: Any, code: str = "BT-1") -> dict[str, Any]:
    return [body for _, body in await world.events("PayoutMethodChosen") if body["beneficiary_id"] == who(code)][-1]


async def test_a_changed_account_waits_from_the_day_that_is_known_not_from_the_day_somebody_writes(world) -> None:
    first = await verified(world)
    second = (await register(world, "BT-1", "555666777", business_date="2020-01-01", consent_on="2020-01-01")).json()["account_id"]
    said = await last_choice(world)
    assert (said["account_id"], said["account_from"], said["meanwhile_account_id"]) == (second, "2024-08-27", first)


async def test_a_changed_account_of_an_approved_list_waits_as_long(world) -> None:
    await verified(world)
    await world.send([("BT-1", "Trần Thị Hoà", "", "Tài khoản", "Agribank", "555666777", "TRAN THI HOA", "")], business_date="2020-01-01")
    await world.work()
    [item] = (await world.officer.get("/v1/imports")).json()["items"]
    assert (await world.approver.post(f"/v1/imports/{item['import_id']}/approve")).status_code == 202
    await world.work()
    assert (await last_choice(world))["account_from"] == "2024-08-27"


async def test_a_day_that_has_not_come_is_refused(world) -> None:
    account_id = await verified(world)
    late = {"business_date": "2199-01-01"}
    answers = [
        await register(world, "BT-1", "555666777", **late),
        await choose(world, "BT-1", 1, method="CASH_POST", **late),
    ]
    assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in answers] == [(422, "business_date")] * 2
    assert (await choose(world, "BT-1", 1, method="ACCOUNT", account_id=account_id)).status_code == 200


async def test_many_changes_in_one_day_are_seen_whatever_business_date_is_written(world) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '4' WHERE code = 'BULK_SECOND_PERSON'")
    await world.hear([world.person(f"BT-{n}", f"Trần Thị Hoà {n}", f"06015000000{n}") for n in range(1, 6)])
    answers = [await choose(world, f"BT-{n}", 0, method="CASH_POST", business_date=f"2024-08-0{n}") for n in range(1, 6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 409]


@pytest.mark.parametrize("again", ["recheck", "form", "list", "two people"])
async def test_what_two_people_rejected_no_machine_brings_back(world, again) -> None:
    account_id = await verified(world)
    assert (await review(world, account_id, "REJECT")).status_code == 200
    if again == "recheck":
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE account SET recheck_on = '2024-10-01', next_try_at = now()")
    elif again == "form":
        await register(world, "BT-1", SHARED)
    elif again == "list":
        await world.taken([("BT-1", "Trần Thị Hoà", "", "Tài khoản", "Agribank", SHARED, "TRAN THI HOA", "")])
    else:
        assert (await review(world, account_id, "ASK_AGAIN")).status_code == 200
    await world.drain()
    assert await state(world, account_id) == ("NEEDS_REVIEW", "REVIEWED")
    assert (await review(world, account_id, "ACCEPT")).status_code == 200
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET recheck_on = '2024-11-01', next_try_at = now()")
    await world.drain()
    assert await state(world, account_id) == ("ACTIVE", None)


async def test_the_rolling_plan_leaves_rejected_accounts_alone(world, client_as) -> None:
    account_id = await verified(world)
    await review(world, account_id, "REJECT")
    senior = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="senior")
    body = {"month": "2024-10", "business_date": "2024-10-01"}
    made = await senior.post("/v1/rechecks", json=body, headers={"Idempotency-Key": new_id().hex})
    assert (made.json()["urgent"], made.json()["rolling"]) == (0, 0)


async def while_asked(world: Any, meanwhile: Any) -> None:
    """Take one batch through; `meanwhile` happens after the question left and before its answer is recorded."""
    real = world.partner.handle

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await real(request)
        await meanwhile()
        return answer

    world.inquiry._outside._http._transport = httpx.MockTransport(handle)
    try:
        await world.checker.run_once()
    finally:
        world.inquiry._outside._http._transport = httpx.MockTransport(real)


async def test_an_answer_on_the_identity_before_is_not_taken_for_the_present_one(world) -> None:
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001")
    await world.hear([person])
    world.partner.has(SHARED, "TRAN THI HOA", "060150000001")
    account_id = (await register(world, "BT-1", SHARED)).json()["account_id"]
    other = person.model_dump() | {"version": 2, "full_name": "Lê Thị Mai", "identity_fingerprint": "other"}

    async def renamed() -> None:
        await world.hear([BeneficiaryUpdated(**other)])

    await while_asked(world, renamed)
    await world.drain()
    assert await state(world, account_id) == ("REJECTED", "NAME_DIFFERS")
    assert len(world.partner.asked) == 2


async def test_who_collects_for_several_is_asked_about_as_known_now_also_when_the_first_of_them_is_gone(world) -> None:
    """The account was registered for one person; that right ended; the collector's identity was corrected through the other's right."""
    first, second = (world.representative(code, "Trần Văn Nam", "060080000001") for code in ("BT-1", "BT-2"))
    await world.hear([world.person("BT-1", "Trần Thị Hoà"), world.person("BT-2", "Lê Thị Mai"), first, second])
    world.partner.has(SHARED, "TRAN VAN NAM", "060080000001")
    account_id = (await register(world, "BT-1", SHARED, payee_id=str(first.representative_id))).json()["account_id"]
    await world.drain()
    assert await state(world, account_id) == ("ACTIVE", None)
    await world.hear([RepresentativeRevoked(**first.model_dump() | {"version": 2, "revoked_on": "2024-09-01"})])
    corrected = second.model_dump() | {"version": 2, "full_name": "Hồ Văn Tám", "identity_fingerprint": "corrected"}
    await world.hear([RepresentativeAppointed(**corrected)])
    await world.drain()
    assert await state(world, account_id) == ("REJECTED", "NAME_DIFFERS")


async def test_what_two_people_accept_while_the_provider_is_asked_stands(world) -> None:
    account_id = await verified(world, holder="TRAN HOA")
    assert await state(world, account_id) == ("NEEDS_REVIEW", "NAME_REVIEW")
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET recheck_on = '2024-10-01', next_try_at = now()")

    async def accepted() -> None:
        assert (await review(world, account_id, "ACCEPT")).status_code == 200

    await while_asked(world, accepted)
    await world.drain()
    assert await state(world, account_id) == ("ACTIVE", None)


async def test_who_comes_to_a_suspected_account_is_held_too(world, client_as) -> None:
    names = ((1, "Trần Thị Hoà"), (2, "Lê Văn An"), (3, "Phạm Thị Nga"))
    await world.hear([world.person(f"BT-{n}", name, f"06015000000{n}") for n, name in names])
    world.partner.has(SHARED, "TRAN THI HOA", "060150000001")
    for code in ("BT-1", "BT-2"):
        await register(world, code, SHARED)
    await world.drain()
    [alert] = (await world.officer.get("/v1/alerts")).json()["items"]
    senior = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="senior")
    body = {"state": "SUSPECTED", "reason": "Hai hộ khai cùng tài khoản", "business_date": "2024-08-21"}
    assert (await senior.post(f"/v1/alerts/{alert['alert_id']}/decision", json=body)).status_code == 200
    await register(world, "BT-3", SHARED)
    await world.drain()
    assert (await last_choice(world, "BT-3"))["fraud_suspected"] is True
    async with world.db.read() as tx:
        versions = await tx.rows("SELECT beneficiary_id, version FROM payout_method")
    said = {body["beneficiary_id"]: body["version"] for _, body in await world.events("PayoutMethodChosen")}
    assert {str(row["beneficiary_id"]): row["version"] for row in versions} == said


async def test_who_comes_to_a_suspected_representative_is_held_too(world, client_as) -> None:
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE policy_setting SET value = '2' WHERE code = 'ALERT_REPRESENTATIVE_PEOPLE'")
    payee = str(stable_id("person", "Lê Văn Bình"))
    for n in (1, 2, 3):
        await world.hear([world.person(f"BT-{n}", f"Trần Thị Hoà {n}", f"06015000000{n}")])
        await world.hear([world.representative(f"BT-{n}", "Lê Văn Bình", "060180000002")])
    for n in (1, 2):
        await choose(world, f"BT-{n}", 0, method="CASH_POST", payee_id=payee)
    [alert] = (await world.officer.get("/v1/alerts")).json()["items"]
    senior = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="senior")
    body = {"state": "SUSPECTED", "reason": "Một người nhận thay nhiều người", "business_date": "2024-08-21"}
    assert (await senior.post(f"/v1/alerts/{alert['alert_id']}/decision", json=body)).status_code == 200
    await choose(world, "BT-3", 0, method="CASH_POST", payee_id=payee)
    assert (await last_choice(world, "BT-3"))["fraud_suspected"] is True
    assert (await world.officer.get(f"/v1/beneficiaries/{who('BT-3')}/payout-method")).json()["version"] == (
        await last_choice(world, "BT-3")
    )["version"]


async def decided(world: Any, client_as: Any, kind: str, body: dict[str, Any]) -> None:
    first, second = (client_as(world.app, Role.DEPARTMENT_OFFICER, subject=name) for name in ("first", "second"))
    change = {"kind": kind, "body": body, "business_date": DAY}
    made = await first.post("/v1/change-requests", json=change, headers={"Idempotency-Key": new_id().hex})
    assert made.status_code == 201, made.text
    path = f"/v1/change-requests/{made.json()['request_id']}/decision"
    assert (await second.post(path, json={"approve": True})).status_code == 200


async def test_the_setting_of_vneid_accounts_counts_for_those_already_published(world, client_as) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An", "060150000002")])
    world.partner.has("0123456780", "LE VAN AN", "060150000002")
    vneid = (await register(world, "BT-1", SHARED, source="VNEID")).json()["account_id"]
    await register(world, "BT-2", "0123456780")
    await world.drain()
    assert (await review(world, vneid, "ACCEPT")).status_code == 200
    for value, known in (("FORBID", False), ("ALLOW", True)):
        before = len(await world.events("AccountLinked"))
        await decided(world, client_as, "SETTING", {"code": "VNEID_PAYMENT", "value": value})
        assert (await world.operator.get("/v1/quiet")).json()["quiet"] is False
        while await say_again_once(world.db):
            pass
        said = [body for _, body in await world.events("AccountLinked")][before:]
        assert [(body["account_id"], bool(body["account_number"])) for body in said] == [(vneid, known)]
    versions = [body["version"] for _, body in await world.events("AccountLinked") if body["account_id"] == vneid]
    assert versions == sorted(set(versions))


async def test_accounts_follow_their_provider_to_another_partner(world, client_as) -> None:
    account_id = await verified(world)
    body = {"code": "AGRIBANK", "type_code": "BANK", "partner": "lpbank", "channels": ["BANK"], "name_inquiry": True,
            "holder_id_check": True, "opens_accounts": True, "source": "hợp đồng mới"}  # fmt: skip
    await decided(world, client_as, "PROVIDER", body)
    while await say_again_once(world.db):
        pass
    _, said = (await world.events("AccountLinked"))[-1]
    assert (said["account_id"], said["partner"], said["version"]) == (account_id, "lpbank", 2)


async def test_changes_of_contracts_are_seen_by_their_own_units_only(world, client_as) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    contract = {"number": "7", "unit_code": "22924", "provider_code": "AGRIBANK", "scope": "chi trả", "fee_basis_points": 5,
                "valid_from": DAY}  # fmt: skip
    await decided(world, client_as, "CONTRACT", contract)
    await decided(world, client_as, "SETTING", {"code": "COOL_DOWN_DAYS", "value": "9"})
    for unit, kinds in (("60/593", {"CONTRACT", "SETTING"}), ("60/594", {"SETTING"})):
        reader = client_as(world.app, Role.AUDITOR, units=(unit,))
        assert {item["kind"] for item in (await reader.get("/v1/change-requests")).json()["items"]} == kinds


def verdict(code: str, answer: str | None, version: int, day: str = "2024-09-01") -> BeneficiaryVerified:
    person = stable_id("person", code)
    fields = {"number": "match", "name": "MATCH", "birth_date": "match", "sex": "match"}
    return BeneficiaryVerified(
        version=version, business_date=date.fromisoformat(day), beneficiary_id=person, subject_id=person, subject_kind="BENEFICIARY",
        verdict=Verdict.VERIFIED, source_status="MATCH", fields=fields if answer is None else {**fields, "account": answer},
        identity_fingerprint="f", checked_on=date.fromisoformat(day), valid_until=date.fromisoformat("2024-12-01"), reference="PD-1",
        unit_code="22924", unit_path="60/593/22924",
    )  # fmt: skip


async def test_an_account_that_the_police_say_is_not_the_persons_is_looked_at_by_two_people(world) -> None:
    account_id = await verified(world)
    await world.hear([verdict("BT-1", None, 1), verdict("BT-9", "mismatch", 1)])
    assert await state(world, account_id) == ("ACTIVE", None)
    await world.hear([verdict("BT-1", "mismatch", 2)])
    assert await state(world, account_id) == ("NEEDS_REVIEW", "POLICE_DIFFERS")
    assert (await world.events("AccountRejected"))[-1][1]["reason"] == "POLICE_DIFFERS"
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET recheck_on = '2024-10-01', next_try_at = now()")
    await world.drain()
    assert await state(world, account_id) == ("NEEDS_REVIEW", "POLICE_DIFFERS"), "the provider's yes does not overrule the police's no"
    [item] = (await world.officer.get("/v1/reviews")).json()["items"]
    assert (item["police_answer"], item["police_on"]) == ("mismatch", "2024-09-01")
    assert (await review(world, account_id, "ACCEPT")).status_code == 200
    await world.hear([verdict("BT-1", "mismatch", 3)])
    assert await state(world, account_id) == ("ACTIVE", None), "the same answer told again is not another one"


async def test_the_police_yes_is_evidence_and_takes_back_their_own_no_only(world) -> None:
    account_id = await verified(world)
    await world.hear([verdict("BT-1", "mismatch", 2)])
    await world.hear([verdict("BT-1", "match", 3, "2024-10-01")])
    await world.drain()
    assert await state(world, account_id) == ("ACTIVE", None)
    await review(world, account_id, "REJECT")
    await world.hear([verdict("BT-1", "match", 4, "2024-11-01")])
    await world.drain()
    assert await state(world, account_id) == ("REJECTED", "REVIEWED")


async def test_a_failed_payment_to_one_payee_says_nothing_of_anothers_account(world) -> None:
    account_id = await verified(world)
    event = PaymentFailed.model_validate(EXAMPLE | {
        "beneficiary_id": who("BT-1"), "payee_id": who("BT-2"), "partner": "agribank", "account_id": account_id, "reason": "ACCOUNT_CLOSED",
    })  # fmt: skip
    await world.hear([event])
    assert await state(world, account_id) == ("ACTIVE", None)
    await world.hear([event.model_copy(update={"payee_id": stable_id("person", "BT-1"), "payment_id": new_id()})])
    assert await state(world, account_id) == ("CLOSED", "CLOSED")


async def test_what_two_people_accepted_was_of_one_identity(world) -> None:
    account_id = await verified(world, holder="TRAN HOA")
    assert (await review(world, account_id, "ACCEPT")).status_code == 200
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001")
    await world.hear([BeneficiaryUpdated(**person.model_dump() | {"version": 2, "identity_fingerprint": "other"})])
    await world.drain()
    assert await state(world, account_id) == ("NEEDS_REVIEW", "NAME_REVIEW")


async def test_a_proposal_is_of_the_answer_that_was_seen(world) -> None:
    account_id = await verified(world, holder="TRAN HOA")
    body = {"verdict": "ACCEPT", "reason": "Giấy xác nhận của ngân hàng", "evidence": None}
    made = await world.officer.post(f"/v1/accounts/{account_id}/reviews", json=body, headers={"Idempotency-Key": new_id().hex})
    world.partner.has(SHARED, "TRAN THI HOA", None)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET check_due = true, next_try_at = now()")
    await world.drain()
    assert await state(world, account_id) == ("NEEDS_REVIEW", "ID_NOT_CONFIRMED")
    path = f"/v1/reviews/{made.json()['review_id']}/decision"
    late = await world.approver.post(path, json={"agree": True, "business_date": "2024-08-22"})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/move-refused")


async def test_when_an_account_ends_only_a_verified_one_takes_its_place(world) -> None:
    first = await verified(world)
    world.partner.has("555666777", "TRAN THI HOA", None)
    doubtful = (await register(world, "BT-1", "555666777", use_it=False)).json()["account_id"]
    await world.drain()
    assert await state(world, doubtful) == ("NEEDS_REVIEW", "ID_NOT_CONFIRMED")
    world.partner.has(SHARED, "", None, "CLOSED")
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE account SET recheck_on = '2024-09-20', next_try_at = now() WHERE account_id = :id", id=first)
    await world.drain()
    assert await state(world, first) == ("CLOSED", "CLOSED")
    assert (await last_choice(world))["account_id"] == first, "paid in cash until somebody chooses"


async def test_an_older_word_of_the_registry_changes_nobody(world) -> None:
    account_id = await verified(world)
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001").model_dump()
    await world.hear([BeneficiaryUpdated(**person | {"version": 5, "file_code": "BT-1"})])
    stale = {"version": 4, "full_name": "Lê Thị Mai", "identity_fingerprint": "older", "unit_path": "60/594/1", "unit_code": "1"}
    await world.hear([BeneficiaryUpdated(**person | stale)])
    await world.drain()
    assert await state(world, account_id) == ("ACTIVE", None)
    assert (await world.officer.get(f"/v1/beneficiaries/{who('BT-1')}/payout-method")).status_code == 200
    assert len(world.partner.asked) == 1


async def test_a_cut_off_waits_for_an_approved_list(world) -> None:
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001")
    await world.hear([person])
    sent = await world.send([("BT-1", "Trần Thị Hoà", "", "Tiền mặt", "", "", "", "")])
    await world.work()
    assert (await world.approver.post(f"/v1/imports/{sent.json()['import_id']}/approve")).status_code == 202
    await world.markers([person])
    assert not await pass_on_once(world.db, world.settings)
    await world.work()
    assert await pass_on_once(world.db, world.settings)
