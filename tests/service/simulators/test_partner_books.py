"""Batches, books, results and notices of the partner simulator."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import orjson

WRONG = "whsec_" + "d3Jvbmcgc2VjcmV0IHdyb25nIHNlY3JldCEhISE="


async def test_batch_is_taken_settled_booked_and_told(bench: Any) -> None:
    it = await bench()
    answer = await it.batch("b1", it.pay("r1"), it.pay("r2", amount=700_000))
    assert (answer.status_code, answer.json()) == (202, {"batch_reference": "b1", "accepted": 2, "refused": []})
    assert await it.statuses("r1", "r3") == ["RECEIVED", "NOT_FOUND"]
    await it.run()
    told = {row["reference"]: row for row in it.platform.results}
    assert told["r2"]["amount"] == 700_000
    assert told["r2"] == (await it.inquire("r2"))[0]
    books = await it.books()
    assert books["partners"]["agribank"] == {"SETTLED": {"count": 2, "amount": 1_200_000}}
    assert books["booked_amount"] == 1_200_000
    assert books["quiet"]
    await it.no_doubles()


async def test_results_wait_while_held(bench: Any) -> None:
    it = await bench()
    await it.hold(held=True)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    assert (await it.statuses("r1"), it.platform.results) == (["RECEIVED"], [])
    await it.hold(held=False)
    await it.run()
    assert await it.statuses("r1") == ["SETTLED"]


async def test_same_batch_again_has_the_same_answer_and_other_bytes_are_refused(bench: Any) -> None:
    it = await bench()
    first = await it.batch("b1", it.pay("r1"), it.pay("r2", currency="USD"))
    await it.run()
    again = await it.batch("b1", it.pay("r1"), it.pay("r2", currency="USD"))
    assert (again.status_code, again.content) == (202, first.content)
    assert (await it.batch("b1", it.pay("r1", amount=1))).status_code == 409
    await it.run()
    assert len(it.platform.results) == 1
    assert (await it.books())["booked_amount"] == 500_000


async def test_a_reference_is_taken_once_for_ever(bench: Any) -> None:
    it = await bench()
    await it.batch("b1", it.pay("r1"))
    await it.run()
    for name, payment in (("b2", it.pay("r1")), ("b3", it.pay("r1", amount=900_000))):
        answer = await it.batch(name, payment, it.pay(f"{name}-new"))
        assert (answer.status_code, answer.json()["references"]) == (409, ["r1"])
        assert await it.statuses(f"{name}-new") == ["NOT_FOUND"]
    assert (await it.batch("b4", it.pay("r9"), it.pay("r9"))).status_code == 400
    assert (await it.books())["booked_amount"] == 500_000


async def test_refused_line_by_line(bench: Any) -> None:
    it = await bench()
    destination = {"provider_code": "AGRIBANK", "account_number": "1"}
    bad = {
        "CURRENCY_UNSUPPORTED": it.pay("r1", currency="USD"),
        "AMOUNT_LIMIT": it.pay("r2", amount=0),
        "BAD_DESTINATION": {**it.cash("r3", "F1"), "account": destination},
        "CHANNEL_UNSUPPORTED": it.cash("r4", "F1"),
        "NAME_FORMAT": it.pay("r5", payee_name="ĐẶNG THỊ HOA"),
        "TEXT_FORMAT": it.pay("r6", text="x" * 26),
    }
    answer = (await it.batch("b1", it.pay("good"), *bad.values())).json()
    assert answer["accepted"] == 1
    assert [refused["code"] for refused in answer["refused"]] == list(bad)
    assert await it.statuses("good", "r1") == ["RECEIVED", "NOT_FOUND"]


async def test_malformed_and_unsigned_requests_are_refused(bench: Any) -> None:
    it = await bench()
    assert (await it.batch("b1", it.pay("r1"), secret=WRONG)).status_code == 401
    body = orjson.dumps({"batch_reference": "b1", "payments": [it.pay("r1")]})
    assert (await it.client.post("/agribank/v1/batches", content=body)).status_code == 401
    assert (await it.batch("b1", it.pay("r1"), partner="nobody")).status_code == 404
    assert (await it.batch("b1")).status_code == 400
    wrong = await it.batch("b1", it.pay("r1"), it.pay("r2", amount="500000"))
    assert (wrong.status_code, wrong.json()["message"].split(":")[0]) == (400, "payments.1.amount")
    headers = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    assert (await it.client.post("/agribank/v1/inquiries", json={"references": ["r1"]}, headers=headers)).status_code == 401
    assert (await it.books())["partners"] == {}


async def test_the_world_decides(bench: Any) -> None:
    it = await bench(world=True)
    await it.batch("b1", *(it.pay(f"r{n}", account=str(n)) for n in (1001, 1002, 1003, 1004, 1005, 1006, 9999)))
    await it.batch("b2", it.cash("c1", "F1"), it.cash("c2", "F2"), it.cash("c3", "F3"), partner="vnpost")
    await it.run()
    asked = await it.inquire(*(f"r{n}" for n in (1001, 1002, 1003, 1004, 1005, 1006, 9999)))
    assert [(row["status"], row["code"]) for row in asked] == [
        ("SETTLED", None),
        ("FAILED", "ACCOUNT_CLOSED"),
        ("FAILED", "ACCOUNT_CLOSED"),
        ("FAILED", "NAME_DIFFERS"),
        ("FAILED", "ACCOUNT_DORMANT"),
        ("RETURNED", "ACCOUNT_CLOSED"),
        ("FAILED", "ACCOUNT_INVALID"),
    ]
    collected = await it.inquire("c1", "c2", "c3", partner="vnpost")
    assert [row["status"] for row in collected] == ["COLLECTED", "UNCOLLECTED", "COLLECTED"]
    assert collected[1]["code"] == "NOT_COLLECTED_CANCELLED"
    assert (await it.books())["booked_amount"] == 1_500_000
    await it.no_doubles()
    lines = list(csv.DictReader(io.StringIO((await it.client.post("/control/statement", json={})).text)))
    assert sum(int(line["amount"]) for line in lines) == 1_500_000
    assert [line["entry"] for line in lines if line["reference"] == "r1006"] == ["CREDIT", "REVERSAL"]


async def test_a_world_that_is_not_there_yet_leaves_payments_received(bench: Any, tmp_path: Any) -> None:
    it = await bench(world=True)
    (tmp_path / "world.sqlite").rename(tmp_path / "later.sqlite")
    await it.batch("b1", it.pay("r1"))
    await it.run()
    accounts = {"accounts": [{"provider_code": "AGRIBANK", "account_number": "1001"}]}
    assert (await it.client.post("/agribank/v1/name-inquiries", json=accounts)).status_code == 503
    assert await it.statuses("r1") == ["RECEIVED"]
    (tmp_path / "later.sqlite").rename(tmp_path / "world.sqlite")
    await it.run()
    assert await it.statuses("r1") == ["SETTLED"]


async def test_name_inquiry(bench: Any) -> None:
    it = await bench(world=True)

    async def ask(number: str, provider: str = "AGRIBANK", national: str | None = "060148000001") -> tuple[str, str | None, str]:
        asked = {"accounts": [{"provider_code": provider, "account_number": number, "national_number": national}]}
        row = (await it.client.post("/agribank/v1/name-inquiries", json=asked)).json()["results"][0]
        assert (row["provider_code"], row["account_number"]) == (provider, number)
        return row["status"], row["holder_name"], row["id_match"]

    assert await ask("1001") == ("OK", "DANG THI HOA", "MATCH")
    assert await ask("1001", national="123456789") == ("OK", "DANG THI HOA", "MISMATCH")
    assert await ask("1001", national=None) == ("OK", "DANG THI HOA", "NOT_GIVEN")
    assert await ask("1002") == ("CLOSED", None, "NOT_GIVEN")
    assert (await ask("1005"))[0] == "DORMANT"
    assert (await ask("9999"))[0] == "NOT_FOUND"
    assert (await ask("99MM1", "MOMO"))[0] == "UNSUPPORTED"


async def test_notices_are_sent_until_taken_under_one_id(bench: Any) -> None:
    it = await bench(notice_size=2)
    it.platform.refuse = 3
    await it.batch("b1", *(it.pay(f"r{n}") for n in range(5)))
    for _ in range(10):
        await it.run(seconds=30)
    ids = [webhook_id for webhook_id, _ in it.platform.attempts]
    assert (len(ids), len(set(ids))) == (6, 3)
    assert sorted(row["reference"] for row in it.platform.results) == [f"r{n}" for n in range(5)]
    assert (await it.books())["notices"] == {"pending": 0, "delivered": 3, "spoilt_accepted": 0}


async def test_a_redirect_or_a_dead_line_is_no_delivery(bench: Any) -> None:
    it = await bench()
    answers: list[httpx.Response | Exception] = [httpx.Response(307, headers={"location": "/x"}), httpx.ConnectError("away")]

    def broken(request: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    it.runtime._client._transport = httpx.MockTransport(broken)
    await it.batch("b1", it.pay("r1"))
    await it.run()
    await it.run(seconds=30)
    assert answers == []
    it.runtime._client._transport = httpx.MockTransport(it.platform.take)
    await it.run(seconds=30)
    assert [row["reference"] for row in it.platform.results] == ["r1"]


async def test_books_are_paged(bench: Any) -> None:
    it = await bench()
    await it.batch("b1", *(it.pay(f"r{n}") for n in range(5)))
    first = (await it.client.get("/control/books/payments", params={"limit": 3})).json()
    rest = (await it.client.get("/control/books/payments", params={"limit": 3, "after": first["next"]})).json()
    assert [row["reference"] for row in first["payments"] + rest["payments"]] == [f"r{n}" for n in range(5)]
    assert rest["next"] is None
    assert (await it.client.get("/control/books", params={"partner": "nobody"})).status_code == 404
