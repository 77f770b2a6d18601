"""A small province for disbursement: facts arrive as events, people act over HTTP, the list job runs at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from common.actor import SYSTEM, Role
from common.consumer import Consumer, Incoming
from common.contracts import accounts_v1, identity_verify_v1, registry_v1
from common.contracts.envelope import Event
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import CutOffReached, DueInterval, DuesLine, DueStatus, Programme
from common.ids import new_id, stable_id
from common.jobs import JobRunner
from common.sealing import Keyring
from common.testing import TestDatabase
from common.topics import PARTITIONS, partition_of
from disbursement.main import make_app
from disbursement.messaging.subscriptions import SUBSCRIPTIONS
from disbursement.settings import Settings
from disbursement.storage import cut_off
from disbursement.usecases.compute_list import JOB_KIND, ListComputer

DAY = date(2024, 8, 20)
NEXT_YEAR = date(2025, 8, 20)
MONTH = "2024-09"
UNIT = {"unit_code": "22924", "unit_path": "60/593/22924"}


def incoming(*events: Event, partition: int | None = None, topic: str | None = None) -> list[Incoming]:
    """Events as the consumer gets them."""
    out = []
    for event in events:
        key: UUID = getattr(event, event.KEY)
        raw = event.model_dump_json(warnings=False).encode()
        place = partition_of(key) if partition is None else partition
        out.append(Incoming(topic or event.TOPIC, place, 0, key, new_id(), event.type_name(), {}, raw))
    return out


def interval(amount: int, start: str = "2024-01", end: str | None = None, *, arrears: bool = False, missing: bool = False) -> DueInterval:
    """A due interval."""
    return DueInterval(
        from_month=start, to_month=end, amount=0 if missing else amount, status=DueStatus.RATE_MISSING if missing else DueStatus.DUE,
        basis="ND 20/2021", decision_number="1/QD", explicit_arrears=arrears,
    )  # fmt: skip


@dataclass
class Province:
    """The world around disbursement."""

    app: FastAPI
    settings: Settings
    database: TestDatabase
    keyring: Keyring
    client_as: Callable[..., httpx.AsyncClient]
    seals: Keyring
    versions: dict[Any, int] = field(default_factory=dict)
    keys: int = 0

    def __post_init__(self) -> None:
        self.db = self.database.db
        self.consumer = Consumer(self.db, "disbursement", SUBSCRIPTIONS, bootstrap="none:0", group="x", session_ms=6000, heartbeat_ms=1000)
        self.maker = self.client_as(self.app, Role.DEPARTMENT_OFFICER, subject="maker")
        self.checker = self.client_as(self.app, Role.APPROVER, subject="checker")

    def _next(self, part: Any) -> int:
        self.versions[part] = self.versions.get(part, 0) + 1
        return self.versions[part]

    async def hear(self, *events: Event) -> None:
        """Apply events as one poll batch."""
        await self.consumer.apply(incoming(*events))

    async def units(self) -> None:
        """Province 60, district 593, two communes."""
        tree = [
            ("60", "60", "province"),
            ("593", "60/593", "district"),
            ("22924", "60/593/22924", "commune"),
            ("22927", "60/593/22927", "commune"),
        ]
        await self.hear(*(
            registry_v1.AdministrativeUnitChanged(
                version=1, business_date=DAY, unit_id=new_id(), code=code, name=code, level=level, parent_code=None, path=path,
                valid_from=date(1975, 1, 1), valid_to=date(2025, 6, 30),
            )
            for code, path, level in tree
        ))  # fmt: skip

    def beneficiary(self, who: UUID, *, status: str = "ACTIVE", fingerprint: str = "f", **unit: str) -> Event:
        """State of a person."""
        return registry_v1.BeneficiaryRegistered(
            version=self._next(("b", who)), business_date=DAY, beneficiary_id=who, file_code=f"BT-{who.hex[-6:]}", full_name="Nguyễn Văn A",
            birth_date="1950", sex="M", programmes=[Programme.SOCIAL_ASSISTANCE], status=status, national_number={},
            identity_fingerprint=fingerprint, **(UNIT | unit),
        )  # fmt: skip

    def dues(self, who: UUID, *intervals: DueInterval, line: str = "A01", more: Sequence[DuesLine] = ()) -> Event:
        """Everything due to a person in social assistance."""
        first = DuesLine(programme=Programme.SOCIAL_ASSISTANCE, funding_source="LOCAL_BUDGET", benefit_line=line, intervals=list(intervals))
        return registry_v1.DuesChanged(
            version=self._next(("d", who)), business_date=DAY, beneficiary_id=who, lines=[first, *more] if intervals else [], **UNIT
        )

    def verified(self, who: UUID, verdict: Verdict = Verdict.VERIFIED, *, subject: UUID | None = None, valid_until: date = NEXT_YEAR,
                 fingerprint: str = "f", grace_until: date | None = None) -> Event:  # fmt: skip
        """What the population database said."""
        return identity_verify_v1.BeneficiaryVerified(
            version=self._next(("v", who, subject)), business_date=DAY, beneficiary_id=who, subject_id=subject or who,
            subject_kind="BENEFICIARY" if subject is None else "REPRESENTATIVE", verdict=verdict, source_status="MATCH", fields={},
            identity_fingerprint=fingerprint, checked_on=DAY, valid_until=valid_until, reference=None, grace_until=grace_until,
            **UNIT,
        )  # fmt: skip

    def account(self, payee: UUID, account_id: UUID, *, status: str = "ACTIVE", reason: str | None = None, kind: str = "BANK") -> Event:
        """An account of a payee."""
        token = self.seals.seal("disbursement", new_id(), "account_number", "0123456789")
        kind_of = accounts_v1.AccountLinked if status == "ACTIVE" else accounts_v1.AccountRejected
        return kind_of(
            version=self._next(("a", account_id)), business_date=DAY, payee_id=payee, account_id=account_id, kind=kind,
            provider_code="AGRIBANK", partner="agribank", account_number={"disbursement": token}, masked_number="…6789",
            holder_name="NGUYEN VAN A", status=status,
            reason=reason, **UNIT,
        )  # fmt: skip

    def limits(self, *, payment: int | None = None, month: int | None = None, provider: str = "AGRIBANK") -> Event:
        """What one account of a provider may receive, as the accounts' directory says."""
        return accounts_v1.ProviderLimitsSet(
            version=self._next(("l", provider)), business_date=DAY, provider_id=stable_id("provider", provider), provider_code=provider,
            per_payment=payment, per_month=month,
        )  # fmt: skip

    def method(self, who: UUID, method: str, *, account_id: UUID | None = None, payee: UUID | None = None, kind: str = "SELF") -> Event:
        """How a person is to be paid."""
        return accounts_v1.PayoutMethodChosen(
            version=self._next(("m", who)), business_date=DAY, beneficiary_id=who, payee_id=payee or who, payee_kind=kind, method=method,
            account_id=account_id, reason=None if method == "ACCOUNT" else "PREFERENCE", **UNIT,
        )  # fmt: skip

    def representative(self, who: UUID, rep: UUID, *, valid_to: date | None = None) -> Event:
        """Somebody may collect for a person."""
        return registry_v1.RepresentativeAppointed(
            version=self._next(("r", who, rep)), business_date=DAY, beneficiary_id=who, representative_id=rep, kind="AUTHORISED",
            full_name="Trần Thị B", birth_date="1980", sex="F", national_number={}, identity_fingerprint="r", valid_from=date(2024, 1, 1),
            valid_to=valid_to, certificate_number="1/UQ", **UNIT,
        )  # fmt: skip

    def by_account(self, who: UUID, *intervals: DueInterval) -> list[Event]:
        """A verified person with an active bank account."""
        account_id = new_id()
        return [self.beneficiary(who), self.dues(who, *intervals), self.verified(who), self.account(who, account_id),
                self.method(who, "ACCOUNT", account_id=account_id)]  # fmt: skip

    async def post(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> httpx.Response:
        """A POST with an idempotency key of its own."""
        self.keys += 1
        return await client.post(path, json=body or {}, headers={"Idempotency-Key": key or f"key-{self.keys:08d}"})

    async def take_over(self, unit: str = "60", first_month: str = MONTH) -> None:
        """Propose and approve the first platform month."""
        form = {"unit_code": unit, "programme": "SOCIAL_ASSISTANCE", "first_month": first_month, "business_date": str(DAY)}
        made = await self.post(self.maker, "/v1/take-overs", form)
        assert made.status_code == 201, made.text
        approved = await self.post(self.checker, f"/v1/take-overs/{made.json()['take_over_id']}/approve")
        assert approved.status_code == 200, approved.text

    async def budget(self, amount: int = 10**12) -> None:
        """Give the province a budget."""
        form = {"programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": "60", "year": 2024, "amount": amount,
                "business_date": str(DAY)}  # fmt: skip
        proposed = await self.post(self.maker, "/v1/budgets", form)
        assert proposed.status_code == 201, proposed.text
        assert (await self.post(self.checker, f"/v1/rulings/{proposed.json()['ruling_id']}/approve")).status_code == 200

    async def rule(self, kind: str, **form: Any) -> dict[str, Any]:
        """Propose a ruling (`settings`, `routes`, …) and approve it by somebody else."""
        body = {"business_date": str(DAY), "valid_from": "2024-01-01"} | form
        proposed = await self.post(self.checker, f"/v1/rulings/{kind}", body)
        assert proposed.status_code == 201, proposed.text
        second = self.client_as(self.app, Role.APPROVER, subject="second-checker")
        approved = await self.post(second, f"/v1/rulings/{proposed.json()['ruling_id']}/approve")
        assert approved.status_code == 200, approved.text
        return approved.json()  # type: ignore[no-any-return]

    async def open(self, month: str = MONTH, unit: str = "60", *, supplementary: bool = False, markers: bool = True,
                   day: date = DAY, **more: Any) -> dict[str, Any]:  # fmt: skip
        """Open a cycle; with `markers`, all cut-off markers arrive and agree."""
        form = {"month": month, "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "unit_code": unit,
                "business_date": str(day), "supplementary": supplementary} | more  # fmt: skip
        answer = await self.post(self.maker, "/v1/cycles", form)
        assert answer.status_code == 201, answer.text
        cycle: dict[str, Any] = answer.json()
        if markers:
            await self.mark(cycle)
        return cycle

    async def mark(self, cycle: dict[str, Any], *, skip: Sequence[tuple[str, int]] = (), **wrong: int) -> None:
        """All producers' markers reach us, with our own totals (and `wrong` ones instead where given)."""
        events: list[Incoming] = []
        year, number = cycle["month"].split("-")
        for topic in cut_off.EXPECTED_TOPICS:
            for partition in range(PARTITIONS):
                if (topic, partition) in skip:
                    continue
                async with self.db.read() as tx:
                    counts = await cut_off.count_ours(tx, topic, partition, date(int(year), int(number), 1), cycle["programme"])
                counts = {name: wrong.get(name, value) for name, value in counts.items()}
                marker = CutOffReached(
                    version=1, business_date=DAY, cut_off_id=cycle["cut_off_id"], cycle_id=cycle["cycle_id"], producer="x", topic=topic,
                    partition=partition, month=cycle["month"], programme=cycle["programme"], counts=counts,
                )  # fmt: skip
                events += incoming(marker, partition=partition, topic=topic)
        await self.consumer.apply(events)

    async def compute(self, cycle: dict[str, Any]) -> dict[str, Any]:
        """Ask for the list, run the job; the cycle as it is then."""
        answer = await self.post(self.maker, f"/v1/cycles/{cycle['cycle_id']}/compute")
        assert answer.status_code == 202, answer.text
        await JobRunner(self.db, {JOB_KIND: ListComputer(self.db, self.settings).run}, owner="t").run_one()
        job = (await self.maker.get(f"/v1/jobs/{answer.json()['job_id']}")).json()
        assert job["state"] == "DONE", job
        return await self.see(cycle)

    async def see(self, cycle: dict[str, Any]) -> dict[str, Any]:
        """The cycle now."""
        answer = await self.maker.get(f"/v1/cycles/{cycle['cycle_id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def lines(self, cycle: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Lines by beneficiary id."""
        items = (await self.maker.get(f"/v1/cycles/{cycle['cycle_id']}/lines?limit=200")).json()["items"]
        return {item["beneficiary_id"]: item for item in items}

    async def holds(self, cycle: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Holds by beneficiary id."""
        items = (await self.maker.get(f"/v1/cycles/{cycle['cycle_id']}/holds?limit=200")).json()["items"]
        return {item["beneficiary_id"]: item for item in items}

    async def submit(self, cycle: dict[str, Any]) -> httpx.Response:
        """The maker submits."""
        return await self.post(self.maker, f"/v1/cycles/{cycle['cycle_id']}/submit")

    async def approve(self, cycle: dict[str, Any], client: httpx.AsyncClient | None = None) -> httpx.Response:
        """The checker (or another client) approves the hash as seen now."""
        seen = await self.see(cycle)
        return await self.post(client or self.checker, f"/v1/cycles/{cycle['cycle_id']}/approve", {"list_hash": seen["list_hash"]})

    async def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Look into the database."""
        async with self.db.transaction(SYSTEM("test")) as tx:
            return [dict(row) for row in await tx.rows(sql, **params)]


@pytest.fixture
async def province(
    database: Callable[[str], TestDatabase],
    keyring: Callable[[str], Keyring],
    keys_file: Callable[[str], Any],
    client_as: Callable[..., httpx.AsyncClient],
) -> Province:
    """A province with its units, a take-over from September 2024 and a budget."""
    made = database("disbursement")
    settings = Settings(database_url=made.app_url, keys_file=keys_file("disbursement"), environment="development")
    place = Province(make_app(settings, made.db), settings, made, keyring("disbursement"), client_as, keyring("accounts"))
    await place.units()
    await place.take_over()
    await place.budget()
    return place


@pytest.fixture
def due() -> Callable[..., DueInterval]:
    """`due(500_000, "2024-01", arrears=True)`: see :func:`interval`."""
    return interval


@pytest.fixture
def shuffled() -> Callable[[Sequence[Event], int], list[Event]]:
    """`shuffled(events, seed)`: every event one to three times, in an order given by the seed."""

    def make(events: Sequence[Event], seed: int) -> list[Event]:
        rng = random.Random(seed)
        out = [event for event in events for _ in range(rng.randint(1, 3))]
        rng.shuffle(out)
        return out

    return make
