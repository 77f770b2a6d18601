"""Ask about due people: claim in one transaction, call the source outside of any, record answers and events in another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from common import tracing
from common.actor import SYSTEM
from common.db import Database, Tx
from common.ids import new_id
from common.outside import Breaker, Throttle
from identity_verify.domain.verdict import NO_ID_FINDING, Answer, Asked, SourceStatus, judge
from identity_verify.population.online import PopulationOnline
from identity_verify.population.source import Person
from identity_verify.settings import Settings
from identity_verify.storage import checks
from identity_verify.storage.checks import Check
from identity_verify.usecases.record import record

__all__ = ["POPULATION", "Verifier", "breaker"]

_ACTOR: Final = SYSTEM("identity-verify")
_NO_ID_ANSWER: Final = Answer(SourceStatus.NOT_ASKED)
_TURN_SECONDS: Final = 2.0
POPULATION: Final = "population"
"""The name under which the state of the population database is kept."""


def breaker(settings: Settings) -> Breaker:
    """The breaker of the population database, shared by all who ask it."""
    return Breaker("source_state", "source", first_seconds=settings.backoff_first_seconds, longest_seconds=settings.backoff_longest_seconds)


class Verifier:
    """One lane of work; several run side by side, in this process and in others."""

    def __init__(self, db: Database, population: PopulationOnline, settings: Settings) -> None:
        self._db = db
        self._population = population
        self._settings = settings
        self._breaker = breaker(settings)
        self._throttle = Throttle("source_state", "source")
        rate = settings.population_persons_per_second
        # A batch is no more than the rate lets through in two seconds: a claimed one waits for its turn well within its lease.
        self._batch = settings.batch_size if rate <= 0 else max(1, min(settings.batch_size, int(rate * _TURN_SECONDS)))

    async def run_once(self) -> bool:
        """Take one batch through. Returns whether there was any.

        While the source's breaker is open, and where people are checked by file, only those without a number.
        """
        owner = str(new_id())
        async with self._db.transaction(_ACTOR) as tx:
            asking = self._settings.population_mode == "online" and await self._breaker.closed(tx, POPULATION)
            claimed = await checks.claim(tx, owner=owner, limit=self._batch, lease_seconds=self._settings.lease_seconds, asking=asking)
            numbered = [check for check in claimed if check.number_token is not None]
            people = len({check.fingerprint for check in numbered})
            wait = await self._throttle.turn(tx, POPULATION, people, self._settings.population_persons_per_second)
            if wait:
                await checks.keep(tx, owner, numbered, wait)
        if not claimed:
            return False
        led = (((check.beneficiary_id,), check.traceparent) for check in claimed)
        with tracing.going_on("people verify", led, "ansinh_asked") as traces:
            await self._without_number(owner, [check for check in claimed if check.number_token is None], traces)
            if wait:
                await asyncio.sleep(wait)
            await self._ask(owner, numbered, traces)
        return True

    async def _without_number(self, owner: str, batch: Sequence[Check], traces: Mapping[UUID, str]) -> None:
        if batch:
            async with self._db.transaction(_ACTOR) as tx:
                tx.traces = traces
                found = [(check, _NO_ID_ANSWER, NO_ID_FINDING) for check in batch]
                await record(tx, self._settings, owner, found, source="none")

    async def _ask(self, owner: str, batch: Sequence[Check], traces: Mapping[UUID, str]) -> None:
        if not batch:
            return
        # One identity may stand in several roles (a carer of two people): it is asked about once.
        by_identity = {check.fingerprint: check for check in batch}

        async def put_back(tx: Tx, error: str) -> None:
            await checks.put_back(tx, owner, batch, error=error, wait_seconds=0, counted=False)

        people = [Person(check.number_token or "", check.full_name, check.birth_date, check.sex) for check in by_identity.values()]
        given = await self._breaker.guard(
            self._db, _ACTOR, POPULATION, lambda: self._population.check(people), put_back, waiting=len(batch)
        )
        if given is None:
            return
        answers = dict(zip(by_identity, given, strict=True))
        found, unanswered = [], []
        for check in batch:
            answer = answers[check.fingerprint]
            finding = judge(Asked(check.full_name, check.birth_date, check.sex), answer)
            if finding is None:
                unanswered.append(check)
            else:
                found.append((check, answer, finding))
        async with self._db.transaction(_ACTOR) as tx:
            tx.traces = traces
            await record(tx, self._settings, owner, found, source=self._population.source)
            if unanswered:
                first = self._settings.backoff_first_seconds
                await checks.put_back(tx, owner, unanswered, error="no answer on this person", wait_seconds=first, counted=True)
            await self._breaker.ok(tx, POPULATION)
