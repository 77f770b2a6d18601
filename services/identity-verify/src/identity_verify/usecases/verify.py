"""Ask about due people: claim in one transaction, call the source outside of any, record answers and events in another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from common import audit, outbox
from common.actor import SYSTEM
from common.contracts.identity_verify_v1 import Verdict
from common.db import Database, Tx
from common.ids import new_id
from common.outside import Breaker
from identity_verify.domain.events import event_type
from identity_verify.domain.verdict import NO_ID_FINDING, Answer, Asked, Finding, SourceStatus, judge
from identity_verify.population.online import SOURCE, Person, PopulationOnline
from identity_verify.settings import Settings
from identity_verify.storage import checks, verifications
from identity_verify.storage.checks import Check
from identity_verify.storage.verifications import Recorded

__all__ = ["Verifier", "publish"]

_ACTOR: Final = SYSTEM("identity-verify")
_NO_ID_ANSWER: Final = Answer(SourceStatus.NOT_ASKED)
_POPULATION: Final = "population"


class Verifier:
    """One lane of work; several run side by side, in this process and in others."""

    def __init__(self, db: Database, population: PopulationOnline, settings: Settings) -> None:
        self._db = db
        self._population = population
        self._settings = settings
        self._breaker = Breaker(
            "source_state", "source", first_seconds=settings.backoff_first_seconds, longest_seconds=settings.backoff_longest_seconds
        )

    async def run_once(self) -> bool:
        """Take one batch through. Returns whether there was any. While the source's breaker is open, only people without a number."""
        owner = str(new_id())
        async with self._db.transaction(_ACTOR) as tx:
            asking = await self._breaker.closed(tx, _POPULATION)
            claimed = await checks.claim(
                tx, owner=owner, limit=self._settings.batch_size, lease_seconds=self._settings.lease_seconds, asking=asking
            )
        if not claimed:
            return False
        await self._without_number(owner, [check for check in claimed if check.number_token is None])
        await self._ask(owner, [check for check in claimed if check.number_token is not None])
        return True

    async def _without_number(self, owner: str, batch: Sequence[Check]) -> None:
        if batch:
            async with self._db.transaction(_ACTOR) as tx:
                await self._record(tx, owner, [(check, _NO_ID_ANSWER, NO_ID_FINDING) for check in batch])

    async def _ask(self, owner: str, batch: Sequence[Check]) -> None:
        if not batch:
            return
        # One identity may stand in several roles (a carer of two people): it is asked about once.
        by_identity = {check.fingerprint: check for check in batch}

        async def put_back(tx: Tx, error: str) -> None:
            await checks.put_back(tx, owner, batch, error=error, wait_seconds=0, counted=False)

        people = [Person(check.number_token or "", check.full_name, check.birth_date, check.sex) for check in by_identity.values()]
        given = await self._breaker.guard(
            self._db, _ACTOR, _POPULATION, lambda: self._population.check(people), put_back, waiting=len(batch)
        )
        if given is None:
            return
        answers = dict(zip(by_identity, given, strict=True))
        findings = [(check, answers[check.fingerprint], judge(_asked(check), answers[check.fingerprint])) for check in batch]
        unanswered = [check for check, _, finding in findings if finding is None]
        async with self._db.transaction(_ACTOR) as tx:
            await self._record(tx, owner, [(check, answer, finding) for check, answer, finding in findings if finding is not None])
            if unanswered:
                first = self._settings.backoff_first_seconds
                await checks.put_back(tx, owner, unanswered, error="no answer on this person", wait_seconds=first, counted=True)
            await self._breaker.ok(tx, _POPULATION)

    async def _record(self, tx: Tx, owner: str, found: Sequence[tuple[Check, Answer, Finding]]) -> None:
        if not found:
            return
        ours = await checks.mark_answered(tx, owner, [check for check, _, _ in found])
        kept = [item for item in found if (item[0].beneficiary_id, item[0].subject_id) in ours]
        kept.sort(key=lambda item: (item[0].beneficiary_id, item[0].subject_id))
        if kept:
            await audit.record(tx, "verification.record", "batch", owner, {"count": len(kept)})
        await publish(tx, [(check, self._recorded(check, answer, finding)) for check, answer, finding in kept])

    def _recorded(self, check: Check, answer: Answer, finding: Finding) -> Recorded:
        return Recorded(
            beneficiary_id=check.beneficiary_id,
            subject_id=check.subject_id,
            verdict=finding.verdict,
            source=SOURCE if finding is not NO_ID_FINDING else "none",
            source_status=answer.status,
            fields=finding.fields,
            fingerprint=check.fingerprint,
            checked_on=check.business_date,
            valid_until=valid_until(check.business_date, self._settings.evidence_valid_days),
            reference=answer.reference,
            death_date=finding.death_date,
            source_checked_at=answer.checked_at,
            decided_by=None,
            unit_path=check.unit_path,
        )


async def publish(tx: Tx, verdicts: Sequence[tuple[Check, Recorded]]) -> None:
    """Store verdicts with their evidence and add one event for each, carrying the verification's full state."""
    if not verdicts:
        return
    versions = await verifications.record(tx, [recorded for _, recorded in verdicts])
    await outbox.add(
        tx,
        [
            event_type(check.kind, Verdict(recorded.verdict))(
                version=versions[check.beneficiary_id, check.subject_id],
                business_date=check.business_date,
                beneficiary_id=check.beneficiary_id,
                subject_id=check.subject_id,
                subject_kind=check.kind,
                verdict=Verdict(recorded.verdict),
                source_status=recorded.source_status,
                fields=recorded.fields,
                identity_fingerprint=recorded.fingerprint,
                checked_on=recorded.checked_on,
                valid_until=recorded.valid_until,
                reference=recorded.reference,
                death_date=recorded.death_date,
                unit_code=check.unit_code,
                unit_path=check.unit_path,
            )
            for check, recorded in verdicts
        ],
    )


def valid_until(checked_on: date, days: int) -> date:
    """The last day on which evidence of this day is fresh."""
    return checked_on + timedelta(days=days)


def _asked(check: Check) -> Asked:
    return Asked(check.full_name, check.birth_date, check.sex)
