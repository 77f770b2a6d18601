"""Moves: the old unit stops and sends, the new unit receives and pays from the following month. Two people, two units, no month twice.

Law: Decree 20/2021 Art. 8 (the new place pays from the month after the stop decision), Decree 131/2021 Art. 131 (merit). Until the move
is received the person stays with the old unit, so that nobody falls between two offices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import InvalidInput, NotFound
from registry.domain.decisions import Action, Kind, month_of
from registry.domain.errors import SamePerson, TransferNotOpen, UnknownUnit
from registry.storage import attachments, catalogue, dues, life_events, publishing, transfers
from registry.storage import decisions as decision_storage
from registry.usecases import decisions, people
from registry.usecases.recipients import NewPerson, person_of

__all__ = ["Arrival", "Departure", "answer", "arrive", "depart", "seen", "settle_answer"]


@dataclass(frozen=True, slots=True)
class Departure:
    """What the old unit sends. `to_unit_code` within the province, else `to_province`; `last_month` is the last one paid here."""

    person_id: UUID
    number: str
    decision_date: date
    signer: str
    dossier: str
    business_date: date
    to_unit_code: str | None = None
    to_province: str | None = None
    last_month: date | None = None
    attachment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person coming from another province, with the last month paid there and what the new decision grants here."""

    person: UUID | NewPerson
    unit_code: str
    from_province: str
    number: str
    decision_date: date
    signer: str
    dossier: str
    business_date: date
    last_month: date
    grants: Sequence[decisions.Item]
    attachment_id: UUID | None = None


async def depart(tx: Tx, move: Departure) -> UUID:
    """Stop and send: the hand-over waits for the receiving unit (or, out of the province, for a second person).

    Raises NotFound, UnknownUnit, TransferNotOpen, DecisionRefused, EntitlementState.
    """
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, move.attachment_id)
    row = await people.seen(tx, move.person_id, lock=True)
    if row["status"] != "ACTIVE":
        raise TransferNotOpen(f"the person is {row['status']}")
    if (move.to_unit_code is None) == (move.to_province is None):
        raise InvalidInput(errors=[{"field": "to_unit_code", "detail": "give the commune here, or the other province"}])
    within = move.to_unit_code is not None
    target = await _commune(tx, move.to_unit_code, move.business_date) if within else None
    if target is not None and target["path"] == row["unit_path"]:
        raise UnknownUnit("The person is in this unit", errors=[{"field": "to_unit_code", "detail": str(move.to_unit_code)}])
    last_month = move.last_month if move.last_month is not None and not within else month_of(move.decision_date)
    transfer_id = await transfers.insert(
        tx,
        {
            "direction": "WITHIN" if within else "OUT", "person_id": move.person_id, "from_unit_code": row["unit_code"],
            "from_path": row["unit_path"], "to_unit_code": move.to_unit_code, "to_path": target["path"] if target else None,
            "other_province": move.to_province, "number": move.number, "decision_date": move.decision_date, "signer": move.signer,
            "dossier": move.dossier, "sent_on": move.business_date, "last_month": last_month, "attachment_id": move.attachment_id,
            "maker": actor.subject,
        },
    )  # fmt: skip
    if transfer_id is None:
        raise TransferNotOpen("Another move of this person is under way")
    held = await decision_storage.open_for(tx, [move.person_id])
    after = month_of(last_month, 1)
    items = [
        decisions.Item(
            kind=Kind.TRANSFER if within else Kind.END, reason="MOVED" if within else "MOVED_AWAY",
            entitlement_id=item["entitlement_id"], effective_month=after,
        )
        for item in held
    ]  # fmt: skip
    await _propose(tx, move, transfer_id, items)
    what = audit.Created({"from": row["unit_code"], "to": move.to_unit_code or move.to_province, "state": "SENT"})
    await audit.record(tx, "transfer.send", "transfer", transfer_id, what)
    return transfer_id


async def arrive(tx: Tx, move: Arrival) -> UUID:
    """Somebody comes from another province: what is granted here begins the month after the last one paid there."""
    actor, _ = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    await attachments.check(tx, actor, move.attachment_id)
    unit = await _commune(tx, move.unit_code, move.business_date)
    if not actor.sees(unit["path"]):
        raise NotFound("No such unit in your area")
    if move.last_month > month_of(move.business_date, 1):
        raise InvalidInput(errors=[{"field": "last_month", "detail": "paid ahead by more than a month"}])
    person_id = await person_of(tx, move.person, {"unit_code": unit["code"], "unit_path": unit["path"]}, move.business_date, "person")
    transfer_id = await transfers.insert(
        tx,
        {
            "direction": "IN", "person_id": person_id, "to_unit_code": unit["code"], "to_path": unit["path"],
            "other_province": move.from_province, "number": move.number, "decision_date": move.decision_date, "signer": move.signer,
            "dossier": move.dossier, "sent_on": move.business_date, "last_month": move.last_month, "attachment_id": move.attachment_id,
            "maker": actor.subject,
        },
    )  # fmt: skip
    if transfer_id is None:
        raise TransferNotOpen("Another move of this person is under way")
    first = month_of(move.last_month, 1)
    items = [
        decisions.Item(
            kind=Kind.GRANT, reason="MOVED_HERE", person_id=person_id, category=grant.category, percent=grant.percent,
            quantity=grant.quantity,
            effective_month=first,
        )
        for grant in move.grants
    ]  # fmt: skip
    await _propose(tx, move, transfer_id, items)
    what = audit.Created({"to": unit["code"], "from": move.from_province, "state": "SENT"})
    await audit.record(tx, "transfer.arrive", "transfer", transfer_id, what)
    return transfer_id


async def _propose(tx: Tx, move: Departure | Arrival, transfer_id: UUID, items: Sequence[decisions.Item]) -> None:
    if items:
        header = decisions.Header(
            number=move.number, decision_date=move.decision_date, signer=move.signer, business_date=move.business_date,
            attachment_id=move.attachment_id, transfer_id=transfer_id,
        )  # fmt: skip
        await decisions.propose(tx, header, items)


async def _commune(tx: Tx, code: str | None, day: date) -> Any:
    unit = await catalogue.unit_of(tx, code or "", day)
    if unit is None or unit["level"] != "commune":
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": str(code)}])
    return unit


async def seen(tx: Tx, transfer_id: UUID, *, lock: bool = False) -> Any:
    """A hand-over from or to the caller's area; else 404."""
    actor, _ = decisions.needs(tx)
    row = await transfers.find(tx, transfer_id, lock=lock)
    if row is None or not any(path is not None and actor.sees(path) for path in (row["from_path"], row["to_path"])):
        raise NotFound("No such move")
    return row


async def answer(tx: Tx, transfer_id: UUID, action: Action, business_date: date, why: str | None) -> Any:
    """Receive (APPROVE), return with a reason (REJECT) or take back (WITHDRAW) a hand-over; its row after.

    Only the receiving side receives or returns; within the province that is the new unit. Raises NotFound, SamePerson, TransferNotOpen.
    """
    actor, keyring = decisions.needs(tx)
    await publishing.take_people_lock(tx)
    row = await seen(tx, transfer_id, lock=True)
    side = row["from_path"] if row["direction"] == "OUT" or action is Action.WITHDRAW else row["to_path"]
    if side is None:
        side = row["to_path"]
    if not actor.sees(side):
        raise NotFound("No such move to answer in your area")
    if row["state"] != "SENT":
        raise TransferNotOpen(f"it is {row['state']}")
    if business_date < row["sent_on"]:
        raise InvalidInput(errors=[{"field": "business_date", "detail": "before it was sent"}])
    if (row["maker"] == actor.subject) != (action is Action.WITHDRAW):
        raise SamePerson("Who sent a move takes it back; another person receives or returns it")
    ids = await transfers.decisions_of(tx, transfer_id)
    carried = await decision_storage.lock(tx, ids)
    person_id = row["person_id"]
    if action is not Action.APPROVE:
        await decisions.answer_locked(tx, action, carried, business_date, why, by_authority=False)
        state = "RETURNED" if action is Action.REJECT else "WITHDRAWN"
        await transfers.answer(tx, transfer_id, state, actor.subject, business_date, why, None)
        what = audit.Changed.of(row, {"state": state}, "state", reason=why)
        await audit.record(tx, f"transfer.{state.lower()}", "transfer", transfer_id, what)
        return await seen(tx, transfer_id)
    pays_from = await _first_month(tx, row, business_date)
    if row["direction"] == "OUT":
        await transfers.leave(tx, person_id)
    else:
        await transfers.settle(tx, person_id, row["to_unit_code"], row["to_path"])
    if row["direction"] != "IN" or await tx.value("SELECT is_beneficiary FROM person WHERE person_id = :id", id=person_id):
        # Somebody new is published when what they hold is granted.
        kind = "BeneficiaryMoved" if row["direction"] == "WITHIN" else "BeneficiaryUpdated"
        await publishing.publish_people(tx, keyring, [(person_id, kind)], business_date)
        await publishing.publish_representatives(tx, keyring, await transfers.said_again(tx, person_id), business_date)
    await transfers.answer(tx, transfer_id, "RECEIVED", actor.subject, business_date, why, pays_from)
    await decisions.answer_locked(tx, action, carried, business_date, why, by_authority=False)
    if not carried:
        await dues.recompute(tx, [person_id], business_date)
    await life_events.insert_move(tx, transfer_id)
    now = await seen(tx, transfer_id)
    what = audit.Changed.of(row, now, "state", unit={"from": row["from_path"], "to": row["to_path"]}, pays_from=pays_from.isoformat()[:7])
    await audit.record(tx, "transfer.receive", "transfer", transfer_id, what)
    return now


async def _first_month(tx: Tx, row: Any, business_date: date) -> date:
    after: date = month_of(row["last_month"], 1)
    if row["direction"] != "WITHIN":
        return after
    setting = (await decision_storage.policy(tx, ["MOVE_FIRST_MONTH"]))["MOVE_FIRST_MONTH"]
    if setting == "AFTER_RECEIPT":
        after = max(after, month_of(business_date, 1))
    before = await transfers.last_paid_from(tx, row["person_id"])
    return max(after, before) if before is not None else after


async def settle_answer(db: Database, actor: Actor, transfer_id: UUID, action: Action, business_date: date, why: str | None) -> Any:
    """:func:`answer` in a transaction of its own."""
    async with db.transaction(actor) as tx:
        return await answer(tx, transfer_id, action, business_date, why)
