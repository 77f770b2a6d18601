"""Complaints about payments: opened by anybody's word, investigated with a deadline, ended by two people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from disbursement.domain.complaint import (
    ComplaintAction,
    ComplaintExists,
    ComplaintKind,
    ComplaintOutcome,
    Informant,
    NothingPaidYet,
    move,
)
from disbursement.domain.errors import SamePerson
from disbursement.domain.payment_errors import PaymentNotFound
from disbursement.storage import complaints, payments

__all__ = ["decide", "investigate", "open_complaint", "propose", "withdraw"]

_SAID_PAID: Final = ("SETTLED", "COLLECTED", "SUBMITTED", "UNKNOWN")
"""Somebody says, or may yet say, that the money arrived; a payment that definitely failed has its own reason and its own way on."""


async def open_complaint(
    tx: Tx, actor: Actor, payment_id: UUID, *, kind: ComplaintKind, told_by: Informant, note: str, business_date: date, days: int
) -> UUID:
    """Open a case about one payment. Raises PaymentNotFound, NothingPaidYet, ComplaintExists, InvalidInput."""
    payment = await payments.by_id(tx, actor, payment_id)
    if payment is None:
        raise PaymentNotFound()
    if payment["status"] not in _SAID_PAID:
        raise NothingPaidYet(f"It is {payment['status']}", status=payment["status"])
    complaint_id = new_id()
    added = await complaints.add(
        tx,
        {
            "complaint_id": complaint_id, "payment_id": payment_id, "beneficiary_id": payment["beneficiary_id"], "kind": kind.value,
            "told_by": told_by.value, "note": note, "opened_on": business_date, "due_on": business_date + timedelta(days=days),
            "unit_code": payment["unit_code"], "unit_path": payment["unit_path"], "opened_by": actor.subject,
        },
    )  # fmt: skip
    if not added:
        raise ComplaintExists(f"Payment {payment_id}")
    await complaints.take_step(tx, complaint_id, "OPENED", note)
    await audit.record(tx, "complaint.open", "complaint", complaint_id, audit.Created({"payment_id": payment_id, "kind": kind.value}))
    return complaint_id


async def _found(tx: Tx, actor: Actor, complaint_id: UUID) -> RowMapping:
    row = await complaints.find(tx, actor, complaint_id, lock=True)
    if row is None:
        raise NotFound("No such complaint")
    return row


async def _step(tx: Tx, row: RowMapping, action: ComplaintAction, note: str, **values: Any) -> None:
    """Make one move with its step and audit row. Raises IllegalComplaintMove."""
    complaint_id: UUID = row["complaint_id"]
    after = {"state": move(row["state"], action).value, **values}
    await complaints.put(tx, complaint_id, after)
    await complaints.take_step(tx, complaint_id, action.value, note)
    told = [name for name in after if name != "evidence"]  # what people say stands with the steps
    await audit.record(tx, f"complaint.{action.value.lower()}", "complaint", complaint_id, audit.Changed.of(row, after, *told))


async def investigate(db: Database, actor: Actor, complaint_id: UUID, note: str, investigation: str | None) -> None:
    """Begin, or note what was found; `investigation` names the tracing request to the partner. Raises NotFound, IllegalComplaintMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, complaint_id)
        await _step(tx, row, ComplaintAction.INVESTIGATE, note, investigation=investigation or row["investigation"])


async def propose(db: Database, actor: Actor, complaint_id: UUID, outcome: ComplaintOutcome, note: str, evidence: str) -> None:
    """The first person's word on what happened, with evidence. Raises NotFound, IllegalComplaintMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, complaint_id)
        await _step(tx, row, ComplaintAction.PROPOSE, note, outcome=outcome.value, evidence=evidence, proposed_by=actor.subject)


async def decide(db: Database, actor: Actor, complaint_id: UUID, note: str, business_date: date, *, confirm: bool) -> None:
    """The second person's word: the case ends, or goes back. Raises NotFound, SamePerson, IllegalComplaintMove, InvalidInput."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, complaint_id)
        action = ComplaintAction.CONFIRM if confirm else ComplaintAction.REFUSE
        move(row["state"], action)
        if row["proposed_by"] == actor.subject:
            raise SamePerson("You proposed this outcome")
        if confirm:
            await _step(tx, row, action, note, decided_by=actor.subject, closed_on=_not_before(row, business_date))
        else:
            await _step(tx, row, action, note, outcome=None, evidence=None, proposed_by=None)


async def withdraw(db: Database, actor: Actor, complaint_id: UUID, note: str, business_date: date) -> None:
    """The person takes it back. Raises NotFound, IllegalComplaintMove, InvalidInput."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, complaint_id)
        await _step(tx, row, ComplaintAction.WITHDRAW, note, closed_on=_not_before(row, business_date))


def _not_before(row: RowMapping, day: date) -> date:
    if day < row["opened_on"]:
        raise InvalidInput(errors=[{"field": "business_date", "detail": "before the complaint was opened"}])
    return day
