"""A partner's lane: sizes, rate, concurrency, caps, pauses, the first batch, the automatic stop. Judge: the partner's books."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from common.auth import Role
from common.ids import new_id
from disbursement.usecases.inquire import inquire_round
from disbursement.usecases.send_batches import send_round
from disbursement.usecases.watch_stops import STOPS, watch_round

LANE = "/v1/partners/agribank/lane"


async def lane(world: Any, **values: Any) -> None:
    """Set a lane's limits behind the API's back."""
    async with world.owner() as tx:
        await tx.execute("INSERT INTO partner_lane (partner) VALUES ('agribank') ON CONFLICT DO NOTHING")
        sets = ", ".join(f"{name} = :{name}" for name in values)
        await tx.execute(f"UPDATE partner_lane SET {sets} WHERE partner = 'agribank'", **values)


async def sizes(world: Any) -> list[int]:
    return [row["payments"] for row in await world.rows("SELECT payments FROM payment_batch ORDER BY number, partner")]


@pytest.mark.parametrize(
    ("first", "size", "expected"),
    [(20, 30, [20, 30, 15]), (None, 30, [30, 30, 5]), (50, 30, [30, 30, 5]), (20, 1000, [20, 45]), (1, 64, [1, 64])],
)
async def test_the_lane_cuts_the_batches(world: Any, first: int | None, size: int, expected: list[int]) -> None:
    await lane(world, first_batch_payments=first, batch_payments=size)
    await world.approve([world.line() for _ in range(65)])
    assert await sizes(world) == expected
    await world.send()
    assert len({row["reference"] for row in await world.books()}) == 65


async def test_a_batch_holds_one_partner_programme_and_funding_source(world: Any) -> None:
    await world.approve([world.line(), world.line(partner="momo", channel="WALLET"), world.line(partner="vnpost", channel="CASH_POST")])
    mixed = "SELECT batch_id FROM payment GROUP BY 1 HAVING count(DISTINCT (partner, programme, funding_source)) > 1"
    assert await world.rows(mixed) == []
    assert await world.value("SELECT count(*) FROM payment_batch") == 3


async def test_the_rest_waits_for_the_answer_to_the_first_batch(world: Any) -> None:
    await lane(world, first_batch_payments=2, batch_payments=5)
    await world.approve([world.line() for _ in range(12)])
    await world.script("timeout_before_accept", seconds=0)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 2, "APPROVED": 10}
    await world.inquire()
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 12}
    assert len({row["reference"] for row in await world.books()}) == len(await world.books()) == 12


async def test_the_rest_may_wait_for_the_results_of_the_first_batch(world: Any) -> None:
    await lane(world, first_batch_payments=2, batch_payments=5, first_batch_wait_seconds=600)
    await world.approve([world.line() for _ in range(7)])
    await world.send()
    assert len(await world.books()) == 2
    await world.partner_works()
    await world.apply()
    await world.send()
    assert len(await world.books()) == 7
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 7}


async def test_waiting_for_results_ends(world: Any) -> None:
    await lane(world, first_batch_payments=2, batch_payments=5, first_batch_wait_seconds=600)
    await world.approve([world.line() for _ in range(7)])
    await world.send()
    async with world.owner() as tx:
        await tx.execute("UPDATE payment_batch SET answered_at = now() - interval '601 seconds' WHERE answered_at IS NOT NULL")
    await world.send()
    assert len(await world.books()) == 7


async def test_abnormal_failures_stop_the_partner_for_the_cycle_until_two_people_let_it_go_on(world: Any, client_as: Any) -> None:
    await lane(world, first_batch_payments=20, batch_payments=20)
    await world.approve([world.line() for _ in range(60)])
    await world.script("reject", code="ACCOUNT_CLOSED")
    await world.send()
    assert await world.statuses() == {"FAILED": 20, "APPROVED": 40}
    maker = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="maker")
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    [stop] = (await maker.get("/v1/pauses")).json()["items"]
    assert (stop["kind"], stop["partner"], stop["cycle_id"]) == ("ABNORMAL", "agribank", str(world.cycle_id))
    assert stop["detail"] == {"sent": 20, "failed": 20, "unknown": 0, "stop_percent": 30}
    assert (await maker.get(LANE)).json()["waiting"] == ["PAUSED"]
    assert await world.value("SELECT count(*) FROM audit_log WHERE action = 'lane.stop'") == 1
    await watch_round(world.context)
    assert STOPS.labels("ABNORMAL", "agribank")._value.get() == 1
    await world.send()
    assert len(await world.books()) == 0
    path = f"/v1/pauses/{stop['pause_id']}/resume"
    assert (await maker.post(path, json={"note": "the bank put it right"})).status_code == 200
    own = await maker.post(f"{path}/decision", json={"note": "the bank put it right", "confirm": True})
    assert (own.status_code, own.json()["type"].rsplit("/", 1)[-1]) == (409, "same-resumer")
    await world.send()
    assert len(await world.books()) == 0
    assert (await checker.post(f"{path}/decision", json={"note": "seen the letter", "confirm": True})).json()["state"] == "RESUMED"
    await world.send()
    assert len(await world.books()) == 40
    assert (await maker.get("/v1/pauses")).json()["items"] == []
    await watch_round(world.context)
    assert STOPS.labels("ABNORMAL", "agribank")._value.get() == 0


async def test_every_word_about_going_on_stays(world: Any, client_as: Any) -> None:
    maker = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="maker")
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    pause = (await maker.post("/v1/pauses", json={"partner": "agribank", "reason": "sự cố lõi"})).json()
    path = f"/v1/pauses/{pause['pause_id']}/resume"
    for note, confirm in (("chưa có công văn", False), ("đã có CV 315", True)):
        assert (await maker.post(path, json={"note": f"xin gửi tiếp: {note}"})).status_code == 200
        said = await checker.post(f"{path}/decision", json={"note": note, "confirm": confirm})
        assert (said.status_code, said.json()["resume_note"]) == (200, note)
    [kept] = (await maker.get("/v1/pauses?standing=false")).json()["items"]
    assert [(step["kind"], step["actor"], step["note"]) for step in kept["steps"]] == [
        ("RESUME_PROPOSED", "maker", "xin gửi tiếp: chưa có công văn"),
        ("KEPT", "checker", "chưa có công văn"),
        ("RESUME_PROPOSED", "maker", "xin gửi tiếp: đã có CV 315"),
        ("RESUMED", "checker", "đã có CV 315"),
    ]
    told = await world.rows("SELECT action, detail FROM audit_log WHERE action LIKE 'pause.%' ORDER BY id")
    assert [(row["action"], row["detail"].get("before", {}).get("state"), row["detail"]["after"]["state"]) for row in told] == [
        ("pause.set", None, "ACTIVE"), ("pause.resume_proposed", "ACTIVE", "RESUME_PROPOSED"), ("pause.kept", "RESUME_PROPOSED", "ACTIVE"),
        ("pause.resume_proposed", "ACTIVE", "RESUME_PROPOSED"), ("pause.resumed", "RESUME_PROPOSED", "RESUMED"),
    ]  # fmt: skip
    for sql in ("UPDATE lane_pause_step SET note = 'x'", "DELETE FROM lane_pause_step"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with world.owner() as tx:
                await tx.execute(sql)


async def test_a_second_stop_counts_only_what_was_sent_since(world: Any) -> None:
    await lane(world, first_batch_payments=20, batch_payments=20)
    await world.approve([world.line() for _ in range(80)])
    await world.script("reject", code="ACCOUNT_CLOSED")
    await world.send()
    async with world.owner() as tx:
        await tx.execute(
            "UPDATE lane_pause SET state = 'RESUMED', resume_proposed_by = 'a', resumed_by = 'b', resumed_at = clock_timestamp()"
        )
    await world.script("reject", code="ACCOUNT_CLOSED")
    await world.send()
    assert await world.statuses() == {"FAILED": 40, "APPROVED": 40}
    assert await world.value("SELECT count(*) FROM lane_pause") == 2


async def test_payments_unknown_for_long_stop_as_well(world: Any) -> None:
    await lane(world, first_batch_payments=None, batch_payments=20)
    await world.approve([world.line() for _ in range(60)])
    await world.script("error_500_after_accept", seconds=0)
    await send_round(world.context, "agribank")
    await world.inquire("momo")
    async with world.owner() as tx:
        await tx.execute("UPDATE payment SET occurred_at = now() - interval '10 minutes' WHERE status = 'UNKNOWN'")
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 20, "APPROVED": 40}
    assert await world.value("SELECT detail->>'unknown' FROM lane_pause") == "20"
    await world.inquire()
    assert (await world.statuses())["SUBMITTED"] == 20  # inquiries go on under a stop


async def test_a_short_silence_stops_nobody(world: Any) -> None:
    await lane(world, first_batch_payments=None, batch_payments=20)
    await world.approve([world.line() for _ in range(40)])
    await world.script("error_500", seconds=0)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 20, "SUBMITTED": 20}
    assert await world.value("SELECT count(*) FROM lane_pause") == 0


@pytest.mark.parametrize(
    ("body", "stopped"),
    [
        ({"partner": "agribank"}, {"agribank"}),
        ({"programme": "SOCIAL_ASSISTANCE"}, {"agribank", "momo"}),
        ({"everything": True}, {"agribank", "momo"}),
        ({"partner": "momo", "programme": "MERIT"}, set()),
    ],
)
async def test_one_person_stops_sending(world: Any, client_as: Any, body: dict[str, Any], stopped: set[str]) -> None:
    await world.approve([world.line(), world.line(partner="momo", channel="WALLET")])
    operator = client_as(world.app, Role.OPERATOR, subject="op")
    made = await operator.post("/v1/pauses", json={**body, "reason": "the bank reports an incident"})
    assert made.status_code == 201
    for partner in ("agribank", "momo"):
        await world.send(partner)
        assert len(await world.books(partner)) == (0 if partner in stopped else 1)
    if stopped:
        path = f"/v1/pauses/{made.json()['pause_id']}/resume"
        await operator.post(path, json={"note": "the incident is over"})
        second = client_as(world.app, Role.APPROVER, subject="second")
        kept = await second.post(f"{path}/decision", json={"note": "not yet, they called", "confirm": False})
        assert kept.json()["state"] == "ACTIVE"
        await operator.post(path, json={"note": "now it is over"})
        assert (await second.post(f"{path}/decision", json={"note": "they wrote so", "confirm": True})).status_code == 200
        for partner in stopped:
            await world.send(partner)
            assert len(await world.books(partner)) == 1


async def test_nothing_leaves_after_a_pause_even_if_it_was_claimed(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.approve([world.line()])
    from disbursement.usecases import send_batches

    claim = send_batches._claim

    async def claim_and_be_stopped(tx: Any, context: Any, own: Any) -> Any:
        found = await claim(tx, context, own)
        async with world.owner() as other:
            await other.execute("INSERT INTO lane_pause (kind, reason, paused_by) VALUES ('MANUAL', 'kill switch', 'op')")
        return found

    monkeypatch.setattr(send_batches, "_claim", claim_and_be_stopped)
    await send_round(world.context, "agribank")
    assert await world.books() == []
    assert await world.rows("SELECT state, lease_owner, started_at FROM payment_batch") == [
        {"state": "READY", "lease_owner": None, "started_at": None}
    ]


async def test_a_pause_stops_what_would_go_again_too(world: Any) -> None:
    await world.approve([world.line()])
    await world.script("error_500", seconds=0)
    await world.send()
    await world.inquire()
    async with world.owner() as tx:
        await tx.execute("INSERT INTO lane_pause (kind, partner, reason, paused_by) VALUES ('MANUAL', 'agribank', 'incident', 'op')")
    await world.send()
    assert await world.books() == []


@pytest.mark.parametrize(("cap", "sent"), [({"daily_payments": 25}, 20), ({"daily_amount": 5_000_000}, 10), ({"daily_payments": 30}, 30)])
async def test_daily_caps_hold_for_all_workers(world: Any, client_as: Any, cap: dict[str, int], sent: int) -> None:
    await lane(world, first_batch_payments=None, batch_payments=10, **cap)
    await world.approve([world.line() for _ in range(40)])
    other = replace(world.context, owner="worker-2")
    while any(await asyncio.gather(send_round(world.context, "agribank"), send_round(other, "agribank"))):
        pass
    assert len(await world.books()) == sent
    seen = (await client_as(world.app, Role.AUDITOR).get(LANE)).json()
    assert seen["waiting"] == [next(iter(cap)).upper()]
    assert seen["today"]["payments"] == sent
    async with world.owner() as tx:  # the next day
        await tx.execute("UPDATE payment_batch SET started_at = started_at - interval '1 day'")
    await world.send()
    assert len(await world.books()) == min(40, 2 * sent)


async def test_what_went_yesterday_may_go_again_today_whatever_the_cap(world: Any) -> None:
    await lane(world, first_batch_payments=None, batch_payments=10, daily_payments=10)
    await world.approve([world.line() for _ in range(20)])
    await world.script("error_500", seconds=0)
    await world.send()
    assert await world.books() == []
    await world.inquire()
    await world.send()
    assert len(await world.books()) == 10


async def test_a_rate_holds_for_batches_and_inquiries_of_all_workers(world: Any) -> None:
    await lane(world, first_batch_payments=None, batch_payments=1, requests_per_minute=1)
    await world.approve([world.line() for _ in range(3)])
    other = replace(world.context, owner="worker-2")
    await asyncio.gather(send_round(world.context, "agribank"), send_round(other, "agribank"))
    await send_round(other, "agribank")
    assert len(await world.books()) == 1
    assert not await world.inquire()
    for expected in (2, 3):
        async with world.owner() as tx:
            await tx.execute("UPDATE partner_lane SET next_turn_at = now()")
        await world.send()
        assert len(await world.books()) == expected
    async with world.owner() as tx:
        await tx.execute("UPDATE partner_lane SET next_turn_at = now()")
    assert await world.inquire()


async def test_concurrency_counts_all_workers(world: Any) -> None:
    await lane(world, first_batch_payments=None, batch_payments=1, concurrency=2)
    await world.approve([world.line() for _ in range(6)])
    channel = world.context.lanes["agribank"].channel
    send, now, most, together = channel.send, 0, 0, asyncio.Event()

    async def counted(*args: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 2:
            together.set()
        await asyncio.wait_for(together.wait(), 20)
        answer = await send(*args)
        now -= 1
        return answer

    channel.send = counted
    others = [replace(world.context, owner=f"worker-{n}") for n in range(3)]
    while any(await asyncio.gather(*(send_round(context, "agribank") for context in others))):
        pass
    assert (most, len(await world.books())) == (2, 6)


async def test_the_inquiry_schedule_is_the_partners(world: Any) -> None:
    await lane(world, inquiry_seconds=[7, 70])
    await world.approve([world.line()])
    await world.script("error_500_after_accept", seconds=0)
    began = await world.value("SELECT now()")
    await world.send()
    asked = "SELECT CAST(extract(epoch FROM inquire_at - :since) AS float8) FROM payment"
    assert 7 <= await world.value(asked, since=began) <= 7 + await since(world, began)
    world.context.lanes["agribank"].channel.inquire = silent
    for _ in range(2):
        began = await world.value("SELECT now()")
        await world.inquire()
        assert 70 <= await world.value(asked, since=began) <= 70 + await since(world, began)


async def since(world: Any, began: Any) -> float:
    """Seconds by the database's clock."""
    return float(await world.value("SELECT extract(epoch FROM now() - :began)", began=began))


async def silent(*_args: Any) -> list[Any]:
    return []


async def test_limits_are_changed_by_two_people_and_audited(world: Any, client_as: Any) -> None:
    operator = client_as(world.app, Role.OPERATOR, subject="op")
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    first = (await operator.get(LANE)).json()
    settings = {**first["settings"], "batch_payments": 5, "first_batch_payments": None, "daily_payments": 100}

    async def propose(client: Any = operator, version: int = first["version"], **more: Any) -> Any:
        form = {"partner": "agribank", "version": version, "settings": settings, "business_date": "2024-08-20"} | more
        return await client.post("/v1/rulings/lanes", json=form, headers={"Idempotency-Key": new_id().hex})

    async def decide(client: Any, ruling: Any, word: str = "approve") -> Any:
        return await client.post(f"/v1/rulings/{ruling.json()['ruling_id']}/{word}", headers={"Idempotency-Key": new_id().hex})

    made, rival = await propose(), await propose(settings={**settings, "batch_payments": 6})
    assert (made.status_code, rival.status_code) == (201, 201), made.text
    assert (await operator.get(LANE)).json()["settings"]["batch_payments"] == 1000
    own = client_as(world.app, Role.APPROVER, subject="op")
    assert (await decide(own, made)).json()["type"].rsplit("/", 1)[-1] == "four-eyes"
    assert (await decide(checker, made)).status_code == 200
    changed = (await operator.get(LANE)).json()
    assert (changed["settings"]["batch_payments"], changed["changed_by"], changed["version"]) == (5, "checker", first["version"] + 1)
    stale = await decide(checker, rival)  # it was proposed against limits that nobody has any more
    assert (stale.status_code, stale.json()["type"].rsplit("/", 1)[-1]) == (409, "ruling-out-of-step")
    assert (await propose()).status_code == 412
    now = {"version": changed["version"]}
    small = await propose(**now, settings={**settings, "daily_payments": 4})
    assert (small.status_code, small.json()["errors"][0]["field"]) == (422, "daily_payments")
    assert (await propose(**now, settings={**settings, "inquiry_seconds": []})).status_code == 422
    assert (await propose(**now, partner="nobody")).status_code == 404
    audited = await world.rows("SELECT subject, detail FROM audit_log WHERE action = 'lane.change'")
    assert [(row["subject"], row["detail"]["proposed_by"]) for row in audited] == [("checker", "op")]
    assert [audited[0]["detail"][side]["batch_payments"] for side in ("before", "after")] == [1000, 5]
    assert audited[0]["detail"]["before"].keys() == {"batch_payments", "daily_payments", "first_batch_payments"}, "what changed, no more"
    await world.approve([world.line() for _ in range(12)])
    assert await sizes(world) == [5, 5, 2]
    assert (await operator.get("/v1/partners/nobody/lane")).status_code == 404
    bank = client_as(world.app, Role.PARTNER, units=(), partner="momo")
    assert (await bank.get(LANE)).status_code == 404
    assert (await propose(bank)).status_code == 403
    for wrong in ({"reason": "nothing is named"}, {"everything": True, "partner": "momo", "reason": "two things"}):
        assert (await operator.post("/v1/pauses", json=wrong)).status_code == 422


async def test_the_lane_shows_a_partner_that_does_not_answer(world: Any, client_as: Any) -> None:
    await world.approve([world.line()])
    await world.script("error_500", seconds=0)
    await world.send()
    auditor = client_as(world.app, Role.AUDITOR)
    seen = (await auditor.get(LANE)).json()
    assert (seen["last_error"], seen["counts"]["unknown_payments"]) == ("PARTNER_ERROR: HTTP 500", 1)
    await inquire_round(world.context, "agribank")
    await world.inquire()
    await world.send()
    seen = (await auditor.get(LANE)).json()
    assert (seen["last_error"], seen["failing_since"]) == (None, None)
