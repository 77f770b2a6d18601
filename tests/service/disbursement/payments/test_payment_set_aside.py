"""What cannot be read stops nobody else: it waits, is seen, and goes on unchanged once it can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.auth import Role
from disbursement.usecases.apply_notices import apply_notices_round
from disbursement.usecases.inquire import inquire_round
from disbursement.usecases.no_partner import no_partner_round
from disbursement.usecases.payment_loops import payment_probe
from disbursement.usecases.send_batches import send_round

SPOIL = "set_byte(request, octet_length(request) - 1, get_byte(request, octet_length(request) - 1) # 1)"


async def quiet(world: Any) -> dict[str, int]:
    async with world.owner() as tx:
        counts: dict[str, int] = await payment_probe(tx)
    return counts


async def spoil_notice(world: Any) -> None:
    """Turn one bit of every stored notice; the same again puts it right."""
    async with world.owner() as tx:
        await tx.execute("UPDATE partner_notice SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE state = 'RECEIVED'")


async def test_a_notice_that_does_not_open_stops_no_other(world: Any) -> None:
    first, second, other = world.line(), world.line(), world.line(partner="momo", channel="WALLET")
    await world.approve([first, second, other])
    await world.send()
    await world.send("momo")
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", first)]})
    await spoil_notice(world)
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", second)]})
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", other)]}, partner="momo")
    await world.apply()  # ends: what cannot be opened is not taken again at once
    assert await world.statuses() == {"SUBMITTED": 1, "SETTLED": 2}
    row = (await world.rows("SELECT state, failures, last_error, next_try_at > now() AS later FROM partner_notice WHERE failures > 0"))[0]
    assert row == {"state": "RECEIVED", "failures": 1, "last_error": "partner_notice.body does not open", "later": True}
    counts = await quiet(world)
    assert (counts["notices_set_aside"], counts["notices_waiting"]) == (1, 0)


async def test_the_pause_grows_and_the_notice_is_applied_once_it_opens(world: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", line)]})
    await spoil_notice(world)
    pauses = []
    for _ in range(12):
        assert await apply_notices_round(world.context)
        assert not await apply_notices_round(world.context)
        pauses.append(await world.value("SELECT extract(epoch FROM next_try_at - clock_timestamp()) FROM partner_notice"))
        async with world.owner() as tx:
            await tx.execute("UPDATE partner_notice SET next_try_at = now()")
    assert [round(pause) for pause in pauses[:3]] == [10, 20, 40]
    assert round(max(pauses)) == 900
    await spoil_notice(world)
    await world.apply()
    assert await world.statuses() == {"SETTLED": 1}
    assert not any((await quiet(world)).values())


async def lost(world: Any, count: int) -> None:
    """A batch the partner never got, about to go again."""
    await world.approve([world.line() for _ in range(count)])
    await world.script("error_500", seconds=0)
    await send_round(world.context, "agribank")
    assert await world.inquire()


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (f"UPDATE payment_batch SET request = {SPOIL} WHERE state = 'RESEND'", f"UPDATE payment_batch SET request = {SPOIL}"),
        (
            "UPDATE payment_batch SET request_digest = sha256(request_digest) WHERE state = 'RESEND'",
            "UPDATE payment_batch SET request_digest = decode(:digest, 'hex')",
        ),
    ],
)
async def test_a_stored_request_that_is_not_the_one_sent_stops_no_other_batch(world: Any, spoil: str, mend: str) -> None:
    await lost(world, 1_001)
    batch = (await world.rows("SELECT batch_id, request_digest FROM payment_batch WHERE state = 'RESEND'"))[0]
    committed = await world.value("SELECT sum(committed) FROM due_month_position")
    async with world.owner() as tx:
        await tx.execute(spoil)
    await world.send()
    size = await world.value("SELECT payments FROM payment_batch WHERE batch_id = :id", id=batch["batch_id"])
    assert await world.statuses() == {"UNKNOWN": size, "SUBMITTED": 1_001 - size}
    assert len(await world.books()) == 1_001 - size
    assert await world.value("SELECT sum(committed) FROM due_month_position") == committed
    row = (await world.rows("SELECT state, sends, failures, next_at > now() AS later, lease_owner FROM payment_batch"
                            " WHERE batch_id = :id", id=batch["batch_id"]))[0]  # fmt: skip
    assert row == {"state": "UNCERTAIN", "sends": 1, "failures": 1, "later": True, "lease_owner": None}
    seen = await world.rows("SELECT reason, source, source_id FROM quarantine")
    assert seen == [{"reason": "REQUEST_UNREADABLE", "source": "BATCH", "source_id": str(batch["batch_id"])}]
    assert (await quiet(world))["batches_set_aside"] == 1
    await world.inquire()  # the partner still knows nothing of it: it goes again, but not before its pause has ended
    await world.send()
    assert await world.value("SELECT failures FROM payment_batch WHERE batch_id = :id", id=batch["batch_id"]) == 1
    async with world.owner() as tx:
        await tx.execute(mend + ", next_at = now() WHERE batch_id = :id", id=batch["batch_id"],
                         **({"digest": batch["request_digest"].hex()} if ":digest" in mend else {}))  # fmt: skip
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1_001}
    assert len({payment["reference"] for payment in await world.books()}) == 1_001
    assert (await quiet(world))["batches_set_aside"] == 0


async def test_a_batch_set_aside_ends_when_the_partner_tells_what_became_of_it(world: Any, client_as: Any) -> None:
    await lost(world, 1)
    line_id = await world.value("SELECT line_id FROM payment")
    async with world.owner() as tx:
        await tx.execute(f"UPDATE payment_batch SET request = {SPOIL}")
    await world.send()
    line = world.line(line_id=line_id)
    await world.notice(await world.result("SETTLED", line))
    await inquire_round(world.context, "agribank")
    assert await world.value("SELECT state FROM payment_batch") == "SENT"
    assert await world.value("SELECT state FROM payment_cycle") == "SETTLING"
    assert (await quiet(world))["batches_set_aside"] == 0
    seen = (await client_as(world.app, Role.OPERATOR, subject="op").get("/v1/quarantine")).json()["items"]
    assert [(item["reason"], item["source"]) for item in seen] == [("REQUEST_UNREADABLE", "BATCH")]
    assert seen[0]["text"] != seen[0]["reason"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE beneficiary SET status = 'ASTRAY' WHERE beneficiary_id = :who",
        "UPDATE verification SET verdict = 'PERHAPS' WHERE beneficiary_id = :who",
    ],
)
async def test_words_nobody_knows_hold_at_the_claim(world: Any, change: str) -> None:
    stays, goes = world.line(), world.line()
    await world.approve([stays, goes])
    async with world.owner() as tx:
        await tx.execute(change, who=goes.beneficiary_id)
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1, "CANCELLED": 1}
    assert await world.rows("SELECT reason, beneficiary_id FROM hold") == [
        {"reason": "NOT_VERIFIED", "beneficiary_id": goes.beneficiary_id}
    ]


async def test_totals_with_a_partner_are_those_of_the_callers_units(world: Any, client_as: Any) -> None:
    here, there = world.line(), world.line(amount=700_000)
    await world.approve([here, there])
    async with world.owner() as tx:
        await tx.execute("UPDATE payment SET unit_path = '60/594/1', unit_code = '1' WHERE line_id = :id", id=there.line_id)
    await world.send()
    await world.partner_works()
    await world.apply()
    wrong = await world.result("SETTLED", there, amount=1)
    await world.notice(wrong)

    async def totals(client: Any) -> tuple[int, int, int]:
        answer = (await client.get("/v1/partners/agribank/totals")).json()
        return sum(row["amount"] for row in answer["by_status"]), answer["ledger_balance"], answer["quarantined"]

    assert await totals(client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60/593",))) == (500_000, 500_000, 0)
    assert await totals(client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60/594",))) == (700_000, 700_000, 1)
    assert await totals(client_as(world.app, Role.DEPARTMENT_OFFICER, units=("91",))) == (0, 0, 0)
    assert await totals(client_as(world.app, Role.AUDITOR)) == (1_200_000, 1_200_000, 1)
    assert await totals(client_as(world.app, Role.PARTNER, units=(), partner="agribank")) == (1_200_000, 1_200_000, 1)


@pytest.mark.parametrize(("minutes", "bank", "post"), [(None, 1_800, 86_400), (5, 300, 300)])
async def test_an_accepted_payment_is_asked_about_after_its_partners_time(world: Any, minutes: int | None, bank: int, post: int) -> None:
    by_bank, by_post = world.line(), world.line(partner="vnpost", channel="CASH_POST")
    for name, lane in world.context.lanes.items():
        patient = lane.partner.model_copy(update={"expected_minutes": minutes})
        world.context.lanes[name] = type(lane)(partner=patient, channel=lane.channel)
    await world.approve([by_bank, by_post])
    for partner, line, seconds in (("agribank", by_bank, bank), ("vnpost", by_post, post)):
        await world.send(partner)
        left = "SELECT extract(epoch FROM inquire_at - now()) FROM payment WHERE status = 'SUBMITTED' AND line_id = :id"
        assert seconds - 30 < await world.value(left, id=line.line_id) <= seconds
        await world.inquire(partner)  # still silent: asked again after the same time
        assert seconds - 30 < await world.value(left, id=line.line_id) <= seconds


@pytest.mark.parametrize("sent", [False, True])
async def test_a_batch_whose_partner_is_configured_no_longer_waits_for_a_person(world: Any, client_as: Any, sent: bool) -> None:
    """Nobody would send it, nobody would ask what became of it, and its people would wait unseen."""
    line, other = world.line(), world.line(partner="momo", channel="WALLET")
    await world.approve([line, other])
    if sent:
        await world.send()
    await no_partner_round(world.context)
    assert await world.rows("SELECT reason FROM quarantine") == []
    left = {name: lane for name, lane in world.context.lanes.items() if name != "agribank"}
    operator = client_as(world.app, Role.OPERATOR, subject="op")
    for times in range(2):
        await no_partner_round(replace(world.context, lanes=left))
        await no_partner_round(replace(world.context, lanes=left))
        [waits] = (await operator.get("/v1/quarantine")).json()["items"]
        assert (waits["partner"], waits["reason"], waits["dismissed_before"]) == ("agribank", "PARTNER_GONE", times)
        path, key = f"/v1/quarantine/{waits['quarantine_id']}/dismiss", {"Idempotency-Key": f"dismissal-number-{times}"}
        assert (await operator.post(path, json={"note": "Đã báo kỹ thuật"}, headers=key)).json()["outcome"] == "DISMISSED"
