"""Record what was answered, however it was asked: verdict, evidence, event, and what follows for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import orjson

from common import audit, clock, outbox
from common.contracts.identity_verify_v1 import Verdict
from common.db import Tx
from common.problems import InvalidInput
from identity_verify.domain.events import event_type
from identity_verify.domain.verdict import NO_ID_FINDING, Answer, Finding, claimed_twice, still_decided
from identity_verify.settings import Settings
from identity_verify.storage import asking, checks, conflicts, issue_requests, verifications
from identity_verify.storage.checks import Check
from identity_verify.storage.verifications import Recorded

__all__ = [
    "SIDE_BY_SIDE",
    "Found",
    "answer_mark",
    "check_day",
    "last_day",
    "publish",
    "record",
    "settle_conflicts",
    "settle_left",
    "valid_until",
]

Found = tuple[Check, Answer, Finding]
SIDE_BY_SIDE = "side_by_side"
_UNKNOWN = frozenset({Verdict.NOT_FOUND, Verdict.NO_ID})
_UNCLEAR = frozenset({Verdict.REVIEW, Verdict.SUSPECTED_IDENTITY, Verdict.DECEASED})


async def record(tx: Tx, settings: Settings, owner: str, found: Sequence[Found], *, source: str, exchange_id: UUID | None = None) -> int:
    """Close the checks that are still ours, and store and publish what was found on them. How many."""
    if not found:
        return 0
    ours = await checks.mark_answered(tx, owner, [check for check, _, _ in found], exchange_id)
    kept = [item for item in found if (item[0].beneficiary_id, item[0].subject_id) in ours]
    kept.sort(key=lambda item: (item[0].beneficiary_id, item[0].subject_id))
    if not kept:
        return 0
    # Read now and not when the question left: two people may have decided while the answer was on its way.
    decided = await verifications.decided(tx, sorted(ours))
    kept = [(replace(check, decided=decided.get((check.beneficiary_id, check.subject_id))), answer, given) for check, answer, given in kept]
    asked = (f"{check.beneficiary_id}/{check.subject_id}" for check, _, _ in kept)
    await audit.record(tx, "verification.record", "batch", owner, audit.Bulk.of(asked, source=source))
    claimants = [check.beneficiary_id for check, _, _ in kept if check.kind == "BENEFICIARY"]
    await settle_conflicts(tx, claimants, kept[0][0].business_date, recorded=claimants)
    several = await conflicts.claimed_by_several(tx, claimants)
    verdicts = []
    for check, answer, given in kept:
        finding = claimed_twice(given) if check.kind == "BENEFICIARY" and check.beneficiary_id in several else given
        verdicts.append((check, _recorded(tx, settings, check, answer, finding, source)))
    await publish(tx, verdicts)
    # Who asked for a number to be issued has one that the database knows.
    await issue_requests.close_registered(tx, [check.beneficiary_id for check, recorded in verdicts if recorded.verdict not in _UNKNOWN])
    return len(kept)


async def settle_conflicts(tx: Tx, beneficiary_ids: Sequence[UUID], seen_on: date, *, recorded: Sequence[UUID] = ()) -> None:
    """See whose numbers are claimed twice now, and ask again about those whom that concerns and who are not being recorded anyway."""
    if not beneficiary_ids:
        return
    claimed, freed = await conflicts.settle(tx, beneficiary_ids, seen_on)
    for people, reason in ((claimed, "NUMBER_CLAIMED"), (freed, "NUMBER_FREED")):
        others = sorted(set(people) - set(recorded))
        if people:
            await audit.record(tx, f"number.{reason.lower()}", "batch", people[0], audit.Bulk.of(people))
        if others:
            await asking.ask_again(tx, others, reason, seen_on)


async def settle_left(tx: Tx, beneficiary_ids: Sequence[UUID], seen_on: date) -> None:
    """Of these beneficiaries, some may have left or have another number now: who shared the old one is asked about again."""
    freed = await conflicts.leave(tx, beneficiary_ids)
    if freed:
        await audit.record(tx, "number.number_freed", "batch", freed[0], audit.Bulk.of(freed))
        await asking.ask_again(tx, freed, "NUMBER_FREED", seen_on)


def _recorded(tx: Tx, settings: Settings, check: Check, answer: Answer, found: Finding, source: str) -> Recorded:
    finding = still_decided(found, check.fingerprint, check.decided, answer_mark(tx, _values(answer)))
    stands = finding is not found
    # Evidence of a day that has not come would count for ever.
    day = min(check.business_date, last_day(settings))
    return Recorded(
        beneficiary_id=check.beneficiary_id,
        subject_id=check.subject_id,
        verdict=finding.verdict,
        source=source if found is not NO_ID_FINDING else "none",
        source_status=answer.status,
        fields=finding.fields,
        fingerprint=check.fingerprint,
        checked_on=day,
        valid_until=valid_until(day, settings.evidence_valid_days),
        reference=answer.reference,
        death_date=finding.death_date,
        source_checked_at=answer.checked_at,
        decided_by=check.decided["by"] if stands and check.decided else None,
        unit_path=check.unit_path,
        reason=check.reason,
        decided=check.decided if stands else None,
        side_by_side_cipher=_side_by_side(tx, answer) if found.verdict in _UNCLEAR else None,
    )


def _values(answer: Answer) -> dict[str, str | None]:
    return {"name": answer.name, "birth_date": answer.birth_date}


def answer_mark(tx: Tx, values: Mapping[str, str | None]) -> str | None:
    """What stands for a name and a birth date that the source has registered; None where it gave none."""
    if tx.db.keyring is None or (values["name"] is None and values["birth_date"] is None):
        return None
    return tx.db.keyring.blind(SIDE_BY_SIDE, f"{values['name']}|{values['birth_date']}").hex()


def _side_by_side(tx: Tx, answer: Answer) -> str | None:
    """What the source has registered, for the officer who decides: encrypted, since it is kept only for that."""
    keyring = tx.db.keyring
    if keyring is None or (answer.name is None and answer.birth_date is None):
        return None
    values = {**_values(answer), "sex": answer.sex_field}
    return "\\x" + keyring.encrypt(SIDE_BY_SIDE, orjson.dumps(values)).hex()


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


def last_day(settings: Settings) -> date:
    """The latest business date that may be written: today, or the installation's, whichever is later."""
    return max(clock.today(), clock.today(settings))


def check_day(settings: Settings, business_date: date) -> None:
    """Raises InvalidInput for a business date that has not come."""
    if business_date > last_day(settings):
        raise InvalidInput("this day has not come", errors=[{"field": "business_date", "detail": business_date.isoformat()}])


def valid_until(checked_on: date, days: int) -> date:
    """The last day on which evidence of this day is fresh."""
    return checked_on + timedelta(days=days)
