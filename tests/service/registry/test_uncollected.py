"""Three months nobody collected: proposed by disbursement, on the register's work list, decided by two people, never by itself."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from registry_decision_helpers import Office
from registry_test_helpers import row

from common.actor import SYSTEM
from common.consumer import Incoming
from common.contracts.disbursement_v1 import SuspensionProposed
from common.db import Tx
from common.ids import new_id
from registry.messaging.subscriptions import SUBSCRIPTIONS


def proposed(who: str, proposal_id: UUID, version: int = 1, state: str = "OPEN") -> SuspensionProposed:
    return SuspensionProposed(
        version=version, business_date=date(2024, 8, 20), proposal_id=proposal_id, beneficiary_id=UUID(who),
        programme="SOCIAL_ASSISTANCE", months=["2024-06", "2024-07", "2024-08"], amount=750_000, state=state, unit_code="22924",
        unit_path="60/593/22924",
    )  # fmt: skip


async def hear(tx: Tx, *events: SuspensionProposed) -> None:
    [apply] = [item.apply for item in SUBSCRIPTIONS if SuspensionProposed in item.event_types]
    raw = [Incoming(e.TOPIC, 0, 0, e.beneficiary_id, new_id(), e.type_name(), {}, e.model_dump_json().encode()) for e in events]
    await apply(tx, raw)


async def waiting(client: Any) -> int:
    items = (await client.get("/v1/work", params={"on": "2024-08-21"})).json()["items"]
    return sum(item["count"] for item in items if item["kind"] == "uncollected")


async def test_a_proposal_waits_on_the_work_list_until_two_people_decide(world: Any, office: Office) -> None:
    await world.take([row("A-1")])
    who, proposal_id = await world.id_of("A-1"), new_id()
    allowance = await office.allowance("A-1")
    async with world.db.transaction(SYSTEM("disbursement")) as tx:
        await hear(tx, proposed(who, proposal_id), proposed(who, proposal_id))
    [item] = (await world.maker.get("/v1/suspension-proposals")).json()["items"]
    assert (item["file_code"], item["entitlement_ids"], item["proposed"]) == ("A-1", [allowance], False)
    assert (await office.months("A-1", "2024-09"))["2024-09"] == 750_000  # nothing is suspended by itself
    assert await waiting(world.maker) == 1
    [about] = [item["about"] for item in (await world.maker.get("/v1/work", params={"on": "2024-08-21"})).json()["items"]
               if item["kind"] == "uncollected"]  # fmt: skip
    assert about["/items/0/entitlement_id"] == allowance

    made = await office.propose("SUSPEND", "UNCOLLECTED", allowance)
    assert made.status_code == 201, made.text
    assert (await world.maker.get("/v1/suspension-proposals")).json()["items"][0]["proposed"] is True
    assert await waiting(world.maker) == 0  # it waits among the decisions now
    alone = await office.answer("approve", made.json()["bulk_id"], world.maker)
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/same-person")
    assert (await office.answer("approve", made.json()["bulk_id"])).status_code == 200
    assert (await office.months("A-1", "2024-09"))["2024-09"] == 0

    async with world.db.transaction(SYSTEM("disbursement")) as tx:
        await hear(tx, proposed(who, proposal_id, 2, "TAKEN_UP"))
        await hear(tx, proposed(who, proposal_id))  # late: changes nothing
    assert (await world.maker.get("/v1/suspension-proposals")).json()["items"] == []
