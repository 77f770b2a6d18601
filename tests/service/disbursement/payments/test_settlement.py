"""Prefunding, settlement statement and fee: two people, frozen figures, books that show what the partner must give back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.fees import fee_of


async def _post(client: Any, path: str, body: dict[str, Any], key: str = "key-00000001") -> Any:
    return await client.post(path, json=body, headers={"Idempotency-Key": key})


async def _approve(client: Any, path: str) -> dict[str, Any]:
    answer = await client.post(f"{path}/decision", json={"approve": True, "business_date": "2024-08-23"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _balances(client: Any) -> dict[str, int]:
    answer = (await client.get("/v1/ledger/trial-balance")).json()
    assert answer["balanced"]
    totals: dict[str, int] = {}
    for row in answer["rows"]:
        totals[row["account"]] = totals.get(row["account"], 0) + row["balance"]
    return {account: rest for account, rest in totals.items() if rest}


async def _ended(world: Any) -> None:
    paid, failed, back, open_one = (world.line(amount=amount) for amount in (700_000, 500_000, 300_000, 100_000))
    await world.approve([paid, failed, back, open_one])
    await world.send()
    await world.notice(
        await world.result("SETTLED", paid),
        await world.result("FAILED", failed, code="ACCOUNT_CLOSED"),
        await world.result("RETURNED", back, code="ACCOUNT_CLOSED"),
        await world.result("SETTLED", open_one),
    )


async def _prefund(world: Any, maker: Any, checker: Any, amount: int) -> None:
    body = {
        "kind": "PREFUND", "cycle_id": str(world.cycle_id), "partner": "agribank", "amount": amount, "document_number": "UNC 1",
        "document_date": "2024-08-23",
    }  # fmt: skip
    answer = await _post(maker, "/v1/money-movements", body)
    assert answer.status_code == 201, answer.text
    again = await _post(maker, "/v1/money-movements", body, key="key-00000002")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/movement-exists")
    path = f"/v1/money-movements/{answer.json()['movement_id']}"
    own = await maker.post(f"{path}/decision", json={"approve": True, "business_date": "2024-08-23"})
    assert own.status_code == 403  # the maker is no approver
    assert (await _approve(checker, path))["state"] == "APPROVED"


async def test_settlement_from_prefunding_to_the_money_that_must_come_back(world: Any, maker: Any, checker: Any) -> None:
    await _ended(world)
    await _prefund(world, maker, checker, 1_600_000)
    fee = await maker.post(
        "/v1/fees",
        json={
            "partner": "agribank",
            "programme": "SOCIAL_ASSISTANCE",
            "basis_points": 75,
            "from_date": "2024-01-01",
            "contract_number": "12/HĐ",
        },
    )
    await _approve(checker, f"/v1/fees/{fee.json()['fee_id']}")
    form = {"cycle_id": str(world.cycle_id), "partner": "agribank", "number": "01/QT", "business_date": "2024-09-20"}
    answer = await _post(maker, "/v1/settlements", form, key="settle-000001")
    assert answer.status_code == 201, answer.text
    settlement = answer.json()
    assert (settlement["listed_amount"], settlement["paid_amount"], settlement["failed_amount"], settlement["returned_amount"]) == (
        1_600_000, 800_000, 500_000, 300_000,
    )  # fmt: skip
    assert (settlement["prefunded"], settlement["to_be_returned"], settlement["fee"]) == (1_600_000, 800_000, 6_000)
    assert "PAID_OUT" not in await _balances(checker)
    await _approve(checker, f"/v1/settlements/{settlement['settlement_id']}")
    assert await _balances(checker) == {
        "BUDGET": -800_000, "SETTLED": 800_000, "TREASURY": -1_600_000, "PAID_OUT": 800_000, "TO_BE_RETURNED": 800_000,
        "FEE": 6_000, "FEE_PAYABLE": -6_000,
    }  # fmt: skip
    twice = await checker.post(
        f"/v1/settlements/{settlement['settlement_id']}/decision", json={"approve": True, "business_date": "2024-09-21"}
    )
    assert twice.status_code == 409
    page = (await checker.get(f"/v1/settlements/{settlement['settlement_id']}/paper")).text
    assert "Tám trăm nghìn đồng" in page
    assert "800.000" in page
    assert "0,75%" in page


async def test_nothing_is_settled_while_a_payment_is_open(world: Any, maker: Any) -> None:
    await world.approve([world.line()])
    await world.send()
    form = {"cycle_id": str(world.cycle_id), "partner": "agribank", "number": "01/QT", "business_date": "2024-09-20"}
    answer = await _post(maker, "/v1/settlements", form, key="settle-000001")
    assert (answer.status_code, answer.json()["waiting"]["open_payments"]) == (409, 1)


async def test_money_that_comes_back_meanwhile_stops_the_approval(world: Any, maker: Any, checker: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    await world.notice(await world.result("SETTLED", line))
    form = {"cycle_id": str(world.cycle_id), "partner": "agribank", "number": "01/QT", "business_date": "2024-09-20"}
    settlement = (await _post(maker, "/v1/settlements", form, key="settle-000001")).json()
    await world.notice(await world.result("RETURNED", line, code="ACCOUNT_CLOSED"))
    path = f"/v1/settlements/{settlement['settlement_id']}/decision"
    answer = await checker.post(path, json={"approve": True, "business_date": "2024-09-21"})
    assert answer.status_code == 409
    assert set(answer.json()["changed"]) == {"paid_payments", "paid_amount", "returned_payments", "returned_amount"}
    assert (await checker.post(path, json={"approve": False, "business_date": "2024-09-21"})).json()["state"] == "REJECTED"
    assert (await _post(maker, "/v1/settlements", form, key="key-00000003")).status_code == 201


@given(st.integers(0, 10**14), st.integers(0, 1000))
def test_fee_is_a_share_rounded_half_up(paid: int, basis_points: int) -> None:
    exact, fee = paid * basis_points, fee_of(paid, basis_points) * 10_000
    assert -5_000 < fee - exact <= 5_000
