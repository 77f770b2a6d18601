"""Keys shown in the wrong place, clocks that differ by ten minutes, people who move while their money is on its way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from common import clock
from disbursement.usecases.send_batches import take_over_round

PATH = "/v1/webhooks/partners/momo"
TEN = 600


@pytest.fixture
def shifted() -> Iterator[Any]:
    """`shifted(seconds)`: our own clock beside the database's and the partner's."""
    yield lambda seconds: clock.shift(str(seconds), production=False)
    clock.shift("", production=False)


async def test_a_key_counts_in_its_own_place_only(world_of: Any, secrets: tuple[str, str, str]) -> None:
    key, _, unknown = secrets
    body = {"id": "notice-1", "payouts": []}
    wrong: list[dict[str, Any]] = [
        {},
        {"params": {"apikey": key, "api_key": key, "Authorization": f"Apikey {key}"}},
        {"json": {**body, "apikey": key, "authorization": f"Apikey {key}"}},
        {"headers": {"x-api-key": key}},
        {"headers": {"authorization": key}},
        {"headers": {"authorization": f"Bearer {key}"}},
        {"headers": {"authorization": f"apikey {key}"}},
        {"headers": {"authorization": f"Apikey  {key}"}},
        {"headers": {"authorization": f"Apikey {key}, Apikey {key}"}},
        {"headers": {"authorization": f"Apikey {unknown}"}},
        {"headers": {"authorization": "Apikey "}},
        {"headers": {"proxy-authorization": f"Apikey {key}"}},
        {"headers": {"cookie": f"authorization=Apikey {key}"}},
    ]
    async with world_of(channel="mobile_money") as world:
        transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
            for call in wrong:
                answer = await http.post(PATH, **({"json": body} | call))
                assert (answer.status_code, key in answer.text) == (401, False), call
            assert await world.value("SELECT count(*) FROM partner_notice") == 0
            assert (await http.post(PATH, json=body, headers={"authorization": f"Apikey {key}"})).status_code == 200
        assert await world.value("SELECT count(*) FROM partner_notice") == 1
        kept = await world.value("SELECT string_agg(CAST(detail AS text), '') FROM audit_log")
        assert key not in kept


@pytest.mark.parametrize("contract", ["default", "wallet_ipn", "wallet_query"])
async def test_a_signature_counts_in_its_own_place_only(world_of: Any, contract: str, secrets: tuple[str, str, str]) -> None:
    """The secret itself, shown as a key anywhere, opens no door that wants a signature."""
    key = secrets[0]
    async with world_of(**({} if contract == "default" else {"channel": contract})) as world:
        transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
            method = "GET" if contract == "wallet_query" else "POST"
            for place in ("authorization", "x-api-key", "webhook-signature", "x-signature"):
                answer = await http.request(method, PATH, headers={place: f"Apikey {key}"}, params={"signature": key, "secret": key})
                assert answer.status_code == 401, place
            if method == "POST":
                assert (await http.post(PATH, json={"signature": key, "secret": key, "results": []})).status_code == 401
        assert await world.value("SELECT count(*) FROM partner_notice") == 0


@pytest.mark.parametrize("seconds", [TEN, -TEN])
async def test_a_clock_ten_minutes_off_refuses_notices_and_loses_none(world: Any, shifted: Any, seconds: int) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    result = await world.result("SETTLED", line)
    notice = {"type": "payment.results", "results": [result]}
    partner_now = clock.now()
    shifted(seconds)
    assert (await world.deliver(notice, webhook_id="wh_skew", stamp=partner_now)).status_code == 401
    assert await world.value("SELECT count(*) FROM partner_notice") == 0
    shifted(0)  # somebody set the clock right; the partner sends again what was never acknowledged
    assert (await world.deliver(notice, webhook_id="wh_skew", stamp=partner_now)).status_code == 202
    await world.apply()
    assert await world.statuses() == {"SETTLED": 1}


@pytest.mark.parametrize("seconds", [TEN, -TEN])
async def test_a_worker_ten_minutes_off_is_refused_and_pays_once_when_it_is_right(world: Any, shifted: Any, seconds: int) -> None:
    """Our signature is stale for the partner: that says nothing about money, so the payments are UNKNOWN until the partner was asked."""
    shifted(seconds)
    await world.approve([world.line() for _ in range(3)])
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 3}
    assert await world.books() == []
    assert not await take_over_round(world.context, "agribank")  # leases run on the database's clock, whatever ours says
    shifted(0)
    await world.wake()
    assert await world.inquire()
    async with world.owner() as tx:
        await tx.execute("UPDATE payment_batch SET next_at = now()")
    await world.send()
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 3}
    assert [row["state"] for row in await world.books()] == ["SETTLED"] * 3


@pytest.mark.parametrize("minutes", [10, -10])
async def test_what_a_partner_dates_in_our_future_or_past_is_believed_and_keeps_its_order(world: Any, minutes: int) -> None:
    """The partner's own time is kept as it said it; which state follows which is decided by the states, not by clocks."""
    line = world.line()
    await world.approve([line])
    await world.send()
    said = (clock.now() + timedelta(minutes=minutes)).isoformat()
    earlier = (clock.now() + timedelta(minutes=minutes - 10)).isoformat()
    await world.notice(await world.result("SETTLED", line, occurred_at=said))
    await world.notice(await world.result("RETURNED", line, occurred_at=earlier, code="ACCOUNT_CLOSED"))
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value("SELECT count(*) FROM quarantine") == 0
    history = await world.rows("SELECT status FROM payment_history ORDER BY version")
    assert [row["status"] for row in history][-2:] == ["SETTLED", "RETURNED"]
    assert orjson.dumps([body["occurred_at"] for kind, body in await world.events() if kind == "PaymentSettled"])


async def test_who_moves_between_approval_and_sending_is_paid_by_the_unit_of_the_list(world: Any) -> None:
    stays, moves = world.line(), world.line()
    await world.approve([stays, moves])
    async with world.owner() as tx:
        await tx.execute(
            "UPDATE beneficiary SET unit_code = '22927', unit_path = '60/593/22927', version = version + 1 WHERE beneficiary_id = :b",
            b=moves.beneficiary_id,
        )
    await world.send()
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 2}
    assert await world.value("SELECT count(DISTINCT unit_path) FROM payment") == 1
    told = [body["unit_code"] for kind, body in await world.events() if kind == "PaymentSettled"]
    assert told == ["22924", "22924"]
    (spent,) = await world.rows("SELECT unit_code, reserved, spent FROM budget")
    assert (spent["unit_code"], spent["reserved"], spent["spent"]) == ("60", 0, 1_000_000)
