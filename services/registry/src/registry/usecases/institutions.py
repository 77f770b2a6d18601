"""Institutions and their residents: who lives there holds no community allowance (R03, R60), so coming and going changes dues."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.problems import Conflict, InvalidInput, NotFound, PreconditionFailed
from registry.domain.errors import AlreadyResident, UnknownUnit
from registry.storage import catalogue, dues, history, institutions
from registry.storage.publishing import take_people_lock
from registry.usecases import ahead, people

__all__ = ["change", "create", "enter", "leave", "seen"]


def _actor(tx: Tx) -> Actor:
    if tx.actor is None:
        raise RuntimeError("this use case needs an actor")
    return tx.actor


async def seen(tx: Tx, institution_id: UUID, *, lock: bool = False) -> Any:
    """The institution, if in the caller's area; else 404."""
    row = await institutions.find(tx, institution_id, lock=lock)
    if row is None or not _actor(tx).sees(institutions.path_of(row)):
        raise NotFound("No such institution")
    return row


async def create(tx: Tx, code: str, name: str, unit_code: str, valid_from: date, business_date: date) -> UUID:
    """Enter an institution. Raises Conflict when the code is taken."""
    unit = await catalogue.unit_of(tx, unit_code, business_date)
    if unit is None:
        raise UnknownUnit(errors=[{"field": "unit_code", "detail": unit_code}])
    if not _actor(tx).sees(unit["path"]):
        raise NotFound("No such unit in your area")
    await history.dated(tx, business_date, valid_from)
    made = await institutions.insert(tx, code, name, unit, valid_from, _actor(tx).subject)
    if made is None:
        raise Conflict("An institution has this code", code=code)
    await audit.record(tx, "institution.create", "institution", made, audit.Created({"code": code, "unit": unit["path"]}))
    return made


async def change(
    db: Database, actor: Actor, institution_id: UUID, version: int, name: str | None, valid_to: date | None, business_date: date
) -> Any:
    """Rename or close an institution; one with residents cannot be closed."""
    async with db.transaction(actor) as tx:
        await history.dated(tx, business_date)
        row = await seen(tx, institution_id, lock=True)
        if row["version"] != version:
            raise PreconditionFailed(f"version {row['version']} is current")
        if valid_to is not None and (residents := await institutions.residents_after(tx, institution_id, valid_to)):
            raise Conflict("People live there: enter first where they go", residents=residents)
        if valid_to is not None and valid_to < row["valid_from"]:
            raise InvalidInput(errors=[{"field": "valid_to", "detail": f"before {row['valid_from']}"}])
        await institutions.close(tx, institution_id, name, valid_to)
        now = await seen(tx, institution_id)
        await audit.record(
            tx, "institution.change", "institution", institution_id, audit.Changed.of(row, now, "name", "valid_to", "version")
        )
        return now


async def enter(tx: Tx, institution_id: UUID, person_id: UUID, from_date: date, decision: str, business_date: date) -> None:
    """Somebody comes to live in an institution. Raises AlreadyResident."""
    await ahead.allow(tx, "from_date", from_date, business_date)
    await take_people_lock(tx)
    await history.dated(tx, business_date, from_date)
    row = await seen(tx, institution_id)
    await people.seen(tx, person_id)
    if from_date < row["valid_from"] or (row["valid_to"] is not None and from_date > row["valid_to"]):
        raise InvalidInput(errors=[{"field": "from_date", "detail": "the institution does not exist on this day"}])
    last = await institutions.last_stay(tx, person_id)
    if last is not None and (last["to_date"] is None or last["to_date"] >= from_date):
        raise AlreadyResident(errors=[{"field": "beneficiary_id", "detail": f"lives in an institution since {last['from_date']}"}])
    await institutions.add_stay(tx, institution_id, person_id, from_date, decision, _actor(tx).subject)
    await dues.recompute(tx, [person_id], business_date)
    what = audit.Created({"person": person_id, "from": from_date, "decision": decision})
    await audit.record(tx, "institution.enter", "institution", institution_id, what)


async def leave(tx: Tx, institution_id: UUID, person_id: UUID, last_day: date, business_date: date) -> None:
    """Somebody leaves an institution; community allowances are due again from the rule's month.

    A leaving that was entered ahead may be given another day until its day has come.
    """
    await ahead.allow(tx, "last_day", last_day, business_date)
    await take_people_lock(tx)
    await history.dated(tx, business_date, last_day)
    await seen(tx, institution_id)
    last = await institutions.last_stay(tx, person_id)
    if last is None or last["institution_id"] != institution_id or (last["to_date"] is not None and last["to_date"] <= business_date):
        raise NotFound("Not a resident of this institution")
    if last["from_date"] > last_day:
        raise InvalidInput(errors=[{"field": "last_day", "detail": f"came on {last['from_date']}"}])
    await institutions.end_stay(tx, institution_id, person_id, last["from_date"], last_day)
    await dues.recompute(tx, [person_id], business_date)
    what = audit.Changed.of(last, {"to_date": last_day}, "to_date", person=person_id)
    await audit.record(tx, "institution.leave", "institution", institution_id, what)
