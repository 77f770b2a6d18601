"""Recovery cases: found by a worker, worked off by people, never netted silently (DESIGN: a receivable)."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.problems import NotFound
from disbursement.domain.ledger import TransferKind
from disbursement.domain.recovery import RecoveryAction, TooMuchRepaid, move
from disbursement.domain.settlement_errors import AlreadyDecided, MovementExists, SameDecider
from disbursement.storage import ledger, recoveries

__all__ = ["decide_repayment", "decide_waiver", "look_round", "notify", "propose_repayment", "propose_waiver"]

AT_ONCE: Final = 500
AGAIN_SECONDS: Final = 600
"""A person with a payment on its way is looked at again after this."""


async def look_round(db: Database) -> bool:
    """Look at people whose dues changed; open, recount or cancel their cases. True when there was somebody."""
    async with db.transaction(SYSTEM("recovery")) as tx:
        days = await recoveries.claim(tx, AT_ONCE, AGAIN_SECONDS)
        if not days:
            return False
        cases: list[UUID] = []
        for row in await recoveries.over(tx, list(days)):
            day = days[row["beneficiary_id"]]
            case = await _bring_in_step(tx, row, day)
            if case is not None:
                cases.append(case["recovery_id"])
                await recoveries.publish(tx, [case["recovery_id"]], day)
        if cases:
            await audit.record(tx, "recovery.look", "recovery", "many", audit.Bulk.of(cases, people=len(days)))
    return True


async def _bring_in_step(tx: Tx, row: RowMapping, today: date) -> RowMapping | None:
    """Make one case say what is over now; None when it says so already. Cases are few: one at a time, all in one transaction."""
    extra = int(row["extra"])
    if row["recovery_id"] is None:
        if extra == 0:
            return None
        case = await recoveries.set_case(
            tx,
            None,
            {
                "beneficiary_id": row["beneficiary_id"], "programme": row["programme"], "funding_source": row["funding_source"],
                "amount": extra, "months": row["months"], "opened_on": today, "unit_code": row["unit_code"], "unit_path": row["unit_path"],
            },
        )  # fmt: skip
        action, before = "OPENED", 0
    else:
        amount = row["recovered"] + extra
        if amount == row["was"] and list(row["months"]) == list(row["were"]):
            return None
        action = RecoveryAction.RECOUNT
        if extra == 0:  # the rest is due again; what came back stays back, and is payable again where it is due
            action = RecoveryAction.REST_LEFT if row["recovered"] else RecoveryAction.NOTHING_LEFT
        state = move(row["state"], RecoveryAction(action))
        case = await recoveries.set_case(tx, row["recovery_id"], {"amount": amount, "months": row["months"], "state": state.value})
        before = row["was"]
    await recoveries.write_items(tx, case["recovery_id"], row["items"] or [])
    step_id = await recoveries.take_step(tx, case, action, None)
    await _post(tx, case, TransferKind.RECOVERY_OPENED, step_id, case["amount"] - before, today)
    return case


async def _post(tx: Tx, case: RowMapping, kind: TransferKind, subject_id: UUID, amount: int, business_date: date) -> None:
    journal_id = await ledger.journal(tx, "recovery", str(case["recovery_id"]))
    await ledger.post(
        tx, journal_id, kind, subject_id=subject_id, amount=amount, programme=case["programme"], funding_source=case["funding_source"],
        business_date=business_date,
    )  # fmt: skip


async def _found(tx: Tx, actor: Actor, recovery_id: UUID) -> RowMapping:
    row = await recoveries.find(tx, actor, recovery_id, lock=True)
    if row is None:
        raise NotFound("No such recovery case")
    return row


async def _in_step(tx: Tx, actor: Actor, recovery_id: UUID, business_date: date) -> RowMapping:
    """The case as the months stand this moment: what people decide about is never older than the last change of dues."""
    row = await _found(tx, actor, recovery_id)
    for found in await recoveries.over(tx, [row["beneficiary_id"]]):
        if found["recovery_id"] == recovery_id:
            await _bring_in_step(tx, found, business_date)
    return await _found(tx, actor, recovery_id)


async def _move(
    tx: Tx, row: RowMapping, action: RecoveryAction, note: str, business_date: date, **values: object
) -> tuple[RowMapping, UUID]:
    """Make one move with its step, event and audit row; (the case, the step's id)."""
    recovery_id: UUID = row["recovery_id"]
    state = move(row["state"], action)
    case = await recoveries.set_case(tx, recovery_id, {"state": state.value, **values})
    step_id = await recoveries.take_step(tx, case, action.value, note)
    await recoveries.publish(tx, [recovery_id], business_date)
    what = audit.Changed.of(row, case, "state", *values, note=note)
    await audit.record(tx, f"recovery.{action.value.lower()}", "recovery", recovery_id, what)
    return case, step_id


async def notify(db: Database, actor: Actor, recovery_id: UUID, note: str, business_date: date) -> RowMapping:
    """The person was told what is owed and why. Raises NotFound, IllegalRecoveryMove."""
    async with db.transaction(actor) as tx:
        case, _ = await _move(tx, await _found(tx, actor, recovery_id), RecoveryAction.NOTIFY, note, business_date)
        return case


async def propose_waiver(db: Database, actor: Actor, recovery_id: UUID, note: str, business_date: date) -> RowMapping:
    """The first person asks that what is left be waived. Raises NotFound, IllegalRecoveryMove."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, recovery_id)
        case, _ = await _move(
            tx, row, RecoveryAction.PROPOSE_WAIVER, note, business_date, waiver_proposed_by=actor.subject, waiver_decided_by=None
        )
        return case


async def decide_waiver(db: Database, actor: Actor, recovery_id: UUID, note: str, business_date: date, *, approve: bool) -> RowMapping:
    """The second person waives what is left, or keeps the case. Raises NotFound, SameDecider, IllegalRecoveryMove."""
    async with db.transaction(actor) as tx:
        row = await _in_step(tx, actor, recovery_id, business_date)
        action = RecoveryAction.WAIVE if approve else RecoveryAction.KEEP
        move(row["state"], action)
        if row["waiver_proposed_by"] == actor.subject:
            raise SameDecider()
        case, step_id = await _move(tx, row, action, note, business_date, waiver_decided_by=actor.subject)
        if approve:
            left = case["amount"] - case["recovered"]
            await recoveries.share(tx, recovery_id, "WAIVED", left)
            await _post(tx, case, TransferKind.RECOVERY_CANCELLED, step_id, left, business_date)
        return case


async def propose_repayment(tx: Tx, actor: Actor, recovery_id: UUID, amount: int, document_number: str, document_date: date) -> RowMapping:
    """Propose that money came back, with its paper. Raises TooMuchRepaid, MovementExists, IllegalRecoveryMove."""
    row = await _found(tx, actor, recovery_id)
    move(row["state"], RecoveryAction.REPAY)
    left = row["amount"] - row["recovered"]
    if amount > left:
        raise TooMuchRepaid(f"{left} đồng are owed", left=left)
    stored = await recoveries.add_repayment(
        tx,
        {
            "recovery_id": recovery_id, "amount": amount, "document_number": document_number, "document_date": document_date,
            "proposed_by": actor.subject,
        },
    )  # fmt: skip
    if stored is None:
        raise MovementExists(f"Document {document_number} is recorded already")
    what = audit.Created({"repayment_id": stored["repayment_id"], "amount": amount, "document": document_number})
    await audit.record(tx, "recovery.repayment", "recovery", recovery_id, what)
    return stored


async def decide_repayment(
    db: Database, actor: Actor, recovery_id: UUID, repayment_id: UUID, business_date: date, *, approve: bool
) -> RowMapping:
    """The second person's word; an approved repayment counts and is posted. Raises SameDecider, AlreadyDecided, TooMuchRepaid."""
    async with db.transaction(actor) as tx:
        row = await (_in_step(tx, actor, recovery_id, business_date) if approve else _found(tx, actor, recovery_id))
        known = next((item for item in await recoveries.repayments(tx, recovery_id) if item["repayment_id"] == repayment_id), None)
        if known is None:
            raise NotFound("No such repayment")
        if known["proposed_by"] == actor.subject:
            raise SameDecider()
        if approve and known["amount"] > row["amount"] - row["recovered"]:
            raise TooMuchRepaid(f"{row['amount'] - row['recovered']} đồng are owed")
        decided = await recoveries.decide_repayment(tx, recovery_id, repayment_id, "APPROVED" if approve else "REJECTED", actor.subject)
        if decided is None:
            raise AlreadyDecided(f"It is {known['state']}", state=known["state"])
        if approve:
            recovered = row["recovered"] + known["amount"]
            action = RecoveryAction.REPAY_ALL if recovered == row["amount"] else RecoveryAction.REPAY
            case, _ = await _move(tx, row, action, known["document_number"], business_date, recovered=recovered)
            await recoveries.share(tx, recovery_id, "REPAID", known["amount"])
            await recoveries.note_repaid(tx, recovery_id)
            await _post(tx, case, TransferKind.RECOVERY_PAID, repayment_id, known["amount"], business_date)
        what = audit.Changed.of(known, decided, "state", repayment_id=repayment_id, amount=known["amount"])
        await audit.record(tx, "recovery.repayment_decided", "recovery", recovery_id, what)
        return decided
