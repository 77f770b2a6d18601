"""Statements against our books: every kind of difference is found, nothing else is; one unknown line blocks nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from common import clock
from common.auth import Role
from common.jobs import JobRunner
from common.webhooks import sign
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler

HEAD = "Ngày giao dịch;Số bút toán;Mã tham chiếu;Ghi nợ;Ghi có;Diễn giải\n"
PERIOD = {"from_date": "2024-09-01", "to_date": "2024-09-10"}


async def _references(world: Any, lines: list[Any]) -> list[str]:
    return [await world.value("SELECT reference FROM payment WHERE line_id = :id", id=line.line_id) for line in lines]


def _csv(*rows: tuple[str, str, int, int, str]) -> bytes:
    body = "".join(f"{day};FT{n};{ref};{out or ''};{back or ''};{text}\n" for n, (day, ref, out, back, text) in enumerate(rows))
    return (HEAD + body).encode()


async def _upload(world: Any, client: Any, content: bytes, *, key: str = "statement-1", **form: str) -> dict[str, Any]:
    answer = await client.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11", **PERIOD, **form},
        files={"file": ("sao-ke.csv", content, "text/csv")},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _work(world: Any, chunk: int = 3) -> None:
    reconciler = Reconciler(world.db, world.keyring, chunk=chunk)
    runner = JobRunner(world.db, {JOB_KIND: reconciler.run}, owner="test")
    while await runner.run_one():
        pass


async def _verdicts(client: Any, statement_id: str) -> dict[str, int]:
    detail = (await client.get(f"/v1/statements/{statement_id}")).json()
    found: dict[str, int] = {}
    for row in detail["verdicts"]:
        found[row["verdict"]] = found.get(row["verdict"], 0) + row["lines"]
    return found


async def _paid(world: Any, count: int) -> list[Any]:
    lines = [world.line() for _ in range(count)]
    await world.approve(lines)
    await world.send()
    return lines


@pytest.fixture
def officer(world: Any, client_as: Any) -> Any:
    return client_as(world.app, Role.DEPARTMENT_OFFICER)


async def test_every_kind_of_difference_is_found_and_nothing_else(world: Any, officer: Any) -> None:
    lines = await _paid(world, 8)
    refs = await _references(world, lines)
    await world.notice(*[await world.result("SETTLED", line) for line in lines[:6]])
    await world.notice(await world.result("FAILED", lines[7], code="ACCOUNT_CLOSED"))
    day = "05/09/2024"
    content = _csv(
        (day, refs[0], 500_000, 0, ""),                      # matched
        (day, "", 500_000, 0, f"TRO CAP {refs[1]} T9"),      # matched: our reference stands in the text
        (day, refs[2], 499_000, 0, ""),                      # amount differs
        (day, refs[3], 500_000, 0, ""), (day, refs[3], 500_000, 0, ""),      # matched, then booked twice
        (day, refs[4], 500_000, 0, ""), ("06/09/2024", refs[4], 0, 500_000, ""),      # matched, then came back: nobody signed that
        (day, "", 1_100, 0, "PHI DICH VU"),                  # extra: not ours
        (day, refs[6], 500_000, 0, ""),                      # tells us that a payment still open arrived
        (day, refs[7], 500_000, 0, ""),                      # booked although we hold it dead
    )  # fmt: skip
    statement = await _upload(world, officer, content)
    await _work(world)
    assert await _verdicts(officer, statement["statement_id"]) == {
        "MATCHED": 5, "AMOUNT_DIFFERS": 1, "DUPLICATE": 1, "RETURN_UNCONFIRMED": 1, "EXTRA": 1, "STATUS_DIFFERS": 1, "MISSING": 1,
    }  # fmt: skip
    assert await world.statuses() == {"SETTLED": 7, "FAILED": 1}
    breaks = (await officer.get("/v1/breaks", params={"business_date": "2024-09-21"})).json()["items"]
    assert {(item["kind"], item["reference"]) for item in breaks} == {
        ("AMOUNT_DIFFERS", refs[2]), ("DUPLICATE", refs[3]), ("EXTRA", None), ("STATUS_DIFFERS", refs[7]), ("MISSING", refs[5]),
        ("RETURN_UNCONFIRMED", refs[4]),
    }  # fmt: skip
    assert {item["age_days"] for item in breaks} == {10}
    extra = next(item for item in breaks if item["kind"] == "EXTRA")
    assert (extra["partner_reference"], extra["booked_on"], extra["direction"]) == ("FT7", "2024-09-05", "OUT"), "found in the bank's books"
    rows = (await officer.get("/v1/breaks/ageing", params={"business_date": "2024-09-21"})).json()["rows"]
    assert {(row["kind"], row["age"], row["breaks"]) for row in rows} == {(item["kind"], "8-30", 1) for item in breaks}
    assert {row["kind"]: row["amount"] for row in rows} == {
        "AMOUNT_DIFFERS": 1_000, "DUPLICATE": 500_000, "EXTRA": 1_100, "STATUS_DIFFERS": 500_000, "MISSING": 500_000,
        "RETURN_UNCONFIRMED": 500_000,
    }  # fmt: skip


async def test_the_same_file_again_is_the_same_statement(world: Any, officer: Any) -> None:
    lines = await _paid(world, 1)
    refs = await _references(world, lines)
    content = _csv(("05/09/2024", refs[0], 500_000, 0, ""))
    first = await _upload(world, officer, content)
    await _work(world)
    again = await _upload(world, officer, content, key="statement-2")
    assert again["statement_id"] == first["statement_id"]
    await _work(world)
    assert await world.value("SELECT count(*) FROM statement_line") == 1
    assert await world.statuses() == {"SETTLED": 1}


async def test_a_later_statement_explains_what_was_missing_and_a_second_debit_is_seen(world: Any, officer: Any) -> None:
    lines = await _paid(world, 2)
    refs = await _references(world, lines)
    await world.notice(*[await world.result("SETTLED", line) for line in lines])
    first = await _upload(world, officer, _csv(("05/09/2024", refs[0], 500_000, 0, "")))
    await _work(world)
    assert (await _verdicts(officer, first["statement_id"]))["MISSING"] == 1
    later = _csv(("11/09/2024", refs[1], 500_000, 0, ""), ("11/09/2024", refs[0], 500_000, 0, ""))
    second = await _upload(world, officer, later, key="statement-2", from_date="2024-09-11", to_date="2024-09-11")
    await _work(world)
    assert await _verdicts(officer, second["statement_id"]) == {"MATCHED": 1, "DUPLICATE": 1}
    assert await world.rows("SELECT kind, resolution FROM reconciliation_break ORDER BY kind") == [
        {"kind": "DUPLICATE", "resolution": None}, {"kind": "MISSING", "resolution": "LATER_STATEMENT"},
    ]  # fmt: skip


async def test_a_batch_booked_as_one_debit_covers_its_payments(world: Any, officer: Any) -> None:
    lines = await _paid(world, 3)
    await world.notice(*[await world.result("SETTLED", line) for line in lines])
    batch = await world.value("SELECT reference FROM payment_batch")
    statement = await _upload(world, officer, _csv(("05/09/2024", batch, 1_500_000, 0, "CHI LUONG")))
    await _work(world)
    assert await _verdicts(officer, statement["statement_id"]) == {"MATCHED": 1}


async def test_a_difference_is_ended_by_two_people(world: Any, officer: Any, client_as: Any) -> None:
    lines = await _paid(world, 1)
    refs = await _references(world, lines)
    await world.notice(await world.result("SETTLED", lines[0]))
    await _upload(world, officer, _csv(("05/09/2024", "", 1_100, 0, "PHI")))
    await _work(world)
    items = (await officer.get("/v1/breaks", params={"business_date": "2024-09-11", "kind": "MISSING"})).json()["items"]
    assert [item["reference"] for item in items] == refs
    path = f"/v1/breaks/{items[0]['break_id']}/resolution"
    word = {"resolution": "RETURNED", "note": "Ngân hàng đã hoàn", "evidence": "CV 214/NHNo", "business_date": "2024-09-12"}
    assert (await officer.post(path, json=word)).json()["state"] == "PROPOSED"
    yes = {"confirm": True, "note": "Đã xem công văn", "business_date": "2024-09-12"}
    same = await officer.post(f"{path}/decision", json=yes)
    assert (same.status_code, same.json()["type"]) == (409, "/problems/same-resolver")
    approver = client_as(world.app, Role.APPROVER, subject="second")
    assert (await approver.post(f"{path}/decision", json=yes)).json()["state"] == "RESOLVED"
    told = [row["detail"] for row in await world.rows("SELECT detail FROM audit_log WHERE action LIKE 'break.%' ORDER BY id")]
    assert [(one["before"]["state"], one["after"]["state"]) for one in told] == [("OPEN", "PROPOSED"), ("PROPOSED", "RESOLVED")]
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value("SELECT source FROM payment_history ORDER BY version DESC LIMIT 1") == "MANUAL"
    assert (await approver.post(f"{path}/decision", json=yes)).status_code == 409


async def test_an_impossible_resolution_changes_nothing(world: Any, officer: Any, client_as: Any) -> None:
    await _paid(world, 1)
    await _upload(world, officer, _csv(("05/09/2024", "", 1_100, 0, "PHI")))
    await _work(world)
    [item] = (await officer.get("/v1/breaks", params={"business_date": "2024-09-11"})).json()["items"]
    word = {"resolution": "PAID", "note": "không rõ", "evidence": "không có", "business_date": "2024-09-12"}
    answer = await officer.post(f"/v1/breaks/{item['break_id']}/resolution", json=word)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/resolution-not-possible")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (HEAD.encode() + b"05/09/2024;FT1;;abc;;x\n", "row 2"),
        (HEAD.encode() + b"05/09/2024;FT1;;1;1;x\n", "row 2"),
        (HEAD.encode() + b"9/2024;FT1;;1;;x\n", "row 2"),
        (b"\x00\x01\x02", ""),
        (b"a;b\n1;2\n", ""),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_its_row(world: Any, officer: Any, content: bytes, word: str) -> None:
    statement = await _upload(world, officer, content)
    await _work(world)
    detail = (await officer.get(f"/v1/statements/{statement['statement_id']}")).json()
    assert detail["state"] == "REFUSED"
    assert word in detail["refusal"]
    assert await world.value("SELECT count(*) FROM statement_line") == 0


async def test_a_statement_without_lines_says_that_nothing_was_booked(world: Any, officer: Any) -> None:
    lines = await _paid(world, 2)
    await world.notice(*[await world.result("SETTLED", line) for line in lines])
    for key, period, missing in (
        ("statement-1", {"from_date": "2024-08-01", "to_date": "2024-08-31"}, {}),
        ("statement-2", {"from_date": "2024-09-01", "to_date": "2024-09-10"}, {"MISSING": 2}),
    ):
        statement = await _upload(world, officer, HEAD.encode(), key=key, **period)
        await _work(world)
        detail = (await officer.get(f"/v1/statements/{statement['statement_id']}")).json()
        assert (detail["state"], detail["lines"], detail["from_date"]) == ("RECONCILED", 0, period["from_date"])
        assert await _verdicts(officer, statement["statement_id"]) == missing
    again = await _upload(world, officer, HEAD.encode(), key="statement-3", **period)
    assert again["statement_id"] == statement["statement_id"]


async def test_a_file_without_lines_and_without_a_period_is_no_statement(world: Any, officer: Any) -> None:
    answer = await officer.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11"},
        files={"file": ("sao-ke.csv", HEAD.encode(), "text/csv")},
        headers={"Idempotency-Key": "no-period"},
    )
    await _work(world)
    detail = (await officer.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    assert detail["state"] == "REFUSED"
    assert "period" in detail["refusal"]


async def test_a_signed_statement_is_the_partners_and_an_unsigned_one_is_nobodys(world: Any, client_as: Any) -> None:
    lines = await _paid(world, 1)
    refs = await _references(world, lines)
    content = _csv(("05/09/2024", refs[0], 500_000, 0, ""))
    partner = client_as(world.app)
    path = "/v1/webhooks/partners/agribank/statements?file_name=sao-ke.csv&from_date=2024-09-01&to_date=2024-09-10"
    assert (await partner.post(path, content=content)).status_code == 401
    headers = sign(world.inbound, "st_1", clock.now(), content)
    answer = await partner.post(path, content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["source"], answer.json()["received_by"]) == ("SIGNED", "system:partner:agribank")
    await _work(world)
    assert await world.statuses() == {"SETTLED": 1}


async def test_a_worker_that_dies_between_chunks_is_followed_by_another(world: Any, officer: Any) -> None:
    lines = await _paid(world, 7)
    refs = await _references(world, lines)
    statement = await _upload(world, officer, _csv(*[("05/09/2024", ref, 500_000, 0, "") for ref in refs]))
    dying = Reconciler(world.db, world.keyring, chunk=2)
    statement_id = UUID(statement["statement_id"])
    assert await dying._read(statement_id) is None
    assert await dying._step(statement_id) is not None
    assert await world.statuses() == {"SETTLED": 2, "SUBMITTED": 5}
    await _work(world)
    assert await _verdicts(officer, statement["statement_id"]) == {"MATCHED": 7}
    assert await world.statuses() == {"SETTLED": 7}


async def test_the_file_lies_encrypted(world: Any, officer: Any) -> None:
    await _paid(world, 1)
    await _upload(world, officer, _csv(("05/09/2024", "", 1_100, 0, "PHI TK 0123456789")))
    assert b"0123456789" not in bytes(await world.value("SELECT content FROM statement"))
    assert date.fromisoformat(PERIOD["from_date"]) == await world.value("SELECT from_date FROM statement")


@pytest.mark.parametrize("way", ["difference", pytest.param("correction", marks=pytest.mark.slow)])
async def test_a_booked_payment_that_we_hold_failed_ends_by_a_correction(world: Any, officer: Any, client_as: Any, way: str) -> None:
    [line] = await _paid(world, 1)
    await world.notice(await world.result("FAILED", line, code="ACCOUNT_CLOSED"))
    [reference] = await _references(world, [line])
    await _upload(world, officer, _csv(("05/09/2024", reference, 500_000, 0, "chi tra")))
    await _work(world)
    assert await world.rows("SELECT kind, state FROM reconciliation_break") == [{"kind": "STATUS_DIFFERS", "state": "OPEN"}]
    assert await world.statuses() == {"FAILED": 1}, "a statement does not"
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    shown = {"note": "sao ke da ghi", "evidence": "sao ke 05/9/2024"}
    if way == "difference":
        path = f"/v1/breaks/{await world.value('SELECT break_id FROM reconciliation_break')}/resolution"
        proposed = await officer.post(path, json={**shown, "resolution": "PAID", "business_date": "2024-09-11"})
        assert (proposed.status_code, proposed.json()["waiting"]) == (200, 1), proposed.text
        done = await checker.post(f"{path}/decision", json={"confirm": True, "note": "da xem", "business_date": "2024-09-12"})
    else:
        payment = await world.value("SELECT payment_id FROM payment")
        asked = await officer.post(f"/v1/payments/{payment}/corrections", json={**shown, "happened_on": "2024-09-05"})
        done = await checker.post(f"/v1/manual-results/{asked.json()['manual_id']}/decision", json={"confirm": True, "note": "da xem"})
    assert done.json()["payment_status"] == "SETTLED", done.text
    assert await world.rows("SELECT state, resolution, decided_by FROM reconciliation_break") == [
        {"state": "RESOLVED", "resolution": "PAID", "decided_by": "checker"}
    ]
    assert await world.value("SELECT occurred_at FROM payment") == datetime(2024, 9, 5, 5, tzinfo=UTC)
