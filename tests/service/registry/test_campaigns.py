"""Campaigns: a list taken on a day, given once to each person by two people, late additions until a day."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date
from typing import Any

import pytest
from registry_law_model import Decision, Person, at, insert
from registry_test_helpers import UNIT_PATH

from common.actor import SYSTEM, Role
from registry.storage import dues
from registry.storage.publishing import take_people_lock

START = at(2024, 1)
KNOWN = date(2025, 12, 29)


class Desk:
    """Who orders, who approves, who works in the commune."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.an = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="an")
        self.binh = world.client_as(world.app, Role.APPROVER, units=("60",), subject="binh")
        self.keys = itertools.count()
        self.row: dict[str, Any] = {}

    def key(self) -> dict[str, str]:
        return {"Idempotency-Key": f"campaign-{next(self.keys):08d}"}

    async def order(self, code: str = "GIFT_418", on: str = "2025-12-28", payee: str = "PERSON", **more: str) -> Any:
        body = {"code": code, "unit_path": "60", "snapshot_on": on, "payee": payee, "business_date": "2025-12-29"} | more
        answer = await self.an.post("/v1/campaigns", json=body, headers=self.key())
        if answer.status_code == 202:
            await self.world.work()
            self.row = (await self.an.get(f"/v1/campaigns/{answer.json()['campaign_id']}")).json()
        return answer

    @property
    def path(self) -> str:
        return f"/v1/campaigns/{self.row['campaign_id']}"

    async def decide(self, client: Any, action: str, **more: Any) -> Any:
        body = {"action": action, "business_date": "2025-12-29"} | more
        answer = await client.post(f"{self.path}/decision", json=body, headers={"If-Match": f'"{self.row["version"]}"'})
        if answer.status_code == 200:
            await self.world.work()
            self.row = (await self.an.get(self.path)).json()
        return answer

    async def progress(self, client: Any = None) -> dict[str, Any]:
        return dict((await (client or self.an).get(f"{self.path}/progress")).json())


@pytest.fixture
def desk(world: Any) -> Desk:
    return Desk(world)


async def store(world: Any, *people: Person) -> list[Any]:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        ids = [await insert(tx, person, UNIT_PATH) for person in people]
        await dues.recompute(tx, ids, KNOWN)
    return ids


async def gifts(world: Any, ids: list[Any], line: str) -> list[int]:
    async with world.db.read() as tx:
        return [
            int(await tx.value("SELECT coalesce(sum(amount), 0) FROM due_interval WHERE person_id = :id AND programme = 'CAMPAIGN'"
                               " AND benefit_line = :line", id=one, line=line))
            for one in ids
        ]  # fmt: skip


async def test_two_categories_one_gift_for_whoever_is_named_and_lives_on_the_day(world: Any, desk: Desk) -> None:
    people = (
        Person(None, (Decision("SA6_S", START), Decision("MR_PRISON", START))), Person(None, (Decision("SP_75", at(2025, 7)),)),
        Person(None, (Decision("SA6_S", START, end=at(2025, 11)),)), Person(None, (Decision("SA6_S", START),), died=at(2025, 12)),
    )  # fmt: skip
    ids = await store(world, *people)
    assert (await desk.order(business_date="2025-12-27")).status_code == 404, "the resolution is not known yet"
    assert (await desk.order()).status_code == 202
    assert desk.row["state"] == "LISTED"
    assert await gifts(world, ids, "C02") == [0, 0, 0, 0], "nothing is due before a second person has approved"
    assert (await desk.order()).status_code == 409, "one campaign of a resolution in an area"
    assert (await desk.decide(desk.an, "APPROVE")).status_code == 409
    assert (await desk.decide(desk.binh, "WITHDRAW")).status_code == 409
    assert (await desk.decide(desk.binh, "APPROVE")).status_code == 200
    assert desk.row["state"] == "GIVEN"
    assert await gifts(world, ids, "C02") == [400_000, 400_000, 0, 0]
    assert (await desk.decide(desk.binh, "APPROVE")).status_code == 409
    found = await desk.progress()
    (commune,) = found["communes"]
    assert (found["people_given"], found["amount_given"]) == (2, 800_000)
    assert (commune["listed"], commune["given"], commune["deceased"], commune["payees"]) == (2, 2, 1, 2)
    told = {item["body"]["beneficiary_id"] for item in await world.events("DuesChanged") if "CAMPAIGN" in str(item["body"])}
    assert told == {str(ids[0]), str(ids[1])}
    elsewhere = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="far")
    assert (await desk.progress(elsewhere))["communes"] == []
    abroad = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("61",), subject="abroad")
    assert (await abroad.get(desk.path)).status_code == 404


async def test_every_citizen_of_the_day_is_collected_for_by_the_head_of_the_household(world: Any, desk: Desk) -> None:
    head, wife, child, alone, born_later = await store(world, *(Person(None, ()) for _ in range(5)))
    async with world.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("UPDATE person SET is_beneficiary = false WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=[head, child])
        household = await tx.value(
            "INSERT INTO household (code, head_id, unit_code, unit_path, created_by) VALUES ('H1', :head, '22924', :path, 'x')"
            " RETURNING household_id", head=head, path=UNIT_PATH,
        )  # fmt: skip
        for one, since in ((head, "2020-01-01"), (wife, "2020-01-01"), (child, "2025-08-30"), (born_later, "2025-08-31")):
            await tx.execute(
                "INSERT INTO household_member (household_id, person_id, relation, from_date) VALUES (:h, :p, 'OTHER', CAST(:day AS date))",
                h=household, p=one, day=since,
            )  # fmt: skip
    await desk.order("GIFT_263", "2025-08-30", "HOUSEHOLD_HEAD", business_date="2025-08-31")
    await desk.decide(desk.binh, "APPROVE", business_date="2025-08-31")
    assert await gifts(world, [head, wife, child, alone, born_later], "C01") == [300_000, 0, 0, 100_000, 100_000]
    assert str(head) in {str(item["key"]) for item in await world.events("BeneficiaryRegistered")}, "whoever collects is known to all"
    text = (await desk.an.get(f"{desk.path}/people/file", params={"format": "csv"})).text
    assert text.count("Đã ghi khoản chi") == 5
    page = (await desk.an.get(f"{desk.path}/people", params={"limit": 2})).json()
    rest = (await desk.an.get(f"{desk.path}/people", params={"limit": 200, "cursor": page["next_cursor"]})).json()
    payees = {item["person_id"]: item["payee_id"] for item in [*page["items"], *rest["items"]]}
    assert {payees[str(one)] for one in (head, wife, child)} == {str(head)}


async def test_late_additions_by_two_people_until_the_last_day(world: Any, desk: Desk) -> None:
    ids = await store(world, Person(None, (Decision("SA6_S", START),)))
    await desk.order(late_until="2026-01-31")
    (missed, refused) = await store(world, Person(None, (Decision("SA8", START),)), Person(None, (Decision("SA8", START),)))
    maker, checker = world.maker, world.checker

    async def late(person: Any, day: str = "2026-01-31", client: Any = maker) -> Any:
        body = {"person_id": str(person), "reason": "Vắng mặt khi chốt danh sách", "business_date": day}
        return await client.post(f"{desk.path}/late", json=body, headers=desk.key())

    assert (await late(missed)).status_code == 409, "not approved yet"
    await desk.decide(desk.binh, "APPROVE")
    assert (await late(missed, "2026-02-01")).status_code == 422, "after the last day"
    assert (await late(ids[0])).status_code == 409, "has it"
    assert (await late(missed)).status_code == 201
    assert (await late(refused, client=checker)).status_code == 201
    decision = {"approve": True, "business_date": "2026-02-02"}
    own = await checker.post(f"{desk.path}/late/{refused}/decision", json=decision)
    assert own.status_code == 409, "who proposes does not approve"
    assert (await desk.binh.post(f"{desk.path}/late/{refused}/decision", json=decision | {"approve": False})).json()["state"] == "LEFT_OUT"
    answers = await asyncio.gather(*(client.post(f"{desk.path}/late/{missed}/decision", json=decision) for client in (checker, desk.binh)))
    assert sorted(answer.status_code for answer in answers) == [200, 409], "given once"
    assert await gifts(world, [*ids, missed, refused], "C02") == [400_000, 400_000, 0]
    (commune,) = (await desk.progress())["communes"]
    assert (commune["listed"], commune["given"], commune["late_given"], commune["refused"]) == (1, 2, 1, 1)


async def test_a_second_file_of_the_same_person_and_a_campaign_taken_back(world: Any, desk: Desk) -> None:
    first, second = await store(world, *(Person(None, (Decision("SA6_S", START),)) for _ in range(2)))
    async with world.db.transaction(SYSTEM("test")) as tx:
        await tx.execute(
            "INSERT INTO duplicate_candidate (a_id, b_id, score, reasons, strong) VALUES (:a, :b, 100, '[]', true)", a=first, b=second,
        )  # fmt: skip
    await desk.order()
    assert (await desk.decide(desk.an, "WITHDRAW", reason="sai ngày chốt")).status_code == 200
    assert desk.row["state"] == "WITHDRAWN"
    assert (await desk.order(on="2025-12-29")).status_code == 202, "a withdrawn campaign stands in nobody's way"
    await desk.decide(desk.binh, "APPROVE")
    assert await gifts(world, [first, second], "C02") == [400_000, 0]
    assert (await desk.progress())["communes"][0]["other_file"] == 1
    with pytest.raises(Exception, match="campaign_person_once"):
        async with world.db.transaction(SYSTEM("test")) as tx:
            await tx.execute(
                "INSERT INTO campaign_person SELECT c.campaign_id, m.person_id, m.rule_code, m.unit_code, m.unit_path, NULL, m.payee_id,"
                " 'GIVEN', NULL, false, 'x', m.added_on FROM campaign c, campaign_person m"
                " WHERE c.state = 'WITHDRAWN' AND m.state = 'GIVEN'"
                " ON CONFLICT (campaign_id, person_id) DO UPDATE SET state = 'GIVEN', left_out = NULL"
            )
