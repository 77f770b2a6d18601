"""Wallets and mobile money by their own contracts: what accounts hears, what the route refuses, what the provider's limits do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from disbursement import channels

CONTRACTS = ("wallet_query", "wallet_ipn", "mobile_money")


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_not_upgraded_and_limits_reach_accounts_and_the_officer_by_their_reasons(world_of: Callable[..., Any], contract: str) -> None:
    async with world_of(channel=contract, limits={"payment": 9_000_000}) as world:
        world.context = replace(world.context, limits="[]")  # the provider is stricter than we were told
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


BANK_MODULE = '''
"""A bank nobody knew of: the default contract with a code of its own, told with a token in a header."""

import hmac

from common.webhooks import InvalidSignature
from disbursement.channels.callbacks import Acknowledgement, Genuine
from disbursement.channels.json_batch import JsonBatchChannel


class Callback:
    method = "POST"

    def __init__(self, partner):
        self.tokens = partner.inbound_secrets

    def verify(self, headers, content, now):
        if not any(hmac.compare_digest(token, headers.get("x-bank-token", "")) for token in self.tokens):
            raise InvalidSignature("not our token")
        return Genuine(headers["x-bank-id"], None, 0, content)

    def acknowledge(self, *, duplicate):
        return Acknowledgement(201, b"OK", "text/plain")


def make(partner, http, keyring):
    return JsonBatchChannel(partner, http, keyring)


callback = Callback
'''


async def test_a_new_bank_is_one_module_and_one_row(
    world_of: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, str, str]
) -> None:
    """Nothing else knows of it: sending, inquiring, its notices and their answer, books and ledger are those of every partner."""
    (tmp_path / "songhong_bank.py").write_text(BANK_MODULE, encoding="utf-8")
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "disbursement.channels.songhong_bank", raising=False)
    importlib.invalidate_caches()
    try:
        async with world_of(channel="songhong_bank") as world:
            told, asked = world.line(), world.line()
            await world.approve([told, asked])
            await world.script("no_notices")
            await world.send()
            await world.partner_works()
            body = orjson.dumps({"type": "payment.results", "results": [await world.result("SETTLED", told)]})
            transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
                post = partial(http.post, "/v1/webhooks/partners/agribank", content=body)
                answers = [await post(headers={"x-bank-id": "1", "x-bank-token": token}) for token in ("", secrets[0], secrets[0])]
            assert [(item.status_code, item.text) for item in answers[1:]] == [(201, "OK")] * 2
            assert answers[0].status_code == 401
            await world.apply()
            assert await world.statuses() == {"SETTLED": 1, "SUBMITTED": 1}
            await world.inquire()
            assert {row["reference"]: row["state"] for row in await world.books()} == {
                row["reference"]: row["status"] for row in await world.rows("SELECT reference, status FROM payment")
            }
            assert await world.statuses() == {"SETTLED": 2}
    finally:
        sys.modules.pop("disbursement.channels.songhong_bank", None)
