"""A population database to script, and events as the registry would send them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from common.consumer import Consumer, Incoming
from common.contracts.envelope import Event
from common.contracts.registry_v1 import BeneficiaryRegistered, CutOffReached, RepresentativeAppointed
from common.db import Database
from common.ids import new_id, stable_id
from common.jobs import JobRunner
from common.sealing import Keyring
from common.testing import TestDatabase
from common.topics import PARTITIONS, Topic, partition_of
from identity_verify.main import make_app
from identity_verify.messaging.subscriptions import SUBSCRIPTIONS
from identity_verify.population.online import PopulationOnline
from identity_verify.settings import Settings
from identity_verify.usecases.exchanges import APPLY_ANSWERS, AnswerApplier
from identity_verify.usecases.plan import RECHECK, DeathFeed, RecheckJob
from identity_verify.usecases.verify import Verifier

DAY = date(2024, 8, 20)
UNIT = {"unit_code": "22924", "unit_path": "60/593/22924"}


class Population:
    """The outside: people by number, a script of failures, and a count of what was asked."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.script: list[httpx.Response | Exception] = []
        self.asked: list[list[str]] = []
        self.deaths: list[str] = []
        self.feed_reads: list[str | None] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/deaths":
            return self._feed(request.url.params)
        persons = orjson.loads(request.content)["persons"]
        self.asked.append([person["number"] for person in persons])
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        return httpx.Response(200, json={"results": [self._answer(person) for person in persons]})

    def _feed(self, params: httpx.QueryParams) -> httpx.Response:
        """Two deaths a page, in the order recorded; the cursor is how many were read."""
        self.feed_reads.append(params.get("cursor"))
        if self.script and isinstance(self.script[0], Exception):
            raise self.script.pop(0)  # type: ignore[misc]
        start = int(params.get("cursor") or 0)
        page = self.deaths[start : start + 2]
        found = [{"number": number, "death_date": "2024-08-01"} for number in page]
        return httpx.Response(200, json={"deaths": found, "cursor": str(start + len(page)), "more": start + len(page) < len(self.deaths)})

    def _answer(self, person: dict[str, Any]) -> dict[str, Any]:
        known = self.people.get(person["number"])
        if known is None:
            return {
                "ref": person["ref"],
                "status": "NOT_FOUND",
                "fields": {},
                "reference": "PD-1",
                "checked_at": "2024-08-20T01:00:00+00:00",
            }
        return {
            "ref": person["ref"], "status": "MATCH", "fields": {"sex": "match"}, "population_name": known["name"],
            "population_birth_date": known["birth_date"], "death_date": None, "reference": "PD-1",
            "checked_at": "2024-08-20T01:00:00+00:00", **known.get("answer", {}),
        }  # fmt: skip


class World:
    """The service with its database, fed by hand."""

    def __init__(self, database: TestDatabase, registry: Keyring, own: Keyring, settings: Settings) -> None:
        self.db: Database = database.db
        self.settings = settings
        self.population = Population()
        self._registry = registry
        self._consumer = Consumer(self.db, "identity-verify", SUBSCRIPTIONS, bootstrap="", group="", session_ms=6000, heartbeat_ms=1000)
        self._offset = 0
        self.registry_keys = registry
        self.adapter = PopulationOnline(
            own, url="http://population", token="t", timeout_seconds=5, requests_per_second=1000,
            transport=httpx.MockTransport(self.population.handle),
        )  # fmt: skip
        self.verifier = Verifier(self.db, self.adapter, settings)
        self.feed = DeathFeed(self.db, self.adapter, settings)
        handlers = {APPLY_ANSWERS: AnswerApplier(self.db, own, settings).apply, RECHECK: RecheckJob(self.db, settings).run}
        self.jobs = JobRunner(self.db, handlers, owner="test")
        self.app = make_app(settings, self.db)

    def person(
        self, name: str = "Trần Thị Phương", number: str | None = "060150123456", *, version: int = 1, **more: Any
    ) -> BeneficiaryRegistered:
        fields = {
            "beneficiary_id": new_id(), "file_code": None, "full_name": name, "birth_date": "1950", "sex": "F", **UNIT,
            "programmes": ["MERIT"], "status": "ACTIVE", "national_number": self._seal(number),
            "identity_fingerprint": stable_id(name, number).hex, "version": version, "business_date": DAY,
        }  # fmt: skip
        return BeneficiaryRegistered(**{**fields, **more})

    def representative(self, beneficiary_id: UUID, name: str, number: str | None, **more: Any) -> RepresentativeAppointed:
        fields = {
            "beneficiary_id": beneficiary_id, "representative_id": new_id(), "kind": "GUARDIAN", "full_name": name, "birth_date": "1980",
            "sex": "M", "national_number": self._seal(number), "identity_fingerprint": stable_id(name, number).hex, **UNIT,
            "valid_from": DAY,
            "valid_to": None, "certificate_number": None, "version": 1, "business_date": DAY,
        }  # fmt: skip
        return RepresentativeAppointed(**{**fields, **more})

    def _seal(self, number: str | None) -> dict[str, str]:
        return {} if number is None else {"identity-verify": self._registry.seal("identity-verify", new_id(), "national_number", number)}

    def knows(self, number: str, name: str = "Trần Thị Phương", birth_date: str = "1950-03-05", **answer: Any) -> None:
        self.population.people[number] = {"name": name, "birth_date": birth_date, "answer": answer}

    async def hear(self, events: Sequence[Event], partitions: Sequence[int] | None = None) -> None:
        """Apply events as one polled batch."""
        batch = []
        for index, event in enumerate(events):
            self._offset += 1
            key: UUID = getattr(event, event.KEY)
            partition = partition_of(key) if partitions is None else partitions[index]
            batch.append(
                Incoming(event.TOPIC, partition, self._offset, key, new_id(), event.type_name(), {}, event.model_dump_json().encode())
            )
        await self._consumer.apply(batch)

    async def markers(self, people: Sequence[BeneficiaryRegistered], representatives: Sequence[RepresentativeAppointed] = ()) -> UUID:
        """The registry's markers for what it sent, to all partitions."""
        cut_off_id, events = new_id(), []
        for partition in range(PARTITIONS):
            mine = [event for event in people if partition_of(event.beneficiary_id) == partition]
            theirs = [event for event in representatives if partition_of(event.beneficiary_id) == partition]
            counts = {
                "beneficiaries": len(mine), "beneficiary_versions": sum(event.version for event in mine),
                "representatives": len(theirs), "representative_versions": sum(event.version for event in theirs),
            }  # fmt: skip
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

    async def drain(self) -> None:
        """Run the lanes until nothing is due."""
        while await self.verifier.run_once():
            pass

    async def work(self) -> None:
        """Run jobs until none is left."""
        while await self.jobs.run_one():
            pass

    async def verdicts(self) -> dict[UUID, str]:
        """The verdict on each person now."""
        async with self.db.read() as tx:
            rows = await tx.rows("SELECT subject_id, verdict FROM verification")
        return {row["subject_id"]: row["verdict"] for row in rows}

    async def waiting(self) -> dict[UUID, str]:
        """Who waits for an answer, and why."""
        async with self.db.read() as tx:
            rows = await tx.rows("SELECT subject_id, reason FROM check_request WHERE state = 'PENDING'")
        return {row["subject_id"]: row["reason"] for row in rows}

    async def all_due(self) -> None:
        """As if the back-off had passed."""
        async with self.db.transaction() as tx:
            await tx.execute("UPDATE check_request SET next_try_at = now() WHERE state = 'PENDING'")
            await tx.execute("UPDATE source_state SET open_until = NULL")

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What the outbox holds, in order."""
        async with self.db.read() as tx:
            rows = await tx.rows("SELECT type, partition, body FROM outbox ORDER BY id")
        return [(row["type"], {**orjson.loads(row["body"]), "_partition": row["partition"]}) for row in rows]

    async def parked(self) -> int:
        async with self.db.read() as tx:
            return int(await tx.value("SELECT count(*) FROM parked_event"))


@pytest.fixture
async def world(
    database: Callable[[str], TestDatabase], keyring: Callable[[str], Keyring], keys_file: Callable[[str], Path]
) -> AsyncIterator[World]:
    own = database("identity-verify")
    settings = Settings(
        database_url=own.app_url, keys_file=keys_file("identity-verify"), environment="development", backoff_first_seconds=60,
        cut_off_away_seconds=0, business_date=DAY,
    )  # fmt: skip
    made = World(own, keyring("registry"), keyring("identity-verify"), settings)
    yield made
    await made.adapter.close()
