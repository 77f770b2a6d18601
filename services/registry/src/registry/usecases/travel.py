"""A registration list on its way: the commune submits it, the office above receives it and approves it, or returns it with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.lists.cells import hide_numbers
from common.problems import NotFound, PreconditionFailed
from registry.domain.errors import ImportNotApprovable, ListNotOpen, SamePerson, UnknownUnit
from registry.domain.travel import allowed, working_days_after
from registry.storage import decisions, travel

__all__ = ["before_approve", "listing", "one", "receive", "return_list", "submit", "submit_again", "withdraw"]

_ANSWER_DAYS: Final = "LIST_ANSWER_WORKING_DAYS"


async def before_approve(tx: Tx, imports: Sequence[UUID]) -> None:
    """An import that travels is approved by who received it: then its list is accepted. Others are approved as they are.

    Raises ImportNotApprovable for a list not received or returned, SamePerson for its submitter.
    """
    lists = await travel.of_imports(tx, imports)
    closed = [row for row in lists if row["state"] != "ACCEPTED" and allowed(row["state"], "accept") is None]
    if closed:
        errors = [{"field": "import_ids", "detail": f"{row['import_id']}: list {row['state']}"} for row in closed]
        raise ImportNotApprovable("The list that carries this import has not been received, or was returned", errors=errors)
    if tx.actor is not None and any(row["submitted_by"] == tx.actor.subject for row in lists):
        raise SamePerson("Who submitted a list cannot accept it")
    for row in lists:
        if row["state"] == "ACCEPTED":  # an application that stopped is approved, and so queued, again
            continue
        by = tx.actor.subject if tx.actor else ""
        await travel.update(tx, row["list_id"], {"state": "ACCEPTED", "accepted_by": by}, ("accepted_at",))
        await audit.record(tx, "list.accept", "submitted-list", row["list_id"], audit.Changed.of(row, {"state": "ACCEPTED"}, "state"))


async def submit(db: Database, actor: Actor, import_id: UUID, number: str, note: str | None, business_date: date) -> RowMapping:
    """Submit a checked list to the unit above. Raises NotFound, ImportNotApprovable, UnknownUnit, ListNotOpen."""
    async with db.transaction(actor) as tx:
        file = await _checked(tx, actor, import_id)
        above = await travel.parent_unit(tx, file["unit_path"], business_date)
        if above is None:
            raise UnknownUnit("There is no unit above to submit to", errors=[{"field": "import_id", "detail": file["unit_code"]}])
        list_id = new_id()
        values: dict[str, Any] = {
            "list_id": list_id, "import_id": import_id, "number": hide_numbers(number)[0], "unit_code": file["unit_code"],
            "unit_path": file["unit_path"], "to_unit_code": above["code"], "to_unit_path": above["path"],
            "note": hide_numbers(note)[0] if note else None, "due_on": await _due_on(tx, business_date),
            "submitted_on": business_date, "submitted_by": actor.subject,
        }  # fmt: skip
        if not await travel.store(tx, values):
            raise ListNotOpen("This import travels already")
        what = audit.Created({"import_id": import_id, "to": above["code"], "state": "SUBMITTED"})
        await audit.record(tx, "list.submit", "submitted-list", list_id, what)
        return await _read(tx, list_id)


async def _due_on(tx: Tx, submitted_on: date) -> date:
    """Until when the office above answers: so many working days as the setting says, public holidays not counted."""
    days = int((await decisions.policy(tx, [_ANSWER_DAYS]))[_ANSWER_DAYS])
    return working_days_after(submitted_on, days, await travel.special_days(tx, submitted_on))


async def _checked(tx: Tx, actor: Actor, import_id: UUID) -> RowMapping:
    file = await tx.row(
        "SELECT unit_code, unit_path, state, dry_run FROM import_file WHERE import_id = :id FOR NO KEY UPDATE", id=import_id
    )
    if file is None or not actor.sees(file["unit_path"]):
        raise NotFound("No such import")
    if file["dry_run"] or file["state"] != "CHECKED":
        raise ImportNotApprovable(errors=[{"field": "import_id", "detail": "dry run" if file["dry_run"] else file["state"]}])
    return file


async def submit_again(db: Database, actor: Actor, list_id: UUID, version: int, import_id: UUID | None, business_date: date) -> RowMapping:
    """Submit a returned list again, with the corrected file if there is one."""
    async with db.transaction(actor) as tx:
        row = await _step(tx, actor, list_id, version, "submit", sender=True)
        await _checked(tx, actor, import_id or row["import_id"])
        if any(other["list_id"] != list_id for other in await travel.of_imports(tx, [import_id or row["import_id"]])):
            raise ListNotOpen("That import travels in another list")
        values = {
            "state": "SUBMITTED", "import_id": import_id or row["import_id"], "round": row["round"] + 1, "submitted_on": business_date,
            "submitted_by": actor.subject, "due_on": await _due_on(tx, business_date), "received_by": None,
            "received_at": None,
        }  # fmt: skip
        await travel.update(tx, list_id, values, ("submitted_at",))
        what = audit.Changed.of(row, values, "state", "round", "import_id", "due_on")
        await audit.record(tx, "list.submit-again", "submitted-list", list_id, what)
        return await _read(tx, list_id)


async def receive(db: Database, actor: Actor, list_id: UUID, version: int) -> RowMapping:
    """Take a list in hand; another person than the one who submitted it."""
    async with db.transaction(actor) as tx:
        row = await _step(tx, actor, list_id, version, "receive", sender=False)
        if row["submitted_by"] == actor.subject:
            raise SamePerson("Who submitted a list cannot receive it")
        await travel.update(tx, list_id, {"state": "RECEIVED", "received_by": actor.subject}, ("received_at",))
        await audit.record(tx, "list.receive", "submitted-list", list_id, audit.Changed.of(row, {"state": "RECEIVED"}, "state"))
        return await _read(tx, list_id)


async def return_list(db: Database, actor: Actor, list_id: UUID, version: int, reasons: Sequence[Mapping[str, Any]]) -> RowMapping:
    """Send a list back with reasons, of the whole list or of rows."""
    async with db.transaction(actor) as tx:
        row = await _step(tx, actor, list_id, version, "return", sender=False)
        if row["submitted_by"] == actor.subject:
            raise SamePerson("Who submitted a list cannot return it")
        kept = [{"row": item.get("row"), "reason": hide_numbers(str(item["reason"]))[0]} for item in reasons]
        values = {"state": "RETURNED", "returned_by": actor.subject, "return_reasons": orjson.dumps(kept).decode()}
        await travel.update(tx, list_id, values, ("returned_at",))
        what = audit.Changed.of(row, {"state": "RETURNED"}, "state", reasons=len(kept))
        await audit.record(tx, "list.return", "submitted-list", list_id, what)
        return await _read(tx, list_id)


async def withdraw(db: Database, actor: Actor, list_id: UUID, version: int) -> RowMapping:
    """Take a list back before it is received, or after it was returned."""
    async with db.transaction(actor) as tx:
        row = await _step(tx, actor, list_id, version, "withdraw", sender=True)
        await travel.update(tx, list_id, {"state": "WITHDRAWN"})
        await audit.record(tx, "list.withdraw", "submitted-list", list_id, audit.Changed.of(row, {"state": "WITHDRAWN"}, "state"))
        return await _read(tx, list_id)


async def one(db: Database, actor: Actor, list_id: UUID) -> RowMapping:
    """A list sent from or to the caller's units. Raises NotFound."""
    async with db.read(actor) as tx:
        row = await _read(tx, list_id)
    if not (actor.sees(row["unit_path"]) or actor.sees(row["to_unit_path"])):
        raise NotFound("No such list")
    return row


async def listing(
    db: Database, actor: Actor, *, state: str | None, overdue_on: date | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Lists sent from or to the caller's units."""
    (sent, params), (came, _) = actor.scope_sql("l.unit_path"), actor.scope_sql("l.to_unit_path")
    async with db.read(actor) as tx:
        return await travel.page(tx, state=state, overdue_on=overdue_on, after=after, limit=limit, scopes=(sent, came), params=params)


async def _read(tx: Tx, list_id: UUID) -> RowMapping:
    row = await travel.find(tx, list_id)
    if row is None:
        raise NotFound("No such list")
    return row


async def _step(tx: Tx, actor: Actor, list_id: UUID, version: int, step: str, *, sender: bool) -> RowMapping:
    """The list, locked, if the caller's side may take this step now."""
    row = await travel.find(tx, list_id, lock=True)
    if row is None or not (actor.sees(row["unit_path"]) or actor.sees(row["to_unit_path"])):
        raise NotFound("No such list")
    if not actor.sees(row["unit_path"] if sender else row["to_unit_path"]):
        raise ListNotOpen("This step is for the other office")
    if row["version"] != version:
        raise PreconditionFailed(f"version {row['version']} is current")
    if allowed(row["state"], step) is None:
        raise ListNotOpen(f"The list is {row['state']}")
    return row
