"""Accounts from a list row to a verdict: name inquiry in batches, shared accounts, partners that are away, the back-channel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import httpx
import pytest

from accounts.usecases.cut_off import pass_on_once
from common.contracts.disbursement_v1 import PaymentFailed
from common.ids import new_id, stable_id
from common.topics import partition_of


def row(code: str, name: str, number: str, provider: str = "Agribank", payee: str = "") -> tuple[str, ...]:
    return (code, name, payee, "Tài khoản", provider, number, "", "")


async def linked(world, code: str = "BT-1", name: str = "Trần Thị Hoà", number: str = "0123456789") -> None:
    await world.hear([world.person(code, name, "060150000001")])
    world.partner.has(number, "TRAN THI HOA", "060150000001")
    await world.taken([row(code, name, number)])
    await world.drain()


async def test_an_account_of_the_right_person_is_linked_with_a_number_only_the_payer_opens(world) -> None:
    await linked(world)
    [(_, body)] = await world.events("AccountLinked")
    assert (body["status"], body["version"], body["masked_number"], body["holder_name"]) == ("ACTIVE", 1, "…6789", "TRAN THI HOA")
    assert (body["partner"], body["provider_code"], body["kind"]) == ("agribank", "AGRIBANK", "BANK")
    assert list(body["account_number"]) == ["disbursement"]
    assert world.payer.open(body["account_number"]["disbursement"]) == "0123456789"
    assert body["_partition"] == partition_of(UUID(body["payee_id"]))
    assert world.partner.asked == [("agribank", ["0123456789"])]


@pytest.mark.parametrize(
    ("holder", "national", "status", "event", "expected"),
    [
        ("TRAN THI HUONG", "060150000001", "OK", "AccountRejected", ("REJECTED", "NAME_DIFFERS")),
        ("TRAN THI HOA", "264123456", "OK", "AccountRejected", ("REJECTED", "ID_DIFFERS")),
        ("TRAN HOA", "060150000001", "OK", "AccountRejected", ("NEEDS_REVIEW", "NAME_REVIEW")),
        ("TRAN THI HOA", None, "OK", "AccountRejected", ("NEEDS_REVIEW", "ID_NOT_CONFIRMED")),
        ("", None, "CLOSED", "AccountClosed", ("CLOSED", "CLOSED")),
        ("TRAN THI HOA", None, "DORMANT", "AccountClosed", ("DORMANT", "DORMANT")),
        ("TRAN THI HOA", None, "NOT_UPGRADED", "AccountClosed", ("NOT_UPGRADED", "NOT_UPGRADED")),
    ],
)
async def test_each_answer_has_its_status_and_event(world, holder, national, status, event, expected) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    world.partner.has("0123456789", holder, national, status)
    await world.taken([row("BT-1", "Trần Thị Hoà", "0123456789")])
    await world.drain()
    [(kind, body)] = [item for item in await world.events() if item[0].startswith("Account")]
    assert (kind, body["status"], body["reason"]) == (event, *expected)


async def test_the_representatives_account_is_compared_with_the_representative(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà"), world.representative("BT-1", "Lê Văn Bình", "060180000002")])
    world.partner.has("555666777", "LE VAN BINH", "060180000002")
    await world.taken([row("BT-1", "Trần Thị Hoà", "555666777", "Liên Việt", payee="LÊ VĂN BÌNH")])
    await world.drain()
    [(_, account)] = await world.events("AccountLinked")
    [(_, method)] = await world.events("PayoutMethodChosen")
    assert account["payee_id"] == method["payee_id"] == str(stable_id("person", "Lê Văn Bình"))
    assert (method["payee_kind"], method["account_id"]) == ("GUARDIAN", account["account_id"])


async def test_one_representative_of_two_people_shares_nothing(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà"), world.person("BT-2", "Lê Văn An")])
    await world.hear([world.representative(code, "Lê Văn Bình", "060180000002") for code in ("BT-1", "BT-2")])
    world.partner.has("555666777", "LE VAN BINH", "060180000002")
    await world.taken(
        [row("BT-1", "Trần Thị Hoà", "555666777", payee="Lê Văn Bình"), row("BT-2", "Lê Văn An", "555666777", payee="Lê Văn Bình")]
    )
    await world.drain()
    assert [kind for kind, _ in await world.events("AccountLinked", "AccountRejected")] == ["AccountLinked"]


async def test_an_account_claimed_by_several_payees_is_paid_to_none(world) -> None:
    await linked(world)
    await world.hear([world.person("BT-2", "Lê Văn An", "060150000002"), world.person("BT-3", "Y Moan Êban", "060150000003")])
    await world.taken([row("BT-2", "Lê Văn An", "0123456789"), row("BT-3", "Y Moan Êban", "0123456789")])
    await world.drain()
    assert set((await world.statuses()).values()) == {("NEEDS_REVIEW", "SHARED_ACCOUNT")}
    latest = {
        body["payee_id"]: (kind, body["reason"], body["version"]) for kind, body in await world.events("AccountLinked", "AccountRejected")
    }
    assert sorted(latest.values()) == [
        ("AccountRejected", "SHARED_ACCOUNT", 1), ("AccountRejected", "SHARED_ACCOUNT", 1), ("AccountRejected", "SHARED_ACCOUNT", 2),
    ]  # fmt: skip


async def test_an_account_left_by_the_others_is_its_owners_again(world) -> None:
    await linked(world)
    await world.hear([world.person("BT-2", "Lê Văn An", "060150000002")])
    await world.taken([row("BT-2", "Lê Văn An", "0123456789")])
    await world.drain()
    await world.taken([("BT-2", "Lê Văn An", "", "Tiền mặt", "", "", "", "")])
    await world.drain()
    [(_, body)] = [item for item in await world.events("AccountLinked") if item[1]["version"] > 1]
    assert body["payee_id"] == str(stable_id("person", "BT-1"))


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"results": []}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
    ],
    ids=["503", "html", "answers-missing", "timeout", "refused"],
)
async def test_a_partner_that_is_away_waits_alone(world, failure) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An", "060150000002")])
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    world.partner.has("999888777", "LE VAN AN", "060150000002")
    world.partner.script = [failure]
    await world.taken([row("BT-1", "Trần Thị Hoà", "0123456789"), row("BT-2", "Lê Văn An", "999888777", "Nam Á")])
    await world.drain()
    assert sorted(partner for partner, _ in world.partner.asked) == ["agribank", "namabank"]  # each once, the other is not held up
    assert len(await world.events("AccountLinked")) == 1
    await world.all_due()
    await world.drain()
    assert len(await world.events("AccountLinked")) == 2
    assert len(world.partner.asked) == 3


async def test_an_answer_about_another_account_is_not_believed(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà", "060150000001")])
    wrong = {"account_number": "1111111", "status": "OK", "holder_name": "TRAN THI HOA", "id_match": "MATCH"}
    world.partner.script = [httpx.Response(200, json={"results": [wrong]})]
    await world.taken([row("BT-1", "Trần Thị Hoà", "0123456789")])
    await world.drain()
    assert await world.events("AccountLinked") == []
    async with world.db.read() as tx:
        state = await tx.row("SELECT status, check_due, attempts FROM account")
    assert (state["status"], state["check_due"], state["attempts"]) == ("PENDING_CHECK", True, 1)


async def test_a_changed_identity_asks_again_and_an_unchanged_one_does_not(world) -> None:
    await linked(world)
    person = world.person("BT-1", "Trần Thị Hoà", "060150000001", version=2, unit_path="60/593/22927")
    await world.hear([person])
    await world.drain()
    assert len(world.partner.asked) == 1
    for kind in ("AccountLinked", "PayoutMethodChosen"):  # who moved takes both along
        assert [(body["version"], body["unit_path"]) for _, body in await world.events(kind)] == [(1, "60/593/22924"), (2, "60/593/22927")]
    await world.hear([world.person("BT-1", "Trần Thị Huệ", "060150000001", version=3)])
    await world.drain()
    assert len(world.partner.asked) == 2
    assert (await world.events("AccountRejected"))[-1][1]["reason"] == "NAME_DIFFERS"


def failed(world, account: dict, reason: str) -> PaymentFailed:
    return PaymentFailed(
        version=3, business_date=date(2024, 9, 2), payment_id=new_id(), cycle_id=new_id(), beneficiary_id=UUID(account["payee_id"]),
        payee_id=UUID(account["payee_id"]), payee_kind="SELF", status="FAILED", attempt=1, reference="R1", amount=1, month="2024-09",
        months=["2024-09"], programme="MERIT", funding_source="CENTRAL_BUDGET", channel="BANK", partner="agribank", reason=reason,
        unit_code="22924", unit_path="60/593/22924", occurred_at=datetime(2024, 9, 2, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ACCOUNT_CLOSED", ("AccountClosed", "CLOSED", "CLOSED")),
        ("ACCOUNT_INVALID", ("AccountRejected", "REJECTED", "NOT_FOUND")),
        ("NAME_DIFFERS", ("AccountRejected", "REJECTED", "NAME_DIFFERS")),
    ],
)
async def test_a_failed_payment_marks_the_account(world, reason, expected) -> None:
    await linked(world)
    [(_, account)] = await world.events("AccountLinked")
    await world.hear([failed(world, account, "LIMIT_EXCEEDED")])
    assert len(await world.events("AccountClosed", "AccountRejected")) == 0
    await world.hear([failed(world, account, reason)])
    [(kind, body)] = await world.events("AccountClosed", "AccountRejected")
    assert (kind, body["status"], body["reason"], body["version"]) == (*expected, 2)


async def test_the_marker_is_passed_on_with_counts_by_each_rows_own_key(world) -> None:
    people = [world.person("BT-1", "Trần Thị Hoà", "060150000001"), world.person("BT-2", "Lê Văn An")]
    await world.hear(people)
    world.partner.has("0123456789", "TRAN THI HOA", "060150000001")
    await world.taken([row("BT-1", "Trần Thị Hoà", "0123456789"), ("BT-2", "Lê Văn An", "", "TM", "", "", "", "")])
    await world.markers(people)
    assert not await pass_on_once(world.db, world.settings)  # an account has no answer yet
    await world.drain()
    assert await pass_on_once(world.db, world.settings)
    markers = [body for _, body in await world.events("CutOffReached")]
    assert [(marker["_partition"], marker["topic"], marker["producer"]) for marker in markers] == [
        (partition, "accounts.payout.v1", "accounts") for partition in range(8)
    ]
    by_partition = {marker["_partition"]: marker["counts"] for marker in markers}
    owner = partition_of(people[0].beneficiary_id)
    assert (by_partition[owner]["accounts"], by_partition[owner]["account_versions"]) == (1, 1)
    assert sum(counts["accounts"] for counts in by_partition.values()) == 1
    for person in people:
        assert by_partition[partition_of(person.beneficiary_id)]["methods"] >= 1
    assert sum(counts["method_versions"] for counts in by_partition.values()) == 2


async def test_a_partner_that_is_away_does_not_block_the_marker(world) -> None:
    people = [world.person("BT-1", "Trần Thị Hoà", "060150000001")]
    await world.hear(people)
    world.partner.script = [httpx.Response(503)]
    await world.taken([row("BT-1", "Trần Thị Hoà", "0123456789")])
    await world.drain()
    await world.markers(people)
    assert await pass_on_once(world.db, world.settings)
    markers = [body for _, body in await world.events("CutOffReached")]
    assert sum(marker["unanswered"] for marker in markers) == 1


async def test_a_difference_is_shown_and_not_passed_on(world) -> None:
    await world.hear([world.person("BT-1", "Trần Thị Hoà")])
    cut_off_id = await world.markers([])
    assert not await pass_on_once(world.db, world.settings)
    assert (await world.approver.get(f"/v1/cut-offs/{cut_off_id}")).json()["state"] == "DIFFERS"
