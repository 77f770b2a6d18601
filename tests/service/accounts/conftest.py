"""A partner to script, events as the registry would send them, and lists as a commune would send them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from accounts.main import make_app
from accounts.messaging.subscriptions import SUBSCRIPTIONS
from accounts.providers.directory import load_directory
from accounts.providers.inquiry import NameInquiry, PartnerAddress
from accounts.settings import Settings
from accounts.usecases.check_accounts import AccountChecker
from accounts.usecases.importing import APPLY, CHECK, Importer
from common.actor import Role
from common.consumer import Consumer, Incoming
from common.contracts.envelope import Event
from common.contracts.registry_v1 import BeneficiaryRegistered, CutOffReached, RepresentativeAppointed
from common.db import Database
from common.ids import new_id, stable_id
from common.jobs import JobRunner
from common.sealing import Keyring
from common.testing import TestDatabase
from common.topics import PARTITIONS, Topic, partition_of

DAY = date(2024, 8, 20)
UNIT = {"unit_code": "22924", "unit_path": "60/593/22924"}
HEADER = (
    "STT", "Mã hồ sơ", "Họ và tên người hưởng", "Người nhận", "Hình thức nhận", "Ngân hàng / nhà cung cấp", "Số tài khoản",
    "Tên chủ tài khoản", "Lý do nhận tại nhà",
)  # fmt: skip
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


class Partner:
    """The outside: accounts by number, a script of failures, and what was asked."""

    def __init__(self) -> None:
        self.accounts: dict[str, tuple[str, str | None, str]] = {}
        self.script: list[httpx.Response | Exception] = []
        self.asked: list[tuple[str, list[str]]] = []

    def has(self, number: str, holder: str, national: str | None, status: str = "OK") -> None:
        self.accounts[number] = (holder, national, status)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)["accounts"]
        self.asked.append((request.url.path.split("/")[1], [item["account_number"] for item in asked]))
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        return httpx.Response(200, json={"results": [self._answer(item) for item in asked]})

    def _answer(self, item: dict[str, Any]) -> dict[str, Any]:
        number = item["account_number"]
        if number not in self.accounts:
            return {"account_number": number, "status": "NOT_FOUND", "holder_name": None, "id_match": "NOT_GIVEN"}
        holder, national, status = self.accounts[number]
        match = (
            "NOT_GIVEN" if not (national and item["national_number"]) else "MATCH" if national == item["national_number"] else "MISMATCH"
        )
        return {"account_number": number, "status": status, "holder_name": holder, "id_match": match}


class World:
    """The service with its database, fed by hand."""

    def __init__(self, database: TestDatabase, registry: Keyring, own: Keyring, payer: Keyring, settings: Settings, client_as: Any) -> None:
        self.db: Database = database.db
        self.settings = settings
        self.partner = Partner()
        self.payer = payer
        self._registry = registry
        self._offset = 0
        self._consumer = Consumer(self.db, "accounts", SUBSCRIPTIONS, bootstrap="", group="", session_ms=6000, heartbeat_ms=1000)
        names = ("agribank", "lpbank", "namabank", "viettelmoney", "vnptmoney", "momo")
        partners = {name: PartnerAddress(f"http://partner/{name}", SECRET) for name in names}
        self.inquiry = NameInquiry(own, partners, timeout_seconds=5, transport=httpx.MockTransport(self.partner.handle))
        self.checker = AccountChecker(self.db, self.inquiry, load_directory(), settings)
        self.importer = Importer(self.db, load_directory(), apply_rows=3)
        self.jobs = JobRunner(self.db, {CHECK: self.importer.check, APPLY: self.importer.apply}, owner="test")
        self.app = make_app(settings, self.db)
        self.officer = client_as(self.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="officer")
        self.approver = client_as(self.app, Role.APPROVER, units=("60",), subject="approver")
        self.operator = client_as(self.app, Role.OPERATOR, units=("60",), subject="operator")

    def person(self, code: str, name: str, number: str | None = None, *, version: int = 1, **more: Any) -> BeneficiaryRegistered:
        fields = {
            "beneficiary_id": stable_id("person", code), "file_code": code, "full_name": name, "birth_date": "1950", "sex": "F", **UNIT,
            "programmes": ["MERIT"], "status": "ACTIVE", "national_number": self._seal(number),
            "identity_fingerprint": stable_id(name, number).hex, "version": version, "business_date": DAY,
        }  # fmt: skip
        return BeneficiaryRegistered(**{**fields, **more})

    def representative(self, code: str, name: str, number: str | None, **more: Any) -> RepresentativeAppointed:
        fields = {
            "beneficiary_id": stable_id("person", code), "representative_id": stable_id("person", name), "kind": "GUARDIAN",
            "full_name": name, "birth_date": "1980", "sex": "M", "national_number": self._seal(number),
            "identity_fingerprint": stable_id(name, number).hex, **UNIT, "valid_from": DAY, "valid_to": None, "certificate_number": None,
            "version": 1, "business_date": DAY,
        }  # fmt: skip
        return RepresentativeAppointed(**{**fields, **more})

    def _seal(self, number: str | None) -> dict[str, str]:
        return {} if number is None else {"accounts": self._registry.seal("accounts", new_id(), "national_number", number)}

    async def hear(self, events: Sequence[Event], partitions: Sequence[int] | None = None) -> None:
        """Apply events as one polled batch."""
        batch = []
        for index, event in enumerate(events):
            self._offset += 1
            key: UUID = getattr(event, event.KEY)
            partition = partition_of(key) if partitions is None else partitions[index]
            body = event.model_dump_json().encode()
            batch.append(Incoming(event.TOPIC, partition, self._offset, key, new_id(), event.type_name(), {}, body))
        await self._consumer.apply(batch)

    async def markers(self, people: Sequence[BeneficiaryRegistered]) -> UUID:
        """The registry's markers for what it sent, to all partitions."""
        cut_off_id, events = new_id(), []
        for partition in range(PARTITIONS):
            mine = [event for event in people if partition_of(event.beneficiary_id) == partition]
            counts = {"beneficiaries": len(mine), "beneficiary_versions": sum(event.version for event in mine)}
            events.append(
                CutOffReached(
                    version=1, business_date=DAY, cut_off_id=cut_off_id, cycle_id=new_id(), producer="registry", topic=Topic.BENEFICIARY,
                    partition=partition, month="2024-09", programme="MERIT", counts=counts,
                )
            )  # fmt: skip
        await self.hear(events, range(PARTITIONS))
        return cut_off_id

    async def replay(self, mended: Event) -> bool:
        """The event parked under this one's key becomes this one, and two people let it be replayed."""
        keyring, key = self.db.keyring, getattr(mended, mended.KEY)
        assert keyring is not None
        body = keyring.encrypt("parked_event", mended.model_dump_json().encode())
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE parked_event SET body = :body, requested_by = 'a', approved_by = 'b' WHERE key = :key", body=body, key=key
            )
        return await self._consumer.replay_approved()

    async def send(self, rows: Sequence[Sequence[str]], **form: Any) -> httpx.Response:
        """Send a list of (file code, name, payee, method, provider, number, holder, home reason)."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["UBND xã Đức Hạnh – danh sách đăng ký"])
        writer.writerow(HEADER)
        for number, row in enumerate(rows, start=1):
            writer.writerow([number, *row])
        data = {"unit_code": "22924", "business_date": DAY.isoformat(), **form}
        files = {"file": ("danh-sach.csv", out.getvalue().encode(), "text/csv")}
        return await self.officer.post("/v1/imports", data=data, files=files, headers={"Idempotency-Key": new_id().hex})

    async def taken(self, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Send a list, approve and apply it; the import as shown."""
        import_id = (await self.send(rows)).json()["import_id"]
        await self.work()
        approved = await self.approver.post(f"/v1/imports/{import_id}/approve")
        assert approved.status_code == 202, approved.text
        await self.work()
        return dict((await self.officer.get(f"/v1/imports/{import_id}")).json())

    async def work(self) -> None:
        """Run jobs until none is left."""
        while await self.jobs.run_one():
            pass

    async def drain(self) -> None:
        """Run jobs, waiting rows and inquiries until nothing moves."""
        moved = True
        while moved:
            moved = await self.jobs.run_one() or await self.importer.retry_waiting() or await self.checker.run_once()

    async def all_due(self) -> None:
        """As if the back-off had passed."""
        async with self.db.transaction() as tx:
            await tx.execute("UPDATE account SET next_try_at = now() WHERE check_due")
            await tx.execute("UPDATE partner_state SET open_until = NULL")

    async def events(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        """What the outbox holds, in order."""
        async with self.db.read() as tx:
            rows = await tx.rows("SELECT event_id, type, partition, body FROM outbox ORDER BY id")
        found = [(row["type"], {**orjson.loads(row["body"]), "_partition": row["partition"]}) for row in rows]
        return [item for item in found if not kinds or item[0] in kinds]

    async def statuses(self) -> dict[str, tuple[str, str | None]]:
        """Status and reason by masked number and payee."""
        async with self.db.read() as tx:
            rows = await tx.rows("SELECT masked_number, status, reason FROM account ORDER BY masked_number, payee_id")
        return {f"{row['masked_number']}#{index}": (row["status"], row["reason"]) for index, row in enumerate(rows)}


@pytest.fixture
async def world(
    database: Callable[[str], TestDatabase], keyring: Callable[[str], Keyring], keys_file: Callable[[str], Path], client_as: Any
) -> AsyncIterator[World]:
    own = database("accounts")
    settings = Settings(
        database_url=own.app_url, keys_file=keys_file("accounts"), environment="development", backoff_first_seconds=60,
        cut_off_away_seconds=0,
    )  # fmt: skip
    made = World(own, keyring("registry"), keyring("accounts"), keyring("disbursement"), settings, client_as)
    yield made
    await made.inquiry.close()
