"""Lists for the police: whole numbers only in the file, answers row by row, recorded only after another person's approval."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from common.actor import Role
from common.contracts import accounts_v1
from common.ids import new_id
from common.tabular import ColumnSpec, read_rows
from identity_verify.domain.verdict import SourceStatus
from identity_verify.population.filing import PopulationFile
from identity_verify.usecases.verify import Verifier
from simulators.population.app import create_app
from simulators.population.config import PopulationConfig
from simulators.world import WORLD_DDL

UNIT_PATH = "60/593/22924"
PEOPLE = {
    "060150000001": ("Trần Thị Phương", "1950-03-05", "ALIVE", None),
    "060150000002": ("Trần Thị Phượng", "1950-03-05", "ALIVE", None),
    "060150000003": ("Trần Thị Phương", "1950-03-05", "DECEASED", "2024-08-01"),
    "060150000004": ("Trần Thị Phương", "1951-03-05", "ALIVE", None),
}
NOT_THERE = "060150000009"


@pytest.fixture
async def police(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Police who know these people."""
    connection = sqlite3.connect(tmp_path / "world.sqlite")
    connection.executescript(WORLD_DDL)
    connection.executemany("INSERT INTO person VALUES (?, ?, ?, 'F', ?, ?, 0)", [(number, *values) for number, values in PEOPLE.items()])
    connection.commit()
    connection.close()
    app = create_app(PopulationConfig(world=tmp_path / "world.sqlite", state=tmp_path / "books.sqlite", token="a token of tests"))
    async with app.router.lifespan_context(app):
        headers = {"authorization": "Bearer a token of tests"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://police", headers=headers) as client:
            yield client


@pytest.fixture
async def people(world) -> dict[str, Any]:
    """Registered people, waiting; nobody is asked online."""
    found = {number: world.person(number=number) for number in (*PEOPLE, NOT_THERE)}
    await world.hear([*found.values(), world.person(number=None)])
    return found


class Office:
    """The people who carry lists."""

    def __init__(self, world, client_as) -> None:
        self.officer = client_as(world.app, Role.DEPARTMENT_OFFICER, Role.APPROVER, subject="officer")
        self.approver = client_as(world.app, Role.APPROVER, subject="approver")

    async def make(self, unit_path: str = UNIT_PATH, status: int = 201, **more: Any) -> dict[str, Any]:
        body = {"unit_path": unit_path, "business_date": "2024-08-20", **more}
        answer = await self.officer.post("/v1/verification/exchanges", json=body, headers={"Idempotency-Key": new_id().hex})
        assert answer.status_code == status, answer.text
        if status != 201:
            return dict(answer.json())
        return dict((await self.officer.get(f"/v1/verification/exchanges/{answer.json()['exchange_id']}")).json())

    async def file(self, exchange: dict[str, Any], form: str = "csv") -> bytes:
        path = f"/v1/verification/exchanges/{exchange['exchange_id']}/file"
        assert (await self.officer.get(path)).status_code == 422, "without a purpose"
        answer = await self.officer.get(path, params={"purpose": "Giao công an xã", "form": form})
        assert answer.status_code == 200, answer.text
        return answer.content

    async def send(self, exchange: dict[str, Any], content: bytes, name: str = "answers.csv") -> httpx.Response:
        return await self.officer.post(f"/v1/verification/exchanges/{exchange['exchange_id']}/answers", files={"file": (name, content)})


@pytest.fixture
def office(world, client_as) -> Office:
    return Office(world, client_as)


async def test_a_list_goes_out_and_its_answers_are_recorded_like_those_online(world, office, police, people) -> None:
    exchange = await office.make()
    assert exchange["people"] == 5
    await world.drain()
    assert world.population.asked == [], "who is on a list is not asked about online"
    sent = await office.file(exchange)
    assert all(number.encode() in sent for number in people)
    answered = (await police.post("/v1/files", content=sent)).content
    taken = await office.send(exchange, answered)
    assert taken.status_code == 202, taken.text
    view = taken.json()
    assert (view["readable"], view["unreadable"], view["state"]) == (5, [], "CHECKED")
    assert view["statuses"] == {"MATCH": 1, "MISMATCH": 2, "DECEASED": 1, "NOT_FOUND": 1}
    assert (await office.send(exchange, answered)).json()["already_taken"]
    await world.work()
    assert len(await world.verdicts()) == 1, "only the one without a number: nothing is recorded before approval"
    path = f"/v1/verification/answers/{view['answer_id']}"
    assert (await office.officer.post(f"{path}/approve")).json()["type"] == "/problems/second-person-required"
    assert (await office.approver.post(f"{path}/approve")).status_code == 202
    await world.work()
    verdicts = await world.verdicts()
    assert {number: verdicts[person.beneficiary_id] for number, person in people.items()} == {
        "060150000001": "VERIFIED", "060150000002": "REVIEW", "060150000003": "DECEASED", "060150000004": "REVIEW",
        NOT_THERE: "NOT_FOUND",
    }  # fmt: skip
    assert (await office.officer.get(path)).json()["state"] == "APPLIED"
    async with world.db.read() as tx:
        assert {row["source"] for row in await tx.rows("SELECT source FROM evidence WHERE source_status <> 'NOT_ASKED'")} == {
            "population-file"
        }
        reads = await tx.rows("SELECT purpose FROM audit_log WHERE action = 'exchange.downloaded'")
    assert [row["purpose"] for row in reads] == ["Giao công an xã"]


async def test_the_file_carries_the_account_masked_and_its_answer_is_kept(world, office, police, people) -> None:
    person = people["060150000001"]
    account = accounts_v1.AccountLinked(
        version=1, business_date=person.business_date, payee_id=person.beneficiary_id, account_id=new_id(), kind="BANK",
        provider_code="AGRIBANK", partner="agribank", account_number={}, masked_number="…6789", holder_name="TRAN THI PHUONG",
        status="ACTIVE", reason=None, unit_code=person.unit_code, unit_path=person.unit_path,
    )  # fmt: skip
    await world.hear([account])
    exchange = await office.make()
    sent = await office.file(exchange)
    [row] = [row for row in csv.reader(io.StringIO(sent.decode("utf-8-sig"))) if "060150000001" in row]
    assert row[6:8] == ["AGRIBANK", "…6789"]
    await police.post("/control/accounts", json={"060150000001": "mismatch"})
    view = (await office.send(exchange, (await police.post("/v1/files", content=sent)).content)).json()
    await office.approver.post(f"/v1/verification/answers/{view['answer_id']}/approve")
    await world.work()
    fields = {body["beneficiary_id"]: body["fields"] for _, body in await world.events()}
    assert fields[str(person.beneficiary_id)] == {
        "number": "match", "name": "MATCH", "birth_date": "match", "sex": "match", "account": "mismatch",
    }  # fmt: skip


async def test_unreadable_rows_are_named_and_the_others_kept(office, people) -> None:
    exchange = await office.make()
    rows = list(csv.reader(io.StringIO((await office.file(exchange)).decode("utf-8-sig"))))
    results = ["Khớp", "Có lẽ", "Đã chết", "Khớp", "Khớp"]
    for row, result in zip(rows[3:], results, strict=True):
        row += [""] * (16 - len(row))
        row[8] = result
    rows[5][12] = "08/2024"  # a day of death without its day
    rows[6][0] = "XM0000000000"  # another batch
    rows.append(list(rows[7]))  # answered twice
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    view = (await office.send(exchange, out.getvalue().encode())).json()
    assert view["readable"] == 1
    assert sorted(item["row"] for item in view["unreadable"]) == [5, 6, 7, 9]
    assert all("·" in item["detail"] for item in view["unreadable"])
    refused = await office.send(exchange, b"a;b\n1;2\n")
    assert refused.json()["type"] == "/problems/answers-refused"


async def test_whoever_changed_meanwhile_is_asked_about_again(world, office, police, people) -> None:
    exchange = await office.make()
    sent = await office.file(exchange)
    person = people["060150000001"]
    await world.hear([world.person("Trần Thị Khác", "060150000001", version=2, beneficiary_id=person.beneficiary_id)])
    view = (await office.send(exchange, (await police.post("/v1/files", content=sent)).content)).json()
    await office.approver.post(f"/v1/verification/answers/{view['answer_id']}/approve")
    await world.work()
    assert await world.waiting() == {person.beneficiary_id: "CHANGED"} | {
        subject: reason for subject, reason in (await world.waiting()).items() if reason == "REGISTERED"
    }
    assert person.beneficiary_id not in await world.verdicts()
    assert b"060150000001" not in await office.file(exchange), "and not on the list any more"


async def test_a_closed_list_gives_people_back(world, office, people) -> None:
    exchange = await office.make(limit=2)
    assert exchange["people"] == 2
    closed = await office.officer.post(f"/v1/verification/exchanges/{exchange['exchange_id']}/close")
    assert closed.json() == {"unanswered": 2}
    assert (await office.send(exchange, b"x")).json()["type"] == "/problems/answers-not-open"
    await world.drain()
    assert sum(map(len, world.population.asked)) == 5


async def test_other_units_have_no_part_in_it(world, office, people, client_as) -> None:
    exchange = await office.make()
    other = client_as(world.app, Role.COMMUNE_POLICE, units=("60/594",), subject="other")
    base = f"/v1/verification/exchanges/{exchange['exchange_id']}"
    assert (await other.get(base)).status_code == 404
    assert (await other.get(f"{base}/file", params={"purpose": "Xem thử"})).status_code == 404
    assert (await other.get("/v1/verification/exchanges")).json()["items"] == []
    clerk = client_as(world.app, Role.COMMUNE_OFFICER, units=("60",), subject="clerk")
    assert (await clerk.get(f"{base}/file", params={"purpose": "Xem thử"})).status_code == 403
    assert (await office.make("60/999", status=409))["type"] == "/problems/exchange-empty"
    assert (await office.make("61/1", status=404))["type"] == "/problems/exchange-not-found"


async def test_in_a_province_of_files_nobody_is_asked_online(world, people) -> None:
    by_file = Verifier(world.db, world.adapter, world.settings.model_copy(update={"population_mode": "file"}))
    while await by_file.run_once():
        pass
    assert world.population.asked == []
    assert list((await world.verdicts()).values()) == ["NO_ID"]


async def test_the_spreadsheet_keeps_zeros_and_runs_nothing(world, office, people) -> None:
    await world.hear([world.person('=HYPERLINK("x")', "060150000008")])
    content = await office.file(await office.make(), "xlsx")
    headers = {"number": "Số định danh cá nhân", "name": "Họ và tên", "row": "Mã dòng"}
    columns = [ColumnSpec(name, (header,), required=True) for name, header in headers.items()]
    rows = {row.get("number"): row for row in read_rows(content, "list.xlsx", columns).rows}
    assert set(rows) == {*people, "060150000008"}
    assert rows["060150000008"].get("name") == '=HYPERLINK("x")', "text, not a formula"


async def test_both_adapters_keep_one_contract(world) -> None:
    """What one adapter asks can be answered in its own form, and both read the same answers."""
    filing = PopulationFile(world.adapter._keyring, "XM1", "csv", "a.csv")
    assert filing.answers("Mã lô,Mã dòng,Kết quả\nXM1,1,Khớp\nXM1,2,\n".encode(), 2).answers[0].status is SourceStatus.MATCH
    online = world.adapter.answers(b'{"results": [{"ref": "0", "status": "MATCH"}, {"ref": "7", "status": "MATCH"}]}', 2)
    assert {place: answer.status for place, answer in online.answers.items()} == {0: SourceStatus.MATCH}
    assert filing.source != world.adapter.source
    assert world.adapter.question([]) == b'{"persons":[]}'
