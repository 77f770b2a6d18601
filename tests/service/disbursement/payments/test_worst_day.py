"""A treasurer's worst day, at the partners: one statement with there and back, one booking in two files, words nobody should send."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from common.auth import Role
from common.jobs import JobRunner
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
    runner = JobRunner(world.db, {JOB_KIND: Reconciler(world.db, world.keyring).run}, owner="test")
    while await runner.run_one():
        pass
    return (await client.get(f"/v1/statements/{answer.json()['statement_id']}")).json()  # type: ignore[no-any-return]


def verdicts(detail: dict[str, Any]) -> dict[str, int]:
    return {row["verdict"]: row["lines"] for row in detail["verdicts"]}


@pytest.mark.parametrize("status", ["SUBMITTED", "UNKNOWN"])
async def test_money_that_went_and_came_back_in_one_statement_is_back(world: Any, officer: Any, status: str) -> None:
    """Nobody told of the payment before: the statement alone says that it arrived and that it came back."""
    line = world.line()
    await world.approve([line])
    if status == "UNKNOWN":
        await world.script("timeout_after_accept", seconds=0)
    await world.send()
    assert await world.statuses() == {status: 1}
    ref = await reference(world, line)
    detail = await statement(
        world, officer, f"05/09/2024;FT1;{ref};500000;;\n06/09/2024;FT2;{ref};;500000;hoan tra\n", key="there-and-back"
    )
    assert sum(verdicts(detail).values()) == 2
    assert "EXTRA" not in verdicts(detail)
    assert await world.statuses() == {"RETURNED": 1}
    assert await world.value("SELECT paid + committed FROM due_month_position") == 0
    assert await world.value("SELECT reserved + spent FROM budget") == 0


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
