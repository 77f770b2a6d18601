"""Commune police decide what the population database left unclear; two different people must say the same."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import orjson

from common import audit
from common.actor import Actor
from common.contracts.identity_verify_v1 import Verdict
from common.db import Database, Tx
from identity_verify.domain.errors import DecisionNotPossible, SecondPersonRequired, VerificationNotFound
from identity_verify.domain.verdict import CONFIRMED, DECIDABLE
from identity_verify.settings import Settings
from identity_verify.storage import decisions
from identity_verify.storage.checks import Check
from identity_verify.storage.verifications import Recorded
from identity_verify.usecases.record import SIDE_BY_SIDE, answer_mark, check_day, publish, valid_until

__all__ = ["decide"]


async def decide(
    db: Database,
    settings: Settings,
    actor: Actor,
    *,
    beneficiary_id: UUID,
    subject_id: UUID,
    verdict: Literal[Verdict.VERIFIED, Verdict.SUSPECTED_IDENTITY],
    note: str,
    business_date: date,
) -> tuple[str, int]:
    """Propose a verdict, or confirm what another person proposed. Returns (PROPOSED or APPLIED, version of the verification).

    Raises:
        VerificationNotFound: no such person in the caller's units.
        DecisionNotPossible: the source's answer is definite, or the person's data changed and are being checked.
        InvalidInput: the business date has not come.
        SecondPersonRequired: the caller proposed this verdict already.
    """
    check_day(settings, business_date)
    async with db.transaction(actor) as tx:
        found = await decisions.lock_decidable(tx, beneficiary_id, subject_id, *actor.scope_sql("s.unit_path"))
        if found is None or found.version is None:
            raise VerificationNotFound
        if found.verdict not in DECIDABLE or not found.current:
            raise DecisionNotPossible(f"verdict {found.verdict}")
        decision = await decisions.propose(tx, found, verdict=verdict, note=note, business_date=business_date, proposed_by=actor.subject)
        if decision["proposed_by"] == actor.subject:
            if decision["note"] != note or decision["business_date"] != business_date:
                raise SecondPersonRequired("you proposed this verdict already; another person confirms it")
            proposed = audit.Created({"decision": decision["id"], "verdict": verdict, "version": found.version})
            await audit.record(tx, "decision.proposed", "verification", subject_id, proposed)
            return "PROPOSED", found.version
        await decisions.confirm(tx, decision["id"], actor.subject)
        check = found.check
        by = f"{decision['proposed_by']},{actor.subject}"
        undecided = {name: value for name, value in found.fields.items() if name != "decision"}
        recorded = Recorded(
            beneficiary_id=check.beneficiary_id,
            subject_id=check.subject_id,
            verdict=verdict,
            source="commune-police",
            source_status=found.source_status or "NOT_ASKED",
            fields={**undecided, "decision": CONFIRMED},
            fingerprint=check.fingerprint,
            checked_on=business_date,
            valid_until=valid_until(business_date, settings.evidence_valid_days),
            reference=f"decision:{decision['id']}",
            death_date=None,
            source_checked_at=None,
            decided_by=by,
            unit_path=check.unit_path,
            reason="DECIDED",
            # The same answer on the same data at the next check asks nobody again.
            decided={
                "verdict": verdict,
                "fields": undecided,
                "fingerprint": check.fingerprint,
                "by": by,
                "answer": await _answer(tx, check),
            },
        )
        await publish(tx, [(check, recorded)])
        what = audit.Changed(
            {"verdict": found.verdict, "version": found.version, "valid_until": found.valid_until},
            {"verdict": verdict, "version": found.version + 1, "valid_until": recorded.valid_until},
            {"decision": decision["id"], "proposed_by": decision["proposed_by"]},
        )
        await audit.record(tx, "decision.applied", "verification", subject_id, what)
        return "APPLIED", found.version + 1


async def _answer(tx: Tx, check: Check) -> str | None:
    """What stands for the source's values that the two looked at."""
    cipher = await decisions.answer_cipher(tx, check.beneficiary_id, check.subject_id)
    if cipher is None or tx.db.keyring is None:
        return None
    return answer_mark(tx, orjson.loads(tx.db.keyring.decrypt_bytes(SIDE_BY_SIDE, cipher)))
