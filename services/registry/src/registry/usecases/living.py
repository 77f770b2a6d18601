"""How a person lives: relatives by merit, households, groups, institutions, answers and addresses, each with its dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.names import clean, comparison_key, folded
from common.problems import Conflict, InvalidInput, NotFound, PreconditionFailed
from registry.domain import dates
from registry.domain.addresses import Address, addresses
from registry.storage import groups, history, households, institutions, preferences, publishing, relations
from registry.usecases import people as person_usecases

__all__ = ["Living", "MeritPerson", "NewRelation", "end_relation", "read", "relate"]


@dataclass(frozen=True, slots=True)
class Living:
    """Everything dated about one person."""

    relations: Sequence[Any]
    households: Sequence[Any]
    groups: Sequence[Any]
    stays: Sequence[Any]
    preferences: Sequence[Any]
    addresses: Sequence[Address]


@dataclass(frozen=True, slots=True)
class MeritPerson:
    """A merit person who is not in the register yet and receives nothing: fallen, or dead before registration, or living."""

    full_name: str
    birth_date: str | None
    sex: str
    died_on: date | None


@dataclass(frozen=True, slots=True)
class NewRelation:
    """A link to make. Either `merit_person_id` or `merit_person`."""

    relative_id: UUID
    merit_person_id: UUID | None
    merit_person: MeritPerson | None
    relation: str
    decision_number: str
    decision_date: date
    from_date: date


async def read(db: Database, actor: Actor, person_id: UUID) -> Living:
    """How one person of the actor's area lives, now and before."""
    async with db.read(actor) as tx:
        await person_usecases.seen(tx, person_id)
        return Living(
            await relations.of_person(tx, person_id), await households.of_person(tx, person_id), await groups.of_person(tx, person_id),
            await institutions.stays_of(tx, person_id), await preferences.history_of(tx, person_id),
            addresses(await history.versions(tx, "person", str(person_id))),
        )  # fmt: skip


async def relate(tx: Tx, new: NewRelation, business_date: date) -> UUID:
    """Link a relative to the merit person and the decision. Raises NotFound, InvalidInput, Conflict."""
    actor, keyring = tx.actor, tx.db.keyring
    if actor is None or keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    if new.from_date > business_date or new.decision_date > business_date:
        raise InvalidInput(errors=[{"field": "from_date", "detail": "after the business date"}])
    await publishing.take_people_lock(tx)
    await history.dated(tx, business_date, new.from_date)
    relative = await person_usecases.seen(tx, new.relative_id)
    merit_id = new.merit_person_id
    if new.merit_person is not None:
        given = new.merit_person
        born = dates.birth_date(given.birth_date, business_date) if given.birth_date else None
        if given.birth_date and born is None:
            raise InvalidInput(errors=[{"field": "merit_person.birth_date", "detail": "not a date before the business date"}])
        if given.died_on is not None and given.died_on > business_date:
            raise InvalidInput(errors=[{"field": "merit_person.died_on", "detail": "after the business date"}])
        merit_id = await relations.add_person(tx, {
            "full_name": clean(given.full_name), "name_folded": folded(given.full_name), "birth_date": born, "sex": given.sex,
            "status": "DECEASED" if given.died_on else "ACTIVE", "death_date": given.died_on, "unit_code": relative["unit_code"],
            "unit_path": relative["unit_path"], "created_by": actor.subject,
            "identity_fingerprint": keyring.fingerprint(None, comparison_key(given.full_name), born, given.sex),
        })  # fmt: skip
    elif merit_id is not None:
        # A merit person may live in, or have been of, another commune: being named in the decision is what links them.
        known = {row["person_id"] for row in await households.people(tx, [merit_id])}
        if merit_id not in known or merit_id == new.relative_id:
            raise NotFound("No such merit person")
    made = await relations.insert(tx, {
        "merit_person_id": merit_id, "relative_id": new.relative_id, "relation": new.relation, "decision_number": new.decision_number,
        "decision_date": new.decision_date, "from_date": new.from_date, "created_by": actor.subject,
        "entitlement_id": await relations.entitlement_of(tx, new.relative_id, new.decision_number),
    })  # fmt: skip
    if made is None:
        raise Conflict("This relation by this decision is recorded")
    what = audit.Created({"decision": new.decision_number, "relation": new.relation, "from": new.from_date})
    await audit.record(tx, "merit-relation.create", "merit-relation", made, what)
    return made


async def end_relation(db: Database, actor: Actor, relation_id: UUID, version: int, to_date: date, business_date: date) -> Any:
    """End a link; what it gave stays in the history."""
    async with db.transaction(actor) as tx:
        await history.dated(tx, business_date, to_date)
        row = await relations.find(tx, relation_id, lock=True)
        if row is None or not (actor.sees(row["relative_path"]) or actor.sees(row["merit_path"])):
            raise NotFound("No such relation")
        if row["version"] != version:
            raise PreconditionFailed(f"version {row['version']} is current")
        if row["to_date"] is not None or to_date < row["from_date"] or to_date > business_date:
            raise InvalidInput(errors=[{"field": "to_date", "detail": "ended already, before its beginning, or after the business date"}])
        await relations.close(tx, relation_id, to_date)
        await audit.record(tx, "merit-relation.end", "merit-relation", relation_id, audit.Changed.of(row, {"to_date": to_date}, "to_date"))
        return await relations.find(tx, relation_id)
