"""A treasurer's worst day, at the partners: one statement with there and back, one booking in two files, words nobody should send."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

import pytest

from common import clock
from common.auth import Role
from common.jobs import JobRunner
from common.webhooks import sign
from disbursement.storage.gate import DISPUTED_SQL
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler

HEAD = "Ngày giao dịch;Số bút toán;Mã tham chiếu;Ghi nợ;Ghi có;Diễn giải\n"
PERIOD = {"from_date": "2024-09-01", "to_date": "2024-09-10"}


@pytest.fixture
def officer(world: Any, client_as: Any) -> Any:
    return client_as(world.app, Role.DEPARTMENT_OFFICER)


async def reference(world: Any, line: Any) -> str:
    found: str = await world.value("SELECT reference FROM payment WHERE line_id = :id", id=line.line_id)
    return found


async def statement(world: Any, client: Any, rows: str, *, key: str, **form: str) -> dict[str, Any]:
    """Upload and work off; the statement's detail."""
    answer = await client.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11", **PERIOD, **form},
        files={"file": ("sao-ke.csv", (HEAD + rows).encode(), "text/csv")},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 202, answer.text
    await work(world)
    return (await client.get(f"/v1/statements/{answer.json()['statement_id']}")).json()  # type: ignore[no-any-return]


async def work(world: Any) -> None:
    runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
    while await runner.run_one():
        pass


def verdicts(detail: dict[str, Any]) -> dict[str, int]:
    return {row["verdict"]: row["lines"] for row in detail["verdicts"]}


THERE_AND_BACK = "05/09/2024;FT1;{ref};500000;;\n06/09/2024;FT2;{ref};;500000;hoan tra\n"


async def sent_and_told_by_nobody(world: Any, status: str) -> str:
    """One payment that nobody told of, SUBMITTED or UNKNOWN; its reference."""
    line = world.line()
    await world.approve([line])
    if status == "UNKNOWN":
        await world.script("timeout_after_accept", seconds=0)
    await world.send()
    assert await world.statuses() == {status: 1}
    return await reference(world, line)


@pytest.mark.parametrize("status", ["SUBMITTED", "UNKNOWN"])
async def test_money_that_went_and_came_back_in_one_signed_statement_is_back(world: Any, officer: Any, client_as: Any, status: str) -> None:
    """Nobody told of the payment before: the partner's statement alone says that it arrived and that it came back."""
    content = (HEAD + THERE_AND_BACK.format(ref=await sent_and_told_by_nobody(world, status))).encode()
    path = f"/v1/webhooks/partners/agribank/statements?file_name=sao-ke.csv&{urlencode(PERIOD)}"
    answer = await client_as(world.app).post(path, content=content, headers=sign(world.inbound, "st_1", clock.now(), content))
    assert answer.status_code == 202, answer.text
    await work(world)
    detail = (await officer.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    assert verdicts(detail) == {"MATCHED": 1, "REVERSED": 1}
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value("SELECT paid + committed FROM due_month_position") == 0
    assert await world.value("SELECT reserved + spent FROM budget") == 0


@pytest.mark.parametrize("status", ["SUBMITTED", "UNKNOWN"])
async def test_an_uploaded_statement_alone_makes_no_month_payable_again(world: Any, officer: Any, client_as: Any, status: str) -> None:
    """A file that one person brings may say that money arrived, not that it came back: two people, or the partner, say so."""
    ref = await sent_and_told_by_nobody(world, status)
    detail = await statement(world, officer, THERE_AND_BACK.format(ref=ref), key="there-and-back")
    assert verdicts(detail) == {"MATCHED": 1, "RETURN_UNCONFIRMED": 1}
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT paid FROM due_month_position") == 500_000
    again = await statement(world, officer, f"06/09/2024;FT2;{ref};;500000;hoan tra lan nua\n", key="once-more")
    assert verdicts(again) == {"RETURN_UNCONFIRMED": 1}, "saying it twice is not two people"
    assert await world.statuses() == {"SETTLED": 1}
    items = (await officer.get("/v1/breaks", params={"business_date": "2024-09-12", "kind": "RETURN_UNCONFIRMED"})).json()["items"]
    path = f"/v1/breaks/{items[0]['break_id']}/resolution"
    word = {"resolution": "RETURNED", "note": "Ngân hàng đã hoàn", "evidence": "CV 214/NHNo", "business_date": "2024-09-12"}
    assert (await officer.post(path, json=word)).status_code == 200
    yes = {"confirm": True, "note": "Đã xem công văn", "business_date": "2024-09-12"}
    assert (await officer.post(f"{path}/decision", json=yes)).status_code == 409
    checker = client_as(world.app, Role.APPROVER, subject="second")
    assert (await checker.post(f"{path}/decision", json=yes)).json()["state"] == "RESOLVED"
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value("SELECT paid + committed FROM due_month_position") == 0
    await statement(world, officer, f"07/09/2024;FT9;{ref};;500000;hoan tra lan ba\n", key="third-file")
    left = await world.value("SELECT count(*) FROM reconciliation_break WHERE kind = 'RETURN_UNCONFIRMED' AND state <> 'RESOLVED'")
    assert left == 0, "what two people ended explains the other lines that said it"


async def test_a_booking_that_two_statements_repeat_is_one_booking(world: Any, officer: Any) -> None:
    """Periods overlap, or the same day comes as CSV and again in another form: the bank's own number says that it is one booking."""
    line = world.line()
    await world.approve([line])
    await world.send()
    ref = await reference(world, line)
    await statement(world, officer, f"05/09/2024;FT1;{ref};500000;;\n", key="first-file")
    again = await statement(world, officer, f"05/09/2024;FT1;{ref};500000;;tro cap\n", key="second-file")
    assert verdicts(again) == {"MATCHED": 1}
    assert (await officer.get("/v1/breaks", params={"business_date": "2024-09-11"})).json()["items"] == []
    other = await statement(world, officer, f"05/09/2024;FT7;{ref};500000;;\n", key="third-file")
    assert verdicts(other) == {"DUPLICATE": 1}


def debit(n: int, ref: str) -> str:
    return f"{n:02}/09/2024;FT{n};{ref};500000;;\n"


def credit(n: int, ref: str) -> str:
    return f"{n:02}/09/2024;FT{n};{ref};;500000;hoan tra\n"


async def signed_statements(world: Any, officer: Any, client: Any, *files: str) -> list[dict[str, int]]:
    """The partner's own statements, one after the other; the verdicts of each."""
    found = []
    for number, rows in enumerate(files):
        content = (HEAD + rows).encode()
        path = f"/v1/webhooks/partners/agribank/statements?file_name=sao-ke.csv&{urlencode(PERIOD)}"
        answer = await client.post(path, content=content, headers=sign(world.inbound, f"file_{number}", clock.now(), content))
        assert answer.status_code == 202, answer.text
        await work(world)
        found.append(verdicts((await officer.get(f"/v1/statements/{answer.json()['statement_id']}")).json()))
    return found


async def test_money_that_came_back_and_went_out_again_is_with_the_person(world: Any, officer: Any, client_as: Any) -> None:
    ref = await sent_and_told_by_nobody(world, "SUBMITTED")
    [found] = await signed_statements(world, officer, client_as(world.app), debit(5, ref) + credit(6, ref) + debit(7, ref))
    assert found == {"MATCHED": 2, "EXTRA": 1}, "somebody looks at the credit that was undone"
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT paid FROM due_month_position") == 500_000


async def test_money_that_goes_out_again_later_keeps_its_months_closed(world: Any, officer: Any, client_as: Any) -> None:
    """We hold it returned, its months payable: the bank then pays the same transfer after all."""
    ref = await sent_and_told_by_nobody(world, "SUBMITTED")
    client = client_as(world.app)
    assert await signed_statements(world, officer, client, debit(5, ref), credit(6, ref), debit(7, ref)) == [
        {"MATCHED": 1}, {"REVERSED": 1}, {"STATUS_DIFFERS": 1},
    ]  # fmt: skip
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value(f"SELECT count(*) FROM ({DISPUTED_SQL}) x") == 1
    [waits] = (await officer.get("/v1/breaks", params={"business_date": "2024-09-12", "state": "OPEN"})).json()["items"]
    assert (waits["kind"], waits["waiting"]) == ("STATUS_DIFFERS", 1)


async def test_a_debit_that_comes_after_its_credit_is_the_one_that_was_undone(world: Any, officer: Any, client_as: Any) -> None:
    ref = await sent_and_told_by_nobody(world, "SUBMITTED")
    line_id = await world.value("SELECT line_id FROM payment")
    await world.notice(await world.result("SETTLED", world.line(line_id=line_id)))
    assert await signed_statements(world, officer, client_as(world.app), credit(6, ref), debit(5, ref)) == [{"REVERSED": 1}, {"MATCHED": 1}]
    assert await world.statuses() == {"RETURNED": 1}


async def test_money_that_came_back_twice_is_somebodys(world: Any, officer: Any, client_as: Any) -> None:
    ref = await sent_and_told_by_nobody(world, "SUBMITTED")
    client = client_as(world.app)
    assert await signed_statements(world, officer, client, debit(5, ref) + credit(6, ref), credit(7, ref)) == [
        {"MATCHED": 1, "REVERSED": 1}, {"EXTRA": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        "05/09/2024;FT1;{ref};99999999999999999999;;\n",
        "05/09/2024;FT1;{ref};-500000;;\n",
        "05/09/2024;F\x00T1;{ref};500000;;\n",
        "31/02/2024;FT1;{ref};500000;;\n",
        "05/09/2024;FT1;{ref};500000,5;;\n",
    ],
)
async def test_odd_statement_lines_refuse_the_file_or_are_read_never_stop_the_worker(world: Any, officer: Any, row: str) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    detail = await statement(world, officer, row.format(ref=await reference(world, line)), key="odd-file")
    assert detail["state"] in {"REFUSED", "RECONCILED"}, detail
    if detail["state"] == "REFUSED":
        assert await world.statuses() == {"SUBMITTED": 1}


async def test_a_foreign_currency_is_not_ours(world: Any, officer: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    ref = await reference(world, line)
    answer = await officer.post(
        "/v1/statements",
        data={"partner": "agribank", "business_date": "2024-09-11", **PERIOD},
        files={"file": ("s.csv", f"Ngày giao dịch;Mã tham chiếu;Ghi nợ;Loại tiền\n05/09/2024;{ref};500000;USD\n".encode(), "text/csv")},
        headers={"Idempotency-Key": "usd-file-1"},
    )
    runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
    assert await runner.run_one()
    detail = (await officer.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    assert verdicts(detail)["AMOUNT_DIFFERS"] == 1
    assert await world.statuses() == {"SUBMITTED": 1}


@pytest.mark.parametrize("stamp", ["999999999999", "253402300800", "0"])
async def test_a_stamp_beyond_the_calendar_is_no_signature(world_of: Any, stamp: str) -> None:
    async with world_of(channel="wallet_query", known_as="ANSINH") as world:
        query = f"notice_id=n1&sent_at={stamp}"
        signature = hmac.new(b"guess", query.encode(), hashlib.sha512).hexdigest()
        answer = await _get(world, f"/v1/webhooks/partners/momo?{query}&signature={signature}")
        assert answer.status_code == 401, answer.text


async def _get(world: Any, path: str) -> Any:
    import httpx

    transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
        return await http.get(path)
