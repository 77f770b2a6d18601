"""An approved list in the database, the partner simulator in this process, and the payment loops driven by hand."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from fastapi import FastAPI

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported by path; their helper module lies beside them

from bank_files import PAYER

from common import clock
from common.auth import SYSTEM, Role
from common.db import Database, Tx
from common.http import client
from common.ids import new_id, stable_id
from common.sealing import Keyring
from common.testing import TestDatabase
from common.webhooks import sign
from disbursement.channels.partners import load_partners
from disbursement.main import make_app
from disbursement.settings import Settings
from disbursement.usecases.apply_notices import apply_notices_round
from disbursement.usecases.create_payments import create_payments
from disbursement.usecases.inquire import inquire_round
from disbursement.usecases.payment_context import PaymentContext, make_payment_context
from disbursement.usecases.send_batches import send_round, take_over_round
from simulators.partner.app import create_app as create_partner_app
from simulators.partner.config import SimulatorConfig
from simulators.partner.runtime import Runtime

OUTBOUND = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
INBOUND = "whsec_" + "aW5ib3VuZCBzZWNyZXQgb2YgdGhlIHRlc3RzISE="
INBOUND_NEXT = "whsec_" + "dGhlIG5leHQgaW5ib3VuZCBzZWNyZXQgb2YgdGVzdHM="
BUSINESS_DATE = date(2024, 8, 20)
PARTNER_CLOCK = datetime(2024, 8, 20, 10, 0, tzinfo=clock.VIETNAM)
"""A Tuesday morning: what is sent is in time, whenever the tests run."""
MONTH = date(2024, 9, 1)
ACTOR = SYSTEM("test")


@dataclass
class Line:
    """One list line to be paid."""

    amount: int = 500_000
    partner: str = "agribank"
    channel: str = "BANK"
    account_status: str = "ACTIVE"
    person_status: str = "ACTIVE"
    months: tuple[date, ...] = (MONTH,)
    line_id: UUID = field(default_factory=new_id)
    beneficiary_id: UUID = field(default_factory=new_id)


@dataclass
class World:
    """Everything a test of payments touches."""

    db: Database
    test_database: TestDatabase
    keyring: Keyring
    context: PaymentContext
    app: FastAPI
    simulator: Runtime
    partner_http: httpx.AsyncClient
    cycle_id: UUID = field(default_factory=new_id)
    list_id: UUID = field(default_factory=new_id)
    line: type[Line] = Line
    inbound: str = INBOUND
    _webhooks: Any = field(default_factory=lambda: itertools.count(1))

    async def approve(self, lines: list[Line]) -> None:
        """Store an approved list of these lines and make its payments."""
        async with self.db.transaction(ACTOR) as tx:
            await seed(tx, self.keyring, self.cycle_id, self.list_id, lines)
            await create_payments(tx, self.cycle_id, self.list_id, BUSINESS_DATE)

    async def script(self, behaviour: str, partner: str = "agribank", **more: Any) -> None:
        """Tell the partner what to do wrong next."""
        answer = await self.partner_http.post("http://partner/control/script", json={"partner": partner, "behaviour": behaviour, **more})
        assert answer.status_code == 200, answer.text

    async def send(self, partner: str = "agribank") -> None:
        """Send everything there is to send."""
        while await send_round(self.context, partner):
            pass

    async def wake(self, partner: str = "agribank") -> None:
        """The partner was left alone long enough: it may be asked again, as if it had never failed."""
        async with self.owner() as tx:
            await tx.execute(
                "UPDATE partner_lane SET failures = 0, failing_since = NULL, open_until = NULL WHERE partner = :partner", partner=partner
            )

    async def partner_works(self) -> None:
        """The partner decides and sends its notices; we take them in."""
        while await self.simulator.settle() or await self.simulator.deliver():
            pass

    async def apply(self) -> None:
        """Apply all stored notices."""
        while await apply_notices_round(self.context):
            pass

    async def inquire(self, partner: str = "agribank") -> bool:
        """Ask now, whatever the schedule says."""
        async with self.owner() as tx:
            await tx.execute("UPDATE payment SET inquire_at = now() WHERE inquire_at IS NOT NULL")
        return await inquire_round(self.context, partner)

    async def take_over(self, partner: str = "agribank") -> bool:
        """Let all leases run out, and take over one batch."""
        async with self.owner() as tx:
            await tx.execute("UPDATE payment_batch SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
        return await take_over_round(self.context, partner)

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Tx]:
        """A transaction of the test itself."""
        async with self.db.transaction(ACTOR) as tx:
            yield tx

    async def statuses(self) -> dict[str, int]:
        """Payments by status."""
        async with self.db.read() as tx:
            return {row["status"]: row["n"] for row in await tx.rows("SELECT status, count(*) AS n FROM payment GROUP BY 1")}

    async def value(self, sql: str, **params: Any) -> Any:
        """One value."""
        async with self.db.read() as tx:
            return await tx.value(sql, **params)

    async def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a query."""
        async with self.db.read() as tx:
            return [dict(row) for row in await tx.rows(sql, **params)]

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Events of payments in the order they were added."""
        return [
            (row["type"], orjson.loads(row["body"]))
            for row in await self.rows("SELECT type, body FROM outbox WHERE topic = 'disbursement.payment.v1' ORDER BY id")
        ]

    async def result(self, word: str, line: Line, **more: Any) -> dict[str, Any]:
        """A result about a line's payment, as a partner says it."""
        reference = await self.value("SELECT reference FROM payment WHERE line_id = :line_id", line_id=line.line_id)
        return {
            "reference": reference, "status": word, "amount": line.amount, "currency": "VND", "code": None,
            "partner_reference": f"FT-{reference[-6:]}", "occurred_at": "2024-09-05T02:14:07Z",
        } | more  # fmt: skip

    async def notice(self, *results: dict[str, Any], partner: str = "agribank", secret: str = INBOUND, **more: Any) -> httpx.Response:
        """Deliver a notice and apply it."""
        answer = await self.deliver({"type": "payment.results", "results": list(results)}, partner=partner, secret=secret, **more)
        await self.apply()
        return answer

    async def deliver(
        self, body: Any, *, partner: str = "agribank", secret: str = INBOUND, webhook_id: str | None = None, stamp: Any = None
    ) -> httpx.Response:
        """POST a signed notice."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = sign(secret, webhook_id or f"wh_{next(self._webhooks)}", stamp or clock.now(), raw)
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
            return await http.post(f"/v1/webhooks/partners/{partner}", content=raw, headers=headers)

    async def books(self, partner: str = "agribank") -> list[dict[str, Any]]:
        """The partner's own books, payment by payment."""
        answer = await self.partner_http.get(f"http://partner/control/books/payments?partner={partner}&limit=10000")
        found: list[dict[str, Any]] = answer.json()["payments"]
        return found


async def seed(tx: Tx, keyring: Keyring, cycle_id: UUID, list_id: UUID, lines: list[Line]) -> None:
    """What the first half leaves behind when it approves a list."""
    total = sum(line.amount for line in lines)
    await tx.execute(
        "INSERT INTO payment_cycle (cycle_id, month, programme, funding_source, unit_code, unit_path, kind,"
        " sequence, state, business_date, cut_off_id, list_id, opened_by)"
        " VALUES (:c, :m, 'SOCIAL_ASSISTANCE', 'LOCAL_BUDGET', '60', '60', 'MAIN', 1, 'APPROVED', :d, :k, :l, 'x')",
        c=cycle_id, m=MONTH, d=BUSINESS_DATE, k=new_id(), l=list_id,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO payment_list (list_id, cycle_id, number, state, cut_off_id, list_hash, lines, held, total_amount, held_amount,"
        " business_date, computed_by) VALUES (:l, :c, 1, 'APPROVED', :k, 'hash', :n, 0, :t, 0, :d, 'x')",
        l=list_id, c=cycle_id, k=new_id(), n=len(lines), t=total, d=BUSINESS_DATE,
    )  # fmt: skip
    budget_id = new_id()
    await tx.execute(
        "INSERT INTO budget (budget_id, programme, funding_source, unit_code, unit_path, year, amount, reserved)"
        " VALUES (:b, 'SOCIAL_ASSISTANCE', 'LOCAL_BUDGET', '60', '60', 2024, :a, :t)", b=budget_id, a=total * 2, t=total,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO budget_movement (budget_id, cycle_id, kind, amount, made_by) VALUES (:b, :c, 'RESERVE', :t, 'x')",
        b=budget_id, c=cycle_id, t=total,
    )  # fmt: skip
    await tx.copy(
        "beneficiary",
        ("beneficiary_id", "version", "file_code", "full_name", "unit_code", "unit_path", "status", "identity_fingerprint"),
        [
            (line.beneficiary_id, 1, f"F{n}", "Đặng Thị Hoà", "22924", "60/593/22924", line.person_status, "f")
            for n, line in enumerate(lines)
        ],
    )
    await tx.copy("payout_account", _ACCOUNT, [_account(keyring, n, line) for n, line in enumerate(lines) if not _is_cash(line)])
    await tx.copy("list_line", _LINE, [_line(keyring, cycle_id, list_id, n, line) for n, line in enumerate(lines)])
    await tx.copy(
        "verification",
        (
            "beneficiary_id",
            "subject_id",
            "subject_kind",
            "version",
            "verdict",
            "source_status",
            "identity_fingerprint",
            "checked_on",
            "valid_until",
        ),
        [
            (line.beneficiary_id, line.beneficiary_id, "BENEFICIARY", 1, "VERIFIED", "MATCH", "f", BUSINESS_DATE, date(2025, 8, 20))
            for line in lines
        ],
    )
    await tx.copy(
        "payout_method",
        ("beneficiary_id", "version", "payee_id", "payee_kind", "method", "account_id"),
        [
            (line.beneficiary_id, 1, line.beneficiary_id, "SELF", line.channel, None)
            if _is_cash(line)
            else (line.beneficiary_id, 1, line.beneficiary_id, "SELF", "ACCOUNT", stable_id("account", line.line_id))
            for line in lines
        ],
    )
    shares = [(line, month, share) for line in lines for month, share in zip(line.months, _split(line), strict=True)]
    base = ("beneficiary_id", "programme", "funding_source", "benefit_line", "month")
    key = ("SOCIAL_ASSISTANCE", "LOCAL_BUDGET", "A01")
    await tx.copy(
        "due_interval",
        (
            "beneficiary_id",
            "programme",
            "funding_source",
            "benefit_line",
            "from_month",
            "to_month",
            "amount",
            "status",
            "basis",
            "explicit_arrears",
        ),
        [(line.beneficiary_id, *key, month, month, share, "DUE", "ND 20/2021", False) for line, month, share in shares],
    )
    await tx.copy(
        "allocation",
        ("line_id", "list_id", *base, "amount", "state"),
        [(line.line_id, list_id, line.beneficiary_id, *key, month, share, "COMMITTED") for line, month, share in shares],
    )
    await tx.copy(
        "due_month_position",
        (*base, "committed", "paid", "due_at_commit"),
        [(line.beneficiary_id, *key, month, share, 0, share) for line, month, share in shares],
    )


_ACCOUNT = ("account_id", "payee_id", "version", "kind", "provider_code", "partner", "account_number_token", "masked_number", "status")
_LINE = (
    "line_id", "list_id", "cycle_id", "beneficiary_id", "payee_id", "payee_kind", "programme", "funding_source", "channel", "partner",
    "account_id", "account_version", "account_number_token", "account_masked", "provider_code", "payee_name", "beneficiary_name",
    "file_code", "cash_reason", "amount", "months", "unit_code", "unit_path",
)  # fmt: skip


def _is_cash(line: Line) -> bool:
    return line.channel.startswith("CASH")


def _split(line: Line) -> list[int]:
    share = line.amount // len(line.months)
    return [share] * (len(line.months) - 1) + [line.amount - share * (len(line.months) - 1)]


def _token(keyring: Keyring, number: int, line: Line) -> str:
    return keyring.seal("disbursement", stable_id("account", line.line_id), "account_number", f"19{number:010d}")


def _account(keyring: Keyring, number: int, line: Line) -> tuple[Any, ...]:
    account_id = stable_id("account", line.line_id)
    token = _token(keyring, number, line)
    return (account_id, line.beneficiary_id, 3, line.channel, line.partner.upper(), line.partner, token, "…0001", line.account_status)


def _line(keyring: Keyring, cycle_id: UUID, list_id: UUID, number: int, line: Line) -> tuple[Any, ...]:
    cash = _is_cash(line)
    account: tuple[Any, ...] = (None,) * 5
    if not cash:
        account = (stable_id("account", line.line_id), 3, _token(keyring, number, line), f"…{number:04}", line.partner.upper())
    return (
        line.line_id, list_id, cycle_id, line.beneficiary_id, line.beneficiary_id, "SELF", "SOCIAL_ASSISTANCE", "LOCAL_BUDGET",
        line.channel,
        line.partner, *account, "Đặng Thị Hoà", "Đặng Thị Hoà", f"F{number}", "NO_ACCOUNT" if cash else None, line.amount,
        list(line.months), "22924", "60/593/22924",
    )  # fmt: skip


@asynccontextmanager
async def make_world(test_database: TestDatabase, keyring: Keyring, keys_file: Path, folder: Path, **partner: Any) -> AsyncIterator[World]:
    """A world whose partners settle at once and take what they are given."""
    names = {"agribank": "BANK", "momo": "WALLET", "vnpost": "POST"}
    shared = {"outbound_secret": OUTBOUND, "inbound_secrets": [INBOUND, INBOUND_NEXT], "concurrency": 1, **partner}
    partners = {name: {"kind": kind, "url": f"http://partner/{name}", **shared} for name, kind in names.items()}
    partners_file = folder / "partners.json"
    partners_file.write_bytes(orjson.dumps({"callback_url": "http://platform", "partners": partners}))
    db = test_database.db
    settings = Settings(database_url=test_database.app_url, keys_file=keys_file, environment="development", partners_file=partners_file)
    app = make_app(settings, db)
    config = SimulatorConfig.model_validate(
        {
            "callback_url": "http://platform",
            "partners": partners,
            "books": folder / "books.sqlite",
            "synchronous": "NORMAL",
        }
    )
    simulator = Runtime(config, transport=httpx.ASGITransport(app=app, raise_app_exceptions=False))
    partner_http = client(
        to=("http://partner", "http://gateway"),
        transport=httpx.ASGITransport(app=create_partner_app(simulator), raise_app_exceptions=False),
    )
    context = make_payment_context(db, keyring, load_partners(partners_file), partner_http, "worker-1")
    context = replace(context, partner_clock=lambda: PARTNER_CLOCK)
    app.state.partner_clock = context.partner_clock
    try:
        yield World(db, test_database, keyring, context, app, simulator, partner_http)
    finally:
        await partner_http.aclose()
        await simulator.close()


@pytest.fixture
async def world(
    database: Callable[[str], TestDatabase], keyring: Callable[[str], Keyring], keys_file: Callable[[str], Path], tmp_path: Path
) -> AsyncIterator[World]:
    """Partners that settle at once; tests script what goes wrong."""
    async with make_world(database("disbursement"), keyring("disbursement"), keys_file("disbursement"), tmp_path) as made:
        yield made


@pytest.fixture
def world_of(
    database: Callable[[str], TestDatabase], keyring: Callable[[str], Keyring], keys_file: Callable[[str], Path], tmp_path: Path
) -> Callable[..., AbstractAsyncContextManager[World]]:
    """A world whose partners' rows say more or other things than usual (`channel="iso20022"`)."""
    return lambda **partner: make_world(database("disbursement"), keyring("disbursement"), keys_file("disbursement"), tmp_path, **partner)


@pytest.fixture
def secrets() -> tuple[str, str, str]:
    """The live inbound secret, the next one (both valid during rotation), and one nobody agreed on."""
    return INBOUND, INBOUND_NEXT, OUTBOUND


@pytest.fixture
def maker(world: World, client_as: Any) -> Any:
    """Who proposes."""
    return client_as(world.app, Role.DEPARTMENT_OFFICER, subject="maker")


@pytest.fixture
def checker(world: World, client_as: Any) -> Any:
    """Somebody else, who decides."""
    return client_as(world.app, Role.APPROVER, subject="checker")


@pytest.fixture
def making() -> tuple[Any, type[Line]]:
    """For tests that make several worlds of their own: `make_world` and `Line`."""
    return make_world, Line


@pytest.fixture
async def town(province: Any, world: World) -> Any:
    """The province of lists on the world's database: what its lists pay, the partner simulator has in its books."""
    made = replace(province, app=world.app, database=world.test_database, versions={})
    await made.units()
    await made.take_over()
    await made.budget()
    return made


@pytest.fixture
async def bank(request: Any, world_of: Any) -> AsyncIterator[Any]:
    """A world whose partners take files: pain.001, or what the parameter says."""
    async with world_of(**{"channel": "iso20022", "payer": PAYER, **getattr(request, "param", {})}) as made:
        yield made


@pytest.fixture
def operator(bank: Any, client_as: Any) -> Any:
    return client_as(bank.app, Role.OPERATOR, subject="nguyen.van.hanh")
