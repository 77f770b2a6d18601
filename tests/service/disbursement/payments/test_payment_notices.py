"""Notices: genuine ones are kept for ever and applied once; what cannot be believed is set aside, the rest is applied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common import clock
from common.auth import Role


async def sent(world: Any, *lines: Any) -> None:
    await world.approve(list(lines))
    for partner in {line.partner for line in lines}:
        await world.send(partner)


async def reasons(world: Any) -> list[str]:
    return [row["reason"] for row in await world.rows("SELECT reason FROM quarantine ORDER BY quarantine_id")]


async def test_the_same_notice_twice_has_one_effect(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    result = await world.result("SETTLED", line)
    first = await world.notice(result, webhook_id="wh_same")
    again = await world.notice(result, webhook_id="wh_same")
    assert [first.status_code, again.status_code] == [202, 202]
    assert [first.json()["duplicate"], again.json()["duplicate"]] == [False, True]
    await world.notice(result, webhook_id="wh_other")
    await world.notice(result, result, webhook_id="wh_twice_inside")
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT count(*) FROM ledger_transfer WHERE kind = 'SETTLE'") == 1
    assert [kind for kind, _ in await world.events()] == ["PaymentInstructed", "PaymentSettled"]
    assert await reasons(world) == []


async def test_a_known_id_with_other_content_is_set_aside(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line), webhook_id="wh_1")
    answer = await world.notice(await world.result("FAILED", line, code="ACCOUNT_CLOSED"), webhook_id="wh_1")
    assert answer.status_code == 202
    assert await world.statuses() == {"SETTLED": 1}
    assert await reasons(world) == ["NOTICE_ID_REUSED"]


async def test_a_late_word_changes_nothing(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line))
    await world.notice(await world.result("RECEIVED", line))
    assert await world.statuses() == {"SETTLED": 1}
    assert await reasons(world) == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"amount": 499_999}, "AMOUNT_DIFFERS"),
        ({"amount": None}, "AMOUNT_DIFFERS"),
        ({"amount": True}, "AMOUNT_DIFFERS"),
        ({"currency": "USD"}, "CURRENCY_DIFFERS"),
        ({"reference": "NOBODYKNOWSTHIS"}, "REFERENCE_UNKNOWN"),
        ({"reference": None}, "REFERENCE_UNKNOWN"),
        ({"status": "COLLECTED"}, "WRONG_CHANNEL"),
    ],
)
async def test_a_doubtful_result_is_set_aside_and_the_good_one_beside_it_applied(world: Any, more: dict[str, Any], reason: str) -> None:
    good, bad = world.line(), world.line()
    await sent(world, good, bad)
    answer = await world.notice(await world.result("SETTLED", bad, **more), await world.result("SETTLED", good))
    assert answer.status_code == 202
    assert await world.statuses() == {"SETTLED": 1, "SUBMITTED": 1}
    assert await reasons(world) == [reason]


async def test_another_partners_payment_is_not_this_partners_to_settle(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line), partner="momo")
    assert await world.statuses() == {"SUBMITTED": 1}
    assert await reasons(world) == ["PARTNER_DIFFERS"]


@pytest.mark.parametrize("together", [True, False])
async def test_contradictions_are_set_aside(world: Any, together: bool) -> None:
    line = world.line()
    await sent(world, line)
    words = [await world.result("SETTLED", line), await world.result("FAILED", line, code="ACCOUNT_CLOSED")]
    if together:
        await world.notice(*words)
        assert await world.statuses() == {"SUBMITTED": 1}
        assert await reasons(world) == ["CONTRADICTION"] * 2
    else:
        for word in words:
            await world.notice(word)
        assert await world.statuses() == {"SETTLED": 1}
        assert await reasons(world) == ["CONTRADICTION"]


@pytest.mark.parametrize("word", [{"status": "MAYBE"}, {"status": "FAILED", "code": "E-4711"}])
async def test_a_word_nobody_knows_is_unknown(world: Any, word: dict[str, Any]) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line) | word)
    assert await world.statuses() == {"UNKNOWN": 1}
    assert await reasons(world) == ["UNRECOGNISED_CODE"]
    assert await world.value("SELECT sum(committed) FROM due_month_position") == 500_000


@pytest.mark.parametrize("order", [("SETTLED", "RETURNED"), ("RETURNED", "SETTLED"), ("RETURNED",)])
@pytest.mark.parametrize("together", [True, False])
async def test_money_that_comes_back_ends_returned_in_any_order(world: Any, order: tuple[str, ...], together: bool) -> None:
    line = world.line()
    await sent(world, line)
    words = [await world.result(status, line) for status in order]
    for notice in [words] if together else [[word] for word in words]:
        await world.notice(*notice)
    assert await world.statuses() == {"RETURNED": 1}
    assert [kind for kind, _ in await world.events()] == ["PaymentInstructed", "PaymentSettled", "PaymentReturned"]
    assert await world.rows("SELECT kind FROM ledger_transfer ORDER BY transfer_id") == [
        {"kind": "RESERVE"}, {"kind": "SEND"}, {"kind": "SETTLE"}, {"kind": "RETURN"},
    ]  # fmt: skip
    assert await world.rows("SELECT committed, paid FROM due_month_position") == [{"committed": 0, "paid": 0}]
    assert await world.rows("SELECT reserved, spent FROM budget") == [{"reserved": 0, "spent": 0}]
    assert await reasons(world) == []


async def test_cash_is_collected_or_not(world: Any) -> None:
    taken, left = (world.line(partner="vnpost", channel=channel) for channel in ("CASH_POST", "CASH_HOME"))
    await sent(world, taken, left)
    words = [await world.result("COLLECTED", taken), await world.result("UNCOLLECTED", left, code="NOT_COLLECTED_CANCELLED")]
    await world.notice(*words, partner="vnpost")
    assert await world.statuses() == {"COLLECTED": 1, "UNCOLLECTED": 1}
    assert sorted(kind for kind, _ in (await world.events())[2:]) == ["CashCollected", "PaymentUncollected"]
    assert await world.value("SELECT reason FROM payment WHERE status = 'UNCOLLECTED'") == "NOT_COLLECTED"


async def test_a_payment_that_was_never_sent_cannot_be_settled(world: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.notice(await world.result("SETTLED", line))
    assert await world.statuses() == {"APPROVED": 1}
    assert await reasons(world) == ["NOT_SENT"]
    await world.send()
    assert await world.statuses() == {"CANCELLED": 1}, "nor is it sent while a person has to look at that word"
    assert await world.books() == []


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"type":"payment.results"}', b'{"type":"other","results":[]}'])
async def test_an_unreadable_notice_is_kept_and_set_aside(world: Any, body: bytes) -> None:
    assert (await world.deliver(body)).status_code == 202
    await world.apply()
    assert await reasons(world) == ["UNREADABLE"]
    assert await world.value("SELECT state FROM partner_notice") == "REFUSED"


async def test_odd_values_never_stop_the_worker(world: Any) -> None:
    line = world.line()
    await sent(world, line)
    odd = [
        7, None, {}, {"reference": "A\x00B", "status": "SETTLED"}, {"reference": ["x"], "status": {"a": 1}, "amount": 2**70},
        {"reference": "x" * 10_000, "status": "SETTLED", "occurred_at": "yesterday", "amount": -(2**62), "currency": 9},
    ]  # fmt: skip
    await world.notice(*odd, await world.result("SETTLED", line))
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT state FROM partner_notice") == "APPLIED"


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 202), (299, 202), (301, 401)])
async def test_the_time_stamp_window_is_five_minutes_both_ways(
    world: Any, seconds: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)  # it may be a long way to where the stamp is read
    answer = await world.deliver({"type": "payment.results", "results": []}, stamp=moment + timedelta(seconds=seconds))
    assert answer.status_code == status


async def test_only_the_partners_own_live_secrets_are_believed(world: Any, secrets: tuple[str, str, str]) -> None:
    now, following, wrong = secrets
    empty = {"type": "payment.results", "results": []}
    assert (await world.deliver(empty, secret=now)).status_code == 202
    assert (await world.deliver(empty, secret=following)).status_code == 202
    refused = await world.deliver(empty, secret=wrong)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert (await world.deliver(empty, partner="nobody")).status_code == 404
    assert await world.value("SELECT count(*) FROM partner_notice") == 2


async def test_an_oversized_notice_is_refused(world: Any) -> None:
    assert (await world.deliver(b"x" * (9 * 1024 * 1024))).status_code == 413
    assert await world.value("SELECT count(*) FROM partner_notice") == 0


async def test_notices_are_encrypted_at_rest(world: Any) -> None:
    await world.deliver({"type": "payment.results", "results": [], "note": "CANARY-4711"})
    assert b"CANARY-4711" not in bytes(await world.value("SELECT body FROM partner_notice"))


async def test_silent_payments_are_inquired_and_lost_ones_set_aside(world: Any, client_as: Any) -> None:
    known, lost = world.line(), world.line()
    await sent(world, known, lost)
    await world.simulator.settle()
    async with world.owner() as tx:
        await tx.execute("UPDATE payment SET reference = 'LOST1' WHERE line_id = :id", id=lost.line_id)
    assert await world.inquire()
    assert await world.statuses() == {"SETTLED": 1, "SUBMITTED": 1}
    assert await reasons(world) == ["LOST_BY_PARTNER"]
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    for before in range(2):
        await world.inquire()
        [item] = (await officer.get("/v1/quarantine")).json()["items"]
        assert (item["reason"], item["dismissed_before"]) == ("LOST_BY_PARTNER", before), "nobody else tells that she is not paid"
        dismissed = await officer.post(f"/v1/quarantine/{item['quarantine_id']}/dismiss", json={"note": "asked the bank"})
        assert dismissed.json()["outcome"] == "DISMISSED", dismissed.text
    assert await world.value("SELECT source FROM payment_history WHERE status = 'SETTLED'") == "INQUIRY"


async def test_set_aside_words_are_listed_and_marked_as_looked_at(world: Any, client_as: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line, amount=1))
    await world.partner_works()
    await world.apply()
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER)
    refused = await officer.post(f"/v1/cycles/{world.cycle_id}/close")
    assert (refused.status_code, refused.json()["open_quarantine"]) == (409, 1)
    [item] = (await officer.get("/v1/quarantine")).json()["items"]
    work = (await officer.get("/v1/work")).json()["items"]
    assert [(one["count"], one["resolve"]["path"]) for one in work if one["kind"] == "quarantine"] == [
        (1, "/v1/quarantine/{quarantine_id}/dismiss")
    ]
    assert (item["reason"], item["said"]["amount"], item["text_vi"]) == ("AMOUNT_DIFFERS", "1", "Số tiền không khớp")
    elsewhere = client_as(world.app, Role.DEPARTMENT_OFFICER, units=("91",))
    assert (await elsewhere.get("/v1/quarantine")).json()["items"] == []
    path = f"/v1/quarantine/{item['quarantine_id']}/dismiss"
    assert (await elsewhere.post(path, json={"note": "not mine to look at"})).status_code == 404
    assert (await officer.post(path, json={"note": "asked the bank"})).status_code == 200
    assert (await officer.post(f"/v1/cycles/{world.cycle_id}/close")).status_code == 200
