"""What banks do to a name inquiry, against the partner simulator over its own HTTP: slow, broken, cut names, old cards, "pending"."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.providers.directory import load_directory
from accounts.providers.inquiry import NameInquiry, PartnerAddress
from accounts.usecases.check_accounts import AccountChecker
from common.ids import new_id, stable_id
from simulators.partner.app import create_app
from simulators.partner.config import SimulatorConfig
from simulators.partner.runtime import Runtime
from simulators.world import WORLD_DDL

DAY = "2024-08-20"
SECRET = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
LONG = "Công Tằng Tôn Nữ Thị Phương Thảo"
PEOPLE = {"BT-1": ("Trần Thị Hoà", "060150000001"), "BT-2": (LONG, "060150000002")}
WORLD = (
    ("0123456781", "TRAN THI HOA", "060150000001", "OPEN"), ("0123456782", "CONG TANG TON NU THI PHUONG THAO", "060150000002", "OPEN"),
    ("0123456783", "TRAN THI HOA", "264123456", "OPEN"), ("0123456784", "TRAN THI HOA", "060150000001", "DORMANT"),
)  # fmt: skip


class Bank:
    """The simulator of one bank, and the checker that asks it."""

    def __init__(self, world: Any, keyring: Any, folder: Path) -> None:
        path = folder / "world.sqlite"
        with sqlite3.connect(path) as connection:
            connection.executescript(WORLD_DDL)
            connection.executemany("INSERT INTO account VALUES ('agribank', 'AGRIBANK', ?, ?, ?, ?, 'OK')", WORLD)
        partner = {"kind": "BANK", "outbound_secret": SECRET, "inbound_secrets": [SECRET], "signed_inquiries": True}
        config = SimulatorConfig.model_validate(
            {"callback_url": "http://platform", "partners": {"agribank": partner}, "books": folder / "b.sqlite", "world": path}
        )
        self.runtime = Runtime(config)
        app = create_app(self.runtime)
        self.control = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank")
        address = {"agribank": PartnerAddress("http://bank/agribank", SECRET)}
        self.inquiries = [
            NameInquiry(keyring, address, timeout_seconds=seconds, transport=httpx.ASGITransport(app)) for seconds in (30.0, 0.5)
        ]
        self.checker, self.hasty = (AccountChecker(world.db, each, load_directory(), world.settings) for each in self.inquiries)
        self.world = world

    async def close(self) -> None:
        for each in self.inquiries:
            await each.close()
        await self.control.aclose()
        await self.runtime.close()

    async def script(self, behaviour: str, **more: Any) -> None:
        body = {"partner": "agribank", "behaviour": behaviour, "on": "name-inquiries", **more}
        answer = await self.control.post("/control/script", json=body)
        assert answer.status_code == 200, answer.text

    async def ask(self, code: str, number: str) -> tuple[str, str | None, str | None]:
        """Register an account, ask once; its status, reason and holder."""
        name, national = PEOPLE[code]
        await self.world.hear([self.world.person(code, name, national)])
        body = {"provider": "Agribank", "account_number": number, "source": "FORM", "consent_on": DAY, "business_date": DAY}
        path = f"/v1/beneficiaries/{stable_id('person', code)}/accounts"
        made = await self.world.officer.post(path, json=body, headers={"Idempotency-Key": new_id().hex})
        assert made.status_code == 201, made.text
        return await self.again(made.json()["account_id"])

    async def again(self, account_id: str | None = None) -> tuple[str, str | None, str | None]:
        await self.world.all_due()
        await self.checker.run_once()
        async with self.world.db.read() as tx:
            row = await tx.row("SELECT status, reason, holder_name FROM account ORDER BY account_id DESC LIMIT 1")
        assert row is not None
        return row["status"], row["reason"], row["holder_name"]


@pytest.fixture
async def bank(world: Any, keyring: Any, tmp_path: Path) -> AsyncIterator[Bank]:
    made = Bank(world, keyring("accounts"), tmp_path)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("behaviour", "code", "number", "expected"),
    [
        (None, "BT-1", "0123456781", ("ACTIVE", None, "TRAN THI HOA")),
        (None, "BT-1", "0123456783", ("REJECTED", "ID_DIFFERS", "TRAN THI HOA")),  # the bank still has the nine-digit card
        (None, "BT-1", "0123456784", ("DORMANT", "DORMANT", "TRAN THI HOA")),
        (None, "BT-1", "0123456799", ("REJECTED", "NOT_FOUND", None)),
        ("unsupported_answers", "BT-1", "0123456781", ("NEEDS_REVIEW", "INQUIRY_UNSUPPORTED", None)),
        ("invalid_answers", "BT-1", "0123456781", ("REJECTED", "NOT_FOUND", None)),
        ("names_without_middle", "BT-1", "0123456781", ("NEEDS_REVIEW", "NAME_REVIEW", "TRAN HOA")),
        ("truncated_names", "BT-1", "0123456781", ("ACTIVE", None, "TRAN THI HOA")),  # short enough
        ("truncated_names", "BT-2", "0123456782", ("NEEDS_REVIEW", "NAME_REVIEW", "CONG TANG TON NU THI PHUO")),
    ],
)
async def test_each_answer_is_judged(bank, behaviour, code, number, expected) -> None:
    if behaviour is not None:
        await bank.script(behaviour)
    assert await bank.ask(code, number) == expected


@pytest.mark.parametrize(
    ("behaviour", "more"),
    [
        ("unknown_answers", {}), ("pending_answers", {}), ("error_500", {}), ("nonsense_answer", {}), ("redirect", {}),
        ("slow_body", {"seconds": 30}), ("timeout_before_accept", {"seconds": 30}), ("outage", {"seconds": 30}), ("oversized", {}),
    ],
)  # fmt: skip
async def test_no_answer_is_asked_again_and_never_guessed(bank, behaviour, more) -> None:
    await bank.script(behaviour, **more)
    patient = bank.checker
    bank.checker = bank.hasty if more else patient  # who answers late is not waited for; who answers is, however busy the machine
    assert await bank.ask("BT-1", "0123456781") == ("PENDING_CHECK", None, None)
    bank.checker = patient
    assert await bank.world.events("AccountRejected", "AccountClosed", "AccountLinked") == []
    await bank.control.delete("/control/script")
    assert await bank.again() == ("ACTIVE", None, "TRAN THI HOA")
    assert len(await bank.world.events("AccountLinked")) == 1


async def test_an_unsigned_question_is_not_answered(bank) -> None:
    asked = {"accounts": [{"provider_code": "AGRIBANK", "account_number": "0123456781"}]}
    assert (await bank.control.post("/agribank/v1/name-inquiries", json=asked)).status_code == 401
