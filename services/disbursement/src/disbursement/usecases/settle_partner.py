"""Prefunding, fees and the settlement statement: proposed by one person, decided by another, posted to the ledger once."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.idempotency import asked_already
from common.problems import NotFound
from disbursement.domain.fees import fee_of
from disbursement.domain.ledger import TransferKind
from disbursement.domain.settlement_errors import AlreadyDecided, MovementExists, SameDecider, SettlementNotPossible
from disbursement.storage import cycles, ledger, settlements

__all__ = ["decide_fee", "decide_movement", "decide_settlement", "propose_fee", "propose_movement", "propose_settlement"]


async def _cycle(tx: Tx, actor: Actor, cycle_id: UUID) -> RowMapping:
    cycle = await cycles.by_id(tx, cycle_id)
    if cycle is None or not actor.sees(cycle["unit_path"]):
        raise NotFound("No such cycle")
    return cycle


async def _propose(tx: Tx, table: str, what: str, values: dict[str, Any]) -> RowMapping:
    row = await settlements.add(tx, table, values)
    if row is None:
        raise MovementExists(f"{what} is recorded already")
    return row


async def _decide(tx: Tx, actor: Actor, table: str, row_id: UUID, *, approve: bool) -> RowMapping:
    """The second person's word on a proposal. Raises NotFound, SameDecider, AlreadyDecided."""
    row = await settlements.find(tx, table, row_id, lock=True)
    if row is None:
        raise NotFound("Nothing like that was proposed")
    if table != "fee_agreement":
        await _cycle(tx, actor, row["cycle_id"])
    if row["proposed_by"] == actor.subject:
        raise SameDecider()
    decided = await settlements.decide(tx, table, row_id, "APPROVED" if approve else "REJECTED", actor.subject)
    if decided is None:
        raise AlreadyDecided(f"It is {row['state']}", state=row["state"])
    return decided


def _decided(row: RowMapping, **about: Any) -> audit.Changed:
    """For the audit log: only what is proposed is decided (:func:`_decide`)."""
    return audit.Changed({"state": "PROPOSED"}, {"state": row["state"]}, {**about, "proposed_by": row["proposed_by"]})


async def propose_fee(db: Database, actor: Actor, values: dict[str, Any]) -> RowMapping:
    """Propose a partner's fee on what it pays, from a date."""
    asked = {**values, "proposed_by": actor.subject}
    async with db.transaction(actor) as tx:
        if (same := await asked_already(tx, "fee_agreement", asked, "state = 'PROPOSED'")) is not None:
            return same
        row = await _propose(tx, "fee_agreement", "The agreement", asked)
        what = audit.Created({"partner": row["partner"], "basis_points": row["basis_points"], "state": row["state"]})
        await audit.record(tx, "fee.propose", "fee", row["fee_id"], what)
        return row


async def decide_fee(db: Database, actor: Actor, fee_id: UUID, *, approve: bool) -> RowMapping:
    """Decide a fee agreement."""
    async with db.transaction(actor) as tx:
        row = await _decide(tx, actor, "fee_agreement", fee_id, approve=approve)
        await audit.record(tx, "fee.decide", "fee", fee_id, _decided(row, basis_points=row["basis_points"]))
        return row


async def propose_movement(tx: Tx, actor: Actor, values: dict[str, Any]) -> RowMapping:
    """Propose that money went to a partner or came back, with its paper. Raises NotFound, MovementExists."""
    cycle = await _cycle(tx, actor, values["cycle_id"])
    about = {"programme": cycle["programme"], "funding_source": cycle["funding_source"], "proposed_by": actor.subject}
    row = await _propose(tx, "money_movement", f"Document {values['document_number']}", {**values, **about})
    what = audit.Created({"kind": row["kind"], "amount": row["amount"], "state": row["state"]})
    await audit.record(tx, "money.propose", "movement", row["movement_id"], what)
    return row


async def decide_movement(db: Database, actor: Actor, movement_id: UUID, business_date: date, *, approve: bool) -> RowMapping:
    """Decide a movement; an approved one is posted."""
    async with db.transaction(actor) as tx:
        row = await _decide(tx, actor, "money_movement", movement_id, approve=approve)
        if approve:
            journal_id = await ledger.journal(tx, "money.movement", str(movement_id))
            await ledger.post(
                tx, journal_id, TransferKind(row["kind"]), subject_id=movement_id, amount=row["amount"], programme=row["programme"],
                funding_source=row["funding_source"], business_date=business_date, partner=row["partner"], cycle_id=row["cycle_id"],
            )  # fmt: skip
        await audit.record(tx, "money.decide", "movement", movement_id, _decided(row, amount=row["amount"]))
        return row


async def propose_settlement(tx: Tx, actor: Actor, cycle_id: UUID, partner: str, number: str, business_date: date) -> RowMapping:
    """Freeze what a partner did with a cycle. Raises SettlementNotPossible while anything about it is open."""
    cycle = await _cycle(tx, actor, cycle_id)
    waiting = await settlements.waiting(tx, cycle_id, partner)
    if any(waiting.values()):
        raise SettlementNotPossible("; ".join(f"{name} {count}" for name, count in waiting.items() if count), waiting=waiting)
    found = await settlements.figures(tx, cycle_id, partner)
    if not found["listed_payments"]:
        raise NotFound("This partner paid nothing in this cycle")
    basis_points = await settlements.basis_points(tx, partner, cycle["programme"], cycle["month"])
    values = {
        "cycle_id": cycle_id, "partner": partner, "programme": cycle["programme"], "funding_source": cycle["funding_source"],
        "unit_path": cycle["unit_path"], "number": number, "business_date": business_date, "proposed_by": actor.subject,
        "to_be_returned": max(0, found["prefunded"] - found["paid_amount"]), "fee_basis_points": basis_points,
        "fee": fee_of(found["paid_amount"], basis_points),
    }  # fmt: skip
    row = await _propose(tx, "settlement", "A settlement of this cycle with this partner", {**values, **found})
    what = audit.Created({"partner": partner, "paid": found["paid_amount"], "state": row["state"]})
    await audit.record(tx, "settlement.propose", "settlement", row["settlement_id"], what)
    return row


async def decide_settlement(db: Database, actor: Actor, settlement_id: UUID, *, approve: bool) -> RowMapping:
    """Decide a settlement; an approved one is posted: paid out, what the partner must give back, and its fee.

    Raises SettlementNotPossible when the figures are no longer those that were proposed (money came back meanwhile).
    """
    async with db.transaction(actor) as tx:
        row = await _decide(tx, actor, "settlement", settlement_id, approve=approve)
        if approve:
            now = await settlements.figures(tx, row["cycle_id"], row["partner"])
            changed = [name for name, value in now.items() if row[name] != value]
            if changed:
                raise SettlementNotPossible(
                    f"Changed since it was proposed: {', '.join(changed)}; reject it and propose again", changed=changed
                )
            await _post(tx, row)
        await audit.record(tx, "settlement.decide", "settlement", settlement_id, _decided(row, paid=row["paid_amount"]))
        return row


async def _post(tx: Tx, row: RowMapping) -> None:
    journal_id = await ledger.journal(tx, "settlement", str(row["settlement_id"]))
    amounts = {
        TransferKind.PAY_OUT: row["paid_amount"] if row["prefunded"] else 0,
        TransferKind.SURPLUS: row["to_be_returned"],
        TransferKind.FEE_DUE: row["fee"],
    }
    for kind, amount in amounts.items():
        await ledger.post(
            tx, journal_id, kind, subject_id=row["settlement_id"], amount=amount, programme=row["programme"],
            funding_source=row["funding_source"], business_date=row["business_date"], partner=row["partner"], cycle_id=row["cycle_id"],
        )  # fmt: skip
