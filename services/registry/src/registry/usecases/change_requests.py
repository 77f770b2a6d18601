"""Changing what a person is known by: commune or police ask, a second person sees old and new side by side and approves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.masking import mask_national_number
from common.names import clean
from common.problems import Forbidden, InvalidInput, NotFound
from common.sealing import Keyring
from registry.domain import dates
from registry.domain.errors import ChangedSinceRequest, DuplicateNumber, NotPossibleInState, RequestPending, RowRefused, SamePerson
from registry.domain.numbers import clean_number, structure_reason
from registry.domain.reasons import reason
from registry.storage import change_requests as storage
from registry.storage import publishing
from registry.usecases import death_dates, people

__all__ = ["Wanted", "ask", "decide", "seen", "withdraw"]

_SHOWN: Final = ("full_name", "birth_date", "masked_number", "status", "death_date")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: an identity field or several, or a death (also another date of one recorded); None leaves a field as it is."""

    ground: str
    business_date: date
    full_name: str | None = None
    birth_date: str | None = None
    national_number: str | None = None
    death_date: date | None = None


async def ask(tx: Tx, person_id: UUID, wanted: Wanted) -> UUID:
    """Keep a request; its id. Raises NotFound, InvalidInput, RowRefused, DuplicateNumber, RequestPending."""
    actor, keyring = _needs(tx)
    row = await people.seen(tx, person_id)
    values: dict[str, Any] = {
        "person_id": person_id, "kind": "DEATH" if wanted.death_date else "IDENTITY", "ground": wanted.ground,
        "business_date": wanted.business_date, "requested_by": actor.subject,
        "before": {name: str(row[name]) if row[name] is not None else None for name in _SHOWN},
    }  # fmt: skip
    values |= await _death(row, wanted) if wanted.death_date else await _identity(tx, keyring, row, wanted)
    request_id = await storage.add(tx, values)
    if request_id is None:
        raise RequestPending
    fields = sorted(name for name in ("full_name", "birth_date", "national_number", "death_date") if values.get(name) is not None)
    what = audit.Created({"request": request_id, "fields": fields, "state": "PENDING"})
    await audit.record(tx, "change-request.ask", "beneficiary", person_id, what)
    return request_id


async def _death(row: Any, wanted: Wanted) -> dict[str, Any]:
    if wanted.full_name or wanted.birth_date or wanted.national_number:
        raise InvalidInput(errors=[{"field": "death_date", "detail": "a death is asked for by itself"}])
    if wanted.death_date is not None and wanted.death_date > wanted.business_date:
        raise InvalidInput(errors=[{"field": "death_date", "detail": "after the business date", "detail_vi": "sau ngày nghiệp vụ"}])
    if row["status"] == "DECEASED" and row["death_date"] == wanted.death_date:
        raise NotPossibleInState("A death is recorded already")
    return {"death_date": wanted.death_date}


async def _identity(tx: Tx, keyring: Keyring, row: Any, wanted: Wanted) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wanted.full_name is not None and clean(wanted.full_name) != row["full_name"]:
        values["full_name"] = clean(wanted.full_name)
    if wanted.birth_date is not None:
        born = dates.birth_date(wanted.birth_date, wanted.business_date)
        if born is None:
            raise InvalidInput(errors=[{"field": "birth_date", "detail": "not a date before the business date"}])
        if born != row["birth_date"]:
            values["birth_date"] = born
    if wanted.national_number is not None:
        values |= await _number(tx, keyring, row, clean_number(wanted.national_number))
    if not values:
        raise InvalidInput(errors=[{"field": "full_name", "detail": "nothing differs from the register"}])
    return values


async def _number(tx: Tx, keyring: Keyring, row: Any, number: str) -> dict[str, Any]:
    code = structure_reason(number)
    if code is not None:
        raise RowRefused(errors=[reason(code, "national_number").as_json()])
    owner = await tx.value("SELECT person_id FROM person WHERE number_blind = :blind", blind=keyring.blind("national_number", number))
    if owner == row["person_id"]:
        return {}
    if owner is not None:
        raise DuplicateNumber(errors=[{"field": "national_number", "detail": "registered for another person"}])
    return {"national_number": keyring.encrypt("national_number", number), "masked_number": mask_national_number(number)}


async def seen(tx: Tx, request_id: UUID, *, lock: bool = False) -> Any:
    """The request, if its person lies in the caller's area; else 404."""
    actor, _ = _needs(tx)
    row = await storage.find(tx, request_id, lock=lock)
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such change request")
    return row


async def decide(db: Database, actor: Actor, request_id: UUID, *, approve: bool, answer: str | None, business_date: date) -> Any:
    """Approve (the change is made) or refuse (with a reason). Raises SamePerson, NotPossibleInState, ChangedSinceRequest."""
    async with db.transaction(actor) as tx:
        await publishing.take_people_lock(tx)
        row = await seen(tx, request_id, lock=True)
        if row["state"] != "PENDING":
            raise NotPossibleInState(f"The request is {row['state']}")
        if row["requested_by"] == actor.subject:
            raise SamePerson("Who asked for a change cannot decide it")
        if not approve and not answer:
            raise InvalidInput(errors=[{"field": "answer", "detail": "a refusal needs a reason"}])
        if approve:
            await _make(tx, row, business_date)
        state = "APPROVED" if approve else "REFUSED"
        await storage.close(tx, request_id, state, actor.subject, answer)
        action = "change-request.approve" if approve else "change-request.refuse"
        what = audit.Changed.of(row, {"state": state}, "state", request=request_id, asked_by=row["requested_by"])
        await audit.record(tx, action, "beneficiary", row["beneficiary_id"], what)
        return await storage.find(tx, request_id)


async def _make(tx: Tx, row: Any, business_date: date) -> None:
    """The change itself, by the same use cases as everything else; refused when the file is no longer what the requester saw."""
    _, keyring = _needs(tx)
    person = await people.seen(tx, row["beneficiary_id"], lock=True)
    asked = ("death_date", "status") if row["kind"] == "DEATH" else _asked(row)
    moved = [name for name in asked if row["before"][name] != (str(person[name]) if person[name] is not None else None)]
    if moved:
        raise ChangedSinceRequest(errors=[{"field": name, "detail": "changed after the request"} for name in moved])
    if row["kind"] == "DEATH" and person["status"] == "DECEASED":
        wanted = death_dates.Correction(row["beneficiary_id"], row["death_date"], row["ground"], row["requested_by"], business_date)
        await death_dates.correct(tx, wanted)
        return
    if row["kind"] == "DEATH":
        await people.record_death(tx, row["beneficiary_id"], row["death_date"], business_date)
        return
    number = keyring.decrypt("national_number", row["national_number"]) if row["national_number"] is not None else None
    changes = people.Changes(full_name=row["full_name"], birth_date=row["birth_date"], national_number=number)
    await people.change(tx, row["beneficiary_id"], person["version"], changes, business_date)


def _asked(row: Any) -> tuple[str, ...]:
    return tuple(name for name in ("full_name", "birth_date", "masked_number") if row[name] is not None)


async def withdraw(db: Database, actor: Actor, request_id: UUID) -> Any:
    """Take a request of one's own back."""
    async with db.transaction(actor) as tx:
        row = await seen(tx, request_id, lock=True)
        if row["requested_by"] != actor.subject:
            raise Forbidden("Only who asked can withdraw a request")
        if row["state"] != "PENDING":
            raise NotPossibleInState(f"The request is {row['state']}")
        await storage.close(tx, request_id, "WITHDRAWN", actor.subject, None)
        what = audit.Changed.of(row, {"state": "WITHDRAWN"}, "state", request=request_id)
        await audit.record(tx, "change-request.withdraw", "beneficiary", row["beneficiary_id"], what)
        return await storage.find(tx, request_id)


def _needs(tx: Tx) -> tuple[Actor, Keyring]:
    if tx.actor is None or tx.db.keyring is None:
        raise RuntimeError("this use case needs an actor and a keyring")
    return tx.actor, tx.db.keyring
