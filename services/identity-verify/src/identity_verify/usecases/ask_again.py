"""Asking again about one person because somebody says that the answer is wrong: a death that is none, a name that was corrected."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database
from identity_verify.domain.errors import DecisionNotPossible, VerificationNotFound
from identity_verify.settings import Settings
from identity_verify.storage import asking, verifications
from identity_verify.usecases.record import check_day

__all__ = ["ask_again"]


async def ask_again(
    db: Database, settings: Settings, actor: Actor, *, beneficiary_id: UUID, subject_id: UUID, note: str, business_date: date
) -> None:
    """Ask the population database about one person again; who is being asked about already stays so.

    Nothing is lifted by asking: what was said last counts until the answer.

    Raises:
        VerificationNotFound: no such person in the caller's units.
        DecisionNotPossible: the person has left the register.
        InvalidInput: the business date has not come.
    """
    check_day(settings, business_date)
    async with db.transaction(actor) as tx:
        rows = await verifications.find(tx, subject_id, *actor.scope_sql("s.unit_path"))
        found = next((row for row in rows if row["beneficiary_id"] == beneficiary_id), None)
        if found is None:
            raise VerificationNotFound
        if await asking.ask_about(tx, beneficiary_id, subject_id, business_date):
            what = audit.Changed({"check": "ANSWERED"}, {"check": "PENDING"}, {"verdict": found["verdict"], "note": note})
            await audit.record(tx, "verification.asked_again", "verification", subject_id, what)
        elif not found["pending"]:
            raise DecisionNotPossible("this person has left the register")
