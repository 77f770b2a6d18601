"""Every script of the partner simulator, end to end, over every contract with an API; the verdict is the partner's own books.

The table of scripts, faults and tests stands in tests/README.md.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from common import clock

DAY = 86_400.0
CONTRACTS = ("json_batch", "wallet_query", "wallet_ipn", "mobile_money")


class Time:
    """The partner's clock and ours, moved together: late notices, back-off and outages pass without waiting."""

    def __init__(self, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = clock.now
        world.simulator.clock = lambda: time.time() + self.ahead

        def now() -> datetime:
            return real() + timedelta(seconds=self.ahead)

        monkeypatch.setattr(clock, "now", now)


@pytest.fixture
async def world(request: pytest.FixtureRequest, world_of: Callable[..., Any]) -> AsyncIterator[Any]:
    """Partners that speak the contract the test is marked with, else the default one."""
    async with world_of(channel=getattr(request, "param", "json_batch")) as made:
        yield made


@pytest.fixture
def later(world: Any, monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(world, monkeypatch)


async def ends(world: Any, later: Time, step: float = 40.0, rounds: int = 5) -> None:
    """Time passes, the partner works, we take in, ask and send, until nothing moves."""
    for _ in range(rounds):
        await world.wake()
        await world.partner_works()
        await world.apply()
        await world.inquire()
        await world.send()
        later.ahead += step


async def verdict(world: Any, expected: dict[str, int]) -> None:
    """The partner's books and ours say the same of every payment; nothing is there twice; nothing unsigned was taken."""
    books = await world.books()
    ours = await world.rows("SELECT reference, status, amount FROM payment")
    assert await world.statuses() == expected
    assert len({row["reference"] for row in books}) == len(books)
    assert {row["reference"]: (row["state"], row["amount"]) for row in books} == {
        row["reference"]: (row["status"], row["amount"]) for row in ours if row["reference"] in {book["reference"] for book in books}
    }
    assert all(row["status"] == "FAILED" for row in ours if row["reference"] not in {book["reference"] for book in books})
    doubles = (await world.partner_http.get("http://partner/control/doubles")).json()
    assert (doubles["references"], doubles["unbalanced"]) == ([], [])
    totals = (await world.partner_http.get("http://partner/control/books")).json()
    assert totals["notices"]["spoilt_accepted"] == 0
    assert totals["notices"]["pending"] == 0
    settled = sum(row["amount"] for row in ours if row["status"] == "SETTLED")
    assert totals["booked_amount"] == settled
    assert await world.value("SELECT coalesce(sum(paid), 0)::bigint FROM due_month_position") == settled


PAID = {"SETTLED": 3}
ANSWERS: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("accept", {}, PAID),
    ("reject", {"code": "ACCOUNT_CLOSED"}, {"FAILED": 3}),
    ("outage", {"seconds": 60}, PAID),
    ("error_500", {}, PAID),
    ("timeout_before_accept", {"seconds": 0}, PAID),
    ("redirect", {}, PAID),
    ("timeout_after_accept", {"seconds": 0}, PAID),
    ("error_500_after_accept", {}, PAID),
    ("not_found_then_accepted", {"seconds": 30}, PAID),
    ("nonsense_answer", {}, PAID),
    ("oversized", {}, PAID),
    ("late_settlement", {"seconds": 100}, PAID),
    ("fail_results", {"code": "ACCOUNT_CLOSED"}, {"FAILED": 3}),
    ("return_after_settlement", {"seconds": 50}, {"RETURNED": 3}),
]
NOTICES: list[tuple[str, dict[str, Any]]] = [
    ("duplicate_notices", {"attempts": 3}),
    ("duplicate_notices", {"attempts": 3, "new_id": True}),
    ("late_notices", {}),
    ("no_notices", {}),
    ("reversed", {}),
    ("wrong_amount", {"rows": 1}),
    ("wrong_currency", {"rows": 1}),
    ("unknown_status", {"rows": 1}),
    ("unknown_reference", {}),
    ("contradictory", {"rows": 1}),
    ("wrong_amount", {"then_correct": True}),
    ("unsigned", {"attempts": 2}),
    ("bad_signature", {"attempts": 2}),
    ("stale_timestamp", {"attempts": 2}),
    ("oversized_notice", {"attempts": 2}),
]


QUICK = {
    "json_batch": {
        "outage", "oversized", "late_settlement", "late_notices", "no_notices", "unsigned", "oversized_notice", "contradictory",
    },
    "wallet_query": {"timeout_after_accept", "oversized_notice"},
    "wallet_ipn": {"fail_results", "unsigned"},
    "mobile_money": {"return_after_settlement", "bad_signature"},
}  # fmt: skip


def _tier(name: str, *values: Any) -> list[Any]:
    """One script over every contract. What a quicker test beside it shows already runs in the long tier only."""
    label = "-".join([name, *(values[0] if isinstance(values[0], dict) and len(values) == 1 else ())])
    return [
        pytest.param(contract, name, *values, id=f"{label}-{contract}", marks=() if name in QUICK[contract] else pytest.mark.slow)
        for contract in CONTRACTS
    ]


_ANSWERS = [case for item in ANSWERS for case in _tier(*item)]
_NOTICES = [case for item in NOTICES for case in _tier(*item)]


@pytest.mark.parametrize(("world", "behaviour", "more", "expected"), _ANSWERS, indirect=["world"])
async def test_answers_and_results(world: Any, later: Time, behaviour: str, more: dict[str, Any], expected: dict[str, int]) -> None:
    await world.approve([world.line() for _ in range(3)])
    await world.script(behaviour, **more)
    await world.send()
    await ends(world, later)
    await verdict(world, expected)


@pytest.mark.parametrize(("world", "behaviour", "more"), _NOTICES, indirect=["world"])
async def test_notices(world: Any, later: Time, behaviour: str, more: dict[str, Any]) -> None:
    await world.approve([world.line() for _ in range(3)])
    await world.script(behaviour, **more)
    await world.send()
    await ends(world, later, step=DAY if behaviour == "late_notices" else 40.0)
    await verdict(world, PAID)


async def test_a_notice_48_hours_late_settles_by_itself(world: Any, later: Time) -> None:
    await world.approve([world.line() for _ in range(3)])
    await world.script("late_notices")
    await world.send()
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SUBMITTED": 3}
    later.ahead = 2 * DAY + 60
    await world.partner_works()
    await world.apply()
    await verdict(world, PAID)


async def test_a_return_is_told_before_the_settlement(world: Any, later: Time) -> None:
    await world.approve([world.line() for _ in range(3)])
    await world.script("return_after_settlement", seconds=1)
    await world.script("reversed")
    await world.send()
    await ends(world, later)
    await verdict(world, {"RETURNED": 3})


async def test_a_body_that_comes_too_slowly_is_no_answer(world: Any, later: Time) -> None:
    await world.approve([world.line() for _ in range(3)])
    lane = world.context.lanes["agribank"]
    lane.channel.partner = lane.partner.model_copy(update={"timeout_seconds": 0.2})
    await world.script("slow_body", seconds=30)
    await world.send()
    assert await world.statuses() == {"UNKNOWN": 3}
    lane.channel.partner = lane.partner
    await ends(world, later)
    await verdict(world, PAID)
    assert await world.value("SELECT sends FROM payment_batch") == 1


async def test_five_thousand_results_in_one_notice_with_bad_ones_among_them(world: Any) -> None:
    await world.approve([world.line() for _ in range(4)])
    await world.send()
    rows = await world.rows("SELECT reference FROM payment ORDER BY reference")
    good = [{"reference": row["reference"], "status": "SETTLED", "amount": 500_000, "currency": "VND"} for row in rows]
    strange = [{"reference": f"NOBODY{n:05}", "status": "SETTLED", "amount": 1, "currency": "VND"} for n in range(4_996)]
    answer = await world.notice(*strange[:2_000], *good, *strange[2_000:])
    assert answer.status_code == 202
    assert await world.statuses() == {"SETTLED": 4}
    assert await world.value("SELECT count(*) FROM quarantine WHERE reason = 'REFERENCE_UNKNOWN'") == 4_996


async def test_more_than_five_thousand_are_refused_whole_and_kept(world: Any) -> None:
    result = {"reference": "X", "status": "SETTLED", "amount": 1, "currency": "VND"}
    assert (await world.notice(*[result] * 5_001)).status_code == 202
    assert await world.rows("SELECT state FROM partner_notice") == [{"state": "REFUSED"}]
    assert await world.rows("SELECT reason FROM quarantine") == [{"reason": "UNREADABLE"}]
