"""Wallets and mobile money by their own contracts: what accounts hears, what the route refuses, what the provider's limits do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

CONTRACTS = ("wallet_query", "wallet_ipn", "mobile_money")


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_not_upgraded_and_limits_reach_accounts_and_the_officer_by_their_reasons(world_of: Callable[..., Any], contract: str) -> None:
    async with world_of(channel=contract, limits={"payment": 9_000_000}) as world:
        within, over = world.line(partner="momo", channel="WALLET"), world.line(partner="momo", channel="WALLET", amount=9_000_001)
        await world.approve([within, over])
        await world.script("fail_results", partner="momo", code="ACCOUNT_NOT_UPGRADED")
        await world.send("momo")
        await world.partner_works()
        await world.apply()
        failed = {body["payment_id"]: body["reason"] for kind, body in await world.events() if kind == "PaymentFailed"}
        assert sorted(failed.values()) == ["LIMIT_EXCEEDED", "NOT_UPGRADED"]
        assert [row["state"] for row in await world.books("momo")] == ["FAILED"]
        assert await world.value("SELECT sum(committed + paid)::bigint FROM due_month_position") == 0


async def test_the_route_takes_each_contract_by_its_own_method_only(world_of: Callable[..., Any]) -> None:
    async def answer(world: Any, method: str, partner: str = "momo") -> int:
        transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
            path = f"/v1/webhooks/partners/{partner}" + ("?" + "x" * 20_000 if method == "LONG" else "")
            return (await http.request("GET" if method == "LONG" else method, path)).status_code

    async with world_of(channel="wallet_query") as world:
        assert [await answer(world, method) for method in ("GET", "POST", "LONG")] == [401, 405, 413]
        assert await answer(world, "GET", "nobody") == 404
        assert await world.value("SELECT count(*) FROM partner_notice") == 0
    async with world_of() as world:
        assert [await answer(world, method) for method in ("GET", "POST")] == [405, 401]


async def test_a_cash_line_is_not_sent_to_a_wallet(world_of: Callable[..., Any]) -> None:
    async with world_of(channel="mobile_money") as world:
        await world.approve([world.line(partner="momo", channel="CASH_POST"), world.line(partner="momo", channel="MOBILE_MONEY")])
        await world.send("momo")
        assert len(await world.books("momo")) == 1
        assert await world.statuses() == {"CANCELLED": 1, "SUBMITTED": 1}
