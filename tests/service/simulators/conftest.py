"""A partner simulator in this process with a clock moved by hand, and a platform that takes its notices."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from simulators.partner.app import create_app
from simulators.partner.config import SimulatorConfig
from simulators.partner.runtime import Runtime
from simulators.webhooks import BadSignatureError, sign, verify
from simulators.world import WORLD_DDL

OUTBOUND = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
INBOUND = "whsec_" + "aW5ib3VuZCBzZWNyZXQgb2YgdGhlIHRlc3RzISE="
START = 1_725_000_000.0


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """Makes a bench; `world` True gives it accounts of every kind. Called again it starts over the same books, as after a crash."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Bench:
            return await stack.enter_async_context(Bench(config(tmp_path, **settings)))

        yield make


def config(folder: Path, *, world: bool = False, **more: Any) -> SimulatorConfig:
    partner = {"outbound_secret": OUTBOUND, "inbound_secrets": [INBOUND]}
    partners = {"agribank": {"kind": "BANK", **partner}, "vnpost": {"kind": "POST", **partner}}
    if world and not (folder / "world.sqlite").exists():
        write_world(folder / "world.sqlite")
    if world:
        more["world"] = folder / "world.sqlite"
    return SimulatorConfig.model_validate({"callback_url": "http://platform", "partners": partners, "books": folder / "b.sqlite", **more})


def write_world(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(WORLD_DDL)
    accounts = [
        ("1001", "OPEN", "OK"),
        ("1002", "CLOSED", "OK"),
        ("1003", "OPEN", "FAIL_CLOSED"),
        ("1004", "OPEN", "FAIL_NAME"),
        ("1005", "DORMANT", "OK"),
        ("1006", "OPEN", "RETURN_CLOSED"),
    ]
    connection.executemany(
        "INSERT INTO account VALUES ('agribank', 'AGRIBANK', ?, 'DANG THI HOA', '060148000001', ?, ?)",
        accounts,
    )
    connection.execute("INSERT INTO account VALUES ('momo', 'MOMO', '99MM1', 'LE VAN TU', NULL, 'OPEN', 'OK')")
    connection.executemany("INSERT INTO cash VALUES (?, ?)", [("F1", "COLLECT"), ("F2", "UNCOLLECTED")])
    connection.commit()
    connection.close()


def pay(reference: str, account: str = "1001", amount: int = 500_000, **more: Any) -> dict[str, Any]:
    return {
        "reference": reference,
        "amount": amount,
        "currency": "VND",
        "payee_name": "DANG THI HOA",
        "account": {"provider_code": "AGRIBANK", "account_number": account},
        "cash": None,
        "text": "TRO CAP 09/2024",
        **more,
    }


def cash(reference: str, file_code: str) -> dict[str, Any]:
    order = {"kind": "POST", "unit_code": "22924", "file_code": file_code, "beneficiary_name": "Đặng Thị Hoà"}
    return {**pay(reference), "account": None, "cash": order}


class Platform:
    """Takes notices as the product would; `refuse` answers those many first attempts with 500."""

    def __init__(self) -> None:
        self.now = START
        self.attempts: list[tuple[str, str]] = []
        self.results: list[dict[str, Any]] = []
        self.refuse = 0

    def take(self, request: httpx.Request) -> httpx.Response:
        answer = self._answer(request)
        self.attempts.append((request.headers["webhook-id"], str(answer)))
        return httpx.Response(answer, headers={"location": "/other"} if answer == 307 else {})

    def _answer(self, request: httpx.Request) -> int:
        if len(request.content) > 8 * 1024 * 1024:
            return 413
        try:
            verify([INBOUND], request.headers, request.content, self.now)
        except BadSignatureError:
            return 401
        if self.refuse:
            self.refuse -= 1
            return 500
        self.results += orjson.loads(request.content)["results"]
        return 202


class Bench:
    """Runtime, application client and platform of one test."""

    pay = staticmethod(pay)
    cash = staticmethod(cash)

    def __init__(self, settings: SimulatorConfig) -> None:
        self.platform = Platform()
        self.runtime = Runtime(settings, clock=lambda: self.platform.now, transport=httpx.MockTransport(self.platform.take))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(self.runtime)), base_url="http://partner")

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self.runtime.close()

    async def batch(self, name: str, *payments: dict[str, Any], partner: str = "agribank", secret: str = OUTBOUND) -> httpx.Response:
        body = orjson.dumps({"batch_reference": name, "payments": payments})
        stamp = int(self.platform.now)
        headers = {"webhook-id": name, "webhook-timestamp": str(stamp), "webhook-signature": sign(secret, name, stamp, body)}
        return await self.client.post(f"/{partner}/v1/batches", content=body, headers=headers)

    async def inquire(self, *references: str, partner: str = "agribank") -> list[dict[str, Any]]:
        answer = await self.client.post(f"/{partner}/v1/inquiries", json={"references": references})
        assert answer.status_code == 200
        return list(answer.json()["results"])

    async def statuses(self, *references: str, partner: str = "agribank") -> list[str]:
        return [row["status"] for row in await self.inquire(*references, partner=partner)]

    async def hold(self, *, held: bool) -> None:
        """Let results wait, or come."""
        answer = await self.client.post("/control/hold", json={"held": held})
        assert answer.json() == {"held": held}

    async def script(self, behaviour: str, **more: Any) -> None:
        answer = await self.client.post("/control/script", json={"partner": "agribank", "behaviour": behaviour, **more})
        assert answer.status_code == 200, answer.text

    async def run(self, seconds: float = 0.0) -> None:
        """Let so much time pass, then settle and deliver until nothing more is due."""
        self.platform.now += seconds
        for _ in range(50):
            if not (await self.runtime.settle() + await self.runtime.deliver()):
                return
        raise AssertionError("still something due after 50 rounds")

    async def books(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get("/control/books")).json()
        return found

    async def no_doubles(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get("/control/doubles")).json()
        assert found["references"] == []
        assert found["unbalanced"] == []
        assert found["entries_amount"] == found["balances_amount"]
        return found
