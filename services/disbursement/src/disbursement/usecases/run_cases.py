"""Cases of investigation and recall: opened, sent with a deadline, answered, ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import SYSTEM, Actor
from common.contracts.disbursement_v1 import PaymentStatus
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.domain.cases import CaseAction, CaseExists, CaseKind, CaseOutcome, IllegalCaseMove, move, outcome_of
from disbursement.domain.payment import DEAD
from disbursement.domain.payment_errors import PaymentNotFound
from disbursement.storage import cases, manual

__all__ = ["close_case", "look_round", "open_case", "take_step"]

_SENT = {PaymentStatus.SUBMITTING, PaymentStatus.SUBMITTED, PaymentStatus.UNKNOWN, PaymentStatus.SETTLED, PaymentStatus.COLLECTED}


async def open_case(db: Database, actor: Actor, payment_id: UUID, kind: CaseKind, reason: str, business_date: date) -> RowMapping:
    """Open a case about a payment that was sent, or withdrawn. Raises PaymentNotFound, IllegalCaseMove, CaseExists."""
    async with db.transaction(actor) as tx:
        payment = await manual.lock_payment(tx, actor, payment_id)
        if payment is None:
            raise PaymentNotFound()
        # That it is not paid, or was paid although we withdrew it, may be what the partner is asked about.
        sent = _SENT | (DEAD if kind is CaseKind.INVESTIGATION else set())
        if payment["status"] not in sent or (kind is CaseKind.RECALL and payment["status"] != PaymentStatus.SETTLED):
            raise IllegalCaseMove(f"The payment is {payment['status']}", payment_status=payment["status"])
        values = {
            "payment_id": payment_id, "kind": kind.value, "partner": payment["partner"], "unit_path": payment["unit_path"],
            "reason": reason, "opened_by": actor.subject, "opened_on": business_date,
        }  # fmt: skip
        case_id = await cases.add(tx, values, actor.subject)
        if case_id is None:
            raise CaseExists()
        what = audit.Created({"payment_id": payment_id, "kind": kind.value, "reason": reason})
        await audit.record(tx, "case.open", "payment_case", case_id, what)
        return await _found(tx, actor, case_id)


async def take_step(
    db: Database, actor: Actor, case_id: UUID, action: CaseAction, note: str | None, values: Mapping[str, Any]
) -> RowMapping:
    """Send the letter, remind, take the answer down, or cancel. Raises NotFound, IllegalCaseMove."""
    async with db.transaction(actor) as tx:
        case = await _found(tx, actor, case_id, lock=True)
        state = move(case["state"], action)
        if action is CaseAction.REMIND and await cases.said_last(tx, case_id, action.value, note, actor.subject, values):
            return case  # the same words again: its answer was lost
        reminders = {"reminders": case["reminders"] + 1} if action is CaseAction.REMIND else {}
        after = {"state": state.value, **values, **reminders}
        await cases.change(tx, case_id, action.value, note, actor.subject, after)
        told = [name for name in after if name != "answer"]  # what the partner wrote stands with the case
        what = audit.Changed.of(case, after, *told, note=note)
        await audit.record(tx, f"case.{action.value.lower()}", "payment_case", case_id, what)
        return await _found(tx, actor, case_id)


async def close_case(db: Database, actor: Actor, case_id: UUID, outcome: CaseOutcome, note: str) -> RowMapping:
    """End a case with what it found. Raises NotFound, IllegalCaseMove, OutcomeNeedsResult (then: a result by two people)."""
    async with db.transaction(actor) as tx:
        case = await _found(tx, actor, case_id, lock=True)
        state = move(case["state"], CaseAction.CLOSE)
        outcome_of(case["kind"], outcome, case["payment_status"], case["channel"])
        after = {"state": state.value, "outcome": outcome.value}
        await cases.change(tx, case_id, CaseAction.CLOSE.value, note, actor.subject, after)
        await audit.record(tx, "case.close", "payment_case", case_id, audit.Changed.of(case, after, *after, note=note))
        return await _found(tx, actor, case_id)


async def look_round(db: Database) -> bool:
    """End the cases that a notice, an inquiry or a statement has answered. False: there is never a reason to look again at once."""
    async with db.transaction(SYSTEM("cases")) as tx:
        closed = await cases.close_answered(tx, "cases")
        if closed:
            await audit.record(tx, "case.close_answered", "payment_case", "many", audit.Bulk.of(closed, after={"state": "CLOSED"}))
    return False


async def _found(tx: Tx, actor: Actor, case_id: UUID, *, lock: bool = False) -> RowMapping:
    row = await cases.find(tx, actor, case_id, lock=lock)
    if row is None:
        raise NotFound("No such case")
    return row
