"""Paid beyond due: a case opens, follows the dues, is worked off by two people, and is never netted."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import orjson
import pytest

from common.auth import Role
from disbursement.storage import projections
from disbursement.usecases.recover import look_round

AUGUST, SEPTEMBER = date(2024, 8, 1), date(2024, 9, 1)


async def _dues(world: Any, line: Any, version: int, amounts: dict[str, int], status: str = "DUE") -> None:
    """The registry says anew what is due, month by month."""
    intervals = [
        {
            "from_month": month, "to_month": month, "amount": amount, "status": status, "basis": "ND 20/2021", "decision_number": None,
            "explicit_arrears": False,
        }
        for month, amount in amounts.items()
    ]  # fmt: skip
    body = {
        "beneficiary_id": str(line.beneficiary_id), "version": version, "business_date": "2024-10-01",
        "unit_code": "22924", "unit_path": "60/593/22924",
        "lines": [{"programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "benefit_line": "A01", "intervals": intervals}],
    }  # fmt: skip
    async with world.owner() as tx:
        await projections.put_dues(tx, orjson.dumps([body]).decode())


async def _look(world: Any) -> None:
    async with world.owner() as tx:
        await tx.execute("UPDATE recovery_check SET next_at = now()")
    await look_round(world.db)


async def _paid(world: Any) -> Any:
    line = world.line(amount=1_000_000, months=(AUGUST, SEPTEMBER))
    await world.approve([line])
    await world.send()
    await world.notice(await world.result("SETTLED", line))
    return line


async def _cases(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await world.rows("SELECT amount, recovered, state FROM recovery_case ORDER BY recovery_id")
    return found


async def _rest(world: Any, account: str) -> int:
    return int(
        await world.value(
            "SELECT coalesce(sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END), 0)::bigint FROM ledger_entry WHERE account = :a",
            a=account,
        )
    )


async def test_a_death_recorded_late_opens_a_case_for_the_months_after_it(world: Any) -> None:
    line = await _paid(world)
    await _dues(world, line, 2, {"2024-08": 500_000})
    await _look(world)
    assert await _cases(world) == [{"amount": 500_000, "recovered": 0, "state": "OPEN"}]
    assert await world.rows("SELECT month, paid, due FROM recovery_item") == [{"month": SEPTEMBER, "paid": 500_000, "due": 0}]
    assert await world.rows("SELECT paid, committed FROM due_month_position ORDER BY month") == [{"paid": 500_000, "committed": 0}] * 2
    events = [(kind, body["amount"], body["months"]) for kind, body in await world.events() if kind.startswith("Recovery")]
    assert events == [("RecoveryOpened", 500_000, ["2024-09"])]
    assert await _rest(world, "RECOVERY") == 500_000
    await _look(world)
    assert len(await _cases(world)) == 1


async def test_the_case_follows_the_dues_and_ends_when_nothing_is_over(world: Any) -> None:
    line = await _paid(world)
    await _dues(world, line, 2, {"2024-08": 500_000})
    await _look(world)
    await _dues(world, line, 3, {"2024-08": 400_000})
    await _look(world)
    assert await _cases(world) == [{"amount": 600_000, "recovered": 0, "state": "OPEN"}]
    await _dues(world, line, 4, {"2024-08": 500_000, "2024-09": 500_000})
    await _look(world)
    assert await _cases(world) == [{"amount": 0, "recovered": 0, "state": "CANCELLED"}]
    assert await _rest(world, "RECOVERY") == 0


async def test_a_payment_on_its_way_is_looked_at_again_when_it_arrived(world: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    await _dues(world, line, 2, {"2024-08": 500_000})
    await _look(world)
    assert await _cases(world) == []
    await world.notice(await world.result("SETTLED", line))
    await _look(world)
    assert await _cases(world) == [{"amount": 500_000, "recovered": 0, "state": "OPEN"}]
    await _look(world)
    assert await world.value("SELECT count(*) FROM recovery_check") == 0


async def test_a_month_without_a_loaded_rate_proves_nothing(world: Any) -> None:
    line = await _paid(world)
    await _dues(world, line, 2, {"2024-08": 0, "2024-09": 0}, status="RATE_MISSING")
    await _look(world)
    assert await _cases(world) == []


@pytest.fixture
def people(world: Any, client_as: Any) -> tuple[Any, Any]:
    return client_as(world.app, Role.DEPARTMENT_OFFICER, subject="one"), client_as(world.app, Role.APPROVER, subject="two")


async def _case_id(world: Any) -> UUID:
    return UUID(str(await world.value("SELECT recovery_id FROM recovery_case")))


async def test_repayment_by_two_people_until_nothing_is_left(world: Any, people: tuple[Any, Any]) -> None:
    one, two = people
    line = await _paid(world)
    await _dues(world, line, 2, {"2024-08": 500_000})
    await _look(world)
    path = f"/v1/recoveries/{await _case_id(world)}"
    told = await one.post(f"{path}/notice", json={"note": "Thông báo 15/TB", "business_date": "2024-10-02"})
    assert told.json()["state"] == "NOTIFIED"
    for number, amount, state in (("GNT1", 200_000, "REPAYING"), ("GNT2", 300_000, "REPAID")):
        form = {"amount": amount, "document_number": number, "document_date": "2024-10-10"}
        answer = await one.post(f"{path}/repayments", json=form, headers={"Idempotency-Key": f"repay-{number}"})
        assert answer.status_code == 201, answer.text
        decision = f"{path}/repayments/{answer.json()['repayment_id']}/decision"
        yes = {"approve": True, "business_date": "2024-10-11"}
        assert (await one.post(decision, json=yes)).json()["type"] == "/problems/same-decider"
        assert (await two.post(decision, json=yes)).json()["state"] == state
        assert (await two.post(decision, json=yes)).status_code == 409
    more = {"amount": 1, "document_number": "GNT3", "document_date": "2024-10-10"}
    assert (await one.post(f"{path}/repayments", json=more, headers={"Idempotency-Key": "repay-GNT3"})).status_code == 409
    assert (await _rest(world, "RECOVERY"), await _rest(world, "RECOVERED")) == (0, 500_000)
    await _dues(world, line, 3, {"2024-08": 500_000})
    await _look(world)
    assert len(await _cases(world)) == 1  # what came back is not asked for again
    rows = (await one.get("/v1/recoveries/summary?year=2024")).json()["rows"]
    assert [(row["state"], row["amount"], row["recovered"]) for row in rows] == [("REPAID", 500_000, 500_000)]
    events = [body for kind, body in await world.events() if kind.startswith("Recovery")]
    assert [(body["status"], body["amount"], body["recovered"], body["business_date"]) for body in events[-2:]] == [
        ("REPAYING", 300_000, 200_000, "2024-10-11"), ("REPAID", 0, 500_000, "2024-10-11"),
    ]  # fmt: skip


async def test_a_waiver_needs_a_second_person(world: Any, people: tuple[Any, Any]) -> None:
    one, two = people
    line = await _paid(world)
    await _dues(world, line, 2, {"2024-08": 500_000})
    await _look(world)
    path = f"/v1/recoveries/{await _case_id(world)}/waiver"
    word = {"note": "Hộ đặc biệt khó khăn", "business_date": "2024-10-02"}
    assert (await one.post(path, json=word)).json()["state"] == "WAIVER_PROPOSED"
    assert (await one.post(f"{path}/decision", json={**word, "approve": True})).json()["type"] == "/problems/same-decider"
    ended = (await two.post(f"{path}/decision", json={**word, "approve": True})).json()
    assert ended["state"] == "WAIVED"
    assert [step["action"] for step in ended["steps"]] == ["OPENED", "PROPOSE_WAIVER", "WAIVE"]
    assert await _rest(world, "RECOVERY") == 0
    elsewhere = two  # cases of other units are not there
    assert (await elsewhere.get(f"/v1/recoveries/{UUID(int=1)}")).status_code == 404
