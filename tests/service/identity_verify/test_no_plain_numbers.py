"""Plain national numbers stand in no table, event, log or answer: only in the file a person with the right downloads."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from common import consumer, outside
from common.actor import Role
from common.ids import new_id

NUMBERS = ("060150123451", "060150123452", "060150123453", "060150123454")
STRANGER = "060150999999"


async def everything_stored(world) -> str:
    """All rows of all tables as text; bytes as PostgreSQL shows them."""
    async with world.db.read() as tx:
        tables = [row["name"] for row in await tx.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
        rows = [row["t"] for table in tables for row in await tx.rows(f"SELECT CAST(t AS text) AS t FROM {table} t")]
    assert len(rows) > 30
    return "\n".join(rows)


def leaks(text: str) -> list[str]:
    """Which numbers stand in a text, plainly or as the bytes of their digits."""
    return [number for number in (*NUMBERS, STRANGER) if number in text or number.encode().hex() in text]


@pytest.fixture
async def lived(world, client_as):
    """A service through which numbers went in every way there is."""
    clear, unclear, by_file, missing = (world.person(number=number) for number in NUMBERS)
    world.knows(NUMBERS[0])
    world.knows(NUMBERS[1], name="Trần Thị Phượng", reference=f"PD-{NUMBERS[1]}", fields={"sex": NUMBERS[1]})
    world.population.script = [
        httpx.Response(500, text=NUMBERS[0]), httpx.ConnectError(f"{NUMBERS[1]} away"), httpx.Response(200, text=f"<{NUMBERS[2]}>"),
    ]  # fmt: skip
    await world.hear([clear, unclear, missing])
    for _ in range(4):
        await world.drain()
        await world.all_due()
    await world.hear([by_file, world.person("Người Khác", NUMBERS[0])])
    broken = world.person("Hỏng\x00", NUMBERS[0])
    await world.hear([broken])
    world.population.deaths = [NUMBERS[0], STRANGER]
    await world.feed.poll_once()
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER, Role.APPROVER, subject="officer")
    approver = client_as(world.app, Role.APPROVER, subject="approver")
    body = {"unit_path": "60", "business_date": "2024-08-20"}
    made = await officer.post("/v1/verification/exchanges", json=body, headers={"Idempotency-Key": new_id().hex})
    path = f"/v1/verification/exchanges/{made.json()['exchange_id']}"
    file = await officer.get(f"{path}/file", params={"purpose": "Giao công an xã", "form": "csv"})
    assert NUMBERS[2] in file.text, "the right and a purpose: the file has them"
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    for row in rows[3:]:
        row += [""] * (16 - len(row))
        row[8], row[14], row[15] = "Khớp", f"CA-{row[2]}", row[2]
    rows[-1][8] = f"?{rows[-1][2]}"  # a result nobody agreed on
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    answers = (await officer.post(f"{path}/answers", files={"file": ("a.csv", out.getvalue().encode())})).json()
    await approver.post(f"/v1/verification/answers/{answers['answer_id']}/approve")
    await world.work()
    await world.drain()
    return answers["answer_id"], path


async def test_no_table_and_no_event_holds_one(world, lived) -> None:
    assert leaks(await everything_stored(world)) == []
    assert leaks(str(await world.events())) == []


class Log:
    """Keeps what is logged, before anything is redacted from it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str):
        return lambda event, **fields: self.lines.append(f"{level} {event} {fields}")


async def test_no_log_line_holds_one(world, monkeypatch) -> None:
    log = Log()
    for module in (outside, consumer):
        monkeypatch.setattr(module, "_log", log)
    world.population.script = [httpx.Response(500, text=NUMBERS[0]), httpx.ConnectError(f"{NUMBERS[0]} away")]
    await world.hear([world.person(number=NUMBERS[0]), world.person("Hỏng\x00", NUMBERS[1])])
    for _ in range(3):
        await world.drain()
        await world.all_due()
    assert len(log.lines) >= 3
    assert leaks("\n".join(log.lines)) == []


async def test_no_answer_holds_one(world, client_as, lived) -> None:
    answer_id, exchange = lived
    client = client_as(
        world.app, Role.COMMUNE_POLICE, Role.DEPARTMENT_OFFICER, Role.AUDITOR, Role.OPERATOR, Role.APPROVER, subject="everybody"
    )
    people = (await client.get("/v1/verifications")).json()["items"]
    assert len(people) >= 4
    paths = [
        "/v1/progress", "/v1/verifications", "/v1/verification/progress", "/v1/verification/work-list", "/v1/verification/number-conflicts",
        "/v1/verification/issue-requests", "/v1/verification/grace-periods", "/v1/verification/exchanges", exchange,
        f"/v1/verification/answers/{answer_id}", "/v1/parked-events", "/v1/quiet",
        *(f"/v1/verifications/{person['subject_id']}" for person in people),
        *(f"/v1/verification/work-list/{person['subject_id']}/side-by-side?purpose=Xem+thu" for person in people),
    ]  # fmt: skip
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code in ((200, 404) if "side-by-side" in path else (200,)), (path, answer.text)
        assert leaks(answer.text) == [], path
    refused = await client_as(world.app, Role.AUDITOR, subject="auditor").get(f"{exchange}/file", params={"purpose": "Xem thử"})
    assert refused.status_code == 403
