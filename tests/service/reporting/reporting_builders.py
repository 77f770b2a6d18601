"""One reporting service in process, and the smallest events that make a month: units, people, payments in every state, holds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from fastapi import FastAPI

from common.consumer import Consumer, Incoming
from common.contracts.disbursement_v1 import (
    CashCollected,
    Channel,
    HoldReason,
    PaymentEvent,
    PaymentFailed,
    PaymentHeld,
    PaymentInstructed,
    PaymentReissued,
    PaymentReleased,
    PaymentReturned,
    PaymentSettled,
    PaymentStatus,
    PaymentUncollected,
    PaymentUnknown,
)
from common.contracts.envelope import Event
from common.contracts.registry_v1 import AdministrativeUnitChanged, BeneficiaryRegistered, BeneficiaryStatus, Programme, Sex
from common.db import Database
from common.ids import stable_id
from common.testing import TestDatabase
from common.topics import partition_of
from reporting.main import make_app
from reporting.messaging.subscriptions import SUBSCRIPTIONS
from reporting.settings import Settings

MONTH = "2024-09"
DAY = date(2024, 8, 20)
CLASSES: dict[PaymentStatus, type[PaymentEvent]] = {
    PaymentStatus.APPROVED: PaymentInstructed,
    PaymentStatus.UNKNOWN: PaymentUnknown,
    PaymentStatus.SETTLED: PaymentSettled,
    PaymentStatus.FAILED: PaymentFailed,
    PaymentStatus.RETURNED: PaymentReturned,
    PaymentStatus.COLLECTED: CashCollected,
    PaymentStatus.UNCOLLECTED: PaymentUncollected,
}
PARTNERS = {
    Channel.BANK: "agribank", Channel.WALLET: "momo", Channel.MOBILE_MONEY: "viettelmoney", Channel.CASH_POST: "vnpost",
    Channel.CASH_HOME: "vnpost",
}  # fmt: skip


def cycle_of(*about: object, number: int = 1) -> UUID:
    """The cycle of a list: as in production each list has one of its own, and a later list's id is greater (UUIDv7)."""
    return UUID(int=number << 80 | stable_id("cycle", *about).int & ((1 << 80) - 1))


def payment_of(who: UUID, programme: Programme, *, attempt: int = 1, number: int = 1) -> UUID:
    """The id of a payment that :meth:`World.paid` makes."""
    return stable_id("payment", who, programme, attempt, number)


class Reporting:
    """One reporting service in process."""

    def __init__(self, home: TestDatabase, settings: Settings) -> None:
        self.db: Database = home.db
        self.home = home
        self.settings = settings
        self.app: FastAPI = make_app(settings, home.db)
        self.consumer = Consumer(home.db, "reporting", SUBSCRIPTIONS, bootstrap="", group="", session_ms=0, heartbeat_ms=0)

    async def hear(self, events: Sequence[Incoming], batch: int = 1_000) -> None:
        """Apply events in batches, as the consumer does after a poll."""
        for start in range(0, len(events), batch):
            await self.consumer.apply(list(events[start : start + batch]))

    async def tables(self) -> dict[str, list[str]]:
        """The read models as text, sorted: equal when the same was understood."""
        async with self.db.read() as tx:
            names = [row["name"] for row in await tx.rows("SELECT name FROM read_model ORDER BY name")]
            lists, people = "WHERE people <> 0 OR payments <> 0", "WHERE people <> 0"  # a sum of zero says nothing
            owed = "WHERE people <> 0 OR lines <> 0 OR dong <> 0"
            some = {"month_sum": lists, "month_sum_above": lists, "standing_change": people, "standing_above": people, "owed_change": owed,
                    "owed_above": owed}  # fmt: skip
            return {
                name: sorted(row["line"] for row in await tx.rows(f"SELECT CAST(t AS text) AS line FROM {name} t {some.get(name, '')}"))
                for name in names
            }


@dataclass
class World:
    """Events in the order they were made."""

    events: list[Event] = field(default_factory=list)
    people: int = 0

    def unit(self, path: str, name: str, valid_from: str = "2004-01-01", valid_to: str | None = None) -> None:
        level = ("province", "district", "commune")[path.count("/")]
        parent, _, code = path.rpartition("/")
        self.events.append(
            AdministrativeUnitChanged(
                version=1, business_date=DAY, unit_id=stable_id("unit", path, valid_from), code=code, name=name, level=level,
                parent_code=parent.rpartition("/")[2] or None, path=path, valid_from=date.fromisoformat(valid_from),
                valid_to=date.fromisoformat(valid_to) if valid_to else None,
            )
        )  # fmt: skip

    def person(self, path: str, programme: Programme) -> UUID:
        self.people += 1
        beneficiary = stable_id("person", self.people)
        self.events.append(
            BeneficiaryRegistered(
                version=1, business_date=DAY, beneficiary_id=beneficiary, file_code=f"HS-{self.people:05}", full_name="Nguyễn Văn A",
                birth_date="1950", sex=Sex.UNKNOWN, unit_code=path.rpartition("/")[2], unit_path=path, programmes=[programme],
                status=BeneficiaryStatus.ACTIVE, national_number={"accounts": "k1.sealed"}, identity_fingerprint="f",
            )
        )  # fmt: skip
        return beneficiary

    def paid(
        self,
        path: str,
        programme: Programme,
        channel: Channel,
        statuses: Sequence[PaymentStatus],
        amount: int = 500_000,
        *,
        who: UUID | None = None,
        attempt: int = 1,
        number: int | None = None,
        months: Sequence[str] = (MONTH,),
        day: date = DAY,
        reason: str | None = None,
        replaces: dict[UUID, int] | None = None,
    ) -> UUID:
        """One payment through its states, one version each; the beneficiary. `number`: of its list in the month; a re-issue has its own.

        `replaces`: what each of its words says of dead payments (ids by :func:`payment_of`).
        """
        beneficiary = who or self.person(path, programme)
        number = number or attempt
        for version, status in enumerate(statuses, start=1):
            kind = PaymentReissued if attempt > 1 and version == 1 else CLASSES[status]
            self.events.append(
                kind(
                    version=version, business_date=day, payment_id=payment_of(beneficiary, programme, attempt=attempt, number=number),
                    cycle_id=cycle_of(programme, number=number), beneficiary_id=beneficiary, payee_id=beneficiary, payee_kind="SELF",
                    status=status, attempt=attempt, reference=f"R{beneficiary.hex[:12]}-{number}-{attempt}", amount=amount,
                    month=MONTH, months=list(months), programme=programme, funding_source="LOCAL_BUDGET", channel=channel,
                    partner=PARTNERS[channel], reason=reason, unit_code=path.rpartition("/")[2], unit_path=path,
                    occurred_at=datetime(2024, 9, 5, tzinfo=UTC), replaces=replaces,
                )
            )  # fmt: skip
        return beneficiary

    def held(
        self,
        path: str,
        programme: Programme,
        reason: HoldReason,
        amount: int = 500_000,
        *,
        who: UUID | None = None,
        released: bool = False,
        number: int = 1,
        replaces: dict[UUID, int] | None = None,
    ) -> UUID:
        """One hold, released in a second version when asked."""
        beneficiary = who or self.person(path, programme)
        for version, done in enumerate([False, True][: 1 + released], start=1):
            kind = PaymentReleased if done else PaymentHeld
            self.events.append(
                kind(
                    version=version, business_date=DAY, hold_id=stable_id("hold", beneficiary, programme, number),
                    cycle_id=cycle_of(programme, number=number), beneficiary_id=beneficiary, month=MONTH, programme=programme,
                    funding_source="LOCAL_BUDGET", amount=amount, reason=reason, actor="COMMUNE_POLICE", released=done,
                    unit_code=path.rpartition("/")[2], unit_path=path, replaces=replaces,
                )
            )  # fmt: skip
        return beneficiary


def incoming(events: Iterable[Event]) -> list[Incoming]:
    """Events as they come from the topics; the same event always has the same id."""
    received = []
    for offset, event in enumerate(events):
        key: UUID = getattr(event, event.KEY)
        body = event.model_dump_json().encode()
        received.append(
            Incoming(
                topic=event.TOPIC,
                partition=partition_of(key),
                offset=offset,
                key=key,
                event_id=stable_id("event", event.type_name(), body),
                type=event.type_name(),
                headers={"ce_source": "test", "ce_time": "2024-09-05T03:00:00+00:00"},
                raw=body,
            )
        )
    return received


def shuffled(events: Sequence[Incoming], seed: int) -> list[Incoming]:
    """Every event one to three times, in any order at all."""
    dice = random.Random(seed)
    many = [event for event in events for _ in range(dice.randint(1, 3))]
    dice.shuffle(many)
    return many


MERIT, ASSISTANCE = Programme.MERIT, Programme.SOCIAL_ASSISTANCE
S = PaymentStatus


def small_month() -> World:
    """Two districts; every state once or more. District 593: 3 merit (2 by account), 4 assistance (1 by account); 594: 2 assistance."""
    world = World()
    world.unit("60", "Tỉnh Bình Thuận", valid_to="2025-06-30")
    world.unit("60/593", "Thành phố Phan Thiết", valid_to="2025-06-30")
    world.unit("60/594", "Thị xã La Gi", valid_to="2025-06-30")
    world.unit("60/593/22924", "Phường Mũi Né", valid_to="2025-06-30")
    here, there = "60/593/22924", "60/594/23235"
    world.paid(here, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 2_789_000)
    world.paid(here, MERIT, Channel.WALLET, [S.APPROVED, S.UNKNOWN, S.SETTLED], 1_000_001)
    world.paid(here, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 3_000_000)
    world.paid(here, ASSISTANCE, Channel.MOBILE_MONEY, [S.APPROVED, S.SETTLED], 500_000)
    world.paid(here, ASSISTANCE, Channel.BANK, [S.APPROVED, S.FAILED], 750_000, reason="ACCOUNT_CLOSED")
    world.held(here, ASSISTANCE, HoldReason.SUSPECTED_IDENTITY, 500_000)
    world.held(here, ASSISTANCE, HoldReason.DECEASED, 500_000)  # not counted
    again = world.paid(here, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED, S.RETURNED], 500_000, reason="CLOSED")
    world.paid(here, ASSISTANCE, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 500_000, who=again, attempt=2)
    world.paid(there, ASSISTANCE, Channel.CASH_HOME, [S.APPROVED, S.UNCOLLECTED], 500_000, reason="NOT_COLLECTED")
    world.held(there, ASSISTANCE, HoldReason.NOT_VERIFIED, 500_000, released=True)
    world.held(there, ASSISTANCE, HoldReason.STOPPED, 0)  # nothing due: not counted
    return world
