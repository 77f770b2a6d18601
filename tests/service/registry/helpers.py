"""Lists and workers for the registry's tests."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI

from common.actor import Role
from common.db import Database
from common.testing import TestDatabase
from registry.main import make_app, make_jobs
from registry.settings import Settings

HEADERS = {
    "stt": "STT", "file_code": "Mã hồ sơ", "full_name": "Họ và tên", "birth_date": "Ngày sinh", "sex": "Giới tính",
    "number": "Số CCCD/định danh",
    "unit_code": "Mã đơn vị", "category": "Loại đối tượng", "percent": "Tỷ lệ thương tật", "quantity": "Số thâm niên",
    "decision_number": "Số quyết định",
    "decision_date": "Ngày quyết định", "from_month": "Hưởng từ tháng", "arrears_from": "Truy lĩnh từ tháng", "preference": "Nguyện vọng",
    "rep_name": "Họ tên người nhận thay", "rep_birth": "Ngày sinh người nhận", "rep_sex": "Giới tính người nhận",
    "rep_number": "CCCD người nhận",
    "rep_kind": "Quan hệ/Hình thức", "rep_certificate": "Số giấy ủy quyền", "rep_from": "Từ ngày", "rep_to": "Đến ngày",
}  # fmt: skip
UNIT = "22924"
UNIT_PATH = "60/593/22924"


def row(code: str, number: str = "", category: str = "SA6_S", **more: str) -> dict[str, str]:
    """A good row, to be spoilt by `more`."""
    return {
        "stt": "1", "file_code": code, "full_name": "Nguyễn Thị Hoà", "birth_date": "02/03/1990", "sex": "Nữ", "number": number,
        "unit_code": UNIT, "category": category, "decision_number": "12/QĐ-UBND", "decision_date": "15/01/2024", "from_month": "01/2024",
        "preference": "TK",
    } | more  # fmt: skip


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """A list as an office keeps it: title rows, header, rows."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["DANH SÁCH ĐỐI TƯỢNG"])
    writer.writerow([])
    writer.writerow(HEADERS.values())
    for item in rows:
        writer.writerow([item.get(name, "") for name in HEADERS])
    return ("\ufeff" + out.getvalue()).encode()


_apps: list[tuple[FastAPI, Database]] = []


def _app_on(settings: Settings, db: Database) -> FastAPI:
    """The API on a test's database: built once per process (its 150 routes cost more than a database), then given the next connections."""
    if not _apps:
        handle = copy.copy(db)
        _apps.append((make_app(settings, handle), handle))
    app, handle = _apps[0]
    vars(handle).update(vars(db))
    return app


class World:
    """The registry with its API, people who call it, and a worker that runs when told."""

    def __init__(self, database: TestDatabase, keys: Path, client_as: Callable[..., httpx.AsyncClient]) -> None:
        self.db = database.db
        self.settings = Settings(
            database_url=database.app_url,
            owner_database_url=database.owner_url,
            keys_file=keys,
            environment="development",
            import_apply_rows=3,
        )
        self.app = _app_on(self.settings, database.db)
        self.jobs = make_jobs(database.db, self.settings)
        self.client_as = client_as
        self.maker = client_as(self.app, Role.COMMUNE_OFFICER, units=(UNIT_PATH,), subject="maker")
        self.checker = client_as(self.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="checker")
        self._sent = 0
        self._confirmed: set[str] = set()

    def as_owner(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        """What a release writes."""
        with psycopg.connect(self.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as owner:  # type: ignore[union-attr]
            owner.execute(statement.encode(), values)

    def settle(self, code: str, value: str) -> None:
        """Answer an open question of the law, as a release does (people answer by a change of the law)."""
        self.as_owner("UPDATE policy_setting SET value = %s WHERE code = %s", (value, code))

    async def work(self) -> None:
        """Run the worker's jobs until none is left."""
        while await self.jobs.run_one():
            pass

    async def send(self, content: bytes, client: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
        """Send a list."""
        self._sent += 1
        data = {"programme": "SOCIAL_ASSISTANCE", "unit_code": UNIT, "business_date": "2024-08-20"} | fields
        return await (client or self.maker).post(
            "/v1/imports", data=data, files={"file": ("list.csv", content)}, headers={"Idempotency-Key": f"send-{self._sent:08d}"}
        )

    async def take(self, rows: list[dict[str, str]], **fields: Any) -> dict[str, Any]:
        """Send, check, approve, apply; the import at the end."""
        sent = await self.send(as_csv(rows), **fields)
        assert sent.status_code == 202, sent.text
        import_id = sent.json()["import_id"]
        await self.work()
        approved = await self.checker.post(f"/v1/imports/{import_id}/approve")
        assert approved.status_code == 202, approved.text
        await self.work()
        found = (await self.checker.get(f"/v1/imports/{import_id}")).json()
        assert found["state"] == "APPLIED", found
        return found

    async def confirm(self, answer: httpx.Response, *, business_date: str = "2024-08-20") -> httpx.Response:
        """What a registration proposed, approved and confirmed by a second person; the answer as it came."""
        if answer.status_code not in (200, 201):
            return answer
        items = answer.json().get("items", [answer.json()])
        waiting = [decision for item in items for decision in item["decision_ids"] if decision not in self._confirmed]
        if waiting:
            done = await self.checker.post("/v1/decisions/approve", json={"business_date": business_date, "decision_ids": waiting})
            assert done.status_code == 200, done.text
        named = [one for item in items for one in item["representative_proposals"] if one not in self._confirmed]
        self._confirmed.update([*waiting, *named])
        for proposal in named:
            path = f"/v1/representatives/proposals/{proposal}/decision"
            said = await self.checker.post(path, json={"business_date": business_date, "approve": True})
            assert said.status_code == 200, said.text
        return answer

    async def register(self, body: dict[str, Any], key: str, client: httpx.AsyncClient | None = None) -> httpx.Response:
        """Register somebody as two people do; the answer to the first of them."""
        answer = await (client or self.maker).post("/v1/beneficiaries", json=body, headers={"Idempotency-Key": key})
        return await self.confirm(answer, business_date=body["business_date"])

    async def errors(self, import_id: str) -> list[tuple[int, str]]:
        """(row, code) of the refused rows."""
        text = (await self.checker.get(f"/v1/imports/{import_id}/errors")).text.removeprefix("\ufeff")
        return [(int(line["dòng"]), line["mã lỗi"]) for line in csv.DictReader(io.StringIO(text)) if line["kết quả"] == "REFUSED"]

    async def id_of(self, code: str) -> str:
        """The person with a dossier code."""
        items = (await self.checker.get("/v1/beneficiaries", params={"file_code": code})).json()["items"]
        return str(items[0]["beneficiary_id"])

    async def change_identity(self, person_id: str, *, business_date: str = "2024-08-20", **fields: Any) -> dict[str, Any]:
        """Change name, number or birth date as two people do; the person after."""
        body = {"business_date": business_date, "ground": "bản chụp CCCD"} | fields
        self._sent += 1
        asked = await self.maker.post(
            f"/v1/beneficiaries/{person_id}/change-requests", json=body, headers={"Idempotency-Key": f"change-{self._sent:08d}"}
        )
        assert asked.status_code == 201, asked.text
        decision = {"approve": True, "business_date": business_date}
        done = await self.checker.post(f"/v1/change-requests/{asked.json()['request_id']}/decision", json=decision)
        assert done.status_code == 200, done.text
        return dict((await self.checker.get(f"/v1/beneficiaries/{person_id}")).json())

    async def due(self, code: str, month: str) -> dict[str, Any]:
        """What is due to a person in a month."""
        answer = await self.checker.get(f"/v1/beneficiaries/{await self.id_of(code)}/dues", params={"month": month})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def events(self, *types: str) -> list[dict[str, Any]]:
        """Bodies of the outbox's events of these types, in order."""
        async with self.db.read() as tx:
            rows = await tx.rows(
                "SELECT type, event_id, partition, key, CAST(body AS jsonb) AS body FROM outbox"
                " WHERE type = ANY(CAST(:types AS text[])) ORDER BY id",
                types=list(types),
            )
        return [dict(item) for item in rows]
