"""Each scripted fault does what it says, and the books stay right under all of them."""

from __future__ import annotations

from typing import Any

import pytest


async def test_reject(bench: Any) -> None:
    it = await bench()
    await it.script("reject", code="CLOSED_TODAY")
    answer = (await it.batch("b1", it.pay("r1"))).json()
    assert (answer["accepted"], answer["refused"][0]["code"]) == (0, "CLOSED_TODAY")
    assert (await it.batch("b2", it.pay("r1"))).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ("timeout_before_accept", 504),
        ("error_500", 500),
        ("redirect", 307),
    ],
)
async def test_faults_before_anything_is_booked(bench: Any, behaviour: str, status: int) -> None:
    it = await bench()
    await it.script(behaviour, seconds=0, batches=2)
    for _ in range(2):
        assert (await it.batch("b1", it.pay("r1"))).status_code == status
        assert await it.statuses("r1") == ["NOT_FOUND"]
    assert (await it.batch("b1", it.pay("r1"))).status_code == 202
    await it.run()
    assert await it.statuses("r1") == ["SETTLED"]


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ("timeout_after_accept", 504),
        ("error_500_after_accept", 500),
        ("nonsense_answer", 200),
        ("oversized", 202),
        ("slow_body", 202),
    ],
)
async def test_faults_after_the_booking(bench: Any, behaviour: str, status: int) -> None:
    it = await bench()
    await it.script(behaviour, seconds=0)
    answer = await it.batch("b1", it.pay("r1"))
    assert answer.status_code == status
    if behaviour == "oversized":
        assert len(answer.content) > 10 * 1024 * 1024
    if behaviour == "nonsense_answer":
        assert answer.text.startswith("<html>")
    assert await it.statuses("r1") == ["RECEIVED"]
    assert (await it.batch("b1", it.pay("r1"))).json()["accepted"] == 1
    await it.run()
    assert (await it.books())["booked_amount"] == 500_000
    assert len(it.platform.results) == 1


async def test_not_found_then_accepted(bench: Any) -> None:
    it = await bench()
    await it.script("not_found_then_accepted", seconds=10)
    assert (await it.batch("b1", it.pay("r1"))).status_code == 504
    await it.run()
    assert await it.statuses("r1") == ["NOT_FOUND"]
    await it.run(seconds=11)
    assert await it.statuses("r1") == ["SETTLED"]


async def test_sent_again_while_not_found_is_taken_once(bench: Any) -> None:
    it = await bench()
    await it.script("not_found_then_accepted", seconds=10)
    await it.batch("b1", it.pay("r1"))
    assert (await it.batch("b1", it.pay("r1"))).json()["accepted"] == 1
    await it.run()
    await it.run(seconds=20)
    assert (await it.books())["booked_amount"] == 500_000
    assert [row["status"] for row in it.platform.results] == ["SETTLED"]


async def test_outage_ends_by_itself_and_covers_every_route(bench: Any) -> None:
    it = await bench()
    await it.script("outage", seconds=20)
    assert (await it.batch("b1", it.pay("r1"))).status_code == 503
    assert (await it.client.post("/agribank/v1/inquiries", json={"references": ["r1"]})).status_code == 503
    it.platform.now += 21
    assert (await it.batch("b1", it.pay("r1"))).status_code == 202


async def test_faults_on_inquiries_leave_batches_alone(bench: Any) -> None:
    it = await bench()
    await it.script("nonsense_answer", on="inquiries")
    assert (await it.batch("b1", it.pay("r1"))).json()["accepted"] == 1
    assert (await it.client.post("/agribank/v1/inquiries", json={"references": ["r1"]})).text.startswith("<html>")
    assert await it.statuses("r1") == ["RECEIVED"]


async def test_duplicate_notices(bench: Any) -> None:
    it = await bench()
    await it.script("duplicate_notices", attempts=2)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    assert len(it.platform.attempts) == 3
    assert len({webhook_id for webhook_id, _ in it.platform.attempts}) == 1
    await it.script("duplicate_notices", new_id=True)
    await it.batch("b2", it.pay("r2"))
    await it.run()
    assert len({webhook_id for webhook_id, _ in it.platform.attempts}) == 3
    assert (await it.books())["booked_amount"] == 1_000_000


async def test_late_notices_and_none(bench: Any) -> None:
    it = await bench()
    await it.script("late_notices", seconds=3600)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    assert (it.platform.results, await it.statuses("r1")) == ([], ["SETTLED"])
    await it.run(seconds=3601)
    assert len(it.platform.results) == 1
    await it.script("no_notices")
    await it.batch("b2", it.pay("r2"))
    await it.run(seconds=3600)
    assert (len(it.platform.results), await it.statuses("r2")) == (1, ["SETTLED"])


async def test_return_after_settlement_and_the_return_told_first(bench: Any) -> None:
    it = await bench()
    await it.script("return_after_settlement", seconds=60, code="ACCOUNT_CLOSED")
    await it.script("reversed")
    await it.batch("b1", it.pay("r1"))
    await it.run()
    assert (await it.statuses("r1"), (await it.books())["booked_amount"]) == (["SETTLED"], 500_000)
    await it.run(seconds=60)
    assert (await it.statuses("r1"), (await it.books())["booked_amount"]) == (["RETURNED"], 0)
    await it.run(seconds=5)
    assert [row["status"] for row in it.platform.results] == ["RETURNED", "SETTLED"]
    await it.no_doubles()


async def test_late_settlement_and_forced_failures(bench: Any) -> None:
    it = await bench()
    await it.script("late_settlement", seconds=100)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    assert await it.statuses("r1") == ["RECEIVED"]
    await it.run(seconds=101)
    await it.script("fail_results", code="LIMIT_EXCEEDED")
    await it.batch("b2", it.pay("r2"))
    await it.run()
    assert [(row["status"], row["code"]) for row in await it.inquire("r1", "r2")] == [("SETTLED", None), ("FAILED", "LIMIT_EXCEEDED")]


@pytest.mark.parametrize("behaviour", ["wrong_amount", "wrong_currency", "unknown_status", "unknown_reference", "contradictory"])
async def test_wrong_content_is_told_and_the_books_say_the_truth(bench: Any, behaviour: str) -> None:
    it = await bench()
    await it.script(behaviour, then_correct=True)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    await it.run(seconds=1)
    truth = (await it.inquire("r1"))[0]
    assert truth["status"] == "SETTLED"
    assert it.platform.results[-1] == truth
    assert it.platform.results[0] != truth or behaviour == "contradictory"
    assert any(row != truth for row in it.platform.results)


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("unsigned", "401"),
        ("bad_signature", "401"),
        ("stale_timestamp", "401"),
        ("oversized_notice", "413"),
    ],
)
async def test_notices_spoilt_on_the_wire_are_sent_right_afterwards(bench: Any, behaviour: str, answer: str) -> None:
    it = await bench()
    await it.script(behaviour)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    await it.run(seconds=30)
    assert [status for _, status in it.platform.attempts] == [answer, "202"]
    assert len({webhook_id for webhook_id, _ in it.platform.attempts}) == 1
    assert (await it.books())["notices"]["spoilt_accepted"] == 0


async def test_scripts_are_listed_and_disarmed(bench: Any) -> None:
    it = await bench()
    await it.script("reject", batches=3)
    await it.batch("b1", it.pay("r1"))
    armed = (await it.client.get("/control/script")).json()["scripts"]
    assert [(row["behaviour"], row["remaining"]) for row in armed] == [("reject", 2)]
    assert (await it.client.delete("/control/script")).json() == {"removed": 1}
    assert (await it.batch("b2", it.pay("r1"))).json()["accepted"] == 1
    unknown = await it.client.post("/control/script", json={"partner": "nobody", "behaviour": "reject"})
    assert unknown.status_code == 404
