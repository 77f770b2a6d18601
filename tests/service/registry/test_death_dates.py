"""A date of death that the population database tells otherwise than the register: a case for people, never a silent change."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from registry_test_helpers import UNIT, UNIT_PATH, row

from common.actor import SYSTEM
from common.consumer import Incoming
from common.contracts.identity_verify_v1 import BeneficiaryFoundDeceased, Verdict
from registry.messaging.subscriptions import SUBSCRIPTIONS

DAY = "2024-08-20"
MONTHS = ("2024-06", "2024-07", "2024-08", "2024-09")
JUNE, FULL = 540_000, 750_000
UNCHANGED = {"2024-06": JUNE, "2024-07": FULL, "2024-08": FULL, "2024-09": 0}


async def tell(world: Any, person: str, died: str | None, checked_on: str = DAY, version: int = 1) -> None:
    """What identity-verify publishes when the database answers that somebody has died."""
    event = BeneficiaryFoundDeceased(
        version=version, business_date=date.fromisoformat(checked_on), beneficiary_id=UUID(person), subject_id=UUID(person),
        subject_kind="BENEFICIARY", verdict=Verdict.DECEASED, source_status="DECEASED", fields={}, identity_fingerprint="x",
        checked_on=date.fromisoformat(checked_on), valid_until=date(2024, 9, 30), reference=None,
        death_date=None if died is None else date.fromisoformat(died), unit_code=UNIT, unit_path=UNIT_PATH,
    )  # fmt: skip
    [apply] = [item.apply for item in SUBSCRIPTIONS if BeneficiaryFoundDeceased in item.event_types]
    raw = Incoming(event.TOPIC, 0, 0, event.beneficiary_id, uuid4(), event.type_name(), {}, event.model_dump_json().encode())
    async with world.db.transaction(SYSTEM("registry.consumer")) as tx:
        await apply(tx, [raw])


async def cases(client: Any, state: str | None = "OPEN", **more: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/death-differences", params={"state": state} | more if state else more)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def waiting(client: Any, kind: str = "death_differences") -> int:
    items = (await client.get("/v1/work", params={"on": "2024-08-21"})).json()["items"]
    return sum(item["count"] for item in items if item["kind"] == kind)


async def answer(client: Any, case: dict[str, Any], *, keep: bool, reason: str = "Giấy chứng tử số 12/2024") -> Any:
    body = {"keep": keep, "reason": reason, "business_date": DAY}
    return await client.post(f"/v1/death-differences/{case['difference_id']}/answer", json=body)


async def audited(world: Any) -> set[str]:
    async with world.db.read() as tx:
        return {row["action"] for row in await tx.rows("SELECT action FROM audit_log")}


async def correct(world: Any, person: str, died: str, *, turned: bool = False) -> None:
    """The date corrected by two people; `turned`: they change places."""
    maker, checker = (world.checker, world.maker) if turned else (world.maker, world.checker)
    path = f"/v1/beneficiaries/{person}/change-requests"
    body = {"business_date": DAY, "ground": "Trích lục khai tử 31/2024", "death_date": died}
    asked = await maker.post(path, json=body, headers={"Idempotency-Key": f"date-{died}"})
    assert asked.status_code == 201, asked.text
    await approve(checker, asked.json()["request_id"])


async def approve(client: Any, request: str) -> None:
    done = await client.post(f"/v1/change-requests/{request}/decision", json={"approve": True, "business_date": DAY})
    assert done.status_code == 200, done.text


@pytest.fixture
async def person(world: Any) -> str:
    await world.take([row("A-1", "060190000001", from_month="01/2024")])
    return str(await world.id_of("A-1"))


async def test_an_earlier_date_told_later_stands_for_people_and_is_corrected_by_two(world: Any, office: Any, person: str) -> None:
    await office.event("DEATH", "2024-08-03", "A-1")
    await tell(world, person, "2024-06-15")
    await tell(world, person, "2024-06-15", version=2)
    [case] = await cases(world.maker)
    shown = {name: case[name] for name in ("beneficiary_id", "recorded_date", "told_date", "told_on", "source", "request_id")}
    assert shown == {
        "beneficiary_id": person, "recorded_date": "2024-08-03", "told_date": "2024-06-15", "told_on": DAY,
        "source": "POPULATION_DATABASE", "request_id": None,
    }  # fmt: skip
    assert await waiting(world.maker) == 1
    assert await office.months("A-1", *MONTHS) == UNCHANGED, "nothing is changed by itself"

    asked = await answer(world.maker, case, keep=False)
    assert asked.status_code == 200, asked.text
    request = asked.json()["request_id"]
    assert await office.months("A-1", "2024-08") == {"2024-08": FULL}, "nothing before a second person"
    assert (await waiting(world.maker), await waiting(world.checker, "change_requests")) == (0, 1), "it waits for the second person now"
    assert (await answer(world.maker, case, keep=False)).json()["type"] == "/problems/request-pending"
    alone = await world.maker.post(f"/v1/change-requests/{request}/decision", json={"approve": True, "business_date": DAY})
    assert alone.json()["type"] == "/problems/same-person"
    [field] = (await world.checker.get(f"/v1/change-requests/{request}")).json()["fields"]
    assert (field["field"], field["now"], field["wanted"]) == ("death_date", "2024-08-03", "2024-06-15")
    await approve(world.checker, request)

    assert await office.months("A-1", *MONTHS) == {"2024-06": JUNE, "2024-07": 0, "2024-08": 0, "2024-09": 0}
    assert [event["body"]["death_date"] for event in await world.events("BeneficiaryDeceased")] == ["2024-08-03", "2024-06-15"]
    [dues] = (await world.events("DuesChanged"))[-1:]
    assert dues["key"] == UUID(person), "the payers are told, so that what was paid beyond is found"
    [done] = await cases(world.maker, "CORRECTED", beneficiary_id=person)
    assert (done["answered_by"], done["recorded_date"]) == ("checker", "2024-06-15")
    events = (await world.checker.get("/v1/life-events", params={"beneficiary_id": person})).json()["items"]
    deaths = [(item["event_date"], item["reversed_by"] is not None) for item in events if item["kind"] == "DEATH"]
    assert deaths == [("2024-08-03", True), ("2024-06-15", False)], "the wrong date stays to be seen, taken back by two people"
    back = next(item for item in events if item["kind"] == "RETURN")
    assert (back["maker"], back["checker"], back["state"], back["mistaken"]) == ("maker", "checker", "CONFIRMED", True)
    await tell(world, person, "2024-06-15", version=3)
    assert await cases(world.maker) == []
    assert {"death-difference.open", "death-date.change"} <= await audited(world)


async def test_the_offices_date_is_kept_by_another_person_and_opens_again_for_another_date_only(
    world: Any, office: Any, person: str
) -> None:
    await office.event("DEATH", "2024-08-03", "A-1")
    await tell(world, person, "2024-09-02", "2024-09-03")
    [case] = await cases(world.maker)
    own = await answer(world.maker, case, keep=True)
    assert own.json()["type"] == "/problems/same-person", "who recorded the date does not confirm it"
    assert (await answer(world.checker, case, keep=True, reason=" ")).status_code == 422
    stranger = office.client("elsewhere", "60/598")
    assert (await answer(stranger, case, keep=True)).status_code == 404
    assert await cases(stranger) == []
    kept = await answer(world.checker, case, keep=True)
    assert (kept.status_code, kept.json()["state"], kept.json()["reason"]) == (200, "KEPT", "Giấy chứng tử số 12/2024"), kept.text
    assert (await answer(world.checker, case, keep=True)).json()["type"] == "/problems/not-possible-in-state"
    await tell(world, person, "2024-09-02", "2024-09-03", version=2)
    assert (await cases(world.maker), await waiting(world.maker)) == ([], 0), "the same answer asks nobody again"
    await tell(world, person, "2024-07-30", version=3)
    [other] = await cases(world.maker)
    assert other["told_date"] == "2024-07-30"
    await tell(world, person, "2024-08-03", version=4)
    assert await cases(world.maker) == [], "the database agrees now"
    assert {item["state"] for item in await cases(world.maker, None)} == {"KEPT", "LAPSED"}
    await correct(world, person, "2024-08-01")
    await tell(world, person, "2024-09-02", "2024-09-03", version=5)
    assert [item["told_date"] for item in await cases(world.maker)] == ["2024-09-02"], "another date of ours was confirmed than stands now"
    assert "death-difference.kept" in await audited(world)


async def test_the_office_corrects_a_date_of_the_database_which_then_asks_nobody_again(world: Any, office: Any, person: str) -> None:
    await tell(world, person, "2024-06-15")
    late = await world.maker.post(f"/v1/beneficiaries/{person}/death", json={"business_date": DAY, "death_date": "2024-08-03"})
    assert (late.status_code, late.json()["recorded"]) == (409, "2024-06-15")
    await correct(world, person, "2024-08-03")
    assert await office.months("A-1", *MONTHS) == UNCHANGED
    await tell(world, person, "2024-06-15", version=2)
    assert await cases(world.maker) == []
    [kept] = await cases(world.maker, "KEPT")
    assert (kept["told_date"], kept["recorded_date"], kept["reason"]) == ("2024-06-15", "2024-08-03", "Trích lục khai tử 31/2024")
    same = await world.maker.post(
        f"/v1/beneficiaries/{person}/change-requests", headers={"Idempotency-Key": "same-00001"},
        json={"business_date": DAY, "ground": "Trích lục khai tử", "death_date": "2024-08-03"},
    )  # fmt: skip
    assert same.json()["type"] == "/problems/not-possible-in-state"


async def test_a_death_told_without_its_day_contradicts_only_a_later_date(world: Any, office: Any, person: str) -> None:
    await office.event("DEATH", "2024-08-03", "A-1")
    await tell(world, person, None, "2024-08-10")
    assert await cases(world.maker) == []
    await tell(world, person, None, "2024-07-31", version=2)
    assert [item["told_date"] for item in await cases(world.maker)] == ["2024-07-31"]
    await office.event("RETURN", DAY, "A-1", mistaken=True, decision=None)
    assert (await cases(world.maker), await waiting(world.maker)) == ([], 0), "who lives has no date to differ"


FUNERAL = {
    "organiser": {"full_name": "Nguyễn Văn Hùng", "birth_date": "1980", "sex": "M", "national_number": "060080004321"},
    "number": "60/QĐ", "decision_date": "2024-08-15", "signer": "Trần Văn Nam", "business_date": DAY,
}  # fmt: skip


@pytest.mark.parametrize(("died", "state", "sum_due"), [("2024-07-15", "APPROVED", 10_000_000), ("2024-06-15", "CANCELLED", 0)])
async def test_funeral_support_stays_where_the_law_gives_the_same_for_the_corrected_date(
    world: Any, office: Any, person: str, died: str, state: str, sum_due: int
) -> None:
    await office.event("DEATH", "2024-08-03", "A-1")
    asked = await office.post("/v1/funerals", FUNERAL | {"beneficiary_id": person})
    assert (asked.status_code, asked.json()["funeral_amount"]) == (201, 10_000_000), asked.text
    funeral = asked.json()["funeral_id"]
    assert (await world.checker.post(f"/v1/funerals/{funeral}/approve", json={"business_date": DAY})).status_code == 200
    await correct(world, person, died)
    after = (await world.checker.get(f"/v1/funerals/{funeral}")).json()
    assert after["state"] == state
    organiser = (await world.checker.get(f"/v1/beneficiaries/{after['organiser_id']}/dues", params={"month": "2024-08"})).json()
    assert organiser["total"] == sum_due
    again = await office.post("/v1/funerals", FUNERAL | {"beneficiary_id": person, "number": "61/QĐ"})
    assert again.status_code == (409 if state == "APPROVED" else 201), again.text
    if state == "CANCELLED":
        await correct(world, person, "2024-07-20", turned=True)
        waiting = (await world.checker.get(f"/v1/funerals/{again.json()['funeral_id']}")).json()
        assert waiting["state"] == "REJECTED", "a request for another sum is not left to be approved"
