"""Moves: a hand-over between two units and two people; every month is due once and belongs to one unit."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_test_helpers import UNIT_PATH, row

from common.actor import SYSTEM, Role
from common.contracts import registry_v1
from registry.domain.decisions import Action
from registry.storage import dues, transfers
from registry.usecases import moves

NEW_UNIT, NEW_PATH = "22915", "60/593/22915"
MONTHS = [f"2024-{n:02d}" for n in range(1, 13)] + [f"2025-{n:02d}" for n in range(1, 7)]


async def _send(world: Any, office: Any, code: str = "A-1", **more: Any) -> Any:
    body = {
        "beneficiary_id": await world.id_of(code), "to_unit_code": NEW_UNIT, "number": "12/QĐ", "decision_date": "2024-09-10",
        "signer": "Trần Văn Nam", "dossier": "Hồ sơ 12 trang", "business_date": "2024-09-11",
    } | more  # fmt: skip
    return await office.post("/v1/transfers", {name: value for name, value in body.items() if value is not None})


def _receiver(office: Any) -> Any:
    return office.client("receiver", NEW_PATH, Role.COMMUNE_OFFICER)


async def _by_unit(world: Any, office: Any, code: str) -> dict[str, dict[str, int]]:
    """Month → unit → what that unit owes."""
    person = await world.id_of(code)
    units = (await world.checker.get(f"/v1/beneficiaries/{person}/paying-units")).json()
    owed: dict[str, dict[str, int]] = {}
    for month, total in (await office.all_months(code, MONTHS)).items():
        for item in units:
            if (item["from_month"] or "") <= month <= (item["to_month"] or "9999-12"):
                owed.setdefault(month, {})[item["unit_code"]] = total
    return owed


async def test_the_old_unit_sends_the_new_unit_receives_and_pays_from_the_following_month(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001", rep_name="Trần Văn Bình", rep_number="060070000009", rep_kind="Ủy quyền")])
    before = await office.all_months("A-1", MONTHS)
    sent = await _send(world, office)
    assert (sent.status_code, sent.json()["state"], sent.json()["last_month"]) == (201, "SENT", "2024-09")
    assert [e["body"]["unit_code"] for e in await world.events("BeneficiaryMoved")] == []
    path, receiver = f"/v1/transfers/{sent.json()['transfer_id']}", _receiver(office)
    assert (await receiver.get("/v1/transfers", params={"state": "SENT"})).json()["items"][0]["full_name"] == "Nguyễn Thị Hoà"
    assert (await world.maker.post(path + "/receive", json={"business_date": "2024-09-18"})).status_code == 404, "not the sender's side"
    done = await receiver.post(path + "/receive", json={"business_date": "2024-09-18"})
    assert (done.status_code, done.json()["state"], done.json()["pays_from"]) == (200, "RECEIVED", "2024-10")
    owed = await _by_unit(world, office, "A-1")
    assert {month: sum(units.values()) for month, units in owed.items()} == before, "no gap, no double"
    assert [list(owed[month]) for month in ("2024-09", "2024-10")] == [["22924"], [NEW_UNIT]]
    (moved,) = await world.events("BeneficiaryMoved")
    registry_v1.BeneficiaryMoved.model_validate(moved["body"])
    for kind in ("BeneficiaryMoved", "DuesChanged", "EntitlementChanged", "RepresentativeAppointed"):
        assert (await world.events(kind))[-1]["body"]["unit_path"] == NEW_PATH, kind
    assert (await receiver.get(f"/v1/beneficiaries/{moved['key']}")).status_code == 200
    event = (await receiver.get("/v1/life-events")).json()["items"][0]
    assert (event["kind"], event["maker"], event["checker"]) == ("MOVE", "maker", "receiver")
    assert [item["state"] for item in (await receiver.get("/v1/decisions")).json()["items"]] == ["APPROVED"]


async def test_the_old_unit_reads_a_person_until_it_no_longer_pays(world: Any, office: Any) -> None:
    await world.take([row("A-1", "060190000001")])
    person = f"/v1/beneficiaries/{await world.id_of('A-1')}"
    sent, receiver = await _send(world, office), _receiver(office)
    await receiver.post(f"/v1/transfers/{sent.json()['transfer_id']}/receive", json={"business_date": "2024-09-18"})
    elsewhere = office.client("elsewhere", "60/593/22918", Role.COMMUNE_OFFICER)
    reads = ("", "/dues", "/dues?month=2024-09", "/paying-units")

    async def answers(client: Any) -> list[int]:
        return [(await client.get(person + part)).status_code for part in reads]

    assert await answers(world.maker) == [200] * 4
    assert await answers(elsewhere) == [404] * 4
    change = {"business_date": "2024-09-19", "preference": "DECLINES"}
    version = (await receiver.get(person)).headers["etag"]
    assert (await world.maker.patch(person, json=change, headers={"If-Match": version})).status_code == 404
    october = await receiver.patch(person, json=change | {"business_date": "2024-10-01"}, headers={"If-Match": version})
    assert october.status_code == 200, october.text
    assert await answers(world.maker) == [404] * 4


async def test_what_a_unit_added_of_its_own_stays_due_for_its_months(world: Any, office: Any) -> None:
    """A province's addition for some communes: months before a move, or before a reform of units, are judged by the unit of then."""
    world.as_owner(
        "INSERT INTO provincial_top_up (code, unit_prefixes, mode, category, amount_vnd, applies_from, known_from, legal_basis) VALUES"
        " ('OLD', '{60/593/22924}', 'BESIDE', 'SA6_S', 100000, '2024-07-01', '2024-07-01', 'NQ 1'),"
        " ('NEW', '{60/593/22915}', 'BESIDE', 'SA6_S', 30000, '2024-07-01', '2024-07-01', 'NQ 2')"
    )
    await world.take([row("A-1"), row("A-2", "060190000001")])
    sent = (await _send(world, office)).json()["transfer_id"]
    done = await _receiver(office).post(f"/v1/transfers/{sent}/receive", json={"business_date": "2024-09-18"})
    assert done.status_code == 200, done.text
    assert await office.months("A-1", "2024-08", "2024-09", "2024-10") == {"2024-08": 850_000, "2024-09": 850_000, "2024-10": 780_000}
    person = await world.id_of("A-2")
    async with world.db.transaction(SYSTEM("unit-remap")) as tx:
        remap = await tx.value(
            "INSERT INTO unit_remap (remap_id, effective_on, scope_path, business_date, created_by, state, approved_by)"
            " VALUES (uuidv7(), '2025-07-01', '*', '2025-07-02', 'maker', 'DONE', 'checker') RETURNING remap_id"
        )
        await tx.execute(
            "INSERT INTO unit_moved (effective_on, person_id, remap_id, old_path, new_path, approved_by) SELECT '2025-07-01', person_id,"
            " :remap, unit_path, '60/999', 'checker' FROM person WHERE person_id = CAST(:id AS uuid)", remap=remap, id=person,
        )  # fmt: skip
        await tx.execute("UPDATE person SET unit_path = '60/999' WHERE person_id = CAST(:id AS uuid)", id=person)
        await dues.recompute(tx, [UUID(person)], date(2025, 7, 3))
    assert await office.months("A-2", "2024-09", "2025-06", "2025-07") == {"2024-09": 850_000, "2025-06": 850_000, "2025-07": 750_000}


async def test_returned_with_a_reason_or_withdrawn_the_person_stays(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    first = (await _send(world, office)).json()["transfer_id"]
    receiver = _receiver(office)
    assert (await receiver.post(f"/v1/transfers/{first}/return", json={"business_date": "2024-09-18"})).status_code == 422
    back = await receiver.post(f"/v1/transfers/{first}/return", json={"business_date": "2024-09-18", "reason": "thiếu quyết định gốc"})
    assert (back.json()["state"], back.json()["answer_reason"]) == ("RETURNED", "thiếu quyết định gốc")
    again = await receiver.post(f"/v1/transfers/{first}/receive", json={"business_date": "2024-09-18"})
    assert again.json()["type"] == "/problems/transfer-not-open"
    second = (await _send(world, office)).json()["transfer_id"]
    assert (await _send(world, office)).json()["type"] == "/problems/transfer-not-open"
    stop = await office.propose("SUSPEND", "UNCOLLECTED", await office.allowance("A-1"))
    assert stop.json()["type"] == "/problems/entitlement-state", "while a move is under way nothing else is decided"
    withdrawn = await world.maker.post(f"/v1/transfers/{second}/withdraw", json={"business_date": "2024-09-19"})
    assert withdrawn.json()["state"] == "WITHDRAWN"
    assert (await world.checker.get(f"/v1/beneficiaries/{await world.id_of('A-1')}")).json()["unit_path"] == UNIT_PATH
    assert await world.events("BeneficiaryMoved") == []


async def test_sender_and_receiver_are_two_people(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    body = {
        "beneficiary_id": await world.id_of("A-1"), "to_unit_code": NEW_UNIT, "number": "12/QĐ", "decision_date": "2024-09-10",
        "signer": "x", "dossier": "hồ sơ", "business_date": "2024-09-11",
    }  # fmt: skip
    sent = await office.post("/v1/transfers", body, world.checker)
    path = f"/v1/transfers/{sent.json()['transfer_id']}/receive"
    own = await world.checker.post(path, json={"business_date": "2024-09-18"})
    assert (own.status_code, own.json()["type"]) == (409, "/problems/same-person")
    with pytest.raises(Exception, match="violates check constraint"):
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE transfer SET state = 'RETURNED', checker = maker")


async def test_a_move_to_nowhere_is_refused(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    for more, kind in (
        ({"to_unit_code": "22924"}, "unknown-unit"),
        ({"to_unit_code": "99999"}, "unknown-unit"),
        ({"to_unit_code": None}, "invalid-input"),
        ({"to_province": "Đồng Nai"}, "invalid-input"),
        ({"decision_date": "2024-09-12"}, "decision-refused"),
    ):
        answer = await _send(world, office, **more)
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}"), more
    assert (await world.checker.get("/v1/transfers")).json()["items"] == []


async def test_leaving_the_province_ends_with_the_month_of_the_paper(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    sent = await _send(world, office, to_unit_code=None, to_province="Đồng Nai", last_month="2024-10")
    assert (await world.due("A-1", "2024-11"))["total"] == 750_000, "nothing ends before a second person has confirmed"
    done = await world.checker.post(f"/v1/transfers/{sent.json()['transfer_id']}/receive", json={"business_date": "2024-09-18"})
    assert (done.json()["direction"], done.json()["pays_from"]) == ("OUT", "2024-11")
    assert await office.months("A-1", "2024-10", "2024-11") == {"2024-10": 750_000, "2024-11": 0}
    assert (await world.events("BeneficiaryUpdated"))[-1]["body"]["status"] == "LEFT"
    assert (await world.events("EntitlementEnded"))[-1]["body"]["to_month"] == "2024-10"


async def test_somebody_from_another_province_begins_the_month_after_the_last_paid_there(world: Any, office: Any) -> None:
    person = {"full_name": "Lê Thị Mai", "birth_date": "1950-05-01", "sex": "F", "national_number": "075150000017"}
    body = {
        "person": person, "unit_code": "22924", "from_province": "Đồng Nai", "number": "9/QĐ", "decision_date": "2024-09-10",
        "signer": "Trần Văn Nam", "dossier": "Hồ sơ nhận ngày 10/9", "last_month": "2024-08", "business_date": "2024-09-11",
        "entitlements": [{"category": "SA6_S"}],
    }  # fmt: skip
    sent = await office.post("/v1/transfers/arrivals", body)
    assert sent.status_code == 201, sent.text
    assert await world.events("BeneficiaryRegistered") == []
    done = await world.checker.post(f"/v1/transfers/{sent.json()['transfer_id']}/receive", json={"business_date": "2024-09-12"})
    assert (done.json()["direction"], done.json()["pays_from"]) == ("IN", "2024-09")
    (event,) = await world.events("BeneficiaryRegistered")
    assert event["body"]["programmes"] == ["SOCIAL_ASSISTANCE"]
    dues = (await world.checker.get(f"/v1/beneficiaries/{event['key']}/dues")).json()["intervals"]
    assert (dues[0]["from_month"], dues[0]["amount"]) == ("2024-09", 750_000)
    assert "075150000017" not in sent.text


async def test_somebody_who_died_on_the_way_is_not_brought_to_life_by_the_receipt(world: Any, office: Any) -> None:
    await world.take([row("A-1")])
    sent = (await _send(world, office)).json()["transfer_id"]
    await office.event("DEATH", "2024-09-15", "A-1", business_date="2024-09-16")
    await _receiver(office).post(f"/v1/transfers/{sent}/receive", json={"business_date": "2024-09-18"})
    assert (await world.events("BeneficiaryMoved"))[-1]["body"]["status"] == "DECEASED"
    assert await office.months("A-1", "2024-09", "2024-10") == {"2024-09": 750_000, "2024-10": 0}


async def test_the_months_between_stop_and_receipt_belong_where_the_setting_says(world: Any, office: Any) -> None:
    await world.take([row("A-1"), row("A-2", "060190000001")])
    found = {}
    for code, setting in (("A-1", "AFTER_RECEIPT"), ("A-2", "AFTER_STOP_DECISION")):
        world.settle("MOVE_FIRST_MONTH", setting)
        sent = (await _send(world, office, code)).json()["transfer_id"]
        done = await _receiver(office).post(f"/v1/transfers/{sent}/receive", json={"business_date": "2024-12-03"})
        found[setting] = done.json()["pays_from"]
    assert found == {"AFTER_RECEIPT": "2025-01", "AFTER_STOP_DECISION": "2024-10"}


_DAYS = st.dates(min_value=date(2024, 2, 1), max_value=date(2025, 3, 31))


@settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(days=st.lists(st.tuples(_DAYS, st.integers(0, 70), st.booleans()), min_size=1, max_size=4))
async def test_whatever_the_dates_every_month_is_due_once_and_of_one_unit(
    world: Any, office: Any, days: list[tuple[date, int, bool]]
) -> None:
    """Random chains of moves (some returned): the sum over units stays what was due, and the last unit is the person's."""
    code = "A-9"
    if not (await world.checker.get("/v1/beneficiaries", params={"file_code": code})).json()["items"]:
        await world.take([row(code)])
    person = await world.id_of(code)
    async with world.db.transaction(SYSTEM("test")) as tx:  # each example begins anew
        await tx.execute("DELETE FROM decision; DELETE FROM life_event; DELETE FROM transfer")
        await tx.execute("UPDATE person SET unit_code = '22924', unit_path = '60/593/22924' WHERE file_code = :code", code=code)
    before = await office.all_months(code, MONTHS)
    here, there, today = "22924", NEW_UNIT, date(2024, 1, 31)
    sender, receiver = SYSTEM("sender"), SYSTEM("receiver")
    for sent, wait, received in sorted(days):
        sent = max(sent, today)
        today = date.fromordinal(sent.toordinal() + wait)
        async with world.db.transaction(sender) as tx:
            move = await moves.depart(tx, moves.Departure(person, "1/QĐ", sent, "x", "hồ sơ", sent, to_unit_code=there))
        await moves.settle_answer(world.db, receiver, move, Action.APPROVE if received else Action.REJECT, today, "lý do")
        if received:
            here, there = there, here
    owed = await _by_unit(world, office, code)
    assert all(len(units) == 1 for units in owed.values()), owed
    assert {month: sum(units.values()) for month, units in owed.items()} == before
    async with world.db.read(sender) as tx:
        units = await transfers.paying_units(tx, person)
    assert units[-1]["unit_code"] == here
    assert [left["until"] for left in units[:-1]] == [right["from_month"] for right in units[1:]], "each begins where the one before ends"
