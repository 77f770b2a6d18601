"""What became of a payment, said by two people with evidence: it counts like a partner's word, with the same judgement and effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.contracts.disbursement_v1 import PaymentStatus
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.cases import CaseOutcome, ResultNotPossible, ResultProposed, SameWitness, WordNotOurs
from disbursement.domain.payment import CASH, KEEPS_CLOSED, PAID, Reading, ResultStatus, corrects, read_result
from disbursement.domain.payment_errors import PaymentNotFound
from disbursement.storage import cases, corrections, manual, payment_moves, uncollected
from disbursement.usecases.record_results import Told, record_results

__all__ = ["accept_word", "correct_payments", "decide_result", "dismiss_word", "propose_correction", "propose_result"]

_MIDDAY: Final = time(5)
_CASE_OUTCOMES: Final = {
    ResultStatus.SETTLED: CaseOutcome.PAID,
    ResultStatus.COLLECTED: CaseOutcome.PAID,
    ResultStatus.FAILED: CaseOutcome.NOT_PAID,
    ResultStatus.UNCOLLECTED: CaseOutcome.NOT_PAID,
    ResultStatus.RETURNED: CaseOutcome.RETURNED,
}


async def propose_result(
    db: Database,
    actor: Actor,
    payment_id: UUID,
    *,
    result: ResultStatus,
    reason: str | None,
    happened_on: date,
    note: str,
    evidence: str,
    case_id: UUID | None = None,
) -> RowMapping:
    """The first person's word. Raises PaymentNotFound, ResultNotPossible, ResultProposed, NotFound (no such case of this payment)."""
    async with db.transaction(actor) as tx:
        if case_id is not None and not await cases.belongs(tx, case_id, payment_id):
            raise NotFound("No such case of this payment")
        values = {
            "case_id": case_id,
            "result": result.value,
            "reason": reason,
            "happened_on": happened_on,
            "note": note,
            "evidence": evidence,
        }
        return await _propose(tx, actor, payment_id, values)


async def propose_correction(
    db: Database,
    actor: Actor,
    payment_id: UUID,
    *,
    happened_on: date,
    note: str,
    evidence: str,
    case_id: UUID | None = None,
) -> RowMapping:
    """The first person says that a payment which its partner told not to be paid was paid, and shows it. Changes nothing yet.

    Raises PaymentNotFound, ResultNotPossible (it is not held dead), ResultProposed, NotFound (no such case of this payment).
    """
    async with db.transaction(actor) as tx:
        if case_id is not None and not await cases.belongs(tx, case_id, payment_id):
            raise NotFound("No such case of this payment")
        payment = await manual.lock_payment(tx, actor, payment_id)
        if payment is None:
            raise PaymentNotFound()
        result = ResultStatus.COLLECTED if payment["channel"] in CASH else ResultStatus.SETTLED
        if not corrects(payment["status"], payment["channel"], result):
            raise ResultNotPossible(
                f"Only a payment held unpaid is corrected; this one is {payment['status']}", payment_status=payment["status"]
            )
        await _spoken_of(tx, payment)
        values = {
            "case_id": case_id, "result": result.value, "happened_on": happened_on, "note": note, "evidence": evidence, "correction": True,
        }  # fmt: skip
        return await _add(tx, actor, payment_id, values)


async def accept_word(
    db: Database,
    actor: Actor,
    quarantine_id: UUID,
    *,
    result: ResultStatus,
    reason: str | None,
    happened_on: date,
    note: str,
    evidence: str,
) -> RowMapping:
    """A word that was set aside is to count after all: as this result of our payment, at our amount, when a second person agrees.

    Where we hold the payment dead, whatever for, and the word says that it was paid, that is a correction.
    Raises NotFound, WordNotOurs, and as :func:`propose_result`.
    """
    async with db.transaction(actor) as tx:
        word = await _word(tx, actor, quarantine_id)
        if word["payment_id"] is None:
            raise WordNotOurs()
        values = {
            "quarantine_id": quarantine_id, "result": result.value, "reason": reason, "happened_on": happened_on, "note": note,
            "evidence": evidence,
        }  # fmt: skip
        payment = await manual.lock_payment(tx, actor, word["payment_id"])
        if payment is not None and corrects(payment["status"], payment["channel"], result):
            await _spoken_of(tx, payment)
            return await _add(tx, actor, word["payment_id"], {**values, "correction": True})
        return await _propose(tx, actor, word["payment_id"], values)


async def dismiss_word(db: Database, actor: Actor, quarantine_id: UUID, note: str) -> bool:
    """A word that was set aside counts for nothing, and why. Changes no payment.

    Where the word keeps months of ours closed, dismissing it has them paid again: a second person says so too. False while that is awaited.
    Raises NotFound, SameWitness.
    """
    async with db.transaction(actor) as tx:
        word = await _word(tx, actor, quarantine_id)
        paid_unheard = word["says_paid"] and word["payment_status"] not in PAID
        if word["payment_id"] is not None and (paid_unheard or word["reason"] in KEEPS_CLOSED):
            if word["dismissal_by"] == actor.subject:
                raise SameWitness()
            if word["dismissal_by"] is None:
                await manual.propose_dismissal(tx, quarantine_id, actor.subject, note)
                what = audit.Changed({"dismissal": None}, {"dismissal": "PROPOSED"}, {"note": note})
                await audit.record(tx, "quarantine.propose_dismissal", "quarantine", quarantine_id, what)
                return False
        await manual.resolve_word(tx, quarantine_id, "DISMISSED", actor.subject, note)
        what = audit.Changed({"state": "OPEN"}, {"state": "DISMISSED"}, {"note": note})
        await audit.record(tx, "quarantine.dismiss", "quarantine", quarantine_id, what)
        return True


async def decide_result(db: Database, actor: Actor, manual_id: UUID, note: str, *, confirm: bool) -> RowMapping:
    """The second person's word; a confirmed result is applied, and ends the word or case it came from.

    Raises NotFound, SameWitness, ResultProposed (it was decided before), ResultNotPossible, BudgetExceeded (a correction).
    """
    async with db.transaction(actor) as tx:
        row = await manual.find(tx, actor, manual_id)
        if row is None:
            raise NotFound("No such result")
        if row["state"] != "PROPOSED":
            raise ResultProposed(f"It is {row['state']}", state=row["state"])
        if row["proposed_by"] == actor.subject:
            raise SameWitness()
        if confirm:
            await (_correct(tx, row, actor) if row["correction"] else _apply(tx, row))
            if row["quarantine_id"] is not None:
                await manual.resolve_word(tx, row["quarantine_id"], "ACCEPTED", actor.subject, note)
            if row["case_id"] is not None:
                outcome = _CASE_OUTCOMES[ResultStatus(row["result"])]
                await cases.close_by_result(tx, row["case_id"], outcome.value, actor.subject, note)
        await manual.decide(tx, manual_id, "CONFIRMED" if confirm else "REFUSED", actor.subject, note)
        found = await manual.find(tx, actor, manual_id)
        if found is None:
            raise LookupError(manual_id)
        action = f"{'correction' if row['correction'] else 'manual_result'}.{'confirm' if confirm else 'refuse'}"
        about = {"result": row["result"], "note": note, "beyond_due": row["beyond_due"], "proposed_by": row["proposed_by"]}
        await audit.record(tx, action, "payment", row["payment_id"], audit.Changed.of(row, found, "state", "payment_status", **about))
        return found


async def correct_payments(tx: Tx, manual_ids: Sequence[UUID], actor: Actor) -> bool:
    """What we held dead becomes SETTLED or COLLECTED: status, history, months, ledger, budget and event together.

    False where one of them is not dead any more: the caller refuses. Months that another payment has paid meanwhile are then paid twice:
    the person is looked at, and a recovery case says so. Raises BudgetExceeded.
    """
    await payment_moves.prepare(tx)
    await corrections.prepare(tx, manual_ids)
    moved = await payment_moves.correct(tx)
    if sum(item.payments for item in moved) != len(manual_ids):
        return False
    await corrections.release_holds(tx)
    unfounded = await uncollected.withdraw_for_moved(tx, actor.subject)
    if unfounded:
        what = audit.Bulk.of(unfounded, before={"state": "OPEN"}, after={"state": "DISMISSED"})
        await audit.record(tx, "suspension.close", "suspension_proposal", "many", what)
    await corrections.end_differences(tx, manual_ids, actor.subject)
    return True


async def _spoken_of(tx: Tx, payment: RowMapping) -> None:
    """What we withdrew ourselves was paid only if its partner says so somewhere: two of us alone do not. Raises ResultNotPossible."""
    if payment["status"] == PaymentStatus.CANCELLED and not await corrections.spoken_of(tx, payment["payment_id"]):
        raise ResultNotPossible(
            "It was withdrawn before it was sent, and no statement, message or answer of the partner speaks of it: open an investigation",
            payment_status=payment["status"],
        )


async def _word(tx: Tx, actor: Actor, quarantine_id: UUID) -> RowMapping:
    word = await manual.quarantined(tx, actor, quarantine_id)
    if word is None:
        raise NotFound("No such open quarantine entry")
    return word


async def _propose(tx: Tx, actor: Actor, payment_id: UUID, values: Mapping[str, Any]) -> RowMapping:
    payment = await manual.lock_payment(tx, actor, payment_id)
    if payment is None:
        raise PaymentNotFound()
    reading = read_result(payment["status"], payment["channel"], ResultStatus(values["result"]))
    if reading is not Reading.APPLY:
        wrong = corrects(payment["status"], payment["channel"], ResultStatus(values["result"]))
        hint = "; what was paid all the same is corrected at POST /v1/payments/{payment_id}/corrections" if wrong else ""
        raise ResultNotPossible(f"The payment is {payment['status']}{hint}", payment_status=payment["status"], reading=reading.value)
    return await _add(tx, actor, payment_id, values)


async def _add(tx: Tx, actor: Actor, payment_id: UUID, values: Mapping[str, Any]) -> RowMapping:
    row = await manual.add(tx, {**values, "payment_id": payment_id, "proposed_by": actor.subject})
    if row is None:
        raise ResultProposed()
    what = audit.Created({"manual_id": row["manual_id"], **{name: values[name] for name in ("result", "note", "evidence")}})
    await audit.record(tx, "correction.propose" if values.get("correction") else "manual_result.propose", "payment", payment_id, what)
    found = await manual.find(tx, actor, row["manual_id"])
    if found is None:
        raise LookupError(payment_id)
    return found


async def _apply(tx: Tx, row: RowMapping) -> None:
    told = PartnerResult(
        reference=row["reference"],
        status=ResultStatus(row["result"]),
        amount=row["amount"],
        currency="VND",
        reason=row["reason"],
        partner_reference=None,
        occurred_at=datetime.combine(row["happened_on"], _MIDDAY, UTC),
        said={"manual_id": str(row["manual_id"]), "result": row["result"]},
    )
    recorded = await record_results(tx, row["partner"], "MANUAL", [Told(str(row["manual_id"]), told)])
    if not recorded.payments:
        raise ResultNotPossible(f"The payment is {row['payment_status']} by now", payment_status=row["payment_status"])


async def _correct(tx: Tx, row: RowMapping, actor: Actor) -> None:
    if not await correct_payments(tx, [row["manual_id"]], actor):
        raise ResultNotPossible(f"The payment is {row['payment_status']} by now", payment_status=row["payment_status"])
