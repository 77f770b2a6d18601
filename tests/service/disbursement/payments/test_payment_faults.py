"""Partners that answer late, twice, wrongly or not at all: nothing is lost, nothing is paid twice (seen in the partner's books)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from common.ids import stable_id
from disbursement.usecases.apply_notices import apply_notices_round
from disbursement.usecases.send_batches import send_round


class Killed(Exception):
    """The worker dies here: nothing after it runs."""


async def settled_once(world: Any, count: int) -> None:
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": count}
    books = await world.books()
    assert len({row["reference"] for row in books}) == len(books) == count
    doubles = (await world.partner_http.get("http://partner/control/doubles")).json()
    assert doubles["references"] == []
    assert await world.value("SELECT count(*) FROM ledger_transfer WHERE kind = 'SETTLE'") == count


@pytest.mark.parametrize("behaviour", ["timeout_after_accept", "error_500_after_accept", "nonsense_answer", "not_found_then_accepted"])
async def test_no_answer_after_acceptance_is_unknown_then_found(world: Any, behaviour: str) -> None:
    await world.approve([world.line(), world.line()])
    await world.script(behaviour, seconds=0)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 2}
    assert [kind for kind, _ in await world.events()][2:] == ["PaymentUnknown"] * 2
    assert await world.inquire()
    assert await world.statuses() == {"SUBMITTED": 2}
    assert await world.value("SELECT sends FROM payment_batch") == 1
    await settled_once(world, 2)
    assert await world.value("SELECT state FROM payment_cycle") == "SETTLING"


@pytest.mark.parametrize("behaviour", ["timeout_before_accept", "error_500", "redirect"])
async def test_not_found_is_not_failure_and_the_same_bytes_go_again(world: Any, behaviour: str) -> None:
    await world.approve([world.line(), world.line()])
    await world.script(behaviour, seconds=0)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 2}
    before = await world.rows("SELECT reference, request_digest FROM payment_batch")
    assert await world.inquire()
    assert await world.statuses() == {"UNKNOWN": 2}
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 2}
    assert await world.rows("SELECT reference, request_digest FROM payment_batch") == before
    await settled_once(world, 2)


async def test_a_cut_connection_is_unknown(world: Any) -> None:
    await world.approve([world.line()])
    lane = world.context.lanes["agribank"]
    lane.channel.partner = replace_timeout(lane, 1.0)  # it has the payment by then, and says so after five seconds
    await world.script("timeout_after_accept", seconds=5)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 1}
    assert await world.value("SELECT reason FROM payment") == "NO_ANSWER"
    await world.inquire()
    await settled_once(world, 1)


def replace_timeout(lane: Any, seconds: float) -> Any:
    return lane.partner.model_copy(update={"timeout_seconds": seconds})


async def test_a_silent_partner_that_never_had_it_stays_unknown(world: Any) -> None:
    await world.approve([world.line()])
    await world.script("error_500", batches=2, seconds=0)
    await world.send()
    await world.inquire()
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 1}
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 500_000
    assert await world.value("SELECT inquiries FROM payment") == 1


async def test_the_notice_may_come_before_our_own_record_of_the_send(world: Any) -> None:
    line = world.line()
    await world.approve([line])
    channel = world.context.lanes["agribank"].channel
    send = channel.send

    async def send_and_be_told(*args: Any) -> Any:
        answer = await send(*args)
        await world.partner_works()
        await world.apply()
        assert await world.statuses() == {"SETTLED": 1}
        return answer

    channel.send = send_and_be_told
    await world.send()
    await settled_once(world, 1)


async def test_a_dead_workers_batch_is_inquired_then_sent_again_under_the_same_reference(world: Any) -> None:
    await world.approve([world.line(), world.line()])
    await die_after_claim(world)
    assert await world.statuses() == {"SUBMITTING": 2}
    assert not await send_round(other_worker(world), "agribank")
    assert await world.take_over()
    assert await world.statuses() == {"UNKNOWN": 2}
    await world.inquire()
    await send_round(other_worker(world), "agribank")
    await settled_once(world, 2)


async def test_the_dead_worker_may_have_sent_it(world: Any) -> None:
    await world.approve([world.line()])
    channel = world.context.lanes["agribank"].channel
    send = channel.send

    async def send_and_die(*args: Any) -> Any:
        await send(*args)
        raise Killed

    channel.send = send_and_die
    with pytest.raises(Killed):
        await world.send()
    channel.send = send
    assert await world.take_over()
    await world.inquire()
    assert await world.statuses() == {"SUBMITTED": 1}
    await settled_once(world, 1)
    assert await world.value("SELECT sends FROM payment_batch") == 1


async def die_after_claim(world: Any) -> None:
    channel = world.context.lanes["agribank"].channel
    send = channel.send

    async def die(*_args: Any) -> Any:
        raise Killed

    channel.send = die
    with pytest.raises(Killed):
        await world.send()
    channel.send = send


def other_worker(world: Any) -> Any:
    return replace(world.context, owner="worker-2")


async def test_a_worker_that_lost_its_lease_records_nothing(world: Any) -> None:
    await world.approve([world.line()])
    channel = world.context.lanes["agribank"].channel
    send = channel.send

    async def send_slowly(*args: Any) -> Any:
        answer = await send(*args)
        await world.take_over()
        return answer

    channel.send = send_slowly
    await world.send()
    channel.send = send
    assert await world.statuses() == {"UNKNOWN": 1}
    await world.inquire()
    await settled_once(world, 1)


async def test_refused_payments_fail_and_give_their_months_back(world: Any) -> None:
    await world.approve([world.line(), world.line()])
    await world.script("reject", code="ACCOUNT_CLOSED")
    await world.send()
    assert await world.statuses() == {"FAILED": 2}
    assert await world.rows("SELECT DISTINCT reason FROM payment") == [{"reason": "ACCOUNT_CLOSED"}]
    assert await world.rows("SELECT DISTINCT state FROM allocation") == [{"state": "RELEASED"}]
    assert await world.value("SELECT sum(committed) + sum(paid) FROM due_month_position") == 0
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 0}]


async def test_a_refusal_nobody_understands_is_unknown_and_set_aside(world: Any) -> None:
    await world.approve([world.line()])
    await world.script("reject", code="E-4711")
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 1}
    assert await world.rows("SELECT reason, source FROM quarantine") == [{"reason": "UNRECOGNISED_CODE", "source": "ANSWER"}]
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 500_000


async def test_a_dead_partner_is_left_alone_for_a_while(world: Any) -> None:
    async with world.owner() as tx:
        await tx.execute("INSERT INTO partner_lane (partner, first_batch_payments) VALUES ('agribank', NULL)")
    await world.approve([world.line() for _ in range(4_001)])
    await world.script("error_500", batches=10, seconds=0)
    await world.send()
    assert await world.value("SELECT count(*) FROM payment_batch WHERE state = 'READY'") == 2
    # Another worker, new or restarted, leaves it alone as well; other partners go on.
    other = replace(world.context, owner="worker-2")
    assert not await send_round(other, "agribank")
    left_alone = {row["partner"] for row in await world.rows("SELECT partner FROM partner_lane WHERE open_until > now()")}
    assert left_alone == {"agribank"}

    # When the pause is over one worker tries with one batch; its answer opens the lane for all.
    async with world.owner() as tx:
        await tx.execute("UPDATE partner_lane SET open_until = now()")
        await tx.execute("UPDATE partner_lane SET concurrency = 4")
    await world.partner_http.delete("http://partner/control/script")
    assert await asyncio.gather(send_round(world.context, "agribank"), send_round(other, "agribank")) != [False, False]
    assert await world.value("SELECT failures FROM partner_lane WHERE partner = 'agribank'") == 0
    assert await world.value("SELECT count(*) FROM payment_batch WHERE state = 'SENT'") >= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE payout_account SET version = version + 1", "ACCOUNT_CHANGED"),
        ("UPDATE payout_account SET status = 'CLOSED'", "ACCOUNT_CHANGED"),
        ("UPDATE beneficiary SET status = 'DECEASED'", "DECEASED"),
        ("UPDATE verification SET verdict = 'SUSPECTED_IDENTITY'", "SUSPECTED_IDENTITY"),
        ("UPDATE due_interval SET amount = 1", "STOPPED"),
    ],
)
async def test_the_gate_runs_again_at_the_claim(world: Any, change: str, reason: str) -> None:
    stays, goes = world.line(), world.line()
    await world.approve([stays, goes])
    accounts = change.split()[1] == "payout_account"
    column, value = ("account_id", stable_id("account", goes.line_id)) if accounts else ("beneficiary_id", goes.beneficiary_id)
    async with world.owner() as tx:
        await tx.execute(f"{change} WHERE {column} = :value", value=value)
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1, "CANCELLED": 1}
    assert len(await world.books()) == 1
    assert await world.rows("SELECT reason, stage, beneficiary_id FROM hold") == [
        {"reason": reason, "stage": "SENDING", "beneficiary_id": goes.beneficiary_id}
    ]
    assert await world.value("SELECT state FROM list_line WHERE line_id = :id", id=goes.line_id) == "HELD"
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 500_000
    [held] = [body for kind, body in await world.events() if kind == "PaymentHeld"]
    assert held["months"] == ["2024-09"]


async def test_a_sealed_account_that_does_not_open_holds_only_its_own_line(world: Any) -> None:
    lines = [world.line(), world.line()]
    await world.approve(lines)
    async with world.owner() as tx:
        await tx.execute("UPDATE list_line SET account_number_token = 'v1:t1:x:y:AAAA' WHERE line_id = :id", id=lines[0].line_id)
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1, "CANCELLED": 1}
    assert await world.value("SELECT reason FROM hold") == "DATA_PARKED"


async def test_two_workers_share_the_batches_and_send_none_twice(world: Any) -> None:
    await world.approve([world.line() for _ in range(3_500)])
    other = other_worker(world)
    while any(await asyncio.gather(send_round(world.context, "agribank"), send_round(other, "agribank"))):
        pass
    assert await world.rows("SELECT DISTINCT sends, state FROM payment_batch") == [{"sends": 1, "state": "SENT"}]
    assert await world.value("SELECT state FROM payment_cycle") == "SETTLING"
    await world.simulator.settle()
    while await world.simulator.settle() or await world.simulator.deliver():
        pass
    while any(await asyncio.gather(apply_notices_round(world.context), apply_notices_round(other))):
        pass
    await settled_once(world, 3_500)
    assert await world.value("SELECT sum(paid) FROM due_month_position") == 3_500 * 500_000
