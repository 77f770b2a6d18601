"""Cut-off times decide: what is late waits or goes with another value date, and it is said whose lateness it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson

from common.auth import Role
from common.clock import VIETNAM
from common.ids import new_id

ON_TIME = datetime(2024, 8, 20, 15, 0, tzinfo=VIETNAM)
TOO_LATE = datetime(2024, 8, 20, 9, 30, tzinfo=UTC)
"""Half past four in the afternoon in Viet Nam."""
NEXT_MORNING = datetime(2024, 8, 21, 8, 0, tzinfo=VIETNAM)


def clock(world: Any, now: datetime) -> None:
    """The partner's clock shows this, for workers and for who looks at the lane."""
    world.context = replace(world.context, partner_clock=lambda: now)
    world.app.state.partner_clock = lambda: now


async def settle(world: Any, client_as: Any, code: str, value: str) -> None:
    form = {"code": code, "value": value, "business_date": "2024-08-01", "valid_from": "2024-08-01"}
    made = await client_as(world.app, Role.DEPARTMENT_OFFICER, subject="maker").post(
        "/v1/rulings/settings", json=form, headers={"Idempotency-Key": new_id().hex}
    )
    assert made.status_code == 201, made.text
    decided = await client_as(world.app, Role.APPROVER, subject="checker").post(
        f"/v1/rulings/{made.json()['ruling_id']}/approve", headers={"Idempotency-Key": new_id().hex}
    )
    assert decided.status_code == 200, decided.text


async def sending(world: Any, client_as: Any, on: str) -> dict[str, Any]:
    auditor = client_as(world.app, Role.AUDITOR)
    seen = (await auditor.get(f"/v1/cycles/{world.cycle_id}/calendar", params={"on": on})).json()
    [found] = seen["sendings"]
    return dict(found)


async def settled(world: Any) -> dict[str, Any]:
    rows = await world.rows("SELECT body FROM outbox WHERE type = 'PaymentSettled'")
    return dict(orjson.loads(rows[-1]["body"]))


async def test_after_the_cut_off_a_batch_goes_with_the_next_value_date_and_the_office_is_late(world: Any, client_as: Any) -> None:
    line = world.line()
    await world.approve([line])
    clock(world, TOO_LATE)
    await world.send()
    assert len(await world.books()) == 1
    assert await world.rows("SELECT value_date, after_cut_off FROM payment_batch") == [
        {"value_date": date(2024, 8, 21), "after_cut_off": True}
    ]
    await world.notice(await world.result("SETTLED", line, occurred_at="2024-08-21T02:00:00Z"))
    said = await settled(world)
    assert (said["value_date"], said["late_by"]) == ("2024-08-21", "AUTHORITY")
    seen = await sending(world, client_as, "2024-08-22")
    assert (seen["after_cut_off"], seen["paid_late"], seen["unanswered"], seen["late_by"]) == (1, 0, 0, ["AUTHORITY"])


async def test_what_was_sent_in_time_and_paid_after_its_value_date_is_the_partners_lateness(world: Any, client_as: Any) -> None:
    paid, silent = world.line(), world.line()
    await world.approve([paid, silent])
    clock(world, ON_TIME)
    await world.send()
    assert (await sending(world, client_as, "2024-08-20"))["late_by"] == []
    seen = await sending(world, client_as, "2024-08-21")
    assert (seen["unanswered"], seen["late_by"]) == (2, ["PAYMENT_ORGANISATION"])
    await world.notice(await world.result("SETTLED", paid, occurred_at="2024-08-20T17:30:00Z"))  # half past midnight in Viet Nam
    said = await settled(world)
    assert (said["value_date"], said["late_by"]) == ("2024-08-20", "PAYMENT_ORGANISATION")
    seen = await sending(world, client_as, "2024-08-21")
    assert (seen["after_cut_off"], seen["paid_late"], seen["unanswered"]) == (0, 1, 1)


async def test_where_it_is_settled_a_batch_waits_for_the_next_window(world: Any, client_as: Any) -> None:
    await settle(world, client_as, "PARTNER_AFTER_CUT_OFF.agribank", "WAIT")
    await settle(world, client_as, "PARTNER_OPENS.agribank", "07:30")
    await world.approve([world.line(), world.line(partner="momo", channel="WALLET")])
    clock(world, TOO_LATE)
    await world.send()
    await world.send("momo")
    assert (len(await world.books()), len(await world.books("momo"))) == (0, 1)
    lane = (await client_as(world.app, Role.OPERATOR).get("/v1/partners/agribank/lane")).json()
    assert lane["waiting"] == ["CUT_OFF"]
    assert datetime.fromisoformat(lane["waits_until"]) == datetime(2024, 8, 21, 7, 30, tzinfo=VIETNAM)
    clock(world, NEXT_MORNING)
    await world.send()
    assert len(await world.books()) == 1
    sent = await world.rows("SELECT partner, value_date, after_cut_off FROM payment_batch ORDER BY partner")
    assert sent == [
        {"partner": "agribank", "value_date": date(2024, 8, 21), "after_cut_off": False},
        {"partner": "momo", "value_date": date(2024, 8, 21), "after_cut_off": True},
    ]


async def test_what_is_to_be_sent_again_goes_whatever_the_hour(world: Any, client_as: Any) -> None:
    await settle(world, client_as, "PARTNER_AFTER_CUT_OFF", "WAIT")
    await world.approve([world.line()])
    await world.script("timeout_before_accept", seconds=0)
    await world.send()
    await world.inquire()
    clock(world, TOO_LATE)
    await world.send()
    assert len(await world.books()) == 1
    assert await world.value("SELECT value_date FROM payment_batch") == date(2024, 8, 20)


async def test_an_iso_message_carries_the_value_date(world_of: Any) -> None:
    async with world_of(channel="iso20022", payer=PAYER) as world:
        await world.approve([world.line()])
        clock(world, TOO_LATE)
        await world.send()
        request = await world.value("SELECT request FROM payment_batch WHERE partner = 'agribank'")
        assert b"<ReqdExctnDt><Dt>2024-08-21</Dt></ReqdExctnDt>" in squeezed(world.keyring.decrypt_bytes("payment_batch.request", request))


PAYER = {"name": "Sở Lao động", "account_number": "1900201000001", "bank_name": "Agribank", "bank_bic": "VBAAVNVX"}


def squeezed(xml: bytes) -> bytes:
    return b"".join(part.strip() for part in xml.splitlines())
